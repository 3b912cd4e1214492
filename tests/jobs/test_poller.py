"""Single polls: the delays after failures, and jobs that another key launched."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest
from engine_window import RUNNING, Follow, OpenWindow, Window
from scripted_server import PROGRESS, Hold, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import ServerFault
from cekura_tui.jobs.engine import spawn
from cekura_tui.jobs.polling import Poller
from cekura_tui.model.errors import KeyMissing


def poller_of(here: Window, monotonic: Callable[[], float]) -> Poller:
    return Poller(here.store.jobs, lambda kind: here.client, lambda: 1_000.0, monotonic, lambda: 0.5)


@pytest.mark.parametrize(
    "reply", [Reply({"detail": "No."}, 403), Reply({"detail": "Not found."}, 404), Reply(b"", 500)]
)
async def test_failed_polls_of_a_job_back_off(here: Window, reply: Reply) -> None:
    here.server.on("GET", PROGRESS, reply)
    poller = poller_of(here, itertools.count().__next__)
    polled = poller.begin(await here.launch())
    poller.own_jobs = 2  # so that one refusal does not count as a refused key
    assert [await poller.poll_once(polled) for _ in range(4)] == [2.0, 4.0, 8.0, 16.0]
    polled.failures = 0
    here.server.on("GET", PROGRESS, RUNNING)
    assert await poller.poll_once(polled) is None
    here.server.on("GET", PROGRESS, reply)
    assert await poller.poll_once(polled) == 2.0


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [*((status, KeyMissing, "needs the key") for status in (400, 401, 403, 404)), (500, ServerFault, "500")],
)
async def test_resuming_a_job_of_another_key_fails_if_the_first_poll_fails(
    open_window: OpenWindow, scripted: ScriptedServer, status: int, kind: type[Exception], said: str
) -> None:
    scripted.on("GET", PROGRESS, Reply({"detail": "Invalid progress_id."}, status))
    first, second = await open_window(key="first"), await open_window(key="second")
    await first.launch()
    with pytest.raises(kind, match=said):
        await second.engine.resume(1)
    assert second.job().other_key


async def test_closing_the_engine_ends_all_requests_in_flight(follow: Follow) -> None:
    hold = Hold(RUNNING)
    here = await follow(hold)
    await eventually(hold.arrived.is_set, "it is polled")
    assert here.engine.in_flight == 1
    await here.engine.close()
    assert here.engine.in_flight == 0
    assert not here.engine._tasks


async def test_an_exception_in_a_background_task_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def breaks() -> None:
        raise ValueError("unexpected")

    tasks: set[asyncio.Task[object]] = set()
    spawn(tasks, breaks())
    await eventually(lambda: not tasks, "it is forgotten")
    assert "polling broke" in caplog.text
