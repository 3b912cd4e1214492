"""Run lists are cached in a real database, so that the next start can show the runs that the server sent."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scripted_server import Reply, ScriptedServer, run_of

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, NotFound
from cekura_tui.demo.corpus import FIRST_PROJECT, SECOND_PROJECT
from cekura_tui.demo.server import DemoServer
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope
from cekura_tui.store.runs import CachedRuns, read_cached_start
from cekura_tui.store.store import Store
from cekura_tui.workspace.run_lists import RunLists

ORIGIN = "demo"
RUNS = "/test_framework/v1/runs/"
FRONT = Scope("project", FIRST_PROJECT, "Front desks")
ALL_RUNS = RunQuery(FRONT)
FAILED = RunQuery(FRONT, parse("status:failed,timeout").filter)
NINE = RunQuery(Scope("project", 9))


class Counted(Budget):
    """A request budget that counts the claimed requests in `turns`."""

    turns = 0

    def take(self, now: float) -> None:
        self.turns += 1
        super().take(now)


@dataclass
class Window:
    """The store, run lists and budget of one window."""

    store: Store
    lists: RunLists
    budget: Counted

    async def seen(self, query: RunQuery) -> CachedRuns:
        """The cached list of a query; fails if there is none."""
        seen = self.store.runs.cached_list(query.key)
        assert seen is not None
        return seen

    async def cached(self, query: RunQuery) -> tuple[int, list[int]]:
        seen = await self.seen(query)
        return seen.count, [row.id for row in seen.rows]

    async def known(self, query: RunQuery = ALL_RUNS) -> list[tuple[RunRow, float]]:
        return list(self.lists.cached(query))


@asynccontextmanager
async def window(home: Path, url: str, key: str) -> AsyncIterator[Window]:
    client, budget = Client(url, key, loopback=True), Counted()
    with closing(Store(home / "cekura.db", ORIGIN, key, "default")) as store:
        engine = JobEngine(store.jobs, client, budget=budget)
        yield Window(store, RunLists(store, client, engine, budget, lambda: 50.0), budget)
        await engine.close()
        await client.aclose()


@pytest.fixture
async def ours(home: Path, demo: DemoServer) -> AsyncIterator[Window]:
    """A window on the demo server."""
    async with window(home, demo.url, demo.key) as opened:
        yield opened


@pytest.fixture
async def scripted_list(home: Path, scripted: ScriptedServer) -> AsyncIterator[Window]:
    """A window on the scripted server."""
    async with window(home, scripted.url, "key") as opened:
        yield opened


def ids(page: ListPage[RunRow]) -> list[int]:
    return [row.id for row in page.items]


def listed(*runs: dict[str, object], count: int | None = None) -> Reply:
    return Reply({"count": len(runs) if count is None else count, "next": None, "previous": None, "results": runs})


async def test_a_restart_shows_the_cached_pages_of_the_last_list(home: Path, demo: DemoServer) -> None:
    async with window(home, demo.url, demo.key) as before:
        first = await before.lists.page(ALL_RUNS)
        assert (first.count, first.more, ids(first)) == (240, True, list(range(900_240, 900_140, -1)))
        third = await before.lists.page(ALL_RUNS, 3, first.at)
        assert (third.more, ids(third)) == (False, list(range(900_040, 900_000, -1)))
    async with window(home, demo.url, demo.key) as after:
        seen = await after.seen(ALL_RUNS)
        assert (seen.count, seen.rows, seen.got_at) == (240, (*first.items, *third.items), 50.0)
        assert read_cached_start(home / "cekura.db", ORIGIN, demo.key, "default", FRONT.text).seen == seen


async def test_reloading_a_list_replaces_the_cached_list_and_reloading_a_page_keeps_it(ours: Window) -> None:
    first = await ours.lists.page(ALL_RUNS)
    await ours.lists.page(ALL_RUNS, 2, first.at)
    await ours.lists.page(ALL_RUNS, 1, first.at)
    assert await ours.cached(ALL_RUNS) == (240, list(range(900_240, 900_040, -1)))
    await ours.lists.page(ALL_RUNS)
    assert await ours.cached(ALL_RUNS) == (240, ids(first))


async def test_a_pinned_list_has_only_the_runs_and_pages_up_to_the_pin(ours: Window) -> None:
    pin = (await ours.lists.page(ALL_RUNS)).items[50].at
    first = await ours.lists.page(ALL_RUNS, 1, pin, least=240)
    assert (first.count, ids(first)) == (190, list(range(900_190, 900_090, -1)))
    with pytest.raises(NotFound):
        await ours.lists.page(ALL_RUNS, 3, pin)
    until = RunQuery(FRONT, parse("until:2025-10-01").filter)  # earlier than the pin
    assert (await ours.lists.page(until)).count == (await ours.lists.page(until, 1, pin)).count < 190


async def test_each_server_side_filter_has_its_own_cached_list(ours: Window) -> None:
    whole, failed = await ours.lists.page(ALL_RUNS), await ours.lists.page(FAILED)
    assert {row.status for row in failed.items} == {"failed", "timeout"}
    assert failed.count < whole.count
    noted = RunQuery(FRONT, parse("status:failed,timeout note:yes").filter)
    assert await ours.cached(FAILED) == await ours.cached(noted) == (failed.count, ids(failed))
    assert await ours.cached(RunQuery(FRONT, parse("note:yes").filter)) == (240, ids(whole))
    assert ours.store.runs.cached_list(RunQuery(FRONT, parse("status:timeout").filter).key) is None
    assert ours.store.runs.cached_list(RunQuery(Scope("project", SECOND_PROJECT)).key) is None


async def test_newer_runs_are_requested_by_time_within_the_shared_budget(ours: Window) -> None:
    first = await ours.lists.page(ALL_RUNS)
    assert ours.budget.turns == 0
    third, fifth = first.items[2].at, first.items[4].at
    assert third is not None
    assert fifth is not None
    assert ids(await ours.lists.newer(ALL_RUNS, third)) == ids(first)[:3]
    assert await ours.cached(ALL_RUNS) == (240, ids(first))
    await ours.lists.reread(ids(first)[:2])
    await ours.lists.page(ALL_RUNS, 2, first.at, budgeted=True)
    assert ours.budget.turns == 3
    since = RunQuery(FRONT, parse(f"since:{datetime.fromtimestamp(int(third), UTC):%Y-%m-%dT%H:%M:%SZ}").filter)
    assert ids(await ours.lists.newer(since, fifth)) == ids(first)[:3]
    assert ids(await ours.lists.newer(since, third + 1)) == ids(first)[:2]


async def test_newer_runs_are_added_to_the_cached_list_and_written_only_if_changed(
    scripted_list: Window, scripted: ScriptedServer
) -> None:
    scripted.on("GET", RUNS, listed(run_of(2), run_of(1), count=240), listed(run_of(4), run_of(3), run_of(2)))
    await scripted_list.lists.page(NINE)
    await scripted_list.lists.newer(NINE, 1_000.5)
    assert scripted.seen[-1].query["created_at_from"] == "1970-01-01T00:16:40.500000Z"
    assert await scripted_list.cached(NINE) == (242, [4, 3, 2, 1])
    written = scripted_list.store.database._sql.total_changes
    await scripted_list.lists.newer(NINE, 1_000.5)
    assert scripted_list.store.database._sql.total_changes == written

    scripted.on("GET", RUNS, listed(run_of(4, status="timeout")))
    await scripted_list.lists.newer(NINE, 1_000.5)
    seen = await scripted_list.seen(NINE)
    assert (seen.count, [row.status for row in seen.rows]) == (242, ["timeout", *["completed"] * 3])


async def test_a_changed_run_is_updated_in_every_cached_list(scripted_list: Window, scripted: ScriptedServer) -> None:
    queries = (NINE, RunQuery(NINE.scope, parse("status:in_progress").filter))
    runs = [run_of(number, status="in_progress", evaluation_status=None) for number in (2, 1)]
    scripted.on("GET", RUNS, listed(*runs))
    for query in queries:
        await scripted_list.lists.page(query)
    scripted.on("GET", f"{RUNS}bulk/", Reply([run_of(2)]))
    (row,) = await scripted_list.lists.reread([2, 1])
    assert (row.id, row.status, scripted.seen[-1].query["run_ids"]) == (2, "completed", "2,1")
    for query in queries:
        seen = await scripted_list.seen(query)
        assert [(row.id, row.status) for row in seen.rows] == [(2, "completed"), (1, "in_progress")]


async def test_cached_runs_are_listed_only_for_their_scope_and_key(home: Path, demo: DemoServer, ours: Window) -> None:
    client = Client(demo.url, demo.key, loopback=True)
    assert await ours.known() == []
    first, failed = await ours.lists.page(ALL_RUNS), await ours.lists.page(FAILED)
    for opened in (900_003, 800_010, 900_200):
        ours.store.runs.save_opened(await client.run(opened), 60.0)
    await client.aclose()

    known = await ours.known(FAILED)
    assert [row.id for row, _ in known] == sorted({*ids(first), *ids(failed), 900_003}, reverse=True)
    assert {row.id: at for row, at in known if at != 50.0} == {900_003: 60.0, 900_200: 60.0}
    assert known == await ours.known()
    opened_row = next(row for row, _ in known if row.id == 900_003)
    for scope in (Scope("agent", opened_row.agent_id or 0), Scope("result", opened_row.result_id or 0)):
        assert opened_row in [row for row, _ in await ours.known(RunQuery(scope))]
    assert [row.id for row, _ in await ours.known(RunQuery(Scope("project", SECOND_PROJECT)))] == [800_010]

    async with window(home, demo.url, "another key") as other:
        assert (other.store.runs.cached_list(ALL_RUNS.key), await other.known()) == (None, [])
        other.store.runs.save_opened(Run.read(run_of(7, project=FIRST_PROJECT)), 1.0)
        assert [row.id for row, _ in await other.known()] == [7]
    assert await ours.known() == known


async def test_the_newer_of_the_opened_and_the_listed_version_of_a_run_is_used(
    scripted_list: Window, scripted: ScriptedServer
) -> None:
    opened = Run.read(run_of(5, status="in_progress", project=9))
    scripted.on("GET", RUNS, listed(run_of(5, project=9)))
    scripted_list.store.runs.save_opened(opened, 40.0)
    await scripted_list.lists.page(NINE)
    assert [(row.status, at) for row, at in scripted_list.lists.cached(NINE)] == [("completed", 50.0)]
    scripted_list.store.runs.save_opened(opened, 60.0)
    assert [(row.status, at) for row, at in scripted_list.lists.cached(NINE)] == [("in_progress", 60.0)]


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_failed_list_request_is_not_retried_and_leaves_the_cache_unchanged(
    scripted_list: Window, scripted: ScriptedServer, status: int
) -> None:
    scripted.on("GET", RUNS, listed(run_of(1)))
    await scripted_list.lists.page(NINE)
    asked = len(scripted.seen)
    scripted.on("GET", RUNS, Reply({"detail": "No."}, status))
    scripted.on("GET", f"{RUNS}bulk/", Reply({"detail": "No."}, status))
    lists = scripted_list.lists
    for ask in (lists.page(NINE), lists.page(NINE, 2, 1.0), lists.newer(NINE, 1.0), lists.reread([1])):
        with pytest.raises(ApiError):
            await ask
    assert len(scripted.seen) == asked + 4
    assert await scripted_list.cached(NINE) == (1, [1])


async def test_runs_are_listed_even_if_they_cannot_be_cached(
    home: Path, scripted_list: Window, scripted: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.on("GET", RUNS, listed(run_of(1)))
    scripted.on("GET", f"{RUNS}bulk/", Reply([run_of(1, status="timeout")]))
    scripted_list.store.database._sql.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(home / "cekura.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert ids(await scripted_list.lists.page(NINE)) == [1]
        assert ids(await scripted_list.lists.newer(NINE, 1.0)) == [1]
        assert [row.status for row in await scripted_list.lists.reread([1])] == ["timeout"]
    assert caplog.text.count("runs were not cached") == 3
    assert scripted_list.store.runs.cached_list(NINE.key) is None
