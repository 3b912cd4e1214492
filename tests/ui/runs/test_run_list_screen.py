"""The run list: what is where, and that data which comes never takes the place of what one looks at."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from app_on_a_server import LAUNCH, LIST, SMALL, WIDE, Served, launched, no_crash, on_run, opened
from odd_runs import LONG_RUN
from textual.geometry import Offset, Size
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.columns import NAMES
from cekura_tui.model.run.outcome import MARKS, Kind
from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.kit.palette import commands_on
from cekura_tui.ui.runs.header import OutcomeBar
from cekura_tui.ui.runs.list import RunList, RunListHeader, fit_chip
from cekura_tui.ui.runs.outcomes import OUTCOMES, OutcomeCounts
from cekura_tui.ui.runs.screen import RunsScreen


def runs_of(pilot: Pilot[None]) -> RunList:
    return pilot.app.screen.query_one(RunList)


async def test_all_240_runs_come_as_one_scrolls_each_page_asked_for_once(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded")
        runs = runs_of(pilot)
        await pilot.press("G")
        await sees(pilot, "240 runs", "900001", gone="loaded")
        assert [row.id for row in runs.rows if isinstance(row, RunRow)] == list(range(900240, 900000, -1))
        await pilot.press("g", "G", "g", "G")
        await sees(pilot, "900001")
        assert sorted(str(asked["query"]).count("created_at_to") for asked in served.asked(LIST)) == [0, 1, 1]


async def test_the_cursor_stays_on_its_run_when_the_list_is_read_again(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900231)
        await sees(pilot, "Run 900231 · ✗", "of 200 loaded")
        before, rows = screen_text(pilot.app), runs_of(pilot).rows
        asked = len(served.asked(LIST))
        await pilot.press("r")
        await eventually(lambda: len(served.asked(LIST)) == asked + 2, "the list is asked for again, and a page ahead")
        await eventually(lambda: runs_of(pilot).rows is not rows, "the list came")
        await sees(pilot, "of 200 loaded")
        assert runs_of(pilot).cursor_key == 900231
        assert screen_text(pilot.app).split("\n")[1:] == before.split("\n")[1:]


async def test_the_preview_follows_the_cursor(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        await sees(pilot, "Run 900238 · ✗ 4 checks", "✗ Identity checked")
        await pilot.press("k")
        await sees(pilot, "Run 900239 · ✓ passed", gone="✗ Identity checked")


async def test_sixteen_runs_are_in_sight_on_a_small_terminal(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs", "900240", "900225")
        assert runs_of(pilot).size.height >= 16


async def test_three_marked_runs_of_one_agent_go_into_one_job(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press("space", "space", "j", "space")
        await sees(pilot, "3 marked")
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "792 words", "900239", "900238", "900236", gone="Loading")
        await pilot.press("ctrl+g")
        await eventually(lambda: served.asked(LAUNCH, "POST"), "a launch")
        (sent,) = served.asked(LAUNCH, "POST")
        assert sorted(sent["run_ids"]) == [900236, 900238, 900239]  # type: ignore[type-var]
        await sees(pilot, "240 runs", gone="marked")


async def test_a_fourth_marked_run_is_refused_with_a_sentence_and_nothing_is_sent(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press(*["space"] * 4)
        await sees(pilot, "4 marked")
        await pilot.press("i")
        await sees(pilot, "4 runs marked; a job takes up to 3", "Unmark")
        await pilot.press("escape")
        await sees(pilot, "4 marked", gone="takes up to")
        await pilot.press("escape")
        await sees(pilot, "240 runs", gone="marked")
        assert served.asked(LAUNCH, "POST") == []


async def test_runs_of_two_agents_are_refused_with_a_sentence_and_nothing_is_sent(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        await pilot.press("space")
        await on_run(pilot, 900234)
        await sees(pilot, "900234")
        served.log.clear()
        await pilot.press("space", "i")
        await sees(pilot, "2 marked · 2 agents: improve takes runs of one", "Mark runs of one agent only: 900238")
        assert len(pilot.app.screen_stack) == 1
        assert [entry for entry in served.log if "/agents/" in str(entry["path"])] == []


async def test_failures_only_leaves_out_what_passed_and_comes_back_to_all(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("exclamation_mark")
        await sees(pilot, "/ outcome:failed,error", "900238", gone="900239")
        kinds = {row.outcome.kind for row in runs_of(pilot).rows if isinstance(row, RunRow)}
        assert kinds == {"failed", "error"}
        await pilot.press("exclamation_mark", "g")
        await sees(pilot, "240 runs", "900239", gone="outcome:failed")


@pytest.mark.long
async def test_neighbours_are_reached_from_an_open_run_and_the_cursor_comes_along(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        await pilot.press("enter")
        await sees(pilot, "Run 900238", "14 turns")
        await pilot.press("right_square_bracket")
        await sees(pilot, "Run 900237", "Transcript", gone="Run 900238")
        await pilot.press("right_square_bracket")
        await sees(pilot, "Run 900236")
        await pilot.press("left_square_bracket")
        await sees(pilot, "Run 900237")
        await pilot.press("escape")
        await sees(pilot, "240 runs")
        assert runs_of(pilot).cursor_key == 900237


async def test_beyond_the_first_run_there_is_a_sentence_and_no_other_run(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900240)
        await pilot.press("enter")
        await sees(pilot, "Run 900240")
        await pilot.press("left_square_bracket")
        await sees(pilot, "This is the first run", "Run 900240")


async def test_another_project_is_picked_by_name_and_remembered(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("p")
        await sees(pilot, "List runs of", "Hospitality and grid", "Northgrid")
        await pilot.press(*"hospit")
        await sees(pilot, "Hospitality and grid", gone="Harbour Bank")
        await pilot.press("enter")
        await sees(pilot, "60 runs", "Hospitality and grid", gone="240 runs")
        no_crash(pilot)
    async with opened(served.setup(project=None)) as pilot:
        await sees(pilot, "60 runs", "Hospitality and grid")


async def test_one_agent_alone_can_be_picked(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("p")
        await sees(pilot, "Harbour Bank, card line", "Northgrid")
        await pilot.press(*"riverside")
        await sees(pilot, "Riverside Clinic, appointments", gone="Northgrid")
        await pilot.press("enter")
        await sees(pilot, "Riverside Clinic, appointments", "runs", gone="240 runs")
        await eventually(lambda: runs_of(pilot).rows, "rows")
        assert {row.agent_id for row in runs_of(pilot).rows} == {1201}


async def test_escape_leaves_the_picker_with_the_same_runs(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900236)
        await pilot.press("p")
        await sees(pilot, "List runs of")
        await pilot.press("escape")
        await sees(pilot, "240 runs", gone="List runs of")
        assert runs_of(pilot).cursor_key == 900236


async def test_the_jobs_pane_is_shown_and_hidden(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "Jobs · none yet")
        await pilot.press("J")
        await sees(pilot, "240 runs", gone="Jobs · none yet")
        await pilot.press("J")
        await sees(pilot, "Jobs · none yet")


async def test_a_call_of_3000_turns_opens_and_its_last_turn_is_one_key_away(served: Served) -> None:
    async with opened(served.setup(), run_id=LONG_RUN) as pilot:
        await sees(pilot, f"Run {LONG_RUN}", "3,000 turns", "Meridian Air rebooking, good day")
        await pilot.press("G")
        await sees(pilot, "3:29:56", "You know what, I'll take the very first one")
        await pilot.press("g")
        await sees(pilot, "0:00:00", "Meridian Air rebooking, good day")
        no_crash(pilot)


async def test_a_list_that_is_empty_for_a_moment_keeps_the_focus(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await launched(pilot, 900238)
        await sees(pilot, "1 succeeded")
        screen, runs = pilot.app.screen, runs_of(pilot)
        assert isinstance(screen, RunsScreen)
        listing = screen.controller.listing
        for wanted, empty in ((parse("agent:nobody").filter, True), (listing.filter, False)):
            listing.change_filter(wanted)
            screen.draw()
            assert (not runs.display) == empty
            screen._refresh_layout()  # Textual tells a list that it is hidden, and it may hear of it late
        await pilot.pause()
        assert screen.focused is runs


async def test_a_click_on_an_outcome_lists_its_runs_alone_and_a_second_one_all(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "17 errors", "of 200 loaded")
        await pilot.click("OutcomeBar", offset=offset_of(pilot, OutcomeBar, "17 errors"))
        await sees(pilot, "/ outcome:error", "20 errors", gone="900238")
        assert {row.outcome.kind for row in runs_of(pilot).rows if isinstance(row, RunRow)} == {"error"}
        await pilot.click("OutcomeBar", offset=offset_of(pilot, OutcomeBar, "20 errors"))
        await sees(pilot, "240 runs", "900238", gone="outcome:error")
        await pilot.press("o")
        await sees(pilot, "/ outcome:failed", gone="900239")
        await pilot.press("O")
        await sees(pilot, "240 runs", "900239", gone="outcome:failed")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_the_outcomes_fit_into_a_line_and_say_of_how_many_runs_they_are(width: int) -> None:
    counts: tuple[tuple[Kind, int | None], ...] = tuple((kind, 1_234) for kind in OUTCOMES)
    bar = OutcomeBar()
    bar.set_reactive(OutcomeBar.outcomes, OutcomeCounts("100,000 runs", counts, frozenset(), "of 7,404 loaded"))
    with patch.object(OutcomeBar, "size", Size(width, 1)):
        line = bar.render().plain
    assert ("1,234 failed" in line) == (width >= 100)
    assert line.startswith("100,000 runs")
    assert width < 100 or len(line) <= width
    assert width < 100 or "of 7,404 loaded" in line
    assert all(mark in line for mark in MARKS.values())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_outcomes_that_the_filter_leaves_out_give_way_to_the_count_of_those_it_asks_for(width: int) -> None:
    counts: tuple[tuple[Kind, int | None], ...] = tuple(
        (kind, 12_345 if kind == "passed" else None) for kind in OUTCOMES
    )
    bar = OutcomeBar()
    bar.set_reactive(OutcomeBar.outcomes, OutcomeCounts("12,345 of 100,000 runs", counts, frozenset({"passed"})))
    with patch.object(OutcomeBar, "size", Size(width, 1)):
        line = bar.render().plain
    assert len(line) <= width
    assert "✓ 12,345 passed" in line
    assert ("✗ failed" in line) == ("to review" in line) == (width == 120)


async def test_a_click_on_the_name_of_a_column_sorts_by_it_and_a_second_one_the_other_way_round(
    served: Served,
) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "of 200 loaded", "when ▼")
        await pilot.click("#runs-header", offset=offset_of(pilot, RunListHeader, "agent"))
        await sees(pilot, "agent ▼")
        agents = [row.agent for row in runs_of(pilot).rows if isinstance(row, RunRow)]
        assert agents == sorted(agents, key=str.casefold)
        await pilot.click("#runs-header", offset=offset_of(pilot, RunListHeader, "agent"))
        await sees(pilot, "agent ▲")
        assert pilot.app.focused is runs_of(pilot)


async def test_each_order_is_in_the_palette_by_its_name(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        offered = {command.name: command for command in commands_on(pilot.app.screen)}
        assert {f"Sort by {name}" for name in NAMES} <= offered.keys()
        await pilot.press("colon", *"by", "space", *"length", "enter")
        await sees(pilot, "length▼")


@pytest.mark.long
async def test_columns_are_chosen_in_a_dialog_and_are_there_after_a_restart(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "when ▼", gone="personality")
        await pilot.press("c")
        await sees(pilot, "Columns", "Of the run list", "no room in this terminal")
        await pilot.resize_terminal(160, 48)
        await sees(pilot, "Columns", gone="no room in this terminal")
        await pilot.resize_terminal(*WIDE)
        await sees(pilot, "no room in this terminal")
        await pilot.press(*"jjjj", "space", "j", "space", "k", "space", "K", "greater_than_sign")
        await sees(pilot, "hidden", "personality")
        await pilot.press("escape")
        await sees(pilot, "scenario", "personal…", gone="length")
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "personal…", "agent", gone="length")
        await pilot.press("c", "r", "escape")
        await sees(pilot, "length", gone="personality")


async def test_a_view_has_columns_of_its_own(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "length")
        await pilot.press("v", "j", "enter")
        await sees(pilot, "/ outcome:error")
        await pilot.press("c")
        await sees(pilot, "Of the view “Errors”")
        await pilot.press(*"jjjjj", "space", "enter")
        await sees(pilot, "/ outcome:error", "when ▼", gone="length")
        await pilot.press("slash", "ctrl+u", "enter")
        await sees(pilot, "240 runs", "length")
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "length")
        await pilot.press("o", "o")
        await sees(pilot, "/ outcome:error", "when ▼", gone="length")


async def test_the_first_keys_of_the_footer_are_those_that_matter_now(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await on_run(pilot, 900239)
        assert footer(pilot).startswith("enter Open  space Mark  i Improve  / Filter  ! Failures  ")
        await pilot.press("space")
        await sees(pilot, "esc Unmark all")
        await pilot.press("escape")
        await sees(pilot, "/ Filter", gone="Unmark all")


async def test_two_marked_runs_are_compared_and_enter_opens_the_newer_one_at_its_turn(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press("space", "equals_sign")
        await sees(pilot, "Mark two runs to compare them.")
        await pilot.press("j", "space")
        await eventually(lambda: "space Mark  = Compare  i Improve" in footer(pilot), "the footer has the key")
        await pilot.press("equals_sign")
        await sees(pilot, "◀ Run 900239 · ✓ passed", "▶ Run 900237 · ✓ passed", "Differs from 00:06")
        await sees(pilot, "◀ Chest pain while booking  ▶ Move an ")
        await pilot.press("n", "enter")
        await sees(pilot, "Run 900239  ✓ passed", "▸ Verdicts")
        await pilot.press("escape")
        await sees(pilot, "2 marked")
        no_crash(pilot)


async def test_without_marks_a_run_is_compared_with_the_last_passed_one(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        await pilot.press("equals_sign")
        await sees(pilot, "◀ This run 900238", "▶ Last passed run ")
        await pilot.press("escape", "slash", "equals_sign")
        await eventually(lambda: pilot.app.screen.query(Input).first().value == "=", "it is a letter in the filter")
        no_crash(pilot)


async def test_where_one_is_takes_two_lines_on_a_wide_screen_and_one_on_a_narrow(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "as of")
        first, second = screen_text(pilot.app).split("\n")[:2]
        assert first.split("  ")[0] == " Profile default"
        assert "Agent  all agents" in first
        assert "paused, as of" in first
        assert second.startswith(" Project Front desks")
        assert second.endswith("no jobs running")
        await pilot.resize_terminal(*SMALL)
        await sees(pilot, " default · Front desks", "paused, as of", gone="Agent  all")


def offset_of(pilot: Pilot[None], kind: type[Widget], text: str) -> Offset:
    """Where a text is in a widget of one line."""
    widget = pilot.app.screen.query_one(kind)
    region = widget.content_region
    line = screen_text(pilot.app).split("\n")[region.y]
    return Offset(line.index(text) - widget.region.x, 0)


def footer(pilot: Pilot[None]) -> str:
    return screen_text(pilot.app).split("\n")[-1].strip()


@pytest.mark.parametrize(
    ("room", "chip"),
    [
        (17, " ◌ in progress   "),
        (15, " ◌ in progress "),
        (14, " ◌ in progress"),
        (13, "◌ in progress"),
        (8, "◌ in pr…"),
    ],
)
def test_a_chip_is_as_wide_as_its_column_and_its_blanks_make_room_for_its_words(room: int, chip: str) -> None:
    assert fit_chip("◌ in progress", room) == chip
