"""What an earlier key launched is followed with the one that takes its place, also when the server fails at first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, ScriptedServer
from waiting import answered, eventually

from cekura_tui.config.credentials import check_key, save_key
from cekura_tui.jobs import polling as asking
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.workspace import workspace as room
from cekura_tui.workspace.setup import Setup, make_setup
from cekura_tui.workspace.workspace import Workspace

DRAFT = Draft((5,), Prompt("Be kind."), 7)
RUNNING = Reply({"status": "running"})
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder."}})
NO = Reply({"detail": "No."}, 401)
Open = Callable[..., Workspace]


def with_new_key(*answers: Reply) -> Callable[[Got], Reply]:
    """Answers so, in this order, to the new key, and refuses the old one."""
    left = list(answers)

    def script(got: Got) -> Reply:
        if got.headers["X-CEKURA-API-KEY"] != "new":
            return NO
        return left.pop(0) if len(left) > 1 else left[0]

    return script


def polls(server: ScriptedServer, key: str = "new") -> int:
    return len([got for got in server.requests("GET", PROGRESS) if got.headers["X-CEKURA-API-KEY"] == key])


def sign_in(setup: Setup, key: str) -> None:
    save_key(setup.paths.credentials, setup.server, check_key(key, "elsewhere"))


@pytest.fixture
def open_window(home: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Start a window, with the key that is kept unless the environment has one."""
    monkeypatch.setattr(room, "KEY_CHECK_EVERY", 0.05)
    opened: list[Workspace] = []

    def start(**env: str) -> Workspace:
        opened.append(Workspace(make_setup(config_dir=str(home), env={"CEKURA_API_URL": scripted.url, **env})))
        opened[-1].start(lambda: None)
        return opened[-1]

    yield start
    for workspace in opened:
        workspace.close()


@pytest.fixture
async def launched(home: Path, scripted: ScriptedServer, open_window: Open) -> Workspace:
    """A window whose job runs, and whose key is refused."""
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, NO)
    sign_in(make_setup(config_dir=str(home), env={"CEKURA_API_URL": scripted.url}), "old")
    workspace = open_window()
    await workspace.call(lambda session: session.jobs.launch(DRAFT))
    await answered(
        lambda: workspace.call(lambda session: session.jobs.overview()),
        lambda overview: overview[2],
        "the key was refused",
    )
    return workspace


async def job_of(workspace: Workspace) -> Job:
    return await workspace.call(lambda session: session.jobs.get(1))


async def succeeds(workspace: Workspace) -> None:
    job = await answered(lambda: job_of(workspace), lambda job: job.state == JobState.SUCCEEDED, "it succeeded")
    assert not job.other_key


@pytest.mark.parametrize("failure", [Reply(HTML_502, 502), Reply({"detail": "Slow."}, 429, {"Retry-After": "1"})])
async def test_a_new_key_resumes_the_job_once_the_server_answers(
    scripted: ScriptedServer, launched: Workspace, failure: Reply
) -> None:
    scripted.on("GET", PROGRESS, with_new_key(failure, DONE))
    sign_in(launched.setup, "new")
    await succeeds(launched)
    assert polls(scripted) == 2


async def test_the_next_start_takes_over_a_job_of_the_former_key(
    scripted: ScriptedServer, launched: Workspace, open_window: Open
) -> None:
    scripted.on("GET", PROGRESS, with_new_key(Reply(HTML_502, 502), DONE))
    await asyncio.to_thread(launched.close)
    sign_in(launched.setup, "new")
    await succeeds(open_window())


async def test_a_job_hidden_from_the_new_key_is_not_polled_again(scripted: ScriptedServer, launched: Workspace) -> None:
    scripted.on("GET", PROGRESS, with_new_key(Reply({"detail": "Not found."}, 404)))
    sign_in(launched.setup, "new")
    await eventually(lambda: polls(scripted) == 1, "it was asked about")
    # A job of its own is asked about meanwhile, as often as it would be.
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    await launched.call(lambda session: session.jobs.launch(DRAFT))
    await eventually(lambda: polls(scripted) >= 3, "another one was asked about twice")
    asked = [got.query["progress_id"] for got in scripted.requests("GET", PROGRESS)]
    job = await job_of(launched)
    assert (job.state, job.other_key) == (JobState.RUNNING, True)
    assert [got for got in asked[asked.index("p-2") :] if got == "p"] == []


async def test_a_job_that_the_former_key_still_polls_is_left_to_it(
    home: Path, scripted: ScriptedServer, open_window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}), Reply({"progress_id": "p-2"}))
    scripted.on("GET", PROGRESS, RUNNING)
    theirs = open_window(CEKURA_API_KEY="old")
    await theirs.call(lambda session: session.jobs.launch(DRAFT))
    sign_in(theirs.setup, "new")
    ours = open_window()
    await ours.call(lambda session: session.jobs.launch(DRAFT))
    await eventually(lambda: polls(scripted) >= 2, "the new key asks")
    assert not (await job_of(theirs)).other_key
    asked = {got.query["progress_id"] for got in scripted.requests("GET", PROGRESS) if with_key(got, "new")}
    assert asked == {"p-2"}

    await asyncio.to_thread(theirs.close)
    await asyncio.to_thread(ours.close)
    monkeypatch.setattr(asking, "ANSWERED_LATELY", 0.0)
    scripted.on("GET", PROGRESS, DONE)
    await succeeds(open_window())


def with_key(got: Got, key: str) -> bool:
    return got.headers["X-CEKURA-API-KEY"] == key
