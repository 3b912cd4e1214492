"""Keys pressed right after a key that opens a dialog do not reach the page below. `1` goes to the run list."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from agents_on_a_server import CLINIC
from app_on_a_server import Served, opened
from saved_suggestion import RUN, opened_suggestion
from scripted_server import Hold, Reply, ScriptedServer
from seeded_jobs import SeededJobs, on_job
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.actions import NOT_OFFERED, Action, table_of
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.ui.messages import OpenPromptHistory
from cekura_tui.workspace.setup import Setup

EVERYWHERE = {"app.keys", "app.palette", "app.command-line", "app.profile", "app.search-runs"}
ELSEWHERE = {"app.quit", "app.runs", "app.jobs", "jobs.top"}
"""Actions that leave a page, as esc does."""


async def openers(pilot: Pilot[None]) -> set[str]:
    """For each action of the top page, press its key and then q; return the actions that open dialogs. The q must reach
    the dialog and not quit the program."""
    app: Any = pilot.app
    depth, found = len(app.screen_stack), set()
    app.action_quit = left = AsyncMock()
    app.push_screen = pushed = Mock(side_effect=app.push_screen)

    def shown() -> bool:
        return any(call.args[0].is_modal for call in pushed.call_args_list)

    nodes: tuple[Any, Any] = (app.screen, app)
    actions: list[tuple[Any, Action]] = [(node, one) for node in nodes for one in table_of(type(node)).values()]
    for node, action in actions:
        key = action.keys.partition(",")[0]
        if not key or key == "escape" or action.id in ELSEWHERE or action.why_not(node) == NOT_OFFERED:
            continue
        left.reset_mock()
        pushed.reset_mock()
        app.simulate_key(key)
        app.simulate_key("q")
        await eventually(lambda: left.called or shown() or isinstance(app.focused, Input), f"{action.id} or q")
        await still(pilot)
        if shown():
            found.add(action.id)
            assert not left.called, f"{action.id} let q through"
        while app.screen.is_modal:
            await pilot.press("escape")
            await still(pilot)
            if isinstance(app.screen, ConfirmDialog):  # asks whether to discard the q
                await pilot.press("ctrl+g")
                await still(pilot)
        if isinstance(app.focused, Input):
            await pilot.press("escape")
        while len(app.screen_stack) > depth:
            app.pop_screen()
        await still(pilot)
    return found


@pytest.mark.long
async def test_q_right_after_a_key_that_opens_a_dialog_does_not_quit_the_run_list(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "as of")
        runs = {"note", "improve", "views", "hand-off", "scope", "export", "columns", "test"}
        assert await openers(pilot) == {*EVERYWHERE, *(f"runs.{name}" for name in runs)}


@pytest.mark.long
async def test_q_right_after_a_key_that_opens_a_dialog_does_not_quit_a_run(served: Served) -> None:
    async with opened(served.setup(), run_id=RUN) as pilot:
        await sees(pilot, f"Run {RUN}", "Verdicts")
        assert await openers(pilot) == {*EVERYWHERE, "run.note", "run.improve", "run.hand-off", "run.test"}


@pytest.mark.long
async def test_q_right_after_a_key_that_opens_a_dialog_does_not_quit_a_job(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_job(pilot, 1)
        for _ in ("on its page", "in the list"):
            assert await openers(pilot) == {*EVERYWHERE, "job.again", "job.forget", "job.copy"}
            await pilot.press("escape")
            await still(pilot)


@pytest.mark.long
async def test_q_right_after_a_key_that_opens_a_dialog_does_not_quit_a_suggestion(served: Served) -> None:
    async with opened_suggestion(served) as pilot:
        own = {"edit", "hand-off", "put-on-agent", "test", "try-again"}
        assert await openers(pilot) == {*EVERYWHERE, *(f"suggestion.{name}" for name in own)}
        pilot.app.router.answer(OpenPromptHistory(CLINIC, "Clinic"))  # type: ignore[attr-defined]
        await sees(pilot, "Prompts of", "» current")
        assert await openers(pilot) == {*EVERYWHERE, "prompts.hand-off", "prompts.forget"}


async def test_keys_do_nothing_while_a_dialog_loads_and_esc_cancels_the_loading(
    scripted: ScriptedServer, quiet: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Hold(Reply([{"id": 1, "name": "Front desks"}]))
    scripted.on("GET", "/user/v1/projects/", slow)
    monkeypatch.setattr("cekura_tui.ui.kit.keys_in_order.LOADING_PATIENCE", 0.05)
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.")
        for key in "pq":
            pilot.app.simulate_key(key)
        await sees(pilot, "Loading projects …", "esc cancel")
        await pilot.press("q", "q", "escape")
        await sees(pilot, "No runs here yet.", gone="Loading projects")
        await pilot.press("p")
        await sees(pilot, "Loading projects …")
        slow.released.set()
        await sees(pilot, "List runs of", gone="Loading projects")
        await pilot.press("escape")
        await sees(pilot, "No runs here yet.", gone="List runs of")
        assert len(pilot.app.screen_stack) == 1


async def test_1_goes_to_the_run_list_from_the_jobs_or_a_comparison_or_the_groups(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "as of")
        for keys in (["enter", "2"], ["enter", "="], ["b"]):
            await pilot.press(*keys)
            await still(pilot)
            await pilot.press("1")
            await sees(pilot, "240 runs", "enter Open", "b Groups")
            assert (pilot.app.current_mode, len(pilot.app.screen_stack)) == ("runs", 1)
