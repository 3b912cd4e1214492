"""The demo's run lists have exactly the matching runs, and listing a page computes only few runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from demo_client import EPOCH, Clock, run_ids, seconds_of
from examples import COSTLY
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.demo import listing as listing_module
from cekura_tui.demo.answers import run_row
from cekura_tui.demo.corpus import FIRST_PROJECT, Arrivals, Corpus
from cekura_tui.demo.listing import CorpusListing, Invalid, read_query

RUNS = 300


def rows_of(corpus: Corpus) -> list[dict[str, Any]]:
    """The rows of all runs as the API sends rows: the first project, then the second, each newest first."""
    found = [corpus.facts(run_id) for project in (0, 1) for run_id in run_ids(corpus, project)]
    return [run_row(corpus, facts) for facts in found if facts is not None]


@cache
def still() -> tuple[Corpus, CorpusListing, list[dict[str, Any]]]:
    corpus = Corpus(RUNS, EPOCH)
    return corpus, CorpusListing(corpus), rows_of(corpus)


moment_of = datetime.fromisoformat


def fits(row: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    """Whether a row belongs in a list with these parameters, decided without the demo's own filter."""
    length = seconds_of(row)
    search = given.get("search", "")
    values = {
        **{"project_id": row["project"], "agent_id": row["agent"], "result__agent_id__in": row["agent"]},
        **{"result_id": row["result_id"], "result__id": row["result_id"], "id__in": row["id"]},
        **{"status": row["status"], "status__in": row["status"], "success": str(row.get("success")).lower()},
        **{"personality__id__in": row["personality"], "personalities": row["personality"]},
        "scenario__id__in": row["scenario"],
        "result__run_as_text": str(row["run_as_text"]).lower(),
    }
    at = moment_of(row["timestamp"])
    return (
        all(name not in given or str(value) in given[name].split(",") for name, value in values.items())
        and ("duration__gte" not in given or (length is not None and length >= float(given["duration__gte"])))
        and ("duration__lte" not in given or (length is not None and length <= float(given["duration__lte"])))
        and all(at >= moment_of(given[name]) for name in ("created_at_from", "timestamp__gte") if name in given)
        and all(at <= moment_of(given[name]) for name in ("created_at_to", "timestamp__lte") if name in given)
        and (search.casefold() in row["scenario_name"].casefold() or search in str(row["id"]))
    )


def some_of(name: str, most: int = 3) -> st.SearchStrategy[str]:
    known = sorted({str(row[name]) for row in still()[2]})
    return st.lists(st.sampled_from(known), min_size=1, max_size=most, unique=True).map(",".join)


TIMES = st.one_of(
    st.sampled_from([row["timestamp"] for row in still()[2]]),
    st.integers(int(EPOCH) - RUNS * 1_500, int(EPOCH)).map(
        lambda at: datetime.fromtimestamp(at).astimezone().isoformat()
    ),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status__in": some_of("status", 5),
        "status": some_of("status", 1),
        "success": st.sampled_from(["true", "false"]),
        "duration__gte": st.integers(0, 200).map(str),
        "duration__lte": st.integers(0, 700).map(str),
        "created_at_from": TIMES,
        "created_at_to": TIMES,
        "timestamp__gte": TIMES,
        "timestamp__lte": TIMES,
        "scenario__id__in": some_of("scenario"),
        "personality__id__in": some_of("personality"),
        "id__in": some_of("id", 20),
        "result__id": some_of("result_id", 1),
        "result__run_as_text": st.sampled_from(["true", "false"]),
        "personalities": some_of("personality"),
        "result__agent_id__in": some_of("agent", 4),
        "search": st.sampled_from(["a", "BOOK", "refund", "9001", "17", "no such thing"]),
    },
)
SCOPES = st.one_of(
    some_of("project", 1).map(lambda text: {"project_id": text}),
    some_of("agent", 1).map(lambda text: {"agent_id": text}),
    some_of("result_id", 1).map(lambda text: {"result_id": text}),
    st.fixed_dictionaries({"project_id": some_of("project", 1), "agent_id": some_of("agent", 1)}),
    st.sampled_from([{"project_id": "7"}, {"agent_id": "7"}, {"result_id": "7"}]),
)


