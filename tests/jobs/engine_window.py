"""An engine with a real database, and a real client on a scripted server."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from simulated_time import SimulatedTime
from waiting import eventually

from cekura_tui.api.client import Client
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store

PROMPT = Prompt("\ufeffBe kind.\r\n\t\x1b[0m")
DRAFT = Draft((5,), PROMPT, 7, "Agent 7")
ACCEPTED = Reply({"progress_id": "p-1"})
RUNNING = Reply({"status": "running", "output": None, "error": None})
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\r\n", "summary_of_changes": "Kinder."}})
UNKNOWN = Reply({"detail": "Not found."}, 404)


class Window:
    """A window of the program: store, client and engine. `on_change` is called after each change that the
    engine reports."""

    def __init__(self, home: Path, server: ScriptedServer, engine: Callable[..., JobEngine], key: str) -> None:
        self.path = home / "cekura.db"
        self.server = server
        self.changes = 0
        self.on_change: Callable[[], None] = lambda: None
        self.store = Store(self.path, server.url, key, "default")
        self.client = Client(server.url, key, loopback=True)
        self.engine = engine(self.store.jobs, self.client, changed=self._changed)

    def _changed(self) -> None:
        self.changes += 1
        self.on_change()

    def job(self, number: int = 1) -> Job:
        job = self.store.jobs.get(number)
        assert job is not None
        return job

    async def wait_for_state(self, state: JobState, number: int = 1) -> Job:
        await eventually(lambda: self.job(number).state == state, f"job {number} is {state}")
        return self.job(number)

    async def wait_for_polls(self, times: int) -> None:
        await eventually(lambda: self.polls() >= times, f"{times} polls")

    def posts(self) -> int:
        return len(self.server.requests("POST", LAUNCH))

    def polls(self) -> int:
        return len(self.server.requests("GET", PROGRESS))

    async def launch(self) -> Job:
        """Launch a job that the server accepts."""
        self.server.on("POST", LAUNCH, ACCEPTED)
        return await self.engine.launch(DRAFT)

    async def launch_held(self, reply: Reply = ACCEPTED) -> tuple[Hold, asyncio.Task[Job]]:
        """Launch a job, and hold back the server's answer until the test sets `released` of the returned Hold."""
        hold = Hold(reply)
        self.server.on("POST", LAUNCH, hold)
        launching = asyncio.create_task(self.engine.launch(DRAFT))
        await eventually(hold.arrived.is_set, "the launch arrived")
        return hold, launching

    async def follow(self, *progress_ids: object) -> None:
        """Launch one job per id of the server, and start the engine."""
        for progress_id in progress_ids:
            self.server.on("POST", LAUNCH, Reply({"progress_id": progress_id}))
            await self.engine.launch(DRAFT)
        self.engine.start()

    def committed(self, number: int = 1) -> sqlite3.Row:
        """The row of a job and its sent prompt, as committed to the file, read on another connection."""
        sql = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        sql.row_factory = sqlite3.Row
        try:
            row = sql.execute("SELECT * FROM jobs JOIN prompts ON sha256 = prompt_sha256 WHERE number = ?", (number,))
            return row.fetchone()
        finally:
            sql.close()

    async def close(self) -> None:
        await self.engine.close()
        await self.client.aclose()
        self.store.close()


@asynccontextmanager
async def opened_window(
    home: Path, server: ScriptedServer, *, key: str = "key", engine: Callable[..., JobEngine] = JobEngine
) -> AsyncIterator[Window]:
    opened = Window(home, server, engine, key)
    try:
        yield opened
    finally:
        await opened.close()


class LeapingClock:
    """A monotonic clock that advances `step` seconds on every read, so that tests need not wait."""

    def __init__(self, step: float) -> None:
        self.now, self._step = time.monotonic(), step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


def fast_engine(step: float = 30.0) -> Callable[..., JobEngine]:
    """A function that makes engines with a clock that advances `step` seconds on every read."""
    return partial(JobEngine, monotonic=LeapingClock(step))


OpenWindow = Callable[..., Awaitable[Window]]
Follow = Callable[..., Awaitable[Window]]
Simulate = Callable[..., Awaitable[tuple[Window, SimulatedTime, list[Job]]]]


def simulated(monkeypatch: pytest.MonkeyPatch, ended: list[Job]) -> tuple[SimulatedTime, Callable[..., JobEngine]]:
    """A simulated clock, and a function that makes engines with this clock. The engines look for other processes every
    30 seconds, and append ended jobs to `ended`."""
    monkeypatch.setattr("cekura_tui.jobs.engine.TICK", 30.0)
    time = SimulatedTime()

    def engine(*args: Any, **more: Any) -> JobEngine:
        times = {"clock": time.clock, "monotonic": time.monotonic, "pause": time.pause, "jitter": lambda: 0.5}
        made = JobEngine(*args, **more, **times, ended=ended.append)
        time.busy = lambda: made.in_flight > 0
        return made

    return time, engine
