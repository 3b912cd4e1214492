"""A launch is recorded first, sent once, and never forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from engine_room import DONE, DRAFT, PROMPT, RUNNING, TAKEN, room
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Hold, Reply, Reset, ScriptedServer, closed_port, run_of
from waiting import eventually

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, KeyRefused, NotConnected, NotOffered, Rejected
from cekura_tui.jobs import launcher
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.lease import Lease
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.errors import Unrecorded


async def test_the_whole_job_is_on_the_disk_before_the_server_hears_of_it(home: Path, scripted: ScriptedServer) -> None:
    found: list[sqlite3.Row] = []
    async with room(home, scripted) as here:

        def look(_: Got) -> Reply:
            found.append(here.committed())
            return TAKEN

        scripted.on("POST", LAUNCH, look)
        await here.engine.launch(DRAFT)
    (row,) = found
    assert (row["state"], row["progress_id"], bytes(row["text"])) == ("launching", None, PROMPT.encode())


async def test_the_jobs_id_is_on_the_disk_before_anybody_is_told(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    told: list[tuple[str, str | None]] = []
    async with room(home, scripted) as here:
        here.on_change = lambda: told.append((here.committed()["state"], here.committed()["progress_id"]))
        job = await here.engine.launch(DRAFT)
        assert (job.state, job.progress_id) == (JobState.RUNNING, "p-1")
    assert told == [("launching", None), ("running", "p-1")]


async def test_a_result_is_on_the_disk_before_anybody_is_told(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    scripted.on("GET", PROGRESS, DONE)
    told: list[tuple[str, bool]] = []
    async with room(home, scripted) as here:
        await here.engine.launch(DRAFT)
        here.on_change = lambda: told.append((here.committed()["state"], bool(here.committed()["improved_sha256"])))
        here.engine.start()
        await here.comes_into(JobState.SUCCEEDED)
        await eventually(lambda: told[-1] == ("succeeded", True), "the result was told")
        assert here.store.jobs.suggestion(here.job()).improved_prompt == "Be kinder.\r\n"
    assert ("succeeded", False) not in told


REFUSALS = [
    (Reply({"prompt": ["Required."]}, 400), Rejected),
    (Reply({"detail": "No key."}, 401), KeyRefused),
    (Reply({"detail": "No."}, 403), KeyRefused),
    (Reply({"detail": "Not found."}, 404), NotOffered),
    (Reply({}, 405), NotOffered),
    (Reply({}, 410), NotOffered),
    (Reply({}, 422), Rejected),
    (Reply({}, 429, {"Retry-After": "5"}), ApiError),
]


@pytest.mark.parametrize(("reply", "kind"), REFUSALS, ids=lambda value: str(getattr(value, "status", "")))
async def test_a_refused_launch_is_a_draft_again_that_says_why(
    home: Path, scripted: ScriptedServer, reply: Reply, kind: type[ApiError]
) -> None:
    scripted.on("POST", LAUNCH, reply)
    async with room(home, scripted) as here:
        with pytest.raises(kind) as caught:
            await here.engine.launch(DRAFT)
        job = here.job()
        assert (job.state, job.reason) == (
            JobState.DRAFT,
            caught.value.message if kind is not NotOffered else job.reason,
        )
        assert job.reason
        assert here.store.jobs.draft_of(job) == DRAFT
        assert here.posts() == 1


async def test_a_launch_that_found_no_server_is_a_draft_again(home: Path, scripted: ScriptedServer) -> None:
    async with room(home, scripted) as here:
        nowhere = Client(f"http://127.0.0.1:{closed_port()}", "key", loopback=True)
        engine = JobEngine(here.store.jobs, Lease(here.store.lease), nowhere)
        with pytest.raises(NotConnected):
            await engine.launch(DRAFT)
        assert here.job().state == JobState.DRAFT
        assert "connection refused" in here.job().reason
        await engine.close()
        await nowhere.aclose()


UNCLEAR = [
    Reply(b"", 500),
    Reply(HTML_502, 502),
    Reply({}, 503, {"Retry-After": "1"}),
    Reply(b"", 301, {"Location": "/elsewhere"}),
    Reply(b"", 307, {"Location": "/elsewhere"}),
    Reply({}, 408),
    Reply({}, 409),
    Reset(),
    Reply(b"{", 200, {"Content-Length": "99", "Connection": "close"}),
    Reply(run_of(5)),
    Reply(b"<html>ok</html>"),
    Reply(b"", 204),
    Reply({"progress_id": None}),
]


@pytest.mark.parametrize("reply", UNCLEAR, ids=lambda reply: str(getattr(reply, "status", "reset")))
async def test_a_launch_whose_fate_is_unclear_is_unconfirmed_and_not_sent_again(
    home: Path, scripted: ScriptedServer, reply: Reply | Reset
) -> None:
    scripted.on("POST", LAUNCH, reply)
    async with room(home, scripted) as here:
        here.engine.start()
        job = await here.engine.launch(DRAFT)
        assert (job.state, job.progress_id) == (JobState.UNCONFIRMED, None)
        assert job.reason
        assert here.posts() == 1
    async with room(home, scripted) as again:
        again.engine.start()
        assert again.job().state == JobState.UNCONFIRMED
        assert (again.posts(), scripted.requests("GET")) == (1, [])


async def test_a_run_in_place_of_a_job_is_kept_to_be_looked_at(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, Reply(run_of(5)))
    async with room(home, scripted) as here:
        await here.engine.launch(DRAFT)
        assert "progress_id" in here.job().reason
        assert '"scenario_name"' in here.store.jobs.answers(1)[-1].raw


async def test_who_stops_waiting_for_a_launch_does_not_lose_the_job(home: Path, scripted: ScriptedServer) -> None:
    hold = Hold(TAKEN)
    scripted.on("POST", LAUNCH, hold)
    async with room(home, scripted) as here:
        waiting = asyncio.create_task(here.engine.launch(DRAFT))
        await eventually(hold.arrived.is_set, "the launch arrived")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        hold.released.set()
        job = await here.comes_into(JobState.RUNNING)
        assert (job.progress_id, here.posts()) == ("p-1", 1)


async def test_leaving_in_the_middle_of_a_launch_keeps_it_as_unconfirmed(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.jobs.launcher.CLOSING", 0.05)
    hold = Hold(TAKEN)
    scripted.on("POST", LAUNCH, hold)
    async with room(home, scripted) as here:
        waiting = asyncio.create_task(here.engine.launch(DRAFT))
        await eventually(hold.arrived.is_set, "the launch arrived")
        await here.engine.close()
        assert here.committed()["state"] == "unconfirmed"
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_an_answer_that_comes_while_leaving_is_still_recorded(home: Path, scripted: ScriptedServer) -> None:
    hold = Hold(TAKEN)
    scripted.on("POST", LAUNCH, hold)
    async with room(home, scripted) as here:
        waiting = asyncio.create_task(here.engine.launch(DRAFT))
        await eventually(hold.arrived.is_set, "the launch arrived")
        closing = asyncio.create_task(here.engine.close())
        hold.released.set()
        await closing
        assert (await waiting).state == JobState.RUNNING
        assert here.committed()["progress_id"] == "p-1"


async def test_nothing_is_sent_when_the_disk_is_full(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    async with room(home, scripted) as here:
        pages = here.store.database.read("PRAGMA page_count")[0][0]
        here.store.database.read(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Unrecorded, match=r"Nothing was launched\. .*full") as caught:
            await here.engine.launch(replace(DRAFT, prompt=Prompt("x" * 150_000)))
        assert "disk space" in caught.value.hint
        assert scripted.seen == []
        assert here.store.jobs.all(drafts=True) == []


async def test_nothing_is_sent_when_the_file_may_not_be_written(home: Path, scripted: ScriptedServer) -> None:
    async with room(home, scripted) as here:
        here.store.database.read("PRAGMA query_only = ON")
        with pytest.raises(Unrecorded, match="Nothing was launched"):
            await here.engine.launch(DRAFT)
        assert scripted.seen == []


async def test_a_draft_that_was_launched_twice_at_once_is_sent_once(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    scripted.on("GET", PROGRESS, RUNNING)
    async with room(home, scripted) as here, room(home, scripted) as other:
        number = here.store.jobs.save_draft(DRAFT, 1.0).number
        launches = [window.engine.launch(DRAFT, number) for window in (here, other, here)]
        told = await asyncio.gather(*launches, return_exceptions=True)
        assert sorted(type(one).__name__ for one in told) == ["Job", "UsageError", "UsageError"]
        assert here.posts() == 1
        with pytest.raises(UsageError, match="already launched"):
            await other.engine.launch(DRAFT, number)


async def test_launches_at_once_are_each_sent_and_recorded(home: Path, scripted: ScriptedServer) -> None:
    numbers = iter(range(100))
    scripted.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(numbers)}))

    async with room(home, scripted) as here:
        jobs = await asyncio.gather(*(here.engine.launch(DRAFT) for _ in range(12)))
        assert len({job.progress_id for job in jobs}) == 12
        assert here.posts() == 12


async def test_a_launch_that_cannot_be_recorded_as_taken_is_told(
    home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "BETWEEN", 0.01)
    async with room(home, scripted) as here:

        def fill_the_disk(_: Got) -> Reply:
            return Reply({"progress_id": "ppp", "more": "x" * 300_000})

        scripted.on("POST", LAUNCH, fill_the_disk)
        pages = here.store.database.read("PRAGMA page_count")[0][0]
        here.store.database.read(f"PRAGMA max_page_count = {pages + 8}")
        with pytest.raises(CekuraTuiError, match=r"accepted job 1 \(progress_id ppp.*not recorded yet"):
            await here.engine.launch(DRAFT)
        assert here.job().state == JobState.LAUNCHING
        assert here.posts() == 1


async def test_an_answer_during_a_lock_is_recorded_after_it(home: Path, scripted: ScriptedServer) -> None:
    hold = Hold(TAKEN)
    scripted.on("POST", LAUNCH, hold)
    async with room(home, scripted) as here:
        here.store.database.read("PRAGMA busy_timeout = 50")
        launching = asyncio.create_task(here.engine.launch(DRAFT))
        await eventually(hold.arrived.is_set, "the launch arrived")
        other = sqlite3.connect(here.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        hold.released.set()
        await here.engine.news(0.5)
        assert here.committed()["state"] == "launching"
        other.execute("ROLLBACK")
        other.close()
        job = await launching
        assert (job.state, job.progress_id) == (JobState.RUNNING, "p-1")
    assert here.posts() == 1


async def test_nothing_is_launched_once_the_database_was_removed(home: Path, scripted: ScriptedServer) -> None:
    scripted.on("POST", LAUNCH, TAKEN)
    async with room(home, scripted) as here:
        here.path.unlink()
        with pytest.raises(Unrecorded, match="removed or replaced"):
            await here.engine.launch(DRAFT)
    assert here.posts() == 0
