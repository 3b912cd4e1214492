"""The server's filter and the local filter together list exactly the matching runs."""

from __future__ import annotations

from functools import cache

import pytest
from demo_client import run_ids
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.demo.answers import iso, run_row
from cekura_tui.demo.corpus import FIRST_PROJECT, Corpus
from cekura_tui.demo.listing import CorpusListing, read_query
from cekura_tui.model.filter.filter import BUILT_IN_VIEWS, BY_NAME, ENDED, KEYS, LIVE, MOST_IDS, WORD, Filter, Params
from cekura_tui.model.filter.match import Matcher, Split, contradiction_test, split
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import DAY, clean_json

EPOCH = 1_760_000_000.0
SCOPE = Scope("project", FIRST_PROJECT)
ENDED_ONES, LIVE_ONES = ",".join(ENDED), ",".join(LIVE)
REVIEW_OR_PASSED = "outcome:review outcome:passed"


def split_text(text: str, now: float = EPOCH) -> Split:
    parsed = parse(text)
    assert parsed.problems == ()
    return split(parsed.filter, now)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("", {}),
        ("status:failed", {"status__in": "failed"}),
        ("status:failed,timeout", {"status__in": "failed,timeout"}),
        ("dur>120", {"duration__gte": 121}),
        ("dur>=2m", {"duration__gte": 120}),
        ("dur<120", {"duration__lte": 119}),
        ("dur<=120", {"duration__lte": 120}),
        ("dur>60 dur<=2:00", {"duration__gte": 61, "duration__lte": 120}),
        ("scenario:71,72", {"scenario__id__in": "71,72"}),
        ("persona:5", {"personality__id__in": "5"}),
        ("agent:1203", {"agent_id": "1203"}),
        ("result:50012", {"result__id": "50012"}),
        ("id:900001,900002", {"id__in": "900001,900002"}),
        ("mode:text,text", {"result__run_as_text": "true"}),
        ("mode:voice", {"result__run_as_text": "false"}),
        ("since:2d", {"created_at_from": "2025-10-07T08:53:20Z"}),
        ("until:2025-10-08T10:00Z", {"created_at_to": "2025-10-08T10:00:00Z"}),
        ('"late refund"', {"search": "late refund"}),
        ("status:failed status:failed", {"status__in": "failed"}),
        ("status:failed mode:text nut", {"status__in": "failed", "result__run_as_text": "true", "search": "nut"}),
    ],
)
def test_terms_that_the_server_supports_are_not_tested_locally(text: str, params: Params) -> None:
    assert split_text(text) == Split(params, Filter())


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("outcome:passed", {"success": "true"}),
        ("outcome:running", {"status__in": LIVE_ONES}),
        ("outcome:error,failed", {"success": "false", "status__in": ENDED_ONES}),
        ("outcome:failed", {"success": "false", "status__in": ENDED_ONES}),
        ("outcome:error", {"success": "false", "status__in": ENDED_ONES}),
        ("outcome:review", {"status__in": ENDED_ONES}),
    ],
)
def test_a_term_for_outcomes_is_tested_locally_and_narrows_the_server_list(text: str, params: Params) -> None:
    assert split_text(text) == Split(params, parse(text).filter)


@pytest.mark.parametrize(
    "text",
    [
        *("outcome:unknown", "outcome:passed,failed", "outcome:passed,running", "-outcome:failed,error"),
        *("scenario:~refund", "scenario:71,~refund", 'agent:"Clinic desk"', "agent:1203,1204", "result:1,2"),
        *("id:" + ",".join(map(str, range(MOST_IDS + 1))), "mode:text,voice", "metric:~completion", "reviewed:yes"),
        *("note:yes", "-status:failed", "-since:2d", "-refund"),
    ],
)
def test_terms_that_the_server_cannot_filter_by_are_tested_locally(text: str) -> None:
    assert split_text(text) == Split({}, parse(text).filter)


@pytest.mark.parametrize(
    ("text", "params", "rest"),
    [
        ("status:failed status:timeout", {"status__in": "failed"}, "status:timeout"),
        ("status:failed outcome:failed,error", {"status__in": "failed", "success": "false"}, "outcome:failed,error"),
        ("outcome:error status:timeout", {"status__in": "timeout", "success": "false"}, "outcome:error"),
        (REVIEW_OR_PASSED, {"status__in": ENDED_ONES, "success": "true"}, REVIEW_OR_PASSED),
        ("since:2d since:yesterday note:yes", {"created_at_from": "2025-10-07T08:53:20Z"}, "since:yesterday note:yes"),
        ("dur>10 dur>20", {"duration__gte": 11}, "dur>20"),
        ("agent:1 agent:2", {"agent_id": "1"}, "agent:2"),
        ("mode:text mode:voice", {"result__run_as_text": "true"}, "mode:voice"),
        ("nut allergy late", {"search": "allergy"}, "nut late"),
        ('refund "late on" -angry', {"search": "late on"}, "refund -angry"),
    ],
)
def test_a_second_term_for_one_parameter_is_tested_locally(text: str, params: Params, rest: str) -> None:
    asked = split_text(text)
    assert (asked.params, str(asked.rest)) == (params, rest)


