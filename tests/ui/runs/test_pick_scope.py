"""Picking what to list runs of: everything a key sees is found by typing, and the cursor goes where keys send it."""

from __future__ import annotations

import threading

import pytest
from app_on_a_server import Served, setup_of
from hostile import EVIL, SHOWN
from one_dialog import answer, asked, burst
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


# The embedded workspace


async def test_every_project_and_agent_of_the_workspace_is_listed_and_one_is_picked(served: Served) -> None:
    now = Scope("project", 4021, "Front desks")
    async with asked(served.setup(), picker(DEMO, now)) as (app, pilot):
        await sees(pilot, "● Front desks", "    Harbour Bank, card line", "1204", "    Northgrid, outage line")
        await read(pilot)
        assert listed(app) == [4021, 1201, 1202, 1203, 1204, 4022, 1205, 1206]
        assert scopes(app).cursor_key == ("project", 4021)
        assert await answer(app, pilot, "down", "down", "enter") == Scope("agent", 1202, "Forno Nove, orders")
        app.ask()
        await read(pilot)
        assert await answer(app, pilot, "escape") is None
        app.ask()
        await read(pilot)
        assert await answer(app, pilot, "enter") == now, "enter alone changes nothing"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("meridian", Scope("agent", 1203, "Meridian Air, rebooking")),
        ("LINE bank", Scope("agent", 1204, "Harbour Bank, card line")),
        ("1206", Scope("agent", 1206, "Northgrid, outage line")),
        ("grid outage", Scope("agent", 1206, "Northgrid, outage line")),
        ("hospitality", Scope("project", 4022, "Hospitality and grid")),
        ("hospitality belv", Scope("agent", 1205, "Hotel Belvedere, concierge")),
        ("4022", Scope("project", 4022, "Hospitality and grid")),
    ],
)
async def test_what_is_typed_finds_projects_and_agents_by_name_and_number(
    served: Served, typed: str, found: Scope
) -> None:
    async with asked(served.setup(), picker(DEMO)) as (app, pilot):
        await read(pilot)
        await pilot.press(*typed)
        await eventually(lambda: scopes(app).cursor_key == (found.kind, found.id), f"the cursor on {found}")
        assert await answer(app, pilot, "enter") == found


async def test_what_fits_nothing_is_said_and_enter_picks_nothing(served: Served) -> None:
    async with asked(served.setup(), picker(DEMO)) as (app, pilot):
        await read(pilot)
        await pilot.press(*"zeppelin", "enter")
        await sees(pilot, "No matching project or agent.")
        assert app.answers == []
        await pilot.press("ctrl+u")
        await sees(pilot, "Front desks", gone="fits.")
        assert await answer(app, pilot, "enter") == Scope("project", 4021, "Front desks")


async def test_enter_pressed_twice_in_haste_picks_once(served: Served) -> None:
    async with asked(served.setup(), picker(DEMO)) as (app, pilot):
        await read(pilot)
        burst(app, "enter", "enter")
        await eventually(lambda: app.answers, "an answer")
        await still(pilot)
        assert app.answers == [Scope("project", 4021, "Front desks")]


async def test_a_double_click_picks(served: Served) -> None:
    async with asked(served.setup(), picker(DEMO)) as (app, pilot):
        await read(pilot)
        await pilot.click(ScopeList, offset=(6, 2), times=2)
        await eventually(lambda: app.answers, "an answer")
        assert app.answers == [Scope("agent", 1202, "Forno Nove, orders")]


# While answers come


async def test_the_cursor_stays_where_keys_put_it_while_agents_come_above_it(
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


async def test_what_is_typed_before_any_answer_is_picked_when_it_has_come(
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


# What goes wrong


async def test_where_the_agents_of_one_project_cannot_be_read_the_others_are_there(
    setup: Setup, scripted: ScriptedServer
) -> None:
    pages, broken = pages_of(TWO_EACH), {"2"}

    def mostly(got: Got) -> Reply:
        return Reply({"detail": "Odd."}, 400) if got.query.get("project_id") in broken else pages(got)

    scripted.on("GET", AGENTS, mostly)
    async with asked(setup, picker(FEW)) as (app, pilot):
        await sees(pilot, "Can't load agents:", "Odd.", "Agent 12", "Agent 32", "Bank")
        assert listed(app) == [1, 11, 12, 2, 3, 31, 32]
        broken.clear()
        await pilot.press(*"agent 22")
        await sees(pilot, "    Agent 22", gone="could not be read")
        assert await answer(app, pilot, "enter") == Scope("agent", 22, "Agent 22")


async def test_a_project_can_be_picked_where_no_agent_can_be_read(scripted: ScriptedServer) -> None:
    async with asked(setup_of(scripted.url, "key", 1), picker(FEW), size=(60, 15)) as (app, pilot):
        await sees(pilot, "Can't load agents", "Clinic", "esc cancel")
        assert await answer(app, pilot, *"ban", "enter") == Scope("project", 2, "Bank")


async def test_a_key_that_sees_nothing_is_told_so(setup: Setup) -> None:
    async with asked(setup, picker(())) as (app, pilot):
        await sees(pilot, "This API key has no project.")
        assert await answer(app, pilot, "enter", "escape") is None


async def test_the_agent_or_result_that_is_listed_now_is_there_whatever_the_server_says(setup: Setup) -> None:
    async with asked(setup, picker(FEW, Scope("agent", 99, "Gone"))) as (app, pilot):
        await sees(pilot, "● ", "Gone")
        await read(pilot)
        assert await answer(app, pilot, "enter") == Scope("agent", 99, "Gone")
    async with asked(setup, picker(FEW, Scope("agent", 22))) as (app, pilot):
        await sees(pilot, "●     Agent 22")
        await read(pilot)
        assert listed(app).count(22) == 1
    async with asked(setup, picker(FEW, Scope("result", 991))) as (app, pilot):
        await sees(pilot, "● result 991")
        await read(pilot)
        assert await answer(app, pilot, "enter") == Scope("result", 991)


async def test_hostile_names_are_shown_as_text(scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENTS, pages_of([agent_of(7, 1, f"A\n{EVIL}"), agent_of(8, 1, "é\u200d👩\u200d🚀 [red]")]))
    async with asked(setup_of(scripted.url, "key", 1), picker([Project(1, EVIL)])) as (app, pilot):
        await sees(pilot, SHOWN[:20], f"A {SHOWN[:20]}", "[red]")
        assert "\x1b" not in screen_text(app)
        assert (await answer(app, pilot, "down", "enter")).id == 7
