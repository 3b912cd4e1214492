"""The screen of a run: panes, search, and messages for missing turns or server errors."""

from __future__ import annotations

import pytest
from app_on_a_server import SMALL, WIDE
from job_server import toasts
from run_pages import TURNS, by_number, call, opened_from_list, path_of, reading, serve
from scripted_server import Hold, Reply, ScriptedServer, serve_runs
from textual.dom import DOMNode
from waiting import eventually
from watching import still

from cekura_tui.ui.kit.dialog import DetailsDialog
from cekura_tui.ui.run.find_line import FindLine
from cekura_tui.ui.terminal.textual_private import AppStylesheet

NAMES = ("Verdicts ✗2 ✓1", "Details")
UNTIMED = [{"role": role, "content": text} for role, _, _, text in TURNS]


async def test_tab_or_d_or_a_click_focuses_a_pane(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reading(scripted, call(5), size=WIDE) as reader:
        await reader.sees("Transcript", "6 turns", "Right time  failed", "at seven, please", *NAMES)
        assert reader.pane == "transcript"
        page, styled = reader.page, list[DOMNode]()
        with monkeypatch.context() as patched:
            patched.setattr(AppStylesheet, "apply", lambda _, node, **__: styled.append(node))
            page._update_focus_styles(page.query_one("#verdicts"), page.query_one("#transcript"))
        assert {node.id for node in styled} == {"run-left", "run-right"}, "their content is styled as before"
        await reader.press("tab")
        await reader.in_pane("verdicts")
        await reader.sees("Right time  failed", "at seven, please")
        await reader.press("tab")
        await reader.in_pane("details")
        await reader.sees("scenario_name", "at seven, please", gone="Right time  failed")
        for keys, pane in (
            (("tab", "shift+tab", "shift+tab"), "verdicts"),
            (("d",), "details"),
            (("d",), "transcript"),
        ):
            await reader.press(*keys)
            await reader.in_pane(pane)
        await reader.pilot.click("#verdicts", offset=(4, 1))
        await reader.in_pane("verdicts")
        await eventually(lambda: page.navigator.pane == "verdicts", "the pane is that of the focus")
        await reader.press("tab")
        await reader.in_pane("details")


async def test_a_narrow_terminal_shows_one_pane_and_the_names_of_all_panes(scripted: ScriptedServer) -> None:
    transcript, verdicts = "at seven, please", "Right time  failed"
    async with reading(scripted, call(5)) as reader:
        for keys, shown, gone in (
            ((), transcript, verdicts),
            (("tab",), verdicts, transcript),
            (("tab",), "scenario_name", verdicts),
            (("shift+tab", "shift+tab"), transcript, verdicts),
        ):
            await reader.press(*keys)
            await reader.sees("Transcript", *NAMES, shown, gone=gone)


@pytest.mark.parametrize("pane", ["transcript", "verdicts", "details"])
@pytest.mark.long
async def test_focus_and_position_stay_when_the_terminal_width_changes(scripted: ScriptedServer, pane: str) -> None:
    async with reading(scripted, call(5, TURNS * 8)) as reader:
        await reader.sees("48 turns")
        await reader.press(*("j" * 20))
        await reader.at(21)
        while reader.pane != pane:
            await reader.press("tab")
        for size in (WIDE, SMALL, WIDE, SMALL):
            await reader.pilot.resize_terminal(*size)
            await still(reader.pilot)
            await reader.sees("Transcript", *NAMES)
            assert (reader.pane, reader.page.navigator.pane, reader.turn) == (pane, pane, 21)
            if size == WIDE or pane == "transcript":
                assert 21 in reader.turns_on_screen


async def test_a_search_counts_matches_and_wraps_around_and_lasts_until_escape(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5), size=WIDE) as reader:
        await reader.sees("6 turns", "Right time  failed")
        for key, pane in (("tab", "verdicts"), ("shift+tab", "details")):
            await reader.press("slash", *"table", key)
            await reader.sees("“table” 1 of 2", gone="Find  table")
            assert reader.pane == pane
            assert not reader.page.query_one(FindLine).is_open
            await reader.press("tab" if pane == "details" else "shift+tab")
            await reader.in_pane("transcript")
        await reader.press("tab", "escape")
        await reader.sees("Right time  failed", gone="“table”")
        await reader.in_pane("verdicts")
        assert not reader.transcript.search_query
        await reader.press("slash", *"table")
        await reader.sees("“table” 1 of 2")
        await reader.press("enter", "n")
        await reader.sees("“table” 2 of 2")
        await reader.in_pane("transcript")
        await reader.at(3)
        await reader.press("n")
        await reader.sees("“table” 1 of 2")
        await reader.press("N")
        await reader.sees("“table” 2 of 2", "esc Clear search")
        await reader.press("slash", *"caller:table")
        await reader.sees("“caller:table” 1 of 1")
        await reader.press("enter", "slash", *"xyz")
        await reader.sees("“xyz” no match")
        await reader.press("enter", "n")
        await reader.sees("No match here")
        await reader.press("escape")
        await reader.sees("6 turns", "esc Back", gone="“xyz”")
        assert reader.pane == "transcript"
        page = reader.page
        await reader.press("slash", "enter", "j")
        await reader.at(3)
        assert not page.query_one(FindLine).is_open  # enter on an empty line just closes it
        await reader.press("escape")
        await eventually(lambda: reader.pilot.app.screen is not page, "the page is left")


