"""What was decided of conflicts, and typed into them: it is there again, and what was written is no conflict."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agents_on_a_server import CLINIC, Agents, agents, reads
from app_on_a_server import SMALL, opened
from one_dialog import OneDialog, answer, asked
from suggestion_screens import unchanged
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import answered, eventually
from watching import screen_text, sees

from cekura_tui.model.text import Prompt
from cekura_tui.prose.conflicts import ConflictDecisions
from cekura_tui.ui.suggestion.agent_prompt_update import UpdatePromptDialog

SENT = Prompt("# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n\n# End\n\nSay goodbye.\n")
THEIRS = Prompt(SENT.replace("kind to", "patient with").replace("guess", "invent").replace("goodbye", "goodbye, Sir"))
STAGED = Prompt(SENT.replace("kind to", "brief with").replace("guess", "estimate"))
WORDED = Prompt(THEIRS.replace("Be patient with callers.", "Be swift with callers."))
TO_DECIDE = "Decide every conflict first"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Agents]:
    """With a job of the clinic's agent, whose prompt somebody has changed since."""
    with agents(tmp_path) as server:
        server.write_elsewhere(CLINIC, THEIRS)
        server.job(CLINIC, SENT, STAGED)
        yield server


@asynccontextmanager
async def deciding(
    server: Agents, decisions: ConflictDecisions | None = None
) -> AsyncIterator[tuple[OneDialog, Pilot[None]]]:
    """The dialog, and every next one, with these decisions, as on one page; or each with none, as on a new page."""
    async with asked(
        server.setup(), lambda state: UpdatePromptDialog(state, 1, STAGED, unchanged(STAGED), decisions), size=SMALL
    ) as (
        app,
        pilot,
    ):
        yield app, pilot


async def closed_and_opened(app: OneDialog, pilot: Pilot[None]) -> None:
    assert await answer(app, pilot, "escape") is None
    app.ask()


async def typing(pilot: Pilot[None], shown: str, conflict: int = 1) -> TextArea:
    """Open the box of a conflict; it shows this."""
    await pilot.press("e")
    await sees(pilot, "ctrl+g apply", f"Conflict {conflict} of 2", shown)
    area = pilot.app.screen.query_one(TextArea)
    area.move_cursor(area.document.end)
    return area


async def word(pilot: Pilot[None], text: str, shown: str = "Be brief") -> None:
    """Word the conflict one is at, and take that."""
    (await typing(pilot, shown)).load_text(text)
    await pilot.press("ctrl+g")
    await sees(pilot, gone="ctrl+g apply")


async def on_disk(server: Agents, *texts: str) -> None:
    """Wait until this and no more is kept of what was typed."""

    async def typed() -> list[str]:
        with server.store() as store:
            return sorted(store.stagings.typed(1).values())

    await answered(typed, lambda found: found == sorted(texts), f"on the disk: {texts}")


async def written(pilot: Pilot[None], server: Agents, text: Prompt) -> None:
    """Put it there, and wait for what is said of that."""
    pilot.app.clear_notifications()  # they would lie over the dialog
    await sees(pilot, "y update")
    await pilot.press("y")
    await reads(pilot, "verified byte for byte")
    await sees(pilot, "R restore the former prompt", gone="r reload")
    assert server.prompt_of(CLINIC) == text
    assert "conflict" not in screen_text(pilot.app)


