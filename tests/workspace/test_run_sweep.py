"""A sweep finds runs that match an outcome filter but are missing in the list that the server filtered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar
from typing import Any

import pytest
from feed_room import feeding_on
from listed_runs import LIST, NOON, Listed
from run_server import row as run_row
from scripted_server import Got, Reply, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import Busy
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.scope import Scope
from cekura_tui.workspace.run_sweep import RECHECK_AFTER, RunSweep
from cekura_tui.workspace.session import Session

FAILURES = RunQuery(Scope("project", 1), parse("outcome:failed").filter)
FAILED: dict[str, object] = {"success": False, "evaluation_status": None}
LATE = NOON + 60 * 900
"""Unix time at which the last of 900 runs was created."""
PASSED: dict[str, object] = {"success": True, "evaluation_status": None}
RUNNING: dict[str, object] = {"success": None, "evaluation_status": None, "status": "in_progress"}


async def completed(sweep: RunSweep) -> RunSweep:
    await sweep.step()
    while not sweep.all_checked or not sweep.wait():
        await sweep.step()
    return sweep


@pytest.fixture
def fields(scripted: ScriptedServer) -> dict[int, dict[str, object]]:
    """The fields of 900 runs, by the id of the run. All runs have passed."""
    return {number: PASSED for number in range(1, 901)}


@pytest.fixture
def listed(scripted: ScriptedServer, fields: dict[int, dict[str, object]]) -> Listed:
    listed = Listed(scripted, list(range(1, 901)), page=100, apart=60, fields=fields)
    scripted.on("GET", f"{LIST}bulk/", lambda got: Reply([listed.run(int(n)) for n in got.query["run_ids"].split(",")]))
    return listed


@pytest.mark.parametrize("moment", [0, 1, 3])
async def test_a_refresh_while_a_page_is_loading_restarts_the_search(
    quick: Session, listed: Listed, moment: int, fields: dict[int, dict[str, object]]
) -> None:
    fields |= {5: FAILED, 900: FAILED}
    questions: list[asyncio.Future[Any]] = []

    async def ask(question: Callable[[Session], Awaitable[Any]]) -> Any:
        """Call with the session. As on the workspace's thread, the call continues after its caller is cancelled."""
        questions.append(asyncio.ensure_future(question(quick)))
        return await asyncio.shield(questions[-1])

    now = LATE
    sweep = await completed(RunSweep(ask, FAILURES, lambda: now))
    now += 30
    step = asyncio.create_task(sweep.step())
    for _ in range(moment):
        await asyncio.sleep(0)
    step.cancel()
    sweep.restart()
    await asyncio.gather(*questions, return_exceptions=True)
    assert [row.id for row in (await completed(sweep)).rows] == [900, 5]


async def test_a_restarted_search_finds_new_failures_and_drops_deleted_runs(
    quick: Session, listed: Listed, fields: dict[int, dict[str, object]]
) -> None:
    fields[21] = FAILED
    sweep = RunSweep(lambda question: question(quick), FAILURES, lambda: LATE)
    assert (sweep.read, sweep.total, sweep.running, sweep.wait()) == (0, 0, True, 0)
    await completed(sweep)
    assert (sweep.read, sweep.total, sweep.running, sweep.wait()) == (900, 900, False, RECHECK_AFTER)
    assert [row.id for row in sweep.rows] == [21]
    fields[20] = FAILED
    sweep.restart()
    assert [row.id for row in (await completed(sweep)).rows] == [21, 20]
    listed.ids.clear()
    sweep.restart()
    assert (list((await completed(sweep)).rows), sweep.total) == ([], 0)


