"""Launching a job: recorded first, sent once, and recorded again whatever comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError
from cekura_tui.jobs import owner
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import clean_line
from cekura_tui.store.errors import SentUnrecorded, StoreError, Unrecorded
from cekura_tui.store.pending_answers import PendingAnswer

if TYPE_CHECKING:
    from cekura_tui.api.client import Client, LaunchAnswer
    from cekura_tui.store.jobs import JobStore

CLOSING = 1.0
"""Seconds that closing waits for a launch in flight to be answered."""
TRIES, BETWEEN, LATER = 10, 1.0, 5.0
"""How often, and how many seconds apart, what came of a launch is tried to be recorded; and how far apart later."""


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
        self._unrecorded: dict[int, SentUnrecorded] = {}

    @property
    def unrecorded(self) -> list[SentUnrecorded]:
        """The launches of which is still not recorded what came of them."""
        return [launch for launch in self._unrecorded.values() if not launch.is_recorded]

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
        launched_at, at = job.launched_at or 0.0, self._clock()
        taken = PendingAnswer(job.number, launched_at, answer.progress_id, answer.raw, at)
        shown_id = f"{id_field} {clean_line(answer.progress_id, 80)}"
        return await self._record(taken, f"The server accepted job {job.number} ({shown_id}), but the answer")

    async def _put(self, job: Job, state: JobState, reason: str, raw: str = "") -> Job:
        """Record how the launch went, unless another window has found out more."""
        sent = f"Job {job.number} was sent. {reason} The answer"
        launched_at, at = job.launched_at or 0.0, self._clock()
        return await self._record(PendingAnswer(job.number, launched_at, None, raw, at, state, reason), sent)

    async def _record(self, answer: PendingAnswer, sentence: str) -> Job:
        """Record what came of a launch.

        Where the database does not let it, it is kept in a file, and tried again and again; at last SentUnrecorded is
        raised, which begins with the `sentence`, and it is tried further, for as long as the program runs.
        """
        over = self._closing
        for again in range(TRIES):
            try:
                return self._report(self._jobs.record_launch_answer(answer))
            except StoreError as error:
                saved = self._jobs.save_pending_answer(answer)
                if over or again == TRIES - 1:
                    raise self._give_up(answer, f"{sentence} is not recorded yet. {error.message}", saved) from None
            over = await _interrupted(BETWEEN)
        raise AssertionError("it was recorded, or that was refused")

    def _give_up(self, answer: PendingAnswer, message: str, saved: Path | None) -> SentUnrecorded:
        """Let the launch be reported as unrecorded; it is tried further."""
        error = SentUnrecorded(message, answer.number, answer.progress_id, saved)
        if answer.state != JobState.DRAFT:  # nothing is lost with a refusal
            self._unrecorded[answer.number] = error
        if not self._closing:
            task = asyncio.create_task(self._record_later(answer))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)
        return error

    async def _record_later(self, answer: PendingAnswer) -> None:
        over = False
        while not over:
            over = await _interrupted(LATER)
            with contextlib.suppress(StoreError):
                self._report(self._jobs.record_launch_answer(answer))
                return

    def _report(self, job: Job) -> Job:
        self._unrecorded.pop(job.number, None)
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
