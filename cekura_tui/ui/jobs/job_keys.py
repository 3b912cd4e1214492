"""Actions on a job, for every page that shows a job: stop or resume polling, relaunch, delete, copy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from cekura_tui.config.programs import program_name
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.jobs.words import forget_question, needs_other_key, relaunch_question
from cekura_tui.ui.kit.copying import CopyDialog, Offer, write_lines
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import HandOff, OpenJobDetails, TestRuns
from cekura_tui.workspace.session import Session

_GROUP = "job-action"
_CURL_LABELS = {"launch": "launch request (curl)", "progress": "poll request (curl)"}


class JobActions:
    """Runs actions on the job of a page, one action at a time per job, and reports the results on the page. `job`
    returns the page's job, or None. `forgotten` is called after the user forgot the job."""

    def __init__(self, page: Page, job: Callable[[], Job | None], forgotten: Callable[[], None] = lambda: None) -> None:
        self._page, self._state, self._job, self._forgotten = page, page.state, job, forgotten
        self._offered: frozenset[str] = frozenset()

    def applies(self, name: str) -> bool:
        job = self._job()
        if job is None:
            return False
        foreign, repeated = needs_other_key(job), self._state.relaunch_of(job.number) is not None
        return {
            "stop": job.state == JobState.RUNNING and not foreign,
            "resume": job.progress_id is not None if foreign else job.resumable,
            "launch_again": job.relaunchable and not (job.other_key or repeated),
            "test": job.improved_sha256 is not None,
            "forget": not job.state.active if job.is_local else job.state != JobState.LAUNCHING,
        }.get(name, True)

    def refresh(self) -> None:
        """Update the footer if other actions than before are available."""
        offered = frozenset(name for name in ACTION_NAMES if self.applies(name))
        if offered != self._offered:
            self._offered = offered
            self._page.refresh_bindings()

    def do(self, name: str) -> None:
        if name == "copy":
            self._page.opening.begin(self._copy, "Loading the job", group="copy")
        elif name == "details":
            if (job := self._job()) is not None:
                self._state.ask(OpenJobDetails(job.number))
        elif (job := self._idle_job()) is not None:
            match name:
                case "stop" if job.is_local:
                    program = program_name(str(job.parameters.get("command")))
                    text = f"{program} and the processes that it started are ended."
                    title = f"Stop job {job.number}"
                    ConfirmDialog(f"{title}?", text, title).ask(self._page.app, partial(self._stop, job))
                case "stop":
                    self._stop(job)
                case "resume":
                    self._send(job.number, lambda session: session.jobs.resume(job.number), _polled_words)
                case "launch_again":
                    ask = partial(self._launch_again, job)
                    self._page.opening.begin(ask, "Loading the job", group="relaunch")
                case "forget":
                    self._forget(job)
                case "test":
                    self._state.ask(TestRuns(job.run_ids, job.number, before=not job.on_agent))

    def _idle_job(self) -> Job | None:
        """The page's job. None while an earlier action on the job is running, or another screen covers the page."""
        job = self._job()
        return None if job is None or self._is_busy(job.number) or not self._page.is_active else job

    def _is_busy(self, number: int) -> bool:
        running = [worker for worker in self._page.app.workers if worker.group == _GROUP and not worker.is_finished]
        return any(worker.name == str(number) for worker in running)

    async def _launch_again(self, job: Job) -> None:
        page = self._page
        try:
            done = await self._state.workspace.call(lambda session: session.jobs.suggestion(job.number))
        except CekuraTuiError as error:
            page.notify_once(error.sentence(), warning=True)
            return
        if page.is_unmounted:
            return
        whose_key = self._state.workspace.setup.known_keys().found_in(done.sent or "")
        title, text = relaunch_question(job, self._state, whose_key)

        def relaunch() -> None:
            page.notify_once(f"Relaunching job {job.number} …")
            self._send(job.number, lambda session: session.jobs.launch_again(job.number), launched_words)

        page.opening.end_wait()
        # With a callback, because the page's next key would cancel a worker that waits for the answer.
        ConfirmDialog(title, text, f"Relaunch job {job.number}").ask(page.app, relaunch)

    def _stop(self, job: Job) -> None:
        words = (lambda _: f"Stopped job {job.number}.") if job.is_local else _polled_words
        self._send(job.number, lambda session: session.jobs.stop(job.number), words)

    def _forget(self, job: Job) -> None:
        def words(_: Job) -> str:
            self._forgotten()
            return f"Job {job.number} deleted from this machine."

        question = ConfirmDialog(*forget_question(job), f"Delete job {job.number}")
        forget = partial(self._send, job.number, lambda session: session.jobs.forget(job.number), words)
        question.ask(self._page.app, forget)

    def _send(self, number: int, ask: Callable[[Session], Awaitable[Job]], words: Callable[[Job], str]) -> None:
        """Run a request in a worker of the app, because the user may close the page before the request is done. Do
        nothing while an earlier request about job `number` is running."""
        if not self._is_busy(number):
            self._page.app.run_worker(self._run_request(ask, words), name=str(number), group=_GROUP)

    async def _run_request(self, ask: Callable[[Session], Awaitable[Job]], words: Callable[[Job], str]) -> None:
        page = self._page
        try:
            job = await asyncio.shield(asyncio.wrap_future(self._state.workspace.send(ask)))
        except (KeyMissing, UsageError) as error:
            # Without the hint of a UsageError, which is about commands.
            page.notify_once(error.message if isinstance(error, UsageError) else error.sentence(), warning=True)
        except CekuraTuiError as error:
            pages = [screen for screen in page.app.screen_stack if isinstance(screen, Page)]
            (page if page.is_attached or not pages else pages[-1]).show_error(error)
        else:
            page.notify_once(words(job), warning=job.state == JobState.UNCONFIRMED)
            self._update_state(job)

    def _update_state(self, job: Job) -> None:
        """Update the list of jobs immediately, so that the next key acts on the job's new state."""
        others = [known for known in self._state.jobs if known.number != job.number]
        if job.state == JobState.FORGOTTEN:
            self._state.put_jobs(others)
        elif len(others) < len(self._state.jobs):
            self._state.put_job(job)
        elif self._state.job(job.again_of) is not None:
            self._state.put_new(job)

    async def _copy(self) -> None:
        page, workspace = self._page, self._state.workspace
        if (job := self._idle_job()) is None:
            return
        try:
            record = await workspace.call(lambda session: session.jobs.record(job.number))
            done = await workspace.call(lambda session: session.jobs.suggestion(job.number))
            staged = await workspace.do(lambda session: session.store.stagings.staged(job.number))
        except CekuraTuiError as error:
            if isinstance(error, UsageError):
                # Another window forgot the job; do not report it if the user forgot it here.
                if self._state.job(job.number) is not None and not self._is_busy(job.number):
                    page.notify_once(error.sentence(), warning=True)
            elif not page.is_unmounted:
                page.show_error(error)
            return
        if page.is_unmounted:
            return
        offers = [Offer(_CURL_LABELS[name], partial(str, text)) for name, text in record.curls.items()]
        as_json = partial(json.dumps, done.to_json(), indent=2)

        def save(dialog: CopyDialog) -> None:
            dialog.save(f"job {job.number} as JSON", f"job-{job.number}.json", partial(write_lines, as_json()))

        offers += [Offer("job as JSON", as_json), Offer("save the job as JSON to a file …", as_json, do=save)]
        if done.improved_prompt is not None:
            offers.append(Offer("improved prompt …", do=lambda dialog: dialog.dismiss(done)))
        chosen = await page.opening.ask(CopyDialog(f"job {job.number}", offers))
        if isinstance(chosen, str):
            page.notify_once(chosen)
        elif chosen:
            prompt = done.prompt if staged is None else staged
            self._state.ask(HandOff(done, lambda: prompt, page.notify_once))


