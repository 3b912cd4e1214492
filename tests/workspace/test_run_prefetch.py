"""The next run of a list is there before somebody opens it, and nothing is asked for twice."""

from __future__ import annotations

import asyncio
import logging

import pytest
from scripted_server import Hold, Reply, ScriptedServer, run_of, serve_runs
from waiting import eventually

from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.workspace import opened_runs
from cekura_tui.workspace.opened_runs import FRESH, MOST, RunPrefetch
from cekura_tui.workspace.session import Session

RUNS = "/test_framework/v1/runs/"


class Clock:
    """The time is what the test says; who sleeps is there at once."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def ahead_of(session: Session, clock: Clock, budget: Budget | None = None) -> RunPrefetch:
    room = budget or Budget(1_000, 0.001)
    return RunPrefetch(session.run, room, clock=clock, monotonic=clock, sleep=clock.sleep)


def asked(server: ScriptedServer) -> list[int]:
    """The runs that were asked for, in order."""
    return [int(got.path.removeprefix(RUNS).strip("/")) for got in server.requests("GET")]


def read(number: int, **fields: object) -> RunView:
    return view_of(Run.read(run_of(number, **fields)), 1_000.0)


async def test_a_prefetched_neighbour_is_not_fetched_again_for_a_minute(
    session: Session, scripted: ScriptedServer
) -> None:
    serve_runs(scripted, run_of(5, transcript="[00:01] Main Agent: Hello."))
    clock = Clock()
    ahead = ahead_of(session, clock)
    assert ahead.get(5) is None
    await ahead.fetch(5)
    found = ahead.get(5)
    assert found is not None
    assert [turn.text for turn in found.transcript.turns] == ["Hello."]
    clock.now += FRESH - 1
    await ahead.fetch(5)
    assert asked(scripted) == [5]
    clock.now += 1
    await ahead.fetch(5)
    assert asked(scripted) == [5, 5]


async def test_of_runs_that_are_skipped_quickly_only_the_last_is_asked_for(
    session: Session, scripted: ScriptedServer
) -> None:
    hold = Hold(Reply(run_of(1)))
    scripted.on("GET", f"{RUNS}1/", hold)
    serve_runs(scripted, *(run_of(number) for number in range(2, 10)))
    ahead = ahead_of(session, Clock())
    first = asyncio.create_task(ahead.fetch(1))
    await eventually(hold.arrived.is_set, "the first is asked for")
    others = [asyncio.create_task(ahead.fetch(number)) for number in range(2, 10)]
    await asyncio.sleep(0)
    assert asked(scripted) == [1]
    hold.released.set()
    await asyncio.gather(first, *others)
    assert asked(scripted) == [1, 9]
    assert [number for number in range(10) if ahead.get(number)] == [1, 9]


async def test_prefetching_waits_for_the_shared_budget(session: Session, scripted: ScriptedServer) -> None:
    serve_runs(scripted, run_of(5))
    clock, budget = Clock(), Budget(2, 1.0)
    for at in (999.8, 999.9):
        budget.take(at)
    await ahead_of(session, clock, budget).fetch(5)
    assert sum(clock.slept) == pytest.approx(0.8)
    assert budget.wait(clock.now) > 0


async def test_a_run_skipped_while_waiting_for_its_turn_is_not_fetched(
    session: Session, scripted: ScriptedServer
) -> None:
    serve_runs(scripted, run_of(5), run_of(6))
    clock, budget = Clock(), Budget(1, 1.0)
    budget.take(999.9)
    waits = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await waits.wait()
        clock.now += seconds

    ahead = RunPrefetch(session.run, budget, clock=clock, monotonic=clock, sleep=sleep)
    tasks = [asyncio.create_task(ahead.fetch(number)) for number in (5, 6)]
    await asyncio.sleep(0)
    waits.set()
    await asyncio.gather(*tasks)
    assert asked(scripted) == [6]


async def test_a_run_that_goes_on_is_not_shown_as_it_was(session: Session, scripted: ScriptedServer) -> None:
    serve_runs(scripted, run_of(5, status="in_progress", evaluation_status=None))
    ahead = ahead_of(session, Clock())
    await ahead.fetch(5)
    assert ahead.get(5) is None
    assert asked(scripted) == [5]
    ahead.keep(read(5))
    assert ahead.get(5) is not None
    ahead.keep(read(5, status="running"))
    assert ahead.get(5) is None


async def test_no_more_runs_are_kept_than_may_be_and_the_oldest_leaves(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = ahead_of(session, Clock())
    for number in range(1, MOST + 3):
        ahead.keep(read(number))
    ahead.keep(read(3))  # it is the newest now
    ahead.keep(read(MOST + 3))
    assert [number for number in range(20) if ahead.get(number)] == [3, *range(5, MOST + 4)]
    monkeypatch.setattr(opened_runs, "MOST_BYTES", 30_000)
    ahead.keep(read(20, transcript="x" * 20_000))
    ahead.keep(read(21, transcript="x" * 9_000))
    assert ahead.get(20)
    assert ahead.get(21)
    ahead.keep(read(22, transcript="x" * 9_000))
    assert (ahead.get(20), ahead.get(3)) == (None, None)
    assert ahead.get(21)
    assert ahead.get(22)
    ahead.keep(read(23, transcript="x" * 40_000))
    assert ahead.get(23) is None
    assert ahead.get(22)


async def test_a_failed_prefetch_is_only_logged(
    session: Session, scripted: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    ahead = ahead_of(session, Clock())
    with caplog.at_level(logging.INFO, "cekura_tui"):
        await ahead.fetch(5)
    assert ahead.get(5) is None
    assert "run 5 was not prefetched" in caplog.text
    serve_runs(scripted, run_of(5))
    await ahead.fetch(5)
    assert ahead.get(5) is not None


async def test_what_was_kept_of_a_server_that_is_away_is_not_taken_for_news(session: Session) -> None:
    session.store.runs.keep_opened(Run.read(run_of(5)), 1.0)
    ahead = ahead_of(session, Clock())
    ahead.keep((await session.cached_run(5)) or read(6))
    assert ahead.get(5) is None


async def test_a_run_looked_at_in_the_list_is_read_from_the_disk_once_until_it_changes(session: Session) -> None:
    session.store.runs.keep_opened(Run.read(run_of(5)), 1.0)
    seen = await session.cached_run(5)
    assert seen is not None
    assert await session.cached_run(5) is seen
    session.store.runs.keep_opened(Run.read(run_of(5)), 2.0)
    again = await session.cached_run(5)
    assert again is not None
    assert again.got_at == 2.0
    assert await session.cached_run(6) is None


async def test_a_prefetch_outlives_its_caller_but_not_closing(session: Session, scripted: ScriptedServer) -> None:
    hold, never = Hold(Reply(run_of(1))), Hold(Reply(run_of(2)))
    scripted.on("GET", f"{RUNS}1/", hold)
    scripted.on("GET", f"{RUNS}2/", never)
    waiting = asyncio.create_task(session.prefetch.fetch(1))
    await eventually(hold.arrived.is_set, "it is asked for")
    waiting.cancel()
    hold.released.set()
    await eventually(lambda: session.prefetch.get(1), "it is there")
    waiting = asyncio.create_task(session.prefetch.fetch(2))
    await eventually(never.arrived.is_set, "the next is asked for")
    await session.prefetch.close()
    await waiting
    assert session.prefetch.get(2) is None


async def test_closing_goes_on_where_reading_ahead_ended_by_an_error() -> None:
    async def broken(number: int) -> RunView:
        raise RuntimeError(number)

    clock = Clock()
    ahead = RunPrefetch(broken, Budget(1_000, 0.001), clock=clock, monotonic=clock, sleep=clock.sleep)
    await ahead.fetch(5)
    await ahead.close()
