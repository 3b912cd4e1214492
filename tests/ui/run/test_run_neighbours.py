"""Keys that open the next or previous run of the list, and the requests that these keys cause."""

from __future__ import annotations

import pytest
from job_server import toasts
from run_pages import call, opened_from_list, path_of, reading, serve
from scripted_server import Hold, Reply, ScriptedServer
from waiting import answered, eventually
from watching import screen_text, still

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.ui.messages import Improve
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.runs.screen import RunsScreen

RUNS = [call(number, scenario_name=f"Scenario {number}") for number in (9, 8, 7, 6)]
BACK, ON = "left_square_bracket", "right_square_bracket"


async def test_r_pressed_before_the_next_run_arrives_shows_the_next_run_as_loading(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("Run 9 ", "6 turns")
        workspace = reader.page.state.workspace
        await answered(lambda: workspace.call(lambda session: session.known_run(8)), lambda known: known[1], "run 8")
        scripted.on("GET", path_of(7), Hold(Reply(RUNS[2])))
        await reader.press(ON)
        await reader.sees("Run 8 ", "6 turns")
        assert len(scripted.requests("GET", path_of(8))) == 1, "it was prefetched"
        reader.burst(ON, "r")
        await reader.sees("Loading run 7 …", gone="Scenario 8")


async def test_each_key_in_a_burst_goes_one_run_further_until_the_list_ends(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        await reader.sees("6 turns")
        reader.burst(ON, "i")
        requests = reader.pilot.app.requests  # type: ignore[attr-defined]
        await eventually(lambda: requests, "the prompt is to be improved")
        assert requests == [Improve((8,))]
        reader.burst(ON, ON, "d")
        await reader.sees("Run 6 ", "Run (id): 6")
        await reader.in_pane("details")
        await reader.press(BACK)
        await reader.sees("Run 7 ")
        reader.burst(ON, ON, ON)
        await reader.sees("Run 6 ", "6 turns")
        assert toasts(reader.pilot) == ["This is the last run in the list."]
        await reader.press(*([BACK] * 5))
        await reader.sees("Run 9 ", "6 turns")
        assert toasts(reader.pilot)[-1] == "This is the first run in the list."
        reader.listed.remove(9)
        await reader.press(ON)
        await eventually(lambda: len(toasts(reader.pilot)) == 3, "a third message")
        assert toasts(reader.pilot)[-1] == "This run is no longer in the list."
        await reader.sees("Run 9 ")


@pytest.mark.parametrize(
    ("keys", "pane"),
    [
        ("d", "details"),
        pytest.param("t", "transcript", marks=pytest.mark.long),
        pytest.param("e", "transcript", marks=pytest.mark.long),
        pytest.param("lx", "transcript", marks=pytest.mark.long),
    ],
)
async def test_keys_typed_right_after_enter_act_on_the_opened_run(
    scripted: ScriptedServer, keys: str, pane: str
) -> None:
    async with opened_from_list(scripted, *RUNS) as reader:
        app = reader.pilot.app
        await reader.press("escape")
        await eventually(lambda: isinstance(app.screen, RunsScreen), "the list")
        reader.burst("j", "enter", *keys, ON)
        await reader.sees("Run 7 ", "Verdicts ✗2 ✓1")
        await reader.in_pane(pane)
        await still(reader.pilot)
        assert reader.pane == pane
        await reader.press("escape", "escape")
        await eventually(lambda: isinstance(app.screen, RunsScreen), "the list is back")
        await eventually(lambda: app.screen.query_one(RunList).cursor_key == 7, "the cursor is on run 7")


async def test_a_run_that_cannot_be_loaded_shows_nothing_of_the_previous_run(scripted: ScriptedServer) -> None:
    serve(scripted, *RUNS)
    scripted.on(
        "GET", path_of(8), Reply({"detail": "Not found."}, 404)
    )  # before run 9 is opened, since run 8 is prefetched
    async with reading(scripted, *RUNS, served=False) as reader:
        await reader.sees("Run 9 ", "6 turns")
        await reader.press("slash", *"four", "enter", "d")
        await reader.sees("Run (id): 9")
        await reader.press(ON)
        await reader.sees("Run 8", "Not found", gone="Run (id): 9")
        for key in "dd":
            await reader.press(key)
            await still(reader.pilot)
        assert not {"9", "Luigi"} & set(screen_text(reader.pilot.app).split())
        await reader.press(ON)
        await reader.sees("Run 7 ", "Run (id): 7")
        await reader.press("tab")
        await reader.sees("“four” 1 of 2")  # the search is carried over
        await reader.press("n")
        await reader.sees("“four” 2 of 2")


async def test_the_run_stays_and_an_error_is_shown_if_the_list_cannot_be_read(scripted: ScriptedServer) -> None:
    async def refuse(run_id: int, step: int) -> int | None:
        raise CekuraTuiError("The list is locked.")

    async with reading(scripted, *RUNS) as reader:
        await reader.sees("6 turns")
        reader.page.loader.neighbour_of, as_before = refuse, reader.page.loader.neighbour_of
        await reader.press(ON)
        await reader.sees("The list is locked.", "Run 9 ")
        await reader.press("escape", "j")
        await reader.at(2)
        reader.page.loader.neighbour_of = as_before
        await reader.press(ON)
        await reader.sees("Run 8 ", "Scenario 8", "6 turns")


async def test_the_next_run_starts_at_its_top_in_the_same_pane(scripted: ScriptedServer) -> None:
    async with reading(scripted, *RUNS) as reader:
        for pane, number in (("transcript", 8), ("verdicts", 7), ("details", 6)):
            await reader.evidence()
            await reader.press("e", "tab", "j", "shift+tab", "t")
            while reader.pane != pane:
                await reader.press("tab")
            await reader.press(ON)
            await reader.sees(f"Run {number} ", f"Scenario {number}", "Verdicts ✗2", gone="without tools")
            await reader.evidence()
            await reader.in_pane(pane)
            assert (reader.turn, reader.verdict, reader.transcript.roles) == (1, "Right time", "")
            while reader.pane != "transcript":
                await reader.press("tab")
