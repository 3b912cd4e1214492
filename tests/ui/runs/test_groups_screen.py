"""The groups screen: the checks that fail most, their reasons, and the filter of the opened group."""

from __future__ import annotations

from asyncio import Task, create_task
from collections.abc import Callable, Sequence
from itertools import chain, pairwise, repeat
from types import SimpleNamespace
from typing import Any

import pytest
from app_on_a_server import EPOCH, LIST, SMALL, WIDE, setup_of
from controlled_runs import ONE
from hostile import SHOWN, hostile_run
from hypothesis import given
from hypothesis import strategies as st
from one_dialog import OneDialog, answer, ask_again, opened_dialog
from scripted_server import Got, Hold, Reply, ScriptedServer, run_of
from watching import screen_text, sees

from cekura_tui.jobs.polling import AT_ONCE
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.groups import GROUPINGS, Group, Grouping, group_runs, percent
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.ui.runs.groups import BAR, GroupList, GroupsScreen, OpenedGroup, bar, load_groups
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup

BULK = "/test_framework/v1/runs/bulk/"
NAMES: dict[Grouping, str] = {
    "verdict": "By failed check and reason",
    "scenario": "By scenario",
    "personality": "By personality",
    "result": "By result",
    "pair": "By scenario × personality",
}


@pytest.fixture
def setup(scripted: ScriptedServer) -> Setup:
    scripted.on("GET", BULK, Reply([]))
    return setup_of(scripted.url, "key", 1)


def groups_of(*lists: Sequence[RunRow], total: int | None = 0) -> Callable[[AppState], GroupsScreen]:
    """A function that makes groups screens: one for each list of loaded rows in turn, then always for the last list.
    `total` is the number of runs on the server if not all are loaded; None if unknown."""
    rows = chain(lists, repeat(lists[-1]))
    tasks: list[Task[None]] = []

    def make(state: AppState) -> GroupsScreen:
        state.clock = lambda: EPOCH
        loaded = next(rows)
        page: Any = SimpleNamespace(state=state, start_worker=lambda work, *_, **__: tasks.append(create_task(work())))
        listing: Any = SimpleNamespace(query=RunQuery(ONE), notes={}, loaded_rows=lambda: loaded, loaded=len(loaded))
        listing.count = None if total is None else max(total, len(loaded))
        listing.all_loaded = listing.count == listing.loaded
        load, start = load_groups(page, listing, None)
        return GroupsScreen(state, load, listing, start)

    return make


def failed_runs(*numbers: int, **fields: object) -> list[dict[str, object]]:
    return [run_of(number, scenario=5, scenario_name="Refund", **fields) for number in numbers]


def rows_of(runs: Sequence[dict[str, object]]) -> list[RunRow]:
    return [row_of(Run.read(run)) for run in runs]


def with_why(got: Got, why: str) -> Reply:
    """A reply with the requested runs, which all failed for the reason `why` but after different numbers of seconds."""
    numbers = map(int, got.query["run_ids"].split(","))
    outcomes = {number: {"score": 0, "explanation": [f"❌ {why} after {number} s."]} for number in numbers}
    return Reply([run_of(number, expected_outcome=outcome) for number, outcome in outcomes.items()])


ROWS = rows_of(
    [
        run_of(
            number,
            evaluation_status="success" if number % 3 else "failure",
            scenario=number % 5,
            scenario_name=f"Scenario {number % 5}",
            personality=number % 2,
            personality_name=("Calm", "In a hurry")[number % 2],
            result_id=number // 9,
            timestamp=f"2025-10-08T12:{number:02}:00Z",
        )
        for number in range(1, 60)
    ]
)
"""59 runs. Every third run failed. For some pairs of scenario and personality the newest run failed."""


def under_cursor(app: OneDialog, how: Grouping) -> Group:
    key = app.screen.query_one(GroupList).cursor_key
    return next(group for group in group_runs(ROWS, how, {}).groups if group.key == key)