def _action(id_: str, key: str, name: str, label: str, tooltip: str, footer: int) -> Action:
    def why_not(page: Any) -> str | None:
        return None if page.job_actions.applies(name) else NOT_OFFERED

    return Action(id_, key, lambda page: page.job_actions.do(name), label, tooltip, footer, why_not=why_not)


_DETAILS_TOOLTIP = "What was sent, every state and every answer with its time, the requests as curl"
DETAILS = _action("job.details", "d", "details", "Details", _DETAILS_TOOLTIP, 5)
JOB_ACTIONS = (
    _action("job.stop", "L", "stop", "Stop polling", "Stop polling a job, or stop a command", 2)._replace(
        label_now=lambda page: "Stop" if page.job and page.job.is_local else ""
    ),
    _action("job.resume", "L", "resume", "Resume polling", "Poll a job again", 3),
    _action("job.again", "i", "launch_again", "Relaunch", "Relaunch an unconfirmed, lost or failed job", 4),
    _action("job.test", "T", "test", "Test", "Call the scenarios again with the prompt that the agent has", 7),
    # After the other actions of a page.
    _action("job.forget", "D", "forget", "Delete", "Delete a job from this machine", 999),
    _action("job.copy", "y", "copy", "Copy or save", "A job as JSON or its requests as curl, without the key", 6),
)
ACTION_NAMES = ("details", "stop", "resume", "launch_again", "test", "forget", "copy")


def _polled_words(job: Job) -> str:
    words = {
        JobState.RUNNING: f"Polling job {job.number} again.",
        JobState.STOPPED: f"Stopped polling job {job.number}. The job may still run on the server.",
    }
    return words.get(job.state, f"Job {job.number}: {job.state.words}.")


def launched_words(job: Job) -> str:
    if job.state == JobState.UNCONFIRMED:
        return f"Job {job.number} unconfirmed: {job.reason}"
    return f"Job {job.number} launched. It runs {KINDS[job.kind].place}."
