"""Tests of a prompt: the dialog that launches one, and its page of scenarios before and after."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from app_on_a_server import Served, on_run, opened
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.ui.test.dialog import LaunchTestDialog
from cekura_tui.workspace.scenario_tests import ScenarioTests

PASSED, FAILED = 900239, 900238
CALLS = "/test_framework/v1/scenarios/run_scenarios/"


@pytest.fixture
def own(misbehaving: Callable[[str], Served]) -> Served:
    """A server of its own, because launched calls stay in the list of runs."""
    return misbehaving("")


async def dialog(pilot: Pilot[None], run_id: int = FAILED) -> None:
    """Open the dialog for a failed run, of an agent whose prompt the user must publish at its provider."""
    await on_run(pilot, run_id)
    await pilot.press("T")
    await sees(pilot, "Test the prompt of Riverside Clinic", "Repeat prescription for a parent")


async def test_launch_needs_an_answer_and_shows_before_and_after(own: Served) -> None:
    async with opened(own.setup()) as pilot:
        await on_run(pilot, PASSED)
        await pilot.press("space", "space")  # each goes to the next run
        await dialog(pilot, PASSED - 2)
        personality = "now called by Hard of hearing, before by On a noisy"
        await sees(pilot, "4 calls · about", "[ ] Chest pain", personality)
        await pilot.press("space")
        await sees(pilot, "8 calls · about")
        await pilot.press("ctrl+g")
        await sees(pilot, "Nothing was sent. Publish the prompt at Vapi, or choose to test anyway.")
        await pilot.press("tab", "tab", "j", "space", "ctrl+g")
        assert not own.requests_to(CALLS, "POST")
        await pilot.press("k", "space", "ctrl+g")
        await sees(pilot, "The prompt was published at Vapi", "Same agent version before and after", gone="to come")
        assert len(own.requests_to(CALLS, "POST")) == 1
        await pilot.press("slash", *"chest", "enter")
        await sees(pilot, "Not comparable: personality: On a noisy street → Hard of hearing", gone="Repeat pres")
        await pilot.press("slash", "escape", "g", "enter")
        await sees(pilot, "◀ Run 900239")
        await pilot.press("right_square_bracket")
        await sees(pilot, "◀ Run 900238")
        await pilot.press("escape", "y")
        await sees(pilot, "comparison as Markdown", "save the comparison as JSON")
        await pilot.press("escape", "equals_sign")
        await sees(pilot, "Compare call", "✗ 900238")


async def test_many_calls_need_their_number_and_a_refusal_keeps_the_choice(
    own: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise CekuraTuiError("No credits left.", "Buy more.", title="Refused")

    monkeypatch.setattr(ScenarioTests, "launch", refuse)
    async with opened(own.setup()) as pilot:
        await dialog(pilot)
        await pilot.press("tab", "tab", "space", "tab", "end", "0")
        await sees(pilot, "40 calls")
        await pilot.press("ctrl+g")
        await sees(pilot, "Type 40 and press ctrl+g to launch 40 calls.")
        await pilot.press("4", "x", "0", "ctrl+g")
        await sees(pilot, "Refused: No credits left. Buy more.")
        assert pilot.app.screen.query_one("#test-times", Input).value == "40"
        await pilot.press("escape")
        await eventually(lambda: not isinstance(pilot.app.screen, LaunchTestDialog), "the dialog is closed")


async def test_a_read_only_session_loads_no_plan(served: Served) -> None:
    async with opened(served.setup(read_only=True)) as pilot:
        await on_run(pilot, FAILED)
        served.log.clear()
        await pilot.press("T")
        await sees(pilot, "Read-only session: nothing is launched.")
        assert not [entry for entry in served.log if "scenarios" in str(entry["path"])]
