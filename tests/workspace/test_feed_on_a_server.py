"""The run list against a real server: what goes over the wire, and what its headers say."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from listed_runs import Listed, Pin
from scripted_server import Got, Reply, ScriptedServer, run_of
from simulated_time import SimulatedTime

from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.scope import Scope
from cekura_tui.workspace.run_feed import FOCUSED, RunFeed, VisibleRange
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

T = TypeVar("T")
LIST, BULK = "/test_framework/v1/runs/", "/test_framework/v1/runs/bulk/"
QUERY = RunQuery(Scope("project", 1))
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@asynccontextmanager
async def feeding(home: Path, server: ScriptedServer) -> AsyncIterator[tuple[RunFeed, SimulatedTime]]:
    """A feed of a real session, for which time only goes on while nothing is on its way."""
    asking: list[object] = []
    going = SimulatedTime(lambda: bool(asking))
    env = {"CEKURA_API_URL": server.url, "CEKURA_API_KEY": "key"}
    session = Session.open(make_setup(config_dir=str(home), env=env))

    async def ask(of: Callable[[Session], Awaitable[T]]) -> T:
        asking.append(of)
        try:
            return await of(session)
        finally:
            asking.remove(of)
            going.wake()

    feed = RunFeed(ask, lambda: None, clock=time.time, monotonic=going.monotonic, spread=lambda: 0.5, pause=going.pause)
    serving = asyncio.create_task(feed.run())
    try:
        feed.show(QUERY)
        feed.look(VisibleRange(0, 9, 0))
        await going.passes(0.01)
        yield feed, going
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await session.close()


def pages_of(total: int, size: int) -> Callable[[Got], Reply]:
    """A list of runs, newest first, of which all but the newest have ended."""

    def script(got: Got) -> Reply:
        if "created_at_from" in got.query:
            return Reply({"count": 1, "next": None, "results": [run_of(total + 1, status="in_progress")]})
        first = (int(got.query["page"]) - 1) * size
        ids = range(total - first, max(0, total - first - size), -1)
        runs = [run_of(number, status="completed" if number < total else "in_progress") for number in ids]
        more = "elsewhere" if first + size < total else None
        return Reply({"count": total, "next": more, "results": runs}, headers={"Date": DATE})

    return script


async def test_a_list_is_pinned_by_the_date_of_the_server_and_what_came_since_is_asked_for_apart(
    home: Path, scripted: ScriptedServer
) -> None:
    scripted.on("GET", LIST, pages_of(60, 20))
    scripted.on("GET", BULK, Reply([run_of(60)]))
    async with feeding(home, scripted) as (feed, going):
        feed.look(VisibleRange(45, 54, 45))
        await going.passes(0.2)
        assert feed.runs is not None
        assert [run.id for run in feed.runs.listed[40:60]] == list(range(20, 0, -1))
        await going.passes(FOCUSED)
        assert feed.runs.waiting == 1
        assert feed.runs.listed[0].outcome.settled
    first, last = scripted.requests("GET", LIST)[:2]
    assert "created_at_to" not in first.query
    assert (last.query["page"], last.query["created_at_to"]) == ("3", "2023-11-14T22:13:20.000000Z")
    newer = [got.query["created_at_from"] for got in scripted.requests("GET", LIST) if "created_at_from" in got.query]
    assert newer == ["2023-11-14T22:12:20.000000Z"]
    assert [got.query["run_ids"] for got in scripted.requests("GET", BULK)] == ["60"]


@pytest.mark.parametrize("pin", ["day", "refused", "unknown", "counts"])
async def test_a_list_is_whole_at_a_server_that_reads_its_moment_otherwise(
    home: Path, scripted: ScriptedServer, pin: Pin
) -> None:
    Listed(scripted, list(range(1, 122)), page=20, pin=pin, apart=2_400)
    async with feeding(home, scripted) as (feed, going):
        feed.set_live(False)
        for _ in range(20):
            feed.load_all(True)
            await going.passes(10)
            assert feed.runs is not None
            if pin == "counts" or feed.runs.listed.loaded == 121:
                break
        else:
            raise AssertionError("never whole")
        rows = [run.id for run in feed.runs.listed.runs()]
        assert rows == sorted(set(rows), reverse=True)
        # One that counts otherwise on every page is never taken for whole.
        assert rows == list(range(121, 0, -1)) or feed.runs.listed.loaded < feed.runs.count


async def test_a_server_that_says_when_to_come_again_is_not_asked_before(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, Reply({"detail": "Slow down."}, 429, {"Retry-After": "30"}), pages_of(60, 20))
    async with feeding(home, scripted) as (feed, going):
        assert feed.attempts.busy_until is not None
        assert feed.attempts.error is not None
        await going.passes(29)
        feed.refresh()
        await going.passes(0.5)
        assert len(scripted.requests("GET", LIST)) == 1
        await going.passes(1)
        assert feed.runs is not None
        assert len(feed.runs.listed) == 60
        assert feed.attempts.busy_until is None


async def test_a_server_that_fails_at_one_page_is_told_of_in_its_place(home: Path, scripted: ScriptedServer) -> None:
    whole = pages_of(60, 20)
    broken = True

    def script(got: Got) -> Reply:
        return Reply(b"<html>", 502) if broken and got.query["page"] == "3" else whole(got)

    scripted.on("GET", LIST, script)
    async with feeding(home, scripted) as (feed, going):
        feed.look(VisibleRange(45, 54, 45))
        await going.passes(1)
        assert feed.runs is not None
        assert "502" in feed.runs.listed[45].why
        assert feed.runs.listed[0].id == 60
        broken = False
        await going.passes(2)
        assert feed.runs.listed[45].id == 15
