"""A launch is recorded before it is sent, and sent once."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from engine_window import ACCEPTED, DONE, DRAFT, PROMPT, RUNNING, OpenWindow, Window
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, Reset, ScriptedServer, closed_port, run_of
from waiting import eventually

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, KeyRefused, NotConnected, NotOffered, Rejected
from cekura_tui.jobs import launch_records
from cekura_tui.jobs.engine import JobEngine
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.errors import Unrecorded


async def test_each_state_of_a_job_is_committed_before_the_job_is_sent_or_reported(here: Window) -> None:
    sent: list[sqlite3.Row] = []
    reported: list[tuple[str, str | None, bool]] = []

    def take(_: Got) -> Reply:
        sent.append(here.committed())
        return ACCEPTED

    def note() -> None:
        row = here.committed()
        reported.append((row["state"], row["progress_id"], bool(row["improved_sha256"])))

    here.server.on("POST", LAUNCH, take)
    here.server.on("GET", PROGRESS, DONE)
    here.on_change = note
    job = await here.engine.launch(DRAFT)
    (row,) = sent
    assert (row["state"], row["progress_id"], bytes(row["text"])) == ("launching", None, PROMPT.encode())
    assert (job.state, job.progress_id) == (JobState.RUNNING, "p-1")
    assert reported == [("launching", None, False), ("running", "p-1", False)]
    here.engine.start()
    await eventually(lambda: reported[-1] == ("succeeded", "p-1", True), "the result was reported")
    assert here.store.jobs.suggestion(here.job()).improved_prompt == "Be kinder.\r\n"
    assert ("succeeded", "p-1", False) not in reported


REFUSALS = {400: Rejected, 401: KeyRefused, 403: KeyRefused, 404: NotOffered, 405: NotOffered, 410: NotOffered}


@pytest.mark.parametrize(("status", "kind"), [*REFUSALS.items(), (422, Rejected), (429, ApiError)])
async def test_a_refused_launch_becomes_a_draft_with_a_reason(here: Window, status: int, kind: type[ApiError]) -> None:
    here.server.on("POST", LAUNCH, Reply({"detail": "No."}, status))
    with pytest.raises(kind) as caught:
        await here.engine.launch(DRAFT)
    job = here.job()
    assert (job.state, here.posts()) == (JobState.DRAFT, 1)
    assert job.reason
    assert job.reason == caught.value.message or kind is NotOffered
    assert here.store.jobs.draft_of(job) == DRAFT


async def test_a_launch_becomes_a_draft_if_the_server_is_unreachable(here: Window) -> None:
    nowhere = Client(f"http://127.0.0.1:{closed_port()}", "key", loopback=True)
    engine = JobEngine(here.store.jobs, nowhere)
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
async def test_a_launch_with_an_unclear_answer_becomes_unconfirmed_and_is_not_sent_again(
    open_window: OpenWindow, scripted: ScriptedServer, reply: Reply | Reset
) -> None:
    scripted.on("POST", LAUNCH, reply)
    here = await open_window()
    here.engine.start()
    job = await here.engine.launch(DRAFT)
    assert (job.state, job.progress_id) == (JobState.UNCONFIRMED, None)
    assert job.reason
    assert here.posts() == 1
    if isinstance(reply, Reply) and reply.body == run_of(5):
        assert "progress_id" in job.reason
        assert '"scenario_name"' in here.store.jobs.answers(1)[-1].raw
    await here.close()
    again = await open_window()
    again.engine.start()
    assert again.job().state == JobState.UNCONFIRMED
    assert (again.posts(), scripted.requests("GET")) == (1, [])


async def test_cancelling_a_launch_does_not_lose_the_job(here: Window) -> None:
    hold, launching = await here.launch_held()
    launching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await launching
    hold.released.set()
    job = await here.wait_for_state(JobState.RUNNING)
    assert (job.progress_id, here.posts()) == ("p-1", 1)


async def test_closing_the_engine_during_a_launch_makes_the_job_unconfirmed(
    here: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.jobs.engine.CLOSE_TIMEOUT", 0.05)
    _, launching = await here.launch_held()
    await here.engine.close()
    assert here.committed()["state"] == "unconfirmed"
    with pytest.raises(asyncio.CancelledError):
        await launching


async def test_an_answer_that_arrives_while_the_engine_closes_is_recorded(here: Window) -> None:
    hold, launching = await here.launch_held()
    closing = asyncio.create_task(here.engine.close())
    hold.released.set()
    await closing
    assert (await launching).state == JobState.RUNNING
    assert here.committed()["progress_id"] == "p-1"


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("full", r"Nothing was launched\. .*full"),
        ("read-only", "Nothing was launched"),
        ("removed", "removed or replaced"),
    ],
)
async def test_a_launch_that_cannot_be_recorded_is_not_sent(here: Window, trouble: str, said: str) -> None:
    if trouble == "full":
        pages = here.store.database.read("PRAGMA page_count")[0][0]
        here.store.database.read(f"PRAGMA max_page_count = {pages}")
    elif trouble == "read-only":
        here.store.database.read("PRAGMA query_only = ON")
    else:
        here.path.unlink()
    with pytest.raises(Unrecorded, match=said) as caught:
        await here.engine.launch(replace(DRAFT, prompt=Prompt("x" * 150_000)))
    assert "disk space" in caught.value.hint or trouble == "removed"
    assert here.server.seen == []
    assert trouble == "removed" or here.store.jobs.all(drafts=True) == []


async def test_a_draft_launched_by_several_windows_is_sent_only_once(here: Window, open_window: OpenWindow) -> None:
    here.server.on("POST", LAUNCH, ACCEPTED)
    here.server.on("GET", PROGRESS, RUNNING)
    other = await open_window()
    saved = here.store.jobs.save_draft(DRAFT, 1.0)
    launches = [window.engine.launch(DRAFT, saved) for window in (here, other, here)]
    outcomes = await asyncio.gather(*launches, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["Job", "UsageError", "UsageError"]
    assert here.posts() == 1
    with pytest.raises(UsageError, match="already launched"):
        await other.engine.launch(DRAFT, saved)


async def test_each_of_several_simultaneous_launches_is_sent_and_recorded(here: Window) -> None:
    numbers = iter(range(100))
    here.server.on("POST", LAUNCH, lambda got: Reply({"progress_id": next(numbers)}))
    jobs = await asyncio.gather(*(here.engine.launch(DRAFT) for _ in range(12)))
    assert (len({job.progress_id for job in jobs}), here.posts()) == (12, 12)


async def test_an_accepted_launch_that_cannot_be_recorded_is_reported(
    here: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_records, "RETRY_DELAY", 0.01)
    here.server.on("POST", LAUNCH, Reply({"progress_id": "ppp", "more": "x" * 300_000}))
    pages = here.store.database.read("PRAGMA page_count")[0][0]
    here.store.database.read(f"PRAGMA max_page_count = {pages + 8}")
    with pytest.raises(CekuraTuiError, match=r"accepted job 1 \(progress_id ppp.*not recorded yet"):
        await here.engine.launch(DRAFT)
    assert (here.job().state, here.posts()) == (JobState.LAUNCHING, 1)


async def test_an_answer_received_while_the_database_is_locked_is_recorded_later(here: Window) -> None:
    here.store.database.read("PRAGMA busy_timeout = 50")
    hold, launching = await here.launch_held()
    with closing(sqlite3.connect(here.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        hold.released.set()
        await here.engine.wait_for_change(0.5)
        assert here.committed()["state"] == "launching"
    job = await launching
    assert (job.state, job.progress_id, here.posts()) == (JobState.RUNNING, "p-1", 1)
