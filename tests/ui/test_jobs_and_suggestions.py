"""Jobs and what came of them: every end is told, and a suggestion gets to a file exactly as it came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import SMALL, WIDE, Served, launched, no_crash, on_run, opened, setup_of
from hostile import AGENT_PROMPT, IMPROVED, serve_hostile
from scripted_server import Reply, ScriptedServer
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees

FAILED, PASSED, UNHEARD = 900238, 900239, 900220


async def save_as(pilot: Pilot[None], name: str) -> None:
    await pilot.press("y")
    await sees(pilot, "Copy or save the prompt")
    pilot.app.screen.query_one(Input).value = name
    await pilot.press("enter")


async def suggestion(pilot: Pilot[None]) -> None:
    await launched(pilot, FAILED)
    await pilot.press("2")
    await sees(pilot, "1 succeeded")
    await pilot.press("enter")
    await sees(pilot, "Suggestion of job", "· 1 of 2")


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_suggestion_is_a_summary_and_a_diff_one_can_step_through(served: Served, size: tuple[int, int]) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await suggestion(pilot)
        pilot.app.clear_notifications()
        await sees(pilot, "Rewrote a sentence in “Identity and privacy”", "· 1 of 2")
        await pilot.press("n", "n")
        await sees(pilot, "· 2 of 2", "Handing over to a person")
        await pilot.press("N")
        await sees(pilot, "· 1 of 2")
        await pilot.press("tab", "escape")
        await sees(pilot, "1 succeeded", "1 job")
        no_crash(pilot)


async def test_a_saved_suggestion_is_what_the_server_sent_to_the_byte(scripted: ScriptedServer, tmp_path: Path) -> None:
    serve_hostile(scripted)
    saved = tmp_path / "better.md"
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await launched(pilot, 102)
        await pilot.press("2", "enter")
        await sees(pilot, "Suggestion of job 1", "· 1 of")
        await save_as(pilot, str(saved))
        await sees(pilot, "Saved to", "characters.")
        assert saved.read_bytes() == IMPROVED.encode()


async def test_a_file_that_exists_is_asked_about_and_a_missing_folder_is_named(served: Served, tmp_path: Path) -> None:
    there = tmp_path / "there.md"
    there.write_text("mine")
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await save_as(pilot, str(there))
        await sees(pilot, "already exists", "enter again to overwrite")
        assert there.read_text() == "mine"
        pilot.app.screen.query_one(Input).value = str(tmp_path / "no" / "folder.md")
        await pilot.press("enter")
        await sees(pilot, "There is no directory", "no")
        pilot.app.screen.query_one(Input).value = str(tmp_path)
        await pilot.press("enter")
        await sees(pilot, "Choose a file in it.")
        pilot.app.screen.query_one(Input).value = ""
        await pilot.press("enter")
        await sees(pilot, "Type a file name")
        pilot.app.screen.query_one(Input).value = str(there)
        await pilot.press("enter")
        await sees(pilot, "already exists")
        assert there.read_text() == "mine"
        await pilot.press("enter")
        await sees(pilot, "Saved to", gone="Copy or save the prompt")
        assert "Before you open, read out or change anything" in there.read_text()


@pytest.mark.long
async def test_every_end_of_a_job_is_told_in_words_with_its_history(served: Served) -> None:
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


async def test_a_job_that_the_server_fails_is_failed_with_its_words(scripted: ScriptedServer) -> None:
    serve_hostile(scripted, end={"status": "failed", "error": "The model ran out of [/red] patience."})
    async with opened(setup_of(scripted.url, "key"), size=SMALL) as pilot:
        await launched(pilot, 102, "failed")
        await pilot.press("2")
        await sees(pilot, "1 failed", "The model ran out of [/red] p")
        await pilot.press("enter")
        await sees(pilot, "Sent", "Job 1  ✗ failed", "The model ran out of [/red] patience.")


@pytest.mark.long
async def test_the_end_of_a_job_is_told_wherever_one_is(scripted: ScriptedServer) -> None:
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


async def test_a_proposal_without_a_change_says_so(scripted: ScriptedServer) -> None:
    serve_hostile(scripted, end={"status": "completed", "output": {"improved_prompt": AGENT_PROMPT}})
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await launched(pilot, 102)
        await pilot.press("2", "enter")
        await sees(pilot, "No changes", "word for word", "The server sent no summary.")
        no_crash(pilot)


async def test_jobs_are_opened_from_the_pane_under_the_runs(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await launched(pilot, FAILED)
        await sees(pilot, "Jobs · 1 new")
        pane: Any = pilot.app.screen.query_one("#pane-jobs")
        await eventually(lambda: pane.rows, "the job in the pane")
        pane.focus()
        await pilot.press("enter")
        await sees(pilot, "Suggestion of job 1")
        await pilot.press("escape")
        await sees(pilot, "240 runs")


WHERE = {
    "the runs": ((), "240 runs"),
    "a run": (("j", "j", "enter"), "Run 900238"),
    "the jobs": (("2",), "No jobs yet."),
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.long
async def test_q_leaves_from_every_screen(served: Served, where: str) -> None:
    keys, shown = WHERE[where]
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press(*keys)
        await sees(pilot, shown)
        await pilot.press("q")
        await eventually(lambda: not pilot.app.is_running, "the app ends")
        assert pilot.app.return_code == 0


async def test_the_keys_of_each_screen_are_one_key_away_and_go_again(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        for keys, told in (
            ((), "Keys · Runs"),
            (("j", "j", "enter"), "Keys · Run "),
            (("2",), "Keys · Jobs"),
        ):
            await pilot.press(*keys)
            await pilot.press("question_mark")
            await sees(pilot, told)
            await pilot.press("question_mark")
            await sees(pilot, gone=told)
        no_crash(pilot)
