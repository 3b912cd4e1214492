"""Keys that are pressed faster than anything is shown, or where nothing is seen."""

from __future__ import annotations

from app_on_a_server import SMALL, no_crash, opened
from kept_jobs import DONE, RUNNING, SeededJobs, app_state_of, on_job, on_jobs
from office import toasts
from scripted_server import LAUNCH, ScriptedServer
from textual.pilot import Pilot
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.kit.dialog import DetailsDialog
from cekura_tui.workspace.setup import Setup


def burst(pilot: Pilot[None], keys: str) -> None:
    """All of these keys come from the terminal before the first is handled."""
    for key in keys:
        pilot.app.simulate_key(key)


def errors_open(pilot: Pilot[None]) -> int:
    """How many errors are in a dialog."""
    return sum(isinstance(screen, DetailsDialog) for screen in pilot.app.screen_stack)


async def test_a_held_u_goes_through_twenty_new_jobs_and_the_program_goes_on(quiet: Setup, seeded: SeededJobs) -> None:
    for n in range(20):
        if n % 2:
            seeded.ended(DONE, took=40)
        else:
            seeded.unconfirmed()
    async with opened(quiet, size=SMALL) as pilot:
        await sees(pilot, "No runs here yet.")
        await eventually(lambda: len(app_state_of(pilot).jobs) == 20, "the jobs")
        burst(pilot, "U" * 20)
        await eventually(lambda: all(job.looked_at for job in seeded.jobs.all()), "each was shown")
        await still(pilot)
        no_crash(pilot)
        await pilot.press("escape")
        await sees(pilot, "No runs here yet.")


async def test_a_u_pressed_twice_shows_the_second_job_not_the_first_again(quiet: Setup, seeded: SeededJobs) -> None:
    for _ in range(3):
        seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.")
        await eventually(lambda: len(app_state_of(pilot).jobs) == 3, "the jobs")
        burst(pilot, "UU")
        await sees(pilot, " Job 2 ", "SHA-256")
        await still(pilot)
        assert [job.number for job in seeded.jobs.all() if job.unread] == [3]


async def test_details_opened_and_left_in_one_go_again_and_again_leave_the_list(
    quiet: Setup, seeded: SeededJobs
) -> None:
    seeded.unconfirmed()
    seeded.ended(DONE, took=40)
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "? unconfirmed")
        for _ in range(10):
            burst(pilot, "d")
            pilot.app.simulate_key("escape")
            await pilot.pause()
        await still(pilot)
        no_crash(pilot)


async def test_a_held_s_opens_no_dialogs(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.running(RUNNING, ago=20)
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "1 running", "s Stop polling")
        burst(pilot, "s" * 41)
        await still(pilot)
        assert errors_open(pilot) == 0
        assert not any("nothing to" in text for text in toasts(pilot))
        no_crash(pilot)


async def test_a_job_launched_again_in_haste_is_launched_once_and_no_dialog_is_left(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_job(pilot, 1, "a Relaunch")
        burst(pilot, "ayaay")
        await sees(pilot, "Relaunch job 1?")
        await still(pilot)
        assert not scripted.requests("POST", LAUNCH), "nobody has seen the question yet"
        burst(pilot, "yyaay")
        await eventually(lambda: len(app_state_of(pilot).jobs) == 2, "the second job")
        await still(pilot)
        assert len(scripted.requests("POST", LAUNCH)) == 1
        assert errors_open(pilot) == 0
        no_crash(pilot)


async def test_what_another_window_has_stopped_or_forgotten_is_told_in_the_corner(
    quiet: Setup, seeded: SeededJobs
) -> None:
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "? unconfirmed")
        await pilot.press("x")
        await sees(pilot, "Forget job 1?")
        seeded.jobs.forget(1, 1_800_000_000.0)
        await pilot.press("y")
        await eventually(lambda: any("No job 1 found." in text for text in toasts(pilot)), "that it is gone")
        assert errors_open(pilot) == 0


async def test_a_question_is_asked_once_however_often_its_key_is_pressed(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "? unconfirmed")
        burst(pilot, "xx")
        await sees(pilot, "Forget job 1?")
        burst(pilot, "yy")
        await sees(pilot, "No jobs yet.")
        await still(pilot)
        assert [text for text in toasts(pilot) if "job" in text.lower()] == ["Job 1 forgotten."]
