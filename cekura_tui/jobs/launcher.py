"""Launching a job: recorded first, sent once, and recorded again whatever comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, NotConnected
from cekura_tui.jobs import owner
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import clean_line
from cekura_tui.store.errors import StoreError, TakenUnrecorded, Unrecorded

if TYPE_CHECKING:
    from cekura_tui.api.client import Client, Launch
    from cekura_tui.store.jobs import JobStore

CLOSING = 1.0
"""Seconds that closing waits for a launch in flight to be answered."""
TRIES, BETWEEN = 10, 1.0
"""How often, and how many seconds apart, the answer to a launch is tried to be recorded."""
_WAITED_FOR = (JobState.LAUNCHING, JobState.UNCONFIRMED)


class Launcher:
    """The launches of one account. `tell` is called after every committed change, `follow` with a job that runs."""

    def __init__(
        self,
        jobs: JobStore,
        client: Client,
        clock: Callable[[], float],
        tell: Callable[[], None],
        follow: Callable[[Job], None],
    ) -> None:
        self._jobs, self._client, self._clock = jobs, client, clock
        self._tell, self._follow = tell, follow
        self._flying: set[asyncio.Task[Job]] = set()

    async def launch(self, draft: Draft, number: int | None, again_of: int | None) -> Job:
        """See `JobEngine.launch`."""
        task = asyncio.create_task(self._launch(draft, number, again_of))
        self._flying.add(task)
        task.add_done_callback(self._landed)
        # Who waits may give up; the request that was sent is waited for all the same.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give launches in flight a moment; one that is not answered by then is recorded as unconfirmed."""
        if not self._flying:
            return
        _, late = await asyncio.wait(self._flying, timeout=CLOSING)
        for launch in late:
            launch.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _landed(self, task: asyncio.Task[Job]) -> None:
        self._flying.discard(task)
        if not task.cancelled():
            task.exception()  # it was raised to whoever waited, and is in the job's record

    async def _launch(self, draft: Draft, number: int | None, again_of: int | None) -> Job:
        job = self._begin(draft, number, again_of)
        self._tell()
        try:
            answer = await self._client.launch(draft)
        except ApiError as error:
            state = JobState.DRAFT if _was_not_taken(error) else JobState.UNCONFIRMED
            job = await self._put(job, state, error.message, error.body)
            if state == JobState.DRAFT:
                if "draft is kept" not in error.hint:
                    error.hint = f"{error.hint} The draft is kept as {job.number}.".strip()
                raise
            return job
        except asyncio.CancelledError:
            reason = "The program was closed before the server answered; it may or may not have taken the job."
            await self._put(job, JobState.UNCONFIRMED, reason, tries=1)
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
            hint = "It is in the list of jobs."
            if job.number == again_of:
                raise UsageError(f"Job {again_of} is {job.state.words}: it is not launched again.")
            if again_of is not None:
                raise UsageError(f"Job {again_of} was launched again already, as job {job.number}.", hint)
            if self._jobs.draft_of(job) != draft:
                kept = self._jobs.save_draft(draft, self._clock())
                hint += f" What you have here is another text; the draft is kept as {kept.number}."
            raise UsageError(f"Job {job.number} was launched already.", hint)
        return job

    async def _taken(self, job: Job, answer: Launch) -> Job:
        """Record the answer of a server that took the job, by its id, if it gave one."""
        if answer.progress_id is None:
            reason = "The server answered without a progress_id, so it cannot be asked about the job."
            return await self._put(job, JobState.UNCONFIRMED, reason, answer.raw)
        number, progress_id, at = job.number, answer.progress_id, self._clock()
        try:
            job = await self._recorded(lambda: self._jobs.record_progress_id(number, progress_id, answer.raw, at))
        except StoreError as error:
            # The id stands nowhere but here, so it is told.
            taken = f"The server took job {number} (progress_id {clean_line(progress_id, 80)})"
            raise TakenUnrecorded(f"{taken}, but this could not be recorded. {error.message}", error.hint) from None
        if job.state == JobState.RUNNING:
            self._follow(job)
        self._tell()
        return job

    async def _put(self, job: Job, state: JobState, reason: str, raw: str = "", tries: int | None = None) -> Job:
        """Record how the launch went, unless another window has found out more."""
        number, at = job.number, self._clock()
        job = await self._recorded(
            lambda: self._jobs.record_state(number, state, reason, at, raw, only_from=_WAITED_FOR), tries
        )
        self._tell()
        return job

    async def _recorded(self, record: Callable[[], Job], tries: int | None = None) -> Job:
        """Record what came of a launch; where the database does not let it, again and again for a while."""
        for _ in range((tries or TRIES) - 1):
            with contextlib.suppress(StoreError):
                return record()
            try:
                await asyncio.sleep(BETWEEN)
            except asyncio.CancelledError:
                break  # the program is being closed: once more, then
        return record()


def _was_not_taken(error: ApiError) -> bool:
    """Whether the server certainly did not take the job: it was not sent, or it was refused."""
    return isinstance(error, NotConnected) or (400 <= error.status < 500 and error.status not in (408, 409))
