"""Picking a project or an agent: each is found by typing, and only keys move the cursor."""

from __future__ import annotations

import threading

import pytest
from app_on_a_server import Served, setup_of
from hostile import EVIL, SHOWN
from one_dialog import answer, ask_again, asked, burst
from scopes_to_pick import AGENTS, DEMO, FEW, TWO_EACH, agent_of, listed, pages_of, picker, read, scopes
from scripted_server import Got, Reply, ScriptedServer
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.model.scope import Project, Scope
from cekura_tui.ui.runs.scope_picker import ScopeList
from cekura_tui.workspace.setup import Setup


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    scripted.on("GET", AGENTS, pages_of(TWO_EACH))
    return setup_of(scripted.url, "key", 1)


# The demo workspace


async def test_every_project_and_agent_is_listed_and_picked_by_a_key_or_a_double_click(served: Served) -> None:
    now = Scope("project", 4021, "Front desks")
    async with asked(served.setup(), picker(DEMO, now)) as (app, pilot):
        await sees(pilot, "● Front desks", "    Harbour Bank, card line", "1204", "    Northgrid, outage line")
        await read(pilot)
        assert listed(app) == [4021, 1201, 1202, 1203, 1204, 4022, 1205, 1206]
        assert scopes(app).cursor_key == ("project", 4021)
        orders = Scope("agent", 1202, "Forno Nove, orders")
        assert await answer(app, pilot, "down", "down", "enter") == orders
        for keys, scope in (("escape",), None), (("enter",), now):
            await ask_again(app)
            await read(pilot)
            assert await answer(app, pilot, *keys) == scope
        await ask_again(app)
        await read(pilot)
        await pilot.click(ScopeList, offset=(6, 2), times=2)
        await eventually(lambda: len(app.answers) == 4, "an answer")
        assert app.answers[-1] == orders


async def test_projects_and_agents_are_found_by_parts_of_their_names_and_by_id(served: Served) -> None:
    async with asked(served.setup(), picker(DEMO)) as (app, pilot):
        await read(pilot)
        for typed, kind, number in (
            ("meridian", "agent", 1203),
            ("LINE bank", "agent", 1204),
            ("1206", "agent", 1206),
            ("grid outage", "agent", 1206),
            ("hospitality", "project", 4022),
            ("hospitality belv", "agent", 1205),
            ("4022", "project", 4022),
        ):
            await pilot.press("ctrl+u", *typed)
            await eventually(lambda at=(kind, number): scopes(app).cursor_key == at, f"{typed} finds {number}")
        await pilot.press("ctrl+u", *"zeppelin", "enter")
        await sees(pilot, "No matching project or agent.")
        assert app.answers == []
        await pilot.press("ctrl+u")
        await sees(pilot, "Front desks", gone="No matching")
        assert await answer(app, pilot, *"belv", "enter") == Scope("agent", 1205, "Hotel Belvedere, concierge")


async def test_enter_pressed_twice_in_haste_picks_once(served: Served) -> None:
    async with asked(served.setup(), picker(DEMO)) as (app, pilot):
        await read(pilot)
        burst(app, "enter", "enter")
        await eventually(lambda: app.answers, "an answer")
        await still(pilot)
        assert app.answers == [Scope("project", 4021, "Front desks")]


# While answers come


async def test_the_cursor_stays_on_its_row_while_agents_are_loaded_above_it(
    setup: Setup, scripted: ScriptedServer
) -> None:
    pages = pages_of(TWO_EACH)
    gates = {str(project.id): threading.Event() for project in FEW}

    def late(got: Got) -> Reply:
        gates[got.query["project_id"]].wait(20)
        return pages(got)

    scripted.on("GET", AGENTS, late)
    async with asked(setup, picker(FEW)) as (app, pilot):
        await sees(pilot, "Clinic", "Airline", "Loading agents")
        await pilot.press("down", "down")
        assert scopes(app).cursor_key == ("project", 3)
        gates["1"].set()
        await sees(pilot, "Agent 12", "Loading agents")
        assert scopes(app).cursor_key == ("project", 3)
        await pilot.press("up")
        gates["2"].set()
        await sees(pilot, "Agent 22")
        assert scopes(app).cursor_key == ("project", 2)
        await pilot.press(*"32")
        gates["3"].set()
        await sees(pilot, "Agent 32", gone="Agent 22")
        assert await answer(app, pilot, "enter") == Scope("agent", 32, "Agent 32")


