"""Windows of the program that share a database and can be closed or killed. Their clients check every request."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from fickle_server import UNKNOWN, End, FickleServer
from simulated_time import SimulatedTime

from cekura_tui.api.client import Client, LaunchAnswer, ProgressAnswer
from cekura_tui.api.errors import ApiError
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.waiting import DAY, HOUR, interval
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Draft, Job
from cekura_tui.model.job_kind import JobKind
from cekura_tui.store.store import Store
from cekura_tui.workspace.job_service import JobService

T = TypeVar("T")


@dataclass
class Heard:
    """The answers about a job that windows received: its end, how often it ended, and signs that it is lost. `unknown`
    counts answers that the server does not know the job; `overdue` counts answers a day after the launch."""

    since: float = 0.0
    """When the job was launched, in seconds of the monotonic clock."""
    end: End | None = None
    ends: int = 0
    unknown: int = 0
    overdue: int = 0


@dataclass
class World:
    """State shared by all windows. `complaints` describe requests that should not have been made, and other errors."""

    path: Path
    server: FickleServer
    online_client: Client
    offline_client: Client
    time: SimulatedTime
    offline: bool = False
    pending_requests: int = 0
    heard: defaultdict[str, Heard] = field(default_factory=lambda: defaultdict(Heard))
    ended: Counter[int] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    """Number of successful requests of the user to stop, resume or forget a job, by the job's id on the server."""
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._released = asyncio.Event()
        self._released.set()
        self.time.busy = lambda: self.pending_requests > 0

    @property
    def client(self) -> Client:
        return self.offline_client if self.offline else self.online_client

    @property
    def held(self) -> bool:
        return not self._released.is_set()

    def has_ended(self, job: Job) -> None:
        """Count an engine's report that a job ended."""
        self.ended[job.number] += 1

    def hold(self, held: bool) -> None:
        """With True, hold back all answers until a call with False."""
        (self._released.clear if held else self._released.set)()

    async def asked(self, request: Awaitable[T]) -> T | ApiError:
        """Await a request, then wait while answers are held back; return the answer, or the error as a value."""
        self.pending_requests += 1
        try:
            answer = await request
        except ApiError as error:
            answer = error  # type: ignore[assignment]
        finally:
            self.pending_requests -= 1
            self.time.wake()
        await self._released.wait()
        return answer


class Window:
    """One process that runs the program."""

    def __init__(self, world: World, jitter: Callable[[], float]) -> None:
        self._world = world
        self.store = Store(world.path, "http://cekura", "key", "default")
        # Power cuts are not tested here, and this is several times as fast.
        self.store.database.read("PRAGMA synchronous = OFF")
        self.client = WatchedClient(world, self)
        time = world.time
        self.engine = JobEngine(
            self.store.jobs,
            self.client,  # type: ignore[arg-type]
            ended=world.has_ended,
            clock=time.clock,
            monotonic=time.monotonic,
            pause=time.pause,
            jitter=jitter,
        )
        self.desk = JobService(self.store, world.online_client, self.engine)
        self.in_flight: set[asyncio.Task[Job]] = set()
        """Launches that are not answered yet."""
        self.engine.start()

    def launch(self, launch: Callable[[Window], Awaitable[Job]]) -> asyncio.Task[Job]:
        task = asyncio.ensure_future(launch(self))
        self.in_flight.add(task)
        task.add_done_callback(self._landed)
        return task

    def _landed(self, task: asyncio.Task[Job]) -> None:
        self.in_flight.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, CekuraTuiError):
            self._world.complaints.append(f"launching broke: {error!r}")

    async def close(self) -> None:
        await self.engine.close()
        self.store.close()
        await asyncio.gather(*self.in_flight, return_exceptions=True)

    async def kill(self) -> None:
        """End the window as a killed process would, without closing the engine."""
        self.store.close()
        tasks = {*self.engine._tasks, *self.engine._launches, *self.engine._recorder._later}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self.in_flight, return_exceptions=True)

    def __repr__(self) -> str:
        return f"window {id(self):x}"


