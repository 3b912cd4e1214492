"""Runs in groups on screen: what fails most and why, read from a server, and the way back to the run list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

from app_on_a_server import EPOCH, PROJECT, SMALL, WIDE, Served, setup_of
from hostile import SHOWN, hostile_run
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import Got, Hold, Reply, ScriptedServer, run_of
from textual.pilot import Pilot
from themed_app import ThemedApp
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.groups import HOWS, Group, How, group_runs, percent
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.ui.kit.app_screen import style_sheets
from cekura_tui.ui.runs.groups import AT_ONCE, BAR, PAGE, GroupList, GroupsScreen, OpenedGroup, bar
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace

BULK = "/test_framework/v1/runs/bulk/"
NAMES: dict[How, str] = {
    "verdict": "By failed check",
    "scenario": "By scenario",
    "personality": "By personality",
    "result": "By result",
    "pair": "By scenario × personality",
}


class Host(ThemedApp):
    """An app with nothing but this screen; `left` is what the screen was left with."""

    CSS_PATH = style_sheets()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.state = AppState(self, workspace, lambda: EPOCH)
        self.left: list[object] = []

    def group(self, rows: Sequence[RunRow]) -> None:
        self.push_screen(GroupsScreen(self.state, rows, f"in {len(rows)} loaded runs"), self.left.append)


@asynccontextmanager
async def hosted(setup: Setup, size: tuple[int, int] = WIDE) -> AsyncIterator[tuple[Host, Pilot[None]]]:
    workspace = Workspace(setup)
    workspace.start(lambda: None)
    app = Host(workspace)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            yield app, pilot
    finally:
        await asyncio.to_thread(workspace.close)


async def loaded(app: Host) -> list[RunRow]:
    """Every run of the project, as the server lists them."""
    rows: list[RunRow] = []
    number, more = 0, True
    while more:
        number += 1
        page = await app.state.workspace.call(lambda session: session.client.runs({"project_id": PROJECT}, number))  # noqa: B023
        rows += map(row_of, page.items)
        more = page.more
    return rows


def failed_runs(*numbers: int, **fields: object) -> list[dict[str, object]]:
    return [run_of(number, scenario=5, scenario_name="Refund", **fields) for number in numbers]


def rows_of(runs: Sequence[dict[str, object]]) -> list[RunRow]:
    return [row_of(Run.read(run)) for run in runs]


def with_why(got: Got, why: str) -> Reply:
    """The runs that are asked for, each with a reason of its own words."""
    numbers = map(int, got.query["run_ids"].split(","))
    told = {number: {"score": 0, "explanation": [f"❌ {why} after {number} s."]} for number in numbers}
    return Reply([run_of(number, expected_outcome=outcome) for number, outcome in told.items()])


def under_cursor(app: Host, rows: Sequence[RunRow], how: How) -> Group:
    key = app.screen.query_one(GroupList).cursor_key
    return next(group for group in group_runs(rows, how, {}).groups if group.key == key)


async def test_the_groups_tell_why_the_newest_failed_and_f_reads_on(served: Served) -> None:
    async with hosted(served.setup()) as (app, pilot):
        rows = await loaded(app)
        failed = [row.id for row in sorted(rows, key=lambda row: -row.id) if row.outcome.kind == "failed"]
        errors = sum(row.outcome.kind == "error" for row in rows)
        app.group(rows)
        await sees(pilot, f"reasons loaded for {PAGE} of {len(failed)} · F load {min(PAGE, len(failed) - PAGE)} more")
        await sees(pilot, f"{len(failed)} failed · {errors} errors in 240 loaded runs", "The agent")
        assert screen_text(app).splitlines()[4][1:].startswith(f" Failed checks · {len(failed)} runs ")
        assert len(served.asked(BULK)) == PAGE // AT_ONCE
        listed = app.screen.query_one(GroupList).rows
        assert [row.length for row in listed if row.heading] == [1.0, 1.0]  # the largest of a section has the whole bar
        read = await app.state.workspace.call(lambda session: session.findings.cached(failed))
        assert set(read) == set(failed[:PAGE])
        await pilot.press("F")
        await sees(pilot, "all failure reasons loaded", gone="F More reasons")
        await pilot.press("G")
        await sees(pilot, f"Did not run properly · {errors} runs", "no answer")
        # What was read is kept on this machine.
        await pilot.press("escape")
        served.log.clear()
        app.group(rows)
        await sees(pilot, "all failure reasons loaded", "The agent")
        assert served.asked(BULK) == []


async def test_b_goes_from_one_grouping_to_the_next_and_around(served: Served) -> None:
    async with hosted(served.setup(), SMALL) as (app, pilot):
        rows = await loaded(app)
        app.group(rows)
        await sees(pilot, NAMES["verdict"], "failed check", "F More reasons")
        for _, how in pairwise([*HOWS, HOWS[0]]):
            await pilot.press("j", "b")
            await sees(pilot, f" {NAMES[how]}  ")
            listed = app.screen.query_one(GroupList)
            assert (listed.cursor_index, listed.at_top) == (0, True)
            assert ("F More reasons" in screen_text(app)) == (how == "verdict")
            if how != "verdict":
                groups = group_runs(rows, how, {}).groups
                assert [row.key for row in listed.rows] == [group.key for group in groups]
                await sees(pilot, f" {len(groups)} groups · most failures first", groups[0].title[:20])


async def test_a_scenario_with_a_personality_shows_its_last_outcomes_and_since_when_it_fails(served: Served) -> None:
    for size in (SMALL, WIDE, (160, 40)):
        async with hosted(served.setup(), size) as (app, pilot):
            rows = await loaded(app)
            app.group(rows)
            await sees(pilot, "Failed checks")
            await pilot.press(*"bbbb")
            await sees(pilot, NAMES["pair"])
            failing = next(group for group in group_runs(rows, "pair", {}).groups if group.first_failed)
            assert failing.first_failed is not None
            when = app.state.when(failing.first_failed.at)
            told = f"{failing.detail} · failing since run {failing.first_failed.run_id}, {when}"
            await sees(pilot, f" {failing.strip} ", failing.title[:20], told)


async def test_enter_goes_back_with_the_filter_of_the_group_under_the_cursor(served: Served) -> None:
    for times, how in enumerate(HOWS):
        async with hosted(served.setup()) as (app, pilot):
            rows = await loaded(app)
            app.group(rows)
            await sees(pilot, "F More reasons")
            await pilot.press(*"b" * times)
            await sees(pilot, f" {NAMES[how]}  ")
            await pilot.press("G")
            group = under_cursor(app, rows, how)
            await pilot.press("enter")
            await eventually(lambda: app.left, "the screen was left")
            (opened,) = app.left
            assert isinstance(opened, OpenedGroup)
            assert opened.name.startswith(group.title)
            matches = Matcher(parse(opened.filter_text).filter, now=EPOCH, notes={})
            assert {row.id for row in rows if matches(row)} == set(group.run_ids)


async def test_escape_goes_back_and_changes_nothing(served: Served) -> None:
    async with hosted(served.setup()) as (app, pilot):
        app.group(await loaded(app))
        await sees(pilot, "Failed checks")
        await pilot.press("escape")
        await eventually(lambda: app.left == [None], "the screen was left with nothing")


async def test_a_group_of_more_runs_than_a_filter_can_name_says_that_the_newest_are_listed(
    scripted: ScriptedServer,
) -> None:
    rows = rows_of([run_of(number, status="timeout", evaluation_status="") for number in range(1, 131)])
    async with hosted(setup_of(scripted.url, "key", 1)) as (app, pilot):
        app.group(rows)
        await sees(pilot, "Did not run properly · 130 runs", "timeout")
        await pilot.press("enter")
        await sees(pilot, "Only the newest 100 of 130 runs are listed")
        assert isinstance(app.left[0], OpenedGroup)
        assert app.left[0].filter_text.startswith("id:130,129,")


async def test_one_fault_in_many_words_becomes_one_group_while_the_cursor_stays_on_its_group(
    scripted: ScriptedServer,
) -> None:
    failed = failed_runs(1, 2, 3)
    rows = rows_of([*failed, run_of(9, status="timeout", evaluation_status="")])
    hold = Hold(Reply([]))
    scripted.on("GET", BULK, hold)
    async with hosted(setup_of(scripted.url, "key", 1)) as (app, pilot):
        app.group(rows)
        await sees(pilot, "loading why 3 runs failed …", "Reason not loaded yet", "timeout")
        await pilot.press("G")
        broken = app.screen.query_one(GroupList).cursor_key
        hold.reply = with_why(scripted.requests("GET", BULK)[0], "No total was said")
        hold.released.set()
        await sees(pilot, "Expected outcome", "No total was said after …", "all failure reasons loaded")
        listed = app.screen.query_one(GroupList)
        assert (len(listed.rows), listed.cursor_key) == (2, broken)
        assert screen_text(app).count("Expected outcome") == 1


async def test_a_server_that_does_not_tell_why_leaves_the_groups_and_f_tries_again(scripted: ScriptedServer) -> None:
    rows = rows_of(failed_runs(1, 2))
    scripted.on("GET", BULK, Reply(b"<html>502</html>", 502), lambda got: with_why(got, "No total was said"))
    async with hosted(setup_of(scripted.url, "key", 1), SMALL) as (app, pilot):
        app.group(rows)
        await sees(pilot, "! Can't load why runs failed · F retry", "Reason not loaded yet", "F More reasons")
        await pilot.press("F")
        await sees(pilot, "No total was said after …", gone="Can't load")


async def test_f_reads_no_more_than_the_next_fifty(scripted: ScriptedServer) -> None:
    scripted.on("GET", BULK, lambda got: with_why(got, "No total was said"))
    async with hosted(setup_of(scripted.url, "key", 1)) as (app, pilot):
        app.group(rows_of(failed_runs(*range(1, 121))))
        await sees(pilot, "reasons loaded for 50 of 120 · F load 50 more")
        await pilot.press("F")
        await sees(pilot, "reasons loaded for 100 of 120 · F load 20 more")
        newest_first = [
            int(number) for got in scripted.requests("GET", BULK) for number in got.query["run_ids"].split(",")
        ]
        assert newest_first == list(range(120, 20, -1))


async def test_a_run_that_the_server_does_not_know_any_more_is_asked_for_once(scripted: ScriptedServer) -> None:
    scripted.on("GET", BULK, Reply([]))
    async with hosted(setup_of(scripted.url, "key", 1)) as (app, pilot):
        app.group(rows_of(failed_runs(1, 2)))
        await sees(pilot, "No failed check reported", "all failure reasons loaded")
        await pilot.press("F", "b")
        await sees(pilot, NAMES["scenario"], "Refund", "2 of 2 failed")
        assert len(scripted.requests("GET", BULK)) == 1


async def test_no_failed_runs_and_no_runs_at_all_say_so_and_what_to_do(scripted: ScriptedServer) -> None:
    async with hosted(setup_of(scripted.url, "key", 1)) as (app, pilot):
        app.group(rows_of([run_of(1, evaluation_status="success")]))
        await sees(pilot, "No failed runs among the loaded ones.", "b group by scenario")
        await pilot.press("b")
        await sees(pilot, "Books a table", "none failed", gone="No failed runs")
        await pilot.press("enter")
        await eventually(lambda: app.left, "the group was opened")
        app.group([])
        await pilot.press("b")
        await sees(pilot, "No runs are loaded.")
        await pilot.press("enter", "escape")
        await eventually(lambda: len(app.left) == 2, "the screen was left")
        assert app.left[1] is None
        assert scripted.requests("GET", BULK) == []


async def test_names_and_reasons_of_strangers_are_shown_as_they_are_and_are_never_markup(
    scripted: ScriptedServer,
) -> None:
    runs = [hostile_run(1), hostile_run(2)]
    scripted.on("GET", BULK, Reply(runs))
    async with hosted(setup_of(scripted.url, "key", 1), (200, 30)) as (app, pilot):
        app.group(rows_of(runs))
        await sees(pilot, "all failure reasons loaded", SHOWN[:40])
        for how in (*HOWS[1:], HOWS[0]):
            await pilot.press("b")
            await sees(pilot, f" {NAMES[how]}  ")
            assert (SHOWN[:40] in screen_text(app)) == (how != "result")
        assert app.left == []
        assert app._exception is None


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_share_is_drawn_and_told_as_nothing_or_all_only_where_it_is(part: int, rest: int) -> None:
    share = part / (part + rest)
    assert len(bar(share)) == BAR
    assert (bar(share).strip() == "") == (part == 0) == (percent(share) == "0%")
    assert percent(share) != "100%"
    assert len(percent(share)) <= 4
    assert (bar(1.0), percent(1.0)) == ("━" * BAR, "100%")
