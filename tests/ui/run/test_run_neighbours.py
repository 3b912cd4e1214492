"""From run to run of the filtered list, and how little is asked of the server for it."""

from __future__ import annotations

import pytest
from office import toasts
from run_pages import Reader, call, path_of, reading, reading_served, serve
from scripted_server import Hold, Reply, ScriptedServer
from waiting import answered, eventually
from watching import screen_text, still

from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.runs.screen import RunsScreen

RUNS = [call(number, scenario_name=f"Scenario {number}") for number in (9, 8, 7, 6)]
BACK, ON = "left_square_bracket", "right_square_bracket"


def asked(server: ScriptedServer, number: int) -> int:
    return len(server.requests("GET", path_of(number)))


async def prefetched(reader: Reader, number: int) -> None:
    """Wait until a run was fetched ahead and is cached."""

    async def cached() -> bool:
        return (await reader.page.state.workspace.call(lambda session: session.known_run(number)))[1]

    await answered(cached, bool, f"run {number} was fetched ahead")


async def test_the_next_run_is_there_before_one_goes_to_it_and_is_asked_for_once(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("Scenario 9", "6 turns")
        await prefetched(reader, 8)
        assert asked(scripted, 7) == 0
        await reader.press(ON)
        await reader.sees("Run 8 ", "Scenario 8", "6 turns")
        await prefetched(reader, 7)
        await reader.press(ON)
        await reader.sees("Run 7 ", "6 turns")
        await prefetched(reader, 6)
        await reader.press(BACK, BACK)
        await reader.sees("Run 9 ", "6 turns")
        await still(reader.pilot)
        assert [asked(scripted, number) for number in (9, 8, 7, 6)] == [1, 1, 1, 1]


async def test_r_always_asks(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("6 turns")
        for times in (2, 3):
            await reader.press("r")
            await eventually(lambda times=times: asked(scripted, 9) == times, f"asked {times} times")


async def test_leafing_fast_goes_as_many_runs_on_as_keys_were_pressed_and_stops_at_the_ends(
    scripted: ScriptedServer,
) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("6 turns")
        reader.burst(ON, ON)
        await reader.sees("Run 7 ", "Scenario 7", "6 turns")
        reader.burst(ON, ON, ON)
        await reader.sees("Run 6 ", "Scenario 6", "6 turns")
        assert toasts(reader.pilot) == ["This is the last run in the list."]
        await reader.press(*([BACK] * 5))
        await reader.sees("Run 9 ", "6 turns")
        assert toasts(reader.pilot)[-1] == "This is the first run in the list."


@pytest.mark.parametrize(
    ("keys", "pane"),
    [
        (["d"], "details"),
        (["t"], "transcript"),
        (["right"], "transcript"),
        (["e"], "transcript"),
        (["tab"], "verdicts"),
        (["l", "x"], "transcript"),
    ],
)
@pytest.mark.long
async def test_a_key_that_comes_with_the_enter_that_opens_a_run_is_for_the_run(
    scripted: ScriptedServer, keys: list[str], pane: str
) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("6 turns")
        await reader.press("escape")
        await eventually(lambda: isinstance(reader.pilot.app.screen, RunsScreen), "the list")
        reader.burst("j", "enter", *keys, ON)
        await reader.sees("Run 7 ", "Verdicts ✗2 ✓1")
        await reader.in_pane(pane)
        await still(reader.pilot)
        assert reader.pane == pane
        assert reader.pilot.app._exception is None


async def test_a_key_that_comes_with_the_one_that_leads_on_is_for_the_run_it_leads_to(
    scripted: ScriptedServer,
) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("Run 9 ", "6 turns")
        reader.burst(ON, "i")
        await reader.sees("Improve the prompt", "Runs  8 ✗")
        await reader.press("escape")
        reader.burst(ON, ON, "d")
        await reader.sees("Run 6 ", "Run (id): 6")
        await reader.in_pane("details")


async def test_of_a_run_that_cannot_be_read_nothing_of_the_one_before_is_shown(scripted: ScriptedServer) -> None:
    serve(scripted, *RUNS)
    # Before run 9 is opened, for run 8 is then fetched ahead.
    scripted.on("GET", path_of(8), Reply({"detail": "Not found."}, 404))
    async with reading_served(scripted, 9) as reader:
        await reader.sees("Run 9 ", "6 turns")
        await reader.press("slash", *"four", "enter", "d")
        await reader.sees("Run (id): 9")
        await reader.press(ON)
        await reader.sees("Run 8", "Not found", gone="Run (id): 9")
        await reader.press("d")
        await still(reader.pilot)
        await reader.press("x")
        await still(reader.pilot)
        assert not {"9", "Luigi"} & set(screen_text(reader.pilot.app).split())
        await reader.press(ON)
        await reader.sees("Run 7 ", "Run (id): 7")
        await reader.press("tab")
        await reader.sees("“four” 1 of 2")


async def test_a_run_that_is_asked_for_again_before_it_is_there_is_shown_as_loading(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("Run 9 ", "6 turns")
        await prefetched(reader, 8)
        scripted.on("GET", path_of(7), Hold(Reply(RUNS[2])))
        await reader.press(ON)
        await reader.sees("Run 8 ", "6 turns")
        reader.burst(ON, "r")
        await reader.sees("Loading run 7 …", gone="Scenario 8")


async def test_leaving_puts_the_cursor_of_the_list_on_the_run_shown_last(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS, down=1) as reader:
        await reader.sees("Run 8 ", "6 turns")
        await reader.press(ON)
        await reader.sees("Run 7 ", "6 turns")
        await reader.press("escape")
        await eventually(lambda: isinstance(reader.pilot.app.screen, RunsScreen), "the list is back")
        await eventually(lambda: reader.pilot.app.screen.query_one(RunList).cursor_key == 7, "the cursor is on run 7")


async def test_what_is_searched_is_searched_in_the_next_run_too(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.press("slash", *"four", "enter")
        await reader.sees("Run 9 ", "“four” 1 of 2")
        await reader.press(ON)
        await reader.sees("Run 8 ", "Scenario 8", "“four” 1 of 2")
        await reader.press("n")
        await reader.sees("“four” 2 of 2")


@pytest.mark.parametrize("pane", ["transcript", "verdicts", "details"])
async def test_another_run_begins_at_its_top_in_the_same_pane(scripted: ScriptedServer, pane: str) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.evidence()
        await reader.press("e", "tab", "j", "shift+tab", "t")
        while reader.pane != pane:
            await reader.press("tab")
        await reader.press(ON)
        await reader.sees("Run 8 ", "Scenario 8", "Verdicts ✗2", gone="without tools")
        await reader.evidence()
        await reader.in_pane(pane)
        assert (reader.turn, reader.verdict, reader.transcript.roles) == (1, "Right time", "")
        await reader.press("j")
        await still(reader.pilot)
        assert reader.pane == pane


async def test_while_the_next_run_is_read_keys_do_no_harm_and_the_pane_stays(scripted: ScriptedServer) -> None:
    serve(scripted, *RUNS)
    hold = Hold(Reply(RUNS[1]))
    scripted.on("GET", path_of(8), hold)
    async with reading_served(scripted, 9) as reader:
        await reader.sees("6 turns")
        await reader.press("tab", ON)
        await reader.sees("Run 8", "Loading run 8")
        await reader.press("j", "enter", "e", "n", "l", "tab", "shift+tab")
        hold.released.set()
        await reader.sees("Run 8 ", "Right time  failed", gone="Loading")


async def test_a_run_that_left_the_list_says_so_and_not_that_it_was_the_last(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("6 turns")
        serve(scripted, *RUNS[1:])
        runs = reader.pilot.app.screen_stack[0]
        assert isinstance(runs, RunsScreen)
        runs.controller.feed.refresh()
        await eventually(lambda: runs.controller.listing.place_of(9) is None, "run 9 left the list")
        await reader.press(ON)
        await eventually(lambda: toasts(reader.pilot), "a sentence")
        assert toasts(reader.pilot) == ["This run is no longer in the list."]
        await reader.sees("Run 9 ")
