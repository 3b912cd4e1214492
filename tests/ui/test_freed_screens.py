"""A program that stays open for days keeps no closed screens in memory."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from typing import Any

import pytest
from app_on_a_server import WIDE, Served, on_run, opened
from painted_app import painted
from saved_suggestion import RUN, save_suggestion
from textual import events
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget
from waiting import eventually
from watching import sees

from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.kit.keys_in_order import note_focus
from cekura_tui.ui.kit.prompt_box import PromptArea
from cekura_tui.ui.run.screen import RunScreen
from cekura_tui.ui.suggestion.screen import SuggestionScreen
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace


def alive(pilot: Pilot[Any]) -> Counter[type]:
    """Number of live objects of each type, after a garbage collection."""
    # Textual's signals keep their last subscriber alive until they are published again.
    pilot.app.state.jobs_changed.publish(pilot.app.state.jobs)  # type: ignore[attr-defined]
    pilot.app.state.data_changed.publish(None)  # type: ignore[attr-defined]
    gc.unfreeze()
    gc.collect()
    return Counter(map(type, gc.get_objects()))


async def visit(pilot: Pilot[Any], shown: str, times: int) -> None:
    """Open the row under the cursor, wait for `shown` and go back, `times` times."""
    for _ in range(times):
        before = pilot.app.screen
        await pilot.press("enter")
        await sees(pilot, shown)
        await pilot.press("escape")
        while pilot.app.screen is not before:
            await pilot.pause()
        await pilot.pause()


@pytest.mark.long
async def test_a_closed_run_or_suggestion_is_freed_with_all_its_lines(served: Served) -> None:
    save_suggestion(served)
    workspace = Workspace(served.setup())
    async with painted(CekuraApp(workspace, live=False), WIDE) as pilot:
        await on_run(pilot, RUN)
        for kind, shown in ((RunScreen, "Verdicts ✗"), (SuggestionScreen, "Changes")):
            if kind is SuggestionScreen:
                await pilot.press("2")
                await sees(pilot, "1 job")
            await visit(pilot, shown, 1)
            lines = alive(pilot)[Strip]
            await visit(pilot, shown, 3)

            def freed(kind: type = kind, lines: int = lines) -> bool:
                now = alive(pilot)
                return now[kind] <= 3 and now[Strip] < 1.5 * lines

            await eventually(freed, f"{kind.__name__} is freed with its lines")
    await asyncio.to_thread(workspace.close)


@pytest.mark.long
def test_a_key_that_is_still_referenced_does_not_keep_the_focused_widget() -> None:
    key, widget = events.Key("j", "j"), Widget()
    note_focus(key, widget)
    freed = weakref.ref(widget)
    del widget
    gc.collect()
    assert freed() is None


async def test_the_app_does_not_watch_for_a_closed_prompt_box(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, RUN)
        await pilot.press("i")
        await sees(pilot, "Agent's current prompt")
        watchers = getattr(pilot.app, "__watchers")["theme"]
        assert [type(node) for node, _ in watchers] == [PromptArea]
        await pilot.press("escape")
        await eventually(lambda: not watchers, "Textual's watcher is dropped")


async def test_styles_are_kept_neither_for_each_toast_nor_for_removed_widgets(quiet: Setup) -> None:
    async with opened(quiet) as pilot:
        styles: Any = pilot.app.stylesheet
        counts = set()
        for fact in ("One", "Two", "Three"):
            pilot.app.notify(fact)
            await sees(pilot, fact)
            pilot.app.clear_notifications()
            await sees(pilot, gone=fact)
            counts.add(len(styles._style_cache))
        assert len(counts) == 1
        assert not styles._applied_rules
