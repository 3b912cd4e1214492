"""The run list: what is where, and that data which comes never takes the place of what one looks at."""

from __future__ import annotations

from app_on_a_server import LAUNCH, LIST, SMALL, Served, launched, no_crash, on_run, opened
from odd_runs import LONG_RUN
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.runs.list import RunList
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
        await sees(pilot, "900231 ✗", "of 200 loaded")
        before = screen_text(pilot.app)
        asked = len(served.asked(LIST))
        await pilot.press("r")
        await eventually(lambda: len(served.asked(LIST)) == asked + 2, "the list is asked for again, and a page ahead")
        await sees(pilot, "of 200 loaded")
        assert runs_of(pilot).cursor_key == 900231
        assert screen_text(pilot.app).split("\n")[1:] == before.split("\n")[1:]


async def test_the_preview_follows_the_cursor(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900238)
        await sees(pilot, "900238 ✗ 4 checks", "✗ Identity checked")
        await pilot.press("k")
        await sees(pilot, "900239 ✓ passed", gone="✗ Identity checked")


async def test_sixteen_runs_are_in_sight_on_a_small_terminal(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs", "900240", "900225")
        assert runs_of(pilot).size.height >= 16


async def test_three_marked_runs_of_one_agent_go_into_one_job(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press("space", "j", "space", "j", "j", "space")
        await sees(pilot, "3 marked")
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "792 words", "900239", "900238", "900236", gone="Reading")
        await pilot.press("enter")
        await eventually(lambda: served.asked(LAUNCH, "POST"), "a launch")
        (sent,) = served.asked(LAUNCH, "POST")
        assert sorted(sent["run_ids"]) == [900236, 900238, 900239]  # type: ignore[type-var]
        await sees(pilot, "240 runs", gone="marked")


async def test_a_fourth_marked_run_is_refused_with_a_sentence_and_nothing_is_sent(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        await pilot.press(*(["space", "j"] * 4))
        await sees(pilot, "4 marked")
        await pilot.press("i")
        await sees(pilot, "4 runs are marked; a job takes up to 3", "Unmark")
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
        await pilot.press("space", "i")
        await sees(pilot, "different agents", "900238 of Riverside Clinic", "900234 of")
        await pilot.press("escape")
        await sees(pilot, "2 marked")
        assert served.asked(LAUNCH, "POST") == []


async def test_failures_only_leaves_out_what_passed_and_comes_back_to_all(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("exclamation_mark")
        await sees(pilot, "/ outcome:failed,error", "900238", gone="900239")
        kinds = {row.outcome.kind for row in runs_of(pilot).rows if isinstance(row, RunRow)}
        assert kinds == {"failed", "error"}
        await pilot.press("exclamation_mark", "g")
        await sees(pilot, "240 runs", "900239", gone="outcome:failed")


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
        await sees(pilot, "240 runs", "Jobs none yet")
        await pilot.press("J")
        await sees(pilot, "240 runs", gone="Jobs none yet")
        await pilot.press("J")
        await sees(pilot, "Jobs none yet")


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
