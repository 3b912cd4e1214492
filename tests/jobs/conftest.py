"""Fixtures: job 1 on a scripted server, polled by an engine on a fast or a simulated clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from engine_window import ACCEPTED, DRAFT, Follow, OpenWindow, Simulate, Window, fast_engine, opened_window, simulated
from open_store import open_store as open_store
from open_store import store as store
from scripted_server import LAUNCH, PROGRESS, ScriptedServer
from simulated_time import SimulatedTime

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import Job


@pytest.fixture
async def open_window(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenWindow]:
    """Open another window on the same database; closed after the test at the latest."""
    monkeypatch.setattr("cekura_tui.jobs.engine.TICK", 0.02)
    async with AsyncExitStack() as opened:

        async def open_one(key: str = "key", engine: Callable[..., JobEngine] = JobEngine) -> Window:
            return await opened.enter_async_context(opened_window(home, scripted, key=key, engine=engine))

        yield open_one


@pytest.fixture
async def here(open_window: OpenWindow) -> Window:
    return await open_window()


@pytest.fixture
def follow(open_window: OpenWindow, scripted: ScriptedServer) -> Follow:
    """Launch job 1 and poll it; the arguments are the answers to its polls, and the last one repeats."""

    async def following(*answers: object, engine: Callable[..., JobEngine] | None = None) -> Window:
        scripted.on("POST", LAUNCH, ACCEPTED)
        scripted.on("GET", PROGRESS, *answers)  # type: ignore[arg-type] # any kind of scripted answer
        here = await open_window(engine=engine or fast_engine())
        here.engine.start()
        await here.engine.launch(DRAFT)
        return here

    return following


@pytest.fixture
def simulate(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> Simulate:
    """Like `follow`, on a simulated clock; returns the window, the clock and the list of jobs reported as ended."""

    async def simulating(*answers: object) -> tuple[Window, SimulatedTime, list[Job]]:
        ended: list[Job] = []
        time, engine = simulated(monkeypatch, ended)
        return await follow(*answers, engine=engine), time, ended

    return simulating
