"""The jobs of a session: draft, launch, list, stop, resume and forget."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cekura_tui.jobs.owner import Owner, read_owner
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.job import OPEN_LAUNCH, Draft, Job, JobState, Suggestion
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.store.errors import DamagedText, StoreError
from cekura_tui.store.job_reading import UnreadableJob
from cekura_tui.store.jobs import RawAnswer, StateChange

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.engine import JobEngine
    from cekura_tui.jobs.polling import PollTimes
    from cekura_tui.store.store import Store


DAMAGED = "damaged in the database"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """Everything known about a job, oldest changes and answers first. `draft` is None if it is damaged; `owner` is the
    launching process; `owner_runs` and `polls` are None if unknown; `curls` have no API key."""

    job: Job
    draft: Draft | None
    changes: tuple[StateChange, ...]
    answers: tuple[RawAnswer, ...]
    owner: Owner | None
    owner_runs: bool | None
    polls: PollTimes | None
    curls: Mapping[str, str]

    @property
    def sent(self) -> Sequence[tuple[str, str]]:
        """The names and texts of the values that the launch has sent or will send."""
        if self.draft is None:
            return [("Runs", " ".join(map(str, self.job.run_ids))), ("Agent", self.job.agent), ("Prompt", DAMAGED)]
        return KINDS[self.job.kind].sent(self.job, self.draft)


class JobService:
    """Drafts and jobs of this account, used on the session's loop. Methods that need a key raise `no_key`, if any."""

    def __init__(
        self, store: Store, client: Client, engine: JobEngine, *, no_key: CekuraTuiError | None = None
    ) -> None:
        self._store, self._client, self._engine, self._no_key = store, client, engine, no_key

    async def draft(self, agent_id: int | None, run_ids: Sequence[int]) -> tuple[Draft, Job] | None:
        """The latest draft for these runs, else the agent's, with its job; None without one, or if it is damaged."""
        job = self._store.jobs.latest_draft(agent_id, run_ids)
        with contextlib.suppress(DamagedText):
            return (self._store.jobs.draft_of(job), job) if job else None
        return None

    async def save_draft_again(self, fields: Mapping[str, Any], over: list[Any] | None) -> None:
        """Save a draft of an ended process in place of the job with the number and prompt `over`, if unchanged."""
        exact: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
        job = self._store.jobs.get(over[0]) if over else None
        is_unchanged = job is not None and [job.number, job.prompt_sha256] == over
        self._store.jobs.save_draft(Draft(**exact), time.time(), job if is_unchanged else None)

    def _require_key(self) -> None:
        if self._no_key is not None:
            raise self._no_key

    def require_writable(self) -> None:
        """Raise StoreError in a read-only session, where no answer can be recorded."""
        if mend := self._store.database.unwritable:
            raise StoreError("Read-only session: jobs are not polled.", mend)

    async def overview(self) -> tuple[list[Job], dict[str, list[float]], CekuraTuiError | None]:
        """All jobs; recent durations in seconds, by kind; and the error that stops polling or hides jobs, or None."""
        jobs, durations = self._store.jobs.all(), self._store.jobs.durations()
        return jobs, durations, self._engine.paused or self._engine.trouble or self._store.jobs.unreadable

    async def get(self, number: int) -> Job:
        """The job with this number. Raises UsageError if there is none, KeyMissing if it belongs to another server."""
        job = self._store.jobs.get(number)
        if job is None or job.state == JobState.FORGOTTEN:
            raise UsageError(f"No job {number} found.", "See `jobs list`.")
        if job.origin != self._store.account.origin:
            raise KeyMissing(f"Job {number} belongs to {job.origin}.", "Use --api-url and the key of that server.")
        return job

    async def pollable(self, number: int) -> Job:
        """A job that has ended, or that can be polled with this key; raises KeyMissing if the job needs another key. In
        a read-only session, raises StoreError for a job that has not ended."""
        self._require_key()
        job = await self.get(number)
        if job.state.final:
            return job
        if job.other_key:
            hint = f"Use that key, or try `jobs resume {number}` with this key."
            raise KeyMissing(f"Job {number} was launched with another key.", hint)
        self.require_writable()
        return job

    async def stop(self, number: int) -> Job:
        """Stop a command of this machine, or polling a job of the server. Raises UsageError unless the job runs."""
        job = await self.get(number)
        job = job if job.is_local else await self.pollable(number)  # a command needs neither key nor server
        if job.state != JobState.RUNNING:
            raise UsageError(f"Can't stop job {number} ({job.state.words}).")
        if job.is_local:
            return await self._engine.stop_command(job)
        return self._engine.stop(number)

    async def resumable(self, number: int) -> Job:
        """A job whose polling can be resumed; raises UsageError for any other job."""
        self._require_key()
        self.require_writable()
        job = await self.get(number)
        theirs = job.other_key and not job.state.final
        server = KINDS[job.kind].server
        is_lost_launch = job.state == JobState.UNCONFIRMED and (server is None or server.search(job) is not None)
        if not (theirs or is_lost_launch or job.resumable or job.state == JobState.RUNNING):
            raise UsageError(f"Can't resume job {number} ({job.state.words}).")
        return job

    async def resume(self, number: int) -> Job:
        await self.resumable(number)
        return await self._engine.resume(number)

    async def adopt(self, number: int, progress_id: str) -> Job:
        """Record a progress id from the user for an unconfirmed or lost job, so that the job can be polled. Raises
        UsageError if the id is invalid or is the id of another job, or if the job's state does not allow a new id."""
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
        for other in self._store.jobs.all():
            if other.progress_id == progress_id and other.number != number:
                raise UsageError(f"Job {other.number} has this progress_id.", f"See `jobs show {other.number}`.")
        return self._store.jobs.adopt(number, progress_id, time.time())

    def take_over(self, *, lost: bool = False) -> None:
        """Try to poll running jobs of the profile's other keys with this key; with `lost`, lost jobs as well."""
        states = (JobState.RUNNING, JobState.LOST) if lost else (JobState.RUNNING,)
        with contextlib.suppress(StoreError):
            theirs = [job for job in self._store.jobs.all() if job.other_key and job.progress_id]
            self._engine.take_over(job.number for job in theirs if job.state in states)

    async def forgettable(self, number: int) -> Job:
        """A job that can be forgotten; raises UsageError while it is launched, or its command runs."""
        return _forgettable(await self.get(number))

    async def forget(self, number: int) -> Job:
        """Forget a job, readable or not, and delete the job's texts; raises UsageError during the job's launch."""
        with contextlib.suppress(UnreadableJob):
            await self.forgettable(number)
        return _forgettable(self._engine.forget(number))  # another window may just have launched it

    async def launch_again(self, number: int) -> Job:
        """Launch an unconfirmed, lost or failed job again, as a new job; raises UsageError for any other job."""
        job = await self.pollable(number)
        if not job.relaunchable:
            raise UsageError(f"Can't relaunch job {number} ({job.state.words}).")
        return await self._engine.launch_again(self._store.jobs.draft_of(job), number)

    async def note_visit(self) -> None:
        self._store.note_visit(time.time())

    async def record(self, number: int) -> JobRecord:
        job = await self.get(number)
        draft = None
        with contextlib.suppress(DamagedText):
            draft = self._store.jobs.draft_of(job)
        changes, answers = self._store.jobs.changes(number), self._store.jobs.answers(number)
        curls = self._client.curls(KINDS[job.kind], draft, job.progress_id)
        owner, polls = read_owner(job.owner), self._engine.poll_times(number)
        owner_runs = owner.is_running if owner and owner.is_local and job.state in OPEN_LAUNCH else None
        return JobRecord(job, draft, tuple(changes), tuple(answers), owner, owner_runs, polls, curls)

    async def suggestion(self, number: int) -> Suggestion:
        return self._store.jobs.suggestion(await self.get(number))


def _forgettable(job: Job) -> Job:
    if job.state == JobState.LAUNCHING:
        raise UsageError(f"Job {job.number} is being launched.", "Forget the job once the server has answered.")
    if job.state == JobState.RUNNING and job.is_local:
        raise UsageError(f"The command of job {job.number} is running.", "Stop the job first.")
    return job
