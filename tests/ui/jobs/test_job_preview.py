"""The preview beside the list of jobs shows changes of finished jobs and progress of running jobs. It loads nothing
needlessly."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from app_on_a_server import SMALL, WIDE, opened
from one_dialog import burst
from scripted_server import PROGRESS, Reply, ScriptedServer
from seeded_jobs import FAILED, RUNNING, SeededJobs, app_state_of, on_jobs, opened_jobs
from waiting import eventually
from watching import screen_text, sees, still

from cekura_tui.model.job import Job, JobState
from cekura_tui.ui.jobs import screen as jobs_screen
from cekura_tui.ui.jobs.list import ColumnSizes, columns
from cekura_tui.ui.jobs.preview import excerpts
from cekura_tui.ui.jobs.words import summary_lines
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.suggestions import Suggestions

SUMMARY = "- Kinder words.\n* Shorter sentences.\n1. A rule on names."
DONE = {"status": "completed", "output": {"improved_prompt": "Be kinder to the caller.", "summary_of_changes": SUMMARY}}
LONGER = {"improved_prompt": "Be kind to the caller.\n\nBe brief.", "summary_of_changes": "- Briefer.\n" * 14}


def job_with(summary: str) -> Job:
    job = Job(1, JobState.SUCCEEDED, "", "o", "k", "p", (102,), 7, "Front desk", (), (), "sha")
    return replace(job, summary_of_changes=summary)


@pytest.fixture
def compared_jobs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that receives the numbers of the jobs whose prompts are compared, in order."""
    found: list[int] = []
    before = Suggestions.open

    async def open_(self: Suggestions, number: int) -> object:
        found.append(number)
        return await before(self, number)

    monkeypatch.setattr(Suggestions, "open", open_)
    return found


