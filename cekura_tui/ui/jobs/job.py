"""The page of one job, which is updated while the job runs."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.content import Content

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.scenario_test import KIND_NAME
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.jobs.facts import JobFacts, facts_of, format_answers
from cekura_tui.ui.jobs.job_keys import JOB_ACTIONS, JobActions
from cekura_tui.ui.kit.lines import JOB_MARKS, Notice, OneLine, state_style
from cekura_tui.ui.kit.page import Page, error_action
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import OpenJob
from cekura_tui.ui.state import AppState, follow_jobs
from cekura_tui.workspace.job_service import JobRecord


def job_headline(number: int, job: Job | None) -> Content:
    if job is None:
        return Content.styled(f"Job {number}", "bold")
    runs = f"{'run' if len(job.run_ids) == 1 else 'runs'} {' '.join(map(str, job.run_ids))}" if job.run_ids else ""
    about = " · ".join(filter(None, (runs, clean_line(job.agent_name, 60))))
    chip = f" {JOB_MARKS[job.state]} {job.state.words} "
    return Content.assemble((f"Job {number} ", "bold"), (chip, state_style(job.state)), (f"  {about}", "$muted"))


class JobScreen(Page):
    PLACE = "In a job"
    PARTS = (VirtualList,)
    AUTO_FOCUS = "JobFacts"
    FIRST_READS = ("record",)
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "job.suggestion",
            "enter",
            lambda screen: screen.state.ask(OpenJob(screen.job)),
            "Suggestion",
            footer=1,
            why_not=lambda screen: None if screen.job and screen.job.has_result_page else NOT_OFFERED,
            label_now=lambda screen: "Before and after" if screen.job and screen.job.kind == KIND_NAME else "",
        ),
        error_action("job"),
        *JOB_ACTIONS,
        Action("job.back", "escape", "app.pop_screen", "Back", footer=9),
        Action("job.refresh", "r", lambda screen: screen.load(), "Reload"),
    )
    HELP = """\
# Job
Everything known about one job: what was sent, every change of state, and every different answer of the server.

`{job.copy}` copies the job as JSON, or its requests as curl without the key.
"""

    def __init__(self, state: AppState, number: int) -> None:
        super().__init__(state)
        self._number = number
        self._record: JobRecord | None = None
        self._answers: dict[str, str] = {}
        self.job_actions = JobActions(self, lambda: self.job, self._forgotten)
        self._seen: Job | None = None
        self._marked_state: JobState | None = None

    @property
    def job(self) -> Job | None:
        return self.state.job(self._number)

    def body(self) -> ComposeResult:
        yield OneLine(id="job-headline")
        yield Pane(JobFacts(id="job-text"), Notice(id="job-notice"), title="Details", id="job-details")

    def on_mount(self) -> None:
        follow_jobs(self, self.state, self._follow)

    def on_screen_resume(self) -> None:
        self.load()  # the launching process may have ended meanwhile

    def _follow(self) -> None:
        if self.job != self._seen or self._record is None:
            self._seen = self.job
            self.load()
        self._draw()
        self._mark_read()

    def _mark_read(self) -> None:
        """Mark a finished job as read while the user sees it: this page is on top, and the terminal has the focus."""
        job = self.job
        if job is None or job.state.active:
            self._marked_state = None
            return
        # Once for each end, even if saving it fails.
        if not job.unread or job.state == self._marked_state or not (self.is_active and self.app.app_focus):
            return
        self._marked_state = job.state
        self.state.mark_read(job)

    @work(group="record", exclusive=True)
    async def load(self) -> None:
        try:
            record = await self.state.workspace.call(lambda session: session.jobs.record(self._number))
        except CekuraTuiError as error:
            self._record, self.error = None, error
        else:
            self._answers = await asyncio.to_thread(format_answers, record.answers, self._answers)
            self._record = record
        self._draw()

    def _draw(self) -> None:
        if self.is_unmounted:
            return
        job = self.job or (self._record.job if self._record else None)
        self.query_one("#job-headline", OneLine).show(job_headline(self._number, job))
        facts, record, empty = self.query_one(JobFacts), self._record, (f"Loading job {self._number} …", "")
        if record is not None:
            facts.show_rows(facts_of(record, self._answers, self.state))
        error = self.error if record is None else None
        self.show_state(facts, loaded=record is not None, error=error, empty=empty)
        self.job_actions.refresh()

    def _forgotten(self) -> None:
        if self.is_active:
            self.app.pop_screen()
