"""The state all screens share: the workspace, the jobs as last read, and the clock; redrawing jobs while visible.

Hidden screens must not redraw: Textual repaints the top screen whenever the one below it handles a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget

from cekura_tui.model.job import Job
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
    """`jobs` is replaced whole, then `jobs_changed` is published."""

    def __init__(self, owner: DOMNode, workspace: Workspace, clock: Callable[[], float] = time.time) -> None:
        self.workspace = workspace
        self.clock = clock
        self.ask: Callable[[Request], None] = lambda request: None
        """Has the app answer a request at once."""
        self.hints = Hints()
        self.problems: tuple[str, ...] = ()
        """Sentences about errors in config.toml."""
        self.end_message = ""
        """The last message about ended jobs."""
        self.jobs: tuple[Job, ...] = ()
        self.pointed_job: int | None = None
        """Where the cursor of the list of jobs goes next: a job opened elsewhere, or the last one that ended."""
        self.durations: Mapping[str, Sequence[float]] = {}
        """Seconds that this profile's last jobs of each kind took."""
        self.usual: dict[str, UsualDuration | None] = {}
        self._relaunches: tuple[tuple[Job, ...], dict[int, int]] = ((), {})
        self.jobs_changed: Signal[Any] = Signal(owner, "jobs changed")
        self.data_changed: Signal[None] = Signal(owner, "data changed")
        """Published soon after jobs changed or another process wrote to the store."""
        self.decisions: dict[int, ConflictDecisions] = {}
        """Decisions on conflicts with an agent's prompt, by the job of the staged text."""

    def put_jobs(self, jobs: Sequence[Job]) -> None:
        if self.jobs != tuple(jobs):
            self.jobs = tuple(jobs)
            self.jobs_changed.publish(self.jobs)

    def put_job(self, job: Job) -> None:
        self.put_jobs([job if known.number == job.number else known for known in self.jobs])

    def put_new(self, job: Job) -> None:
        """Put a launched job first, unless it has been read already."""
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

    def relaunch_of(self, number: int) -> int | None:
        """The number of the job that relaunches this one."""
        if self._relaunches[0] is not self.jobs:
            self._relaunches = self.jobs, {job.again_of: job.number for job in self.jobs if job.again_of is not None}
        return self._relaunches[1].get(number)

    def when(self, moment: float | None, *, seconds: bool = False) -> str:
        return "" if moment is None else clock_text(moment, self.clock(), seconds=seconds)


A_MINUTE = 60
"""Seconds of a job's age in which its elapsed time is shown by the second, later by the minute."""
LATER = 5.0
"""Seconds between two redraws of older jobs."""
AT_ONCE = 15
"""Young jobs redrawn each second at most, under a kilobyte; if there are more, they are redrawn less often."""


def tick_after(jobs: Sequence[Job], now: float) -> float | None:
    """Seconds until elapsed times are redrawn: at the clock's next second while a running job is younger than a minute;
    None if no job runs."""
    launched = [now if job.launched_at is None else job.launched_at for job in jobs if job.state.active]
    if not launched:
        return None
    if not (young := sum(int(now) - int(moment) < A_MINUTE for moment in launched)):
        return LATER
    seconds = min(1.0 + (young - 1) // AT_ONCE, LATER)
    # At least half a second, for a clock that stands still just before a whole one.
    return max(seconds + 0.01 - now % 1, 0.5)


def is_visible(screen: Screen[Any]) -> bool:
    """Whether a screen is on top, or under a dialog."""
    return screen.is_current and (screen.is_active or screen.app.screen.is_modal)


def follow_jobs(widget: Widget, state: AppState, draw: Callable[[], None]) -> None:
    """Draw when the jobs change, as their elapsed time passes, and when the mounted widget becomes visible again, but
    not while another screen covers its own."""
    timer: Timer | None = None

    def redraw(_: object = None) -> None:
        """Draw now, and again when an elapsed time changes."""
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
