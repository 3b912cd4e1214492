"""A key that another window saves replaces a missing or refused key, and is used to poll the old key's jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from open_window import NewWindow
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, ScriptedServer, serve_job
from waiting import answered, eventually

from cekura_tui.config.credentials import check_key, save_key
from cekura_tui.jobs import polling
from cekura_tui.model.errors import KeyMissing
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.workspace import workspace as room
from cekura_tui.workspace.setup import Setup, make_setup
from cekura_tui.workspace.workspace import Workspace

DRAFT = Draft((5,), Prompt("Be kind."), 7)
RUNNING, NO = Reply({"status": "running"}), Reply({"detail": "No."}, 401)
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder."}})
BAD_GATEWAY = Reply(HTML_502, 502)


@pytest.fixture(autouse=True)
def fast_key_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEY_CHECK_EVERY", 0.05)
    monkeypatch.setattr("cekura_tui.jobs.engine.TICK", 0.02)


def has_key(got: Got, key: str) -> bool:
    return got.headers["X-CEKURA-API-KEY"] == key


def with_new_key(*answers: Reply) -> Callable[[Got], Reply]:
    """A script that gives these answers in turn to the key "new" and refuses other keys; the last answer repeats."""
    left = list(answers)
    return lambda got: NO if not has_key(got, "new") else left.pop(0) if len(left) > 1 else left[0]


def polled(server: ScriptedServer, key: str = "new") -> list[str]:
    """The progress ids of all polls that were sent with this key, in order."""
    return [got.query["progress_id"] for got in server.requests("GET", PROGRESS) if has_key(got, key)]


def sign_in(setup: Setup, key: str) -> None:
    """Save a key, as `auth login` in another window does."""
    save_key(setup.paths.credentials, setup.server, check_key(key, "elsewhere"))


@pytest.fixture
async def launched(home: Path, scripted: ScriptedServer, open_window: NewWindow) -> Workspace:
    """A window that has a running job and a key that the server refuses."""
    serve_job(scripted, NO)
    sign_in(make_setup(config_dir=str(home), env={"CEKURA_API_URL": scripted.url}), "old")
    window = open_window("")
    await window.call(lambda session: session.engine.launch(DRAFT))
    await answered(lambda: window.call(lambda session: session.jobs.overview()), lambda found: found[2], "a refusal")
    return window


async def job_of(window: Workspace) -> Job:
    return await window.call(lambda session: session.jobs.get(1))


async def succeeds(window: Workspace) -> None:
    job = await answered(lambda: job_of(window), lambda job: job.state == JobState.SUCCEEDED, "it succeeded")
    assert not job.other_key


@pytest.mark.parametrize("failure", [BAD_GATEWAY, Reply({"detail": "Slow."}, 429, {"Retry-After": "1"})])
async def test_a_job_is_polled_with_the_new_key_until_the_server_answers(
    scripted: ScriptedServer, launched: Workspace, failure: Reply
) -> None:
    scripted.on("GET", PROGRESS, with_new_key(failure, DONE))
    sign_in(launched.setup, "new")
    await succeeds(launched)
    assert (launched.key_changes, len(polled(scripted)), len(scripted.requests("POST"))) == (1, 2, 1)


async def test_the_next_start_takes_over_a_job_of_the_old_key(
    scripted: ScriptedServer, launched: Workspace, open_window: NewWindow
) -> None:
    scripted.on("GET", PROGRESS, with_new_key(BAD_GATEWAY, DONE))
    await asyncio.to_thread(launched.close)
    sign_in(launched.setup, "new")
    await succeeds(open_window(""))


async def test_a_job_hidden_from_the_new_key_is_not_polled_again(scripted: ScriptedServer, launched: Workspace) -> None:
    scripted.on("GET", PROGRESS, with_new_key(Reply({"detail": "Not found."}, 404)))
    sign_in(launched.setup, "new")
    await eventually(lambda: polled(scripted) == ["p"], "the new key polls it")
    # Wait until another job of the new key has been polled.
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    await launched.call(lambda session: session.engine.launch(DRAFT))
    await eventually(lambda: polled(scripted).count("p-2") >= 2, "the other job is polled twice")
    assert polled(scripted).count("p") == 1
    job = await job_of(launched)
    assert (job.state, job.other_key) == (JobState.RUNNING, True)


async def test_a_job_that_the_old_key_still_polls_is_not_taken_over(
    scripted: ScriptedServer, open_window: NewWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}), Reply({"progress_id": "p-2"}))
    scripted.on("GET", PROGRESS, RUNNING)
    theirs = open_window("old")
    await theirs.call(lambda session: session.engine.launch(DRAFT))
    sign_in(theirs.setup, "new")
    ours = open_window("")
    await ours.call(lambda session: session.engine.launch(DRAFT))
    await eventually(lambda: len(polled(scripted)) >= 2, "the new key polls")
    assert not (await job_of(theirs)).other_key
    assert set(polled(scripted)) == {"p-2"}

    await asyncio.to_thread(theirs.close)
    await asyncio.to_thread(ours.close)
    monkeypatch.setattr(polling, "ANSWERED_LATELY", 0.0)
    scripted.on("GET", PROGRESS, DONE)
    await succeeds(open_window(""))


async def test_a_window_without_a_key_uses_a_key_that_another_window_saves(open_window: NewWindow) -> None:
    window = open_window("")
    with pytest.raises(KeyMissing):
        await window.do(lambda session: session.store.jobs.all())
    sign_in(window.setup, "new")
    await eventually(lambda: window.key_changes, "the key was taken up")
    assert await window.do(lambda session: session.store.jobs.all()) == []


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_job_hidden_from_another_key_is_not_lost(
    scripted: ScriptedServer, open_window: NewWindow, status: int
) -> None:
    serve_job(scripted, Reply({"detail": "No."}, status))
    first = open_window("first")
    await first.call(lambda session: session.engine.launch(DRAFT))
    await asyncio.to_thread(first.close)
    second = open_window("second")
    with pytest.raises(KeyMissing, match="needs the key used to launch it"):
        await second.call(lambda session: session.jobs.resume(1))
    job = await job_of(second)
    assert (job.state, job.other_key) == (JobState.RUNNING, True)
