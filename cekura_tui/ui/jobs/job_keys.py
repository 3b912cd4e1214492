"""What screens with a job share: the keys that stop it, go on asking, launch it again, forget it and copy of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.job import Job, JobState, Suggestion
from cekura_tui.model.text import Prompt
from cekura_tui.ui.jobs.words import OPEN_LAUNCH, again_question, forget_question, needs_other_key
from cekura_tui.ui.kit.copying import Offer, OfferList
from cekura_tui.ui.kit.dialog import ConfirmDialog, Dialog
from cekura_tui.ui.kit.page import Page, too_small
from cekura_tui.ui.messages import HandOff, OpenJobDetails

if TYPE_CHECKING:
    from cekura_tui.workspace.job_service import JobRecord
    from cekura_tui.workspace.session import Session

T = TypeVar("T")
_ASKED_AGAIN = (JobState.STOPPED, JobState.LOST)
_LAUNCHED_AGAIN = (JobState.UNCONFIRMED, JobState.LOST, JobState.FAILED)
_WISHES = "job-wish"
_UNSEEN = ("launch_again", "forget")
"""What is not begun where nothing of it is seen."""
_OFFERED = {"launch": "curl of the launch", "progress": "curl of the question how far it is"}


class JobKeys(Page):
    """A page from which things may be wished of one job at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "details", "Details", id="job.details"),
        Binding("s", "stop", "Stop asking", id="job.stop"),
        Binding("s", "resume", "Resume", id="job.resume"),
        Binding("a", "launch_again", "Relaunch", id="job.again"),
        Binding("x", "forget", "Forget", id="job.forget"),
        Binding("y", "copy", "Copy", id="job.copy"),
    ]
    _offered: frozenset[str] = frozenset()

    @property
    def job(self) -> Job | None:
        """The job that is meant."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be wished of this job is offered."""
        if action not in ("details", "stop", "resume", "launch_again", "forget", "copy"):
            return super().check_action(action, parameters)
        return self._applies(action)

    def _applies(self, action: str) -> bool:
        job = self.job
        if job is None or (action in _UNSEEN and too_small(self.app.size)):
            return False
        foreign, again = needs_other_key(job), self.state.again(job.number) is not None
        return {
            "stop": job.state == JobState.RUNNING and not foreign,
            "resume": job.progress_id is not None if foreign else job.state in _ASKED_AGAIN,
            "launch_again": job.state in _LAUNCHED_AGAIN and not job.other_key and not again,
            "forget": job.state != JobState.LAUNCHING,
        }.get(action, True)

    def offer_keys(self) -> None:
        """Another job, or another state of it: show its keys, where they are others."""
        offered = frozenset(filter(self._applies, ("details", "stop", "resume", "launch_again", "forget", "copy")))
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def on_resize(self) -> None:
        """The terminal may have become too small for some keys, or large enough."""
        self.offer_keys()

    async def record_of(self, number: int) -> tuple[JobRecord, bool | None]:
        """All that is known of a job, and whether the process that launched it still runs, if that matters."""

        async def ask(session: Session) -> tuple[JobRecord, bool | None]:
            record = await session.jobs.record(number)
            # Asking the system about a process may cost a process, and is done in the background.
            return record, record.owner_runs if record.job.state in OPEN_LAUNCH else None

        return await self.state.workspace.call(ask)

    # Wishes

    def action_details(self) -> None:
        """All that is known of it."""
        if (job := self.job) is not None:
            self.state.ask(OpenJobDetails(job.number))

    @property
    def _free(self) -> Job | None:
        """The job that is meant, unless what was wished of it before is still being asked about or done."""
        job = self.job
        return None if job is None or self._pending(job.number) or not self.is_active else job

    def _pending(self, number: int) -> bool:
        wishes = [worker for worker in self.app.workers if worker.group == _WISHES and not worker.is_finished]
        return any(worker.name == str(number) for worker in wishes)

    def action_stop(self) -> None:
        """Ask about it no more."""
        if (job := self._free) is not None:
            self._wish(job.number, lambda session: session.jobs.stop(job.number), _asked)

    def action_resume(self) -> None:
        """Ask about it again."""
        if (job := self._free) is not None:
            self._wish(job.number, lambda session: session.jobs.resume(job.number), _asked)

    def action_launch_again(self) -> None:
        """Launch the same once more, after asking."""
        if (job := self._free) is None:
            return

        def launch(sure: bool | None) -> None:
            if sure and not self._pending(job.number):
                self.tell(f"Launching job {job.number} again …")
                self._wish(job.number, lambda session: session.jobs.launch_again(job.number), _launched)

        self.app.push_screen(ConfirmDialog(*again_question(job, self.state), "Launch again"), launch)

    def action_forget(self) -> None:
        """Drop it, after asking."""
        if (job := self._free) is None:
            return

        def forgotten(_: Job) -> str:
            self.forgotten()
            return f"Job {job.number} is forgotten."

        def forget(sure: bool | None) -> None:
            if sure:
                self._wish(job.number, lambda session: session.jobs.forget(job.number), forgotten)

        self.app.push_screen(ConfirmDialog(*forget_question(job), "Forget it"), forget)

    def forgotten(self) -> None:
        """The job that is meant was forgotten."""

    def _wish(self, number: int, ask: Callable[[Session], Awaitable[Job]], words: Callable[[Job], str]) -> None:
        """Have it done, and tell how it went: by a worker of the app, for this screen may be left meanwhile."""
        if not self._pending(number):
            self.app.run_worker(self._have_done(ask, words), name=str(number), group=_WISHES)

    async def _have_done(self, ask: Callable[[Session], Awaitable[Job]], words: Callable[[Job], str]) -> None:
        try:
            job = await asyncio.shield(asyncio.wrap_future(self.state.workspace.send(ask)))
        except (KeyMissing, UsageError) as error:
            # Another key than the one that is signed in with, or no such thing can be done with it any more.
            # The hints are about commands.
            self.tell(error.message if isinstance(error, UsageError) else error.sentence(), warning=True)
        except CekuraTuiError as error:
            pages = [screen for screen in self.app.screen_stack if isinstance(screen, Page)]
            (self if self.is_attached or not pages else pages[-1]).tell_error(error)
        else:
            self.tell(words(job), warning=job.state == JobState.UNCONFIRMED)
            self._put(job)

    def _put(self, job: Job) -> None:
        """The state has it at once, not when it is read next: the next key is about the job as it is now."""
        others = [known for known in self.state.jobs if known.number != job.number]
        if job.state == JobState.FORGOTTEN:
            self.state.put_jobs(others)
        elif len(others) < len(self.state.jobs):
            self.state.put_job(job)
        elif self.state.job(job.again_of) is not None:
            self.state.put_new(job)

    @work(group="copy", exclusive=True)
    async def action_copy(self) -> None:
        """Offer what can be copied of it."""
        if (job := self._free) is None:
            return
        try:
            record, done, staged, whole = await self.state.workspace.call(_told_of(job.number))
        except CekuraTuiError as error:
            if isinstance(error, UsageError):
                # It was forgotten meanwhile, which is news unless it was asked for here, as by `y` pressed twice.
                if self.state.job(job.number) is not None and not self._pending(job.number):
                    self.tell(error.sentence(), warning=True)
            elif not self.gone:
                self.tell_error(error)
            return
        if self.gone:
            return
        offers = [Offer(_OFFERED[name], text) for name, text in record.curls.items()]
        offers.append(Offer("the job as JSON", whole))
        if done.improved_prompt is not None:
            offers.append(Offer("the improved prompt …"))
        taken = await self.app.push_screen_wait(CopyJobDialog(job.number, offers))
        if taken is not None and taken.text is not None:
            self.app.copy_to_clipboard(taken.text)
            self.tell(f"Sent to the terminal's clipboard: {taken.words}. Whether it took it, only pasting tells.")
        elif taken is not None and done.improved_prompt is not None:
            self.state.ask(HandOff(done, staged, lambda told: self.tell(told) if told else None))


