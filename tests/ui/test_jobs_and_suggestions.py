"""Jobs and their suggestions, from the run that a job is launched from to the file that its suggestion is saved in."""

from __future__ import annotations

from typing import Any

import pytest
from app_on_a_server import Served, launched, no_crash, on_run, opened, setup_of
from hostile import serve_hostile
from kept_jobs import DRAFT, SeededJobs, on_jobs
from kept_suggestion import keep_suggestion
from scripted_server import Reply, ScriptedServer
from waiting import eventually
from watching import sees

from cekura_tui.workspace.setup import Setup

PASSED, UNHEARD = 900239, 900220


async def test_a_suggestion_opens_from_the_jobs_pane_and_n_and_N_step_through_it(served: Served) -> None:
    keep_suggestion(served)
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs", "Jobs · 1 new")
        pane: Any = pilot.app.screen.query_one("#pane-jobs")
        await eventually(lambda: pane.rows, "the job in the pane")
        pane.focus()
        await pilot.press("enter")
        await sees(pilot, "Suggestion of job 1", "Asks for the name.", "· 1 of 2")
        await pilot.press("n", "n")
        await sees(pilot, "· 2 of 2", "Handing over to a person")
        await pilot.press("N")
        await sees(pilot, "· 1 of 2")
        await pilot.press("tab", "escape")
        await sees(pilot, "240 runs", "Jobs · job 1 ✓ succeeded")
        no_crash(pilot)


@pytest.mark.long
async def test_every_end_of_a_job_has_words_and_a_history(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await launched(pilot, PASSED, "no_issues")
        await launched(pilot, UNHEARD, "failed")
        await pilot.press("2")
        await sees(pilot, "1 no issues", "1 failed", "2 jobs", "Job 2 · ✗ failed", "transcript to learn from")
        await pilot.press("enter")
        await sees(pilot, "Sent", "ended without a suggestion", "SHA-256", "Answers · ", "launching")
        await pilot.press("escape")
        await sees(pilot, "2 jobs")
        await pilot.press("j")
        await sees(pilot, "Job 1 · – no issues")
        await pilot.press("enter")
        await sees(pilot, "Sent", "nothing to improve")
        no_crash(pilot)


@pytest.mark.long
async def test_the_end_of_a_job_is_reported_on_every_screen(scripted: ScriptedServer) -> None:
    serve_hostile(scripted, end={"status": "running"})
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await launched(pilot, 102, "running")
        await sees(pilot, "1 running")
        await on_run(pilot, 101)
        await pilot.press("enter")
        await sees(pilot, "Run 101")
        ended = Reply({"status": "completed", "output": {"improved_prompt": "Better."}})
        scripted.on("GET", "/test_framework/v1/runs/improve_prompt_progress/", ended)
        await sees(pilot, "Job 1 succeeded · U opens the suggestion", "Run 101")


async def test_a_proposal_without_a_change_says_so(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended({"status": "completed", "output": {"improved_prompt": DRAFT.prompt}}, took=20.0)
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "1 succeeded")
        await pilot.press("enter")
        await sees(pilot, "No changes", "word for word", "The server sent no summary.")
        no_crash(pilot)


WHERE = {
    "the runs": ((), "240 runs"),
    "a run": (("j", "j", "enter"), "Run 900238"),
    "the jobs": (("2",), "No jobs yet."),
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.long
async def test_q_quits_from_every_screen(served: Served, where: str) -> None:
    keys, shown = WHERE[where]
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press(*keys)
        await sees(pilot, shown)
        await pilot.press("q")
        await eventually(lambda: not pilot.app.is_running, "the app ends")
        assert pilot.app.return_code == 0
