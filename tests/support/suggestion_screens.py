"""Open the app on a suggestion, or only the dialog that updates an agent's prompt."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any

import httpx
from app_on_a_server import WIDE, Served, opened
from one_dialog import OneDialog, opened_dialog
from seeded_jobs import seeded_jobs
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import answered, eventually
from watching import sees

from cekura_tui.model.improve_prompt import LAUNCH_PATH, PROGRESS_PATH, launch_body, read_progress
from cekura_tui.model.job import Draft, Suggestion
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog
from cekura_tui.ui.suggestion.screen import SuggestionScreen
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.suggestions import choices_by_number
from cekura_tui.workspace.workspace import Workspace

FAILED = 900238


class PageFirstApp(CekuraApp):
    """An app that starts on a page and loads no runs."""

    def __init__(self, workspace: Workspace, *, page: Callable[[AppState], Page], **options: Any) -> None:
        super().__init__(workspace, **options)
        self._page = page

    def _load(self) -> None:
        self.jobs_reader.read()
        self.push_screen(self._page(self.state))


@cache
def _improvement(url: str, key: str, run_id: int) -> tuple[Draft, dict[str, Any]]:
    """Improve the agent's prompt from a run on the demo server; returns the draft and the final answer."""
    with httpx.Client(base_url=url, headers={"X-CEKURA-API-KEY": key}, trust_env=False, timeout=60) as client:
        run = client.get(f"/test_framework/v1/runs/{run_id}/").json()
        agent = client.get(f"/test_framework/v1/aiagents/{run['agent']}/").json()
        draft = Draft((run_id,), Prompt(agent["description"]), agent["id"], agent["agent_name"], prompt_source="agent")
        progress_id = client.post(LAUNCH_PATH, json=launch_body(draft)).json()["progress_id"]
        for _ in range(100):
            answer = client.get(PROGRESS_PATH, params={"progress_id": progress_id}).json()
            if read_progress(answer).end is not None:
                return draft, answer
    raise AssertionError("the job never ended")


def put_suggestion(served: Served, run_id: int = FAILED) -> Setup:
    """Save a succeeded job for a run and mark the job as seen; returns settings that connect to the server."""
    setup = served.setup()
    draft, answer = _improvement(served.server.url, served.server.key, run_id)
    with seeded_jobs(setup, served.server.key) as seeded:
        seeded.jobs.mark_seen(seeded.succeeded(draft, answer).number, time.time())
    return setup


def put_answer(setup: Setup, sent: str, improved: str, summary: str = "") -> None:
    """Save a job of run 102 that sent the prompt `sent` and succeeded with the prompt `improved`."""
    assert setup.key is not None
    output = {"improved_prompt": improved, "summary_of_changes": summary}
    with seeded_jobs(setup, setup.key.text) as seeded:
        draft = Draft((102,), Prompt(sent), 7, "Front desk", prompt_source="agent")
        seeded.succeeded(draft, {"status": "completed", "output": output})


@asynccontextmanager
async def on_suggestion(
    setup: Setup, *shown: str, size: tuple[int, int] = WIDE, **options: Any
) -> AsyncIterator[Pilot[None]]:
    """Open the app on the suggestion of job 1, and wait until its reasons are loaded."""
    first: dict[str, Any] = {"kind": PageFirstApp, "page": lambda state: SuggestionScreen(state, 1)}
    async with opened(setup, size=size, **first, **options) as pilot:
        await sees(pilot, "Suggestion of job 1", *shown)
        await eventually(lambda: screen(pilot).reasons is not None, "the reasons are loaded")
        yield pilot


def screen(pilot: Pilot[None]) -> Any:
    """The suggestion screen, even if a dialog covers it."""
    return next(one for one in pilot.app.screen_stack if hasattr(one, "staging"))


async def chosen(pilot: Pilot[None], *choices: HunkChoice | None) -> None:
    """Wait until the screen and the database have these choices for changes 1, 2, …; None means undecided."""
    wanted = {number: choice for number, choice in enumerate(choices, 1) if choice is not None}
    await eventually(lambda: screen(pilot).staging.opened.choices == wanted, f"on the screen: {wanted}")

    async def stored() -> Any:
        diff = screen(pilot).staging.opened.diff
        return choices_by_number(diff, await workspace(pilot).do(lambda session: session.store.stagings.choices(1)))

    await answered(stored, lambda found: found == wanted, f"in the store: {wanted}")


def workspace(pilot: Pilot[None]) -> Any:
    return pilot.app.state.workspace  # type: ignore[attr-defined]


async def query_only(pilot: Pilot[None], state: str) -> None:
    """Make the database read-only with "ON", or writable again with "OFF"."""

    async def ask(session: Any) -> None:
        session.store.database.read(f"PRAGMA query_only = {state}")

    await workspace(pilot).call(ask)


async def texts(pilot: Pilot[None]) -> tuple[Suggestion, Prompt]:
    """The suggestion of job 1, and its staged text as saved in the database."""
    done = await workspace(pilot).call(lambda session: session.jobs.suggestion(1))
    return done, await workspace(pilot).do(lambda session: session.store.stagings.staged(1))


async def add(pilot: Pilot[None], text: str) -> None:
    """Type at the end of the text box."""
    area = pilot.app.screen.query_one(TextArea)
    area.move_cursor(area.document.end)
    await pilot.press(*text)


async def chosen_edited(pilot: Pilot[None], text: str) -> None:
    await eventually(lambda: not pilot.app.screen.is_modal, "the dialog is closed")
    await chosen(pilot, HunkChoice("edited", text))


def unchanged(staged: Prompt) -> Callable[[], Awaitable[Prompt]]:
    """A callback for rereading the staged text; the callback always returns `staged`."""

    async def reread() -> Prompt:
        return staged

    return reread


def updating(
    setup: Setup, number: int, staged: Prompt, *, size: tuple[int, int] = WIDE
) -> AbstractAsyncContextManager[tuple[OneDialog, Pilot[None]]]:
    """Open only the dialog that updates an agent's prompt with the text staged for job `number`."""
    return opened_dialog(setup, lambda state: UpdatePromptDialog(state, number, staged, unchanged(staged)), size=size)
