"""Fixtures for job 1 of a scripted server, which an engine polls on a fast or a simulated clock."""

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
    """A function that opens another window on the same database. The window is closed after the test at the latest."""
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
    """A function that launches job 1, starts to poll it and returns the window. Its arguments are the server's answers
    to the polls; the last answer repeats."""

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
    """A function that does what `follow` does, on a simulated clock. It returns the window, the clock and the list of
    jobs that the engine reported as ended."""

    async def simulating(*answers: object) -> tuple[Window, SimulatedTime, list[Job]]:
        ended: list[Job] = []
        time, engine = simulated(monkeypatch, ended)
        return await follow(*answers, engine=engine), time, ended

    return simulating
