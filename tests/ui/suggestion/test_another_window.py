"""Each of two windows shows choices made in the other window, also before an update of the agent's prompt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from agents_on_a_server import CLINIC, Agents, sees_wrapped
from app_on_a_server import Served
from seeded_jobs import stored
from suggestion_screens import chosen, on_suggestion, put_suggestion, screen, texts, workspace
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.text import Prompt
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.workspace.suggestions import StagingService

YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


async def choose_elsewhere(pilot: Pilot[None], made: Mapping[int, HunkChoice]) -> None:
    """Save the choices `made` as another window would."""
    setup = workspace(pilot).setup
    with stored(setup, setup.key.text) as store:
        await StagingService(store).choose(1, screen(pilot).staging.opened.diff, made)


async def test_change_by_another_window_is_reported_and_saved(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "improved-prompt-1.md"
    async with on_suggestion(put_suggestion(served)) as pilot:
        await pilot.press("a", "y")
        await sees(pilot, "Copy or save the prompt")
        await choose_elsewhere(pilot, {2: YES})
        await sees(pilot, "Another window or command changed the staged prompt.")
        await pilot.press("enter")
        await sees(pilot, "Saved to", gone="Copy or save the prompt")
        _, staged = await texts(pilot)
        assert (tmp_path / name).read_bytes() == staged.encode()


@pytest.mark.long
async def test_change_by_another_window_is_shown_before_the_agent_is_updated(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    server.job(CLINIC, sent, f"Rule nought.\n\n{sent}\n\nThe last rule.\n")
    async with on_suggestion(server.setup()) as pilot:
        await pilot.press("a")
        await chosen(pilot, YES)
        await pilot.press("W")
        await sees(pilot, "+2 words", "! Leaves out 1 undecided change.", "ctrl+g update")
        await choose_elsewhere(pilot, {2: YES})
        now = f"words · {len(sent.split())} words now"  # the headline behind the dialog also has counts
        await sees_wrapped(pilot, "Another window or command changed the staged prompt.", f"+5 {now}", "ctrl+g update")
        assert "Leaves out" not in screen_text(pilot.app)
        await choose_elsewhere(pilot, {1: NO})
        await sees_wrapped(pilot, "Another window or command changed the staged prompt.", f"+3 {now}", "ctrl+g update")
        assert server.prompt_of(CLINIC) == sent
        await pilot.press("ctrl+g")
        await eventually(lambda: server.prompt_of(CLINIC) != sent, "it is written")
        _, staged = await texts(pilot)
        assert server.prompt_of(CLINIC) == staged == Prompt(f"{sent}\n\nThe last rule.\n")