async def test_b_shows_the_next_grouping_and_enter_returns_the_filter_of_a_group(
    setup: Setup, scripted: ScriptedServer
) -> None:
    scripted.on("GET", BULK, Reply({"detail": "Odd."}, 400), lambda got: with_why(got, "No total was said"))
    async with opened_dialog(setup, groups_of(ROWS)) as (app, pilot):
        await sees(pilot, NAMES["verdict"], "failed check", "F load the rest", "Can't load the rest")
        for _, how in pairwise([*GROUPINGS, GROUPINGS[0]]):
            await pilot.press("j", "b")
            await sees(pilot, f" {NAMES[how]}  ")
            listed = app.screen.query_one(GroupList)
            assert (listed.cursor_index, listed.at_top) == (0, True)
            assert ("provisional: checks of 0 of 19" in screen_text(app)) == (how == "verdict")
            if how != "verdict":
                groups = group_runs(ROWS, how, {}).groups
                assert [row.group.key for row in listed.rows] == [group.key for group in groups]
                assert [row.length for row in listed.rows] == [of.failed / groups[0].failed for of in groups]
                await sees(pilot, f"Groups · {len(groups)} ", "most failures first", groups[0].title[:20])
        for how, keys in ("verdict", ""), ("pair", "bbbb"):
            await pilot.press(*keys)
            await sees(pilot, f" {NAMES[how]}  ")
            await pilot.press("G")
            group = under_cursor(app, how)
            opened = await answer(app, pilot, "enter")
            assert isinstance(opened, OpenedGroup)
            assert opened.name.startswith(group.title)
            matches = Matcher(parse(opened.filter_text).filter, now=EPOCH, notes={})
            assert {row.id for row in ROWS if matches(row)} == set(group.run_ids)
            await ask_again(app)


async def test_a_group_by_scenario_and_personality_shows_outcomes_and_when_failures_began(setup: Setup) -> None:
    async with opened_dialog(setup, groups_of(ROWS), size=WIDE) as (app, pilot):
        await sees(pilot, "Failed checks")
        await pilot.press(*"bbbb")
        failing = next(group for group in group_runs(ROWS, "pair", {}).groups if group.first_failed)
        assert failing.first_failed is not None
        since = f"failing since run {failing.first_failed.id}, {app.state.when(failing.first_failed.at)}"
        for size in (WIDE, SMALL, (160, 40)):
            await pilot.resize_terminal(*size)
            await sees(pilot, NAMES["pair"], f" {failing.strip} ", failing.title[:20], failing.detail, since)


async def test_reasons_differing_only_in_numbers_are_grouped_and_f_retries_after_an_error(
    setup: Setup, scripted: ScriptedServer
) -> None:
    broken = [run_of(number, status="timeout", evaluation_status="") for number in range(9, 139)]
    hold = Hold(Reply([]))
    scripted.on("GET", BULK, Reply({"detail": "Odd."}, 400), hold)
    async with opened_dialog(setup, groups_of(rows_of([*failed_runs(1, 2, 3), *broken]))) as (app, pilot):
        await sees(pilot, "F load the rest · ! Can't load the rest", "Reason not loaded yet", "F Load all")
        await pilot.press("F")
        await sees(pilot, "loading the rest, about 1 s", "Ended with an error · 130 runs", "timeout")
        await pilot.press("G")
        listed = app.screen.query_one(GroupList)
        timeout = listed.cursor_key
        hold.reply = with_why(scripted.requests("GET", BULK)[-1], "No total was said")
        hold.released.set()
        await sees(pilot, "Expected outcome", "No total was said after …", "failing since run 1", gone="rovisional")
        assert (len(listed.rows), listed.cursor_key) == (2, timeout)
        assert screen_text(app).count("Expected outcome") == 1
        opened = await answer(app, pilot, "enter")
        assert opened.filter_text.startswith("id:138,137,"), "too many for a filter"
        await sees(pilot, "Only the newest 100 of 130 runs are listed")


