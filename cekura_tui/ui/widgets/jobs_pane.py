"""The jobs pane under the run list: the jobs by state, or one line where there is little room."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from cekura_tui.model.text import count
from cekura_tui.ui.board import Board
from cekura_tui.ui.sight import follow
from cekura_tui.ui.widgets.job_list import JobList
from cekura_tui.ui.widgets.job_words import last_word
from cekura_tui.ui.widgets.signs import JOB_MARKS, UNREAD


class JobsPane(Vertical):
    """Follows the board; its list may be focused and opened from."""

    def __init__(self, board: Board) -> None:
        super().__init__(id="jobs-pane")
        self._board = board

    def compose(self) -> ComposeResult:
        """A headline and the list."""
        yield Static(id="jobs-line")
        yield JobList(id="pane-jobs")

    def on_mount(self) -> None:
        """Show the jobs now and whenever they change; running ones tell their time."""
        follow(self, self._board, self.show)

    def show(self) -> None:
        """Draw the jobs as they are on the board."""
        jobs = self._board.jobs
        line, headline = self.query_one("#jobs-line", Static), _headline(self._board)
        if line.content != headline:
            line.update(headline)
        listed = self.query_one(JobList)
        listed.show_jobs(jobs, self._board, newest=not listed.has_focus)
        self.set_class(not jobs, "-empty")


def _headline(board: Board) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append("Jobs ", style="bold")
    if not board.jobs:
        return text.append("none yet: i on a failed run launches one", style="dim")
    new = sum(job.unread for job in board.jobs)
    going = sum(job.state.going for job in board.jobs)
    ended = [job for job in board.jobs if not job.state.going]
    if new:
        text.append(f"{UNREAD} {new:,} new", style="bold").append(" · ")
    told = [count(going, "running", "running")] if going else []
    if ended:
        last = max(ended, key=lambda job: job.finished_at or job.launched_at or 0.0)
        words = last_word(last, board)
        told.append(f"job {last.number} {JOB_MARKS[last.state]} {last.state.words}" + (f": {words}" if words else ""))
    return text.append(" · ".join(told))
