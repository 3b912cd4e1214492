"""The workspace runs its session on a thread of its own, and is called from another event loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
from pathlib import Path

import pytest
from open_window import NewWindow
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer, run_of, serve_job, serve_runs
from waiting import answered, eventually

from cekura_tui.api.client import IN_FLIGHT
from cekura_tui.config.credentials import ApiKey
from cekura_tui.config.paths import Paths, make_private
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import Prompt
from cekura_tui.store.errors import StoreError
from cekura_tui.workspace import workspace as room
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import DemoOptions, make_setup
from cekura_tui.workspace.workspace import Closed, Workspace

RUNS = "/test_framework/v1/runs/"
DRAFT = Draft((5,), Prompt("Be kind."), 7)
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder."}})


@pytest.fixture
def workspace(open_window: NewWindow) -> Workspace:
    return open_window()


async def test_the_session_runs_on_its_own_thread(scripted: ScriptedServer, workspace: Workspace) -> None:
    serve_runs(scripted, run_of(5))

    async def thread(_: object) -> str:
        return threading.current_thread().name

    async def broken(_: object) -> None:
        raise RuntimeError("A fault.")

    assert await workspace.call(thread) == "workspace"
    assert (await workspace.call(lambda session: session.run(5))).row.id == 5
    with pytest.raises(RuntimeError, match="A fault"):
        await workspace.call(broken)


async def test_job_changes_are_reported_on_the_sessions_thread_and_also_after_a_restart(
    scripted: ScriptedServer, open_window: NewWindow
) -> None:
    serve_job(scripted, Reply({"status": "running"}))
    threads: list[str] = []
    first = open_window(on_change=lambda: threads.append(threading.current_thread().name))
    await first.call(lambda session: session.engine.launch(DRAFT))
    await eventually(lambda: len(threads) >= 2, "the launch was reported")
    assert set(threads) == {"workspace"}
    await asyncio.to_thread(first.close)
    scripted.on("GET", PROGRESS, DONE)
    changed = threading.Event()
    again = open_window(on_change=changed.set)
    await eventually(changed.is_set, "something changed")
    await answered(
        lambda: again.call(lambda session: session.jobs.get(1)), lambda job: job.state == JobState.SUCCEEDED, "success"
    )


async def test_recordings_older_than_a_day_are_removed_at_the_start(open_window: NewWindow, home: Path) -> None:
    kept = Paths(home).audio / f"cekura-{'0' * 32}.wav"
    make_private(kept.parent)
    kept.touch()
    os.utime(kept, (0, 0))
    workspace = open_window()
    await workspace.do(lambda session: None)
    assert list(kept.parent.iterdir()) == []


async def test_a_missing_key_is_reported_until_the_user_signs_in(
    scripted: ScriptedServer, open_window: NewWindow, home: Path
) -> None:
    scripted.on("GET", "/user/v1/projects/", Reply([{"id": 9, "name": "Nine"}]))
    workspace = open_window("")
    with pytest.raises(KeyMissing):
        await workspace.do(lambda session: session.store.jobs.all())
    projects = await workspace.sign_in(" a-typed-key ")
    assert [project.id for project in projects] == [9]
    assert scripted.seen[-1].headers["X-CEKURA-API-KEY"] == "a-typed-key"
    assert '"a-typed-key"' in (home / "credentials.json").read_text()


async def test_jobs_of_the_old_key_are_listed_but_not_polled_with_another_key(
    scripted: ScriptedServer, workspace: Workspace
) -> None:
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}), Reply({"progress_id": "p-2"}))
    scripted.on("GET", PROGRESS, Reply({"status": "running"}))
    await workspace.call(lambda session: session.engine.launch(DRAFT))
    first = workspace.setup
    await workspace.reopen(first.with_key(ApiKey("other", "typed")))
    await workspace.call(lambda session: session.engine.launch(DRAFT))
    jobs = await workspace.do(lambda session: session.store.jobs.all())
    assert [(job.number, job.other_key) for job in jobs] == [(2, False), (1, True)]

    def polled_with(key: str) -> set[str]:
        polls = scripted.requests("GET", PROGRESS)
        return {got.query["progress_id"] for got in polls if got.headers["X-CEKURA-API-KEY"] == key}

    await eventually(lambda: polled_with("other"), "its own job was polled")
    assert polled_with("other") == {"p-2"}
    await workspace.reopen(first)
    jobs = await workspace.do(lambda session: session.store.jobs.all())
    assert [(job.number, job.other_key) for job in jobs] == [(2, True), (1, False)]


@pytest.mark.long
async def test_closing_during_a_request_abandons_the_request_without_a_warning(
    scripted: ScriptedServer, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    hold = Hold(Reply(run_of(5)))
    scripted.on("GET", f"{RUNS}5/", hold)
    asking = workspace.send(lambda session: session.run(5))
    await eventually(hold.arrived.is_set, "the request arrived")
    with caplog.at_level(logging.DEBUG, "asyncio"):
        await asyncio.to_thread(workspace.close)
        await eventually(asking.done, "the request was given up")
        gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    with pytest.raises(Closed):
        await workspace.do(lambda session: session.store.jobs.all())


@pytest.mark.parametrize("in_time", [True, False])
async def test_a_launch_interrupted_by_closing_becomes_unconfirmed(
    scripted: ScriptedServer, open_window: NewWindow, home: Path, monkeypatch: pytest.MonkeyPatch, in_time: bool
) -> None:
    hold = Hold(Reply({"progress_id": "late"}))
    scripted.on("POST", LAUNCH, hold)
    workspace = open_window()
    workspace.send(lambda session: session.engine.launch(DRAFT))
    await eventually(hold.arrived.is_set, "the launch arrived")
    if not in_time:
        monkeypatch.setattr(room, "CLOSING", 0.0)
    await asyncio.to_thread(workspace.close)
    if in_time:
        (job,) = await open_window().do(lambda session: session.store.jobs.all())
        assert job.state == JobState.UNCONFIRMED
    else:
        assert "closing: TimeoutError()" in (home / "log" / "cekura-tui.log").read_text()


async def test_closing_before_anything_was_opened_does_nothing(new_window: NewWindow) -> None:
    workspace = new_window()
    workspace.close()
    with pytest.raises(Closed):
        await workspace.do(lambda session: session.store.jobs.all())


async def test_lists_and_opened_runs_and_drafts_are_saved(scripted: ScriptedServer, workspace: Workspace) -> None:
    scripted.on("GET", RUNS, Reply({"count": 1, "results": [run_of(5)]}))
    serve_runs(scripted, run_of(5))
    query = RunQuery(Scope("project", 9))
    page = await workspace.call(lambda session: session.lists.page(query))
    view = await workspace.call(lambda session: session.run(5))
    kept = await workspace.do(lambda session: session.store.runs.cached_list(query.key))
    assert kept is not None
    assert (kept.count, kept.rows) == (1, page.items)
    cached = await workspace.call(lambda session: session.cached_run(5))
    assert cached is not None
    assert (cached.row, cached.verdicts, cached.cached) == (view.row, view.verdicts, True)

    job = await workspace.do(lambda session: session.store.jobs.save_draft(DRAFT, 1.0))
    found = await workspace.call(lambda session: session.jobs.draft(7, (1,)))
    assert found is not None
    assert (found[0], found[1].number) == (DRAFT, job.number)
    assert await workspace.call(lambda session: session.jobs.draft(8, DRAFT.run_ids)) is None


# Failures


async def test_every_call_says_why_the_database_could_not_be_opened(open_window: NewWindow, home: Path) -> None:
    (home / "cekura.db").mkdir(parents=True)
    workspace = open_window()
    for _ in range(2):
        with pytest.raises(StoreError, match="Can't open the database"):
            await workspace.do(lambda session: session.store.jobs.all())


async def test_an_error_while_opening_is_reported_and_logged(
    open_window: NewWindow, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Session, "open", broken)
    with pytest.raises(CekuraTuiError, match="Can't open the workspace") as caught:
        await open_window().do(lambda session: session.store.jobs.all())
    log = home / "log" / "cekura-tui.log"
    assert str(log) in caught.value.hint
    assert "ZeroDivisionError" in log.read_text()


async def test_a_damaged_database_is_reported_in_a_notice(open_window: NewWindow, home: Path) -> None:
    make_private(home)
    (home / "cekura.db").write_bytes(b"No database at all. " * 500)
    workspace = open_window()
    assert await workspace.do(lambda session: session.store.jobs.all()) == []
    (notice,) = workspace.notices
    assert notice.startswith("The database was damaged. Recovered")


@pytest.mark.parametrize("in_the_way", ["home", "home/log", "home/log/cekura-tui.log/directory"])
def test_an_unwritable_log_is_silently_disabled(
    new_window: NewWindow, tmp_path: Path, in_the_way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace = new_window()
    make_private((tmp_path / in_the_way).parent)
    (tmp_path / in_the_way).write_text("A file.")
    workspace.start_log()
    logging.getLogger("cekura_tui.workspace").warning("Something.")
    assert "Logging error" not in capfd.readouterr().err


async def test_a_queued_read_fails_without_a_request_when_the_key_changes(
    scripted: ScriptedServer, workspace: Workspace
) -> None:
    holds = [Hold(Reply(run_of(number))) for number in range(IN_FLIGHT)]
    for number, hold in enumerate(holds):
        scripted.on("GET", f"{RUNS}{number}/", hold)
        workspace.send(lambda session, number=number: session.run(number, once=True))  # type: ignore[misc]# binds number
    for hold in holds:
        await eventually(hold.arrived.is_set, "the request arrived")
    waiting = workspace.send(lambda session: session.run(99, once=True))
    await workspace.reopen(workspace.setup.with_key(ApiKey("other", "typed")))
    with pytest.raises(Closed, match="workspace was closed"):
        await asyncio.wrap_future(waiting)
    assert scripted.requests("GET", f"{RUNS}99/") == []


# The demo workspace


def embedded_servers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "embedded-server"}


async def test_the_demo_workspace_has_runs_and_needs_no_key(
    scripted: ScriptedServer, open_window: NewWindow, home: Path
) -> None:
    before = embedded_servers()
    workspace = open_window("")
    assert workspace.known_key() == ""
    await workspace.enter_demo()
    scope = await workspace.call(lambda session: session.scope())
    page = await workspace.call(lambda session: session.lists.page(RunQuery(scope)))
    assert page.count == 240
    assert workspace.known_key() == (home / "demo" / "key").read_text()
    assert scripted.seen == []
    await asyncio.to_thread(workspace.close)
    assert embedded_servers() <= before


def test_opening_a_session_without_a_key_raises_the_error_of_the_setup(home: Path) -> None:
    setup = make_setup(config_dir=str(home), env={})
    with pytest.raises(KeyMissing) as refused:
        Session.open(setup)
    assert refused.value is setup.no_key


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [("key", UsageError, "Can't start the demo server"), ("cekura.db", StoreError, "Can't open the database")],
)
async def test_a_demo_that_cannot_open_says_why_and_leaves_no_server(
    home: Path, name: str, kind: type[Exception], said: str
) -> None:
    before = embedded_servers()
    (home / "demo" / name).mkdir(parents=True)
    with pytest.raises(kind, match=said):
        Session.open(make_setup(config_dir=str(home), demo=DemoOptions(runs=1), env={}))
    assert embedded_servers() <= before
