"""Conflict decisions and typed texts are restored, and text written to the agent is no longer a conflict."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agents_on_a_server import CLINIC, Agents, sees_wrapped
from app_on_a_server import SMALL
from one_dialog import OneDialog, answer, opened_dialog
from suggestion_screens import on_suggestion, query_only, unchanged
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import answered, eventually
from watching import screen_text, sees

from cekura_tui.model.text import Prompt
from cekura_tui.prose.conflicts import ConflictDecisions
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog

SENT = Prompt("# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n\n# End\n\nSay goodbye.\n")
THEIRS = Prompt(SENT.replace("kind to", "patient with").replace("guess", "invent").replace("goodbye", "goodbye, Sir"))
STAGED = Prompt(SENT.replace("kind to", "brief with").replace("guess", "estimate"))
EDITED = Prompt(THEIRS.replace("Be patient with callers.", "Be swift with callers."))


@pytest.fixture
def server(server: Agents) -> Agents:
    """A server whose clinic has a finished job and a prompt that another client has changed since."""
    server.write_elsewhere(CLINIC, THEIRS)
    server.job(CLINIC, SENT, STAGED)
    return server


@asynccontextmanager
async def deciding(
    server: Agents, decisions: ConflictDecisions | None = None
) -> AsyncIterator[tuple[OneDialog, Pilot[None]]]:
    """Open the update dialog. With `decisions`, reopened dialogs share these decisions; else each has its own."""

    def dialog(state: AppState) -> UpdatePromptDialog:
        return UpdatePromptDialog(state, 1, STAGED, unchanged(STAGED), decisions)

    async with opened_dialog(server.setup(), dialog, size=SMALL) as (app, pilot):
        await sees(pilot, "Conflict 1 of 2")
        yield app, pilot


async def reopened(app: OneDialog, pilot: Pilot[None], *shown: str) -> None:
    assert await answer(app, pilot, "escape") is None
    app.ask()
    await sees(pilot, *shown)


async def typing(pilot: Pilot[None], shown: str, conflict: int = 1) -> TextArea:
    """Open the editor of a conflict and check that it contains `shown`; return it with the cursor at the end."""
    await pilot.press("c")
    await sees(pilot, "ctrl+g apply", f"Conflict {conflict} of 2", "Original: ", shown)
    area = pilot.app.screen.query_one(TextArea)
    area.move_cursor(area.document.end)
    return area


async def apply_text(pilot: Pilot[None], text: str, shown: str = "Be brief") -> None:
    """Decide the current conflict by this text; its editor must contain `shown` before."""
    (await typing(pilot, shown)).load_text(text)
    await pilot.press("ctrl+g")
    await sees(pilot, gone="ctrl+g apply")


async def saved_texts_are(server: Agents, *texts: str) -> None:
    """Wait until exactly these typed texts are saved."""

    async def typed() -> list[str]:
        with server.store() as store:
            return sorted(store.stagings.typed(1).values())

    await answered(typed, lambda found: found == sorted(texts), f"on the disk: {texts}")


async def update_and_check(pilot: Pilot[None], server: Agents, text: Prompt) -> None:
    """Update the agent's prompt and check that it then equals `text`."""
    pilot.app.clear_notifications()  # toasts would cover the dialog
    await sees(pilot, "ctrl+g update")
    await pilot.press("ctrl+g")
    await sees_wrapped(pilot, "verified byte for byte")
    await sees(pilot, "R restore the former prompt", gone="r reload")
    assert server.prompt_of(CLINIC) == text
    assert "conflict" not in screen_text(pilot.app)


