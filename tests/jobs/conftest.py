"""Job 1 on a scripted server, followed by an engine for which time flies, or in simulated time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from engine_room import DRAFT, TAKEN, Follow, OpenRoom, Room, Simulate, hasty, room, simulated
from open_store import open_store as open_store
from open_store import store as store
from scripted_server import LAUNCH, PROGRESS, ScriptedServer
from simulated_time import SimulatedTime

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import Job


@pytest.fixture
async def open_room(home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenRoom]:
    """Open a room as one more window does; it is closed after the test, if not before."""
    monkeypatch.setattr("cekura_tui.jobs.engine.TICK", 0.02)
    async with AsyncExitStack() as opened:

        async def open_one(key: str = "key", engine: Callable[..., JobEngine] = JobEngine) -> Room:
            return await opened.enter_async_context(room(home, scripted, key=key, engine=engine))

        yield open_one


@pytest.fixture
async def here(open_room: OpenRoom) -> Room:
    return await open_room()


@pytest.fixture
def follow(open_room: OpenRoom, scripted: ScriptedServer) -> Follow:
    """Launch job 1 and follow it; the arguments are the answers to its polls, the last one again and again."""

    async def following(*answers: object, engine: Callable[..., JobEngine] | None = None) -> Room:
        scripted.on("POST", LAUNCH, TAKEN)
        scripted.on("GET", PROGRESS, *answers)  # type: ignore[arg-type] # whatever a script may be
        here = await open_room(engine=engine or hasty())
        here.engine.start()
        await here.engine.launch(DRAFT)
        return here

    return following


@pytest.fixture
def simulate(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> Simulate:
    """The same in simulated time; gives the room, the time, and the jobs whose end was announced."""

    async def simulating(*answers: object) -> tuple[Room, SimulatedTime, list[Job]]:
        ended: list[Job] = []
        time, engine = simulated(monkeypatch, ended)
        return await follow(*answers, engine=engine), time, ended

    return simulating
