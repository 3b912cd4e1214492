"""The improve dialog alone over an empty screen, for a run of a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app_on_a_server import LIST, WIDE, setup_of
from one_dialog import OneDialog, opened_dialog
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer, run_of, serve_runs
from textual.pilot import Pilot
from textual.widgets import Input, TextArea
from watching import sees

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.ui.jobs.improve import ImproveDialog
from cekura_tui.ui.messages import GivenPrompt
from cekura_tui.workspace.session import Improvable
from cekura_tui.workspace.setup import Setup

AGENT = "/test_framework/v1/aiagents/7/"
PROMPT = "Be kind."
RUN = run_of(5)


def agent_with(prompt: str) -> Reply:
    return Reply({"id": 7, "agent_name": "A", "description": prompt})


def serve_improvable(scripted: ScriptedServer) -> Setup:
    """Serve one run, its agent and jobs that never end; returns settings that connect to the server."""
    serve_runs(scripted, RUN)
    scripted.on("GET", LIST, Reply({"count": 1, "next": None, "previous": None, "results": [RUN]}))
    scripted.on("GET", AGENT, agent_with(PROMPT))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}))
    scripted.on("GET", PROGRESS, Reply({"status": "running", "output": None, "error": None}))
    return setup_of(scripted.url, "key", 1)


@asynccontextmanager
async def improving(
    setup: Setup, *shown: str, run: dict[str, Any] = RUN, given: GivenPrompt | None = None, gone: str = "Loading"
) -> AsyncIterator[tuple[OneDialog, Pilot[None]]]:
    """Open the improve dialog for a run, and wait until it shows all texts in `shown` and does not show `gone`. Yields
    the app and its pilot."""
    runs = Improvable((view_of(Run.read(run), 0.0),), 7, "A")
    async with opened_dialog(setup, lambda state: ImproveDialog(state, runs, given), size=WIDE) as (app, pilot):
        await sees(pilot, "Improve the prompt", *shown, gone=gone)
        yield app, pilot


async def typing(pilot: Pilot[None], *keys: str) -> TextArea:
    """Open the prompt box for editing and press `keys` at the start of its text; returns the box."""
    area = pilot.app.screen.query_one(TextArea)
    area.focus()
    await pilot.press("enter", *keys)
    return area


async def choose(pilot: Pilot[None], source: str, listed: str = "#sources") -> None:
    """Select a prompt source, or a choice of another list, by keys."""
    choices: Any = pilot.app.screen.query_one(listed)
    choices.focus()
    await pilot.press("g")
    while choices.cursor_key != source:
        await pilot.press("j")
    await pilot.press("space")


async def name_file(pilot: Pilot[None], path: str) -> None:
    await choose(pilot, "file")
    field = pilot.app.screen.query_one("#prompt-file", Input)
    field.focus()
    field.value = path
    await pilot.press("enter")


def sent(scripted: ScriptedServer) -> list[str]:
    """Prompts of all launches, in order."""
    return [launch.json()["prompt"] for launch in scripted.requests("POST", LAUNCH)]
