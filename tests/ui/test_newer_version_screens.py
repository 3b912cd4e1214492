"""A newer version migrates the database under an open window: a line says so and stays, and nothing is sent."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from app_on_a_server import WIDE, Served, no_crash, on_run, opened
from newer_database import ADDED, NOTHING, REPLACED, contents, migrate
from saved_suggestion import RUN, opened_suggestion, save_suggestion
from scripted_server import PROGRESS, ScriptedServer
from seeded_jobs import RUNNING, SeededJobs, on_jobs
from waiting import eventually
from watching import sees

from cekura_tui.workspace.setup import Setup

pytestmark = pytest.mark.long

LINE = "! A newer cekura-tui changed the database; this one sends and saves nothing more. Restart cekura-tui."


@pytest.fixture(autouse=True)
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cekura_tui.jobs.engine.TICK", 0.05)


async def test_a_running_job_is_polled_and_stopped_no_more(
    quiet: Setup, seeded: SeededJobs, scripted: ScriptedServer, home: Path
) -> None:
    seeded.running(RUNNING)
    async with opened(quiet, size=WIDE) as pilot:
        await on_jobs(pilot, "1 running", "“running”")
        await eventually(lambda: scripted.requests("GET", PROGRESS), "the app polls")
        migrate(home / "cekura.db", ADDED)
        await sees(pilot, LINE, "none: nothing can be saved")
        sent, saved = len(scripted.seen), contents(home / "cekura.db")
        await pilot.press("L")
        await sees(pilot, LINE, "Restart needed", "1 running")
        await pilot.press("escape", "q")
        await eventually(lambda: not pilot.app.is_running, "the app ends")
    assert (len(scripted.seen), contents(home / "cekura.db")) == (sent, saved)


async def test_decisions_and_typed_text_wait_for_the_newer_version(served: Served, home: Path) -> None:
    async with opened_suggestion(served) as pilot:
        migrate(home / "cekura.db", NOTHING)
        sent, saved = len(served.log), contents(home / "cekura.db")
        await sees(pilot, LINE, "caller's full name if you need")
        await pilot.press("a")
        await sees(pilot, LINE, "Not saved yet: 1 decision (restart needed).")
        await pilot.press("c", "x", "escape")
        await sees(pilot, LINE, "Not saved yet: 1 decision, 1 text (restart needed).", gone="Edit change")
        await pilot.press("q")
        await eventually(lambda: not pilot.app.is_running, "the app ends")
    assert (len(served.log), contents(home / "cekura.db")) == (sent, saved)
    (file,) = (name for name in os.listdir(home) if "-unsaved-" in name)
    assert [slot[0] for slot, _ in json.loads((home / file).read_bytes())["inputs"]] == ["decision", "text"]


@pytest.mark.parametrize("script", [ADDED, REPLACED], ids=["added", "replaced"])
async def test_a_window_keeps_what_it_shows_and_sends_no_launch(served: Served, home: Path, script: str) -> None:
    save_suggestion(served)
    async with opened(served.setup()) as pilot:
        await on_run(pilot, RUN)
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "Launch", "words,", gone="Loading")
        migrate(home / "cekura.db", script)
        sent, saved = len(served.log), contents(home / "cekura.db")
        await pilot.press("ctrl+g")
        await sees(pilot, "Nothing was launched. A newer cekura-tui changed the database")
        await pilot.press("escape")
        await sees(pilot, LINE, str(RUN), "Jobs · 1 new")
        await pilot.press("r")
        await sees(pilot, LINE, "! restart needed")
        await pilot.press("enter")
        await sees(pilot, LINE, f"Run {RUN}")
        await pilot.press("2")
        await sees(pilot, LINE, "Job 1", "1 succeeded")
        no_crash(pilot)
    assert (len(served.log), contents(home / "cekura.db")) == (sent, saved)
