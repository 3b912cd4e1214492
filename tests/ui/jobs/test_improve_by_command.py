"""A command of the user's, or a file, proposes the prompt, as chosen in the improve dialog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import setup_of
from improve_dialogs import AGENT, PROMPT, agent_with, choose, improving, sent, serve_improvable, typing
from one_dialog import OneDialog, answer
from scripted_server import LAUNCH, Reply, ScriptedServer, run_of
from seeded_jobs import KEY, seeded_jobs
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea
from user_commands import shell
from waiting import eventually
from watching import sees

from cekura_tui.model.job import BY_COMMAND, DEFAULT_KIND, FROM_FILE, Job, JobState
from cekura_tui.workspace.setup import Setup

NO_CEKURA = "Cekura proposes no prompts on this server"
COMMAND = shell("cat > /dev/null; echo Be kinder.")


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    """Settings for a scripted server with one run."""
    return serve_improvable(scripted)


async def choose_proposer(pilot: Pilot[None], kind: str, line: str | None = None) -> None:
    """Choose who proposes by keys, and enter a command or a path."""
    await choose(pilot, kind, "#proposers")
    if line is not None:
        field = pilot.app.screen.query_one("#proposer-line", Input)
        field.focus()
        field.value = line


def chosen(app: OneDialog) -> tuple[Any, ...]:
    """The chosen proposer, and the line that is shown for it."""
    line = app.dialog.query_one("#proposer-line", Input)
    return *app.dialog.query_one("#proposers").chosen, line.value if line.display else None


async def end_of(setup: Setup, number: int) -> Job:
    with seeded_jobs(setup, "key") as seeded:
        job: Job | None = None

        def ended() -> bool:
            nonlocal job
            job = seeded.jobs.get(number)
            return job is not None and job.state.final

        await eventually(ended, f"job {number} ends")
        assert job is not None
        return job


async def test_a_command_is_launched_and_preselected_for_the_agent_from_then_on(
    setup: Setup, scripted: ScriptedServer
) -> None:
    async with improving(setup, "(•) Cekura", "May cost credits", PROMPT) as (app, pilot):
        await choose_proposer(pilot, BY_COMMAND)
        await sees(pilot, "llm -m gpt-5", "ollama run llama3.2", "config set improve.command", gone="May cost")
        await pilot.press("ctrl+g")
        await sees(pilot, "Type a command first.")
        await choose_proposer(pilot, BY_COMMAND, COMMAND)
        await sees(pilot, "Runs sh on this machine", "nothing is sent to Cekura")
        await answer(app, pilot, "ctrl+g")
        job = await end_of(setup, 1)
        assert (job.kind, job.state, job.proposer) == (BY_COMMAND, JobState.SUCCEEDED, COMMAND)
        assert scripted.requests("POST", LAUNCH) == []
        app.ask()
        await sees(pilot, "(•) A command", PROMPT, gone="Loading")
        assert chosen(app) == (BY_COMMAND, COMMAND)


async def test_a_program_that_does_not_exist_is_reported_and_the_draft_keeps_the_command(setup: Setup) -> None:
    async with improving(setup, PROMPT) as (app, pilot):
        await choose_proposer(pilot, BY_COMMAND, "no-such-program -x")
        await pilot.press("ctrl+g")
        await sees(pilot, "There is no program no-such-program", "Draft saved")
        await answer(app, pilot, "escape")
    async with improving(setup, "(•) A command", "no-such-program -x") as (app, pilot):
        assert chosen(app) == (BY_COMMAND, "no-such-program -x")
        await choose_proposer(pilot, DEFAULT_KIND)
        await answer(app, pilot, "ctrl+g")


async def test_a_launch_that_the_server_does_not_offer_leads_to_the_command(
    setup: Setup, scripted: ScriptedServer
) -> None:
    scripted.on("POST", LAUNCH, Reply({"detail": "Not found."}, 404))
    async with improving(setup, PROMPT) as (app, pilot):
        await typing(pilot, *"Mine. ")
        await pilot.press("ctrl+g")
        await sees(pilot, NO_CEKURA, "(•) A command", "ollama run llama3.2", "Draft saved")
        assert app.screen.query_one(TextArea).text == f"Mine. {PROMPT}"
        await answer(app, pilot, "escape")
        app.ask()
        await sees(pilot, NO_CEKURA, "(•) A command", f"Mine. {PROMPT}", gone="Loading")
        assert app.dialog.query_one("#proposers").rows[0].key == BY_COMMAND
        await choose_proposer(pilot, BY_COMMAND, COMMAND)
        await answer(app, pilot, "ctrl+g")
        assert len(sent(scripted)) == 1


async def test_a_prompt_from_a_file_becomes_a_suggestion_beside_the_shown_prompt(setup: Setup, tmp_path: Path) -> None:
    file = tmp_path / "better.md"
    async with improving(setup, PROMPT) as (app, pilot):
        await choose_proposer(pilot, FROM_FILE)
        await pilot.press("ctrl+g")
        await sees(pilot, "Type a path first.", "nothing is sent to Cekura")
        await choose_proposer(pilot, FROM_FILE, str(file))
        await pilot.press("ctrl+g")
        await sees(pilot, "There is no file")
        file.write_text("Be kinder.\n")
        await answer(app, pilot, "ctrl+g")
        job = await end_of(setup, 1)
        assert (job.kind, job.state, job.proposer) == (FROM_FILE, JobState.SUCCEEDED, str(file))
    with seeded_jobs(setup, "key") as seeded:
        done = seeded.jobs.suggestion(job)
        assert (done.sent, done.improved_prompt) == (PROMPT, "Be kinder.")


async def test_the_text_for_a_command_is_shown_and_an_api_key_in_it_is_confirmed(scripted: ScriptedServer) -> None:
    serve_improvable(scripted)
    turns = [{"role": "Testing Agent", "content": f"My code is {KEY} \x1b[31m[/red]", "start_time": 1, "end_time": 2}]
    run: dict[str, Any] = run_of(5, transcript_object=turns)
    async with improving(setup_of(scripted.url, KEY, 1), PROMPT, run=run) as (app, pilot):
        await choose_proposer(pilot, BY_COMMAND, COMMAND)
        await pilot.press("ctrl+t")
        await sees(pilot, "The text that a command reads")
        text = str(app.screen.query_one(VerticalScroll).query_one(Static).render())
        assert "[/red]" in text
        assert "\x1b" not in text
        await pilot.press("escape", "ctrl+g")
        await sees(pilot, "Launch a prompt with an API key in it?", "The text contains your API key.")
        await answer(app, pilot, "ctrl+g")


async def test_what_the_text_for_a_command_leaves_out_is_shown_before_and_at_the_launch(
    setup: Setup, scripted: ScriptedServer
) -> None:
    scripted.on("GET", AGENT, agent_with("Be kind. " * 2_000))
    limited = replace(setup.settings, improve={"command": COMMAND, "characters": 5_000})
    async with improving(replace(setup, settings=limited), "4,000 words") as (app, pilot):
        await choose_proposer(pilot, BY_COMMAND)
        await sees(pilot, "leave too little of 5,000")
        await answer(app, pilot, "ctrl+g")
        assert "leave too little of 5,000" in [*app._notifications][-1].message


async def test_an_api_key_in_the_prompt_from_a_file_is_confirmed(scripted: ScriptedServer, tmp_path: Path) -> None:
    serve_improvable(scripted)
    (file := tmp_path / "better.md").write_text(f"The key is {KEY}.")
    async with improving(setup_of(scripted.url, KEY, 1), PROMPT) as (app, pilot):
        await choose_proposer(pilot, FROM_FILE, str(file))
        await pilot.press("ctrl+g")
        await sees(pilot, "Launch a prompt with an API key in it?", "The text contains your API key.")
        await answer(app, pilot, "ctrl+g")


async def test_a_command_that_contains_the_api_key_is_neither_started_nor_saved(scripted: ScriptedServer) -> None:
    serve_improvable(scripted)
    setup = setup_of(scripted.url, KEY, 1)
    async with improving(setup, PROMPT) as (app, pilot):
        await choose_proposer(pilot, BY_COMMAND, f"echo {KEY}")
        await pilot.press("ctrl+g")
        await sees(pilot, "The command contains your API key")
        await answer(app, pilot, "escape")
    assert not any(KEY.encode() in file.read_bytes() for file in setup.paths.home.rglob("*") if file.is_file())


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_all_parts_for_a_command_fit_without_scrolling(setup: Setup, size: tuple[int, int]) -> None:
    async with improving(setup, PROMPT) as (_, pilot):
        await pilot.resize_terminal(*size)
        await choose_proposer(pilot, BY_COMMAND)
        await sees(pilot, "Runs  5", "(•) A command", "config set improve.command", PROMPT, "Cancel", "ctrl+g launch")
