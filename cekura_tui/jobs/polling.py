"""Poll a job once, record the answer, and decide when to poll next. All durations are in seconds."""

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
from cekura_tui.model.run.listed_runs import PAGE
from cekura_tui.model.text import count, span_text
from cekura_tui.store.errors import StoreError

if TYPE_CHECKING:
    from cekura_tui.api.client import Client, ProgressAnswer
    from cekura_tui.jobs.command_runner import CommandRunner
    from cekura_tui.store.jobs import JobStore


BUDGET, WINDOW = 5, 1.05
"""Rate limit of background requests: `BUDGET` in `WINDOW` seconds (over 1, as network delays can bunch requests)."""
AT_ONCE = 25
"""Maximum number of runs loaded in full by one request."""
TIMES_TO_BELIEVE = 3
"""Number of equal answers in a row needed to believe an answer that would end a job's polling."""
SUSPECTED = 20.0
"""Seconds over which an answer that only suggests a job's end must be repeated before it is believed."""


@dataclass
class Streak:
    """Counts equal answers in a row, believed after `TIMES_TO_BELIEVE` of them in at least `over` seconds."""

    over: float = MINUTE
    times: int = 0
    since: float = 0.0

    def add(self, now: float) -> bool:
        """Count one more answer, received at the monotonic time `now`; return whether the answer is now believed."""
        self.since = self.since if self.times else now
        self.times += 1
        return self.times >= TIMES_TO_BELIEVE and now - self.since >= self.over

    def reset(self) -> None:
        self.times = 0


class Budget:
    """Rate limit: at most `rate` requests in any `window` seconds."""

    def __init__(self, rate: int = BUDGET, window: float = WINDOW) -> None:
        self._taken: deque[float] = deque(maxlen=rate)
        self._window = window

    def wait(self, now: float) -> float:
        """Seconds until the next request is allowed; 0 if a request is allowed now."""
        if len(self._taken) < (self._taken.maxlen or 1):
            return 0.0
        return max(0.0, self._taken[0] + self._window - now)

    def take(self, now: float) -> None:
        self._taken.append(now)


