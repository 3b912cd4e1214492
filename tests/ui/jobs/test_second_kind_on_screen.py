"""Screens show a kind of job that only this test defines."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from second_kind import TEST, TESTS, read_result
from seeded_jobs import SeededJobs, opened_job
from watching import screen_text, sees

from cekura_tui.jobs.owner import this_process
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.ui.away import count_outcomes
from cekura_tui.workspace.setup import Setup


async def test_second_kind_of_job_is_shown_with_its_own_words(
    quiet: Setup, seeded: SeededJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, TESTS.name, TESTS)
    now, done = time.time(), {"status": "completed", "success_runs_count": 3, "name": "Night"}
    job = seeded.jobs.begin_launch(TEST, now - 300, this_process())
    seeded.jobs.record_progress_id(job.number, "41", "{}", now - 300)
    ended = seeded.jobs.record_answer(job.number, read_result(done), json.dumps(done), now - 200)
    facts = "✓ succeeded   Agent 7", "The scenarios were run again.", "those of result 9"
    async with opened_job(quiet, 1, *facts) as pilot:
        shown = screen_text(pilot.app)
        assert not any(word in shown for word in ("prompt", "focus", "uggestion", "Runs"))
        await pilot.press("escape", "enter")
        await sees(pilot, " Job 1 ", "SHA-256")
    assert count_outcomes([ended, replace(ended, number=2)]) == "2 test reports"
