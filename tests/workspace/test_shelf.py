"""Notes, views, filters and findings as the screens ask for them, on a real database and a real server."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from scripted_server import Got, Reply, ScriptedServer, run_of

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.filter import GIVEN_VIEWS, SavedView
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.groups import Finding, findings_of
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.model.run.view import row_of
from cekura_tui.model.scope import Scope
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store
from cekura_tui.workspace.run_lists import take_turn
from cekura_tui.workspace.shelf import AT_ONCE, Shelf

BULK = "/test_framework/v1/runs/bulk/"
SCOPE = Scope("project", 9, "Nine")
MISSED = {"score": 0, "explanation": ["❌ No table was booked."]}
WHY = (Finding("Expected outcome", "No table was booked."),)


class Clock:
    """Time that passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: deque[float] = deque()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "cekura.db", "https://api.cekura.ai", "key", "default")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    server = DemoServer(tmp_path_factory.mktemp("workspace") / "demo", epoch=1_760_000_000.0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def shelf(store: Store, scripted: ScriptedServer) -> AsyncIterator[Shelf]:
    client = Client(scripted.url, "key", loopback=True)
    yield Shelf(store, client, Budget(), clock=lambda: 50.0)
    await client.aclose()
    store.close()


def serve_bulk(server: ScriptedServer, *runs: dict[str, object]) -> None:
    """Answer with those of these runs that are asked for."""

    def bulk(got: Got) -> Reply:
        wanted = {int(number) for number in got.query["run_ids"].split(",")}
        return Reply([run for run in runs if run["id"] in wanted])

    server.on("GET", BULK, bulk)


async def test_a_note_is_kept_as_it_was_typed_and_one_of_blanks_is_none(shelf: Shelf) -> None:
    await shelf.note(5, "  line one\n\tline two \x07")
    assert await shelf.notes() == {5: "  line one\n\tline two \x07"}
    await shelf.note(5, " \n ")
    assert await shelf.notes() == {}


async def test_views_and_filters_are_kept_by_name_by_use_and_by_list(shelf: Shelf) -> None:
    await shelf.save_view("refunds", "scenario:~refund")
    await shelf.save_view("gone", "id:1")
    await shelf.forget_view("gone")
    assert await shelf.views() == [SavedView("refunds", "scenario:~refund")]
    for text in ("id:1", ""):
        await shelf.use(text)
    assert await shelf.used() == ["id:1"]
    await shelf.leave(SCOPE, "status:failed")
    assert await shelf.left(SCOPE) == "status:failed"
    for elsewhere in (Scope("project", 90), Scope("agent", 9), Scope("result", 9)):
        assert await shelf.left(elsewhere) == ""
    await shelf.leave(SCOPE, "")
    assert await shelf.left(SCOPE) == ""


async def test_a_given_view_stays_what_it_is(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="errors is a given view"):
        await shelf.save_view("errors ", "id:1")
    for given in GIVEN_VIEWS:
        await shelf.forget_view(given.name)
    assert await shelf.views() == []


async def test_blanks_around_a_name_make_no_second_view_of_that_name(shelf: Shelf) -> None:
    await shelf.save_view("refunds", "id:1")
    await shelf.save_view(" refunds\t", "id:2")
    assert await shelf.views() == [SavedView("refunds", "id:2")]


@pytest.mark.parametrize("key", ["key", "another key"])
@pytest.mark.parametrize("origin", ["https://api.cekura.ai", "https://eu.cekura.example"])
async def test_what_was_typed_comes_back_at_the_next_start_to_whom_it_belongs(
    shelf: Shelf, store: Store, home: Path, origin: str, key: str
) -> None:
    await shelf.note(5, "look")
    await shelf.save_view("refunds", "scenario:~refund")
    await shelf.use("id:1")
    await shelf.leave(SCOPE, "status:failed")
    store.findings.keep({5: WHY}, 1.0)
    next_store = Store(home / "cekura.db", origin, key, "default")
    client = Client("http://127.0.0.1:1", key, loopback=True)
    later = Shelf(next_store, client, Budget())
    told = [await later.notes(), await later.views(), await later.used(), await later.left(SCOPE)]
    told.append(await later.findings([5]))
    await client.aclose()
    next_store.close()
    typed = [{5: "look"}, [SavedView("refunds", "scenario:~refund")], ["id:1"], "status:failed", {5: WHY}]
    assert told == (typed if (origin, key) == ("https://api.cekura.ai", "key") else [{}, [], [], "", {}])


async def test_a_full_disk_is_told_and_what_was_written_before_stays(shelf: Shelf, store: Store) -> None:
    await shelf.note(5, "look")
    await shelf.save_view("refunds", "scenario:~refund")
    sql = store.database._sql
    sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0]}")
    for write in (shelf.note(5, "n" * 4_000), shelf.save_view("refunds", "f" * 2_000), shelf.use("f" * 2_000)):
        with pytest.raises(StoreError, match="disk is full"):
            await write
    assert (await shelf.notes(), await shelf.views()) == ({5: "look"}, [SavedView("refunds", "scenario:~refund")])


