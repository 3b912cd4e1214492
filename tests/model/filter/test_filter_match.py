"""The runs that a filter shows: for each key alone, for negated keys, and for several keys together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.filter.match import Matcher, noted_ids, undecided_test
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow

NOW = 1_787_061_600.0
HOUR = 3_600
ROW = RunRow(
    *(48213, "Late refund", "In a hurry", 7, "Clinic desk", Outcome("failed", "2 checks"), "02:05", NOW - HOUR),
    status="completed",
    scenario_id=71,
    personality_id=5,
    result_id=991,
    as_text=False,
    reviewed=True,
    failing=("Task completion", "Tone, politeness"),
)
BARE = RunRow(1, "", "", None, "", Outcome("unknown", "no verdict"), "", None)
NOTES = {48213: "Straße gesperrt, ask Zoë"}


def shows(text: str, row: RunRow = ROW, notes: dict[int, str] | None = None) -> bool:
    parsed = parse(text)
    assert parsed.problems == ()
    return Matcher(parsed.filter, now=NOW, notes=NOTES if notes is None else notes)(row)


@pytest.mark.parametrize(
    "term",
    [
        *("status:completed", "status:failed,completed", "outcome:failed", "outcome:passed|failed"),
        *('scenario:"late REFUND"', "scenario:~fund", "scenario:71", 'scenario:8,"Late refund"', "scenario:8,~late"),
        *("agent:7", "agent:~clinic", 'agent:"Clinic desk"', "persona:5", "persona:~HURRY", "result:991"),
        *("result:4,991", "id:48213", "id:1,48213", "dur>124", "dur>=125", "dur<126", "dur<=2:05", "dur>2m"),
        *("since:1h", "since:2d", "until:1h", "until:30m", 'metric:"task completion"', "metric:~politeness"),
        *('metric:x,"Tone, politeness"', "reviewed:yes", "reviewed:yes,no", "mode:voice", "note:yes", "note:~zoë"),
        *("note:strasse", "note:no,gesperrt", "refund", "LATE", '"late refund"', "hurry", "clinic", "8213", "2"),
        *('"2 checks"', "completed", "politeness", "gesperrt", "STRASSE"),
    ],
)
def test_a_run_is_shown_by_a_matching_term_and_hidden_by_the_negated_term(term: str) -> None:
    assert shows(term)
    assert not shows(f"-{term}")
    assert not shows(f"!{term}")


@pytest.mark.parametrize(
    "term",
    [
        *("status:failed", "outcome:error,review,passed,running,unknown", "scenario:late", 'scenario:"Late refund "'),
        *("scenario:~Refund-", "scenario:7", "agent:71", "agent:Clinic", "persona:7", "persona:In", "result:99"),
        *("id:4821", "dur>125", "dur>=126", "dur<125", "dur<=124", "since:59m", "until:61m", "until:2d"),
        *("metric:Task", 'metric:~"completion tone"', "reviewed:no", "mode:text", "note:no", 'note:"yes"'),
        *("note:~refund", "refundin", '"refund in"', "angry", "991"),
    ],
)
def test_a_run_is_hidden_by_a_term_that_does_not_match_and_shown_by_the_negated_term(term: str) -> None:
    assert not shows(term)
    assert shows(f"-{term}")
    assert not shows(f"outcome:failed {term} mode:voice refund")


@pytest.mark.parametrize(
    "term",
    [
        *("status:completed", "scenario:~a", "scenario:71", "agent:7", "persona:~a", "result:991", "dur<9h", "dur>=0"),
        *("since:99w", "until:today", "metric:~a", "reviewed:yes", "mode:text", "mode:voice", "note:yes", "note:~a"),
        "a0",
    ],
)
def test_a_run_without_a_field_matches_only_negated_terms_for_this_field(term: str) -> None:
    assert not shows(term, BARE)
    assert shows(f"-{term}", BARE)


def test_all_terms_must_match_and_an_empty_filter_shows_every_run() -> None:
    assert shows("")
    assert shows("", BARE)
    assert shows('outcome:failed scenario:~refund dur>1m since:2d metric:~task -mode:text refund -"in time"')
    for one in ("outcome:passed", "-scenario:~refund", "dur<1m", "until:2d", "note:no", "angry", "-refund"):
        assert not shows(f"outcome:failed {one} mode:voice refund")


@pytest.mark.parametrize(
    ("duration", "term", "shown"),
    [
        *(("00:00", "dur<1", True), ("00:00", "dur<0", False), ("00:00", "dur>=0", True), ("soon", "dur>=0", False)),
        *(("1:02:30", "dur>=1h2m30s", True), ("1:02:30", "dur>1:02:30", False), ("٠١:٠٠", "dur>=0", False)),
    ],
)
def test_durations_in_every_notation_are_compared_in_seconds(duration: str, term: str, shown: bool) -> None:
    assert shows(term, ROW._replace(duration=duration)) is shown


def test_a_note_written_after_the_filter_was_made_is_matched_at_once() -> None:
    notes: dict[int, str] = {}
    matchers = [Matcher(parse(text).filter, now=NOW, notes=notes) for text in ("note:~late", "tomorrow")]
    assert [matches(ROW) for matches in matchers] == [False, False]
    notes[ROW.id] = "too late, tomorrow again"
    assert [matches(ROW) for matches in matchers] == [True, True]
    assert [matches(ROW._replace(id=2)) for matches in matchers] == [False, False]


TERMS = [
    *("outcome:failed", "outcome:passed,error", "scenario:~refund", "agent:7,8", "dur>60", "since:90m", "metric:~a"),
    *("reviewed:no", "mode:text", "note:yes", "refund", "4"),
]
ROWS = st.builds(
    ROW._replace,
    id=st.integers(0, 50),
    scenario=st.sampled_from(["Late refund", "Allergy", ""]),
    agent_id=st.none() | st.integers(6, 9),
    outcome=st.sampled_from([Outcome("failed", "1 check"), Outcome("passed", "passed"), Outcome("error", "busy")]),
    duration=st.sampled_from(["", "00:59", "01:01"]),
    at=st.none() | st.floats(NOW - 3 * HOUR, NOW),
    as_text=st.none() | st.booleans(),
    reviewed=st.booleans(),
    failing=st.lists(st.sampled_from(["Tone", "Task"]), max_size=2).map(tuple),
)


@given(ROWS, st.lists(st.sampled_from(TERMS), max_size=4), st.lists(st.sampled_from(TERMS), max_size=3))
def test_a_filter_shows_a_run_exactly_if_each_term_alone_shows_the_run(
    row: RunRow, held: list[str], denied: list[str]
) -> None:
    notes = {4: "call back", 8: "refund"}
    whole = " ".join([*held, *(f"-{term}" for term in denied)])
    each = [shows(term, row, notes) for term in held] + [not shows(term, row, notes) for term in denied]
    assert shows(whole, row, notes) is all(each)


VALUES = {
    "outcome": ["failed", "passed", "error"],
    "scenario": ["~late", "Allergy", "71"],
    "agent": ["7", "~clinic", "9"],
    "id": ["4", "8", "15"],
    "metric": ["Tone", "~a", "Speed"],
}


@given(ROWS, st.sampled_from(sorted(VALUES)), st.data())
def test_a_term_with_several_values_shows_a_run_if_any_of_the_values_does(
    row: RunRow, key: str, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.sampled_from(VALUES[key]), min_size=1))
    assert shows(f"{key}:{','.join(values)}", row) is any(shows(f"{key}:{value}", row) for value in values)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("note:yes", (9, 7, 5)),
        ("note:~refund", (9, 5)),
        ("note:~refund note:~late", (9,)),
        ("note:yes -note:~late", (9, 7, 5)),
        ("note:~nowhere", ()),
        ("note:no", None),
        ("note:no,yes", None),
        ("-note:yes", None),
        ("refund", None),
    ],
)
def test_a_filter_by_notes_is_resolved_to_the_ids_of_matching_runs(text: str, ids: tuple[int, ...] | None) -> None:
    notes = {5: "Refund", 9: "a late refund", 7: "rude"}
    assert noted_ids(parse(text).filter, notes) == ids


def test_only_a_failed_run_that_passes_all_other_terms_has_to_be_read_whole() -> None:
    part = ROW._replace(whole=False, failing=("Tone",))
    for text, undecided in (("metric:x", True), ("-metric:x", True), ("metric:tone", False), ("metric:x id:1", False)):
        tests = undecided_test(parse(text).filter, NOW, {})
        assert (tests(part), tests(part._replace(whole=True))) == (undecided, False)
    passed = part._replace(outcome=Outcome("passed", "passed"))
    assert not undecided_test(parse("metric:x").filter, NOW, {})(passed)