async def test_a_later_sweep_stops_early_even_if_the_server_ignores_the_time_filter(
    quick: Session, scripted: ScriptedServer, listed: Listed
) -> None:
    def answer(got: Got) -> Reply:
        got.query.pop("created_at_from", None)
        return listed.answer(got)

    scripted.on("GET", LIST, answer)
    now = LATE
    sweep = await completed(RunSweep(lambda question: question(quick), FAILURES, lambda: now))
    scripted.seen.clear()
    now += 30
    await completed(sweep)
    assert len(scripted.requests("GET", LIST)) == 2


async def test_an_old_run_that_fails_after_the_sweep_is_found(
    quick: Session, listed: Listed, fields: dict[int, dict[str, object]]
) -> None:
    fields[20] = RUNNING
    async with feeding_on(quick, FAILURES, now=LATE) as (feed, time):
        await time.advance(20)
        assert feed.sweep is not None
        assert feed.sweep.all_checked
        fields[20] = FAILED
        await time.advance(20)
        assert [row.id for row in feed.sweep.rows if row.outcome.kind == "failed"] == [20]
        feed.refresh()
        assert not feed.sweep.all_checked


async def test_the_total_of_a_live_list_is_updated(
    quick: Session, listed: Listed, fields: dict[int, dict[str, object]]
) -> None:
    async with feeding_on(quick, FAILURES, now=LATE) as (feed, time):
        await time.advance(5)
        assert feed.total == 900
        listed.ids += range(901, 950)
        await time.advance(50)
        assert feed.total == 949


async def test_a_paused_list_says_why_the_search_stopped(
    quick: Session, scripted: ScriptedServer, listed: Listed
) -> None:
    scripted.on(
        "GET", LIST, lambda got: listed.answer(got) if got.query["page"] < "3" else Reply({"detail": "Down."}, 503)
    )
    async with feeding_on(quick, FAILURES, now=LATE, live=False) as (feed, time):
        await time.advance(20)
        assert feed.sweep is not None
        assert feed.sweep.error is not None
        assert feed.sweep.error.status == 503
        feed._sweep_failed(RunSweep(feed._ask, FAILURES), Busy("Answer to the former search.", status=429))
        assert (feed.sweep.error.status, feed.attempts.busy_until) == (503, None)


async def test_no_request_is_sent_during_a_pause_that_the_server_requested(
    quick: Session, scripted: ScriptedServer, listed: Listed
) -> None:
    busy = Reply({"detail": "Busy."}, 429, headers={"Retry-After": "60"})
    scripted.on("GET", LIST, lambda got: listed.answer(got) if got.query["page"] != "3" else busy)
    async with feeding_on(quick, FAILURES, now=LATE) as (feed, time):
        await time.advance(30)
        assert scripted.requests("GET", LIST)[-1].query["page"] == "3"
        assert feed.attempts.busy_until is not None


async def test_a_failed_search_is_reported_where_the_list_can_be_redrawn(
    quick: Session, scripted: ScriptedServer
) -> None:
    reported: list[str] = []
    screen = ContextVar("screen", default="none")
    screen.set("the list's")

    async def ask(question: Callable[[Session], Awaitable[Any]]) -> Any:
        """Call with the session in an empty context, as the workspace does."""
        return await Context().run(asyncio.ensure_future, question(quick))

    scripted.on("GET", LIST, Reply({"detail": "Down."}, 503))
    sweep = RunSweep(ask, FAILURES, waits=lambda *_: reported.append(screen.get()))
    step = asyncio.create_task(sweep.step())
    await eventually(lambda: reported, "the failure is reported")
    sweep.close()
    step.cancel()
    assert set(reported) == {"the list's"}


def test_a_list_row_is_completed_from_the_full_run_until_the_row_changes() -> None:
    sweep = RunSweep(Any, FAILURES)  # type: ignore[arg-type] # never called
    listed = run_row(5)
    sweep.add([listed._replace(failing=("Greeting",), whole=True)])
    assert [row.failing for row in sweep.joined([listed])] == [("Greeting",)]
    assert list(sweep.joined([listed._replace(status="timeout")])) == [listed._replace(status="timeout")]
