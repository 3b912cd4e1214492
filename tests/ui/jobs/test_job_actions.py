"""Actions on a job: stop or resume polling, relaunch, forget, copy."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from app_on_a_server import SMALL, setup_of
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer
from seeded_jobs import (
    DONE,
    DRAFT,
    FAILED,
    KEY,
    RUNNING,
    SeededJobs,
    app_state_of,
    opened_job,
    opened_jobs,
    seeded_jobs,
)
from textual.widgets import Static
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.jobs.owner import this_process
from cekura_tui.model.improve_prompt import launch_body
from cekura_tui.model.job import BY_COMMAND, FROM_FILE, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.ui.jobs.job_keys import ACTION_NAMES, JobActions
from cekura_tui.workspace.setup import Setup


async def test_capital_l_stops_and_resumes_polling(quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer) -> None:
    seeded.running(RUNNING, ago=20)
    async with opened_jobs(quiet, "1 running", "L Stop polling") as (pilot, _):
        await pilot.press("L")
        await sees(pilot, "1 stopped", "■ stopped", "L Resume polling", "Polling stopped", gone="L Stop polling")
        asked = len(scripted.requests("GET", PROGRESS))
        await pilot.press("L")
        await sees(pilot, "1 running", "L Stop polling")
        await eventually(lambda: len(scripted.requests("GET", PROGRESS)) > asked, "the job is polled again")


async def test_lost_and_failed_jobs_can_be_polled_again(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.lost()
    seeded.ended(FAILED, took=40)
    scripted.on("GET", PROGRESS, Reply(DONE))
    async with opened_jobs(quiet, "! lost", "✗ failed", "2 jobs", size=SMALL) as (pilot, listed):
        for number in (1, 2):
            listed.move_to(number)
            await sees(pilot, f"Job {number} ·", "L Resume polling", "i Relaunch", "? Keys")
            await pilot.press("L")
            await sees(pilot, f"Job {number} · ✓ succeeded")


async def test_unconfirmed_job_is_relaunched_once_after_a_warning(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.unconfirmed()
    async with opened_job(quiet, 1, "i Relaunch", size=SMALL) as pilot:
        await pilot.press("i")
        await sees(pilot, "Relaunch job 1?", "may launch the same job twice", "cost credits")
        await pilot.press("enter")
        await sees(pilot, gone="Relaunch job 1?")
        assert not scripted.requests("POST", LAUNCH)
        await pilot.press("i", "i", "ctrl+g", "i", "ctrl+g")
        await sees(pilot, "Relaunched as job 2.", gone="i Relaunch")
        await eventually(lambda: len(app_state_of(pilot).jobs) == 2, "the second job is listed")
        sent = [got.json() for got in scripted.requests("POST", LAUNCH)]
        assert sent == [launch_body(DRAFT)]
        while pilot.app.screen.query("#job-text") or pilot.app.screen.is_modal:
            await pilot.press("escape")
        await sees(pilot, "Relaunched  as job 2")


async def test_relaunch_warns_if_the_prompt_contains_an_api_key(quiet: Setup, seeded: SeededJobs) -> None:
    secret = replace(DRAFT, prompt=Prompt(f"Be kind. Use {KEY} for calls."))
    sent = seeded.jobs.begin_launch(secret, time.time() - 300, this_process())
    seeded.put(sent, JobState.UNCONFIRMED, "The connection broke.")
    async with opened_jobs(quiet, "? unconfirmed") as (pilot, _):
        await pilot.press("i")
        await sees(pilot, "Relaunch job 1?")
        question = str(pilot.app.screen.query(Static).first().render())
    assert "The prompt contains your API key." in question
    assert KEY not in question


async def test_second_relaunch_names_the_job_of_the_first_relaunch(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.unconfirmed()
    async with opened_jobs(quiet, "? unconfirmed") as (pilot, _):
        await pilot.press("i")
        await sees(pilot, "Relaunch job 1?")
        seeded.jobs.begin_launch(DRAFT, time.time(), this_process(), again_of=1)
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 1 was already relaunched as job 2.")


async def test_refused_relaunch_becomes_a_draft_and_a_read_only_session_sends_nothing(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.ended(FAILED, took=40)
    scripted.on("POST", LAUNCH, Reply({"run_ids": ["These are gone."]}, 400))
    async with opened_jobs(setup_of(scripted.url, KEY, 1, read_only=True), "✗ failed") as (pilot, _):
        await pilot.press("i")
        await sees(pilot, "may cost credits again")
        await pilot.press("ctrl+g")
        await sees(pilot, "Read-only session: nothing was launched")
        assert not scripted.requests("POST", LAUNCH)
    async with opened_jobs(quiet, "✗ failed") as (pilot, _):
        await pilot.press("i")
        await sees(pilot, "failed: The model gave up.", "may cost credits again")
        await pilot.press("ctrl+g")
        await sees(pilot, "These are gone.", "Draft saved as job 2.")


async def test_job_is_forgotten_after_a_confirmation_that_explains_the_effect(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.running(RUNNING, ago=20)
    seeded.ended(FAILED, took=40)
    async with opened_job(quiet, 1, "D Delete") as pilot:
        await pilot.press("D")
        await sees(pilot, "Delete job 1 from this machine?", "may still run on")
        await pilot.press("escape")
        await sees(pilot, "Server ID", gone="Delete job 1 from this machine?")
        await pilot.press("D", "ctrl+g")
        await sees(pilot, "Job 1 deleted from this machine.", "Job 2 · ✗ failed")
        assert [job.number for job in app_state_of(pilot).jobs] == [2]
        await pilot.press("D")
        await sees(pilot, "Delete job 2 from this machine?")
        assert "may still run" not in screen_text(pilot.app)
        await pilot.press("ctrl+g")
        await sees(pilot, "No jobs yet.")
    job = seeded.jobs.get(1)
    assert job is not None
    assert job.state == JobState.FORGOTTEN


async def test_job_launched_with_another_key_is_marked_and_polled_only_on_request(
    quiet: Setup, scripted: ScriptedServer
) -> None:
    with seeded_jobs(quiet, "another-key") as seeded:
        seeded.running(RUNNING, ago=100)
    scripted.on("GET", PROGRESS, Reply({"detail": "No."}, 403))
    async with opened_jobs(quiet, "needs another key", "L Resume polling", "Launched with another key") as (pilot, _):
        assert not scripted.requests("GET", PROGRESS)
        await pilot.press("L")
        await sees(pilot, "Job 1 needs the key used to launch it", "needs another key")
        assert len(scripted.requests("GET", PROGRESS)) == 1
        scripted.on("GET", PROGRESS, Reply(RUNNING))
        await pilot.press("L")
        await sees(pilot, "L Stop polling", gone="needs another key")


async def test_copy_dialog_offers_only_available_texts_and_never_copies_the_api_key(
    quiet: Setup, seeded: SeededJobs, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded.ended(DONE, took=40)
    seeded.unconfirmed()
    async with opened_jobs(quiet, "✓ succeeded", "? unconfirmed") as (pilot, listed):
        listed.move_to(2)
        await pilot.press("y")
        await sees(pilot, "Copy or save job 2", "launch request (curl)", "job as JSON")
        assert not any(words in screen_text(pilot.app) for words in ("poll request", "improved prompt"))
        await pilot.press("escape")
        await sees(pilot, "2 jobs", gone="Copy or save job 2")
        listed.move_to(1)
        offers = "launch request (curl)", "poll request (curl)", "job as JSON", "improved prompt …"
        copied = []
        for n, what in enumerate(("launch request", "poll request", "job as JSON")):
            await pilot.press("y")
            await sees(pilot, "Copy or save job 1", *offers)
            await pilot.press(*["j"] * n, "enter")
            await sees(pilot, f"Sent the {what}", gone="Copy or save job 1")
            copied.append(pilot.app.clipboard)
        launch, progress, whole = copied
        assert launch.startswith("curl -X POST")
        assert '"$CEKURA_API_KEY' not in launch
        assert "$CEKURA_API_KEY" in launch
        assert all(words in progress for words in ("$CEKURA_API_KEY", "progress_id=p-1"))
        assert json.loads(whole)["improved_prompt"] == "Be kinder."
        assert not any(KEY in text for text in copied)
        await pilot.press("y")
        await sees(pilot, "Copy or save job 1")
        await pilot.press("G", "k", "enter")
        await sees(pilot, "Save job 1 as JSON", "job-1.json")
        monkeypatch.chdir(home)
        await pilot.press("enter")
        await sees(pilot, "Saved to", gone="Copy or save job 1")
        assert json.loads((home / "job-1.json").read_text()) == json.loads(whole)
        await pilot.press("y")
        await sees(pilot, "Copy or save job 1")
        await pilot.press("G", "enter")
        await sees(pilot, "Copy or save the prompt")


async def test_keys_of_unavailable_actions_do_nothing(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended(DONE, took=40)
    async with opened_jobs(quiet, "✓ succeeded", "enter Open", "d Details", "D Delete") as (pilot, _):
        await pilot.press("L", "i")
        await still(pilot)
        assert not pilot.app.screen.is_modal
        seeded.jobs.forget(1, time.time())
        await sees(pilot, "No jobs yet.", gone="d Details")
        await pilot.press("d", "L", "i", "D", "y", "enter")
        await still(pilot)
        assert not pilot.app.screen.is_modal


def job_of(state: JobState, **fields: Any) -> Job:
    return Job(1, state, "", "o", "k", "p", (102,), 7, "Front desk", (), (), "sha", **fields)


@pytest.mark.parametrize(
    ("job", "relaunched_as", "available"),
    [
        (job_of(JobState.LAUNCHING), None, set()),
        (job_of(JobState.RUNNING), None, {"stop", "forget"}),
        (job_of(JobState.STOPPED), None, {"resume", "forget"}),
        (job_of(JobState.LOST), None, {"resume", "launch_again", "forget"}),
        (job_of(JobState.UNCONFIRMED), None, {"launch_again", "forget"}),
        (job_of(JobState.FAILED), None, {"launch_again", "forget"}),
        (job_of(JobState.FAILED, progress_id="p-1"), None, {"resume", "launch_again", "forget"}),
        (job_of(JobState.FAILED), 2, {"forget"}),
        (job_of(JobState.RUNNING, kind=BY_COMMAND, progress_id="a1"), None, {"stop"}),
        (job_of(JobState.FAILED, kind=BY_COMMAND, progress_id="a1"), None, {"launch_again", "forget"}),
        (job_of(JobState.LOST, kind=BY_COMMAND, progress_id="a1"), None, {"launch_again", "forget"}),
        (job_of(JobState.FAILED, kind=FROM_FILE, progress_id="a1"), None, {"forget"}),
        (job_of(JobState.SUCCEEDED), None, {"forget"}),
        (job_of(JobState.NO_ISSUES), None, {"forget"}),
        (job_of(JobState.RUNNING, other_key=True, progress_id="p-1"), None, {"resume", "forget"}),
        (job_of(JobState.LOST, other_key=True), None, {"forget"}),
        (None, None, set()),
    ],
)
def test_available_actions_depend_on_the_job(job: Job | None, relaunched_as: int | None, available: set[str]) -> None:
    page: Any = SimpleNamespace(state=SimpleNamespace(relaunch_of=lambda _: relaunched_as))
    actions = JobActions(page, lambda: job)
    found = {name for name in ACTION_NAMES if actions.applies(name)}
    assert found == (available | {"details", "copy"} if job else available)
