"""Job 1 on a scripted server, followed by an engine for which time flies, or in simulated time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from engine_room import DRAFT, TAKEN, Follow, Room, Simulate, hasty, room, simulated
from scripted_server import LAUNCH, PROGRESS, ScriptedServer
from simulated_time import SimulatedTime

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import Job
from cekura_tui.store.store import Store


@pytest.fixture
def follow(home: Path, scripted: ScriptedServer) -> Follow:
    """Launch job 1 and follow it; the arguments are the answers to its polls, the last one again and again."""

    @asynccontextmanager
    async def following(*answers: object, engine: Callable[..., JobEngine] | None = None) -> AsyncIterator[Room]:
        scripted.on("POST", LAUNCH, TAKEN)
        scripted.on("GET", PROGRESS, *answers)  # type: ignore[arg-type] # whatever a script may be
        async with room(home, scripted, engine=engine or hasty()) as here:
            here.engine.start()
            await here.engine.launch(DRAFT)
            yield here

    return following


@pytest.fixture
def simulate(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> Simulate:
    """The same in simulated time; gives the room, the time, and the jobs whose end was announced."""

    @asynccontextmanager
    async def simulating(*answers: object) -> AsyncIterator[tuple[Room, SimulatedTime, list[Job]]]:
        ended: list[Job] = []
        time, engine = simulated(monkeypatch, ended)
        async with follow(*answers, engine=engine) as here:
            yield here, time, ended

    return simulating


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with closing(Store(home / "cekura.db", "https://api.cekura.ai", "key", "default")) as opened:
        yield opened
