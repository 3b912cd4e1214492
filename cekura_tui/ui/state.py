"""What all screens share: the workspace, the jobs as last read, and the clock; following the jobs while visible.

Textual repaints the whole screen on top whenever the one right below it handles a message, seen or not: with jobs that
change every second that would never end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget

from cekura_tui.model.job import Job, Usual, usual
from cekura_tui.model.text import clock_text
from cekura_tui.ui.hints import Hints
from cekura_tui.ui.messages import Request

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from cekura_tui.prose.conflicts import ConflictDecisions
    from cekura_tui.workspace.workspace import Workspace


def _nobody(request: Request) -> None:
    """There is no app that could answer, as in a test of one screen."""


class AppState:
    """Handed to every screen. `jobs` is replaced whole, then `jobs_changed` is published."""

    def __init__(self, owner: DOMNode, workspace: Workspace, clock: Callable[[], float] = time.time) -> None:
        self.workspace = workspace
        self.clock = clock
        self.away: Callable[[], bool] = lambda: False
        """Whether nobody is at the terminal."""
        self.ask: Callable[[Request], None] = _nobody
        """Has the app do something, at once."""
        self.hints = Hints()
        self.jobs: tuple[Job, ...] = ()
        self.durations: Mapping[str, Sequence[float]] = {}
        """How many seconds this profile's last jobs of each kind took."""
        self.usual: dict[str, Usual | None] = {}
        self._relaunches: tuple[tuple[Job, ...], dict[int, int]] = ((), {})
        self.jobs_changed: Signal[Any] = Signal(owner, "jobs changed")
        self.data_changed: Signal[None] = Signal(owner, "data changed")
        """Published soon after jobs changed, or another process wrote anything at all."""
        self.decisions: dict[int, ConflictDecisions] = {}
        """What was decided of conflicts with an agent's prompt, by the job that the text was staged with."""

    def put_jobs(self, jobs: Sequence[Job]) -> None:
        """These are the jobs now."""
        if self.jobs != tuple(jobs):
            self.jobs = tuple(jobs)
            self.jobs_changed.publish(self.jobs)

    def put_job(self, job: Job) -> None:
        """One of the jobs is like this now."""
        self.put_jobs([job if known.number == job.number else known for known in self.jobs])

    def put_new(self, job: Job) -> None:
        """A job that was just launched, unless it was read already, and maybe later; the newest is the first."""
        if self.job(job.number) is None:
            self.put_jobs([job, *self.jobs])

    def put_durations(self, durations: Mapping[str, Sequence[float]]) -> None:
        """So long did this profile's last jobs of each kind take."""
        if self.durations != durations:
            self.durations = durations
            self.usual = {kind: usual(took) for kind, took in durations.items()}
            self.jobs_changed.publish(self.jobs)

    def job(self, number: object) -> Job | None:
        """The job of this number, if there is one."""
        return next((job for job in self.jobs if job.number == number), None)

    def relaunch_of(self, number: int) -> int | None:
        """The number of the job that repeats this one, if it was launched again."""
        if self._relaunches[0] is not self.jobs:
            self._relaunches = self.jobs, {job.again_of: job.number for job in self.jobs if job.again_of is not None}
        return self._relaunches[1].get(number)

    def when(self, moment: float | None, *, seconds: bool = False) -> str:
        """A moment as it is shown on screen."""
        return "" if moment is None else clock_text(moment, self.clock(), seconds=seconds)


ELAPSED = 5.0
"""Seconds between two looks at how long jobs go on."""


def is_visible(screen: Screen[Any]) -> bool:
    """Whether a screen is on top, or under a dialog."""
    return screen.is_current and (screen.is_active or screen.app.screen.is_modal)


def follow(widget: Widget, state: AppState, draw: Callable[[], None]) -> None:
    """Draw whenever the jobs change, as time passes while some go on, and when the widget is visible again.

    It must be mounted, and is not drawn while its screen is covered by another.
    """

    def tick() -> None:
        if any(job.state.going for job in state.jobs):
            draw()

    timer = widget.set_interval(ELAPSED, tick, pause=True)

    def check_visibility(_: object = None) -> None:
        state.jobs_changed.unsubscribe(widget)
        if is_visible(widget.screen):
            state.jobs_changed.subscribe(widget, lambda _: draw())
            timer.resume()
            draw()
        else:
            timer.pause()

    widget.app.screen_change_signal.subscribe(widget, check_visibility)
    check_visibility()
