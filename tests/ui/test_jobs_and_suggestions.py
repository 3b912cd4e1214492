"""Opening a suggestion from the jobs pane, a suggestion without changes, and quitting with q."""

from __future__ import annotations

from typing import Any

import pytest
from app_on_a_server import Served, no_crash, opened
from saved_suggestion import save_suggestion
from seeded_jobs import DRAFT, SeededJobs, on_jobs
from waiting import eventually
from watching import sees

from cekura_tui.workspace.setup import Setup


async def test_a_suggestion_opens_from_the_jobs_pane_and_n_and_N_step_through_its_changes(served: Served) -> None:
    save_suggestion(served)
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
        await sees(pilot, "240 runs", "─ Jobs ─", "✓ succeeded", "1 of 1 ─")
        no_crash(pilot)


async def test_an_improved_prompt_equal_to_the_sent_prompt_is_shown_as_no_changes(
    quiet: Setup, seeded: SeededJobs
) -> None:
    seeded.ended({"status": "completed", "output": {"improved_prompt": DRAFT.prompt}}, took=20.0)
    async with opened(quiet) as pilot:
        await on_jobs(pilot, "1 succeeded")
        await pilot.press("enter")
        await sees(pilot, "No changes", "word for word", "No summary of the changes.")
        no_crash(pilot)


@pytest.mark.parametrize(("key", "shown"), [("j", "240 runs"), ("enter", "Run 900240"), ("2", "No jobs yet.")])
@pytest.mark.long
async def test_q_quits_from_the_run_list_and_from_a_run_and_from_the_jobs(served: Served, key: str, shown: str) -> None:
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press(key)
        await sees(pilot, shown)
        await pilot.press("q")
        await eventually(lambda: not pilot.app.is_running, "the app ends")
        assert pilot.app.return_code == 0
