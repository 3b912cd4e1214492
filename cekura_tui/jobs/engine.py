"""The job engine: launches each draft once, commits before it notifies, and polls running jobs to their end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from cekura_tui.api.errors import ApiError, KeyRefused, NotOffered
from cekura_tui.jobs import owner
from cekura_tui.jobs.launch_records import LaunchRecorder
from cekura_tui.jobs.polling import Budget, PolledJob, Poller, PollTimes
from cekura_tui.jobs.waiting import DAY, retry_delay, wait_for
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import clean_line
from cekura_tui.store.errors import SentUnrecorded, StoreError, Unrecorded
from cekura_tui.store.pending_answers import PendingAnswer

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.command_runner import CommandRunner
    from cekura_tui.store.jobs import JobStore


ORPHANED = "cekura-tui ended before the server's answer was recorded. The job may or may not have started."


def mark_orphaned_launches(jobs: JobStore, launching: list[Job], at: float) -> bool:
    """Mark launches as unconfirmed if their process died before recording the answer. Returns whether any process died.
    The jobs of dead processes are removed from the list `launching`. `at` is the current Unix time."""
    dead = [job for job in launching if not owner.is_alive(job.owner, at - (job.launched_at or 0.0))]
    if dead:
        jobs.record_pending_answers()  # a dead process may have saved an answer
    for job in dead:
        jobs.record_state(job.number, JobState.UNCONFIRMED, ORPHANED, at, only_from=(JobState.LAUNCHING,))
        launching.remove(job)
    return bool(dead)


T = TypeVar("T")
_log = logging.getLogger("cekura_tui.jobs")


def spawn(tasks: set[asyncio.Task[object]], work: Awaitable[object]) -> None:
    """Start `work` as a task, which stays in `tasks` until it is done; log the task's exception, if any."""

    def done(task: asyncio.Task[object]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("polling broke", exc_info=error)

    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(done)


async def run_shielded(work: Coroutine[None, None, T], running: set[asyncio.Task[T]]) -> T:
    """Await `work` in a task that continues even if the caller is cancelled; `running` holds the task until it ends."""

    def ended(task: asyncio.Task[T]) -> None:
        running.discard(task)
        if not task.cancelled():
            task.exception()  # a cancelled caller does not retrieve the exception

    task = asyncio.create_task(work)
    running.add(task)
    task.add_done_callback(ended)
    return await asyncio.shield(task)


CLOSE_TIMEOUT = 1.0
"""Seconds that `close` waits for the answers to launches in flight."""
IN_FLIGHT = 4
TICK = 1.0
"""Seconds between two checks for changes that other processes committed."""
SEARCH_WAITS = (1.0, 4.0, 15.0)
"""Seconds before each request that looks for a launch whose answer was lost."""


class JobEngine:
    """All jobs of one account, polled by a single scheduler task on one event loop, unless another process polls them.
    `changed` is called after every commit of any process, `ended` with each job whose end this process recorded. A
    given `refusal` is raised by every launch. `commands` runs the jobs of this machine. Stored times are Unix times of
    `clock`; intervals are seconds of `monotonic`. `pause` waits for an event, with a timeout in seconds."""

    def __init__(
        self,
        jobs: JobStore,
        client: Client,
        commands: CommandRunner | None = None,
        *,
        refusal: CekuraTuiError | None = None,
        changed: Callable[[], None] = lambda: None,
        ended: Callable[[Job], None] = lambda job: None,
        budget: Budget | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        pause: Callable[[asyncio.Event, float], Awaitable[None]] = wait_for,
    ) -> None:
        self._jobs, self._changed, self._ended = jobs, changed, ended
        self._clock, self._monotonic, self._jitter, self._pause = clock, monotonic, jitter, pause
        self._budget = budget or Budget()
        self._client, self._commands, self._refusal = client, commands, refusal
        self._poller = Poller(jobs, self._runner, clock, monotonic, jitter)
        self._launches: set[asyncio.Task[Job]] = set()
        self._recorder = LaunchRecorder(jobs, self._update)
        self._running: dict[int, PolledJob] = {}
        self._launching: list[Job] = []
        self._searched: set[int] = set()
        """Numbers of unconfirmed jobs for which the engine has looked on the server."""
        self._taken_over: set[int] = set()
        """Numbers of jobs, launched with another key, that the engine tries to poll with this key."""
        self._written = -1
        self.in_flight = 0
        self._wake, self._news = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self.trouble: CekuraTuiError | None = None
        """The last error that prevented polling or recording; None once a poll works again."""

    @property
    def idle(self) -> bool:
        return not self._running and not self._launching

    @property
    def unrecorded(self) -> list[SentUnrecorded]:
        return self._recorder.unrecorded

    @property
    def paused(self) -> KeyRefused | None:
        """The server's refusal of the key, else None. While the key is refused, one poll a minute is sent."""
        return self._poller.refused

    def start(self) -> None:
        """Start the scheduler task, which polls the running jobs."""
        spawn(self._tasks, self._schedule())

    async def close(self) -> None:
        """Stop polling; wait up to `CLOSE_TIMEOUT` seconds for launches, and record the rest as unconfirmed."""
        for task in self._tasks:
            task.cancel()
        await self._recorder.close(self._launches, CLOSE_TIMEOUT)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Requests

    async def launch(self, draft: Draft, over: Job | None = None, *, again_of: int | None = None) -> Job:
        """Send a draft exactly once, in place of the saved draft `over`; return the running or unconfirmed job. Raises
        ApiError if nothing was sent or the server refused the launch (the job is then a draft again), UsageError if
        `over` was already launched or job `again_of` cannot be relaunched, Unrecorded if nothing was sent because the
        launch could not be committed, and SentUnrecorded if it was sent but its answer could not be committed."""
        if self._refusal is not None:
            raise self._refusal
        return await run_shielded(self._launch(draft, over, again_of), self._launches)

    async def launch_again(self, draft: Draft, number: int) -> Job:
        """Launch a draft with the contents of job `number` as a new job; a command gets a folder of its own."""
        if (folder := draft.parameters.get("folder")) is not None and self._commands is not None:
            draft = replace(draft, parameters={**draft.parameters, "folder": self._commands.again(str(folder))})
        return await self.launch(draft, again_of=number)

    async def _launch(self, draft: Draft, over: Job | None, again_of: int | None) -> Job:
        try:
            job = self._begin(draft, over, again_of)
        except CekuraTuiError:
            if self._commands is not None and "folder" in draft.parameters:
                self._commands.forget(str(draft.parameters["folder"]))
            raise
        self.notify()
        try:
            answer = await self._runner(draft.kind).launch(draft)
            self._note_proposer(draft)
        except ApiError as error:
            if isinstance(error, NotOffered):
                self._note_proposer(draft, offered=False)
            if not error.not_accepted:
                return await self._find(await self._record(job, JobState.UNCONFIRMED, error.message, error.body))
            with contextlib.suppress(SentUnrecorded):
                await self._record(job, JobState.DRAFT, error.message, error.body)
            if "Draft saved" not in error.hint:
                error.hint = f"{error.hint} Draft saved as job {job.number}.".strip()
            raise
        except asyncio.CancelledError:
            reason = "cekura-tui was closed before the server answered. The job may or may not have started."
            with contextlib.suppress(StoreError):
                await self._record(job, JobState.UNCONFIRMED, reason)
            raise
        if answer.progress_id is None:
            reason = f"The server's answer has no usable {KINDS[draft.kind].id_name}, so the job can't be polled."
            return await self._find(await self._record(job, JobState.UNCONFIRMED, reason, answer.raw))
        return await self._record(job, JobState.RUNNING, "", answer.raw, answer.progress_id)

    def _runner(self, kind: str) -> Client | CommandRunner:
        """What runs the jobs of a kind: the server, or this machine."""
        if KINDS[kind].server is None and self._commands is not None:
            return self._commands
        return self._client

    def _note_proposer(self, draft: Draft, *, offered: bool = True) -> None:
        with contextlib.suppress(StoreError):  # the launch itself is recorded separately
            self._jobs.note_proposer(draft, offered=offered)

    def _begin(self, draft: Draft, over: Job | None, again_of: int | None) -> Job:
        ours = owner.this_process()
        try:
            job = self._jobs.begin_launch(draft, self._clock(), ours, over, again_of)
        except StoreError as error:
            raise Unrecorded(f"Nothing was launched. {error.message}", error.hint) from None
        if job.state == JobState.LAUNCHING and job.owner == ours:
            return job
        if again_of is None:
            raise UsageError(f"Job {job.number} was already launched.", "See the list of jobs.")
        if job.number == again_of:
            raise UsageError(f"Can't relaunch job {again_of} ({job.state.words}).")
        raise UsageError(f"Job {again_of} was already relaunched as job {job.number}.", "See the list of jobs.")

    async def _record(
        self, job: Job, state: JobState, reason: str, raw: str = "", progress_id: str | None = None
    ) -> Job:
        """Commit the outcome of a launch, notify the listener, and return the job."""
        answer = PendingAnswer(job.number, job.launched_at or 0.0, progress_id, raw, self._clock(), state, reason)
        sentence = f"Job {job.number} was sent. {reason} The answer"
        if progress_id is not None:
            shown_id = f"{KINDS[job.kind].id_name} {clean_line(progress_id, 80)}"
            sentence = f"The server accepted job {job.number} ({shown_id}), but the answer"
        return self._update(await self._recorder.record(answer, sentence))

    async def _find(self, job: Job) -> Job:
        """Look for a launch whose answer was lost, if its kind knows how; return the job, which runs if the server has
        exactly one launch that may be this one. Otherwise the user decides, and the reason says between what."""
        server = KINDS[job.kind].server
        search = server and server.search(job)
        if (server and not search) or job.number in self._searched or job.state != JobState.UNCONFIRMED:
            return job
        self._searched.add(job.number)
        if search is None:
            return self._find_command(job)
        cause = re.split(" The server has no such | It may be any of these ", job.reason)[0]  # of an earlier search
        for wait in SEARCH_WAITS:
            await self._pause(asyncio.Event(), wait)
            try:
                answer = await self._client.ask(search.request)
            except ApiError:
                continue
            if (now := self._jobs.get(job.number)) is None or now.state != JobState.UNCONFIRMED:
                return now or job
            taken = {other.progress_id for other in self._jobs.all()}
            found = [number for number in search.read(answer.payload) if number not in taken]
            if len(found) == 1:
                return self._update(self._jobs.record_progress_id(job.number, found[0], answer.raw, self._clock()))
            reason = f"{cause} The server has no such {KINDS[job.kind].result[0]}: it may not have started."
            if found:
                reason = f"{cause} It may be any of these on the server: {', '.join(found)}. `jobs adopt` takes one."
            job = self._jobs.record_state(
                job.number, job.state, reason, self._clock(), only_from=(JobState.UNCONFIRMED,)
            )
            if found:
                break
        return self._update(job)

    def _find_command(self, job: Job) -> Job:
        """Look for a command of this machine whose launch was not recorded. A command that was not started failed."""
        folder, at = str(job.parameters.get("folder") or ""), self._clock()
        if self._commands is not None and self._commands.started(folder):
            return self._update(self._jobs.record_progress_id(job.number, folder, "", at))
        why, unconfirmed = "cekura-tui ended before the command was started.", (JobState.UNCONFIRMED,)
        return self._update(self._jobs.record_state(job.number, JobState.FAILED, why, at, only_from=unconfirmed))

    async def stop_command(self, job: Job) -> Job:
        """Stop the command of a running job, with its process group."""
        if self._commands is not None:
            await self._commands.stop(job.progress_id or "")
        return await self.resume(job.number)  # polls the job now

    def stop(self, number: int) -> Job:
        """Stop polling a running job. The server continues the job, as the API cannot cancel jobs."""
        reason = "Polling stopped. The job may still run on the server."
        job = self._jobs.record_state(number, JobState.STOPPED, reason, self._clock(), only_from=(JobState.RUNNING,))
        return self._update(job)

    async def resume(self, number: int) -> Job:
        """Poll a stopped, lost, failed or running job now, and keep polling it; look again for a lost launch. A job of
        another key is first polled once. Raises KeyMissing if the server refuses this key for the job."""
        job = self._jobs.get(number)
        if job is not None and job.state == JobState.UNCONFIRMED:
            self._searched.discard(number)
            return await self._find(job)
        if job is not None and job.other_key and not job.state.final:
            taken_over = await self._poller.take_over(job)
            self._update(taken_over.job)
            if taken_over.ended_here:
                self._ended(taken_over.job)
            return taken_over.job
        rested = (JobState.STOPPED, JobState.LOST, JobState.FAILED)
        job = self._jobs.record_state(number, JobState.RUNNING, "", self._clock(), only_from=rested)
        self._poller.resume_polling()
        self._update(job)
        if (polled := self._running.get(number)) is not None:
            polled.next_at, polled.checked_at = self._monotonic(), self._clock()
        return job

    def poll_times(self, number: int) -> PollTimes | None:
        """Times of a running job's last and next poll by this process; None if this process does not poll the job."""
        polled = self._running.get(number)
        if polled is None or polled.polled_elsewhere:
            return None
        now, monotonic = self._clock(), self._monotonic()
        due = max(polled.next_at - monotonic, 0.0 if polled.job.is_local else self._poller.wait(monotonic), 0.0)
        last_at = now - (monotonic - polled.last_at) if polled.last_at > polled.since else None
        return PollTimes(last_at, None if polled.in_flight else now + due)

    def take_over(self, numbers: Iterable[int]) -> None:
        """Also poll jobs of another key, each until the server accepts or refuses this key for the job."""
        self._taken_over.update(numbers)
        self._written = -1
        self._wake.set()

    def forget(self, number: int) -> Job:
        """Forget a job. A command of this machine must have ended."""
        job = self._update(self._jobs.forget(number, self._clock()))
        if self._commands is not None and job.progress_id and job.is_local:
            self._commands.forget(job.progress_id)
        return job

    def resume_polling(self) -> None:
        """End the pause after a refused key or server failures, and poll now."""
        self._poller.resume_polling()
        self._wake.set()

    async def wait_for_change(self, within: float) -> bool:
        """Wait up to `within` seconds for the next change; return whether a change came."""
        self._news.clear()
        await wait_for(self._news, within)
        return self._news.is_set()

    def notify(self) -> None:
        """Report a change of a job, or of what became of its suggestion, to this process."""
        self._news.set()
        with contextlib.suppress(RuntimeError):
            self._changed()  # the listener's event loop may be closed

    # Which jobs are polled

    def _follow(self, job: Job, polled: PolledJob | None = None) -> None:
        """Start, update or stop polling a job that changed; `polled` is its polling state if it was just polled."""
        states = (JobState.RUNNING, JobState.LOST) if job.other_key else (JobState.RUNNING,)
        if job.state not in states or (job.other_key and job.number not in self._taken_over):
            self._running.pop(job.number, None)
            return
        self._running.setdefault(job.number, polled or self._poller.begin(job)).job = job
        if not job.other_key:
            self._taken_over.discard(job.number)
        self._wake.set()

    def _update(self, job: Job, polled: PolledJob | None = None) -> Job:
        self._follow(job, polled)
        self.notify()
        return job

    def reload(self) -> None:
        """Load the unfinished jobs of all processes again, and poll the running jobs from now on."""
        version = self._jobs.version()
        self._jobs.record_pending_answers()
        inherited = [job for number in self._taken_over if (job := self._jobs.get(number)) and job.other_key]
        unfinished = [*self._jobs.unfinished(), *inherited]
        for number in self._running.keys() - {job.number for job in unfinished}:
            del self._running[number]
        for job in unfinished:
            self._follow(job)
        self._launching = [job for job in unfinished if job.state == JobState.LAUNCHING]
        self._mark_orphans()
        self._written = version  # last, so that after an error everything is reloaded
        self.notify()

    def _mark_orphans(self) -> None:
        if mark_orphaned_launches(self._jobs, self._launching, self._clock()):
            self._written = -1  # a pending answer may have made a launch a running job
            self.notify()

    # Polling

    async def _schedule(self) -> None:
        """Until the engine is closed, poll due jobs within the request budget, the least recently polled job first."""
        broken, changed = 0, True
        while True:
            self._wake.clear()
            try:
                if self._jobs.version() != self._written:
                    self.reload()
                    changed = True
                for job in self._jobs.unconfirmed(self._clock() - DAY) if changed else ():
                    if job.number not in self._searched and not owner.is_alive(job.owner, 0.0):
                        spawn(self._tasks, self._find(job))
                changed = False
                self._mark_orphans()
                wait = self._poll_due()
                broken = 0
            except Exception as error:  # polling must survive any error
                broken += 1
                wait = retry_delay(broken, None, self._jitter())
                self._report(error)
            await self._pause(self._wake, wait)

    def _poll_due(self) -> float:
        """Start every due poll that budget and back-off allow; return the seconds until the next check."""
        now = self._monotonic()
        self._poller.own_jobs = sum(not (one.job.other_key or one.job.is_local) for one in self._running.values())
        waiting = [polled for polled in self._running.values() if not polled.in_flight]
        for polled in sorted(waiting, key=lambda one: (not one.job.is_local, one.last_at)):
            if polled.next_at > now:
                continue
            if self.in_flight >= IN_FLIGHT:
                return TICK
            if not polled.job.is_local and (wait := max(self._budget.wait(now), self._poller.wait(now))):
                return min(wait, TICK)
            if self._poller.claim(polled):
                if not polled.job.is_local:
                    self._budget.take(now)
                    self._poller.take(now)
                polled.in_flight, polled.last_at = True, now
                self.in_flight += 1
                spawn(self._tasks, self._poll(polled))
        times = [polled.next_at for polled in waiting if not polled.in_flight]
        return max(0.0, min([now + TICK, *times]) - now)

    async def _poll(self, polled: PolledJob) -> None:
        """Poll one job, commit the answer, schedule the next poll, and notify the listener if the job changed."""
        before, refused, wait = polled.job, self.paused, None
        try:
            wait = await self._poller.poll_once(polled)
            self.trouble = None
        except KeyMissing:
            self._taken_over.discard(polled.job.number)
            self._update(polled.job)
        except StoreError as error:
            polled.failures += 1
            wait = retry_delay(polled.failures, None, self._jitter())
            self._report(error)
        finally:
            polled.in_flight = False
            self.in_flight -= 1
            polled.next_at = self._monotonic() + (self._poller.usual_wait(polled.job) if wait is None else wait)
            self._wake.set()
        if self._poller.mark_all_stale(self._running.values()):
            self.notify()
        job = polled.job
        # Do not notify of an unchanged job: listeners would redraw everything.
        if replace(job, answered_at=before.answered_at) != before:
            self._update(job, polled)
        elif self.paused is not refused:
            self.notify()
        if polled.ended_here and job.finished_at != before.finished_at:
            self._ended(job)

    def _report(self, error: Exception) -> None:
        if not isinstance(error, CekuraTuiError):
            _log.error("polling broke; retrying", exc_info=error)
            error = CekuraTuiError(f"Polling jobs failed ({type(error).__name__}); retrying.")
        elif self.trouble is None:
            _log.warning("%s", error.sentence())
        self.trouble = error
        self.notify()