async def test_reasons_are_loaded_newest_first_and_stored(setup: Setup, scripted: ScriptedServer) -> None:
    errors = [run_of(number, status="timeout", evaluation_status="") for number in range(121, 124)]
    rows = rows_of([*failed_runs(*range(1, 121)), *errors])
    scripted.on("GET", BULK, lambda got: with_why(got, "No total was said"), Reply([]))
    async with opened_dialog(setup, groups_of(rows), size=WIDE) as (app, pilot):
        await sees(pilot, "Reason not loaded yet", "120 failed · 3 errors in 123 runs", gone="rovisional")
        assert screen_text(app).splitlines()[4][1:].startswith(" Failed checks · 120 runs ")
        listed = app.screen.query_one(GroupList).rows
        assert app.screen.query_one(GroupList).cursor_index == 0, "the first group was of runs without reasons"
        assert [row.length for row in listed if row.heading] == [1.0, 1.0]  # the largest of a section has a full bar
        requests = [list(map(int, got.query["run_ids"].split(","))) for got in scripted.requests("GET", BULK)]
        assert list(chain.from_iterable(requests)) == list(range(120, 0, -1))
        assert set(map(len, requests)) == {AT_ONCE, 120 % AT_ONCE}
        assert await answer(app, pilot, "escape") is None
        await ask_again(app)
        await sees(pilot, "No total was said", gone="rovisional")
        again = scripted.requests("GET", BULK)[len(requests) :]
        assert [got.query["run_ids"] for got in again] == [",".join(map(str, ids)) for ids in requests[1:]], (
            "the reasons of the first runs are stored; runs missing from the answers are requested again"
        )


async def test_groups_of_some_runs_load_the_rest_and_move_only_then(setup: Setup, scripted: ScriptedServer) -> None:
    newer = [run_of(number, scenario=1, scenario_name="Menu", evaluation_status="failure") for number in (6, 5)]
    older = failed_runs(4, 3, 2, evaluation_status="failure")
    page = {"count": 6, "next": None, "previous": None}
    running = run_of(7, scenario=5, scenario_name="Refund", status="in_progress", evaluation_status="")
    rest = Hold(Reply({**page, "results": [running, *newer, *older]}))
    scripted.on("GET", LIST, rest)
    loaded = rows_of([running, *newer, *older[:1]])
    async with opened_dialog(setup, groups_of(loaded, total=6)) as (app, pilot):
        await sees(pilot, "Groups · 1 · provisional: 4 of 6 runs", "Provisional order: 4 of 6 runs")
        await pilot.press("b")
        await sees(pilot, "By scenario", "Provisional order: 4 of 6 runs", "2 of 2 failed")
        listed = app.screen.query_one(GroupList)
        menu = listed.cursor_key
        rest.released.set()
        await sees(pilot, "3 of 4 failed", gone="rovisional")
        assert [row.group.title for row in listed.rows] == ["Refund", "Menu"]
        assert (listed.cursor_key, listed.cursor_index) == (menu, 1), "the cursor moved to another group"
        assert listed.rows[0].group.newest == row_of(Run.read(older[0])), "the newest run that has ended"
        rest.released.clear()
        await pilot.press("r")
        await sees(pilot, "checking for new runs", "5 failed · 0 errors in 6 runs", gone="rovisional")
        rest.reply = Reply({"detail": "Odd."}, 400)
        rest.released.set()
        await sees(pilot, "r reload · ! Can't load the rest", "5 failed · 0 errors in 6 runs")


async def test_no_count_is_shown_before_the_first_answer_and_r_retries_at_once(
    setup: Setup, scripted: ScriptedServer
) -> None:
    busy, page = Reply(b"", 429, {"Retry-After": "50"}), {"count": 1, "next": None, "previous": None}
    scripted.on("GET", LIST, busy, Reply({**page, "results": failed_runs(1)}))
    async with opened_dialog(setup, groups_of([], total=None)) as (_, pilot):
        await sees(
            pilot, "r retry now · F stop · retrying at ", "By failed check", "Loading runs …", "F Stop", gone=" 0 "
        )
        await pilot.press("r")
        await sees(pilot, "1 failed · 0 errors in 1 run", gone="retry")