def _asked(job: Job) -> str:
    """Whether a job is asked about now, in words."""
    told = {
        JobState.RUNNING: "is asked about again.",
        JobState.STOPPED: "is not asked about any more; it may go on at the server.",
    }
    return f"Job {job.number} {told.get(job.state, f'is {job.state.words}.')}"


def _launched(job: Job) -> str:
    """How a launch went, in words."""
    if job.state == JobState.UNCONFIRMED:
        return f"Job {job.number} is unconfirmed: {job.reason}"
    return f"Job {job.number} launched; it goes on by itself."


def _told_of(number: int) -> Callable[[Session], Awaitable[tuple[JobRecord, Suggestion, Prompt, str]]]:
    """What there is to copy: the record with its commands, the job with its texts, what is staged of it, and all as
    `jobs show --json` says."""

    async def ask(session: Session) -> tuple[JobRecord, Suggestion, Prompt, str]:
        record, done = await session.jobs.record(number), await session.jobs.suggestion(number)
        staged = await session.staging.staged(number)
        return record, done, done.prompt if staged is None else staged, json.dumps(done.to_json(), indent=2)

    return ask


class CopyJobDialog(Dialog[Offer]):
    """Answers with the offer that was taken."""

    AUTO_FOCUS = "OfferList"

    def __init__(self, number: int, offers: Sequence[Offer]) -> None:
        super().__init__()
        self._number, self._offers = number, offers

    def compose(self) -> ComposeResult:
        """The offers."""
        with Vertical(classes="dialog"):
            yield Label(Content(f"Copy of job {self._number}"), classes="dialog-title")
            yield OfferList(id="offers")
            yield Label(Content("enter copies · esc closes"), classes="dialog-hint")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one(OfferList).show_rows(self._offers)

    @on(OfferList.Opened)
    def take(self) -> None:
        """Enter on one."""
        self.dismiss(self.query_one(OfferList).cursor_row)