async def test_what_is_being_typed_is_there_again_when_the_program_ends_in_the_middle(server: Agents) -> None:
    async with deciding(server) as (_, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await typing(pilot, "Be brief with callers.")
        await pilot.press(*" Now.")
        await on_disk(server, "Be brief with callers. Now.")
    async with deciding(server) as (_, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await typing(pilot, "Be brief with callers. Now.")


async def test_esc_keeps_what_was_typed_also_for_another_dialog_and_another_page(server: Agents) -> None:
    async with deciding(server) as (app, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await typing(pilot, "Be brief with callers.")
        await pilot.press(*" Now.", "escape")
        await sees(pilot, "Your text is saved, but not applied: e opens it.", "2 conflicts to decide")
        await closed_and_opened(app, pilot)
        await sees(pilot, "Conflict 1 of 2")
        await typing(pilot, "Be brief with callers. Now.")
        await pilot.press("escape")
        await sees(pilot, "2 conflicts to decide")
        await pilot.press("n")
        await sees(pilot, "Conflict 2 of 2")
        await typing(pilot, "Never estimate a price.", 2)
        await pilot.press("escape")
    await on_disk(server, "Be brief with callers. Now.")


async def test_what_was_typed_and_deleted_again_does_not_come_back(server: Agents) -> None:
    async with deciding(server) as (app, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await typing(pilot, "Be brief with callers.")
        await pilot.press(*"!?")
        await on_disk(server, "Be brief with callers.!?")
        await pilot.press("backspace", "backspace", "escape")
        await on_disk(server)
        await closed_and_opened(app, pilot)
        await sees(pilot, "Conflict 1 of 2")
        area = await typing(pilot, "Be brief with callers.")
        assert area.text == "Be brief with callers."


async def test_a_wording_is_kept_until_it_is_written_and_one_that_was_not_taken_stays(server: Agents) -> None:
    async with deciding(server, ConflictDecisions()) as (app, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await word(pilot, "Be swift with callers.")
        await sees(pilot, "Conflict 2 of 2")
        await typing(pilot, "Never estimate a price.", 2)
        await pilot.press(*" Ever.", "escape")
        await sees(pilot, "1 undecided")
        await pilot.press("o")
        await on_disk(server, "Be swift with callers.", "Never estimate a price. Ever.")
        await written(pilot, server, WORDED)
        await on_disk(server, "Never estimate a price. Ever.")
        assert await answer(app, pilot, "escape") is None


async def test_what_was_decided_is_there_when_the_dialog_is_opened_again(server: Agents) -> None:
    async with deciding(server, ConflictDecisions()) as (app, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await word(pilot, "Be swift with callers.")
        await sees(pilot, "Conflict 2 of 2", "1 undecided")
        await closed_and_opened(app, pilot)
        await sees(pilot, "1 conflict to decide", "Conflict 2 of 2")
        await pilot.press("o")
        await sees(pilot, "y update")
        await closed_and_opened(app, pilot)
        await written(pilot, server, WORDED)


async def test_what_was_written_is_no_conflict_and_what_others_write_or_a_restore_is_merged_anew(
    server: Agents,
) -> None:
    async with deciding(server, ConflictDecisions()) as (app, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await word(pilot, "Be swift with callers.")
        await sees(pilot, "Conflict 2 of 2")
        await pilot.press("o")
        await written(pilot, server, WORDED)
        await closed_and_opened(app, pilot)
        await sees(pilot, "Nothing to update", "R restore", gone="conflict")
        server.write_elsewhere(CLINIC, WORDED.replace("swift", "slow"))
        await pilot.press("r")
        await sees(pilot, "to decide", "Be slow with callers.")
        server.write_elsewhere(CLINIC, WORDED)
        await pilot.press("r")
        await sees(pilot, "Nothing to update", gone="conflict")
        await pilot.press("R")
        await sees(pilot, "y yes")
        await pilot.press("y")
        await reads(pilot, "Restored the former prompt")
        assert server.prompt_of(CLINIC) == THEIRS
        await closed_and_opened(app, pilot)
        await sees(pilot, "c conflicts")
        await written(pilot, server, WORDED)


async def test_that_conflicts_must_be_decided_is_said_until_they_are(server: Agents) -> None:
    async with deciding(server) as (_, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await pilot.press("enter")
        await reads(pilot, TO_DECIDE)
        await pilot.press("o")
        await sees(pilot, "Conflict 2 of 2", TO_DECIDE)
        await pilot.press("s")
        await sees(pilot, "y update", gone=TO_DECIDE)
        server.write_elsewhere(CLINIC, THEIRS + "\nMore.\n")
        await pilot.press("y")
        await reads(pilot, "changed a moment ago, so nothing was written")
        await sees(pilot, "c conflicts")
        await pilot.press("c")
        await sees(pilot, "Conflict 2 of 2")
        await pilot.press("N", "s")
        await sees(pilot, "y update", "changed a moment ago")  # nor is that taken away


async def test_that_nothing_can_be_kept_is_told_once_and_what_was_typed_stays_in_the_window(server: Agents) -> None:
    async def query_only(session: Any, state: str) -> None:
        session.store.database.read(f"PRAGMA query_only = {state}")

    async with deciding(server) as (app, pilot):
        await sees(pilot, "Conflict 1 of 2")
        await typing(pilot, "Be brief")
        await app.state.workspace.call(lambda session: query_only(session, "ON"))
        for text in ("One", "Two"):
            pilot.app.screen.query_one(TextArea).load_text(text)
            await eventually(lambda text=text: text in kept_in(pilot), f"a try to keep {text}")
        await sees(pilot, "Your text is not saved yet.")
        await pilot.press("escape")
        await sees(pilot, "Conflict 1 of 2")
        assert len([one for one in app._notifications if "not saved yet" in one.message]) == 1
        await app.state.workspace.call(lambda session: query_only(session, "OFF"))
        await typing(pilot, "Two")
        await pilot.press("escape")
        await on_disk(server, "Two")


def kept_in(pilot: Pilot[None]) -> list[str | None]:
    """What the dialog below the box has of what was typed."""
    dialog: Any = next(one for one in pilot.app.screen_stack if isinstance(one, UpdatePromptDialog))
    decisions = dialog.resolver.decisions
    return [decisions.kept(decisions.spot(number)) for number in (1, 2)]


@pytest.mark.long
async def test_on_the_page_of_the_suggestion_all_of_it_outlives_the_dialog(server: Agents) -> None:
    async with opened(server.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("2")
        await sees(pilot, "succeeded")
        await pilot.press("enter")
        await sees(pilot, "Suggestion of job 1", "Changes · 1 of 2")
        await pilot.press("A")
        await sees(pilot, "✓2")
        await pilot.press("p")
        await sees(pilot, "Conflict 1 of 2")
        await word(pilot, "Be swift with callers.")
        await sees(pilot, "Conflict 2 of 2")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1")
        await pilot.press("p")
        await sees(pilot, "Conflict 2 of 2", "1 undecided")
        await pilot.press("o")
        await written(pilot, server, WORDED)
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1")
        await pilot.press("p")
        await sees(pilot, "Nothing to update", gone="conflict")
        await pilot.press("escape", "escape")
        await sees(pilot, "succeeded", gone="Suggestion of job 1")
        await pilot.press("enter")
        await sees(pilot, "Suggestion of job 1", "✓2")
        await pilot.press("p")
        await sees(pilot, "Nothing to update", gone="conflict")