def load_time(runs: int, listed: int = 0) -> str:
    """About how long it takes to list `listed` runs and to load `runs` in full: "1 s"."""
    seconds = max(1, round(_requests(runs, listed) * WINDOW / BUDGET))
    return span_text(seconds if seconds < MINUTE else (seconds + 30) // 60 * 60)


def load_words(runs: int, listed: int = 0) -> str:
    """What it takes to load runs in full, after listing `listed` runs: "30 runs (2 requests, about 1 s)". The number of
    requests is exact up to a page of the list: the runs of each page are loaded separately."""
    requests, time = count(_requests(runs, listed), "request"), load_time(runs, listed)
    return f"{count(runs, 'run')} ({f'about {requests}, {time}' if listed > PAGE else f'{requests}, about {time}'})"


def _requests(runs: int, listed: int) -> int:
    return -(-runs // AT_ONCE) + -(-listed // PAGE)


@dataclass(frozen=True, slots=True)
class PollTimes:
    """Unix times of a job's last poll (None before the first) and next poll (None while a poll is in flight)."""

    last_at: float | None
    next_at: float | None


LONG_AGO = float("-inf")
ANSWERED_LATELY = 2 * MINUTE
"""Seconds after an answer during which a job of another key is not polled: a process with that key polls the job."""


@dataclass(eq=False)
class PolledJob:
    """A job and the state of its polling, which began at `since`. Times are monotonic unless marked as Unix time.
    `checked_at` (Unix time) is when this process last polled the job, or saw that another process polls it."""

    job: Job
    next_at: float
    last_at: float
    since: float
    checked_at: float
    failures: int = 0
    unknown: Streak = field(default_factory=Streak)
    too_large: Streak = field(default_factory=Streak)
    overdue: Streak = field(default_factory=Streak)
    suspected: Streak = field(default_factory=lambda: Streak(SUSPECTED))
    in_flight: bool = False
    polled_elsewhere: bool = False
    ended_at: float | None = None
    """Unix time of the last answer that this process recorded; None if there is none."""

    @property
    def ended_here(self) -> bool:
        """Whether this process, not another one, recorded the job's final state."""
        return self.job.state.final and self.job.finished_at == self.ended_at


class Poller:
    """Polls jobs, each by the `runner` of its kind; backs off when the server fails, refuses the key, or sends
    `Retry-After`."""

    def __init__(
        self,
        jobs: JobStore,
        runner: Callable[[str], Client | CommandRunner],
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._jobs, self._runner = jobs, runner
        self._clock, self._monotonic, self._jitter = clock, monotonic, jitter
        self._failures = 0
        self._refused_jobs: set[int] = set()
        self.own_jobs = 1
        """Number of jobs of this key that are polled. With fewer than 2, a single refusal counts as a refused key."""
        self._quiet_until = self._asked_to_wait_until = LONG_AGO
        self.refused: KeyRefused | None = None
        """The server's refusal of the key; None while the key is accepted."""

    def wait(self, now: float) -> float:
        """Seconds until back-off allows the next poll of any job; 0 without back-off."""
        return max(0.0, self._quiet_until - now, self._asked_to_wait_until - now)

    def take(self, now: float) -> None:
        """Record that a poll is sent. If the server refuses the key, the next poll must wait a minute."""
        self._quiet_until = now + MINUTE if self.refused else LONG_AGO

    def resume_polling(self) -> None:
        """End all back-off except a wait that the server asked for."""
        self.refused, self._quiet_until, self._failures = None, LONG_AGO, 0

    def begin(self, job: Job, *, at_once: bool = False) -> PolledJob:
        """Start polling a job; unless `at_once`, skip the first poll if another process polled a moment ago."""
        now, at = self._monotonic(), self._clock()
        checked_at = at if at_once else at - interval(self._age(job), 1.0)
        return PolledJob(job, next_at=now, last_at=now, since=now, checked_at=checked_at)

    def claim(self, polled: PolledJob) -> bool:
        """Claim the next poll of a job; return False if another process has polled the job since. Raises StoreError."""
        at = self._clock()
        polled.polled_elsewhere = not self._jobs.claim_poll(polled.job.number, at, polled.checked_at)
        polled.checked_at = at
        if polled.polled_elsewhere:
            wait = retry_delay(polled.failures, None, self._jitter()) if polled.failures else None
            polled.next_at = self._monotonic() + (self.usual_wait(polled.job) if wait is None else wait)
        return not polled.polled_elsewhere

    async def poll_once(self, polled: PolledJob) -> float | None:
        """Poll a job once, and record the answer; return the seconds until the job's next poll, None for `usual_wait`.
        Raises StoreError, and KeyMissing if the server refuses this key for a job of another key."""
        job = polled.job
        since_answer = self._clock() - (job.answered_at or 0.0)
        answered_lately = job.stale_since is None and 0 <= since_answer < ANSWERED_LATELY
        if job.other_key and job.state == JobState.RUNNING and answered_lately:
            return MINUTE  # another process probably polls the job with that key
        try:
            answer = await (self._poll_other_key(job) if job.other_key else self._progress(job))
        except ApiError as error:
            return self._refused(polled, error) if isinstance(error, KeyRefused) else self._failed(polled, error)
        if not job.is_local:
            if self.refused or self._failures:
                self.resume_polling()
            self._refused_jobs.clear()
        polled.failures = 0
        self._record(polled, answer)
        return None

    async def _progress(self, job: Job) -> ProgressAnswer:
        return await self._runner(job.kind).progress(KINDS[job.kind], job.progress_id or "")

    def usual_wait(self, job: Job) -> float:
        """Seconds until the next poll of a job that is polled without errors, by the job's age."""
        return interval(self._age(job), self._jitter())

    def _age(self, job: Job) -> float:
        age = self._clock() - (job.launched_at or job.created_at)
        return min(age, MINUTE) if job.is_local else age

    def _record(self, polled: PolledJob, answer: ProgressAnswer) -> None:
        job, at, now = polled.job, self._clock(), self._monotonic()
        if job.other_key:
            job = self._jobs.take_over(job.number, at)
        polled.unknown.reset()
        polled.too_large.reset()
        progress = KINDS[job.kind].read(answer.payload, answer.raw)
        if progress.suspected_end is None:
            polled.suspected.reset()
        elif polled.suspected.add(now):
            progress = progress.believed
        job = self._jobs.record_answer(job.number, progress, answer.raw, at)
        polled.ended_at = at
        # The day is counted on the monotonic clock: after a sleep of the machine, the next answer may be final.
        if job.state == JobState.RUNNING and now - polled.since >= DAY and polled.overdue.add(now):
            job = self._mark_lost(job, "No final answer in 24 hours.")
        polled.job = job

    def _refused(self, polled: PolledJob, error: KeyRefused) -> float | None:
        """Back off after the server refused the key for a job; return the seconds until the job's next poll. If two
        jobs, or the only job, were refused, pause all polling for a minute, and return None (`usual_wait`)."""
        self._refused_jobs.add(polled.job.number)
        polled.failures += 1
        polled.job = self._mark_stale(polled.job)
        if len(self._refused_jobs) < min(2, self.own_jobs):
            return retry_delay(polled.failures, error.retry_after, self._jitter())
        self.refused, self._quiet_until = error, self._monotonic() + MINUTE
        return None

    def _failed(self, polled: PolledJob, error: ApiError) -> float:
        """Back off after a failed poll; return the seconds until the job's next poll. The job is marked as stale, or as
        lost if several answers in a row are too large or say that its id is unknown."""
        now = self._monotonic()
        polled.failures += 1
        if error.unknown_id or isinstance(error, TooLarge):
            self._failures = 0
            if (polled.unknown if error.unknown_id else polled.too_large).add(now):
                polled.job = self._mark_lost(polled.job, error.message, error.body)
                return 0.0
        else:
            self._failures += 1
        if error.retry_after is not None:
            until = now + retry_delay(0, error.retry_after, 0.0)
            self._asked_to_wait_until = max(until, self._asked_to_wait_until)
        elif pause := server_pause(self._failures, self._jitter()):
            self._quiet_until = max(now + pause, self._quiet_until)
        polled.job = self._mark_stale(polled.job)
        return retry_delay(polled.failures, error.retry_after, self._jitter())

    def _mark_stale(self, job: Job) -> Job:
        if job.stale_since is not None or job.other_key:
            return job
        return self._jobs.mark_stale([job.number], self._clock())[0]

    def mark_all_stale(self, running: Iterable[PolledJob]) -> bool:
        """If the server refuses the key or fails for every job, mark the polled jobs as stale. Jobs of this machine or
        of another key, and jobs that another process polls, are not marked. Returns whether a job was marked."""
        asked = (one for one in running if not (one.job.is_local or one.job.other_key or one.polled_elsewhere))
        fresh = [one for one in asked if not one.job.stale_since]
        fails_for_all = self.refused is not None or self._failures > FAILURES_OF_ONE_JOB
        if not (fails_for_all and fresh):
            return False
        with contextlib.suppress(StoreError):
            jobs = self._jobs.mark_stale([one.job.number for one in fresh], self._clock())
            for one, job in zip(fresh, jobs, strict=True):
                one.job = job
            return True
        return False

    def _mark_lost(self, job: Job, reason: str, raw: str = "") -> Job:
        return self._jobs.record_state(
            job.number, JobState.LOST, reason, self._clock(), raw, only_from=(JobState.RUNNING,)
        )

    async def take_over(self, job: Job) -> PolledJob:
        """Poll a job of another key, to make it one of this key; raises KeyMissing if the server refuses this key."""
        polled = self.begin(job, at_once=True)
        self._record(polled, await self._poll_other_key(job))
        return polled

    async def _poll_other_key(self, job: Job) -> ProgressAnswer:
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