def test_rest_words_name_once_each_key_or_word_that_is_tested_locally() -> None:
    """Of two plain words only the shorter is tested locally, because the server searches for the longer."""
    assert split_text("status:failed dur>1").rest_words == ""
    assert split_text("metric:~a metric:~b -note:yes -dur>5 -hurry nut allergy").rest_words == (
        "metric:, -note:, -dur, -hurry, nut"
    )
    assert len(split_text(f"-{'x' * 500} -\u202etfel").rest_words) < 50
    assert "\u202e" not in split_text("-\u202etfel").rest_words


@cache
def workspace() -> tuple[CorpusListing, list[RunRow]]:
    corpus = Corpus(240, EPOCH)
    found = [corpus.facts(run_id) for run_id in run_ids(corpus, 0)]
    payloads = [clean_json(run_row(corpus, facts)) for facts in found if facts is not None]
    return CorpusListing(corpus), [row_of(Run.read(payload)) for payload in payloads]


def listed(params: Params) -> list[RunRow]:
    """The rows that the server lists for these parameters, newest first."""
    listing, rows = workspace()
    by_id = {row.id: row for row in rows}
    return [by_id[run_id] for run_id in listing.find(read_query({name: str(of) for name, of in params.items()}))]


def swept(query: RunQuery) -> list[RunRow]:
    """The rows that the server lists without narrowing, except rows that contradict the filter."""
    denies = contradiction_test(query.filter, EPOCH)
    return [row for row in listed(query.params(EPOCH, narrow=False)) if not denies(row)]


def passing(wanted: Filter, rows: list[RunRow], notes: dict[int, str]) -> list[int]:
    matches = Matcher(wanted, now=EPOCH, notes=notes)
    return [row.id for row in rows if matches(row)]


def some_values(name: str) -> st.SearchStrategy[list[str]]:
    """A few of the values that the runs have for the property `name`."""
    known = sorted({str(getattr(row, name)) for row in workspace()[1]})
    return st.lists(st.sampled_from(known), min_size=1, max_size=3)


def named(key: str, ids: str, name: str) -> st.SearchStrategy[str]:
    names = some_values(name).map(lambda found: [f'"{one}"' for one in found])
    parts = st.sampled_from([["~a"], ["~refund"], ["~Front"], ["~in", "~zz"]])
    return st.one_of(some_values(ids), names, parts).map(lambda values: f"{key}:{','.join(values)}")


def words_of(key: str) -> st.SearchStrategy[str]:
    words = st.lists(st.sampled_from(BY_NAME[key].words), min_size=1, max_size=4)
    return words.map(lambda found: f"{key}:{','.join(found)}")


MOMENTS = st.one_of(
    st.sampled_from(["today", "yesterday", "1h", "5h", "2d", "1w", "9:30"]),
    st.integers(0, 5).map(lambda day: f"2025-10-0{9 - day}"),
    st.sampled_from([iso(row.at)[:19] + "Z" for row in workspace()[1] if row.at is not None]),
)
LENGTHS = st.integers(0, 700) | st.sampled_from([row.seconds for row in workspace()[1] if row.seconds is not None])
CHECKS = sorted({name for row in workspace()[1] for name in row.failing})
TERM_OF: dict[str, st.SearchStrategy[str]] = {
    **{key.name: words_of(key.name) for key in KEYS if key.kind is WORD},
    "scenario": named("scenario", "scenario_id", "scenario"),
    "agent": named("agent", "agent_id", "agent"),
    "persona": named("persona", "personality_id", "personality"),
    "result": some_values("result_id").map(lambda values: f"result:{','.join(values)}"),
    "id": some_values("id").map(lambda values: f"id:{','.join(values)}"),
    "dur": st.builds("dur{}{}".format, st.sampled_from([">", ">=", "<", "<="]), LENGTHS),
    "since": MOMENTS.map("since:{}".format),
    "until": MOMENTS.map("until:{}".format),
    "metric": st.sampled_from([f'metric:"{name}"' for name in CHECKS] + ["metric:~a", "metric:~zz"]),
    "note": st.sampled_from(["note:yes", "note:no", "note:~again", "note:no,late"]),
}
TERMS = st.sampled_from(sorted(TERM_OF)).flatmap(TERM_OF.__getitem__)
SIGNED = st.builds("{}{}".format, st.sampled_from(["", "", "", "-"]), TERMS)
FILTERS = st.lists(SIGNED, max_size=4).map(" ".join)
WORDS = st.lists(st.sampled_from(["a", "book", "REFUND", "9001", "17", "the", '"for a"', "clinic", "zz"]), max_size=3)
NOTES = {900_230: "late again", 900_200: "the refund", 900_101: "17"}


