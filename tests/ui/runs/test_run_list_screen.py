"""The run list on screen: header, cursor, marks, outcomes and columns; dialogs and pages that the list opens."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from app_on_a_server import LAUNCH, LIST, SMALL, Served, no_crash, on_run, opened
from one_dialog import answer, opened_dialog
from run_list import footer, kinds_of, list_of, offset_of, rows_of
from seeded_jobs import DONE, seeded_jobs
from textual.geometry import Size
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.column_fit import Cells
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.columns import RunColumns
from cekura_tui.model.run.outcome import MARKS, Kind
from cekura_tui.ui.runs.columns_dialog import ColumnsDialog
from cekura_tui.ui.runs.header import OutcomeBar
from cekura_tui.ui.runs.list import fit_chip
from cekura_tui.ui.runs.outcomes import OUTCOMES, OutcomeCounts
from cekura_tui.ui.runs.screen import RunsScreen
from cekura_tui.workspace.setup import Setup


async def test_scrolling_loads_all_240_runs_and_each_page_once(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        await pilot.press("G")
        await sees(pilot, "240 runs", "900001", gone="loaded")
        assert [row.id for row in rows_of(pilot)] == list(range(900240, 900000, -1))
        await pilot.press("g", "G", "g", "G")
        await sees(pilot, "900001")
        assert sorted(str(asked["query"]).count("created_at_to") for asked in served.requests_to(LIST)) == [0, 1, 1]


async def test_the_header_names_its_facts_if_wide_and_a_small_screen_shows_sixteen_runs(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "as of", "Jobs · none yet")
        first, second = screen_text(pilot.app).split("\n")[:2]
        assert first.startswith(" Profile default   Project Front desks   Agent all agents   Server 127.0.0.1  ")
        assert "paused, as of" in first
        assert second.startswith(" / filter by")
        await pilot.press("J")
        await sees(pilot, "240 runs", gone="Jobs · none yet")
        await pilot.press("J")
        await sees(pilot, "Jobs · none yet")
        await pilot.resize_terminal(*SMALL)
        await sees(pilot, " default · Front desks · all", "paused, as of", "900240", "900225", gone="Agent all")
        assert list_of(pilot).size.height >= 16


async def test_up_to_three_marked_runs_of_one_agent_go_into_one_job(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press(*["space"] * 4)
        await sees(pilot, "4 marked")
        await pilot.press("i")
        await sees(pilot, "Improve takes up to 3 runs; 4 are marked.")
        await pilot.press("escape", "g")
        await sees(pilot, "900239", gone="4 marked")
        await pilot.press("j", "j", "space", "j", "j", "j")  # to run 900234; space has moved to the next run
        served.log.clear()
        await pilot.press("space", "i")
        await sees(pilot, "2 marked · 2 agents: improve takes runs of one", "Mark runs of one agent only: 900238")
        assert len(pilot.app.screen_stack) == 1
        assert [entry for entry in served.log if "/agents/" in str(entry["path"])] == []
        await pilot.press("escape", "g", "j", "space", "space", "j", "space")
        await sees(pilot, "3 marked", gone="2 agents")
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "792 words", "900239", "900238", "900236", gone="Loading")
        assert served.requests_to(LAUNCH, "POST") == []
        await pilot.press("ctrl+g")
        await eventually(lambda: served.requests_to(LAUNCH, "POST"), "a launch")
        (sent,) = served.requests_to(LAUNCH, "POST")
        assert sorted(sent["run_ids"]) == [900236, 900238, 900239]  # type: ignore[type-var]
        await sees(pilot, "240 runs", gone="4 marked")


@pytest.mark.long
async def test_another_project_or_agent_is_picked_by_name_and_remembered(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900236)
        await pilot.press("p")
        await sees(pilot, "List runs of", "Riverside Clinic, appointments", "Northgrid")
        await pilot.press("escape")
        await sees(pilot, "240 runs", gone="List runs of")
        assert list_of(pilot).cursor_key == 900236
        await pilot.press("p")
        await sees(pilot, "List runs of", "Northgrid")
        await pilot.press(*"riverside", "enter")
        await sees(pilot, "Riverside Clinic, appointments", "runs", gone="240 runs")
        await eventually(lambda: {row.agent_id for row in rows_of(pilot)} == {1201}, "the runs of the agent")
        await pilot.press("p", *"hospit")
        await sees(pilot, "Hospitality and grid")
        await pilot.press("enter")
        await sees(pilot, "60 runs", "Hospitality and grid", gone="List runs of")
        no_crash(pilot)
    async with opened(served.setup(project=None)) as pilot:
        await sees(pilot, "60 runs", "Hospitality and grid")


async def test_a_list_that_is_briefly_empty_keeps_the_focus(served: Served) -> None:
    setup = served.setup()
    with seeded_jobs(setup, served.server.key) as seeded:
        seeded.ended(DONE, took=60.0)
    async with opened(setup) as pilot:
        await sees(pilot, "240 runs", "Jobs · 1 new")
        screen, runs = pilot.app.screen, list_of(pilot)
        assert isinstance(screen, RunsScreen)
        listing = screen.controller.listing
        for wanted, empty in ((parse("agent:nobody").filter, True), (listing.filter, False)):
            listing.change_filter(wanted)
            screen.draw()
            assert (not runs.display) == empty
            screen._refresh_layout()  # the list receives Textual's Hide message only later
        await pilot.pause()
        assert screen.focused is runs


# Outcomes


async def test_a_click_on_an_outcome_lists_its_runs_and_a_second_click_lists_all_runs(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "17 errors", "of 200 loaded")
        await pilot.click("OutcomeBar", offset=offset_of(pilot, OutcomeBar, "17 errors"))
        # Once the number of all runs is known, the outcomes move to the right.
        await sees(pilot, "/ outcome:error", "20 of 240 runs", "20 errors", gone="900238")
        assert kinds_of(pilot) == {"error"}
        await pilot.click("OutcomeBar", offset=offset_of(pilot, OutcomeBar, "20 errors"))
        await sees(pilot, "240 runs", "/ filter by", "900239")
        await pilot.press("o")
        await sees(pilot, "/ outcome:failed", gone="900239")
        await pilot.press("O")
        await sees(pilot, "240 runs", "900239", gone="outcome:failed")


ALL: tuple[tuple[Kind, int], ...] = tuple((kind, 1_234) for kind in OUTCOMES)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_every_outcome_has_its_mark_in_the_bar_and_is_named_if_the_bar_is_wide(width: int) -> None:
    def drawn(runs: str, counts: tuple[tuple[Kind, int], ...], active: frozenset[str], loaded: str = "") -> str:
        bar = OutcomeBar()
        bar.set_reactive(OutcomeBar.outcomes, OutcomeCounts(runs, counts, active, loaded))
        with patch.object(OutcomeBar, "size", Size(width, 1)):
            return bar.render().plain

    line = drawn("100,000 runs", ALL, frozenset(), "of 7,404 loaded")
    assert ("1,234 failed" in line) == (width >= 100)
    assert line.startswith("100,000 runs")
    assert width < 100 or (len(line) <= width and "of 7,404 loaded" in line)
    assert all(mark in line for mark in MARKS.values())
    assert "✓ 0 " not in drawn("240 runs", (*ALL[:4], ("passed", 0)), frozenset()).replace("✓ 0 passed", "")
    line = drawn("12,345 of 100,000 runs", (("passed", 12_345),), frozenset({"passed"}))
    assert "✓ 12,345 passed" in line


def test_an_outcome_fills_its_column_and_in_a_narrow_column_loses_padding_first() -> None:
    chips = {room: fit_chip("◌ in progress", room) for room in (17, 15, 14, 13, 8)}
    padded = {17: " ◌ in progress   ", 15: " ◌ in progress ", 14: " ◌ in progress", 13: "◌ in progress"}
    assert chips == {**padded, 8: "◌ in pr…"}


# Columns and comparing


async def test_changes_in_the_columns_dialog_are_applied_to_the_list_at_once(quiet: Setup) -> None:
    applied: list[RunColumns] = []

    def apply(columns: RunColumns) -> Cells:
        applied.append(columns)
        return columns.cells(70)

    async with opened_dialog(quiet, lambda _: ColumnsDialog("", RunColumns(), apply)) as (app, pilot):
        await sees(pilot, "Of the run list", "[x] length", "no room in this terminal")
        await pilot.press(*"jj", "space", "j", "shift+up", "less_than_sign")
        await sees(pilot, "[ ] scenario", "hidden")
        changed = applied[-1]
        wide = dict(RunColumns().toggled("scenario").moved("agent", -1).cells(70))["agent"]
        assert changed == RunColumns().toggled("scenario").moved("agent", -1).sized("agent", wide - 1)
        await pilot.press("R")
        await sees(pilot, "[x] scenario", gone="hidden")
        assert applied[-1] == RunColumns()
        assert await answer(app, pilot, "enter") is None


async def test_two_marked_runs_or_a_run_and_its_last_passed_run_are_compared(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press("space", "equals_sign")
        await sees(pilot, "Compare takes two runs; 1 is marked.")
        await pilot.press("j", "space")
        await eventually(lambda: "space Mark  = Compare  i Improve" in footer(pilot), "the footer has the key")
        await pilot.press("equals_sign")
        await sees(pilot, "◀ Run 900239 · ✓ passed", "▶ Run 900237 · ✓ passed", "Differs from 00:06")
        await sees(pilot, "◀ Chest pain while booking  ▶ Move an ")
        await pilot.press("enter")
        await sees(pilot, "Run 900239  ✓ passed", "▸ Verdicts")
        await pilot.press("escape")
        await sees(pilot, "2 marked")
        await pilot.press("escape", "g")
        await on_run(pilot, 900238)
        await pilot.press("equals_sign")
        await sees(pilot, "◀ This run 900238", "▶ Last passed with transcript: ")
        no_crash(pilot)
