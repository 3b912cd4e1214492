"""What the run list shows and says of its rows: kept, loaded, picked here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.listing import PagedRuns, RunPage
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope
from cekura_tui.store.runs import SeenRuns
from cekura_tui.ui.runs.controller import RunListing

NOON = 1_787_054_400.0
SCOPE = Scope("project", 1)


def row(number: int, kind: Any = "failed", ago: float = 60.0, status: str = "completed") -> RunRow:
    return RunRow(number, "Refund", "Calm", 7, "Bank", Outcome(kind, kind), "01:00", NOON - ago, status)


def feed_of(*rows: RunRow, count: int | None = None) -> Any:
    page = RunPage(1, len(rows) if count is None else count, rows, more=count is not None, at=NOON)
    return SimpleNamespace(
        runs=PagedRuns(page, NOON),
        loading_all=False,
        sweep=None,
        total=count,
        got_at=NOON,
        attempts=SimpleNamespace(error=None, busy_until=None),
        live=True,
    )


def test_a_kept_list_of_the_last_minutes_shows_none_that_are_older_by_now() -> None:
    now = NOON
    kept = SeenRuns(2, (row(2, ago=60), row(1, ago=590)), NOON)
    listing = RunListing(SCOPE, kept, "since:10m", clock=lambda: now)
    assert [shown.id for shown in listing.rows] == [2, 1]
    now = NOON + 20
    listing = RunListing(SCOPE, kept, "since:10m", clock=lambda: now)
    assert [shown.id for shown in listing.rows] == [2]


def test_what_is_known_of_a_list_that_was_never_seen_is_picked_by_all_of_the_filter_and_said_to_be_kept() -> None:
    known = (row(3), row(2, "passed"), row(1, "error"))
    listing = RunListing(SCOPE, None, "outcome:failed,error", clock=lambda: NOON, known=known)
    assert [shown.id for shown in listing.rows] == [3, 1]
    assert listing.counts() == "2 of 3 runs · 1 failed · 1 error"
    assert listing.filter_notes() == ("on the 3 kept here",)
    assert not listing.whole


def test_runs_that_came_to_another_state_stay_and_are_counted_apart() -> None:
    listing = RunListing(SCOPE, None, "status:running,in_queue", clock=lambda: NOON)
    feed = feed_of(row(2, "running", status="running"), row(1, "running", status="in_queue"))
    listing.attach(feed)
    assert listing.counts() == "2 runs · 0 failed · 0 errors"
    feed.runs.change([row(1, "passed")])
    assert [shown.id for shown in listing.rows if isinstance(shown, RunRow)] == [2, 1]
    assert listing.counts() == "2 runs · 0 failed · 0 errors · 1 changed since, r reads anew"


def test_the_note_counts_what_is_loaded_and_tells_the_key() -> None:
    listing = RunListing(SCOPE, None, "persona:~calm", clock=lambda: NOON)
    listing.attach(feed_of(*(row(number) for number in range(300, 200, -1)), count=81_233))
    assert listing.filter_notes()[0] == "persona: on 100 of 81,233 loaded — F loads on"
    assert listing.counts() == "100 of 81,233 runs · 100 failed · 0 errors"


def test_failures_are_told_by_their_words_in_any_order() -> None:
    listing = RunListing(SCOPE, None, "outcome:error,failed agent:~bank", clock=lambda: NOON)
    assert listing.failures
    assert listing.toggle_failures() == parse("agent:~bank").filter