class WatchedClient:
    """The client of a window's engine; it complains about polls that come too early, and records the answers."""

    def __init__(self, world: World, window: Window) -> None:
        self._world, self._window = world, window
        self._times: list[float] = []
        self.quiet = (0.0, 0.0)
        """Start and end of the pause requested by `Retry-After`, in seconds of the monotonic clock."""
        self.not_before: dict[str, float] = {}
        """Earliest monotonic time of a job's next poll, by the job's id on the server."""

    async def launch(self, draft: Draft) -> LaunchAnswer:
        began = self._world.time.elapsed
        answer = await self._world.asked(self._world.client.launch(draft))
        if isinstance(answer, ApiError):
            raise answer
        if answer.progress_id is not None:
            self._world.heard[answer.progress_id].since = began
        return answer

    async def progress(self, kind: JobKind, progress_id: str) -> ProgressAnswer:
        self._begin(progress_id)
        requests = self._world.requests[progress_id]
        answer = await self._world.asked(self._world.client.progress(kind, progress_id))
        if isinstance(answer, ApiError):
            self._refused(progress_id, answer)
        else:
            self._answered(progress_id, answer.raw)
        if requests != self._world.requests[progress_id]:
            del self.not_before[progress_id]  # resumed meanwhile, so one more poll is allowed at once
        if isinstance(answer, ApiError):
            raise answer
        return answer

    def _begin(self, progress_id: str) -> None:
        now, before = self._world.time.elapsed, self._times[-5:]
        if len(before) == 5 and now - before[0] < 1.0:
            self._complain(f"asks six times in {now - before[0]} s")
        if now < self.not_before.get(progress_id, 0.0):
            self._complain(f"asks about {progress_id} {self.not_before[progress_id] - now} s too early")
        # Polls sent at the same moment as the answer are allowed.
        if self.quiet[0] < now < self.quiet[1]:
            self._complain(f"asks {self.quiet[1] - now} s before the server wanted to be asked")
        self._times.append(now)

    def _answered(self, progress_id: str, raw: str) -> None:
        heard, now = self._world.heard[progress_id], self._world.time.elapsed
        end = self._world.server.ends.get(raw)
        if end is not None and heard.end is None:
            heard.end, heard.ends = end, heard.ends + 1
        heard.overdue += now - heard.since >= DAY
        self.not_before[progress_id] = now + interval(self._age(progress_id), 0)

    def _refused(self, progress_id: str, error: ApiError) -> None:
        now = self._world.time.elapsed
        if str(error.status) in UNKNOWN and error.from_api:
            self._world.heard[progress_id].unknown += 1
            self.not_before[progress_id] = 0.0  # it may be lost now, and resumed at once
            return
        wait = 1.0 if error.retry_after is None else min(max(error.retry_after, 1.0), HOUR)
        self.not_before[progress_id] = now + wait
        if error.retry_after is not None:
            self.quiet = (now if now >= self.quiet[1] else self.quiet[0], max(self.quiet[1], now + wait))

    def _age(self, progress_id: str) -> float:
        asked_about = "SELECT launched_at FROM jobs WHERE progress_id = ?"
        return self._world.time.wall - float(self._window.store.database.read(asked_about, progress_id)[0][0])

    def _complain(self, what: str) -> None:
        self._world.complaints.append(f"{self._window} {what}")


@contextmanager
def connect_to(path: Path) -> Iterator[sqlite3.Connection]:
    sql = sqlite3.connect(path, isolation_level=None)
    sql.row_factory = sqlite3.Row
    try:
        yield sql
    finally:
        sql.close()


def mark_owners_dead(path: Path, numbers: Iterable[int], host: str) -> None:
    """Make these jobs look as if the process on `host` that launched them had ended."""
    dead = json.dumps({"host": host, "pid": 1, "start": "long ago"})
    with connect_to(path) as sql:
        sql.executemany("UPDATE jobs SET owner = ? WHERE number = ?", [(dead, number) for number in numbers])
