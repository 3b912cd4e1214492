"""The page with the list of jobs, and a preview of the job under the cursor."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import OPEN_LAUNCH, Job, JobState
from cekura_tui.model.text import clean, count
from cekura_tui.ui.actions import Action
from cekura_tui.ui.jobs.facts import Fact, JobFacts
from cekura_tui.ui.jobs.job_keys import DETAILS, JOB_ACTIONS, JobActions
from cekura_tui.ui.jobs.list import MARGIN, JobList, headings
from cekura_tui.ui.jobs.preview import ChangeSummary, preview_rows, read_changes
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.lines import JOB_MARKS, Notice, StatusLine
from cekura_tui.ui.kit.lists import ColumnHeader
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.messages import OpenJob
from cekura_tui.ui.state import AppState, follow_jobs, is_visible
from cekura_tui.workspace.job_service import JobRecord

PREVIEW_DELAY = 0.15
"""Seconds between a move of the cursor and the loading of the preview."""
CACHED_PREVIEWS = 40
"""Maximum number of suggestions whose change summary is cached."""


class JobsScreen(Page):
    PLACE = "In the list of jobs"
    PARTS = (JobList,)
    AUTO_FOCUS = "JobList"
    FIRST_READS = ("preview",)
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        DETAILS,
        *JOB_ACTIONS,
        Action("jobs.back", "escape", "app.switch_mode('runs')", "Runs", footer=8),
        # The app's key for this page, without its place in the footer.
        Action("jobs.top", "2", "app.go('jobs')", "Jobs"),
    )
    HELP = """\
# Jobs
Running jobs come first, then jobs that need a decision, then ended ones, newest first. `•` marks a new result.

`{job-list.open}` opens the suggestion, or the details of a job without one.

The bar shows how much of the usual time has passed, based on your earlier jobs.

Jobs run on the server, commands on this machine, even while this app is closed. `{job.forget}` deletes a job here only.
"""

    def __init__(self, state: AppState) -> None:
        super().__init__(state)
        self._list = JobList(id="jobs")
        self.job_actions = JobActions(self, lambda: self.job)
        self._record: JobRecord | None = None
        self._changes: dict[int, ChangeSummary] = {}
        """Change summaries by job number, without jobs opened since, whose changes the user may have decided."""
        self._shown: int | None = None
        self._preview_debounce = Debounce(self, PREVIEW_DELAY, self._load_preview)
        self._next_poll: Timer | None = None

    def body(self) -> ComposeResult:
        yield StatusLine(id="status")
        with Horizontal(id="jobs-body"):
            with Pane(title="Jobs", id="jobs-list"):
                yield ColumnHeader(lambda width: headings(width, self._list.sizes), MARGIN, id="jobs-header")
                yield self._list
                yield Notice(id="jobs-notice")
            preview = JobFacts(id="job-preview")
            preview.can_focus = False
            yield Pane(preview, title="Job", id="job-beside")

    def on_mount(self) -> None:
        follow_jobs(self, self.state, self._draw)

    def on_screen_resume(self) -> None:
        if (number := self.state.pointed_job) is not None:
            # The user may have decided changes of its suggestion.
            self._record = None
            self._changes.pop(number, None)
        self._draw()
        if self.is_unmounted:
            return
        self._list.show_top()
        if number is not None:
            self._list.move_to(number)
            self.state.pointed_job = None

    @property
    def job(self) -> Job | None:
        return self.state.job(self._list.cursor_key)

    def _draw(self) -> None:
        if self.is_unmounted:
            return
        jobs = self.state.jobs
        listed, notice = self._list, self.query_one(Notice)
        listed.show_jobs(jobs, self.state)
        header = self.query_one(ColumnHeader)
        header.basis = listed.sizes
        for widget in (listed, header, self.query_one("#job-beside")):
            widget.display = bool(jobs)
        notice.display = not jobs
        if not jobs:
            how = with_keys("Open a failed run and press {runs.improve}: Cekura or a command proposes a better prompt.")
            notice.show("No jobs yet.", how)
        elif not self.focused:
            listed.focus()
        status, states = self.query_one(StatusLine), [job.state for job in jobs]
        new = sum(job.unread for job in jobs)
        counts = [f"{states.count(state):,} {state.words}" for state in JobState if state in states]
        status.left = ("Jobs", *([f"{new:,} new"] if new else []), *counts)
        status.right = (count(len(jobs), "job"),)
        self._draw_preview()
        if self._is_outdated and not self._preview_debounce.is_waiting:
            self._read()
        self.job_actions.refresh()

    @property
    def _is_outdated(self) -> bool:
        """Whether to read the job under the cursor again: the job has changed, or its launch is not confirmed."""
        job, record = self.job, self._record
        return job is None or record is None or record.job != job or job.state in OPEN_LAUNCH

    @on(JobList.Moved)
    def moved(self) -> None:
        """Preview the job under the cursor from loaded data, and load the rest once the cursor rests. Jobs that the
        cursor passes while a key is held are not previewed."""
        self.job_actions.refresh()
        if not self._preview_debounce.is_waiting:
            self._draw_preview()
        self._preview_debounce.start()

    def _load_preview(self) -> None:
        self._draw_preview()
        if self._is_outdated:
            self._read()

    @work(group="preview", exclusive=True)
    async def _read(self) -> None:
        """Load the job under the cursor, then the summary of its changes, unless that summary is cached."""
        if (job := self.job) is None:
            return
        try:
            self._record = await self.state.workspace.call(lambda session: session.jobs.record(job.number))
        except CekuraTuiError as error:
            if job == self.job:
                self._show_preview(job, [Fact("error", "text", "", clean(error.sentence()), "bad", "! ")])
            return
        self._draw_preview()
        if job.improved_sha256 is not None and job.number not in self._changes:
            changes = await read_changes(self.state, job)
            self._changes = dict([*self._changes.items()][1 - CACHED_PREVIEWS :]) | {job.number: changes}
            self._draw_preview()

    def _draw_preview(self) -> None:
        if (job := self.job) is None:
            return
        record = self._record if self._record is not None and self._record.job.number == job.number else None
        self._show_preview(job, preview_rows(job, record, self._changes.get(job.number), self.state))
        polls = record.polls if record is not None else None
        if polls is not None and job.state == JobState.RUNNING and self._next_poll is None:
            next_at, now = polls.next_at, self.state.clock()
            wait = PREVIEW_DELAY if next_at is None else next_at - now + PREVIEW_DELAY
            self._next_poll = self.set_timer(max(wait, 1.0), self._refresh_polls)

    def _show_preview(self, job: Job, rows: list[Fact]) -> None:
        if self.is_unmounted:
            return
        self.query_one("#job-beside", Pane).show_title(f"Job {job.number}", f"{JOB_MARKS[job.state]} {job.state.words}")
        self.query_one(JobFacts).show_rows(rows, reset=job.number != self._shown)
        self._shown = job.number

    def _refresh_polls(self) -> None:
        """Read the poll times again, because a poll with an unchanged answer causes no update of the jobs."""
        self._next_poll = None
        if is_visible(self) and (job := self.job) is not None and job.state == JobState.RUNNING:
            self._read()

    def on_resize(self) -> None:
        self.job_actions.refresh()

    @on(JobList.Opened)
    def opened(self) -> None:
        if (job := self.job) is not None:
            self.state.ask(OpenJob(job))
