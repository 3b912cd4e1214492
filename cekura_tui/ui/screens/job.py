"""One job: all that is known of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean_line
from cekura_tui.ui.board import Board
from cekura_tui.ui.messages import BackgroundChanged, JobWished
from cekura_tui.ui.screens.job_keys import JobKeys
from cekura_tui.ui.screens.suggestion import SuggestionScreen
from cekura_tui.ui.sight import follow
from cekura_tui.ui.widgets.job_facts import JobFacts, facts_of, shown_answers
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.signs import JOB_MARKS

if TYPE_CHECKING:
    from cekura_tui.workspace.job_record import JobRecord


class JobScreen(JobKeys):
    """Follows one job: its facts, what was sent, every change of state and every answer."""

    AUTO_FOCUS = "JobFacts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "suggestion", "Suggestion", key_display="enter", id="job.suggestion"),
        Binding("enter", "whole_error", "Show error", id="job.error", show=False),
        Binding("escape", "app.pop_screen", "Back", id="job.back"),
        Binding("r", "refresh", "Retry", id="job.refresh", show=False),
    ]
    HELP = """\
# Job
What became of it, what was sent, every state with its time, and every different answer as it came.
`s` stops asking about it, or goes on; `a` launches it again; `x` forgets it; `y` copies it, or the requests as curl.
"""

    def __init__(self, board: Board, number: int) -> None:
        super().__init__(board)
        self._number = number
        self._record: JobRecord | None = None
        self._runs: bool | None = None
        self._answers: dict[str, str] = {}
        self._error: CekuraTuiError | None = None
        self._seen: Job | None = None
        self._looked: JobState | None = None

    @property
    def job(self) -> Job | None:
        """As the board knows it."""
        return self.board.job(self._number)

    def body(self) -> ComposeResult:
        """Headline and text."""
        yield Static(id="job-headline")
        yield JobFacts(id="job-text")
        yield Notice(id="job-notice")

    def on_mount(self) -> None:
        """Read it, follow the board, and note that somebody looks at it."""
        follow(self, self.board, self._follow)

    def on_screen_resume(self) -> None:
        """Here, or back from something else: the process that launched it may have ended meanwhile."""
        self._load()

    def _follow(self) -> None:
        if self.job != self._seen or self._record is None:
            self._seen = self.job
            self._load()
        self._draw()
        self._look()

    def _look(self) -> None:
        """Somebody sees how it ended; not if the terminal is out of sight, as far as that tells."""
        job = self.job
        if job is None or job.state.going:
            self._looked = None
            return
        # Once for each end: where a look cannot be recorded, it is not tried again and again.
        if not job.unread or job.state == self._looked or not (self.is_active and self.app.app_focus):
            return
        self._looked = job.state
        self.board.put_job(replace(job, looked_at=self.board.clock()))
        self._keep_look()

    @work(group="look")
    async def _keep_look(self) -> None:
        with contextlib.suppress(CekuraTuiError):  # it stays new, then; what reads the jobs tells why
            await self.board.workspace.call(lambda session: session.jobs.look(self._number))
        self.post_message(BackgroundChanged())

    @work(group="record", exclusive=True)
    async def _load(self) -> None:
        try:
            record, runs = await self.record_of(self._number)
        except CekuraTuiError as error:
            self._record, self._error = None, error
        else:
            self._answers = await asyncio.to_thread(shown_answers, record.answers, self._answers)
            self._record, self._runs, self._error = record, runs, None
        self._draw()

    def _draw(self) -> None:
        if self.gone:
            return
        job = self.job or (self._record.job if self._record else None)
        text = Text(f" Job {self._number} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
        if job is not None:
            text.append(f"{JOB_MARKS[job.state]} {job.state.words} ")
            about = ("run " + " ".join(map(str, job.run_ids)), clean_line(job.agent_name, 60))
            text.append(f"· {' · '.join(filter(None, about))}", style="not bold")
        headline = self.query_one("#job-headline", Static)
        if headline.content != text:
            headline.update(text)
        facts, notice = self.query_one(JobFacts), self.query_one(Notice)
        facts.display, notice.display = self._record is not None, self._record is None
        if self._record is not None:
            facts.show_rows(facts_of(self._record, self._runs, self._answers, self.board))
            if not self.focused:
                facts.focus()
        elif self._error is not None:
            notice.say_error(self._error)
        else:
            notice.say(f"Reading job {self._number} …")
        self.offer_keys()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """This is the detail; a suggestion is there only where there is one."""
        if action == "suggestion":
            return (job := self.job) is not None and job.improved_sha256 is not None
        if action == "whole_error":
            return self._error is not None
        return action != "details" and super().check_action(action, parameters)

    def action_suggestion(self) -> None:
        """Its suggestion; that may be what this was opened from."""
        below = self.app.screen_stack[-2] if len(self.app.screen_stack) > 1 else None
        if isinstance(below, SuggestionScreen) and below.number == self._number:
            self.app.pop_screen()
        elif (job := self.job) is not None:
            self.post_message(JobWished(job))

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self._error is not None:
            self.tell_error(self._error)

    def action_refresh(self) -> None:
        """Read it again."""
        self._load()

    def forgotten(self) -> None:
        """There is nothing to show any more."""
        if self.is_active:
            self.app.pop_screen()
