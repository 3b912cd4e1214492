"""The list of jobs: order, unread marks, elapsed and remaining times, cursor."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from app_on_a_server import SMALL, opened
from scripted_server import PROGRESS, Hold, Reply, ScriptedServer
from seeded_jobs import DONE, FAILED, RUNNING, SeededJobs, app_state_of, opened_jobs
from textual.app import App
from waiting import eventually
from watching import sees

from cekura_tui.model.job import DEFAULT_KIND, Job, JobState
from cekura_tui.ui.jobs.list import JobList, job_row
from cekura_tui.ui.kit.lines import StatusLine
from cekura_tui.ui.state import AppState, tick_after
from cekura_tui.workspace.setup import Setup


async def test_running_jobs_come_first_then_jobs_without_an_outcome_then_ended_jobs(
    quiet: Setup, seeded: SeededJobs
) -> None:
    seeded.ended(DONE, took=40)
    seeded.jobs.mark_seen(1, time.time())
    seeded.put(seeded.running(), JobState.STOPPED, "Not asked about.")
    seeded.lost()
    seeded.ended(FAILED, took=40, ago=500)
    seeded.unconfirmed()
    seeded.running(RUNNING, ago=20)
    async with opened_jobs(quiet, "3 new", "6 jobs", size=SMALL) as (pilot, listed):
        await sees(pilot, "•  ! lost", "•  ? unconfirmed", "•  ✗ failed", "   ✓ succeeded", "   ■ stopped")
        assert [row.number for row in listed.rows] == [6, 5, 3, 2, 4, 1]
        assert listed.cursor_key == 6


async def test_job_is_not_new_after_being_opened_or_after_ending_while_its_page_is_open(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.ended(FAILED, took=40)
    seeded.running(RUNNING, ago=20)
    async with opened_jobs(quiet, "1 new", "•  ✗ failed", "running") as (pilot, listed):
        await pilot.press("d")
        await sees(pilot, "Server ID", "running")
        scripted.on("GET", PROGRESS, Reply(FAILED))
        await sees(pilot, "✗ failed", "The model gave up.")
        await pilot.press("escape")
        assert ([row.number for row in listed.rows], listed.cursor_key) == ([2, 1], 2)
        listed.move_to(1)
        await pilot.press("d")
        await sees(pilot, " Job 1 ", "Server ID")
        await pilot.press("escape")
        await sees(pilot, "   ✗ failed", gone="new")
        await eventually(lambda: not any(job.unread for job in app_state_of(pilot).jobs), "both are read")


@pytest.mark.long
async def test_cursor_keeps_its_job_and_line_when_jobs_appear(quiet: Setup, seeded: SeededJobs) -> None:
    for n in range(60):
        seeded.ended(DONE, took=40, ago=9_000 - n * 100)
    async with opened_jobs(quiet, "60 jobs") as (pilot, listed):
        await pilot.press(*["j"] * 5)
        assert (listed.cursor_key, listed.cursor_line) == (55, 5)
        seeded.ended(FAILED, took=40, ago=50)
        seeded.running(RUNNING, ago=20)
        await sees(pilot, "62 jobs", "1 failed")
        assert (listed.cursor_key, listed.cursor_line) == (55, 5)


async def test_opening_the_list_puts_the_cursor_on_the_job_opened_or_ended_last(
    quiet: Setup, seeded: SeededJobs
) -> None:
    for ago in (900, 800, 700):
        seeded.ended(FAILED, took=40, ago=ago)
    async with opened_jobs(quiet, "3 jobs") as (pilot, listed):
        assert listed.cursor_key == 3
        await pilot.press("1", "U")
        await sees(pilot, "Job 1  ✗ failed")
        await pilot.press("2")
        await sees(pilot, "3 jobs", "2 new")
        assert listed.cursor_key == 1
        await pilot.press("enter")
        await sees(pilot, "Job 1  ✗ failed")
        seeded.ended(FAILED, took=40, ago=50)
        await sees(pilot, "3 new")
        await pilot.press("2")
        await sees(pilot, "4 jobs")
        assert listed.cursor_key == 4


async def test_pane_under_the_runs_shows_a_newly_launched_job(quiet: Setup, seeded: SeededJobs) -> None:
    for n in range(20):
        seeded.ended(DONE, took=40, ago=9_000 - n * 100)
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.", "Jobs · 20 new", "•  ✓ succeeded   20 102")
        seeded.running(RUNNING, ago=20)
        await sees(pilot, "1 running", "◌ running     21 102")
        pane = pilot.app.screen.query_one("#pane-jobs", JobList)
        assert pane.cursor_key == 21
        pane.focus()
        await pilot.press("j")
        seeded.running(RUNNING, ago=10)
        await sees(pilot, "2 running", "3 of 22 ─")
        assert pane.cursor_key == 20


async def test_a_result_takes_at_most_three_lines_on_the_page_of_jobs(quiet: Setup, seeded: SeededJobs) -> None:
    words = " · ".join(f"word{n}" for n in range(10, 22))
    seeded.ended({"status": "failed", "error": words}, took=40)
    async with opened_jobs(quiet, "1 failed", "word21", "1 of 1 ─") as (_, listed):
        shown = [text for y in range(listed.size.height) if "word" in (text := listed.render_line(y).text)]
        assert [word for word in " ".join(shown).split() if word.startswith("word")][:8] == words.split(" · ")[:8]
        assert len(shown) <= 3
        assert not [text for text in shown if text.rstrip().endswith("·")]


async def test_running_job_shows_the_estimated_remaining_time(quiet: Setup, seeded: SeededJobs) -> None:
    for took in (30.0, 600.0, 660.0, 5_000.0):
        seeded.watched(took)
    seeded.running(RUNNING, ago=60)
    shown = "▱ ~9 min", "▱ about 9 min left", "Elapsed     1 min", "Usual time  7 to 29 min, median"
    async with opened_jobs(quiet, "1 running", *shown):
        pass


def test_elapsed_time_changes_every_second_but_remaining_time_in_larger_steps() -> None:
    now, begun = 0.0, 1_700_000_000.0
    workspace: Any = SimpleNamespace(setup=SimpleNamespace(profile="p"))
    state = AppState(App(), workspace, lambda: now)
    state.put_durations({DEFAULT_KIND: (40.5, 40.5, 40.5)})
    for age, took, bar, result in (
        (10.0, "10 s", "▰▱▱▱▱", "about 30 s left"),
        (10.9, "10 s", "▰▱▱▱▱", "about 30 s left"),
        (11.0, "11 s", "▰▱▱▱▱", "about 30 s left"),
        (14.9, "14 s", "▰▱▱▱▱", "about 30 s left"),
        (15.0, "15 s", "▰▱▱▱▱", "about 25 s left"),
        (59.9, "59 s", "▰▰▰▰▰", "longer than usual"),
        (60.0, "1 min", "▰▰▰▰▰", "longer than usual"),
        (119.9, "1 min", "▰▰▰▰▰", "longer than usual"),
    ):
        now = begun + age
        row = job_row(job_at(begun), state)
        assert (row.took, row.bar, row.result) == (took, bar, result), age
    state.put_durations({DEFAULT_KIND: (40.5, 40.5)})
    assert "left" not in job_row(job_at(now - 10), state).result, "two jobs are too few for an estimate"


def job_at(launched: float | None, state: JobState = JobState.RUNNING) -> Job:
    return Job(1, state, "", "o", "k", "p", (102,), 7, "Front desk", (), (), "sha", launched_at=launched)


@pytest.mark.parametrize(
    ("jobs", "wait"),
    [
        ([], None),
        ([job_at(990.0, JobState.SUCCEEDED)], None),
        ([job_at(990.9)], 0.76),
        ([job_at(100.0), job_at(941.9)], 0.76),
        ([job_at(940.9)], 5.0),
        ([job_at(None, JobState.LAUNCHING)], 0.76),
        ([job_at(990.0)] * 15, 0.76),
        ([job_at(990.0)] * 16, 1.76),
        ([job_at(990.0)] * 300, 4.76),
    ],
)
def test_elapsed_times_are_redrawn_less_often_if_the_running_jobs_are_old_or_many(
    jobs: list[Job], wait: float | None
) -> None:
    assert tick_after(jobs, 1000.25) == (None if wait is None else pytest.approx(wait))


async def test_unknown_status_is_shown_as_sent_while_polling_continues(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.running(RUNNING, ago=20)
    answer = Reply({"status": "needs_clarification", "output": None})
    scripted.on("GET", PROGRESS, answer, hold := Hold(answer))
    shown = "◌ running", "Last answer “needs_clarification” at ", "server status"
    async with opened_jobs(quiet, *shown) as (pilot, listed):
        took = listed.rows[0].took
        await eventually(lambda: listed.rows[0].took != took, "another second is shown")
        await eventually(hold.arrived.is_set, "the next poll")
        await sees(pilot, "Next poll   now")
        hold.released.set()
        await sees(pilot, "Next poll   ", gone="Next poll   now")


@pytest.mark.parametrize("change", ["state = 'runnin'", "run_ids = 'x'"])
async def test_an_unreadable_job_is_named_and_the_other_jobs_are_listed(
    quiet: Setup, seeded: SeededJobs, change: str
) -> None:
    seeded.ended(DONE, took=40)
    seeded.ended(DONE, took=40)
    seeded.running(RUNNING, ago=20)
    with closing(sqlite3.connect(quiet.paths.database)) as sql, sql:
        sql.execute(f"UPDATE jobs SET {change} WHERE number = 2")
    async with opened_jobs(quiet, "Can't read job 2", " 1 102", " 3 102") as (pilot, listed):
        assert [row.number for row in listed.rows] == [3, 1]
        assert "2 jobs" in pilot.app.screen.query_one("#status", StatusLine).right  # a toast covers it on screen


async def test_preview_shows_since_when_the_server_has_not_answered(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    job = seeded.running(RUNNING, ago=20)
    silent = seeded.jobs.mark_stale([job.number], time.time())[0]
    scripted.on("GET", PROGRESS, Reply({"detail": "down"}, 503))
    async with opened_jobs(quiet) as (pilot, _):
        await sees(pilot, f"Server      no answer since {app_state_of(pilot).when(silent.stale_since)},")
