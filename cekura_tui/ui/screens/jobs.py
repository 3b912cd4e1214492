"""All jobs, and what is known of the one under the cursor."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.ui.messages import JobWished
from cekura_tui.ui.screens.page import Page
from cekura_tui.ui.widgets.job_list import JobList
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.signs import JOB_MARKS
from cekura_tui.ui.widgets.status_line import StatusLine


class JobsScreen(Page):
    """Every job of this key, newest first."""

    AUTO_FOCUS = "JobList"
    REFRESH: ClassVar[float] = 5.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.switch_mode('runs')", "Runs", id="jobs.back"),
    ]
    HELP = """\
# Jobs
`enter` opens the suggestion of a job that has one, else all that is known of it.
Jobs go on at the server while this program is closed.
"""

    def body(self) -> ComposeResult:
        """Counts, the list, the detail."""
        yield StatusLine(id="status")
        with Horizontal(id="jobs-body"):
            yield JobList(id="jobs")
            yield Notice(id="jobs-notice")
            with VerticalScroll(id="job-detail", can_focus=False):
                yield Static(id="job-facts")

    def on_mount(self) -> None:
        """Follow the board."""
        self.board.jobs_changed.subscribe(self, lambda _: self._draw())
        self.set_interval(self.REFRESH, self._tick)
        self._draw()

    def _tick(self) -> None:
        if any(job.state.going for job in self.board.jobs):
            self._draw()

    def _draw(self) -> None:
        jobs = self.board.jobs
        listed, notice = self.query_one(JobList), self.query_one(Notice)
        listed.show_jobs(jobs, self.board)
        listed.display, notice.display = bool(jobs), not jobs
        if not jobs:
            notice.say("No jobs yet.", "Open a failed run and press i: Cekura proposes a better prompt from it.")
        elif not self.focused:
            listed.focus()
        status = self.query_one(StatusLine)
        states = [job.state for job in jobs]
        told = [f"{states.count(state)} {state.words}" for state in JobState if state in states]
        status.left, status.right = ("Jobs", *told), (count(len(jobs), "job"),)
        self._read_detail()

    def _current(self) -> Job | None:
        key = self.query_one(JobList).cursor_key
        return next((job for job in self.board.jobs if job.number == key), None)

    @on(JobList.Moved)
    def moved(self) -> None:
        """Another job is under the cursor."""
        self._read_detail()

    @work(group="detail", exclusive=True)
    async def _read_detail(self) -> None:
        facts, job = self.query_one("#job-facts", Static), self._current()
        if job is None:
            facts.update("")
            return
        try:
            changes, _ = await self.board.workspace.call(lambda session: session.history(job.number))
        except CekuraTuiError as error:
            facts.update(Text(clean(error.sentence())))
            return
        text = Text(f"Job {job.number} {JOB_MARKS[job.state]} {job.state.words}\n", style="bold")
        for name, value in _facts(job, self.board.when(job.launched_at), self.board.when(job.finished_at)):
            text.append(f"{name:<10}", style="not bold dim").append(f"{value}\n", style="not bold")
        text.append("\n")
        for change in changes:
            words = f"{self.board.when(change.at)}  {change.state.words}  {clean_line(change.reason, 300)}\n"
            text.append(words, style="not bold")
        facts.update(text)

    @on(JobList.Opened)
    def opened(self) -> None:
        """Enter on a job."""
        if (job := self._current()) is not None:
            self.post_message(JobWished(job))


def _facts(job: Job, launched: str, finished: str) -> list[tuple[str, str]]:
    named = (
        ("runs", " ".join(map(str, job.run_ids))),
        ("agent", clean_line(job.agent_name)),
        ("prompt", job.prompt_source or "text"),
        ("launched", launched),
        ("ended", finished),
        ("status", clean_line(job.last_status or "")),
        ("error", clean_line(job.error or "")),
    )
    return [(name, value) for name, value in named if value]
