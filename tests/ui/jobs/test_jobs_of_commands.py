"""Jobs that run a command on this machine: what their pages show, and how they are stopped, relaunched and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from seeded_jobs import DRAFT, app_state_of, opened_jobs
from textual.pilot import Pilot
from user_commands import MARK, none_left, shell
from watching import screen_text, sees

from cekura_tui.model.job import BY_COMMAND, Job
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import Setup

pytestmark = pytest.mark.usefixtures("quick_polls")
ENDLESS = "printf 'loading\\n\\033[31mred [/x]\\n' >&2; printf part; sleep 600"


@asynccontextmanager
async def running(setup: Setup, script: str, *shown: str) -> AsyncIterator[Pilot[None]]:
    """Launch a shell script as a command that proposes a prompt, and show its job in the list."""

    draft = replace(DRAFT, kind=BY_COMMAND, parameters={"command": shell(script)})

    async def launch(session: Session) -> Job:
        return await session.engine.launch(session.prepared(draft, "Improve this."))

    async with opened_jobs(setup) as (pilot, _):
        state = app_state_of(pilot)
        state.put_new(await state.workspace.call(launch))
        await sees(pilot, *shown)
        yield pilot


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv(MARK, str(tmp_path))
    return str(tmp_path)


async def test_a_running_command_shows_its_errors_and_is_stopped_after_a_question(quiet: Setup, mark: str) -> None:
    async with running(quiet, ENDLESS, "The command runs on this machine", "Stderr", "loading", "4 bytes") as pilot:
        await pilot.press("d")
        await sees(pilot, "red [/x]", "Proposed by sh -c", "L Stop", "Folder", gone="D Delete")
        await pilot.press("L")
        await sees(pilot, "Stop job 1?", "sh and the processes that it started are ended.")
        await pilot.press("ctrl+g")
        await sees(pilot, "Stopped job 1.", "■ stopped", "was stopped", "i Relaunch", "D Delete")
        assert "Resume polling" not in screen_text(pilot.app)
    await none_left(mark)


async def test_an_answer_without_a_prompt_is_shown_and_the_command_can_run_again(quiet: Setup) -> None:
    async with running(quiet, "echo Sorry, I cannot help with that.; echo no model >&2", "✗ failed", "sh -c") as pilot:
        await pilot.press("d")
        shown = "Stderr      no model", "Stdout      Sorry, I cannot help with that."
        await sees(pilot, "The command ended without a suggestion.", *shown)
        await pilot.press("i")
        await sees(pilot, "Relaunch job 1?", "again, with the same text.")
        await pilot.press("ctrl+g")
        await sees(pilot, "Relaunched as job 2.")
        await pilot.press("D")
        await sees(pilot, "Delete job 1 from this machine?")
        assert "may still run" not in screen_text(pilot.app)
