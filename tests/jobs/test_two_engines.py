"""Of several windows on one database, only one polls a job at a time. When the polling window closes, another window
polls the job."""

from __future__ import annotations

import random

import pytest
from engine_window import DONE, DRAFT, RUNNING, OpenWindow, Window
from scripted_server import PROGRESS, Hold, Reply, ScriptedServer
from simulated_time import SimulatedTime
from waiting import eventually

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.job import JobState
from cekura_tui.store.store import Store


def test_only_the_first_window_that_claims_a_poll_may_poll(store: Store) -> None:
    number = store.jobs.begin_launch(DRAFT, 0.0, "me").number
    claims = [(10.0, 0.0), (10.0, 8.0), (11.0, 9.0), (12.0, 10.0), (13.0, 11.0), (5.0, 3.0)]
    assert [store.jobs.claim_poll(number, at, since) for at, since in claims] == [True, False, False, True, False, True]


async def polls_in_an_hour(open_window: OpenWindow, server: ScriptedServer, windows: int, key: str) -> int:
    """Number of polls that `windows` windows together make of a job in its first hour."""
    time, jitter = SimulatedTime(), random.Random(windows).random

    def engine(*args: object, **more: object) -> JobEngine:
        return JobEngine(*args, **more, clock=time.clock, monotonic=time.monotonic, pause=time.pause, jitter=jitter)  # type: ignore[arg-type]

    opened = [await open_window(key=key, engine=engine) for _ in range(windows)]
    time.busy = lambda: any(one.engine.in_flight for one in opened)
    await opened[0].launch()
    before = opened[0].polls()
    for one in opened:
        one.engine.start()
    await time.advance(3_600.0)
    for one in opened:
        await one.close()
    return opened[0].polls() - before


@pytest.mark.long  # an hour of polls
@pytest.mark.parametrize("reply", [RUNNING, Reply(b"", 500)], ids=["running", "failing"])
async def test_two_windows_together_poll_at_most_a_tenth_more_often_than_one_window(
    open_window: OpenWindow, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr("cekura_tui.jobs.engine.TICK", 1.0)
    scripted.on("GET", PROGRESS, reply)
    one, two = [await polls_in_an_hour(open_window, scripted, windows, str(windows)) for windows in (1, 2)]
    assert 50 < one <= two * 1.1
    assert two <= one * 1.1


async def test_a_window_reports_a_job_end_that_another_window_recorded(here: Window, open_window: OpenWindow) -> None:
    done = Hold(DONE)
    here.server.on("GET", PROGRESS, RUNNING, done)
    there = await open_window()
    here.engine.start()
    await here.launch()
    await here.wait_for_polls(1)
    there.engine.start()
    await eventually(lambda: there.engine._running, "the other window follows it")
    before = there.changes
    done.released.set()
    await here.wait_for_state(JobState.SUCCEEDED)
    await eventually(lambda: there.changes > before and not there.engine._running, "the other window saw its end")
    assert here.polls() == 2


async def test_a_window_polls_a_job_that_another_window_launched(here: Window, open_window: OpenWindow) -> None:
    here.server.on("GET", PROGRESS, DONE)
    here.engine.start()
    await (await open_window()).launch()  # its engine is not started, as in a command that does not wait
    await here.wait_for_state(JobState.SUCCEEDED)


async def test_another_window_polls_a_job_once_the_polling_window_closes(here: Window, open_window: OpenWindow) -> None:
    here.server.on("GET", PROGRESS, RUNNING)
    there = await open_window()
    await here.launch()
    here.engine.start()
    await here.wait_for_polls(1)
    there.engine.start()
    await eventually(lambda: there.engine._running, "the other window follows it")
    await here.engine.close()
    here.server.on("GET", PROGRESS, DONE)
    await there.wait_for_state(JobState.SUCCEEDED)
