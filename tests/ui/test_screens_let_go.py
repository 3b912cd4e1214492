"""A program that stays open for days holds no more screens than it shows."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from app_on_a_server import WIDE, Served, on_run
from kept_suggestion import RUN, keep_suggestion
from painted_app import painted
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


async def test_a_closed_run_or_suggestion_is_freed_with_all_its_lines(served: Served) -> None:
    keep_suggestion(served)
    workspace = Workspace(served.setup())
    async with painted(CekuraApp(workspace, live=False), WIDE) as pilot:
        await on_run(pilot, RUN)
        for kind, shown in ((RunScreen, "Verdicts ✗"), (SuggestionScreen, "Changes")):
            if kind is SuggestionScreen:
                await pilot.press("2")
                await sees(pilot, "1 job")
            await visit(pilot, shown, 2)
            lines = alive(Strip)
            await visit(pilot, shown, 4)
            assert alive(kind) <= 3, "the last ones may still be taken apart"
            assert alive(Strip) < 1.5 * lines, kind
    await asyncio.to_thread(workspace.close)
