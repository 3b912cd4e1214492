"""Rows of the run list, cached or loaded, with their counts and notes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.columns import Sort
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.paging import ListPage, PagedRuns
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope
from cekura_tui.store.runs import CachedRuns
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.ui.runs.outcomes import OUTCOMES, next_outcome, only_failures, toggle_outcome
from cekura_tui.workspace.run_sweep import RunLoad

NOON = 1_787_054_400.0
SCOPE = Scope("project", 1)


def row(number: int, kind: Any = "failed", ago: float = 60.0, status: str = "completed") -> RunRow:
    return RunRow(number, "Refund", "Calm", 7, "Bank", Outcome(kind, kind), "01:00", NOON - ago, status)


def feed_of(*rows: RunRow, count: int | None = None) -> Any:
    page = ListPage(len(rows) if count is None else count, rows, more=count is not None, at=NOON)
    return SimpleNamespace(
        runs=PagedRuns(page, NOON) if rows else None,
        loading_all=False,
        sweep=None,
        total=count,
        got_at=NOON,
        attempts=SimpleNamespace(error=None, busy_until=None),
        live=True,
    )


def test_cached_list_of_the_last_minutes_drops_runs_that_became_too_old() -> None:
    kept = CachedRuns(2, (row(2, ago=60), row(1, ago=590)), NOON)
    for later, ids in ((0, [2, 1]), (20, [2])):
        listing = RunListing(SCOPE, kept, "since:10m", clock=lambda: NOON + later)  # noqa: B023 - called at once
        listing.feed = feed_of()
        assert [shown.id for shown in listing.rows] == ids


def test_a_list_that_was_never_loaded_shows_the_cached_runs_that_match() -> None:
    known = (row(3), row(2, "passed"), row(1, "error"))
    listing = RunListing(SCOPE, None, "outcome:failed,error", clock=lambda: NOON, known=known)
    listing.feed = feed_of()
    assert [shown.id for shown in listing.rows] == [3, 1]
    counted = listing.outcomes()
    assert (counted.runs, counted.loaded, counted.active) == ("2 of 3 runs", "", {"failed", "error"})
    assert dict(counted.counts) == {"failed": 1, "error": 1}
    assert listing.filter_notes() == ("from 3 cached runs",)
    assert not listing.all_loaded


def test_runs_that_no_longer_match_stay_and_are_counted_separately() -> None:
    listing = RunListing(SCOPE, None, "status:running,in_queue", clock=lambda: NOON)
    feed = feed_of(row(2, "running", status="running"), row(1, "running", status="in_queue"))
    listing.feed = feed
    assert listing.outcomes().runs == "2 runs"
    assert dict(listing.outcomes().counts) == {**dict.fromkeys(OUTCOMES, 0), "running": 2}
    feed.runs.change([row(1, "passed")])
    assert [shown.id for shown in listing.rows if isinstance(shown, RunRow)] == [2, 1]
    counted = listing.outcomes()
    assert (counted.runs, counted.outdated) == ("2 runs", 1)
    assert dict(counted.counts) == {**dict.fromkeys(OUTCOMES, 0), "running": 1, "passed": 1}


def test_partly_loaded_list_shows_its_total_and_how_many_runs_are_counted() -> None:
    feed = feed_of(*(row(number) for number in range(300, 200, -1)), count=81_233)
    listing = RunListing(SCOPE, None, clock=lambda: NOON)
    listing.feed = feed
    counted = listing.outcomes()
    assert (counted.runs, counted.loaded, dict(counted.counts)["failed"]) == ("81,233 runs", "of 100 loaded", 100)
    feed.loading_all = True
    assert listing.filter_notes()[::2] == ("loading: 100 of 81,233 runs · F stop", "loading · F stop")
    feed.loading_all, listing.filter = False, parse("persona:~calm").filter
    assert listing.filter_notes()[0] == "persona: 100 of 81,233 runs loaded · F load all"
    assert (listing.outcomes().runs, listing.outcomes().loaded) == ("100 of 81,233 runs", "")


def test_a_changed_run_keeps_its_place_until_the_list_is_sorted_again() -> None:
    listing = RunListing(SCOPE, None, clock=lambda: NOON)
    listing.feed = feed = feed_of(row(3), row(2), row(1))
    listing.sort_by(Sort("outcome"))
    assert len(listing.rows) == 3
    feed.runs.change([row(1)._replace(failing=("Greeting",), whole=True)])
    assert [(shown.id, shown.whole) for shown in listing.rows] == [(3, False), (2, False), (1, True)]  # type: ignore[union-attr]
    checks = RunLoad(Any, listing.loaded_rows, lambda row: row.lacks_checks)  # type: ignore[arg-type] # never called
    assert listing.checks_notes(checks)[0] == "checks known for 1 of 3 failed · F load the rest"
    listing.sort_again()
    assert [shown.id for shown in listing.rows] == [1, 3, 2]  # type: ignore[union-attr]


def test_sorted_by_note_the_runs_with_a_note_come_first_from_a_to_z() -> None:
    listing = RunListing(SCOPE, None, notes={1: "Rude", 2: "late"})
    listing.feed = feed_of(row(3), row(2), row(1))
    listing.sort_by(Sort("note"))
    assert [one.id for one in listing.rows] == [2, 1, 3]


@pytest.mark.parametrize(
    ("text", "kind", "listed"),
    [
        ("agent:~bank", "error", "agent:~bank outcome:error"),
        ("outcome:error agent:~bank", "error", "agent:~bank"),
        ("outcome:failed,error", "error", "outcome:error"),
        ("-outcome:error outcome:passed", "error", "outcome:error"),
        ("outcome:failed,error x", None, "x"),
    ],
)
def test_choosing_an_outcome_lists_its_runs_and_a_second_choice_lists_all_runs(
    text: str, kind: Any, listed: str
) -> None:
    assert str(toggle_outcome(parse(text).filter, kind)) == listed


def test_next_outcome_cycles_through_all_outcomes_in_both_directions() -> None:
    for step in (1, -1):
        wanted, seen = parse("x").filter, []
        for _ in range(len(OUTCOMES) + 1):
            wanted = next_outcome(wanted, step)
            seen.append(str(wanted).removeprefix("x outcome:"))
        assert seen == [*OUTCOMES[::step], "x"]


def test_toggling_failures_twice_restores_the_previous_filter() -> None:
    listing = RunListing(SCOPE, None, "outcome:error,failed agent:~bank", clock=lambda: NOON)
    assert only_failures(listing.filter)
    assert listing.toggle_failures() == parse("agent:~bank").filter
    listing = RunListing(SCOPE, None, "outcome:review -outcome:passed", clock=lambda: NOON)
    listing.filter = listing.toggle_failures()
    assert str(listing.filter) == "-outcome:passed outcome:failed,error"
    assert str(listing.toggle_failures()) == "outcome:review -outcome:passed"
