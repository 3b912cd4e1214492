"""Polling a job once and recording what came of it, and when it is polled next; all times in seconds."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cekura_tui.api.errors import ApiError, KeyRefused, TooLarge
from cekura_tui.jobs.waiting import (
    DAY,
    FAILURES_OF_ONE_JOB,
    MINUTE,
    interval,
    recheck_interval,
    retry_delay,
    server_pause,
)
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.job import OTHER_JOB, RESET, Job, JobState
from cekura_tui.model.job_kind import WAITING, WORKING
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import clean_line
from cekura_tui.store.errors import StoreError

if TYPE_CHECKING:
    from cekura_tui.api.client import Client, ProgressAnswer
    from cekura_tui.jobs.lease import Lease
    from cekura_tui.store.jobs import JobStore


BUDGET, WINDOW = 5, 1.05
"""Background requests in so many seconds: a little over one, for the way to the server shifts them."""
TIMES_TO_BELIEVE = 3
"""So often, over a minute if nothing else is said, must the server say what ends the following of a job."""
SUSPECTED = 20.0
"""Seconds over which an end is believed that one answer alone does not prove."""
CLOCKS_DIFFER = 5 * MINUTE
"""Seconds by which the clocks of one server's machines may differ."""


@dataclass
class Streak:
    """How often in a row, and since when, the server said something; it is believed `over` so many seconds."""

    over: float = MINUTE
    times: int = 0
    since: float = 0.0

    def add(self, now: float) -> bool:
        """Once more; returns whether this was often enough, and long enough, to be believed."""
        self.since = self.since if self.times else now
        self.times += 1
        return self.times >= TIMES_TO_BELIEVE and now - self.since >= self.over

    def end(self) -> None:
        """It said something else."""
        self.times = 0


class Budget:
    """At most `rate` requests in any `window` of seconds."""

    def __init__(self, rate: int = BUDGET, window: float = WINDOW) -> None:
        self._taken: deque[float] = deque(maxlen=rate)
        self._window = window

    def wait(self, now: float) -> float:
        """Seconds until a request may be made."""
        if len(self._taken) < (self._taken.maxlen or 1):
            return 0.0
        return max(0.0, self._taken[0] + self._window - now)

    def take(self, now: float) -> None:
        """A request is made now."""
        self._taken.append(now)


@dataclass(frozen=True, slots=True)
class PollTimes:
    """When a job was polled last, and is polled next, in Unix seconds.

    `last_at` is None before the first poll, `next_at` while a request is on its way.
    """

    last_at: float | None
    next_at: float | None


LONG_AGO = float("-inf")
ANSWERED_LATELY = 2 * MINUTE
"""Seconds since the last answer to another key in which a job is left to whoever asks with that one."""


@dataclass(eq=False)
class PolledJob:
    """A job, and what is remembered of asking about it; times are monotonic."""

    job: Job
    next_at: float
    last_at: float
    since: float
    failures: int = 0
    unknown: Streak = field(default_factory=Streak)
    too_large: Streak = field(default_factory=Streak)
    overdue: Streak = field(default_factory=Streak)
    suspected: Streak = field(default_factory=lambda: Streak(SUSPECTED))
    in_flight: bool = False
    retracted: bool = False
    """Whether the server has retracted a failure: the next one is not believed at once."""
    last_answer: int | None = None
    """The hash of the last raw answer: the same again needs no record of its own."""
    server_at: float = 0.0
    """The server's own time (Unix) of its last answer, where it tells one."""
    ended_at: float | None = None
    """When (Unix time) this process recorded its end."""

    @classmethod
    def started(cls, job: Job, now: float) -> Self:
        """A job that is followed from now on."""
        return cls(job, next_at=now, last_at=now, since=now)

    @property
    def ended_here(self) -> bool:
        """Whether it has ended, and this process recorded that."""
        return self.job.state.final and self.job.finished_at == self.ended_at


