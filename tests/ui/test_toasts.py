"""Toasts cover nothing that the user needs to read or answer."""

from __future__ import annotations

import pytest
from app_on_a_server import Served, opened
from job_server import toasts
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button
from textual.widgets._toast import Toast, ToastHolder
from waiting import eventually
from watching import sees

from cekura_tui.ui.jobs.list import JobsPane
from cekura_tui.ui.kit.dialog import ConfirmDialog, KeyHint
from cekura_tui.ui.kit.footer import KeyFooter
from cekura_tui.ui.kit.page import TOAST_READABLE
from cekura_tui.ui.runs.header import OutcomeBar
from cekura_tui.ui.runs.list import RunList

LONG = "Marked runs of two agents: only runs of one agent can be improved together; unmark some. "


async def toasts_over(pilot: Pilot[None], *kinds: type[Widget]) -> list[str]:
    """Show a long toast, and return the names of the widgets of these kinds that the toast covers."""
    app = pilot.app
    app.screen.notify(LONG, markup=False)
    await sees(pilot, "Marked runs of two agents")
    toast = app.screen.query_one(Toast)
    await eventually(lambda: toast.region, "the message is laid out")
    assert toast.region.height <= 2
    return [repr(one) for kind in kinds for one in app.screen.query(kind) if one.region.overlaps(toast.region)]


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 36)])
async def test_a_toast_covers_no_list_or_outcome_bar_or_pane_or_button_or_key(
    served: Served, size: tuple[int, int]
) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await sees(pilot, "900240")
        if size != (60, 15):  # where it would cover a row of any list
            assert await toasts_over(pilot, KeyFooter, JobsPane, OutcomeBar, RunList) == []
        pilot.app.clear_notifications()
        pilot.app.push_screen(ConfirmDialog("Launch again?", "The job may run twice.\n" * 4, "Launch again"))
        await sees(pilot, "ctrl+g launch again", gone="Marked runs of two agents")
        assert await toasts_over(pilot, Button, KeyHint) == []


async def test_opening_a_screen_drops_toasts_except_fresh_warnings(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "900240")
        app = pilot.app
        app.notify("A fact")
        app.notify("Trouble", severity="warning")
        await sees(pilot, "A fact", "Trouble")
        await pilot.press("m")
        await sees(pilot, "Note on run 900240", gone="A fact")
        assert toasts(pilot) == ["Trouble"]
        await pilot.press("escape")
        app.clear_notifications()
        app.state.end_message = "Job 1 failed"  # type: ignore[attr-defined]
        app.notify("Another fact")
        app.notify("Old trouble", severity="warning", timeout=60)
        app.notify("Job 1 failed", severity="warning")
        await sees(pilot, "Another fact", "Old trouble", "Job 1 failed")
        old = next(one for one in app._notifications if one.message == "Old trouble")
        old.raised_at -= TOAST_READABLE
        app.notify("Fresh trouble", severity="warning")
        await sees(pilot, "Fresh trouble")
        await pilot.press("enter")
        await sees(pilot, "Run 900240", "Fresh trouble", gone="Another fact")
        assert toasts(pilot) == ["Fresh trouble"]
        for text in ("The last fact", "Another", "The last fact"):
            app.notify(text)
        await sees(pilot, "The last fact", "Another")
        assert toasts(pilot)[-2:] == ["The last fact", "Another"]
        next(one for one in app._notifications if one.message == "The last fact").timeout = TOAST_READABLE
        app.notify("The last fact")
        await eventually(lambda: toasts(pilot)[-2:] == ["Another", "The last fact"], "one about to end is replaced")
        await pilot.press("2")
        await sees(pilot, "No jobs yet.", gone="The last fact")
        await pilot.press("1")
        await sees(pilot, "240 runs")
        await eventually(lambda: len(app.screen.query(ToastHolder)) == len(toasts(pilot)), "dropped toasts are freed")


async def test_a_toast_is_erased_if_a_widget_was_looked_up_before_the_layout(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        app, screen = pilot.app, pilot.app.screen
        await toasts_over(pilot)
        toast, compositor = screen.query_one(Toast), screen._compositor
        region = toast.region
        compositor._dirty_regions.clear()
        with app.batch_update():
            toast.display = False
            compositor._full_map_invalidated = True  # as after a scroll
            assert toast not in compositor.full_map
            compositor.reflow(screen, screen.size)
            assert any(dirty.contains_region(region) for dirty in compositor._dirty_regions)