async def test_details_are_searched_on_enter_and_keys_of_a_burst_act_in_order(
    scripted: ScriptedServer,
) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns")
        await reader.press("tab", "slash")  # verdicts can't be searched, so it switches to the transcript
        await reader.sees("Find", "at seven, please")
        await reader.press("escape", "d", "slash", *"telephone")
        await reader.sees("Find", "telephone")
        assert not reader.details.search_query
        await reader.press("enter")
        await reader.sees("1 of 1 “telephone”", "I am only the telephone.")
        await reader.press("enter")
        await reader.in_pane("transcript")
        await reader.at(5)
        await reader.press("d", "escape")
        assert not reader.details.search_query
        await reader.in_pane("details")
        reader.burst("tab", "g", "slash", *"txx", "backspace", "backspace", *"able", "enter", "n", "j")
        await reader.at(4)
        await reader.sees("“table” 2 of 2")
        reader.burst("escape", "tab", "j", "shift+tab", "k", "k")
        await reader.at(2)
        assert (reader.verdict, reader.transcript.search_query) == ("Tone", "")
        reader.burst("d", "slash", *"seven", "enter", "n")
        await reader.sees("2 of ", "“seven”")


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"transcript_object": None}, "This run has no transcript."),
        ({"transcript_object": {"__encrypted__": "abc"}}, "This transcript is encrypted (3 characters"),
        ({"transcript_object": None, "transcript": "Main Agent: Hi.\nTesting Agent: Hi."}, "Only text was sent, "),
        ({"transcript_object": UNTIMED}, "None of the 6 turns has a time."),
    ],
)
async def test_a_note_says_what_the_transcript_of_a_run_lacks(
    scripted: ScriptedServer, fields: dict[str, object], note: str
) -> None:
    async with reading(scripted, call(5, **fields), size=WIDE) as reader:
        await reader.sees(note, "Right time  failed")
        await reader.press("l")
        assert (reader.turn or 1) == 1
        assert fields != {"transcript_object": UNTIMED} or reader.strip.size.height == 1
        await reader.press("tab", "tab", "tab", "e", "n", "escape", "t", "left", "right")


async def test_data_from_the_run_list_is_shown_until_the_server_answers(scripted: ScriptedServer) -> None:
    hold = Hold(Reply(call(5)))
    run = call(5, scenario_name="Books [a] table", personality_name="In a hurry")
    serve(scripted, run)
    scripted.on("GET", path_of(5), hold)
    async with opened_from_list(scripted, run, served=False, gone="") as reader:
        await reader.sees("Run 5  ✗ 2 checks", "Books [a] table", "In a hurry", "Loading run 5")
        await reader.press("tab", *"jentl", "left", "equals_sign", "y", "enter", "r", "L", "L", "shift+tab", "tab")
        await reader.sees("Loading run 5")
        hold.released.set()
        await reader.sees("Verdicts ✗2", gone="Loading")


async def test_enter_shows_the_whole_error_and_r_retries(scripted: ScriptedServer) -> None:
    serve(scripted, call(5))
    scripted.on("GET", path_of(5), Reply({"detail": "Not [/red] today."}, 400))
    async with reading(scripted, call(5), served=False) as reader:
        await reader.sees("Run 5  ✗ 2 checks", "Not [/red] today.", "r retries")
        asked = len(scripted.requests("GET", path_of(5)))
        await reader.press("tab")
        await reader.sees("Not [/red] today.")
        await reader.press("enter")
        await eventually(lambda: isinstance(reader.pilot.app.screen, DetailsDialog), "the whole error")
        await reader.press("escape")
        await still(reader.pilot)
        assert len(scripted.requests("GET", path_of(5))) == asked
        serve_runs(scripted, call(5))
        await reader.press("r")
        await reader.sees("Right time  failed", gone="r retries")
        await reader.in_pane("verdicts")


async def test_a_run_opened_by_its_id_has_no_next_run_and_can_be_copied(scripted: ScriptedServer) -> None:
    async with by_number(scripted, call(5)) as reader:
        await reader.sees("6 turns")
        await reader.press("right_square_bracket")
        await reader.pilot.pause()
        assert toasts(reader.pilot) == ["This run was opened by its ID, not from a list."]
        await reader.press("j", "y")
        await reader.sees("Copy or save run 5", "esc")
        await reader.press("escape")
        await reader.at(2)