@given(SCOPES, FILTERS)
def test_a_list_has_exactly_the_rows_that_match_its_parameters(scope: dict[str, str], filters: dict[str, str]) -> None:
    _, listing, rows = still()
    asked = {**scope, **filters}
    found = listing.find(read_query(asked))
    expected = [row["id"] for row in rows if fits(row, asked)]
    assert list(found) == expected
    for start in (0, 1, len(expected) // 2, len(expected)):
        assert list(found[start : start + 7]) == expected[start : start + 7]


MOVES = st.lists(st.tuples(st.floats(0.1, 400.0), FILTERS), min_size=1, max_size=6)


@COSTLY
@given(MOVES, st.sampled_from([0.7, 5.0, 60.0]))
def test_lists_are_correct_while_runs_start_and_end(moves: list[tuple[float, dict[str, str]]], every: float) -> None:
    clock = Clock()
    corpus = Corpus(50, EPOCH, arrivals=Arrivals(EPOCH, every, clock))
    listing = CorpusListing(corpus)
    asked_before: list[dict[str, str]] = []
    for step, filters in moves:
        clock.now += step
        rows = rows_of(corpus)
        asked_before.append({"project_id": str(FIRST_PROJECT), **filters})
        for asked in asked_before:
            assert list(listing.find(read_query(asked))) == [row["id"] for row in rows if fits(row, asked)]


@pytest.mark.parametrize("runs", [100_000, 1_000_000])
def test_listing_a_page_computes_fewer_than_100_runs(monkeypatch: pytest.MonkeyPatch, runs: int) -> None:
    looked_at: list[int] = []
    for name in ("at", "facts"):
        real = getattr(Corpus, name)

        def counted(*args: Any, real: Callable[..., Any] = real) -> Any:
            looked_at.append(args[-1])
            return real(*args)

        monkeypatch.setattr(Corpus, name, counted)
    large = Corpus(runs, EPOCH)
    listing = CorpusListing(large)
    middle = datetime.fromtimestamp(EPOCH - runs * 750).astimezone().isoformat()
    found = listing.find(read_query({"project_id": str(FIRST_PROJECT), "created_at_to": middle}))
    assert 0.4 * runs < len(found) < 0.6 * runs
    assert len(found[len(found) // 2 :][:100]) == 100 if runs < 200_000 else found[len(found) // 2] > 0
    few = {"project_id": str(FIRST_PROJECT), "id__in": "900001,950000,999999,800001", "created_at_to": middle}
    assert listing.find(read_query(few)) == [run_id for run_id in (999_999, 950_000, 900_001) if run_id in found]
    assert len(looked_at) < 100


def test_a_repeated_filter_is_answered_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = CorpusListing(Corpus(RUNS, EPOCH))
    asked = {"project_id": str(FIRST_PROJECT), "success": "false", "duration__gte": "20", "search": "a"}
    found = list(listing.find(read_query(asked)))
    for name in ("end", "script", "final_seconds", "facts"):
        monkeypatch.setattr(Corpus, name, None)
    assert list(listing.find(read_query(asked))) == found
    # A list until another time is a slice of the same cached list.
    pinned = listing.find(read_query({**asked, "created_at_to": still()[2][100]["timestamp"]}))
    assert 0 < len(pinned) < len(found)
    assert list(pinned) == found[-len(pinned) :]


def test_the_cache_of_filters_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_module, "MAX_CACHED_IDS", 500)
    listing = CorpusListing(Corpus(RUNS, EPOCH))
    for shortest in range(40):
        listing.find(read_query({"project_id": str(FIRST_PROJECT), "duration__gte": str(shortest)}))
    kept = [len(one.ids) for one in listing._lists.values()]
    assert 0 < sum(kept) <= 500


def test_two_different_results_share_no_run() -> None:
    _, listing, _ = still()
    assert listing.find(read_query({"result_id": "50001", "result__id": "50002"})) == []
    assert len(listing.find(read_query({"result_id": "50001", "result__id": "50001"}))) == 6


def test_the_error_about_a_wrong_parameter_names_the_parameter() -> None:
    wrong = {
        **{"status__in": "completed,gone", "created_at_to": "yesterday", "id__in": "1,two", "duration__gte": "long"},
        **{"agent_id": "me", "success": "maybe", "duration__lte": "nan", "personalities": "Calm", "metrics": "9101"},
        **{"created_at_range": "today", "status": "gone"},
    }
    for name, value in wrong.items():
        with pytest.raises(Invalid) as refused:
            read_query({"project_id": "1", "status__in": "completed", name: value})
        assert refused.value.errors.keys() == {name}
