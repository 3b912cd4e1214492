"""The next run of a list is prefetched, and no run is fetched twice."""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import Hold, Reply, ScriptedServer, run_of, serve_runs
from simulated_time import SleepClock
from waiting import eventually

from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.workspace import opened_runs
from cekura_tui.workspace.opened_runs import RunPrefetch
from cekura_tui.workspace.session import Session

RUNS = "/test_framework/v1/runs/"


def asked(server: ScriptedServer) -> list[int]:
    """The ids of the requested runs, in order."""
    return [int(got.path.removeprefix(RUNS).strip("/")) for got in server.requests("GET")]


@pytest.fixture
def clock() -> SleepClock:
    return SleepClock()


@pytest.fixture
def prefetch(session: Session, clock: SleepClock) -> RunPrefetch:
    return RunPrefetch(session.run, Budget(1_000, 0.001), clock=clock, monotonic=clock, sleep=clock.sleep)


def read(number: int, **fields: object) -> RunView:
    return view_of(Run.read(run_of(number, **fields)), 1_000.0)


async def test_a_prefetched_run_is_not_fetched_again_for_a_minute(
    prefetch: RunPrefetch, clock: SleepClock, scripted: ScriptedServer
) -> None:
    serve_runs(scripted, run_of(5, transcript="[00:01] Main Agent: Hello."))
    assert prefetch.fresh(5) is None
    await prefetch.fetch(5)
    found = prefetch.fresh(5)
    assert found is not None
    assert [turn.text for turn in found.transcript.turns] == ["Hello."]
    for seconds, requests in ((59.9, [5]), (0.1, [5, 5])):
        clock.now += seconds
        await prefetch.fetch(5)
        assert asked(scripted) == requests


async def test_only_the_last_of_the_runs_requested_during_a_prefetch_is_fetched(
    prefetch: RunPrefetch, scripted: ScriptedServer
) -> None:
    hold = Hold(Reply(run_of(1)))
    scripted.on("GET", f"{RUNS}1/", hold)
    serve_runs(scripted, *(run_of(number) for number in range(2, 10)))
    first = asyncio.create_task(prefetch.fetch(1))
    await eventually(hold.arrived.is_set, "the first is asked for")
    others = [asyncio.create_task(prefetch.fetch(number)) for number in range(2, 10)]
    await asyncio.sleep(0)
    assert asked(scripted) == [1]
    hold.released.set()
    await asyncio.gather(first, *others)
    assert asked(scripted) == [1, 9]
    assert [number for number in range(10) if prefetch.fresh(number)] == [1, 9]


async def test_a_prefetch_waits_for_the_shared_budget_and_ends_if_the_run_is_skipped(
    session: Session, clock: SleepClock, scripted: ScriptedServer
) -> None:
    serve_runs(scripted, run_of(5), run_of(6))
    budget, skipped = Budget(1, 1.0), asyncio.Event()
    budget.take(999.9)

    async def sleep(seconds: float) -> None:
        await skipped.wait()
        await clock.sleep(seconds)

    prefetch = RunPrefetch(session.run, budget, clock=clock, monotonic=clock, sleep=sleep)
    tasks = [asyncio.create_task(prefetch.fetch(number)) for number in (5, 6)]
    await asyncio.sleep(0)
    skipped.set()
    await asyncio.gather(*tasks)
    assert asked(scripted) == [6]
    assert sum(clock.slept) == pytest.approx(0.9)
    assert budget.wait(clock.now) > 0


async def test_a_running_run_or_a_run_from_the_database_does_not_count_as_fresh(
    prefetch: RunPrefetch, session: Session, scripted: ScriptedServer
) -> None:
    serve_runs(scripted, run_of(5, status="in_progress", evaluation_status=None))
    await prefetch.fetch(5)
    assert prefetch.fresh(5) is None
    assert asked(scripted) == [5]
    prefetch.add(read(5))
    assert prefetch.fresh(5) is not None
    prefetch.add(read(5, status="running"))
    assert prefetch.fresh(5) is None
    session.store.runs.save_opened(Run.read(run_of(6)), 1.0)
    prefetch.add((await session.cached_run(6)) or read(7))
    assert prefetch.fresh(6) is None


async def test_the_oldest_prefetched_runs_are_dropped_beyond_a_count_or_a_size(
    prefetch: RunPrefetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> list[int]:
        return [number for number in range(30) if prefetch.fresh(number)]

    for number in range(1, 11):
        prefetch.add(read(number))
    prefetch.add(read(3))  # now the newest
    prefetch.add(read(11))
    assert kept() == [3, *range(5, 12)]
    assert (opened_runs.MAX_CACHED_BYTES, opened_runs.MAX_EXPLAINED) == (16_777_216, 400_000)
    monkeypatch.setattr(opened_runs, "MAX_CACHED_BYTES", 30_000)
    prefetch.add(read(20, transcript="x" * 20_000))
    prefetch.add(read(21, transcript="x" * 9_000))
    assert kept()[-2:] == [20, 21]
    prefetch.add(read(22, transcript="x" * 9_000))
    assert kept() == [21, 22]
    prefetch.add(read(23, transcript="x" * 40_000))
    assert kept() == [21, 22]


async def test_a_failed_prefetch_can_be_repeated(prefetch: RunPrefetch, scripted: ScriptedServer) -> None:
    await prefetch.fetch(5)
    assert prefetch.fresh(5) is None
    serve_runs(scripted, run_of(5))
    await prefetch.fetch(5)
    assert prefetch.fresh(5) is not None


async def test_a_cached_run_is_read_from_the_database_again_only_after_a_change(session: Session) -> None:
    session.store.runs.save_opened(Run.read(run_of(5)), 1.0)
    seen = await session.cached_run(5)
    assert seen is not None
    assert await session.cached_run(5) is seen
    session.store.runs.save_opened(Run.read(run_of(5)), 2.0)
    again = await session.cached_run(5)
    assert again is not None
    assert again.got_at == 2.0
    assert await session.cached_run(6) is None


async def test_a_prefetch_outlives_its_cancelled_caller_but_ends_on_close(
    session: Session, scripted: ScriptedServer
) -> None:
    hold, never = Hold(Reply(run_of(1))), Hold(Reply(run_of(2)))
    scripted.on("GET", f"{RUNS}1/", hold)
    scripted.on("GET", f"{RUNS}2/", never)
    waiting = asyncio.create_task(session.prefetch.fetch(1))
    await eventually(hold.arrived.is_set, "it is asked for")
    waiting.cancel()
    hold.released.set()
    await eventually(lambda: session.prefetch.fresh(1), "it is there")
    waiting = asyncio.create_task(session.prefetch.fetch(2))
    await eventually(never.arrived.is_set, "the next is asked for")
    await session.prefetch.close()
    await waiting
    assert session.prefetch.fresh(2) is None


async def test_closing_succeeds_after_a_prefetch_raised_an_unexpected_error(clock: SleepClock) -> None:
    async def broken(number: int) -> RunView:
        raise RuntimeError(number)

    prefetch = RunPrefetch(broken, Budget(1_000, 0.001), clock=clock, monotonic=clock, sleep=clock.sleep)
    await prefetch.fetch(5)
    await prefetch.close()