@pytest.mark.long
async def test_typed_text_is_restored_in_a_new_dialog_and_after_a_restart(server: Agents) -> None:
    async with deciding(server) as (app, pilot):
        await typing(pilot, "Be brief with callers.")
        await pilot.press(*" Now.")
        await saved_texts_are(server, "Be brief with callers. Now.")
        await pilot.press("escape")
        await sees(pilot, "Your text is not applied: c opens it.", "2 conflicts to decide")
        await reopened(app, pilot, "Conflict 1 of 2")
        await typing(pilot, "Be brief with callers. Now.")
        await pilot.press("escape")
        await sees(pilot, "2 conflicts to decide")
        await pilot.press("n")
        await sees(pilot, "Conflict 2 of 2")
        await typing(pilot, "Never estimate a price.", 2)
    async with deciding(server) as (app, pilot):
        await typing(pilot, "Be brief with callers. Now.")
        await saved_texts_are(server, "Be brief with callers. Now.")
        await pilot.press(*["backspace"] * len(" Now."), "escape")
        await saved_texts_are(server)
        await reopened(app, pilot, "Conflict 1 of 2")
        assert (await typing(pilot, "Be brief with callers.")).text == "Be brief with callers."


async def test_decisions_and_applied_text_stay_when_the_dialog_closes(server: Agents) -> None:
    async with deciding(server, ConflictDecisions()) as (app, pilot):
        await apply_text(pilot, "Be swift with callers.")
        await sees(pilot, "Conflict 2 of 2", "1 undecided")
        await typing(pilot, "Never estimate a price.", 2)
        await pilot.press(*" Ever.", "escape")
        await sees(pilot, "1 undecided")
        await reopened(app, pilot, "1 conflict to decide", "Conflict 2 of 2")
        await pilot.press("x")
        await sees(pilot, "ctrl+g update")
        await reopened(app, pilot)
        await saved_texts_are(server, "Be swift with callers.", "Never estimate a price. Ever.")
        await update_and_check(pilot, server, EDITED)
        await saved_texts_are(server, "Never estimate a price. Ever.")
        await reopened(app, pilot, "Nothing to update", "R restore")
        assert "conflict" not in screen_text(pilot.app)
        server.write_elsewhere(CLINIC, EDITED.replace("swift", "slow"))
        await pilot.press("r")
        await sees(pilot, "to decide", "Be slow with callers.")


async def test_unsaved_text_is_reported_once_and_stays_in_the_window(server: Agents) -> None:
    async with deciding(server) as (app, pilot):
        area = await typing(pilot, "Be brief")
        await query_only(pilot, "ON")
        for text in ("One", "Two"):
            area.load_text(text)
            await eventually(lambda text=text: text in typed_texts(pilot), f"a try to keep {text}")
        notices = app.state.workspace.notices
        await eventually(lambda: notices, "a notice")
        await pilot.press("escape")
        await sees(pilot, "Conflict 1 of 2")
        assert [notice.partition("Can't write")[0] for notice in notices] == ["Not saved. "]
        await query_only(pilot, "OFF")
        app.clear_notifications()
        await typing(pilot, "Two")
        await pilot.press("escape")
        await saved_texts_are(server, "Two")


def typed_texts(pilot: Pilot[None]) -> list[str | None]:
    """The texts typed into conflicts 1 and 2, from the memory of the update dialog; None where nothing was typed."""
    dialog: Any = next(one for one in pilot.app.screen_stack if isinstance(one, UpdatePromptDialog))
    decisions = dialog.resolver.decisions
    return [decisions.typed_text(decisions.key_of(number)) for number in (1, 2)]


async def test_conflict_decisions_stay_while_the_suggestion_is_open(server: Agents) -> None:
    async with on_suggestion(server.setup(), "Changes · 1 of 2", size=SMALL) as pilot:
        await pilot.press("A")
        await sees(pilot, "✓2")
        await pilot.press("W")
        await sees(pilot, "Conflict 1 of 2")
        await pilot.press("x")
        await sees(pilot, "Conflict 2 of 2", "1 undecided")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1", gone="Conflict 2 of 2")
        await pilot.press("W")
        await sees(pilot, "Conflict 2 of 2", "1 undecided")