@given(FILTERS)
@example("outcome:failed status:completed,timeout outcome:failed,error")
@example("outcome:running status:completed")
@example("dur>=0 dur<700 since:5h -mode:text")
def test_the_server_and_the_local_filter_together_list_exactly_the_matching_runs(text: str) -> None:
    assert TERM_OF.keys() == {key.name for key in KEYS}
    wanted = parse(text).filter
    query = RunQuery(SCOPE, wanted)
    expected = passing(wanted, workspace()[1], NOTES)
    assert passing(query.rest(EPOCH), swept(query), NOTES) == expected


@given(FILTERS, WORDS)
@example("", ["refund", "late"])
@example("", ["9001", "a"])
def test_a_search_lists_all_runs_found_by_scenario_or_id_and_only_matching_runs(text: str, words: list[str]) -> None:
    query = RunQuery(SCOPE, parse(f"{text} {' '.join(words)}").filter)
    rows = workspace()[1]
    found = passing(query.rest(EPOCH), swept(query), NOTES)
    assert set(found) <= set(passing(query.filter, rows, NOTES))
    bare = [word.strip('"').casefold() for word in words]
    by_name = [row for row in rows if all(word in row.scenario.casefold() or word in str(row.id) for word in bare)]
    assert set(found) >= set(passing(parse(text).filter, by_name, NOTES))


@pytest.mark.parametrize("other", [Scope("agent", 1203), Scope("result", 50_012), SCOPE])
@given(FILTERS)
@example("agent:1201")
@example("agent:1203 result:50012 mode:text")
@example("result:50011 agent:1201 note:yes")
def test_the_scope_wins_over_a_contradicting_filter(other: Scope, text: str) -> None:
    query = RunQuery(other, parse(text).filter)
    assert query.params(EPOCH).items() >= other.params.items()
    found = passing(query.rest(EPOCH), swept(query), NOTES)
    assert found == passing(query.filter, listed(other.params), NOTES)


def test_a_built_in_view_lists_the_runs_that_its_name_describes() -> None:
    first, *others = workspace()[1]
    rows = [first._replace(outcome=Outcome("review", "review")), *others]
    wanted = {view.name: parse(view.filter) for view in BUILT_IN_VIEWS}
    shown = {name: set(passing(parsed.filter, rows, {})) for name, parsed in wanted.items()}
    assert all(shown.values())
    for name, kind in (("Errors", "error"), ("To review", "review"), ("Running", "running")):
        assert shown[name] == {row.id for row in rows if row.outcome.kind == kind}
    assert shown["Failed today"] < {row.id for row in rows if row.outcome.kind in ("failed", "error")}
    assert shown["Failed today"] < {row.id for row in rows if (row.at or 0) > EPOCH - DAY}


def test_queries_with_the_same_server_answer_share_one_stored_list() -> None:
    def key(text: str) -> str:
        return RunQuery(SCOPE, parse(text).filter).key

    assert key("mode:text note:yes metric:~a") == key("mode:text -refund") == key("mode:text")
    assert key("note:yes") == key("") == f"project_id={FIRST_PROJECT}"
    assert len({key(text) for text in ("", "mode:text", "mode:voice", "outcome:failed", "since:2d", "refund")}) == 6


@pytest.mark.parametrize("text", ["-status:failed", "outcome:failed", "dur>9"])
def test_a_term_for_a_field_whose_value_may_change_is_recognised(text: str) -> None:
    assert RunQuery(SCOPE, parse(text).filter).has_changing_terms
    assert not RunQuery(SCOPE, parse("since:2d mode:text").filter).has_changing_terms
    assert not RunQuery(SCOPE, Filter()).has_changing_terms


def test_runs_with_notes_are_requested_by_id_and_stored_as_a_separate_list() -> None:
    wanted = parse("note:yes outcome:passed").filter
    named = RunQuery(SCOPE, wanted, (9, 5))
    assert named.params(0.0)["id__in"] == "9,5"
    assert named.key != RunQuery(SCOPE, wanted).key != RunQuery(SCOPE, wanted, (9,)).key
    assert str(named.rest(0.0)) == "note:yes outcome:passed"
    assert RunQuery(SCOPE, wanted, ()).params(0.0)["id__in"] == "0"
    assert "id__in" not in RunQuery(SCOPE, wanted, tuple(range(101))).params(0.0)
    assert RunQuery(SCOPE, parse("id:7 note:yes").filter, (9, 5)).params(0.0)["id__in"] == "7"
