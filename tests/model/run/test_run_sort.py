"""Runs in another order: by any column, always the same one for the same runs, however they were listed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_server import row

from cekura_tui.model.run.outcome import Kind, Outcome
from cekura_tui.model.run.query import COLUMNS, Sort
from cekura_tui.model.run.view import RunRow

KINDS: list[Kind] = ["passed", "failed", "error", "running", "review", "unknown"]
NAMES = st.sampled_from(["", "Refund", "refund", "Books a table", "Ärger", "straße", "STRASSE"])
ROWS = st.lists(
    st.builds(
        row,
        st.integers(1, 10**6),
        at=st.none() | st.floats(0, 2e9),
        outcome=st.builds(Outcome, st.sampled_from(KINDS), st.sampled_from(["", "2 checks", "no answer"])),
        scenario=NAMES,
        personality=NAMES,
        agent=NAMES,
        failing=st.lists(st.just("Greeting"), max_size=2).map(tuple),
        whole=st.booleans(),
        duration=st.sampled_from(["", "?", "00:10", "01:00", "1:00", "1:00:00", "59:59"]),
    ),
    max_size=12,
    unique_by=lambda run: run.id,
)
SORTS = st.builds(Sort, st.sampled_from(COLUMNS), st.booleans())


def value_of(sort: Sort, run: RunRow) -> object:
    """What a run has in a column; None where it has nothing."""
    return {
        "when": run.at,
        "outcome": (run.outcome.kind, run.failed_checks if run.outcome.kind == "failed" else run.outcome.text),
        "scenario": run.scenario.casefold() or None,
        "personality": run.personality.casefold() or None,
        "agent": run.agent.casefold() or None,
        "length": run.seconds,
        "run": run.id,
    }[sort.column]


@given(SORTS, ROWS, st.randoms(use_true_random=False))
def test_the_same_runs_are_in_the_same_order_however_they_were_listed(sort: Sort, rows: list[RunRow], chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(rows)
    chance.shuffle(shuffled)
    ordered = sort.apply(shuffled)
    assert ordered == sort.apply(rows) == sort.apply(ordered)
    assert sorted(run.id for run in ordered) == sorted(run.id for run in rows)


@given(SORTS, ROWS)
def test_runs_that_have_nothing_in_the_column_come_last_whichever_way_it_is_sorted(
    sort: Sort, rows: list[RunRow]
) -> None:
    missing = [value_of(sort, run) is None for run in sort.apply(rows)]
    assert missing == sorted(missing)


@given(SORTS, ROWS)
def test_equal_runs_are_newest_first_in_either_sort_direction(sort: Sort, rows: list[RunRow]) -> None:
    for before, after in pairwise(sort.apply(rows)):
        assert value_of(sort, before) != value_of(sort, after) or before.id > after.id


@given(st.sampled_from(COLUMNS), ROWS)
def test_turning_the_order_turns_what_the_runs_have_in_the_column(column: str, rows: list[RunRow]) -> None:
    def values(sort: Sort) -> list[object]:
        found = [value_of(sort, run) for run in sort.apply(rows)]
        return [value for value in found if value is not None]

    assert values(Sort(column).turned()) == values(Sort(column))[::-1]


@pytest.mark.parametrize(
    ("column", "first"),
    [("when", 3), ("outcome", 2), ("scenario", 1), ("personality", 2), ("agent", 3), ("length", 1), ("run", 4)],
)
def test_what_is_looked_for_most_comes_first(column: str, first: int) -> None:
    failed, passed = Outcome("failed", "2 checks"), Outcome("passed", "passed")
    rows = [
        row(1, 10.0, passed, scenario="Asks", personality="Calm", agent="Bo", duration="02:00"),
        row(2, 20.0, failed, scenario="books", personality="angry", agent="cy", duration="00:09"),
        row(3, 30.0, Outcome("error", "no answer"), scenario="Cancels", personality="Calm", agent="Al", duration=""),
        row(4, None, Outcome("running", "in queue"), scenario="", personality="", agent="", duration="01:59"),
    ]
    assert Sort(column).apply(rows)[0].id == first


def test_by_outcome_the_most_failed_checks_come_first_and_unknown_numbers_after_them() -> None:
    def failed(number: int, checks: int, *, whole: bool) -> RunRow:
        return row(number, outcome=Outcome("failed", ""), failing=("Greeting",) * checks, whole=whole)

    rows = [
        failed(1, 2, whole=True),
        failed(2, 9, whole=False),
        failed(3, 12, whole=True),
        failed(4, 0, whole=True),
        row(5, outcome=Outcome("error", "no answer")),
    ]
    assert [run.id for run in Sort("outcome").apply(rows)] == [3, 1, 4, 2, 5]


def test_a_run_that_changes_stays_in_its_place_and_others_come_into_theirs() -> None:
    keys: dict[int, object] = {}
    before = [row(number, duration=f"00:{number}0") for number in (1, 2, 4)]
    assert [run.id for run in Sort("length").apply(before, keys)] == [4, 2, 1]
    now = [*before[:2], row(4, duration="00:01"), row(3, duration="00:30")]
    assert [run.id for run in Sort("length").apply(now, keys)] == [4, 3, 2, 1]
    assert [run.id for run in Sort("length").apply(now)] == [3, 2, 1, 4]


def test_the_columns_come_round_and_only_the_newest_first_needs_no_sorting() -> None:
    sort, seen = Sort(), []
    for _ in COLUMNS:
        seen.append(sort.column)
        sort = sort.next()
    assert (tuple(seen), sort) == (COLUMNS, Sort())
    assert [Sort(column).as_listed for column in COLUMNS] == [True] + [False] * (len(COLUMNS) - 1)
    assert not Sort().turned().as_listed