class Poller:
    """Asks about jobs, and knows when the server as a whole wants to be left alone."""

    def __init__(
        self,
        jobs: JobStore,
        lease: Lease,
        client: Client,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        spread: Callable[[], float],
    ) -> None:
        self._jobs, self._lease, self._client = jobs, lease, client
        self._clock, self._monotonic, self._spread = clock, monotonic, spread
        self._failures = 0
        self._refused_jobs: set[int] = set()
        self.followed = 1
        """How many jobs are followed: where it is one, nothing else can tell whether the key is taken."""
        self._quiet_until = self._asked_to_wait_until = LONG_AGO
        self.refused: KeyRefused | None = None
        """The key was refused; one job is asked about now and then, until it is taken again."""

    @property
    def silent(self) -> bool:
        """Whether the server fails, or refuses the key, so that nothing is heard of any job."""
        return self.refused is not None or self._failures > FAILURES_OF_ONE_JOB

    def wait(self, now: float) -> float:
        """Seconds in which nothing is to be asked."""
        return max(0.0, self._quiet_until - now, self._asked_to_wait_until - now)

    def take(self, now: float) -> None:
        """A request is made now; as long as the key is refused, it is the only one for a minute."""
        self._quiet_until = now + MINUTE if self.refused else LONG_AGO

    def resume_polling(self) -> None:
        """The server answers: ask again at once, unless it asked to wait."""
        self.refused, self._quiet_until, self._failures = None, LONG_AGO, 0

    async def poll_once(self, followed: PolledJob) -> float | None:
        """One request and its record; returns seconds to the next where they do not follow from the job's age.

        Raises StoreError where what came could not be recorded, and KeyMissing for a job that needs another key.
        """
        job = followed.job
        if job.other_key and self._is_followed_elsewhere(job):
            return MINUTE
        try:
            answer = await (self._shown(job) if job.other_key else self._progress(job))
        except ApiError as error:
            if job.state.final:  # a server that has dropped a job that failed retracts nothing
                if error.retry_after is not None:
                    self._leave_alone(error.retry_after)
                return None
            return self._refused(followed, error) if isinstance(error, KeyRefused) else self._failed(followed, error)
        if self.refused or self._failures:
            self.resume_polling()
        followed.failures = 0
        self._refused_jobs.clear()
        self._record(followed, answer, job.state)
        return None

    async def _progress(self, job: Job) -> ProgressAnswer:
        return await self._client.progress(KINDS[job.kind], job.progress_id or "")

    def _is_followed_elsewhere(self, job: Job) -> bool:
        """Whether another process seems to follow it with the key it was launched with."""
        since = self._clock() - (job.answered_at or 0.0)
        return job.state == JobState.RUNNING and job.stale_since is None and 0 <= since < ANSWERED_LATELY

    def usual(self, job: Job) -> float:
        """Seconds until a job is asked about again, by its age, or by how long ago it failed."""
        if job.finished_at is not None:
            return recheck_interval(self._clock() - job.finished_at)
        return interval(self._clock() - (job.launched_at or job.created_at), self._spread())

    def may_be_retracted(self, job: Job) -> bool:
        """Whether a job failed so lately that the server is still asked now and then whether it holds to that."""
        failed = job.state == JobState.FAILED and job.resumable
        return failed and 0 <= self._clock() - (job.launched_at or job.created_at) < DAY

    def until_recheck(self, job: Job) -> float:
        """Seconds until a job that failed is due, by what any process has heard of it."""
        ended = job.finished_at or 0.0
        heard = max(job.answered_at or 0.0, ended)
        return max(0.0, recheck_interval(heard - ended) - max(0.0, self._clock() - heard))

    def _record(
        self, followed: PolledJob, answer: ProgressAnswer, asked_as: JobState, *, accepted: bool = False
    ) -> None:
        """Record an answer to a question about a job in the state `asked_as`; one that is about another job is this
        one's where that was `accepted`, and so are those after it."""
        job, at, seen = followed.job, self._clock(), hash(answer.raw)
        kind, now = KINDS[job.kind], self._monotonic()
        if job.other_key:
            job = self._jobs.take_over(job.number, at)
        accepted = accepted or (job.state == JobState.RUNNING and job.reason.startswith(OTHER_JOB))
        other = self._mismatch(followed, answer)
        doubt = f"{OTHER_JOB}{other}. {RESET}." if other else ""
        if other and not accepted:
            followed.job = self._lose(job, doubt, answer.raw)
            return
        progress = kind.read(answer.payload, answer.raw)
        doubt = doubt or self._reset_doubt(followed, progress.status, answer.at)
        goes_on = progress.status.lower() in WAITING | WORKING
        if asked_as == JobState.FAILED and not (goes_on or progress.end or progress.suspected_end):
            kept = self._jobs.get(job.number)
            if kept is not None and kept.state == JobState.FAILED:  # it may have been resumed meanwhile
                progress = progress._replace(end="failed", error=job.error)  # what says nothing retracts nothing
        elif followed.retracted and progress.end == "failed":
            progress = progress._replace(end=None, suspected_end="failed")
        if progress.suspected_end is None:
            followed.suspected.end()
        elif followed.suspected.add(now) or asked_as == JobState.FAILED:
            progress = progress.believed
        news = seen != followed.last_answer or progress.end is not None or doubt
        if not news and job.state == JobState.RUNNING and job.stale_since is None:
            self._lease.record_repeated_answer(job.number, at)
        else:
            job = self._jobs.record_answer(
                job.number,
                progress,
                answer.raw,
                at,
                repeated_at=self._lease.take_repeated_answer(job.number),
                asked_as=asked_as,
                doubt=doubt,
            )
            followed.last_answer = seen
            followed.ended_at = at
            followed.retracted |= asked_as == JobState.FAILED and job.state == JobState.RUNNING
        # By the clock that nobody sets, since it is followed: one that was resumed has as long again. A machine that
        # slept may hear of the end next.
        if job.state == JobState.RUNNING and now - followed.since >= DAY and followed.overdue.add(now):
            job = self._lose(job, "No final answer in 24 hours.")
        followed.job = job

    def _mismatch(self, followed: PolledJob, answer: ProgressAnswer) -> str:
        """In what an answer is about another job. The launch was at one time by the clock of this machine, and at
        another by the server's: as long before its answer as it is ago here, or as the job has been followed, for that
        clock may have been set."""
        job, launched, at = followed.job, followed.job.launched_at, answer.at
        moments: tuple[float, ...] = ()
        if launched is not None and at is not None:
            moments = (launched, at - (self._clock() - launched), at - (self._monotonic() - followed.since))
        return KINDS[job.kind].mismatch(job, answer.payload, moments)

    def _reset_doubt(self, followed: PolledJob, status: str, server_at: float | None) -> str:
        """What speaks for a server that was reset since the last answer about a job; empty where nothing does."""
        job, unknown = followed.job, followed.unknown.times > 0
        followed.unknown.end()
        followed.too_large.end()
        went_back = server_at is not None and server_at < followed.server_at - CLOCKS_DIFFER
        followed.server_at = server_at or followed.server_at
        before = clean_line(job.last_status or "", 40)
        if went_back:
            return f"{RESET}: its clock went back."
        if before.lower() in WORKING and status.lower() in WAITING:
            return f"{RESET}: the job went from “{before}” back to “{clean_line(status, 40)}”."
        return f"{RESET}: it did not know the job for a while." if unknown and before else ""

    def _refused(self, followed: PolledJob, error: KeyRefused) -> float | None:
        """The server does not take the key: for anything, unless it has just told of another job."""
        self._refused_jobs.add(followed.job.number)
        followed.failures += 1
        followed.job = self._silent(followed.job)
        if len(self._refused_jobs) < min(2, self.followed):
            return retry_delay(followed.failures, error.retry_after, self._spread())
        self.refused, self._quiet_until = error, self._monotonic() + MINUTE
        return None

    def _failed(self, followed: PolledJob, error: ApiError) -> float:
        """The server did not tell: note since when, and count how often it did not know the id, or told too much.

        Only a server that answers can end a job: one that cannot be reached, however long, never does.
        """
        now = self._monotonic()
        followed.failures += 1
        if error.unknown_id or isinstance(error, TooLarge):
            self._failures = 0
            if (followed.unknown if error.unknown_id else followed.too_large).add(now):
                known = error.unknown_id and followed.job.last_status is not None
                knew = f" {RESET}: it knew the job before." if known else ""
                followed.job = self._lose(followed.job, error.message + knew, error.body)
                return 0.0
        else:
            self._failures += 1
        if error.retry_after is not None:
            self._leave_alone(error.retry_after)
        elif pause := server_pause(self._failures, self._spread()):
            self._quiet_until = max(now + pause, self._quiet_until)
        followed.job = self._silent(followed.job)
        return retry_delay(followed.failures, error.retry_after, self._spread())

    def _leave_alone(self, seconds: float) -> None:
        """The server asked to be asked nothing for so long."""
        until = self._monotonic() + retry_delay(0, seconds, 0.0)
        self._asked_to_wait_until = max(until, self._asked_to_wait_until)

    def _silent(self, job: Job) -> Job:
        if job.stale_since is not None or job.other_key:
            return job
        return self._jobs.record_silence([job.number], self._clock())[0]

    def silence(self, running: Iterable[PolledJob]) -> bool:
        """A server that is left alone is silent about every job, not only the one that was asked about last; returns
        whether this was news of any."""
        fresh = [one for one in running if one.job.stale_since is None and not one.job.other_key]
        if not (self.silent and fresh):
            return False
        with contextlib.suppress(StoreError):
            jobs = self._jobs.record_silence([one.job.number for one in fresh], self._clock())
            for one, job in zip(fresh, jobs, strict=True):
                one.job = job
            return True
        return False

    def _lose(self, job: Job, reason: str, raw: str = "") -> Job:
        return self._jobs.record_state(
            job.number, JobState.LOST, reason, self._clock(), raw, only_from=(JobState.RUNNING,)
        )

    async def take_over(self, job: Job) -> PolledJob:
        """Ask with this key about a job that was launched with another one; raises KeyMissing where it may not."""
        followed = PolledJob.started(job, self._monotonic())
        self._record(followed, await self._shown(job), JobState.RUNNING)
        return followed

    async def accept(self, job: Job) -> PolledJob:
        """Ask about a job once, and take the answer though it may be about another one; raises ApiError."""
        followed = PolledJob.started(job, self._monotonic())
        self._record(followed, await self._progress(job), job.state, accepted=True)
        return followed

    async def _shown(self, job: Job) -> ProgressAnswer:
        """What the server tells this key of another one's job; raises KeyMissing where it tells nothing."""
        if not job.progress_id:
            raise UsageError(f"Job {job.number} has no id on the server, so it can't be polled.")
        try:
            return await self._progress(job)
        except ApiError as error:
            if error.status in (400, 401, 403, 404):
                raise KeyMissing(
                    f"Job {job.number} needs the key used to launch it; the server refused this key.",
                    "Sign in with that key to poll the job.",
                ) from None
            raise
