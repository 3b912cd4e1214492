"""Launching a job: recorded first, sent once, and recorded again whatever comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError
from cekura_tui.jobs import lease as owner
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import clean_line
from cekura_tui.store.errors import SentUnrecorded, StoreError, Unrecorded

if TYPE_CHECKING:
    from cekura_tui.api.client import Client, LaunchAnswer
    from cekura_tui.store.jobs import JobStore

CLOSING = 1.0
"""Seconds that closing waits for a launch in flight to be answered."""
TRIES, BETWEEN, LATER = 10, 1.0, 5.0
"""How often, and how many seconds apart, what came of a launch is tried to be recorded; and how far apart later."""
_LATER = "cekura-tui keeps retrying while open. Do not launch the job again."
_SAVED_HINT = "The answer is saved beside the database and will be recorded later. Do not launch the job again."
_WAITED_FOR = (JobState.LAUNCHING, JobState.UNCONFIRMED)


class Launcher:
    """The launches of one account. `notify` is called after every committed change, `follow` with a job that runs."""

    def __init__(
        self,
        jobs: JobStore,
        client: Client,
        clock: Callable[[], float],
        notify: Callable[[], None],
        follow: Callable[[Job], None],
    ) -> None:
        self._jobs, self._client, self._clock = jobs, client, clock
        self._notify, self._follow = notify, follow
        self._flying: set[asyncio.Task[Job]] = set()
        self._recording: set[asyncio.Task[None]] = set()
        self._closing = False

    async def launch(self, draft: Draft, number: int | None, again_of: int | None) -> Job:
        """See `JobEngine.launch`."""
        task = asyncio.create_task(self._launch(draft, number, again_of))
        self._flying.add(task)
        task.add_done_callback(self._landed)
        # Who waits may give up; the request that was sent is waited for all the same.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give launches in flight a moment; one that is not answered by then is recorded as unconfirmed."""
        self._closing = True
        late = (await asyncio.wait(self._flying, timeout=CLOSING))[1] if self._flying else set()
        for task in (*late, *self._recording):
            task.cancel()
        await asyncio.gather(*late, *self._recording, return_exceptions=True)

    def _landed(self, task: asyncio.Task[Job]) -> None:
        self._flying.discard(task)
        if not task.cancelled():
            task.exception()  # it was raised to whoever waited, and is in the job's record

    async def _launch(self, draft: Draft, number: int | None, again_of: int | None) -> Job:
        job = self._begin(draft, number, again_of)
        self._notify()
        try:
            answer = await self._client.launch(draft)
        except ApiError as error:
            state = JobState.DRAFT if error.not_taken else JobState.UNCONFIRMED
            try:
                job = await self._put(job, state, error.message, error.body)
            except SentUnrecorded:
                if state != JobState.DRAFT:
                    raise
                raise error from None
            if state == JobState.DRAFT:
                if "Draft saved" not in error.hint:
                    error.hint = f"{error.hint} Draft saved as job {job.number}.".strip()
                raise
            return job
        except asyncio.CancelledError:
            reason = "cekura-tui was closed before the server answered. The job may or may not have started."
            with contextlib.suppress(StoreError):
                await self._put(job, JobState.UNCONFIRMED, reason)
            raise
        return await self._taken(job, answer)

    def _begin(self, draft: Draft, number: int | None, again_of: int | None) -> Job:
        """Record what is about to be sent, as ours to send."""
        ours = owner.this_process()
        try:
            job = self._jobs.begin_launch(draft, self._clock(), ours, number, again_of)
        except StoreError as error:
            raise Unrecorded(f"Nothing was launched. {error.message}", error.hint) from None
        if job.state != JobState.LAUNCHING or job.owner != ours:
            hint = "See the list of jobs."
            if job.number == again_of:
                raise UsageError(f"Can't relaunch job {again_of} ({job.state.words}).")
            if again_of is not None:
                raise UsageError(f"Job {again_of} was already relaunched as job {job.number}.", hint)
            if self._jobs.draft_of(job) != draft:
                saved = self._jobs.save_draft(draft, self._clock())
                hint += f" Your draft differs; saved as job {saved.number}."
            raise UsageError(f"Job {job.number} was already launched.", hint)
        return job

    async def _taken(self, job: Job, answer: LaunchAnswer) -> Job:
        """Record the answer of a server that took the job, by its id, if it gave one."""
        id_field = KINDS[job.kind].id_field
        if answer.progress_id is None:
            reason = f"The server's answer has no usable {id_field}, so the job can't be polled."
            return await self._put(job, JobState.UNCONFIRMED, reason, answer.raw)
        progress_id, at = answer.progress_id, self._clock()
        record = partial(self._jobs.record_progress_id, job.number, progress_id, answer.raw, at)
        keep_pending = partial(self._jobs.save_pending_answer, job, progress_id, answer.raw, at)
        try:
            return await self._recorded(record, keep_pending)
        except StoreError as error:
            taken = f"The server accepted job {job.number} ({id_field} {clean_line(progress_id, 80)})"
            hint = _SAVED_HINT if keep_pending() else _LATER
            raise SentUnrecorded(f"{taken}, but the answer is not recorded yet. {error.message}", hint) from None

    async def _put(self, job: Job, state: JobState, reason: str, raw: str = "") -> Job:
        """Record how the launch went, unless another window has found out more."""
        number, at = job.number, self._clock()
        record = partial(self._jobs.record_state, number, state, reason, at, raw, only_from=_WAITED_FOR)
        try:
            return await self._recorded(record)
        except StoreError as error:
            sent = f"Job {number} was sent. {reason} The answer is not recorded yet. {error.message}"
            raise SentUnrecorded(sent, _LATER) from None

    async def _recorded(self, record: Callable[[], Job], keep_pending: Callable[[], object] = lambda: None) -> Job:
        """Record what came of a launch.

        Where the database does not let it, `keep_pending` is called, and it is tried again and again; at last
        StoreError is raised, and it is tried further, for as long as the program runs.
        """
        over = self._closing
        for again in range(TRIES):
            try:
                return self._report(record())
            except StoreError:
                if again == 0:
                    keep_pending()
                if over:
                    raise
                if again == TRIES - 1:
                    task = asyncio.create_task(self._record_later(record))
                    self._recording.add(task)
                    task.add_done_callback(self._recording.discard)
                    raise
            over = await _interrupted(BETWEEN)
        raise AssertionError("it was recorded, or that was refused")

    async def _record_later(self, record: Callable[[], Job]) -> None:
        over = False
        while not over:
            over = await _interrupted(LATER)
            with contextlib.suppress(StoreError):
                self._report(record())
                return

    def _report(self, job: Job) -> Job:
        if job.state == JobState.RUNNING:
            self._follow(job)
        self._notify()
        return job


async def _interrupted(seconds: float) -> bool:
    """Wait; returns whether the program is being closed, so that there is but one more try."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return True
    return False
