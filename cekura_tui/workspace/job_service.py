"""The jobs of a session: draft, launch, list, stop, resume and forget them.

`JobRecord` is all that is known of one job, in one piece.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cekura_tui.jobs.owner import Owner, read_owner
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.job import Draft, Job, JobState, Suggestion
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.job_reading import UnreadableJob
from cekura_tui.store.jobs import RawAnswer, StateChange

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.engine import JobEngine
    from cekura_tui.store.store import Store


DAMAGED = "damaged in the database"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job, what was sent, every state it came into, and every distinct raw answer, each oldest first.

    `draft` is None where the prompt that was sent is damaged. `owner` is the process that launched it, `owner_runs`
    whether that still runs (None where nobody can say, because it is on another host). `curls` are shell commands by
    name, `launch` (of a draft) and `progress`, without the key.
    """

    job: Job
    draft: Draft | None
    changes: tuple[StateChange, ...]
    answers: tuple[RawAnswer, ...]
    owner: Owner | None
    curls: Mapping[str, str]

    @property
    def sent(self) -> Sequence[tuple[str, str]]:
        """What was sent, or is to be: names and texts."""
        if self.draft is None:
            return [("Runs", " ".join(map(str, self.job.run_ids))), ("Agent", self.job.agent), ("Prompt", DAMAGED)]
        return KINDS[self.job.kind].sent(self.job, self.draft)

    @property
    def owner_runs(self) -> bool | None:
        return self.owner.runs if self.owner is not None and self.owner.here else None


