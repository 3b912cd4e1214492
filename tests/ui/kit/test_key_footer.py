"""The last line: the keys that do something here, and the mouse on them."""

from __future__ import annotations

import re

from app_on_a_server import WIDE, opened, setup_of
from office import DONE, JobServer, launch
from run_pages import call, reading, serve
from scripted_server import ScriptedServer, run_of
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.ui.kit.footer import KeyFooter

KEY = "key-of-the-test"


def last_line(text: str) -> str:
    return text.splitlines()[-1]


async def test_a_click_on_a_key_is_that_key(scripted: ScriptedServer) -> None:
    serve(scripted, run_of(5))
    async with opened(setup_of(scripted.url, KEY, 1), size=WIDE) as pilot:
        await sees(pilot, "1 run", "enter Open", "? Keys")
        for key, opened_by_it in (("? Keys", "HelpDialog"), ("enter Open", "RunScreen")):
            await pilot.click(KeyFooter, offset=(last_line(screen_text(pilot.app)).index(key), 0))
            await eventually(lambda: type(pilot.app.screen).__name__ == opened_by_it, opened_by_it)  # noqa: B023
            await pilot.press("escape")
            await sees(pilot, "1 run", "enter Open")


async def test_a_click_beside_the_keys_is_none(scripted: ScriptedServer) -> None:
    serve(scripted, run_of(5))
    async with opened(setup_of(scripted.url, KEY, 1), size=WIDE) as pilot:
        await sees(pilot, "1 run", "q Quit")
        await pilot.click(KeyFooter, offset=(len(last_line(screen_text(pilot.app))) + 1, 0))
        await pilot.click(KeyFooter, offset=(last_line(screen_text(pilot.app)).index("q Quit") - 1, 0))
        await sees(pilot, "1 run", "q Quit")
        assert pilot.app.is_running


async def test_where_there_is_no_room_for_all_whole_ones_are_left_out_and_the_key_to_all_stays(
    scripted: ScriptedServer,
) -> None:
    async with reading(scripted, call(5), size=(80, 24)) as reader:
        await reader.sees("6 turns")
        whole = "tab Pane  e Evidence  i Improve  / Find  esc Back  ] Next run"
        assert last_line(screen_text(reader.pilot.app)) == f" {whole}  ? Keys"
        await reader.pilot.resize_terminal(62, 24)
        await reader.sees("esc Back  ? Keys")


async def test_a_job_that_ended_is_counted_on_every_page_until_it_is_opened(scripted: ScriptedServer) -> None:
    office = JobServer(scripted)
    async with opened(office.setup, size=(160, 48)) as pilot:
        await sees(pilot, "30 runs")
        await pilot.press("enter")
        await sees(pilot, "Run 130")
        for _ in range(2):
            await launch(pilot.app.state.workspace)  # type: ignore[attr-defined]
        await eventually(lambda: last_line(screen_text(pilot.app)).endswith("2 running"), "jobs run")
        office.ends = {"p1": DONE}
        await eventually(lambda: last_line(screen_text(pilot.app)).endswith("1 running  • 1 new · U"), "one ended")
        await pilot.press("escape", "slash")
        await eventually(lambda: last_line(screen_text(pilot.app)).endswith("  • 1 new"), "U is a letter")
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await sees(pilot, "! Failures  ? Keys    • 1 new · U")
        await pilot.click(KeyFooter, offset=(77, 0))
        await sees(pilot, "Suggestion of job 1", gone="1 new")


async def test_it_is_drawn_only_where_other_keys_do_something(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5), size=WIDE) as reader:
        await reader.sees("Right time  failed", "6 turns", "e Evidence")
        footer = reader.pilot.app.screen.query_one(KeyFooter)
        drawn, refresh = [], footer.refresh
        footer.refresh = lambda *regions, **how: (drawn.append(1), refresh(*regions, **how))[1]  # type: ignore[method-assign]
        await reader.press("j", "k", "G")
        await reader.at(6)
        assert drawn == []
        await reader.press("tab")
        await reader.sees("enter Show turn")
        assert drawn == [1]
        await reader.press("j", "k")
        await reader.press("d")
        await reader.sees("x Raw JSON")
        assert drawn == [1, 1]


async def test_while_one_types_it_names_what_ends_that_and_no_letter(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5), size=WIDE) as reader:
        await reader.sees("6 turns", "e Evidence")
        await reader.press("slash")
        await reader.sees("enter Apply", "tab Pane", gone="e Evidence")
        line = last_line(screen_text(reader.pilot.app))
        assert re.findall(r"(\S+) [A-Z]", line) == ["enter", "esc", "tab"]
        await reader.press("escape")
        await reader.sees("e Evidence", gone="enter Apply")