async def test_r_only_sorts_if_f_has_stopped_the_load(setup: Setup, scripted: ScriptedServer) -> None:
    rest = Hold(Reply({"count": 2, "next": None, "previous": None, "results": failed_runs(2, 1)}))
    scripted.on("GET", LIST, rest)
    async with opened_dialog(setup, groups_of(rows_of(failed_runs(2)), total=2)) as (app, pilot):
        await sees(pilot, "Provisional order: 1 of 2 runs", "F Stop")
        await pilot.press("F")
        rest.released.set()
        await sees(pilot, "F load the rest · stopped", "provisional: 2 of 2 runs", "F Load all")
        await pilot.press("r")
        assert not app.dialog.load.on
        await pilot.press("F")
        await sees(pilot, "2 failed · 0 errors in 2 runs", "Reason not loaded yet", gone="F Load all")


async def test_the_cursor_stays_on_its_check_when_its_reasons_are_loaded(
    setup: Setup, scripted: ScriptedServer
) -> None:
    def judged(number: int, greeted: str = "", price: str = "") -> dict[str, object]:
        whys = {"Greeted": greeted, **({"Told the price": price} if number < 3 else {})}
        checks = [{"name": name, "score": 0, "type": "binary_qualitative", "explanation": whys[name]} for name in whys]
        return run_of(number, evaluation={"metrics": checks})

    rows = rows_of([judged(number) for number in range(1, 9)])
    whole = Hold(Reply([judged(number, f"Reason {'abcdefgh'[number - 1]}", "No price") for number in range(1, 9)]))
    scripted.on("GET", BULK, whole)
    async with opened_dialog(setup, groups_of([row._replace(whole=False) for row in rows])) as (app, pilot):
        await sees(pilot, "Told the price", "explanation not loaded yet")
        await pilot.press("j")
        whole.released.set()
        await sees(pilot, "No price", gone="rovisional")
        row = app.screen.query_one(GroupList).cursor_row
        assert row is not None
        assert (row.group.title, row.group.count) == ("Told the price", 2)


async def test_without_failed_runs_or_without_runs_the_screen_says_which_key_helps(
    setup: Setup, scripted: ScriptedServer
) -> None:
    passed = rows_of([run_of(1, evaluation_status="success")])
    async with opened_dialog(setup, groups_of(passed, [])) as (app, pilot):
        await sees(pilot, "No failed runs.", "b group by the next criterion")
        await pilot.press("b")
        await sees(pilot, "Books a table", "none failed", gone="No failed runs")
        assert isinstance(await answer(app, pilot, "enter"), OpenedGroup)
        await ask_again(app)
        await pilot.press("b")
        await sees(pilot, "No matching runs.")
        assert await answer(app, pilot, "enter", "escape") is None
    assert scripted.requests("GET", BULK) == []


async def test_hostile_names_and_reasons_are_shown_as_text(setup: Setup, scripted: ScriptedServer) -> None:
    runs = [hostile_run(1), hostile_run(2)]
    scripted.on("GET", BULK, Reply(runs))
    async with opened_dialog(setup, groups_of(rows_of(runs)), size=(200, 30)) as (app, pilot):
        await sees(pilot, SHOWN[:40], gone="rovisional")
        for how in (*GROUPINGS[1:], GROUPINGS[0]):
            await pilot.press("b")
            await sees(pilot, f" {NAMES[how]}  ")
            assert (SHOWN[:40] in screen_text(app)) == (how != "result")


@given(st.integers(0, 500), st.integers(1, 500))
def test_bar_is_empty_only_at_zero_and_percentage_is_100_only_for_a_full_share(part: int, rest: int) -> None:
    share = part / (part + rest)
    assert len(bar(share)) == BAR
    assert (bar(share).strip() == "") == (part == 0) == (percent(share) == "0%")
    assert percent(share) != "100%"
    assert len(percent(share)) <= 4
    assert (bar(1.0), percent(1.0)) == ("━" * BAR, "100%")
