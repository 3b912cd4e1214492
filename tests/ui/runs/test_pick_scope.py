"""The scope picker: every project and agent is found by typing, with few requests, and only keys move the cursor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from app_on_a_server import Served, setup_of
from one_dialog import OneDialog, answer, ask_again, opened_dialog
from scripted_server import Got, Reply, ScriptedServer
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.model.scope import Project, Scope
from cekura_tui.ui.kit.lists import SimpleList
from cekura_tui.ui.runs.scope_picker import PickScopeDialog, ScopeChoice
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup

AGENTS = "/test_framework/v1/aiagents/"
DEMO = (Project(4021, "Front desks"), Project(4022, "Hospitality and grid"))
FEW = (Project(1, "Clinic"), Project(2, "Bank"), Project(3, "Airline"))
TEAMS = tuple(Project(number, f"Team {number:03}") for number in range(1, 301))


def agents_of(*agents: tuple[int, int, str]) -> Callable[[Got], Reply]:
    """A function that replies with a page of these agents (id, project, name). The agents are filtered by the project
    and the text in the name that a request asks for."""

    def page(got: Got) -> Reply:
        found = [
            {"id": number, "agent_name": name, "project": project}
            for number, project, name in agents
            if got.query.get("project_id") in (None, str(project))
            and got.query.get("q", "").casefold() in name.casefold()
        ]
        size, number = int(got.query["page_size"]), int(got.query["page"])
        more = "next" if size * number < len(found) else None
        rows = found[size * (number - 1) : size * number]
        return Reply({"count": len(found), "next": more, "previous": None, "results": rows})

    return page


PAGES = agents_of(*((number, number // 10, f"Agent {number}") for number in (11, 12, 21, 22, 31, 32)))
CROWD = [(n, 1, f"Line {n}") for n in range(1001, 1801)] + [(n, 2 + n % 299, f"Desk {n}") for n in range(5001, 5801)]
"""1,600 agents (id, project, name): half of them in project 1, the others spread over the projects 2 to 300."""


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    scripted.on("GET", AGENTS, PAGES)
    return setup_of(scripted.url, "key", 1)


@pytest.fixture
def crowded(setup: Setup, scripted: ScriptedServer) -> Setup:
    """Settings for a server with the 1,600 agents of `CROWD`."""
    scripted.on("GET", AGENTS, agents_of(*CROWD))
    return setup


def picker(projects: Sequence[Project], current: Scope | None = None) -> Callable[[AppState], PickScopeDialog]:
    return lambda state: PickScopeDialog(state, projects, current)


def scopes(app: OneDialog) -> SimpleList[ScopeChoice]:
    return app.screen.query_one(SimpleList)


def listed(app: OneDialog) -> list[object]:
    return [row.scope.id for row in scopes(app).rows]


async def loaded(pilot: Pilot[None]) -> None:
    """Wait until no request for agents is pending."""
    await sees(pilot, "List runs of", gone="Loading agents")


async def test_every_project_and_agent_is_listed_and_picked_by_a_key_or_a_double_click(served: Served) -> None:
    now, orders = Scope("project", 4021, "Front desks"), Scope("agent", 1202, "Forno Nove, orders")
    async with opened_dialog(served.setup(), picker(DEMO, now)) as (app, pilot):
        await sees(pilot, "● Front desks", "    Harbour Bank, card line", "1204", "    Northgrid, outage line")
        await loaded(pilot)
        assert listed(app) == [4021, 1201, 1202, 1203, 1204, 4022, 1205, 1206]
        assert scopes(app).cursor_key == ("project", 4021)
        for keys, scope in (("down", "down", "enter"), orders), (("escape",), None), (("enter",), now):
            assert await answer(app, pilot, *keys) == scope
            await ask_again(app)
            await loaded(pilot)
        await pilot.click(SimpleList, offset=(6, 2), times=2)
        await eventually(lambda: app.answers[3:] == [orders], "an answer")
        await ask_again(app)
        for typed, key in (
            ("meridian", ("agent", 1203)),
            ("LINE bank", ("agent", 1204)),
            ("1206", ("agent", 1206)),
            ("hospitality", ("project", 4022)),
            ("hospitality belv", ("agent", 1205)),
            ("4022", ("project", 4022)),
        ):
            await pilot.press("ctrl+u", *typed)
            await eventually(lambda key=key: scopes(app).cursor_key == key, f"{typed} finds {key}")  # type: ignore[misc]
        await pilot.press("ctrl+u", *"zeppelin", "enter")
        await sees(pilot, "No matching project or agent.")
        assert len(app.answers) == 4
        await pilot.press("ctrl+u")
        await sees(pilot, "Front desks", gone="No matching")
        assert await answer(app, pilot, *"belv", "enter") == Scope("agent", 1205, "Hotel Belvedere, concierge")


# While answers come


async def test_the_cursor_stays_on_its_row_while_agents_are_loaded_above_it(
    setup: Setup, scripted: ScriptedServer
) -> None:
    gates = {str(project.id): threading.Event() for project in FEW}
    scripted.on("GET", AGENTS, lambda got: PAGES(got) if gates[got.query["project_id"]].wait(20) else Reply(b"", 500))
    async with opened_dialog(setup, picker(FEW)) as (app, pilot):
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
        await pilot.press(*"agent 32", "enter")
        await sees(pilot, "Loading agents", gone="Clinic")
        assert app.answers == [], "it is not known yet"
        gates["3"].set()
        await sees(pilot, "Agent 32", gone="Agent 22")
        assert await answer(app, pilot, "enter") == Scope("agent", 32, "Agent 32")


async def test_projects_and_other_agents_can_be_picked_while_some_agents_fail_to_load(
    setup: Setup, scripted: ScriptedServer
) -> None:
    broken, odd = {"2"}, Reply({"detail": "Odd."}, 400)
    scripted.on("GET", AGENTS, lambda got: odd if got.query.get("project_id") in broken else PAGES(got))
    async with opened_dialog(setup, picker(FEW)) as (app, pilot):
        await sees(pilot, "Can't load agents:", "Odd.", "Agent 12", "Agent 32", "Bank")
        assert listed(app) == [1, 11, 12, 2, 3, 31, 32]
        assert await answer(app, pilot, *"ban", "enter") == Scope("project", 2, "Bank")
        await ask_again(app)
        await sees(pilot, "Can't load agents:", "Bank")
        broken.clear()
        await pilot.press(*"agent 22")
        await sees(pilot, "    Agent 22", gone="Can't load")
        assert await answer(app, pilot, "enter") == Scope("agent", 22, "Agent 22")


@pytest.mark.parametrize(
    ("projects", "now", "line", "picked"),
    [
        ((), None, "This API key has no project.", None),
        (FEW, Scope("agent", 99, "Gone"), "● ", Scope("agent", 99, "Gone")),
        (FEW, Scope("agent", 22), "●     Agent 22", Scope("agent", 22, "Agent 22")),
        (FEW, Scope("result", 991), "● result 991", Scope("result", 991)),
    ],
    ids=["nothing", "not listed", "without a name", "a result"],
)
async def test_the_current_scope_is_listed_even_if_the_server_leaves_the_scope_out(
    setup: Setup, projects: Sequence[Project], now: Scope | None, line: str, picked: Scope | None
) -> None:
    async with opened_dialog(setup, picker(projects, now)) as (app, pilot):
        await sees(pilot, line, gone="Loading agents")
        assert now is None or listed(app).count(now.id) == 1
        assert await answer(app, pilot, "enter", *["escape"] * (now is None)) == picked


# Of 300 projects


@pytest.mark.long
async def test_with_300_projects_only_agents_of_the_current_project_are_loaded(
    crowded: Setup, scripted: ScriptedServer
) -> None:
    dialogs = iter([picker(TEAMS, Scope("project", number, f"Team 00{number}")) for number in (2, 1, 1)])
    async with opened_dialog(crowded, lambda state: next(dialogs)(state)) as (app, pilot):
        await sees(pilot, "● Team 002", "Type to find agents of other projects.")
        assert {got.query["project_id"] for got in scripted.requests("GET", AGENTS)} == {"2"}
        assert len(scopes(app).rows) == 300 + sum(project == 2 for _, project, _ in CROWD)
        await pilot.press(*["pagedown"] * 50)
        await sees(pilot, "Team 300", "esc cancel")
        assert await answer(app, pilot, "pageup", "pagedown", "enter") == Scope("project", 300, "Team 300")
        await ask_again(app)
        await eventually(lambda: len(scopes(app).rows) > 300, "some answers")
        assert await answer(app, pilot, "escape") is None, "while others are on their way"
        scripted.seen.clear()
        await ask_again(app)
        await sees(pilot, "Some agents of Team 001 are not listed. Type to find them.")
        assert len(scripted.requests("GET", AGENTS)) <= 2
        assert scopes(app).cursor_key == ("project", 1)
        assert 1790 not in listed(app)
        await pilot.press(*"line 1790")
        await sees(pilot, "    Line 1790")
        assert await answer(app, pilot, "enter") == Scope("agent", 1790, "Line 1790")


async def test_typed_words_find_agents_in_any_of_300_projects(crowded: Setup) -> None:
    async with opened_dialog(crowded, picker(TEAMS)) as (app, pilot):
        line = app.screen.query_one(Input)
        line.value = "team 217"
        own = {number for number, project, _ in CROWD if project == 217}
        await eventually(lambda: own <= set(listed(app)), "the agents of a project that was typed")
        await loaded(pilot)
        assert scopes(app).cursor_key == ("project", 217)
        line.value = "1234 line"
        await sees(pilot, "    Line 1234")
        line.value = "6 345 line"
        await sees(pilot, "No match yet. Type more of the name.", gone="    Line")
        line.value = "desk 5721"
        await sees(pilot, "    Desk 5721", f"Team {2 + 5721 % 299:03}")
        await loaded(pilot)
        assert listed(app) == [2 + 5721 % 299, 5721]
        assert scopes(app).cursor_key == ("agent", 5721), "the project is a heading here"
        assert await answer(app, pilot, "enter") == Scope("agent", 5721, "Desk 5721")
