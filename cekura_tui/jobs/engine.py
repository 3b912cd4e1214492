"""The job engine: launches once, records before it tells, and asks about running jobs until each has ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, KeyRefused
from cekura_tui.jobs import owner
from cekura_tui.jobs.launcher import Launcher
from cekura_tui.jobs.schedule import Budget, after_failure, interval, is_lost
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.progress import read_progress
from cekura_tui.store.errors import StoreError

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.store.jobs import JobStore

IN_FLIGHT = 4
_log = logging.getLogger("cekura_tui.jobs")


@dataclass
class _Asked:
    """What the engine remembers of asking about one job; times are monotonic."""

    next_at: float = 0.0
    last_at: float = 0.0
    failures: int = 0
    unknown: int = 0
    unknown_since: float = 0.0
    asking: bool = False


class JobEngine:
    """All improve-prompt jobs of one account, on one event loop.

    `changed` is called after every committed change. One scheduler task asks about all jobs; `only` restricts it to
    some. Times that are kept are Unix seconds of `clock`; intervals are of `monotonic`.
    """

    def __init__(
        self,
        jobs: JobStore,
        client: Client,
        *,
        changed: Callable[[], None] = lambda: None,
        only: Collection[int] | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._jobs, self._client, self._changed, self._only = jobs, client, changed, only
        self._clock, self._monotonic, self._spread = clock, monotonic, spread
        self._asked: dict[int, _Asked] = {}
        self._running: dict[int, Job] = {}
        self._budget = Budget()
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self._launcher = Launcher(jobs, client, clock, self._tell, self._follow)
        self.paused: KeyRefused | None = None
        """Why nothing is asked any more: the key was refused."""
        self.trouble: StoreError | None = None
        """Why the last answer could not be recorded."""

    def start(self) -> None:
        """Adopt every unfinished job and ask about it from now on."""
        self.adopt()
        self._spawn(self._schedule())

    def adopt(self) -> None:
        """Take up jobs that were left unfinished, here or by a process that died while launching."""
        changed = False
        for job in self._jobs.unfinished():
            if job.state == JobState.LAUNCHING:
                launched_for = self._clock() - (job.launched_at or 0.0)
                if not owner.is_alive(job.owner, launched_for):
                    reason = "The program ended before the server answered; it may or may not have taken the job."
                    at = self._clock()
                    self._jobs.record_state(
                        job.number, JobState.UNCONFIRMED, reason, at, only_from=(JobState.LAUNCHING,)
                    )
                    changed = True
            elif job.number not in self._running and (self._only is None or job.number in self._only):
                self._follow(job)
                changed = True
        if changed:
            self._tell()

    async def close(self) -> None:
        """Stop asking; a launch in flight is given a moment, then recorded as unconfirmed."""
        for task in self._tasks:
            task.cancel()
        await self._launcher.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Launching

    async def launch(self, draft: Draft, number: int | None = None) -> Job:
        """Launch a draft, or the kept draft `number`, once. Returns its job, running or unconfirmed.

        Raises ApiError where it was not sent or was refused (it is a draft again, with the reason), UsageError where
        it had been launched already, Unrecorded where it could not be recorded (nothing was sent).
        """
        return await self._launcher.launch(draft, number)

    # Waiting

    async def news(self, within: float) -> None:
        """Wait for the next change, `within` seconds at the most."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        # Whoever listened may have left already; what was recorded stays so, and what was begun goes on.
        with contextlib.suppress(RuntimeError):
            self._changed()

    # Asking

    def _follow(self, job: Job) -> None:
        self._running[job.number] = job
        self._asked.setdefault(job.number, _Asked(next_at=self._monotonic(), last_at=self._monotonic()))
        self._wake.set()

    def resume_asking(self) -> None:
        """The server takes the key: ask again, if that was given up."""
        self.paused = None
        self._wake.set()

    async def _schedule(self) -> None:
        """The one scheduler: the longest unasked job that is due, within the budget, again and again."""
        while True:
            self._wake.clear()
            pause = self._ask_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def _ask_due(self) -> float | None:
        """Begin asking about every job that is due and allowed; returns seconds until the next, None for no end."""
        if self.paused or not self._running:
            return None
        now = self._monotonic()
        waiting = [(self._asked[number], number) for number in self._running if not self._asked[number].asking]
        for asked, number in sorted(waiting, key=lambda pair: pair[0].last_at):
            if asked.next_at > now:
                continue
            if sum(other.asking for other in self._asked.values()) >= IN_FLIGHT:
                return None
            if wait := self._budget.wait(now):
                return wait
            self._budget.take(now)
            asked.asking, asked.last_at = True, now
            self._spawn(self._ask(self._running[number], asked))
        times = [asked.next_at for asked, _ in waiting if not asked.asking]
        return max(0.0, min(times) - now) if times else None

    async def _ask(self, job: Job, asked: _Asked) -> None:
        """Ask once about one job, record what came, and set when to ask next."""
        wait: float | None = None
        try:
            wait = await self._ask_server(job, asked)
            self.trouble = None
        except StoreError as error:
            # What could not be recorded is not told; it is asked for again.
            self.trouble = error
            asked.failures += 1
            wait = after_failure(asked.failures, None, self._spread())
        finally:
            asked.asking = False
            asked.next_at = self._monotonic() + (interval(self._age(job), self._spread()) if wait is None else wait)
            self._wake.set()
        self._tell()

    async def _ask_server(self, job: Job, asked: _Asked) -> float | None:
        """One request and its record; returns seconds to the next where they do not follow from the job's age."""
        try:
            payload, raw = await self._client.progress(job.progress_id or "")
        except KeyRefused as error:
            self.paused = error
            return None
        except ApiError as error:
            return self._failed(job, asked, error)
        told = self._jobs.record_answer(job.number, read_progress(payload), raw, self._clock())
        if told.state == JobState.RUNNING and is_lost(0, 0.0, self._age(told)):
            told = self._lose(told, "There was no final answer in 24 hours.")
        self._settle(told)
        asked.failures = asked.unknown = 0
        return None

    def _failed(self, job: Job, asked: _Asked, error: ApiError) -> float:
        """The server did not tell: note since when, and count how often it did not know the id.

        Only a server that answers can end a job: one that cannot be reached, however long, never does.
        """
        now = self._monotonic()
        asked.failures += 1
        lost = False
        if error.status in (400, 404) and error.from_api:
            asked.unknown += 1
            asked.unknown_since = asked.unknown_since if asked.unknown > 1 else now
            lost = is_lost(asked.unknown, now - asked.unknown_since, self._age(job))
        if lost:
            self._settle(self._lose(job, error.message, error.body))
        else:
            self._settle(self._jobs.record_silence(job.number, self._clock()))
        return after_failure(asked.failures, error.retry_after, self._spread())

    def _age(self, job: Job) -> float:
        return self._clock() - (job.launched_at or job.created_at)

    def _lose(self, job: Job, reason: str, raw: str = "") -> Job:
        return self._jobs.record_state(
            job.number, JobState.LOST, reason, self._clock(), raw, only_from=(JobState.RUNNING,)
        )

    def _settle(self, job: Job) -> None:
        """Go on following a job that runs; let go of one that does not."""
        if job.state == JobState.RUNNING:
            self._running[job.number] = job
        else:
            self._running.pop(job.number, None)
            self._asked.pop(job.number, None)

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("asking about jobs broke", exc_info=error)
