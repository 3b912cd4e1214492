"""What can be done with a job: stop or resume polling, launch it again, forget it, copy it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from app_on_a_server import SMALL, no_crash, opened, setup_of
from kept_jobs import DONE, DRAFT, FAILED, KEY, RUNNING, SeededJobs, app_state_of, on_job, on_jobs, seeded_jobs
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer
from textual.widgets import Static
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.jobs.lease import this_process
from cekura_tui.model.improve_prompt import launch_body
from cekura_tui.model.job import OTHER_JOB, RESET, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.ui.jobs.job_keys import ACTION_NAMES, JobActions
from cekura_tui.workspace.setup import Setup


async def test_s_stops_polling_and_resumes_polling(quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer) -> None:
    seeded.running(RUNNING, ago=20)
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "1 running", "s Stop polling")
        await pilot.press("s")
        await sees(pilot, "1 stopped", "■ stopped", "s Resume polling", "Polling stopped", gone="s Stop polling")
        asked = len(scripted.requests("GET", PROGRESS))
        await pilot.press("s")
        await sees(pilot, "1 running", "s Stop polling")
        await eventually(lambda: len(scripted.requests("GET", PROGRESS)) > asked, "it is asked about again")


async def test_a_lost_and_a_failed_job_are_polled_again(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.lost()
    seeded.ended(FAILED, took=40)
    scripted.on("GET", PROGRESS, Reply(DONE))
    async with opened(quiet, size=SMALL) as pilot:
        listed = await on_jobs(pilot, "! lost", "✗ failed", "2 jobs")
        for number in (1, 2):
            listed.move_to(number)
            await sees(pilot, f"Job {number} ·", "s Resume polling", "a Relaunch", "? Keys")
            await pilot.press("s")
            await sees(pilot, f"Job {number} · ✓ succeeded")


async def test_an_answer_about_another_job_is_used_after_a_question_and_marked(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.put(seeded.running(), JobState.LOST, f"{OTHER_JOB}agent 12, not 7. {RESET}.")
    scripted.on("GET", PROGRESS, Reply({**DONE, "agent": 12}))
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "! lost", "answers are about another", "s Resume polling")
        await pilot.press("s")
        await sees(pilot, "Take the answers as job 1's?", "agent 12, not 7", "result of another prompt")
        assert not scripted.requests("GET", PROGRESS)
        await pilot.press("y")
        await sees(pilot, "✓ succeeded", gone="Take the answers")
        await pilot.press("enter")
        await sees(pilot, "! The server answered with another job: agent 12, not 7.", "This suggestion may belong")


async def test_an_unconfirmed_job_is_relaunched_once_after_a_warning(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.unconfirmed()
    async with opened(quiet, size=SMALL) as pilot:
        await on_job(pilot, 1, "a Relaunch")
        await pilot.press("a")
        await sees(pilot, "Relaunch job 1?", "may launch the same job twice", "cost credits")
        await pilot.press("n")
        await sees(pilot, gone="Relaunch job 1?")
        assert not scripted.requests("POST", LAUNCH)
        await pilot.press("a", "a", "y", "a", "y")
        await sees(pilot, "Relaunched as job 2.", gone="a Relaunch")
        await eventually(lambda: len(app_state_of(pilot).jobs) == 2, "the second job is on the state")
        sent = [got.json() for got in scripted.requests("POST", LAUNCH)]
        assert sent == [launch_body(DRAFT)]
        while pilot.app.screen.query("#job-text") or pilot.app.screen.is_modal:
            await pilot.press("escape")
        await sees(pilot, "Relaunched  as job 2")
        no_crash(pilot)


async def test_a_relaunch_with_a_key_or_after_answers_about_another_job_says_so(
    quiet: Setup, seeded: SeededJobs
) -> None:
    secret = replace(DRAFT, prompt=Prompt(f"Be kind. Use {KEY} for calls."))
    sent = seeded.jobs.begin_launch(secret, time.time() - 300, this_process())
    seeded.put(sent, JobState.UNCONFIRMED, "The connection broke.")
    seeded.put(seeded.running(), JobState.LOST, f"{OTHER_JOB}agent 12, not 7. {RESET}.")
    async with opened(quiet) as pilot:
        listed = await on_jobs(pilot, "? unconfirmed", "! lost")
        questions = []
        for number in (1, 2):
            listed.move_to(number)
            await pilot.press("a")
            await sees(pilot, f"Relaunch job {number}?")
            questions.append(str(pilot.app.screen.query(Static).first().render()))
            await pilot.press("n")
            await sees(pilot, gone="Relaunch job")
    with_key, mismatched = questions
    assert "The prompt contains your API key." in with_key
    assert KEY not in with_key
    assert "The server answered with another job: agent 12, not 7." in mismatched
    assert "no longer knows" not in mismatched
    assert "API key" not in mismatched


async def test_a_relaunch_that_comes_too_late_names_the_job_that_is_there(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "? unconfirmed")
        await pilot.press("a")
        await sees(pilot, "Relaunch job 1?")
        seeded.jobs.begin_launch(DRAFT, time.time(), this_process(), again_of=1)
        await pilot.press("y")
        await sees(pilot, "Job 1 was already relaunched as job 2.")


async def test_a_read_only_session_relaunches_nothing(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.unconfirmed()
    async with opened(setup_of(scripted.url, KEY, 1, read_only=True)) as pilot:
        await on_jobs(pilot, "? unconfirmed")
        await pilot.press("a", "y")
        await sees(pilot, "Read-only session: nothing was launched")
        assert not scripted.requests("POST", LAUNCH)


async def test_a_refused_relaunch_is_shown_and_saved_as_a_draft(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    seeded.ended(FAILED, took=40)
    scripted.on("POST", LAUNCH, Reply({"run_ids": ["These are gone."]}, 400))
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "✗ failed")
        await pilot.press("a")
        await sees(pilot, "failed: The model gave up.", "may cost credits again")
        await pilot.press("y")
        await sees(pilot, "These are gone.", "Draft saved as job 2.")


async def test_a_job_is_forgotten_after_a_question_that_says_what_it_means(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.running(RUNNING, ago=20)
    seeded.ended(FAILED, took=40)
    async with opened(quiet) as pilot:
        await on_job(pilot, 1, "x Forget")
        await pilot.press("x")
        await sees(pilot, "Forget job 1?", "may still run on the server", "from this machine")
        await pilot.press("escape")
        await sees(pilot, "Server ID", gone="Forget job 1?")
        await pilot.press("x", "y")
        await sees(pilot, "Job 1 forgotten.", "Job 2 · ✗ failed")
        assert [job.number for job in app_state_of(pilot).jobs] == [2]
        await pilot.press("x")
        await sees(pilot, "Forget job 2?")
        assert "may still run" not in screen_text(pilot.app)
        await pilot.press("y")
        await sees(pilot, "No jobs yet.")
        job = seeded.jobs.get(1)
        assert job is not None
        assert job.state == JobState.FORGOTTEN


async def test_a_job_of_another_key_says_so_and_is_tried_once(quiet: Setup, scripted: ScriptedServer) -> None:
    with seeded_jobs(quiet, "another-key") as seeded:
        seeded.running(RUNNING, ago=100)
    scripted.on("GET", PROGRESS, Reply({"detail": "No."}, 403))
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "needs another key", "s Resume polling", "Launched with another key")
        assert not scripted.requests("GET", PROGRESS)
        await pilot.press("s")
        await sees(pilot, "Job 1 needs the key used to launch it", "needs another key")
        assert len(scripted.requests("GET", PROGRESS)) == 1
        scripted.on("GET", PROGRESS, Reply(RUNNING))
        await pilot.press("s")
        await sees(pilot, "s Stop polling", gone="needs another key")


async def test_offers_to_copy_depend_on_the_job_and_commands_have_no_key(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended(DONE, took=40)
    seeded.unconfirmed()
    async with opened(quiet) as pilot:
        listed = await on_jobs(pilot, "✓ succeeded", "? unconfirmed")
        listed.move_to(2)
        await pilot.press("y")
        await sees(pilot, "Copy from job 2", "Launch request (curl)", "Job as JSON")
        assert not any(words in screen_text(pilot.app) for words in ("Poll request", "Improved prompt"))
        await pilot.press("escape")
        await sees(pilot, "2 jobs", gone="Copy from job 2")
        listed.move_to(1)
        offers = (
            "Launch request (curl)",
            "Poll request (curl)",
            "Job as JSON",
            "Improved prompt …",
        )
        copied = []
        for n, what in enumerate(("launch request", "poll request", "job as JSON")):
            await pilot.press("y")
            await sees(pilot, "Copy from job 1", *offers)
            await pilot.press(*["j"] * n, "enter")
            await sees(pilot, f"Sent the {what}", gone="Copy from job 1")
            copied.append(pilot.app.clipboard)
        launch, progress, whole = copied
        assert launch.startswith("curl -X POST")
        assert '"$CEKURA_API_KEY' not in launch
        assert "$CEKURA_API_KEY" in launch
        assert "$CEKURA_API_KEY" in progress
        assert "progress_id=p-1" in progress
        assert json.loads(whole)["improved_prompt"] == "Be kinder."
        assert not any(KEY in text for text in copied)
        await pilot.press("y")
        await sees(pilot, "Copy from job 1")
        await pilot.press("G", "enter")
        await sees(pilot, "Copy or save the prompt")


async def test_keys_that_do_not_apply_do_nothing(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended(DONE, took=40)
    async with opened(quiet) as pilot:
        await sees(pilot, "No runs here yet.")
        await on_jobs(pilot, "✓ succeeded", "enter Open", "d Details", "x Forget")
        await pilot.press("s", "a")
        await still(pilot)
        assert not pilot.app.screen.is_modal
        seeded.jobs.forget(1, time.time())
        await sees(pilot, "No jobs yet.", gone="d Details")
        await pilot.press("d", "s", "a", "x", "y", "enter")
        await still(pilot)
        assert not pilot.app.screen.is_modal
        no_crash(pilot)


def applicable(job: Job | None, *, repeated_by: int | None = None) -> set[str]:
    """What is offered for a job on a page."""
    state = SimpleNamespace(relaunch_of=lambda _: repeated_by)
    page: Any = SimpleNamespace(state=state)
    actions = JobActions(page, lambda: job)
    return {name for name in ACTION_NAMES if actions.applies(name)}


def job_of(state: JobState, **fields: Any) -> Job:
    return Job(1, state, "", "o", "k", "p", (102,), 7, "Front desk", (), (), "sha", **fields)


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (JobState.LAUNCHING, set()),
        (JobState.RUNNING, {"stop", "forget"}),
        (JobState.STOPPED, {"resume", "forget"}),
        (JobState.LOST, {"resume", "launch_again", "forget"}),
        (JobState.UNCONFIRMED, {"launch_again", "forget"}),
        (JobState.FAILED, {"launch_again", "forget"}),
        (JobState.SUCCEEDED, {"forget"}),
        (JobState.NO_ISSUES, {"forget"}),
    ],
)
def test_what_is_offered_follows_from_the_state(state: JobState, offered: set[str]) -> None:
    assert applicable(job_of(state)) == {"details", "copy", *offered}


def test_a_failure_that_the_server_reported_can_be_asked_about_again() -> None:
    assert "resume" in applicable(job_of(JobState.FAILED, progress_id="p-1"))


def test_nothing_is_offered_where_there_is_no_job() -> None:
    assert not applicable(None)


def test_a_job_that_was_launched_again_is_not_launched_again() -> None:
    assert "launch_again" not in applicable(job_of(JobState.FAILED), repeated_by=2)


def test_a_job_of_another_key_is_polled_only_where_the_server_knows_it() -> None:
    known = job_of(JobState.RUNNING, other_key=True, progress_id="p-1")
    assert applicable(known) == {"details", "copy", "resume", "forget"}
    assert "resume" not in applicable(job_of(JobState.LOST, other_key=True))
