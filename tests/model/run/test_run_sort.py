"""Sorting runs by any column: the same runs have the same order, however they were listed."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_server import row

from cekura_tui.model.run.columns import SORT_CYCLE, Sort
from cekura_tui.model.run.outcome import Kind, Outcome
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
SORTS = st.builds(Sort, st.sampled_from(SORT_CYCLE), st.booleans())


def value_of(sort: Sort, run: RunRow) -> object:
    """A run's value in the sorted column; None if the run has no value."""
    return {
        "when": run.at,
        "outcome": (run.outcome.kind, run.failed_checks if run.outcome.kind == "failed" else run.outcome.text),
        "scenario": run.scenario.casefold() or None,
        "personality": run.personality.casefold() or None,
        "agent": run.agent.casefold() or None,
        "length": run.seconds,
        "run": run.id,
        "note": None,
    }[sort.column]


@given(SORTS, ROWS, st.randoms(use_true_random=False))
def test_sorting_does_not_depend_on_the_order_of_the_list(sort: Sort, rows: list[RunRow], chance: Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    ordered = sort.apply(shuffled)
    assert ordered == sort.apply(rows) == sort.apply(ordered)
    assert sorted(run.id for run in ordered) == sorted(run.id for run in rows)
    values = [value_of(sort, run) for run in ordered]
    known = [value for value in values if value is not None]
    assert values[: len(known)] == known, "runs without a value come last"
    for (before, one), (after, other) in pairwise(zip(ordered, values, strict=True)):
        assert one != other or before.id > after.id, "equal runs are newest first"
    turned = [value_of(sort, run) for run in sort.reversed().apply(rows)]
    assert [value for value in turned if value is not None] == known[::-1]


@pytest.mark.parametrize(
    ("column", "first"),
    [("when", 3), ("outcome", 2), ("scenario", 1), ("personality", 2), ("agent", 3), ("length", 1), ("run", 4)],
)
def test_each_column_sorts_the_expected_run_first(column: str, first: int) -> None:
    failed, passed = Outcome("failed", "2 checks"), Outcome("passed", "passed")
    rows = [
        row(1, 10.0, passed, scenario="Asks", personality="Calm", agent="Bo", duration="02:00"),
        row(2, 20.0, failed, scenario="books", personality="angry", agent="cy", duration="00:09"),
        row(3, 30.0, Outcome("error", "no answer"), scenario="Cancels", personality="Calm", agent="Al", duration=""),
        row(4, None, Outcome("running", "in queue"), scenario="", personality="", agent="", duration="01:59"),
    ]
    assert Sort(column).apply(rows)[0].id == first


def test_runs_with_most_failed_checks_are_first_and_unknown_numbers_follow() -> None:
    failed, checks = Outcome("failed", ""), [(1, 2, True), (2, 9, False), (3, 12, True), (4, 0, True)]
    rows = [row(n, outcome=failed, failing=("Greeting",) * count, whole=whole) for n, count, whole in checks]
    rows.append(row(5, outcome=Outcome("error", "no answer")))
    assert [run.id for run in Sort("outcome").apply(rows)] == [3, 1, 4, 2, 5]


def test_a_changed_run_keeps_its_place_and_new_runs_are_inserted_in_order() -> None:
    keys: dict[int, object] = {}
    before = [row(number, duration=f"00:{number}0") for number in (1, 2, 4)]
    assert [run.id for run in Sort("length").apply(before, keys)] == [4, 2, 1]
    now = [*before[:2], row(4, duration="00:01"), row(3, duration="00:30")]
    assert [run.id for run in Sort("length").apply(now, keys)] == [4, 3, 2, 1]
    assert [run.id for run in Sort("length").apply(now)] == [3, 2, 1, 4]


def test_the_sort_cycle_wraps_around_and_only_newest_first_needs_no_sorting() -> None:
    sort = Sort()
    for column in SORT_CYCLE:
        assert (sort.column, sort.as_listed) == (column, column == SORT_CYCLE[0])
        sort = sort.next()
    assert sort == Sort()
    assert not Sort().reversed().as_listed