async def test_a_text_that_is_too_long_is_refused_with_a_sentence_and_what_was_there_stays(shelf: Shelf) -> None:
    await shelf.note(5, "n" * 4_000)
    with pytest.raises(UsageError, match="That note is of 4,001 characters; 4,000 are kept"):
        await shelf.note(5, "m" * 4_001)
    assert await shelf.notes() == {5: "n" * 4_000}
    await shelf.save_view("v" * 60, "f" * 2_000)
    for name, text in (("v" * 61, "f"), ("v", "f" * 2_001), (" ", "f")):
        with pytest.raises(UsageError):
            await shelf.save_view(name, text)
    assert await shelf.views() == [SavedView("v" * 60, "f" * 2_000)]
    for refused in (shelf.use("f" * 2_001), shelf.leave(SCOPE, "f" * 2_001)):
        with pytest.raises(UsageError, match="That filter"):
            await refused
    assert (await shelf.used(), await shelf.left(SCOPE)) == ([], "")


async def test_runs_of_the_server_are_found_by_what_was_noted_on_them(shelf: Shelf, demo: DemoServer) -> None:
    client = Client(demo.url, demo.key, loopback=True)
    rows = [row_of(run) for run in (await client.runs({"project_id": FIRST_PROJECT})).items]
    await client.aclose()
    await shelf.note(rows[3].id, "Ask Zoë: why the LATE transfer?")
    await shelf.note(rows[7].id, "Transfer is fine.")
    await shelf.note(rows[9].id, "gone")
    await shelf.note(rows[9].id, "")
    notes = await shelf.notes()

    def found(text: str) -> list[int]:
        passes = Matcher(parse(text).filter, now=0.0, notes=notes)
        return [rows.index(row) for row in rows if passes(row)]

    assert found('note:~"late transfer"') == found("note:~zoë") == [3]
    assert found("note:~transfer") == found("note:yes") == [3, 7]
    assert found("-note:~late note:yes") == [7]
    assert found("note:~gone") == []
    assert len(found("note:no")) == len(rows) - 2


async def test_why_runs_of_the_server_failed_is_what_their_own_pages_say(store: Store, demo: DemoServer) -> None:
    client = Client(demo.url, demo.key, loopback=True)
    shelf = Shelf(store, client, Budget())
    listed = await client.runs({"project_id": FIRST_PROJECT, "success": "false", "status__in": "completed"})
    ids = [run.id for run in listed.items][:AT_ONCE]
    found = await shelf.find_out(ids)
    assert list(found) == ids
    assert await shelf.findings(ids) == found
    for number in ids[:5]:
        assert found[number] == findings_of(read_verdicts(await client.run(number)))
    assert any(found.values())
    await client.aclose()
    store.close()


