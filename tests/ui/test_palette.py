"""The palette finds commands of the screen below it and commands that every screen has, by name and description."""

from __future__ import annotations

import re
from unittest.mock import AsyncMock

import pytest
from app_on_a_server import SMALL, WIDE, Served, no_crash, on_run, opened
from seeded_jobs import RUNNING, SeededJobs, on_jobs
from textual.events import MouseDown, MouseMove, MouseUp
from textual.widgets import Input
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.ui.actions import GROUPS
from cekura_tui.ui.kit.palette import Command, CommandList, Palette, commands_on, find_commands
from cekura_tui.workspace.setup import Setup

LINE = "type to find one"
EVERYWHERE = {
    "Runs": ("Go to the list of runs", "1"),
    "Jobs": ("Go to the list of jobs", "2"),
    "Next finished job": ("Open the next finished job", "U"),
    "Search transcripts": ("Find words in the transcripts of the listed runs", "ctrl+f"),
    "Keys": ("Show the keys of this screen", "?"),
    "Request log": ("The last requests to the server, their status and how long they took", ""),
    "Change theme colours": ("Preview the themes and choose one", ""),
    "Quit": ("Quit; running jobs continue", "q"),
}


NAMED = {
    "Jobs pane": "Show or hide the jobs",
    "Runs": "Go to the list of runs",
    "Jobs": "Go to the list of jobs",
    "Order": "Sort by the next column",
    "Improve": "From the marked runs",
    "Sort": "By the next column",
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", [*NAMED]),
        ("jobs", ["Jobs", "Jobs pane"]),
        ("SORT", ["Sort", "Order"]),
        ("col", ["Order", "Sort"]),
        ("pane jobs", ["Jobs pane"]),
        ("one agent", ["Improve"]),
        ("imprv", ["Improve"]),
        ("zzz", []),
    ],
)
def test_commands_found_by_name_come_before_commands_found_by_description(text: str, names: list[str]) -> None:
    why = {"Improve": "Mark runs of one agent only."}
    commands = [Command(name, about, AsyncMock(), reason=why.get(name, "")) for name, about in NAMED.items()]
    assert [found.command.name for found in find_commands(commands, text)] == names


async def test_the_palette_lists_a_jobs_actions_with_their_keys_and_runs_a_chosen_action(
    quiet: Setup, seeded: SeededJobs
) -> None:
    seeded.running(RUNNING, ago=20)
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.")
        offered = {one.name: (one.about, one.key) for one in commands_on(pilot.app.screen)}
        assert offered.items() >= EVERYWHERE.items()
        groups = [one.group for one in commands_on(pilot.app.screen)]
        assert groups == sorted(groups, key=GROUPS.index)
        await on_jobs(pilot, "1 running")
        names = {one.name for one in commands_on(pilot.app.screen)}
        assert {"Details", "Delete", "Copy or save", "Prompt history of this agent"} <= names
        assert not {"Resume polling", "Relaunch"} & names
        stop = next(one.name for one in commands_on(pilot.app.screen) if one.key == "L")
        await pilot.press("ctrl+p")
        await sees(pilot, "Commands", LINE)
        (shown,) = [part for part in re.split("[│\n]", screen_text(pilot.app)) if f"  {stop}  " in part]
        assert shown.rstrip(" ┃").endswith(" L")
        await pilot.press(*stop.lower(), "enter")
        await sees(pilot, "1 stopped")


async def test_commands_are_found_by_description_and_unavailable_commands_say_why(quiet: Setup) -> None:
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.")
        await pilot.press("slash", "colon")
        await eventually(lambda: pilot.app.screen.query(Input).first().value == ":", "a letter in the filter")
        await pilot.press("escape", "colon")
        await sees(pilot, "Commands", LINE)
        for typed, name in (("col", "Change theme colours"), ("sort", "Sort")):
            await pilot.press(*typed)
            await sees(pilot, name, gone="Go to the list of jobs")
            await pilot.press(*["backspace"] * len(typed))
        await pilot.press(*"next finished")
        await sees(pilot, "No finished job is left to look at.")
        await pilot.press("enter")
        await pilot.click(CommandList, offset=(5, 0))
        await pilot.press("L")
        await sees(pilot, "Nothing found")
        assert isinstance(pilot.app.screen, Palette)
        await pilot.press("escape", "v")
        await sees(pilot, "Failed today")
        await pilot.press("ctrl+p", *"go to")
        await pilot.press(*["backspace"] * 5, *"runs")
        await sees(pilot, "Close the dialog first.")
        no_crash(pilot)


async def test_keys_in_a_burst_leave_the_palette_usable_and_a_click_runs_a_command(quiet: Setup) -> None:
    async with opened(quiet, size=SMALL) as pilot:
        await sees(pilot, "No runs here yet.")
        for key in ("pagedown", "pageup", "down", "ctrl+p"):
            pilot.app.simulate_key("ctrl+p")
            pilot.app.simulate_key(key)
            await sees(pilot, LINE)
            await pilot.press("escape")
            await sees(pilot, "No runs here yet.", gone=LINE)
        await pilot.press("colon", *"jobs")
        await sees(pilot, "Go to the list of jobs")
        await pilot.click(CommandList, offset=(5, 0))
        await sees(pilot, "No jobs yet", gone=LINE)
        await pilot.press("ctrl+p", *"go to the list of runs")
        await sees(pilot, "Go to the list of runs")
        for _ in range(4):
            pilot.app.simulate_key("enter")
        await sees(pilot, "No runs here yet.", gone="Go to the list of runs")
        no_crash(pilot)


async def test_keys_typed_after_a_command_go_to_the_input_that_the_command_opens(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, 900239)
        for key in ("ctrl+p", *"filter", "enter", *"zebra", "enter"):
            pilot.app.simulate_key(key)
        await sees(pilot, "0 runs", "zebra")
        no_crash(pilot)


async def test_y_and_ctrl_c_copy_selected_text_but_a_typed_y_is_a_letter(served: Served) -> None:
    async with opened(served.setup(), size=WIDE) as pilot:
        await on_run(pilot, 900238)
        runs = pilot.app.screen.query_one("#runs")
        for key in ("y", "ctrl+c"):
            pilot.app.clear_notifications()
            for event, place in ((MouseDown, (1, 1)), (MouseMove, (6, 2)), (MouseUp, (6, 2))):
                await pilot._post_mouse_events([event], runs, offset=place, button=1)
            await eventually(lambda: pilot.app.screen.selections, "something is selected")
            text = pilot.app.screen.get_selected_text()
            assert text
            await sees(pilot, "y Copy selection")
            await pilot.press(key)
            await sees(pilot, f"Sent 2 lines, {len(text.encode())} bytes,", gone="y Copy selection")
            assert pilot.app.clipboard == text
            assert not pilot.app.screen.selections
            pilot.app._clipboard = ""
        pilot.app.screen.text_select_all()
        await pilot.press("slash", "y")
        await eventually(lambda: pilot.app.screen.query(Input).first().value == "y", "it is in the filter")
