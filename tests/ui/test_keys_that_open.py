"""A key that comes right after one that opens something does not reach the page below; and `1`."""

from __future__ import annotations

from typing import Any

import pytest
from agents_on_a_server import CLINIC
from app_on_a_server import Served, opened, setup_of
from kept_jobs import SeededJobs, on_job
from kept_suggestion import RUN, opened_suggestion
from scripted_server import Hold, Reply, ScriptedServer, run_of, serve_runs
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.actions import NOT_OFFERED, Action, table_of
from cekura_tui.ui.messages import OpenPromptHistory
from cekura_tui.workspace.setup import Setup

PROJECTS = "/user/v1/projects/"
EVERYWHERE = {"app.keys", "app.palette", "app.command-line", "app.profile", "app.search-runs"}
ELSEWHERE = {"app.quit", "app.runs", "app.jobs", "jobs.top"}
"""Actions that lead away from a page, as esc does."""


async def openers(pilot: Pilot[None]) -> set[str]:
    """Press the key of each action of the page on top, and q with it: the actions that open dialogs, where that q must
    not leave the program."""
    app, page, left, shown = pilot.app, pilot.app.screen, [], []  # type: ignore[var-annotated]
    depth, found = len(app.screen_stack), set()

    async def leave() -> None:
        left.append(True)

    app.action_quit = leave  # type: ignore[method-assign]
    push = app.push_screen

    def record(screen: Any, *args: Any, **options: Any) -> Any:
        shown.extend([screen] * screen.is_modal)
        return push(screen, *args, **options)

    app.push_screen = record  # type: ignore[method-assign]
    nodes: tuple[Any, Any] = (page, app)
    actions: list[tuple[Any, Action]] = [(node, one) for node in nodes for one in table_of(type(node)).values()]
    for node, action in actions:
        key = action.keys.partition(",")[0]
        if not key or key == "escape" or action.id in ELSEWHERE or action.why_not(node) == NOT_OFFERED:
            continue
        left.clear()
        shown.clear()
        app.simulate_key(key)
        app.simulate_key("q")
        await eventually(lambda: left or shown or isinstance(app.focused, Input), f"{action.id} or q")
        await still(pilot)
        if shown:
            found.add(action.id)
            assert not left, f"{action.id} let q through"
        while app.screen.is_modal:
            await pilot.press("escape")
            await still(pilot)
        if isinstance(app.focused, Input):
            await pilot.press("escape")
        while len(app.screen_stack) > depth:
            app.pop_screen()
        await still(pilot)
    return found


@pytest.mark.long
async def test_keys_right_after_one_that_opens_a_dialog_in_the_list_of_runs(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "as of")
        runs = {"note", "improve", "views", "hand-off", "scope", "export", "columns"}
        assert await openers(pilot) == {*EVERYWHERE, *(f"runs.{name}" for name in runs)}


@pytest.mark.long
async def test_keys_right_after_one_that_opens_a_dialog_in_a_run(served: Served) -> None:
    async with opened(served.setup(), run_id=RUN) as pilot:
        await sees(pilot, f"Run {RUN}", "Verdicts")
        assert await openers(pilot) == {*EVERYWHERE, "run.improve", "run.hand-off"}


@pytest.mark.long
async def test_keys_right_after_one_that_opens_a_dialog_at_a_job(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_job(pilot, 1)
        assert await openers(pilot) == {*EVERYWHERE, "job.again", "job.forget", "job.copy"}
        await pilot.press("escape")
        await still(pilot)
        assert await openers(pilot) == {*EVERYWHERE, "job.again", "job.forget", "job.copy"}


@pytest.mark.long
async def test_keys_right_after_one_that_opens_a_dialog_in_a_suggestion_and_a_history(served: Served) -> None:
    async with opened_suggestion(served) as pilot:
        own = {"edit", "hand-off", "put-on-agent", "try-again"}
        assert await openers(pilot) == {*EVERYWHERE, *(f"suggestion.{name}" for name in own)}
        pilot.app.answer(OpenPromptHistory(CLINIC, "Clinic"))  # type: ignore[attr-defined]
        await sees(pilot, "Prompts of", "» current")
        assert await openers(pilot) == {*EVERYWHERE, "prompts.hand-off", "prompts.forget"}


@pytest.fixture
def slow(scripted: ScriptedServer) -> Hold:
    """A server that is slow to list the projects."""
    scripted.on("GET", "/test_framework/v1/runs/", Reply({"count": 1, "results": [run_of(5)]}))
    serve_runs(scripted, run_of(5))
    hold = Hold(Reply([{"id": 1, "name": "Front desks"}]))
    scripted.on("GET", PROJECTS, hold)
    return hold


async def test_a_slow_dialog_takes_the_keys_meanwhile_and_can_be_cancelled(
    scripted: ScriptedServer, slow: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cekura_tui.ui.kit.keys_in_order.PATIENCE", 0.05)
    async with opened(setup_of(scripted.url, "key", 1)) as pilot:
        await sees(pilot, "1 run ", "as of")
        for key in "pq":
            pilot.app.simulate_key(key)
        await sees(pilot, "Loading projects …", "esc cancel")
        await pilot.press("q", "q", "escape")
        await sees(pilot, "1 run ", gone="Loading projects")
        await pilot.press("p")
        await sees(pilot, "Loading projects …")
        slow.released.set()
        await sees(pilot, "List runs of", gone="Loading projects")
        await pilot.press("escape")
        await sees(pilot, "1 run ", gone="List runs of")
        assert len(pilot.app.screen_stack) == 1


async def test_1_goes_to_the_list_of_runs_from_every_screen(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "as of")
        for keys in (["enter", "2"], ["enter", "="], ["b"]):
            await pilot.press(*keys)
            await still(pilot)
            await pilot.press("1")
            await sees(pilot, "240 runs", "enter Open", "b Groups")
            assert (pilot.app.current_mode, len(pilot.app.screen_stack)) == ("runs", 1)
