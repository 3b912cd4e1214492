"""What all screens look at: the workspace, the jobs as last read, and the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.signal import Signal

from cekura_tui.model.job import Job
from cekura_tui.model.times import clock_text

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from cekura_tui.workspace.workspace import Workspace


class Board:
    """Handed to every screen. `jobs` is replaced whole, then `jobs_changed` tells it."""

    def __init__(self, owner: DOMNode, workspace: Workspace, clock: Callable[[], float] = time.time) -> None:
        self.workspace = workspace
        self.clock = clock
        self.jobs: tuple[Job, ...] = ()
        self.jobs_changed: Signal[Any] = Signal(owner, "jobs changed")

    def put_jobs(self, jobs: Sequence[Job]) -> None:
        """These are the jobs now."""
        if self.jobs != tuple(jobs):
            self.jobs = tuple(jobs)
            self.jobs_changed.publish(self.jobs)

    def when(self, moment: float | None) -> str:
        """A moment as it is shown on screen."""
        return "" if moment is None else clock_text(moment, self.clock())
