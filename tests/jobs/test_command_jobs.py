"""Jobs whose prompt a command proposes are launched, ended, stopped, found again and relaunched like other jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from engine_window import DRAFT, LeapingClock, OpenWindow, Window
from scripted_server import LAUNCH, Reply
from user_commands import MARK, none_left, shell
from waiting import eventually

from cekura_tui.api.errors import ApiError, NotOffered
from cekura_tui.jobs.command_runner import CommandRunner
from cekura_tui.jobs.engine import ORPHANED, JobEngine
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import BY_COMMAND, FROM_FILE, Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.workspace.job_service import JobService

BETTER = "Be kinder to every caller."


@pytest.fixture
def runner(home: Path) -> CommandRunner:
    return CommandRunner(home)


@pytest.fixture
async def window(
    open_window: OpenWindow, runner: CommandRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Window]:
    monkeypatch.setenv(MARK, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield await open_window(engine=partial(JobEngine, monotonic=LeapingClock(30.0), commands=runner))
    await none_left(str(tmp_path))


def draft_of(runner: CommandRunner, script: str) -> Draft:
    folder = runner.prepare("Improve this.", DRAFT.prompt)
    return replace(DRAFT, kind=BY_COMMAND, parameters={"command": shell(script), "folder": folder, "minutes": 5})


async def test_a_command_proposes_a_prompt_without_any_request(window: Window, runner: CommandRunner) -> None:
    window.engine.start()
    await window.engine.launch(draft_of(runner, f"echo '{BETTER}'; echo '--- summary'; echo '- kinder'"))
    job = await window.wait_for_state(JobState.SUCCEEDED)
    done = window.store.jobs.suggestion(job)
    assert (done.improved_prompt, job.summary_of_changes, job.proposes) == (BETTER, "- kinder", True)
    assert job.proposer.startswith("sh")
    assert (window.server.requests("POST", LAUNCH), window.store.jobs.proposer(7)) == (
        [],
        (BY_COMMAND, job.parameters["command"]),
    )


async def test_a_prompt_from_a_file_is_a_suggestion_also_without_runs(window: Window, runner: CommandRunner) -> None:
    window.engine.start()
    parameters = {"file": "better.md", "folder": runner.prepare_result(BETTER, DRAFT.prompt)}
    draft = replace(DRAFT, run_ids=(), kind=FROM_FILE, parameters=parameters)
    await window.engine.launch(draft)
    job = await window.wait_for_state(JobState.SUCCEEDED)
    assert (job.proposer, window.store.jobs.draft_of(job)) == ("better.md", draft)


async def test_a_stopped_command_can_be_started_again_or_forgotten(window: Window, runner: CommandRunner) -> None:
    window.engine.start()
    service = JobService(window.store, window.client, window.engine)
    first = await window.engine.launch(draft_of(runner, "echo thinking; exec sleep 600"))
    await service.stop(first.number)
    stopped = await window.wait_for_state(JobState.STOPPED)
    assert stopped.error == "The command was stopped."
    again = await service.launch_again(first.number)
    assert (again.again_of, again.parameters["folder"] != stopped.parameters["folder"]) == (1, True)
    with pytest.raises(UsageError, match="is running"):
        await service.forget(again.number)
    await service.stop(again.number)
    await window.wait_for_state(JobState.STOPPED, again.number)
    await service.forget(again.number)
    assert not runner.started(str(again.parameters["folder"]))
    assert runner.started(str(stopped.parameters["folder"]))


@pytest.mark.parametrize(("is_started", "state"), [(True, JobState.SUCCEEDED), (False, JobState.FAILED)])
async def test_a_command_of_a_killed_program_is_found_or_was_not_started(
    window: Window, runner: CommandRunner, is_started: bool, state: JobState
) -> None:
    draft = draft_of(runner, f"echo '{BETTER}'")
    job = window.store.jobs.begin_launch(draft, 1.0, "a dead process")
    if is_started:
        await runner.launch(draft)
    window.store.jobs.record_state(job.number, JobState.UNCONFIRMED, ORPHANED, 2.0, only_from=(JobState.LAUNCHING,))
    window.engine.start()
    await window.engine.resume(job.number)
    ended = await window.wait_for_state(state)
    assert ended.reason == ("" if is_started else "cekura-tui ended before the command was started.")


async def test_two_windows_follow_a_command_and_report_its_end_once(
    window: Window, open_window: OpenWindow, runner: CommandRunner
) -> None:
    ended: list[int] = []
    report = partial(JobEngine, ended=lambda job: ended.append(job.number), monotonic=LeapingClock(30.0))
    both = [await open_window(engine=partial(report, commands=runner)) for _ in range(2)]
    for one in both:
        one.engine.start()
    draft = draft_of(runner, f"echo started >>starts; echo '{BETTER}'")
    job = await both[0].engine.launch(draft)
    for one in both:
        await one.wait_for_state(JobState.SUCCEEDED)
    await eventually(lambda: ended == [job.number], "the end is reported")
    with pytest.raises(CekuraTuiError, match="already"):
        await both[1].engine.launch(draft, over=job)
    assert await asyncio.to_thread(Path("starts").read_text) == "started\n"


async def test_a_command_that_cannot_be_started_leaves_a_draft(window: Window, runner: CommandRunner) -> None:
    draft = draft_of(runner, "true")
    missing = replace(draft, parameters={**draft.parameters, "command": "no-such-program"})
    with pytest.raises(ApiError, match="There is no program “no-such-program”"):
        await window.engine.launch(missing)
    assert window.job().state == JobState.DRAFT
    assert window.store.jobs.latest_draft(7, DRAFT.run_ids) == window.job()


async def test_that_a_server_proposes_no_prompts_is_remembered_until_it_does(window: Window) -> None:
    window.server.on("POST", LAUNCH, Reply({"detail": "Not found."}, 404))
    with suppress(NotOffered):
        await window.engine.launch(DRAFT)
    assert (window.store.jobs.is_offered(7), window.store.jobs.is_offered(8)) == (False, False)
    await window.launch()
    assert (window.store.jobs.is_offered(7), window.store.jobs.is_offered(8)) == (True, True)


async def test_commands_are_followed_while_the_server_refuses_the_key(window: Window, runner: CommandRunner) -> None:
    window.server.on("GET", "/test_framework/v1/runs/improve_prompt_progress/", Reply({"detail": "No."}, 401))
    await window.follow("p-1")
    await window.engine.launch(replace(draft_of(runner, f"echo '{BETTER}'"), prompt=Prompt("Be kind.")))
    await window.wait_for_state(JobState.SUCCEEDED, 2)
    assert window.engine.paused is not None
