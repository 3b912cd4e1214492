"""Findings, which say why runs failed, are fetched from an HTTP server and cached in a database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scripted_server import Got, Reply, ScriptedServer, run_of
from simulated_time import SleepClock

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.groups import Finding, findings_of
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.model.run.view import review_of, row_of
from cekura_tui.store.store import Store
from cekura_tui.workspace.run_findings import RunFindings
from cekura_tui.workspace.run_lists import claim_request
from cekura_tui.workspace.run_sweep import RunLoad

BULK = "/test_framework/v1/runs/bulk/"
MISSED = {"score": 0, "explanation": ["❌ No table was booked."]}
WHY = (Finding("Expected outcome", "No table was booked."),)


@pytest.fixture
async def findings(store: Store, scripted: ScriptedServer) -> AsyncIterator[RunFindings]:
    client = Client(scripted.url, "key", loopback=True)
    yield RunFindings(store, client, Budget(), clock=lambda: 50.0)
    await client.aclose()


def serve_bulk(server: ScriptedServer, *runs: dict[str, object]) -> None:
    """Answer each bulk request with the requested runs, if they are in `runs`."""

    def bulk(got: Got) -> Reply:
        wanted = {int(number) for number in got.query["run_ids"].split(",")}
        return Reply([run for run in runs if run["id"] in wanted])

    server.on("GET", BULK, bulk)


async def test_bulk_findings_equal_the_findings_of_each_single_run(store: Store, demo: DemoServer) -> None:
    client = Client(demo.url, demo.key, loopback=True)
    findings = RunFindings(store, client, Budget())
    listed = await client.runs({"project_id": FIRST_PROJECT, "success": "false", "status__in": "completed"})
    ids = [run.id for run in listed.items][:25]
    found = await findings.fetch(ids)
    assert list(found) == ids
    assert findings.cached(ids) == found
    for number in ids[:5]:
        run = await client.run(number)
        verdicts = read_verdicts(run)
        assert found[number] == findings_of(verdicts, review_of(run, row_of(run, verdicts)))
    assert any(found.values())
    await client.aclose()


async def test_findings_are_fetched_in_one_request_and_cached_for_ended_runs(
    findings: RunFindings, scripted: ScriptedServer
) -> None:
    running = run_of(4, status="in_progress", evaluation_status=None)
    serve_bulk(scripted, running, run_of(5, expected_outcome=MISSED), run_of(6, evaluation_status="success"))
    assert findings.cached([5, 6, 7]) == {}
    assert await findings.fetch([4, 5, 6, 7, 5]) == {4: (), 5: WHY, 6: (), 7: None}
    assert [got.query["run_ids"] for got in scripted.requests("GET")] == ["4,5,6,7"]
    assert findings.cached([4, 5, 6, 7, 8]) == {5: WHY, 6: ()}, "run 7 may be in the next answer"
    assert len(scripted.seen) == 1


async def test_findings_are_fetched_for_at_most_25_runs_per_request(
    findings: RunFindings, scripted: ScriptedServer
) -> None:
    ids = list(range(1, 41))
    serve_bulk(scripted, *(run_of(number, expected_outcome=MISSED) for number in ids))
    assert list(await findings.fetch(ids)) == ids[:25]
    await findings.fetch([number for number in ids if number not in findings.cached(ids)])
    assert len(findings.cached(ids)) == 40
    assert await findings.fetch([]) == {}
    assert len(scripted.seen) == 2


async def test_findings_of_an_opened_run_need_no_request(
    findings: RunFindings, store: Store, scripted: ScriptedServer
) -> None:
    store.runs.save_opened(Run.read(run_of(5, expected_outcome=MISSED)), 1.0)
    assert findings.cached([5]) == {5: WHY}
    assert scripted.seen == []


@pytest.mark.parametrize("status", [403, 500])
async def test_fetching_findings_from_a_failing_server_fails_after_one_request(
    findings: RunFindings, scripted: ScriptedServer, status: int
) -> None:
    scripted.on("GET", BULK, Reply({"detail": "No."}, status))
    with pytest.raises(ApiError):
        await findings.fetch([5])
    assert findings.cached([5]) == {}
    assert len(scripted.seen) == 1


async def test_findings_are_returned_even_if_they_cannot_be_cached(
    findings: RunFindings, store: Store, scripted: ScriptedServer, home: Path
) -> None:
    serve_bulk(scripted, run_of(5, expected_outcome=MISSED))
    store.database._sql.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(home / "cekura.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await findings.fetch([5]) == {5: WHY}


async def test_fetching_findings_waits_for_the_shared_budget(store: Store, scripted: ScriptedServer) -> None:
    serve_bulk(scripted, run_of(5, expected_outcome=MISSED))
    client, budget, clock = Client(scripted.url, "key", loopback=True), Budget(2, 1.0), SleepClock()
    for at in (999.8, 999.9):
        budget.take(at)
    findings = RunFindings(store, client, budget, monotonic=clock, sleep=clock.sleep)
    assert await findings.fetch([5]) == {5: WHY}
    assert sum(clock.slept) == pytest.approx(0.8)
    assert budget.wait(clock.now) > 0
    await client.aclose()


async def test_findings_are_requested_up_to_three_times_from_a_failing_server(
    store: Store, scripted: ScriptedServer
) -> None:
    down, client, clock = Reply(b"", 500), Client(scripted.url, "key", loopback=True), SleepClock()
    scripted.on("GET", BULK, down, down, Reply([run_of(5, expected_outcome=MISSED)]), down)
    findings, waits = RunFindings(store, client, Budget(), monotonic=clock, sleep=clock.sleep), list[float]()
    assert await findings.all([5], lambda _, wait: waits.append(wait)) == ({5: WHY}, None)
    found, error = await findings.all([5, 6], lambda _, wait: waits.append(wait))
    assert (found, error and error.status, len(waits), waits) == ({5: WHY}, 500, 4, clock.slept)
    await client.aclose()


async def test_concurrent_claims_of_requests_never_exceed_the_budget() -> None:
    budget, clock, turns = Budget(2, 1.0), SleepClock(), list[float]()

    async def ask() -> None:
        await claim_request(budget, monotonic=clock, sleep=clock.sleep)
        turns.append(clock.now)

    await asyncio.gather(*(ask() for _ in range(9)))
    assert len(turns) == 9
    for begin in turns:
        assert sum(begin <= turn < begin + 1.0 for turn in turns) <= 2


async def test_findings_of_long_calls_are_fetched_in_several_smaller_requests(
    findings: RunFindings, scripted: ScriptedServer
) -> None:
    def answer(got: Got) -> Reply:
        ids = map(int, got.query["run_ids"].split(","))
        return Reply([run_of(number, expected_outcome=MISSED, values="x" * 2**22) for number in ids])

    scripted.on("GET", BULK, answer)
    assert await findings.fetch([1, 2, 3, 4, 5]) == dict.fromkeys([1, 2, 3, 4, 5], WHY)
    asked = [got.query["run_ids"] for got in scripted.requests("GET", BULK)]
    assert asked == ["1,2,3,4,5", "1,2", "3,4,5"]


async def test_a_load_says_when_it_retries_a_request_to_a_busy_server(store: Store, scripted: ScriptedServer) -> None:
    client, clock = Client(scripted.url, "key", loopback=True), SleepClock()
    findings = RunFindings(store, client, Budget(), monotonic=clock, sleep=clock.sleep)
    scripted.on("GET", BULK, Reply(b"", 429, {"Retry-After": "5"}), Reply([run_of(1)]))
    session: Any = SimpleNamespace(findings=findings, lists=SimpleNamespace(whole_rows=lambda ids: ()))
    rows = [row_of(Run.read(run_of(1)))]
    load = RunLoad(lambda ask: ask(session), lambda: rows, lambda row: True, clock=lambda: 100.0)
    reported: list[float | None] = []
    load.changed = lambda: reported.append(load.retry_at if load.error is not None else None)
    assert await load.run()
    assert 105.0 in reported
    await client.aclose()
