"""Picking among 300 projects and 1,600 agents: each is found with few requests."""

from __future__ import annotations

import threading

import pytest
from app_on_a_server import setup_of
from one_dialog import answer, asked
from scopes_to_pick import AGENTS, CROWD, TEAMS, listed, pages_of, picker, read, scopes
from scripted_server import Got, Reply, ScriptedServer
from textual.events import Key
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.model.scope import Scope
from cekura_tui.ui.runs import scope_picker
from cekura_tui.ui.runs.scope_picker import AT_ONCE, PickScopeDialog
from cekura_tui.workspace.setup import Setup


@pytest.fixture
def crowded(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """300 projects and 1,600 agents, of which 400 of one project are listed."""
    monkeypatch.setattr(scope_picker, "PAGES", 4)
    scripted.on("GET", AGENTS, pages_of(CROWD))
    return setup_of(scripted.url, "key", 1)


async def test_of_300_projects_only_the_agents_of_the_current_one_are_loaded(
    crowded: Setup, scripted: ScriptedServer
) -> None:
    async with asked(crowded, picker(TEAMS, Scope("project", 2, "Team 002"))) as (app, pilot):
        await sees(pilot, "● Team 002", "Type to find agents of other projects.")
        assert {got.query["project_id"] for got in scripted.requests("GET", AGENTS)} == {"2"}
        assert len(scopes(app).rows) == 300 + sum(agent["project"] == 2 for agent in CROWD)
        assert await answer(app, pilot, "pagedown", "pagedown", "pageup", "enter") is not None


async def test_of_a_project_with_hundreds_of_agents_many_are_listed_and_all_are_found(
    crowded: Setup, scripted: ScriptedServer
) -> None:
    async with asked(crowded, picker(TEAMS, Scope("project", 1, "Team 001"))) as (app, pilot):
        await sees(pilot, "Some agents of Team 001 are not listed. Type to find them.")
        assert len(scripted.requests("GET", AGENTS)) == scope_picker.PAGES
        assert scopes(app).cursor_key == ("project", 1)
        assert ("agent", 1790) not in {row.key for row in scopes(app).rows}
        await pilot.press(*"line 1790")
        await sees(pilot, "    Line 1790")
        assert await answer(app, pilot, "enter") == Scope("agent", 1790, "Line 1790")


async def test_typed_words_find_agents_in_any_of_300_projects(crowded: Setup) -> None:
    async with asked(crowded, picker(TEAMS)) as (app, pilot):
        line = app.screen.query_one(Input)
        line.value = "team 217"
        own = {agent["id"] for agent in CROWD if agent["project"] == 217}
        await eventually(lambda: own <= set(listed(app)), "the agents of a project that was typed")
        await read(pilot)
        assert scopes(app).cursor_key == ("project", 217)
        line.value = "1234 line"
        await sees(pilot, "    Line 1234")
        line.value = "6 345 line"
        await sees(pilot, "No match yet. Type more of the name.", gone="    Line")
        line.value = "desk 5721"
        await sees(pilot, "    Desk 5721", f"Team {2 + 5721 % 299:03}")
        await read(pilot)
        assert listed(app) == [2 + 5721 % 299, 5721]
        assert scopes(app).cursor_key == ("agent", 5721), "the project is a heading here"
        assert await answer(app, pilot, "enter") == Scope("agent", 5721, "Desk 5721")


async def test_at_most_three_requests_are_in_flight_and_not_one_for_every_key(scripted: ScriptedServer) -> None:
    held, most, lock, pages = 0, 0, threading.Lock(), pages_of(CROWD)
    gate = threading.Event()

    def slow(got: Got) -> Reply:
        nonlocal held, most
        with lock:
            held += 1
            most = max(most, held)
        gate.wait(20)
        with lock:
            held -= 1
        return pages(got)

    scripted.on("GET", AGENTS, slow)
    async with asked(setup_of(scripted.url, "key", 1), picker(TEAMS)) as (app, pilot):
        for letter in "team 21":
            app.post_message(Key("space" if letter == " " else letter, letter))
        await eventually(lambda: most == AT_ONCE, "three questions")
        gate.set()
        await read(pilot)
        await eventually(lambda: len(scopes(app).rows) > 10, "agents")
    assert most == AT_ONCE
    assert {got.query["q"] for got in scripted.requests("GET", AGENTS) if "q" in got.query} == {"team 21", "team"}


async def test_closing_the_dialog_while_answers_come_does_no_harm(crowded: Setup) -> None:
    async with asked(crowded, picker(TEAMS, Scope("project", 1, "Team 001"))) as (app, pilot):
        for n in range(4):
            await eventually(lambda: isinstance(app.screen, PickScopeDialog) and app.screen.is_mounted, "it is open")
            await eventually(lambda n=n: len(scopes(app).rows) >= 300 + 100 * n, "some answers")  # type: ignore[misc]
            app.dialog.action_give_up()
            await eventually(lambda n=n: len(app.answers) == n + 1, "it is closed")  # type: ignore[misc]
            app.ask()
        await sees(pilot, "Some agents of Team 001")
        assert app._exception is None
        assert app.answers == [None] * 4


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 50)])
async def test_it_fits_every_terminal_with_its_last_row_in_reach(crowded: Setup, size: tuple[int, int]) -> None:
    async with asked(crowded, picker(TEAMS), size=size) as (app, pilot):
        await sees(pilot, "List runs of", "Team 001", "Type to find agents", "esc cancel")
        await pilot.press(*["pagedown"] * 50)
        await sees(pilot, "Team 300", "esc cancel")
        assert await answer(app, pilot, "enter") == Scope("project", 300, "Team 300")
