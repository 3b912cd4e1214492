"""All jobs, and what is known of the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean, count
from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.jobs.job import Fact, JobFacts, read_record, short_facts_of
from cekura_tui.ui.jobs.job_keys import DETAILS, JOB_ACTIONS, JobActions
from cekura_tui.ui.jobs.list import JobList
from cekura_tui.ui.jobs.words import OPEN_LAUNCH
from cekura_tui.ui.kit.lines import Notice, StatusLine
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import OpenJob
from cekura_tui.ui.state import AppState, follow

if TYPE_CHECKING:
    from cekura_tui.workspace.job_service import JobRecord


class JobsScreen(Page):
    """Every job at this server, by state."""

    AUTO_FOCUS = "JobList"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        DETAILS,
        *JOB_ACTIONS,
        Action("jobs.back", "escape", "app.switch_mode('runs')", "Runs", footer=8),
        # As everywhere; but the footer need not say how to get here.
        Action("jobs.top", "2", "app.go('jobs')", "Jobs"),
    )
    BINDINGS = bindings(ACTIONS)
    HELP = """\
# Jobs
What goes on comes first, then what somebody has to decide about, then what ended, the newest first; `•` is new.
`enter` opens the suggestion of a job that has one, else all that is known of it, as `d` does.
`s` stops asking about a job, or goes on; `a` launches it again; `x` forgets it; `y` copies it, or the requests as curl.
Jobs go on at the server while this program is closed.
"""

    def __init__(self, state: AppState) -> None:
        super().__init__(state)
        self._list = JobList(id="jobs")
        self.job_actions = JobActions(self, lambda: self.job)
        self._record: JobRecord | None = None
        self._runs: bool | None = None
        self._shown: int | None = None

    def body(self) -> ComposeResult:
        """Counts, the list, the detail."""
        yield StatusLine(id="status")
        with Horizontal(id="jobs-body"):
            yield self._list
            yield Notice(id="jobs-notice")
            detail = JobFacts(id="job-detail")
            detail.can_focus = False
            yield detail

    def on_mount(self) -> None:
        """Follow the state."""
        follow(self, self.state, self._draw)

    def on_screen_resume(self) -> None:
        """Here, or back from something else: what came meanwhile is to be seen."""
        self._draw()
        if not self.gone:
            self._list.show_top()

    @property
    def job(self) -> Job | None:
        """The one under the cursor."""
        return self.state.job(self._list.cursor_key)

    def _draw(self) -> None:
        if self.gone:
            return
        jobs = self.state.jobs
        listed, notice = self._list, self.query_one(Notice)
        listed.show_jobs(jobs, self.state)
        listed.display, notice.display = bool(jobs), not jobs
        if not jobs:
            notice.show("No jobs yet.", "Open a failed run and press i: Cekura proposes a better prompt from it.")
        elif not self.focused:
            listed.focus()
        status, states = self.query_one(StatusLine), [job.state for job in jobs]
        new = sum(job.unread for job in jobs)
        counts = [f"{states.count(state)} {state.words}" for state in JobState if state in states]
        status.left = ("Jobs", *([f"{new:,} new"] if new else []), *counts)
        status.right = (count(len(jobs), "job"),)
        self._draw_detail()
        if self._outdated:
            self._read_detail()
        self.job_actions.refresh()

    # The detail

    @property
    def _outdated(self) -> bool:
        """Whether more may be known of the job under the cursor than was read; most changes are of other jobs."""
        job, record = self.job, self._record
        return job is None or record is None or record.job != job or job.state in OPEN_LAUNCH

    @on(JobList.Moved)
    def moved(self) -> None:
        """Another job is under the cursor."""
        self._read_detail()
        self.job_actions.refresh()

    @work(group="detail", exclusive=True)
    async def _read_detail(self) -> None:
        if (job := self.job) is None:
            self._show_detail([])
            return
        try:
            self._record, self._runs = await read_record(self.state, job.number)
        except CekuraTuiError as error:
            self._show_detail([Fact("error", "text", "", clean(error.sentence()))])
        else:
            self._draw_detail()

    def _draw_detail(self) -> None:
        job, record = self.job, self._record
        if job is not None and record is not None and record.job.number == job.number:
            self._show_detail(short_facts_of(record, self._runs, job, self.state))

    def _show_detail(self, facts: list[Fact]) -> None:
        if self.gone:
            return
        shown = self.job.number if self.job else None
        self.query_one(JobFacts).show_rows(facts, reset=shown != self._shown)
        self._shown = shown

    # Keys

    def on_resize(self) -> None:
        """The terminal may have become too small for some keys, or large enough."""
        self.job_actions.refresh()

    def action_job(self, name: str) -> None:
        """Do this with the job under the cursor."""
        self.job_actions.do(name)

    @on(JobList.Opened)
    def opened(self) -> None:
        """Enter on a job."""
        if (job := self.job) is not None:
            self.state.ask(OpenJob(job))
