"""The jobs pane under the run list: the newest jobs, or one line where there is little room."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from cekura_tui.model.job import Job
from cekura_tui.model.text import count
from cekura_tui.ui.board import Board
from cekura_tui.ui.widgets.job_list import JobList, last_word
from cekura_tui.ui.widgets.signs import JOB_MARKS


class JobsPane(Vertical):
    """Follows the board; its list may be focused and opened from."""

    REFRESH: ClassVar[float] = 5.0

    def __init__(self, board: Board) -> None:
        super().__init__(id="jobs-pane")
        self._board = board

    def compose(self) -> ComposeResult:
        """A headline and the list."""
        yield Static(id="jobs-line")
        yield JobList(id="pane-jobs")

    def on_mount(self) -> None:
        """Show the jobs now and whenever they change; running ones tell their time."""
        self._board.jobs_changed.subscribe(self, lambda _: self.show())
        self.set_interval(self.REFRESH, self._tick)
        self.show()

    def _tick(self) -> None:
        if any(job.state.going for job in self._board.jobs):
            self.show()

    def show(self) -> None:
        """Draw the jobs as they are on the board."""
        jobs = self._board.jobs
        self.query_one("#jobs-line", Static).update(_headline(jobs))
        self.query_one(JobList).show_jobs(jobs, self._board)
        self.set_class(not jobs, "-empty")


def _headline(jobs: tuple[Job, ...]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append("Jobs ", style="bold")
    if not jobs:
        return text.append("none yet: i on a failed run launches one", style="dim")
    going = sum(job.state.going for job in jobs)
    ended = [job for job in jobs if not job.state.going]
    told = [count(going, "running", "running")] if going else []
    if ended:
        last = max(ended, key=lambda job: job.finished_at or job.launched_at or 0.0)
        words = last_word(last)
        told.append(f"job {last.number} {JOB_MARKS[last.state]} {last.state.words}" + (f": {words}" if words else ""))
    return text.append(" · ".join(told))