class JobService:
    """Drafts and jobs of this account. Used on the session's loop.

    With `no_key` no job is polled: that is raised.
    """

    def __init__(
        self, store: Store, client: Client, engine: JobEngine, *, no_key: CekuraTuiError | None = None
    ) -> None:
        self._store, self._client, self._engine, self._no_key = store, client, engine, no_key

    # Launching

    async def draft(self, agent_id: int | None, run_ids: Sequence[int]) -> tuple[Draft, Job] | None:
        """The draft for these runs that was touched last, else the one for their agent."""
        job = self._store.jobs.latest_draft(agent_id, run_ids)
        with contextlib.suppress(DamagedText):
            return (self._store.jobs.draft_of(job), job) if job else None
        return None

    def _need_key(self) -> None:
        if self._no_key is not None:
            raise self._no_key

    def need_records(self) -> None:
        """Raise StoreError where no answer about a job can be recorded, so that none is asked for."""
        if mend := self._store.database.unwritable:
            raise StoreError("Read-only session: jobs are not polled.", mend)

    # Looking

    async def overview(self) -> tuple[list[Job], dict[str, list[float]], CekuraTuiError | None]:
        """All jobs, how many seconds this profile's last jobs of each kind took, and why jobs are not followed, or not
        there, at the moment."""
        jobs, durations = self._store.jobs.all(), self._store.jobs.durations()
        return jobs, durations, self._engine.paused or self._engine.trouble or self._store.jobs.unreadable

    async def get(self, number: int) -> Job:
        """One job; raises UsageError where there is none of this number, KeyMissing where it is another server's."""
        job = self._store.jobs.get(number)
        if job is None or job.state == JobState.FORGOTTEN:
            raise UsageError(f"No job {number} found.", "See `jobs list`.")
        if job.origin != self._store.account.origin:
            raise KeyMissing(f"Job {number} belongs to {job.origin}.", "Use --api-url and the key of that server.")
        return job

    async def followed(self, number: int) -> Job:
        """One job that this key can ask about; raises KeyMissing where it needs another one."""
        self._need_key()
        job = await self.get(number)
        if job.other_key and not job.state.final:
            raise KeyMissing(
                f"Job {number} was launched with another key.",
                f"Use that key, or try `jobs resume {number}` with this key.",
            )
        if not job.state.final:
            self.need_records()
        return job

    async def stop(self, number: int) -> Job:
        """Ask about a job no more; raises UsageError where it is not running."""
        job = await self.followed(number)
        if job.state != JobState.RUNNING:
            raise UsageError(f"Can't stop job {number} ({job.state.words}).")
        return self._engine.stop(number)

    async def resumable(self, number: int) -> Job:
        """One job that can be asked about again; raises UsageError where there is nothing to ask about."""
        self._need_key()
        self.need_records()
        job = await self.get(number)
        theirs = job.other_key and not job.state.final
        if not (theirs or job.resumable or job.state == JobState.RUNNING):
            raise UsageError(f"Can't resume job {number} ({job.state.words}).")
        return job

    async def resume(self, number: int) -> Job:
        await self.resumable(number)
        return await self._engine.resume(number)

    async def adopt(self, number: int, progress_id: str) -> Job:
        """Record by hand the id by which the server took a job, whose answer was not recorded; a job that has it stays.

        The server is asked about it later. Raises UsageError for an id that is none, and for a job that has another one
        or was not sent.
        """
        if not progress_id.strip() or not progress_id.isprintable():
            raise UsageError("The progress_id is empty or has control characters.", "Copy it from the error message.")
        job = await self.get(number)
        if job.state == JobState.LAUNCHING:
            raise UsageError(f"Job {number} is being launched.", "Adopt the job once that cekura-tui has ended.")
        if job.progress_id == progress_id and job.state != JobState.LOST:
            return job
        if job.state not in (JobState.UNCONFIRMED, JobState.LOST):
            why = f"{job.state.words}, with another progress_id" if job.progress_id else job.state.words
            raise UsageError(f"Can't adopt job {number} ({why}).", "See `jobs list`.")
        others = [
            one.number for one in self._store.jobs.all() if one.progress_id == progress_id and one.number != number
        ]
        if others:
            raise UsageError(f"Job {others[0]} has this progress_id.", f"See `jobs show {others[0]}`.")
        return self._store.jobs.adopt(number, progress_id, time.time())

    def take_over(self, *, lost: bool = False) -> None:
        """Follow with this key what the profile's earlier key launched and is running, or was `lost`; what the server
        does not show to it is left."""
        states = (JobState.RUNNING, JobState.LOST) if lost else (JobState.RUNNING,)
        with contextlib.suppress(StoreError):
            theirs = [job for job in self._store.jobs.all() if job.other_key and job.progress_id]
            self._engine.take_over(job.number for job in theirs if job.state in states)

    async def forgettable(self, number: int) -> Job:
        """One job that can be forgotten; raises UsageError while it is being launched."""
        return _not_launching(await self.get(number))

    async def forget(self, number: int) -> Job:
        """Drop a job with its texts, also one that cannot be read; raises UsageError while it is being launched."""
        with contextlib.suppress(UnreadableJob):
            await self.forgettable(number)
        return _not_launching(self._engine.forget(number))  # another window may have launched it just now

    async def launch_again(self, number: int) -> Job:
        """Launch once more what may not have arrived; raises UsageError for a job that runs or brought something."""
        job = await self.followed(number)
        if job.state not in (JobState.UNCONFIRMED, JobState.LOST, JobState.FAILED):
            raise UsageError(f"Can't relaunch job {number} ({job.state.words}).")
        return await self._engine.launch(self._store.jobs.draft_of(job), again_of=number)

    async def note_visit(self) -> None:
        self._store.note_visit(time.time())

    async def record(self, number: int) -> JobRecord:
        job = await self.get(number)
        draft = None
        with contextlib.suppress(DamagedText):
            draft = self._store.jobs.draft_of(job)
        changes, answers = self._store.jobs.changes(number), self._store.jobs.answers(number)
        curls = self._client.curls(KINDS[job.kind], draft, job.progress_id)
        return JobRecord(job, draft, tuple(changes), tuple(answers), read_owner(job.owner), curls)

    async def suggestion(self, number: int) -> Suggestion:
        return self._store.jobs.suggestion(await self.get(number))


def _not_launching(job: Job) -> Job:
    if job.state == JobState.LAUNCHING:
        raise UsageError(f"Job {job.number} is being launched.", "Forget the job once the server has answered.")
    return job
