"""State that all screens share, such as the jobs last read; `follow_jobs` redraws jobs while a widget is visible.
Hidden screens must not redraw, because Textual repaints the top screen whenever the screen below handles a message."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget

from cekura_tui.model.job import Job
from cekura_tui.model.scenario_test import KIND_NAME
from cekura_tui.model.text import clock_text
from cekura_tui.ui.hints import Hints
from cekura_tui.ui.messages import Request

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.timer import Timer

    from cekura_tui.model.job_durations import UsualDuration
    from cekura_tui.prose.conflicts import ConflictDecisions
    from cekura_tui.workspace.workspace import Workspace


class AppState:
    """State that all screens share. A change of the jobs replaces `jobs` as a whole, then publishes `jobs_changed`."""

    def __init__(self, owner: DOMNode, workspace: Workspace, clock: Callable[[], float] = time.time) -> None:
        self.workspace = workspace
        self.clock = clock
        self.ask: Callable[[Request], None] = lambda request: None
        """Sends a request to the app, which answers the request at once."""
        self.mark_read: Callable[[Job], None] = lambda job: None
        """Marks an ended job as read: in the state at once, then in the store."""
        self.notes: Callable[[], Mapping[int, str]] = dict
        """Returns the user's notes by run id."""
        self.hints = Hints()
        self.problems: tuple[str, ...] = ()
        """Sentences about errors in config.toml."""
        self.end_message = self.not_saved = ""
        """The texts of the last toast about ended jobs, and of the toast about input that is not saved yet."""
        self.jobs: tuple[Job, ...] = ()
        self.pointed_job: int | None = None
        """Number of the job to put the job list's cursor on: a job opened elsewhere, or the job that ended last. None
        leaves the cursor where it is."""
        self.durations: Mapping[str, Sequence[float]] = {}
        """Seconds that this profile's last jobs took, by kind of job."""
        self.usual: dict[str, UsualDuration | None] = {}
        self._relaunches: tuple[tuple[Job, ...], dict[int, int]] = ((), {})
        self.jobs_changed: Signal[Any] = Signal(owner, "jobs changed")
        self.data_changed: Signal[None] = Signal(owner, "data changed")
        """Published soon after jobs changed or another process wrote to the store."""
        self.decisions: dict[int, ConflictDecisions] = {}
        """Decisions on conflicts with an agent's prompt, by the number of the job whose text is staged."""

    def put_jobs(self, jobs: Sequence[Job]) -> None:
        if self.jobs != tuple(jobs):
            self.jobs = tuple(jobs)
            self.jobs_changed.publish(self.jobs)

    def put_job(self, job: Job) -> None:
        self.put_jobs([job if known.number == job.number else known for known in self.jobs])

    def put_new(self, job: Job) -> None:
        """Add a launched job at the top, unless `jobs` has the job already."""
        if self.job(job.number) is None:
            self.put_jobs([job, *self.jobs])

    def put_durations(self, durations: Mapping[str, Sequence[float]]) -> None:
        if self.durations != durations:
            self.durations = durations
            from cekura_tui.model.job_durations import usual_duration

            self.usual = {kind: usual_duration(took) for kind, took in durations.items()}
            self.jobs_changed.publish(self.jobs)

    def job(self, number: object) -> Job | None:
        return next((job for job in self.jobs if job.number == number), None)

    def tests_of(self, number: int) -> list[Job]:
        """The tests of job `number`'s suggestion, newest first."""
        return [job for job in self.jobs if job.kind == KIND_NAME and job.parameters.get("job") == number]

    def relaunch_of(self, number: int) -> int | None:
        """Number of the job that relaunched job `number`; None if there is no relaunch."""
        if self._relaunches[0] is not self.jobs:
            self._relaunches = self.jobs, {job.again_of: job.number for job in self.jobs if job.again_of is not None}
        return self._relaunches[1].get(number)

    def when(self, moment: float | None, *, seconds: bool = False) -> str:
        return "" if moment is None else clock_text(moment, self.clock(), seconds=seconds)


SLOW_REDRAW = 5.0
"""Seconds between two redraws of jobs that are older than a minute, whose elapsed time is shown in minutes."""
FAST_REDRAWS = 15
"""Maximum number of young jobs that are redrawn every second; each second then sends less than a kilobyte to the
terminal. If there are more young jobs, all of them are redrawn less often."""


def tick_after(jobs: Sequence[Job], now: float) -> float | None:
    """Seconds until elapsed times must be redrawn: about 1 for a few young jobs, else up to 5; None if no job runs."""
    launched = [now if job.launched_at is None else job.launched_at for job in jobs if job.state.active]
    if not launched:
        return None
    if not (young := sum(int(now) - int(moment) < 60 for moment in launched)):
        return SLOW_REDRAW
    seconds = min(1.0 + (young - 1) // FAST_REDRAWS, SLOW_REDRAW)
    # At least half a second, in case the clock is frozen just before a full second.
    return max(seconds + 0.01 - now % 1, 0.5)


def is_visible(screen: Screen[Any]) -> bool:
    """Whether a screen is on top, or covered only by a dialog."""
    return screen.is_current and (screen.is_active or screen.app.screen.is_modal)


def follow_jobs(widget: Widget, state: AppState, draw: Callable[[], None]) -> None:
    """Call `draw` when the widget becomes visible and, while it is visible, when jobs or their elapsed times change."""
    timer: Timer | None = None

    def redraw(_: object = None) -> None:
        nonlocal timer
        if timer is not None:
            timer.stop()
        draw()
        wait = tick_after(state.jobs, state.clock())
        timer = None if wait is None else widget.set_timer(wait, redraw)

    def check_visibility(_: object = None) -> None:
        state.jobs_changed.unsubscribe(widget)
        if is_visible(widget.screen):
            state.jobs_changed.subscribe(widget, redraw)
            redraw()
        elif timer is not None:
            timer.stop()

    widget.app.screen_change_signal.subscribe(widget, check_visibility)
    check_visibility()
