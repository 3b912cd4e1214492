"""A key that is missing or refused is mended by signing in elsewhere, and what was launched goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_server import LAUNCH, PROGRESS, Got, Reply, ScriptedServer
from waiting import answered, eventually

from cekura_tui.config.credentials import check_key, save_key
from cekura_tui.model.errors import KeyMissing
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.workspace import workspace as room
from cekura_tui.workspace.setup import Setup, make_setup
from cekura_tui.workspace.workspace import Workspace

DRAFT = Draft((5,), Prompt("Be kind."), 7)
DONE = {"status": "completed", "output": {"improved_prompt": "Be kinder."}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEY_CHECK_EVERY", 0.05)


def setup_of(server: ScriptedServer, home: Path, **env: str) -> Setup:
    return make_setup(config_dir=str(home), env={"CEKURA_API_URL": server.url, **env})


def sign_in(setup: Setup, key: str) -> None:
    """What `auth login` in another window leaves behind."""
    save_key(setup.paths.credentials, setup.server, check_key(key, "elsewhere"))


@pytest.fixture
def opened() -> Iterator[list[Workspace]]:
    """Workspaces to be closed."""
    workspaces: list[Workspace] = []
    yield workspaces
    for workspace in workspaces:
        workspace.close()


async def first_job(workspace: Workspace) -> Job:
    jobs = await workspace.call(lambda session: session.jobs.all())
    return jobs[0]


async def comes_to(workspace: Workspace, state: JobState) -> Job:
    return await answered(lambda: first_job(workspace), lambda job: job.state == state, f"the job is {state}")


def only_with(key: str, answer: object, refused: Reply) -> object:
    """Answers so to this key, and refuses any other."""

    def script(got: Got) -> Reply:
        return Reply(answer) if got.headers["X-CEKURA-API-KEY"] == key else refused

    return script


async def test_a_running_job_resumes_after_a_sign_in_in_another_window(
    home: Path, scripted: ScriptedServer, opened: list[Workspace]
) -> None:
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, only_with("new", DONE, Reply({"detail": "Expired."}, 401)))  # type: ignore[arg-type]
    sign_in(setup_of(scripted, home), "old")
    workspace = Workspace(setup_of(scripted, home))
    opened.append(workspace)
    workspace.start(lambda: None)
    await workspace.call(lambda session: session.jobs.launch(DRAFT))

    await answered(
        lambda: workspace.call(lambda session: session.jobs.overview()),
        lambda overview: overview[2],
        "the key was refused",
    )
    sign_in(workspace.setup, "new")
    job = await comes_to(workspace, JobState.SUCCEEDED)
    assert not job.other_key
    assert workspace.key_changes == 1
    assert len(scripted.requests("POST")) == 1


async def test_a_window_without_a_key_resumes_after_a_sign_in_elsewhere(
    home: Path, scripted: ScriptedServer, opened: list[Workspace]
) -> None:
    workspace = Workspace(setup_of(scripted, home))
    opened.append(workspace)
    workspace.start(lambda: None)
    with pytest.raises(KeyMissing):
        await workspace.call(lambda session: session.jobs.all())
    sign_in(workspace.setup, "new")
    await eventually(lambda: workspace.key_changes, "the key was taken up")
    assert await workspace.call(lambda session: session.jobs.all()) == []


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_job_hidden_from_another_key_is_not_lost(
    home: Path, scripted: ScriptedServer, opened: list[Workspace], status: int
) -> None:
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, Reply({"detail": "No."}, status))
    for key in ("first", "second"):
        workspace = Workspace(setup_of(scripted, home, CEKURA_API_KEY=key))
        opened.append(workspace)
        workspace.start(lambda: None)
        if key == "first":
            await workspace.call(lambda session: session.jobs.launch(DRAFT))
            await asyncio.to_thread(workspace.close)
    with pytest.raises(KeyMissing, match="needs the key used to launch it"):
        await workspace.call(lambda session: session.jobs.resume(1))
    job = await first_job(workspace)
    assert (job.state, job.other_key) == (JobState.RUNNING, True)
