"""Keys that are pressed before the intended screen is shown."""

from __future__ import annotations

import itertools

import pytest
from app_on_a_server import SMALL, no_crash, opened
from job_server import toasts
from scripted_server import LAUNCH, ScriptedServer
from seeded_jobs import DONE, RUNNING, SeededJobs, app_state_of, on_job, on_jobs
from textual.pilot import Pilot
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.jobs.screen import JobsScreen
from cekura_tui.ui.kit.dialog import DetailsDialog
from cekura_tui.workspace.setup import Setup

YES = "ctrl+g"


def burst(pilot: Pilot[None], *keys: str) -> None:
    """Press `YES`, or each character of a text, before the app handles the first key."""
    for key in itertools.chain.from_iterable([one] if one == YES else one for one in keys):
        pilot.app.simulate_key(key)


def errors_open(pilot: Pilot[None]) -> int:
    """Number of open dialogs that show the details of an error."""
    return sum(isinstance(screen, DetailsDialog) for screen in pilot.app.screen_stack)


@pytest.mark.long
async def test_pressing_capital_u_twice_shows_two_jobs_and_holding_the_key_shows_all_jobs(
    quiet: Setup, seeded: SeededJobs
) -> None:
    for n in range(8):
        if n % 2:
            seeded.ended(DONE, took=40)
        else:
            seeded.unconfirmed()
    async with opened(quiet, size=SMALL) as pilot:
        await sees(pilot, "No runs here yet.")
        await eventually(lambda: len(app_state_of(pilot).jobs) == 8, "the jobs")
        burst(pilot, "UU")
        await sees(pilot, "Suggestion of job 4")
        left = {1, 3, 5, 6, 7, 8}
        await eventually(lambda: {job.number for job in seeded.jobs.all() if job.unread} == left, "two were shown")
        burst(pilot, "U" * 8)
        await eventually(lambda: all(job.looked_at for job in seeded.jobs.all()), "each was shown")
        await still(pilot)
        no_crash(pilot)
        await pilot.press("escape")
        await sees(pilot, "No runs here yet.")


async def test_fast_keys_leave_no_dialog_over_the_list_of_jobs(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.unconfirmed()
    seeded.running(RUNNING, ago=20)
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "1 running", "L Stop polling")
        burst(pilot, "L" * 41)
        await still(pilot)
        assert errors_open(pilot) == 0
        assert not any("nothing to" in text for text in toasts(pilot))
        for _ in range(4):
            burst(pilot, "d")
            pilot.app.simulate_key("escape")
            await pilot.pause()
        await still(pilot)
        assert isinstance(pilot.app.screen, JobsScreen)
        no_crash(pilot)


async def test_fast_keys_relaunch_a_job_only_once(quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer) -> None:
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_job(pilot, 1, "i Relaunch")
        burst(pilot, "i", YES, "iii", YES)
        await sees(pilot, "Relaunch job 1?")
        await still(pilot)
        assert not scripted.requests("POST", LAUNCH), "the question was not on screen yet"
        burst(pilot, YES, YES, "iii", YES)
        await eventually(lambda: len(app_state_of(pilot).jobs) == 2, "the second job")
        await still(pilot)
        assert len(scripted.requests("POST", LAUNCH)) == 1
        assert errors_open(pilot) == 0
        no_crash(pilot)


async def test_forget_asks_once_and_reports_a_job_that_another_window_forgot(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.unconfirmed()
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "2 unconfirmed")
        burst(pilot, "DD")
        await sees(pilot, "Delete job 2 from this machine?")
        burst(pilot, YES, YES)
        await sees(pilot, "1 unconfirmed", gone="Delete job")
        await still(pilot)
        assert [text for text in toasts(pilot) if "job" in text.lower()] == ["Job 2 deleted from this machine."]
        await pilot.press("D")
        await sees(pilot, "Delete job 1 from this machine?")
        seeded.jobs.forget(1, 1_800_000_000.0)
        await pilot.press(YES)
        await eventually(lambda: any("No job 1 found." in text for text in toasts(pilot)), "that it is gone")
        assert errors_open(pilot) == 0
