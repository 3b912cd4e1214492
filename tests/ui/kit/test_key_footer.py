"""The footer: the keys that work on this page, and clicks on them."""

from __future__ import annotations

import re

from app_on_a_server import WIDE, opened, setup_of
from run_pages import by_number, call, reading, serve
from scripted_server import ScriptedServer, run_of
from seeded_jobs import DONE, RUNNING, SeededJobs
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.ui.kit.footer import KeyFooter
from cekura_tui.workspace.setup import Setup

KEY = "key-of-the-test"


def last_line(pilot: Pilot[None]) -> str:
    return screen_text(pilot.app).splitlines()[-1]


async def test_a_click_on_a_key_presses_the_key_and_a_click_between_keys_does_nothing(scripted: ScriptedServer) -> None:
    serve(scripted, run_of(5))
    async with opened(setup_of(scripted.url, KEY, 1), size=WIDE) as pilot:
        await sees(pilot, "1 run", "enter Open", "? Keys", "q Quit")
        await pilot.click(KeyFooter, offset=(len(last_line(pilot)) + 1, 0))
        await pilot.click(KeyFooter, offset=(last_line(pilot).index("q Quit") - 1, 0))
        await sees(pilot, "1 run", "q Quit")
        assert pilot.app.is_running
        for key, opened_by_it in (("? Keys", "HelpDialog"), ("enter Open", "RunScreen")):
            await pilot.click(KeyFooter, offset=(last_line(pilot).index(key), 0))
            await eventually(lambda: type(pilot.app.screen).__name__ == opened_by_it, opened_by_it)  # noqa: B023
            await pilot.press("escape")
            await sees(pilot, "1 run", "enter Open")


async def test_a_narrow_footer_leaves_out_whole_keys_but_never_the_help(scripted: ScriptedServer) -> None:
    async with by_number(scripted, call(5)) as reader:
        await reader.sees("6 turns", "? Keys")
        whole = "tab Pane  e Evidence  i Improve  / Find  esc Back  ] Next run"
        assert last_line(reader.pilot) == f" {whole}  ? Keys"
        await reader.pilot.resize_terminal(62, 24)
        await reader.sees("esc Back  ? Keys")


async def test_an_ended_job_is_counted_on_every_page_until_the_job_is_opened(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended(DONE, took=40)
    seeded.running(RUNNING, ago=20)
    async with opened(quiet, size=(160, 48)) as pilot:
        for key in ("2", "1"):
            await eventually(lambda: last_line(pilot).endswith("1 running  • 1 new · U"), "both are counted")
            await pilot.press(key)
        await pilot.press("slash")
        await eventually(lambda: last_line(pilot).endswith("  • 1 new"), "U is a letter")
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await sees(pilot, "? Keys", "  • 1 new · U", gone="1 running  •")
        await pilot.click(KeyFooter, offset=(77, 0))
        await sees(pilot, "Suggestion of job 1", gone="1 new")


async def test_the_footer_shows_the_keys_of_the_focused_pane_or_input(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5), size=WIDE) as reader:
        await reader.sees("Right time  failed", "6 turns", "e Evidence")
        footer = reader.page.query_one(KeyFooter)
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
        await reader.sees("X Raw JSON")
        assert drawn == [1, 1]
        await reader.press("slash")
        await reader.sees("enter Apply", "tab Pane", gone="e Evidence")
        assert re.findall(r"(\S+) [A-Z]", last_line(reader.pilot)) == ["enter", "esc", "tab"]
        await reader.press("escape")
        await reader.sees("e Evidence", gone="enter Apply")
