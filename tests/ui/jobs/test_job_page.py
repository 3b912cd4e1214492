"""The page of one job: the sent prompt, its process, states and answers, even hostile ones."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from contextlib import closing

import pytest
from app_on_a_server import SMALL
from hostile import EVIL, SHOWN
from scripted_server import PROGRESS, Reply, ScriptedServer
from seeded_jobs import DONE, FAILED, KEY, RUNNING, SeededJobs, app_state_of, opened_job, opened_jobs
from textual.pilot import Pilot
from watching import screen_text, sees

from cekura_tui.jobs.owner import Owner
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Job, JobState
from cekura_tui.ui.jobs.facts import MAX_ANSWER, MAX_ANSWERS
from cekura_tui.ui.jobs.words import owner_words
from cekura_tui.workspace.setup import Setup


@pytest.mark.parametrize(
    ("other", "runs", "words"),
    [
        (0, True, "this app"),
        (1, True, "still running"),
        (1, False, "ended"),
        (1, None, "another host, which may still be running"),
    ],
)
def test_launching_process_is_shown_with_its_host_and_whether_the_process_still_runs(
    other: int, runs: bool | None, words: str
) -> None:
    pid = os.getpid() + other
    assert owner_words(Owner("box9", pid, "x:1"), runs) == f"process {pid} on box9 ({words})"
    assert owner_words(None, None) == "an unknown process"


async def test_unconfirmed_job_shows_the_launching_process_and_the_servers_answer(
    quiet: Setup, seeded: SeededJobs
) -> None:
    seeded.unconfirmed(raw='{"id": 102, "status": "completed"}')
    sent_by = f"process {os.getpid()} on {socket.gethostname()} (this app)"
    async with opened_job(
        quiet, 1, "Launch", sent_by, "The connection broke.", "may launch it twice; D deletes the job here"
    ) as pilot:
        await sees(pilot, "Answer      received", "Answers · 1 different", '"id": 102')


@pytest.mark.parametrize(("state", "below"), [("lost", "Server ID"), ("unconfirmed", "SHA-256")])
async def test_lost_or_unconfirmed_job_shows_when_its_state_changed(
    quiet: Setup, seeded: SeededJobs, state: str, below: str
) -> None:
    since = time.mktime((2025, 11, 21, 9, 15, 0, 0, 0, -1))
    job: Job = getattr(seeded, state)()
    with closing(sqlite3.connect(quiet.paths.database, isolation_level=None)) as sql:
        sql.execute("UPDATE jobs SET since = ?", (since,))
    async with opened_jobs(quiet, state, "Job 1 ·") as (pilot, listed):
        shown = app_state_of(pilot).when(since)
        assert listed.rows[0].when == shown != app_state_of(pilot).when(job.launched_at)
        await pilot.press("d")
        await sees(pilot, below, f"{'Since'.ljust(11)} {shown}")


async def test_job_that_ended_without_a_prompt_shows_the_reason_and_can_be_polled_again(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    empty = {"status": "completed", "output": {"improved_prompt": ""}}
    seeded.put(seeded.running(empty), JobState.FAILED, "The server reported “completed” but sent no prompt.")
    scripted.on("GET", PROGRESS, Reply(empty))
    why = "Reason      The server reported “completed” but sent no"
    async with opened_job(quiet, 1, "✗ failed", "L Resume polling", "L polls again", why) as pilot:
        await pilot.press("L")
        await sees(pilot, "◌ running", "Status      The server reported “completed” but sent no prompt.")


async def test_page_shows_the_launch_and_all_states_and_answers_of_a_job(quiet: Setup, seeded: SeededJobs) -> None:
    job = seeded.running(RUNNING, {"status": "evaluating"}, ago=400)
    seeded.jobs.record_answer(job.number, read_progress(FAILED), json.dumps(FAILED), time.time())
    shown = "the agent's prompt, edited, 5 words", "workflow metric 5 6; critical category 9"
    async with opened_job(quiet, 1, *shown) as pilot:
        text, launched_at = page_text(pilot), app_state_of(pilot).when(job.launched_at, seconds=True)
        for part in (
            *("Front desk (7)", job.prompt_sha256, "p-1", f"{launched_at} launching", "failed  The model gave up."),
            *("Answers · 4 different", "curl -X POST", "progress_id=p-1"),
        ):
            assert part in text
        assert text.index("The model gave up.") < text.index('"evaluating"') < text.index('"status": "running"')
        assert KEY not in text


@pytest.mark.long
async def test_page_is_updated_while_the_job_runs(quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer) -> None:
    seeded.running(RUNNING, ago=20)
    async with opened_job(quiet, 1, "◌ running") as pilot:
        scripted.on("GET", PROGRESS, Reply({"status": "thinking_hard"}))
        await sees(pilot, "“thinking_hard”, a status unknown to this app")
        scripted.on("GET", PROGRESS, Reply(DONE))
        await sees(pilot, "✓ succeeded", "enter Suggestion", gone="L Stop polling")
        await pilot.press("enter")
        await sees(pilot, "Suggestion of job 1")
        await pilot.press("d")
        await sees(pilot, "Server ID")
        await pilot.press("enter")
        await sees(pilot, "Suggestion of job 1")
        # Opening each from the other does not pile up screens.
        await pilot.press("escape")
        await sees(pilot, "Server ID")
        await pilot.press("escape")
        await sees(pilot, "1 job")


@pytest.mark.long
async def test_two_hundred_long_answers_need_few_widgets(quiet: Setup, seeded: SeededJobs) -> None:
    job = seeded.running(ago=9_000)
    for n in range(198):
        answer = {"status": f"step {n}", "output": None, "log": "x" * 5_000}
        seeded.jobs.record_answer(job.number, read_progress(answer), json.dumps(answer), time.time() - 8_000 + n)
    long = {"status": "last step", "lines": ["y" * 100] * 500}
    seeded.jobs.record_answer(job.number, read_progress(long), json.dumps(long), time.time() - 100)
    seeded.put(seeded.jobs.get(job.number) or job, JobState.STOPPED, "Enough.")
    shown = f"Answers · 200 different, newest first · {200 - MAX_ANSWERS} older hidden"
    async with opened_job(quiet, 1, shown) as pilot:
        text = page_text(pilot)
        assert all(words in text for words in ("last step", "step 197", "characters more)"))
        assert "step 100" not in text
        assert len(text) < MAX_ANSWERS * (MAX_ANSWER + 200)
        assert len(pilot.app.screen.query("*")) < 30
        await pilot.press("G", "k", "pageup", "g", "j")
        await sees(pilot, "Server ID")


async def test_hostile_answers_are_shown_as_plain_text(quiet: Setup, seeded: SeededJobs) -> None:
    job = seeded.running({"status": EVIL, EVIL: EVIL}, ago=400)
    for n, raw in enumerate((f"<html>{EVIL}", "[" * 90_000, EVIL)):
        seeded.jobs.record_answer(job.number, read_progress({}), raw, time.time() - 300 + n)
    seeded.put(seeded.jobs.get(job.number) or job, JobState.STOPPED, EVIL)
    async with opened_job(quiet, 1, size=SMALL, ascii_only=True) as pilot:
        for _ in range(12):
            await pilot.press("pagedown")
            shown = screen_text(pilot.app)
            assert not any(sign in shown for sign in ("\x1b", "\x9b", "\u202e", "\x07"))
        assert SHOWN[:20] in page_text(pilot)


async def test_missing_job_is_reported(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended(FAILED, took=40)
    async with opened_job(quiet, 1) as pilot:
        seeded.jobs.forget(1, time.time())
        await sees(pilot, "No job 1 found.", "See `jobs list`.")
        await pilot.press("i", "D", "y", "L", "enter")
        await sees(pilot, "esc close")
        await pilot.press("escape", "escape")
        await sees(pilot, "No jobs yet.")


def page_text(pilot: Pilot[None]) -> str:
    """The whole text of the page, including lines scrolled out of view."""
    return "\n".join(f"{row.name} {row.text}" for row in pilot.app.screen.query_one("#job-text").rows)  # type: ignore[attr-defined]
