"""Poll a job once, record the answer, and decide when to poll next; all times in seconds."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, KeyRefused, TooLarge
from cekura_tui.jobs.waiting import DAY, FAILURES_OF_ONE_JOB, MINUTE, interval, retry_delay, server_pause
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.store.errors import StoreError

if TYPE_CHECKING:
    from cekura_tui.api.client import Client, ProgressAnswer
    from cekura_tui.store.jobs import JobStore


BUDGET, WINDOW = 5, 1.05
"""Background requests in a window of seconds: a little over one, as the network may shift requests."""
TIMES_TO_BELIEVE = 3
"""Equal answers in a row before one that ends the polling of a job is believed."""
SUSPECTED = 20.0
"""Seconds over which answers that suggest an end must be repeated."""


@dataclass
class Streak:
    """Counts equal answers in a row, believed after `TIMES_TO_BELIEVE` over at least `over` seconds."""

    over: float = MINUTE
    times: int = 0
    since: float = 0.0

    def add(self, now: float) -> bool:
        """Count one more; returns whether it is believed now."""
        self.since = self.since if self.times else now
        self.times += 1
        return self.times >= TIMES_TO_BELIEVE and now - self.since >= self.over

    def end(self) -> None:
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
"""Seconds after an answer to another key in which a job is left to the process with that key."""


@dataclass(eq=False)
class PolledJob:
    """A job and the state of its polling; times are monotonic.

    `looked_at` is when this process polled the job last, or found that another process had polled it (Unix time).
    """

    job: Job
    next_at: float
    last_at: float
    since: float
    looked_at: float
    failures: int = 0
    unknown: Streak = field(default_factory=Streak)
    too_large: Streak = field(default_factory=Streak)
    overdue: Streak = field(default_factory=Streak)
    suspected: Streak = field(default_factory=lambda: Streak(SUSPECTED))
    in_flight: bool = False
    elsewhere: bool = False
    """Whether another process polls the job."""
    ended_at: float | None = None
    """When (Unix time) this process recorded its end."""

    @property
    def ended_here(self) -> bool:
        """Whether this process recorded its end."""
        return self.job.state.final and self.job.finished_at == self.ended_at


class Poller:
    """Polls jobs, and backs off where the server fails or asks for it."""

    def __init__(
        self,
        jobs: JobStore,
        client: Client,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        spread: Callable[[], float],
    ) -> None:
        self._jobs, self._client = jobs, client
        self._clock, self._monotonic, self._spread = clock, monotonic, spread
        self._failures = 0
        self._refused_jobs: set[int] = set()
        self.followed = 1
        """How many jobs of this key are polled: the refusal of an only one means that the key is refused."""
        self._quiet_until = self._asked_to_wait_until = LONG_AGO
        self.refused: KeyRefused | None = None
        """The refusal of the key, until the server takes it again."""

    def wait(self, now: float) -> float:
        return max(0.0, self._quiet_until - now, self._asked_to_wait_until - now)

    def take(self, now: float) -> None:
        """Note a request; while the key is refused, it is the only one for a minute."""
        self._quiet_until = now + MINUTE if self.refused else LONG_AGO

    def resume_polling(self) -> None:
        """Poll again at once, unless the server asked to wait."""
        self.refused, self._quiet_until, self._failures = None, LONG_AGO, 0

    def started(self, job: Job, *, at_once: bool = False) -> PolledJob:
        """The polling of a job; unless `at_once`, it is left to another process that polled it lately."""
        now, at = self._monotonic(), self._clock()
        looked_at = at if at_once else at - interval(self._age(job), 1.0)
        return PolledJob(job, next_at=now, last_at=now, since=now, looked_at=looked_at)

    def claim(self, followed: PolledJob) -> bool:
        """Claim the next poll, unless another process polled the job since this one looked last. Raises StoreError."""
        at = self._clock()
        followed.elsewhere = not self._jobs.claim_poll(followed.job.number, at, followed.looked_at)
        followed.looked_at = at
        if followed.elsewhere:
            wait = retry_delay(followed.failures, None, self._spread()) if followed.failures else None
            followed.next_at = self._monotonic() + (self.usual(followed.job) if wait is None else wait)
        return not followed.elsewhere

    async def poll_once(self, followed: PolledJob) -> float | None:
        """Send one request and record its answer; returns the seconds to the next one, None for `usual`.

        Raises StoreError if the answer could not be recorded, and KeyMissing for a job that needs another key.
        """
        job = followed.job
        since_answer = self._clock() - (job.answered_at or 0.0)
        answered_lately = job.stale_since is None and 0 <= since_answer < ANSWERED_LATELY
        if job.other_key and job.state == JobState.RUNNING and answered_lately:
            return MINUTE  # another process seems to poll it with its own key
        try:
            answer = await (self._shown(job) if job.other_key else self._progress(job))
        except ApiError as error:
            return self._refused(followed, error) if isinstance(error, KeyRefused) else self._failed(followed, error)
        if self.refused or self._failures:
            self.resume_polling()
        followed.failures = 0
        self._refused_jobs.clear()
        self._record(followed, answer)
        return None

    async def _progress(self, job: Job) -> ProgressAnswer:
        return await self._client.progress(KINDS[job.kind], job.progress_id or "")

    def usual(self, job: Job) -> float:
        """Seconds until a job is polled again, by its age."""
        return interval(self._age(job), self._spread())

    def _age(self, job: Job) -> float:
        return self._clock() - (job.launched_at or job.created_at)

    def _record(self, followed: PolledJob, answer: ProgressAnswer) -> None:
        job, at, now = followed.job, self._clock(), self._monotonic()
        if job.other_key:
            job = self._jobs.take_over(job.number, at)
        followed.unknown.end()
        followed.too_large.end()
        progress = KINDS[job.kind].read(answer.payload, answer.raw)
        if progress.suspected_end is None:
            followed.suspected.end()
        elif followed.suspected.add(now):
            progress = progress.believed
        job = self._jobs.record_answer(job.number, progress, answer.raw, at)
        followed.ended_at = at
        # Counted on the monotonic clock, from the last resume. After the machine slept the next answer may be final.
        if job.state == JobState.RUNNING and now - followed.since >= DAY and followed.overdue.add(now):
            job = self._lose(job, "No final answer in 24 hours.")
        followed.job = job

    def _refused(self, followed: PolledJob, error: KeyRefused) -> float | None:
        """Back off after a refusal of the key for one job; refusals of two jobs mean that the key is refused."""
        self._refused_jobs.add(followed.job.number)
        followed.failures += 1
        followed.job = self._silent(followed.job)
        if len(self._refused_jobs) < min(2, self.followed):
            return retry_delay(followed.failures, error.retry_after, self._spread())
        self.refused, self._quiet_until = error, self._monotonic() + MINUTE
        return None

    def _failed(self, followed: PolledJob, error: ApiError) -> float:
        """Record since when the server fails; only a repeated unknown id or too large answer loses the job."""
        now = self._monotonic()
        followed.failures += 1
        if error.unknown_id or isinstance(error, TooLarge):
            self._failures = 0
            if (followed.unknown if error.unknown_id else followed.too_large).add(now):
                followed.job = self._lose(followed.job, error.message, error.body)
                return 0.0
        else:
            self._failures += 1
        if error.retry_after is not None:
            until = now + retry_delay(0, error.retry_after, 0.0)
            self._asked_to_wait_until = max(until, self._asked_to_wait_until)
        elif pause := server_pause(self._failures, self._spread()):
            self._quiet_until = max(now + pause, self._quiet_until)
        followed.job = self._silent(followed.job)
        return retry_delay(followed.failures, error.retry_after, self._spread())

    def _silent(self, job: Job) -> Job:
        if job.stale_since is not None or job.other_key:
            return job
        return self._jobs.record_silence([job.number], self._clock())[0]

    def silence(self, running: Iterable[PolledJob]) -> bool:
        """While the server fails for all jobs, mark them as unanswered; returns whether any was not marked yet."""
        fresh = [one for one in running if not (one.job.stale_since or one.job.other_key or one.elsewhere)]
        fails_for_all = self.refused is not None or self._failures > FAILURES_OF_ONE_JOB
        if not (fails_for_all and fresh):
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
        """Poll a job of another key with this one; raises KeyMissing if the server refuses."""
        followed = self.started(job, at_once=True)
        self._record(followed, await self._shown(job))
        return followed

    async def _shown(self, job: Job) -> ProgressAnswer:
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
