"""One request about one job: when the next one is made, and what the answer of another key's server means."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_room import DRAFT, RUNNING, TAKEN, Room, room
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import ServerFault
from cekura_tui.jobs.engine import spawn
from cekura_tui.jobs.lease import Lease
from cekura_tui.jobs.polling import PolledJob, Poller
from cekura_tui.model.errors import KeyMissing


def poller_of(here: Room, monotonic: Callable[[], float]) -> Poller:
    return Poller(here.store.jobs, Lease(here.store.lease), here.client, lambda: 1_000.0, monotonic, lambda: 0.5)


@pytest.mark.parametrize(
    "reply", [Reply({"detail": "No."}, 403), Reply({"detail": "Not found."}, 404), Reply(b"", 500)]
)
async def test_a_job_that_fails_again_is_polled_ever_later(home: Path, scripted: ScriptedServer, reply: Reply) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    scripted.on("GET", PROGRESS, reply)
    async with room(home, scripted) as here:
        polled = PolledJob.started(await here.engine.launch(DRAFT), 0.0)
        poller = poller_of(here, itertools.count().__next__)
        poller.followed = 2  # of the other one the server tells, so the key is not refused as such
        assert [await poller.poll_once(polled) for _ in range(4)] == [2.0, 4.0, 8.0, 16.0]
        polled.failures = 0
        scripted.on("GET", PROGRESS, RUNNING)
        assert await poller.poll_once(polled) is None
        scripted.on("GET", PROGRESS, reply)
        assert await poller.poll_once(polled) == 2.0


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_job_that_the_server_does_not_show_needs_the_key_it_was_launched_with(
    home: Path, scripted: ScriptedServer, status: int
) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    scripted.on("GET", PROGRESS, Reply({"detail": "Invalid progress_id."}, status))
    async with room(home, scripted, key="first") as first, room(home, scripted, key="second") as second:
        await first.engine.launch(DRAFT)
        with pytest.raises(KeyMissing, match="needs the key used to launch it"):
            await second.engine.resume(1)


async def test_a_server_that_fails_is_reported_when_another_key_resumes_a_job(
    home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    scripted.on("GET", PROGRESS, Reply(b"", 500))
    async with room(home, scripted, key="first") as first, room(home, scripted, key="second") as second:
        await first.engine.launch(DRAFT)
        with pytest.raises(ServerFault):
            await second.engine.resume(1)
        assert second.job().other_key


async def test_nothing_is_on_its_way_once_the_engine_is_closed(home: Path, scripted: ScriptedServer) -> None:
    hold = Hold(RUNNING)
    scripted.on("POST", LAUNCH, TAKEN)
    scripted.on("GET", PROGRESS, hold)
    async with room(home, scripted) as here:
        here.engine.start()
        await here.engine.launch(DRAFT)
        await eventually(hold.arrived.is_set, "it is polled")
        assert here.engine.in_flight == 1
        await here.engine.close()
        assert here.engine.in_flight == 0
        assert not here.engine._tasks


async def test_a_task_is_forgotten_when_it_is_done_also_by_an_error(caplog: pytest.LogCaptureFixture) -> None:
    tasks: set[asyncio.Task[object]] = set()

    async def breaks() -> None:
        raise ValueError("nobody expected this")

    spawn(tasks, asyncio.sleep(0))
    spawn(tasks, breaks())
    assert len(tasks) == 2
    await eventually(lambda: not tasks, "both are forgotten")
    assert "polling broke" in caplog.text
