"""Short messages: where they lie, so that they hide nothing that one needs to answer or to read them."""

from __future__ import annotations

import pytest
from app_on_a_server import Served, opened
from office import toasts
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button
from textual.widgets._toast import Toast
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
    """Notify at length, and name what the message hides of these."""
    app = pilot.app
    app.screen.notify(LONG, markup=False)
    await sees(pilot, "Marked runs of two agents")
    toasts = list(app.screen.query(Toast))
    await eventually(lambda: all(toast.region for toast in toasts), "the message is laid out")
    assert len(toasts) == 1
    assert toasts[0].region.height <= 2
    hidden = (widget for kind in kinds for widget in app.screen.query(kind))
    return [repr(one) for one in hidden if one.region.overlaps(toasts[0].region)]


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 36)])
async def test_a_message_hides_no_button_and_no_key_of_a_dialog(served: Served, size: tuple[int, int]) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await sees(pilot, "900240")
        pilot.app.push_screen(ConfirmDialog("Launch again?", "The job may run twice.\n" * 4, "Launch again"))
        await sees(pilot, "y yes")
        assert await toasts_over(pilot, Button, KeyHint) == []


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_message_hides_no_run_no_count_no_job_and_no_key(served: Served, size: tuple[int, int]) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await sees(pilot, "900240")
        assert await toasts_over(pilot, KeyFooter, JobsPane, OutcomeBar, RunList) == []


async def test_opening_a_page_drops_what_would_lie_on_its_title_but_no_fresh_warning(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "900240")
        app = pilot.app
        app.state.end_message = "Job 1 failed"  # type: ignore[attr-defined]
        app.notify("A fact")
        app.notify("Old trouble", severity="warning", timeout=60)
        app.notify("Job 1 failed", severity="warning")
        await sees(pilot, "A fact", "Old trouble", "Job 1 failed")
        old = next(one for one in app._notifications if one.message == "Old trouble")
        old.raised_at -= TOAST_READABLE
        app.notify("Fresh trouble", severity="warning")
        await sees(pilot, "Fresh trouble")
        await pilot.press("enter")
        await sees(pilot, "Run 900240", "Fresh trouble", gone="A fact")
        assert toasts(pilot) == ["Fresh trouble"]
        app.notify("Another fact")
        await sees(pilot, "Another fact")
        await pilot.press("2")
        await sees(pilot, "No jobs yet.", gone="Another fact")


async def test_a_dialog_drops_facts_and_no_warning(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "900240")
        pilot.app.notify("A fact")
        pilot.app.notify("Trouble", severity="warning")
        await sees(pilot, "A fact", "Trouble")
        await pilot.press("m")
        await sees(pilot, "Note on run 900240", gone="A fact")
        assert toasts(pilot) == ["Trouble"]
