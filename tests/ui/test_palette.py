"""The palette: what can be done on the screen below it, and everywhere, by name."""

from __future__ import annotations

import pytest
from app_on_a_server import no_crash, opened
from kept_jobs import RUNNING, SeededJobs, on_jobs
from watching import sees

from cekura_tui.workspace.setup import Setup

EVERYWHERE = {
    "Runs": "Go to the list of runs",
    "Jobs": "Go to the list of jobs",
    "Next new job": "Open what ended",
    "Search opened runs": "What was said in all runs that were opened here",
    "Keys": "Show the keys of this screen",
    "Theme": "Change colours",
    "Quit": "Leave; jobs go on at the server",
}


async def test_what_can_be_done_with_a_job_is_in_the_palette_and_does_it(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.running(RUNNING, ago=20)
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "1 running", "s Stop asking")
        offered = {command.title: command.help for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert offered.items() >= EVERYWHERE.items()
        assert offered["Prompt history of this agent"] == "The prompts that the agent had, was sent and was proposed"
        assert {"Details", "Stop asking", "Forget", "Copy"} <= offered.keys()
        assert not {"Resume", "Relaunch"} & offered.keys()
        await pilot.press("ctrl+p", *"stop asking")
        await sees(pilot, "Stop asking about a job")
        await pilot.press("enter")
        await sees(pilot, "1 stopped")


async def test_keys_that_come_in_one_burst_with_enter_choose_one_command_once(quiet: Setup) -> None:
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.")
        await pilot.press("ctrl+p", *"jobs")
        await sees(pilot, "Go to the list of jobs")
        for _ in range(4):
            pilot.app.simulate_key("enter")
        await sees(pilot, "No jobs yet", gone="Go to the list of jobs")
        no_crash(pilot)


@pytest.mark.parametrize("key", ["pagedown", "pageup", "down", "ctrl+p"])
async def test_keys_that_come_in_one_burst_with_the_palette_are_for_a_list_that_is_there(
    quiet: Setup, key: str
) -> None:
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.")
        pilot.app.simulate_key("ctrl+p")
        pilot.app.simulate_key(key)
        await sees(pilot, "type to find one")
        await pilot.press("escape")
        await sees(pilot, "No runs here yet.", gone="type to find one")
        no_crash(pilot)