async def test_an_agent_typed_before_any_answer_can_be_picked_once_it_is_loaded(
    setup: Setup, scripted: ScriptedServer
) -> None:
    gate, pages = threading.Event(), pages_of(TWO_EACH)
    scripted.on("GET", AGENTS, lambda got: pages(got) if gate.wait(20) else Reply(b"", 500))
    async with asked(setup, picker(FEW)) as (app, pilot):
        await pilot.press(*"agent 21", "enter")
        await sees(pilot, "Loading agents", gone="Clinic")
        assert app.answers == []
        gate.set()
        await sees(pilot, "Agent 21")
        assert await answer(app, pilot, "enter") == Scope("agent", 21, "Agent 21")


# Errors


async def test_projects_and_other_agents_can_be_picked_while_some_agents_fail_to_load(
    setup: Setup, scripted: ScriptedServer
) -> None:
    pages, broken = pages_of(TWO_EACH), {"2"}

    def mostly(got: Got) -> Reply:
        return Reply({"detail": "Odd."}, 400) if got.query.get("project_id") in broken else pages(got)

    scripted.on("GET", AGENTS, mostly)
    async with asked(setup, picker(FEW)) as (app, pilot):
        await sees(pilot, "Can't load agents:", "Odd.", "Agent 12", "Agent 32", "Bank")
        assert listed(app) == [1, 11, 12, 2, 3, 31, 32]
        assert await answer(app, pilot, *"ban", "enter") == Scope("project", 2, "Bank")
        await ask_again(app)
        await sees(pilot, "Can't load agents:", "Bank")
        broken.clear()
        await pilot.press(*"agent 22")
        await sees(pilot, "    Agent 22", gone="Can't load")
        assert await answer(app, pilot, "enter") == Scope("agent", 22, "Agent 22")


async def test_a_key_without_projects_says_so(setup: Setup) -> None:
    async with asked(setup, picker(())) as (app, pilot):
        await sees(pilot, "This API key has no project.")
        assert await answer(app, pilot, "enter", "escape") is None


async def test_the_current_agent_or_result_is_listed_even_if_the_server_does_not_list_it(setup: Setup) -> None:
    cases = (
        (Scope("agent", 99, "Gone"), "● ", "Gone"),
        (Scope("agent", 22), "●     Agent 22", "Agent 22"),
        (Scope("result", 991), "● result 991", ""),
    )
    dialogs = (picker(FEW, now) for now, _, _ in cases)
    async with asked(setup, lambda state: next(dialogs)(state)) as (app, pilot):
        for now, line, name in cases:
            await sees(pilot, line, name)
            await read(pilot)
            assert listed(app).count(now.id) == 1
            assert await answer(app, pilot, "enter") == Scope(now.kind, now.id, name)
            if now.kind != "result":
                await ask_again(app)


async def test_hostile_names_are_shown_as_text(scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENTS, pages_of([agent_of(7, 1, f"A\n{EVIL}"), agent_of(8, 1, "é\u200d👩\u200d🚀 [red]")]))
    async with asked(setup_of(scripted.url, "key", 1), picker([Project(1, EVIL)])) as (app, pilot):
        await sees(pilot, SHOWN[:20], f"A {SHOWN[:20]}", "[red]")
        assert "\x1b" not in screen_text(app)
        assert (await answer(app, pilot, "down", "enter")).id == 7
