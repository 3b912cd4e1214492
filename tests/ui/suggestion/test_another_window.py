"""Two windows on one suggestion: each shows what the other chooses, and neither hands over or undoes it unseen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from agents_on_a_server import CLINIC, Agents, reads
from app_on_a_server import Served, no_crash
from suggestion_screens import add, chosen, chosen_edited, on_suggestion, put_suggestion, screen, texts
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.text import Prompt
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace

YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


@dataclass
class OtherWindow:
    """Another window on the same suggestion, without its screen."""

    workspace: Workspace
    diff: ProseDiff

    async def choose(self, made: Mapping[int, HunkChoice]) -> None:
        await self.workspace.call(lambda session: session.staging.choose(1, self.diff, made))

    async def undo(self) -> None:
        await self.workspace.call(lambda session: session.staging.undo(1, self.diff))


@asynccontextmanager
async def another(setup: Setup, pilot: Pilot[None]) -> AsyncIterator[OtherWindow]:
    workspace = Workspace(setup)
    workspace.start(lambda: None)
    try:
        yield OtherWindow(workspace, screen(pilot).staging.opened.diff)
    finally:
        await asyncio.to_thread(workspace.close)


@pytest.mark.long
async def test_what_another_window_chooses_is_shown_without_a_key_and_u_leaves_it_alone(served: Served) -> None:
    async with on_suggestion(put_suggestion(served)) as pilot, another(served.setup(), pilot) as other:
        await pilot.press("a")
        await chosen(pilot, YES)
        await other.choose({2: NO})
        await sees(pilot, "In another window, change 2 is now rejected.", "all decided · ✓1 ✗1 ✎0")
        await pilot.press("u")
        await sees(pilot, "Undone: change 1 is undecided.")
        await pilot.press("u")
        await sees(pilot, "Nothing to undo: another window decided change 2 last.")
        await chosen(pilot, None, NO)
        await other.undo()
        await sees(pilot, "In another window, change 2 is now undecided.")
        await pilot.press("u")
        await sees(pilot, "Nothing to undo.")


@pytest.mark.long
async def test_words_that_another_window_replaced_are_said_and_are_there_again(served: Served) -> None:
    async with on_suggestion(put_suggestion(served)) as pilot, another(served.setup(), pilot) as other:
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2")
        await add(pilot, " Mine.")
        await pilot.press("ctrl+g")
        mine = screen(pilot).staging.opened.diff.hunks[0].new + " Mine."
        await chosen_edited(pilot, mine)
        await other.choose({1: HunkChoice("edited", "Theirs.")})
        await sees(pilot, "In another window, change 1 is now edited.", "opens it", "Theirs.")
        await pilot.press("N", "e")
        await sees(pilot, "Edit change 1 of 2", "Mine.")
        assert pilot.app.screen.query_one(TextArea).text == mine
        await pilot.press("escape")
        await other.undo()
        await chosen(pilot, HunkChoice("edited", mine))


async def test_what_another_window_changed_is_shown_before_it_is_saved(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "improved-prompt-1.md"
    async with on_suggestion(put_suggestion(served)) as pilot, another(served.setup(), pilot) as other:
        await pilot.press("a", "y")
        await sees(pilot, "Copy or save the prompt")
        await other.choose({2: YES})
        await pilot.press("enter")
        await sees(pilot, "Another window changed the staged prompt", "In another window, change 2 is now accepted.")
        assert not (tmp_path / name).exists()
        await pilot.press("enter")
        await sees(pilot, "Saved to", gone="Copy or save the prompt")
        _, staged = await texts(pilot)
        assert (tmp_path / name).read_bytes() == staged.encode()
        no_crash(pilot)


async def test_what_another_window_changed_is_shown_before_an_agent_gets_it(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    server.job(CLINIC, sent, f"Rule nought.\n\n{sent}\n\nThe last rule.\n")
    setup = server.setup()
    async with on_suggestion(setup) as pilot, another(setup, pilot) as other:
        await pilot.press("a")
        await chosen(pilot, YES)
        await pilot.press("p")
        await sees(pilot, "+2 words", "! Leaves out 1 undecided change.", "y update")
        await other.choose({2: YES})
        now = f"words · {len(sent.split())} words now"  # the headline behind the dialog has counts, too
        await reads(pilot, "Another window changed the staged prompt.", f"+5 {now}", "y update")
        assert "Leaves out" not in screen_text(pilot.app)
        await other.choose({1: NO})
        await reads(pilot, "Another window changed the staged prompt.", f"+3 {now}", "y update")
        assert server.prompt_of(CLINIC) == sent
        await pilot.press("y")
        await eventually(lambda: server.prompt_of(CLINIC) != sent, "it is written")
        _, staged = await texts(pilot)
        assert server.prompt_of(CLINIC) == staged == Prompt(f"{sent}\n\nThe last rule.\n")
