"""A suggestion on the screen of an app on a server, and the dialog that updates an agent's prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from app_on_a_server import WIDE, launched
from one_dialog import OneDialog, asked
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import answered, eventually
from watching import sees

from cekura_tui.model.job import Suggestion
from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog
from cekura_tui.workspace.setup import Setup

FAILED = 900238


async def suggestion(pilot: Pilot[None], run_id: int = FAILED) -> None:
    await launched(pilot, run_id)
    await reopened(pilot)


async def reopened(pilot: Pilot[None]) -> None:
    """Open the newest suggestion from the list of jobs, and wait for its reasons."""
    await pilot.press("2")
    await sees(pilot, "1 succeeded")
    await pilot.press("enter")
    await sees(pilot, "Suggestion of job 1", "Changes · 1 of 2")
    await eventually(lambda: screen(pilot).reasons is not None, "the reasons are loaded")


def screen(pilot: Pilot[None]) -> Any:
    """The suggestion, perhaps below a dialog."""
    return next(one for one in pilot.app.screen_stack if hasattr(one, "staging"))


async def chosen(pilot: Pilot[None], *choices: HunkChoice | None) -> None:
    """Wait until this is chosen of the changes, on the screen and in the store."""
    wanted = {number: choice for number, choice in enumerate(choices, 1) if choice is not None}
    await eventually(lambda: screen(pilot).staging.opened.choices == wanted, f"on the screen: {wanted}")

    async def stored() -> Any:
        diff = screen(pilot).staging.opened.diff
        return await workspace(pilot).call(lambda session: session.staging.choices(1, diff))

    await answered(stored, lambda found: found == wanted, f"in the store: {wanted}")


def workspace(pilot: Pilot[None]) -> Any:
    return pilot.app.state.workspace  # type: ignore[attr-defined]


async def texts(pilot: Pilot[None]) -> tuple[Suggestion, Prompt]:
    """The job, and the staged text as the store has it."""
    done = await workspace(pilot).call(lambda session: session.jobs.suggestion(1))
    return done, await workspace(pilot).call(lambda session: session.staging.staged(1))


async def add(pilot: Pilot[None], text: str) -> None:
    """Type this at the end of the box."""
    area = pilot.app.screen.query_one(TextArea)
    area.move_cursor(area.document.end)
    await pilot.press(*text)


async def chosen_edited(pilot: Pilot[None], text: str) -> None:
    await eventually(lambda: not pilot.app.screen.is_modal, "the dialog is closed")
    await chosen(pilot, HunkChoice("edited", text))


def unchanged(staged: Prompt) -> Callable[[], Awaitable[Prompt]]:
    """Reads a staged text that no window changes."""

    async def reread() -> Prompt:
        return staged

    return reread


def updating(
    setup: Setup, number: int, staged: Prompt, *, size: tuple[int, int] = WIDE
) -> AbstractAsyncContextManager[tuple[OneDialog, Pilot[None]]]:
    """The dialog that updates an agent's prompt with a text that was staged with this job."""
    return asked(setup, lambda state: UpdatePromptDialog(state, number, staged, unchanged(staged)), size=size)
