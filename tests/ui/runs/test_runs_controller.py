"""Contents and redraws of the run list, on a real workspace without widgets."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from app_on_a_server import LIST, PROJECT, Served, setup_of
from controlled_runs import ONE, TWO, controlled, ids, serve_list
from scripted_server import Hold, Reply, ScriptedServer, run_of
from waiting import eventually

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.columns import RunColumns, Sort
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.ui.first_frame import read_first_frame
from cekura_tui.ui.runs.columns_dialog import ColumnsDialog, choose_columns
from cekura_tui.ui.runs.groups import GroupsScreen, open_groups
from cekura_tui.ui.runs.list import RunList, explain_empty
from cekura_tui.ui.runs.outcomes import only_failures
from cekura_tui.workspace.workspace import Workspace


async def test_a_filter_applies_to_known_runs_at_once_and_is_restored_with_its_scope(scripted: ScriptedServer) -> None:
    serve_list(scripted, run_of(2, evaluation_status="success"), run_of(1))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.fresh, "the list came")
        assert ids(controller) == [2, 1]
        drawn = screen.drawn
        controller.change_filter(controller.listing.toggle_failures())
        assert (ids(controller), screen.lists, screen.drawn) == ([1], [True], drawn + 1)
        await eventually(lambda: all(task.done() for name, task in screen.workers if name == "save-filter"), "saved")
        controller.list_scope(TWO)
        await eventually(lambda: controller.listing.fresh, "the other list came")
        assert not controller.listing.filter
        controller.list_scope(ONE)
        await eventually(lambda: only_failures(controller.listing.filter), "its filter is back")
        assert screen.lists == [True, False, False]


async def test_a_filter_and_the_columns_of_a_view_survive_a_restart(scripted: ScriptedServer) -> None:
    serve_list(scripted, run_of(2), run_of(1))
    chosen = RunColumns().toggled("length")

    async def ask(dialog: ColumnsDialog) -> None:
        dialog._apply(chosen)

    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.fresh, "the list came")
        controller.filter_by("outcome:error")
        page: Any = SimpleNamespace(state=controller._state, opening=SimpleNamespace(ask=ask))
        await choose_columns(page, controller, RunList(lambda _: ""))
        await eventually(lambda: all(task.done() for name, task in screen.workers if name == "save-filter"), "saved")
    listing, _ = read_first_frame(Workspace(setup_of(scripted.url, "key")), ONE)
    assert (str(listing.filter), listing.columns) == ("outcome:error", chosen)
    listing.filter = parse("").filter
    assert listing.columns == RunColumns(), "of other lists nothing was chosen"


async def test_a_group_adds_to_the_filter_and_stepping_back_shows_the_groups(scripted: ScriptedServer) -> None:
    serve_list(scripted, run_of(2), run_of(1))
    async with controlled(scripted) as (controller, _):
        shown: list[str] = []
        controller.filter_by("status:failed")
        controller.open_group("By table", "scenario:~table", lambda: shown.append("groups"))
        assert str(controller.listing.filter) == "status:failed scenario:~table"
        controller.open_group("By table", "scenario:~table", lambda: shown.append("groups"))
        for _ in range(2):
            controller.step_back()
            assert str(controller.listing.filter) == "status:failed"
        assert shown == ["groups"]
        controller.open_group("Failed", "status:failed", lambda: shown.append("groups"))  # the same list
        for _ in range(2):
            controller.step_back()
        assert shown == ["groups"] * 2


async def test_a_covered_list_draws_and_requests_nothing_until_visible(scripted: ScriptedServer) -> None:
    serve_list(scripted, run_of(1))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.fresh, "the list came")
        await eventually(lambda: screen.drawn and controller._redraw is None, "it is drawn, nothing is left to draw")
        screen.seen = False
        controller.visibility_changed()
        drawn, asked = screen.drawn, len(scripted.requests("GET", LIST))
        controller.feed.set_live(True)
        await asyncio.sleep(0.05)
        assert (screen.drawn, len(scripted.requests("GET", LIST))) == (drawn, asked)
        screen.seen = True
        controller.visibility_changed()
        assert screen.drawn == drawn + 1


async def test_the_user_picks_one_of_several_projects_and_its_name_is_shown(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}]))
    serve_list(scripted, run_of(1, evaluation_status="success"))
    async with controlled(scripted, None) as (controller, screen):
        await eventually(lambda: screen.picks, "it is asked which")
        assert isinstance(controller.trouble, NoScope)
        assert screen.picks == [controller.trouble]
        controller.list_scope(Scope("project", 2))
        await eventually(lambda: controller.listing.scope == TWO and controller.listing.all_loaded, "its name and runs")
        assert controller.trouble is None
        assert scripted.requests("GET", LIST)[-1].query["project_id"] == "2"
        controller.load_all()
        assert screen.texts == ["All runs and their checks are loaded."]


async def test_the_checks_of_failed_runs_are_loaded_once_and_sort_the_list(scripted: ScriptedServer) -> None:
    def whole(number: int) -> dict[str, object]:
        return run_of(
            number, evaluation={"metrics": [{"id": n, "name": "Tone", "passed": False} for n in range(number)]}
        )

    # Run 4 was deleted meanwhile.
    scripted.on("GET", f"{LIST}bulk/", Reply([whole(number) for number in range(1, 4)]))
    serve_list(scripted, *(run_of(number) for number in range(4, 0, -1)), run_of(0, evaluation_status="success"))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.all_loaded, "all of it")
        controller.sort_by(Sort("outcome"))
        assert ids(controller) == [4, 3, 2, 1, 0]
        controller.load_all()
        assert controller.listing.checks_notes(controller.checks)[0] == "checks known for 0 of 4 failed · F stop"
        await eventually(lambda: not controller.checks.on, "their checks")
        assert (ids(controller), controller.listing.checks_notes(controller.checks)) == ([3, 2, 1, 4, 0], ())
        controller.load_all()
        assert screen.texts == ["The failed checks of all runs are loaded.", "All runs and their checks are loaded."]
        assert len(scripted.requests("GET", f"{LIST}bulk/")) == 1


async def test_a_second_load_all_stops_the_loading_of_checks(scripted: ScriptedServer) -> None:
    second = Hold(Reply([]))
    scripted.on("GET", f"{LIST}bulk/", Reply([]), second)
    serve_list(scripted, *(run_of(number) for number in range(60, 0, -1)))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.all_loaded, "all of it")
        controller.load_all()
        await eventually(second.arrived.is_set, "the first are loaded, the next are asked for")
        controller.load_all()
        second.released.set()
        await eventually(lambda: all(task.done() for name, task in screen.workers if name == "checks"), "it has ended")
        assert len(scripted.requests("GET", f"{LIST}bulk/")) == 2
        assert len(controller.checks.missing) == 10


async def test_load_all_loads_every_run_of_a_list_that_is_filtered_or_sorted_locally(served: Served) -> None:
    async with controlled(served, Scope("project", PROJECT)) as (controller, _):
        listing = controller.listing
        await eventually(lambda: listing.fresh, "the list came")
        controller.sort_by(Sort("length"))
        assert listing.filter_notes()[0] == "sorted by length: 100 of 240 runs loaded · F load all"
        # A filter that most runs match: if few matched, more would be loaded without a key.
        controller.filter_by("-persona:~hurry")
        await eventually(lambda: listing.fresh, "the filtered list came")
        assert listing.filter_notes()[0].startswith("-persona: sorted by length: 100 of 240 runs loaded · F load all")
        controller.load_all()
        await eventually(lambda: listing.all_loaded, "all of it")
        assert listing.filter_notes() == ()
        rows = listing.loaded_rows()
        assert len(rows) > 100
        assert "In a hurry" not in {row.personality for row in rows}
        assert [row.seconds for row in rows] == sorted((row.seconds for row in rows), key=lambda it: -(it or 0))


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("agent:harb", "No agent is called “harb”; agent:~harb finds parts of names"),
        ("persona:hurry", "No personality is called “hurry”; persona:~hurry finds parts of names"),
        ("since:1d until:1d", "The time of since: is not before the time of until:\n"),
        ("dosage", "Words search names only · ctrl+f searches transcripts"),
        ("outcome:failed,error", "! show all runs · p choose another project"),
        ("", "p choose another project or agent · r reload"),
    ],
)
async def test_an_empty_list_says_why_and_which_keys_help(scripted: ScriptedServer, wanted: str, why: str) -> None:
    agent = {"agent_name": "Harbour Bank", "personality_name": "In a hurry", "evaluation_status": "success"}
    serve_list(scripted, *([run_of(1, **agent)] if wanted else ()))
    async with controlled(scripted) as (controller, _):
        await eventually(lambda: controller.listing.fresh, "the list came")
        controller.names_seen()
        controller.filter_by(wanted)
        await eventually(lambda: controller.listing.all_loaded, "the filtered list came")
        shown = explain_empty(controller)
    assert why in "\n".join(shown)


async def test_a_late_project_name_of_the_previous_profile_does_not_stop_the_list(scripted: ScriptedServer) -> None:
    serve_list(scripted, run_of(1))
    named = Hold(Reply([{"id": 1, "name": "Clinic"}]))
    scripted.on("GET", "/user/v1/projects/", named, Reply([{"id": 1, "name": "Rehearsal"}]))
    async with controlled(scripted, Scope("project", 1)) as (controller, screen):
        workspace: Any = controller._state.workspace
        await eventually(named.arrived.is_set, "the name is requested")
        naming = next(task for group, task in screen.workers if group == "scope-name")

        async def restored_late(ask: Any) -> Any:
            await asyncio.wait({naming})
            return await Workspace.do(workspace, ask)

        workspace.do = restored_late
        controller.list_scope(Scope("project", 1))
        named.released.set()
        await eventually(lambda: controller.listing.fresh, "the list came")
        await eventually(lambda: controller.listing.scope == Scope("project", 1, "Rehearsal"), "the new server's name")


async def test_groups_requested_before_the_scope_is_known_open_with_its_runs(served: Served) -> None:
    async with controlled(served, None) as (controller, screen):
        opened: list[GroupsScreen] = []
        page: Any = screen
        page.app, page.is_active = SimpleNamespace(push_screen=lambda one, _: opened.append(one)), True
        open_groups(page, controller)
        assert opened == []
        await eventually(lambda: opened, "the groups")
        assert controller.listing.scope is not None