async def test_why_runs_failed_is_asked_in_one_request_and_known_from_then_on(
    shelf: Shelf, scripted: ScriptedServer
) -> None:
    serve_bulk(scripted, run_of(5, expected_outcome=MISSED), run_of(6, evaluation_status="success"))
    assert await shelf.findings([5, 6, 7]) == {}
    assert await shelf.find_out([5, 6, 7, 5]) == {5: WHY, 6: (), 7: ()}
    assert [got.query["run_ids"] for got in scripted.requests("GET")] == ["5,6,7"]
    assert await shelf.findings([5, 6, 7, 8]) == {5: WHY, 6: (), 7: ()}
    assert len(scripted.seen) == 1


async def test_no_more_runs_are_asked_for_at_once_than_one_request_takes(
    shelf: Shelf, scripted: ScriptedServer
) -> None:
    serve_bulk(scripted, *(run_of(number, expected_outcome=MISSED) for number in range(1, 41)))
    ids = list(range(1, 41))
    assert list(await shelf.find_out(ids)) == ids[:AT_ONCE]
    left = [number for number in ids if number not in await shelf.findings(ids)]
    await shelf.find_out(left)
    assert len(await shelf.findings(ids)) == 40
    assert len(scripted.seen) == 2
    assert await shelf.find_out([]) == {}
    assert len(scripted.seen) == 2


async def test_a_run_that_goes_on_is_asked_about_again_when_it_has_ended(
    shelf: Shelf, scripted: ScriptedServer
) -> None:
    serve_bulk(scripted, run_of(5, status="in_progress", evaluation_status=None))
    assert await shelf.find_out([5]) == {5: ()}
    assert await shelf.findings([5]) == {}


async def test_why_an_opened_run_failed_is_known_without_asking(
    shelf: Shelf, store: Store, scripted: ScriptedServer
) -> None:
    store.runs.keep_opened(Run.read(run_of(5, expected_outcome=MISSED)), 1.0)
    assert await shelf.findings([5]) == {5: WHY}
    assert scripted.seen == []


@pytest.mark.parametrize("status", [403, 500])
async def test_a_server_that_fails_is_told_and_asked_no_more_often_than_it_was_said(
    shelf: Shelf, scripted: ScriptedServer, status: int
) -> None:
    scripted.on("GET", BULK, Reply({"detail": "No."}, status))
    with pytest.raises(ApiError):
        await shelf.find_out([5])
    assert await shelf.findings([5]) == {}
    assert len(scripted.seen) == 1


async def test_what_was_found_is_shown_also_where_it_cannot_be_kept(
    shelf: Shelf, store: Store, scripted: ScriptedServer, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    serve_bulk(scripted, run_of(5, expected_outcome=MISSED))
    store.database._sql.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(home / "cekura.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.WARNING, "cekura_tui"):
        assert await shelf.find_out([5]) == {5: WHY}
    other.execute("ROLLBACK")
    other.close()
    assert "findings were not kept" in caplog.text


async def test_asking_why_runs_failed_waits_until_the_jobs_leave_room_for_it(
    store: Store, scripted: ScriptedServer
) -> None:
    serve_bulk(scripted, run_of(5, expected_outcome=MISSED))
    client, budget, clock = Client(scripted.url, "key", loopback=True), Budget(2, 1.0), Clock()
    for at in (999.8, 999.9):
        budget.take(at)
    shelf = Shelf(store, client, budget, monotonic=clock, sleep=clock.sleep)
    assert await shelf.find_out([5]) == {5: WHY}
    assert sum(clock.slept) == pytest.approx(0.8)
    assert budget.wait(clock.now) > 0
    await client.aclose()
    store.close()


async def test_many_that_wait_for_the_same_turn_do_not_all_take_it() -> None:
    budget, clock, turns = Budget(2, 1.0), Clock(), list[float]()

    async def ask() -> None:
        await take_turn(budget, monotonic=clock, sleep=clock.sleep)
        turns.append(clock.now)

    await asyncio.gather(*(ask() for _ in range(9)))
    assert len(turns) == 9
    for begin in turns:
        assert sum(begin <= turn < begin + 1.0 for turn in turns) <= 2
