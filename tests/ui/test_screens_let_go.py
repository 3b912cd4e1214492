"""Screens that were left are let go: a program that stays open for days holds no more of them than it shows."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from app_on_a_server import WIDE, Served, on_run
from painted_app import painted
from suggestion_screens import suggestion
from textual.pilot import Pilot
from textual.strip import Strip
from watching import sees

from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.run.screen import RunScreen
from cekura_tui.ui.suggestion.screen import SuggestionScreen
from cekura_tui.workspace.workspace import Workspace


def alive(kind: type[Any]) -> int:
    """How many of these there are, once garbage is gone."""
    gc.unfreeze()
    gc.collect()
    return sum(type(one) is kind for one in gc.get_objects())


async def visit(pilot: Pilot[Any], shown: str, times: int) -> None:
    """Open what the cursor is on, and come back, so many times."""
    for _ in range(times):
        before = pilot.app.screen
        await pilot.press("enter")
        await sees(pilot, shown)
        await pilot.press("escape")
        while pilot.app.screen is not before:
            await pilot.pause()
        await pilot.pause()


@pytest.mark.parametrize("kind", [RunScreen, SuggestionScreen])
async def test_a_screen_that_was_left_is_gone_with_all_that_was_drawn_on_it(served: Served, kind: type[Any]) -> None:
    workspace = Workspace(served.setup())
    async with painted(CekuraApp(workspace, live=False), WIDE) as pilot:
        await on_run(pilot, 900238)
        if kind is SuggestionScreen:
            await suggestion(pilot)
            await pilot.press("2")
            await sees(pilot, "1 job")
        shown = "Changes" if kind is SuggestionScreen else "Verdicts ✗"
        await visit(pilot, shown, 4)
        lines = alive(Strip)
        await visit(pilot, shown, 6)
        assert alive(kind) <= 3  # the last ones may still be taken apart
        assert alive(Strip) < 1.5 * lines
    await asyncio.to_thread(workspace.close)
