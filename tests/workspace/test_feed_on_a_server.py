"""The run list on a real HTTP server sends the right parameters, and respects the Date and Retry-After headers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from feed_room import feeding_on
from listed_runs import Listed, Pin
from scripted_server import Got, Reply, ScriptedServer, list_page, run_of

from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.scope import Scope
from cekura_tui.workspace.run_feed import VisibleRange
from cekura_tui.workspace.session import Session

LIST, BULK = "/test_framework/v1/runs/", "/test_framework/v1/runs/bulk/"
QUERY = RunQuery(Scope("project", 1))
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def pages_of(total: int, size: int) -> Callable[[Got], Reply]:
    """A script that answers list requests with pages of `total` runs, newest first; only the newest run is unfinished.
    A request for newer runs is answered with one more run, which is unfinished."""
    runs = [run_of(number, status="completed" if number < total else "in_progress") for number in range(total, 0, -1)]

    def script(got: Got) -> Reply:
        if "created_at_from" in got.query:
            return Reply({"count": 1, "next": None, "results": [run_of(total + 1, status="in_progress")]})
        return list_page(got, runs, most=size, Date=DATE)

    return script


async def test_a_list_is_pinned_to_the_servers_clock(quick: Session, scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, pages_of(60, 20))
    scripted.on("GET", BULK, Reply([run_of(60)]))
    async with feeding_on(quick, QUERY) as (feed, clock):
        feed.set_view(VisibleRange(45, 54, 45))
        await clock.advance(0.2)
        assert feed.runs is not None
        assert [run.id for run in feed.runs.listed[40:60]] == list(range(20, 0, -1))
        await clock.advance(5)
        assert feed.runs.waiting == 1
        assert feed.runs.listed[0].outcome.settled
    first, last = scripted.requests("GET", LIST)[:2]
    assert "created_at_to" not in first.query
    assert (last.query["page"], last.query["created_at_to"]) == ("3", "2023-11-14T22:13:20.000000Z")
    newer = [got.query["created_at_from"] for got in scripted.requests("GET", LIST) if "created_at_from" in got.query]
    assert newer == ["2023-11-14T22:12:20.000000Z"]
    assert [got.query["run_ids"] for got in scripted.requests("GET", BULK)] == ["60"]


@pytest.mark.parametrize("pin", ["day", "refused", "counts"])
async def test_a_list_is_complete_or_known_to_be_incomplete_if_a_server_misreads_the_pin(
    quick: Session, scripted: ScriptedServer, pin: Pin
) -> None:
    Listed(scripted, list(range(1, 122)), page=20, pin=pin, apart=2_400)
    async with feeding_on(quick, QUERY) as (feed, clock):
        feed.set_live(False)
        for _ in range(20):
            feed.load_all(True)
            await clock.advance(10)
            assert feed.runs is not None
            if pin == "counts" or feed.runs.listed.loaded == 121:
                break
        else:
            raise AssertionError("never complete")
        rows = [run.id for run in feed.runs.listed.runs()]
        assert rows == sorted(set(rows), reverse=True)
        # If the count differs on every page, the list is never considered complete.
        assert rows == list(range(121, 0, -1)) or feed.runs.listed.loaded < feed.runs.count


async def test_no_request_is_sent_before_the_retry_time(quick: Session, scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, Reply({"detail": "Slow down."}, 429, {"Retry-After": "30"}), pages_of(60, 20))
    async with feeding_on(quick, QUERY) as (feed, clock):
        assert feed.attempts.busy_until is not None
        assert feed.attempts.error is not None
        await clock.advance(29)
        feed.refresh()
        await clock.advance(0.5)
        assert len(scripted.requests("GET", LIST)) == 1
        await clock.advance(1)
        assert feed.runs is not None
        assert len(feed.runs.listed) == 60
        assert feed.attempts.busy_until is None


async def test_the_rows_of_a_failed_page_show_the_error_until_a_retry_succeeds(
    quick: Session, scripted: ScriptedServer
) -> None:
    whole = pages_of(60, 20)
    broken = True

    def script(got: Got) -> Reply:
        return Reply(b"<html>", 502) if broken and got.query["page"] == "3" else whole(got)

    scripted.on("GET", LIST, script)
    async with feeding_on(quick, QUERY) as (feed, clock):
        feed.set_view(VisibleRange(45, 54, 45))
        await clock.advance(1)
        assert feed.runs is not None
        assert "502" in feed.runs.listed[45].why
        assert feed.runs.listed[0].id == 60
        broken = False
        await clock.advance(2)
        assert feed.runs.listed[45].id == 15