async def test_finished_job_shows_its_summary_and_first_changes(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended(DONE, took=40)
    shown = "Job 1 · ✓ succeeded", "✓ 1 change, 1 undecided", "Summary", "• Kinder words.", "• A rule on names."
    async with opened(quiet, size=SMALL) as pilot:
        await sees(pilot, "─ Jobs · 1 new · job 1 ✓ succeeded: Kinder words. Shorter")
        await on_jobs(pilot, *shown)
        await pilot.resize_terminal(*WIDE)
        await sees(pilot, *shown, "Changes", "− Be kind to the caller.", "+ Be kinder to the caller.")
        await pilot.press("enter")
        await sees(pilot, "1 of 1 undecided")
        await pilot.press("a")
        await sees(pilot, "all decided")
        await pilot.press("escape")
        await sees(pilot, "Job 1 · ✓ succeeded", "✓ 1 change, all decided · staged +")


async def test_prompts_of_a_job_are_compared_once_and_only_if_the_cursor_rests_on_the_job(
    quiet: Setup, seeded: SeededJobs, compared_jobs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(9):
        seeded.ended(DONE | {"output": LONGER}, took=40, ago=9_000 - n * 100)
    async with opened_jobs(quiet, "9 jobs", "1 change", "… 2 more lines", "  + Be brief.") as (pilot, listed):
        assert "  − " not in screen_text(pilot.app)
        assert compared_jobs == [9]
        monkeypatch.setattr(jobs_screen, "PREVIEW_DELAY", 0.5)
        burst(pilot.app, *"jjjjjjjj")
        await sees(pilot, "Job 1 ·", "1 change")
        assert (listed.cursor_key, compared_jobs) == (1, [9, 1])
        burst(pilot.app, *"kkkkkkkk")
        await sees(pilot, "Job 9 ·", "1 change")
        await eventually(lambda: not pilot.app.screen._preview_debounce.is_waiting, "the cursor rests")
        await still(pilot)
        assert compared_jobs == [9, 1]


@pytest.mark.long
async def test_running_job_shows_its_last_answer_and_next_poll(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer
) -> None:
    for _ in range(3):
        seeded.watched(40)
    seeded.running(RUNNING, ago=20)
    scripted.on("GET", PROGRESS, Reply({"status": "evaluating"}))
    shown = (
        "Job 4 · ◌ running",
        "▰▱▱▱▱ about",
        "Last answer “evaluating” at ",
        "Usual time  40 s, median 40 s of 3 jobs",
    )
    async with opened_jobs(quiet, *shown, "Next poll   ") as (pilot, _):

        def next_poll() -> str:
            return screen_text(pilot.app).partition("Next poll   ")[2][:8]

        first = next_poll()
        await eventually(lambda: next_poll() != first, "the time of the poll after that")


async def test_a_failed_job_or_an_unreadable_suggestion_shows_the_reason(
    quiet: Setup, seeded: SeededJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(self: Suggestions, number: int) -> object:
        raise jobs_screen.CekuraTuiError(f"The prompt of job {number} is damaged.")

    monkeypatch.setattr(Suggestions, "open", gone)
    seeded.ended(DONE, took=40)
    seeded.ended(FAILED, took=40, ago=500)
    why = "✗ The job ended without a suggestion. i", "Error       The model gave"
    async with opened_jobs(quiet, *why) as (pilot, listed):
        listed.move_to(1)
        await sees(pilot, "Summary", "! The prompt of job 1 is damaged.")


async def test_nothing_is_painted_while_no_job_runs(quiet: Setup, seeded: SeededJobs) -> None:
    seeded.ended(DONE, took=40)
    async with opened_jobs(quiet, "1 change") as (pilot, _):
        await still(pilot)
        frames: list[float] = []
        pilot.app.post_display_hook = lambda: frames.append(time.monotonic())  # type: ignore[method-assign]
        await asyncio.sleep(1.5)
        assert not frames
        assert app_state_of(pilot).jobs


@pytest.mark.long
async def test_pane_of_jobs_has_one_row_per_job_but_at_most_four_rows(quiet: Setup, seeded: SeededJobs) -> None:
    async with opened(quiet) as pilot:
        await sees(pilot, "Jobs · none yet · i on a failed run launches one")
        pane = pilot.app.screen.query_one("#jobs-pane")
        heights = []
        for n in range(6):
            seeded.ended(DONE, took=40, ago=9_000 - n * 100)
            await sees(pilot, f"Jobs · {n + 1} new")
            await still(pilot)
            heights.append(pane.size.height)
        assert heights == [1, 2, 3, 4, 4, 4]
        await sees(pilot, "Kinder words. Shorter sentences. A rule on names.")


@pytest.mark.parametrize(
    ("summary", "lines"),
    [
        (SUMMARY, ["Kinder words.", "Shorter sentences.", "A rule on names."]),
        ("12) Late.\n\n  • Deep.\n# Head", ["Late.", "Deep.", "Head"]),
        ("-5 degrees is cold\n2024 was long\n", ["-5 degrees is cold", "2024 was long"]),
        ("", []),
    ],
)
def test_list_marks_are_removed_from_a_summary(summary: str, lines: list[str]) -> None:
    assert summary_lines(job_with(summary)) == lines


def test_excerpt_begins_shortly_before_the_first_difference() -> None:
    lead = "One two three four five six seven eight nine ten eleven twelve "
    near = "… eight nine ten eleven twelve"
    assert excerpts(lead + "red.", lead + "blue.") == (f"{near} red.", f"{near} blue.")
    assert excerpts("", "Come.") == ("", "Come.")
    assert excerpts("Red.", "Blue.") == ("Red.", "Blue.")


@pytest.mark.parametrize(
    ("width", "names"),
    [(60, "state job runs elapsed ended result"), (117, "state job runs agent elapsed ended result")],
)
def test_job_columns_fill_the_width_and_include_the_agent_if_there_is_room(width: int, names: str) -> None:
    found = columns(width, ColumnSizes(agent=24, when=len("18 Aug 14:04")))
    assert [name for name, _ in found] == names.split()
    assert sum(cells + 1 for _, cells in found) + 3 == width
