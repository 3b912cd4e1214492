"""A newer version migrates the database while commands follow a job: the commands end with 5 and send nothing more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call, refused
from newer_database import ADDED, REPLACED, contents, migrate
from running_commands import RunningCommand
from saved_jobs import DONE, SavedJobs
from scripted_server import LAUNCH, PROGRESS, Got, Reply, ScriptedServer
from waiting import until

SENTENCE = "A newer cekura-tui changed the database; this one sends and saves nothing more. Restart cekura-tui."
RUNNING = Reply({"status": "in_progress"})


@pytest.mark.parametrize("script", [ADDED, REPLACED], ids=["added", "replaced"])
def test_a_wait_ends_and_leaves_the_last_answer_to_the_newer_version(
    server: ScriptedServer, jobs: SavedJobs, script: str
) -> None:
    def answer(_: Got) -> Reply:
        migrate(jobs.database, script)
        return Reply(DONE)

    server.on("GET", PROGRESS, answer)
    refused(SENTENCE, "jobs", "wait", 1, status=5)
    assert len(server.requests("GET", PROGRESS)) == 1
    assert jobs.execute("SELECT state FROM jobs") == [("running",)]


def test_improve_ends_with_5_after_one_launch(
    api: ScriptedServer, home: Path, improve: tuple[object, ...], polled_at_once: None
) -> None:
    def answer(_: Got) -> Reply:
        migrate(home / "cekura.db")
        return RUNNING

    api.on("GET", PROGRESS, answer)
    launched = call(*improve, "--wait")
    assert (launched.status, launched.out, launched.err.splitlines()[-1]) == (5, "", f"cekura-tui: {SENTENCE}")
    assert (len(api.requests("POST", LAUNCH)), len(api.requests("GET", PROGRESS))) == (1, 1)
    refused("has version", "jobs", "list", status=2)


@pytest.mark.parametrize("script", [ADDED, REPLACED], ids=["added", "replaced"])
@pytest.mark.parametrize("running", [True, False], ids=["running", "idle"])
@pytest.mark.long
def test_all_processes_end_and_poll_nothing_more(
    api: ScriptedServer, jobs: SavedJobs, start: Callable[..., RunningCommand], script: str, running: bool
) -> None:
    api.on("GET", PROGRESS, RUNNING)
    if running:
        jobs.running()
    commands = [start("jobs", "watch"), *([start("jobs", "wait", 1)] if running else [])]
    for one in commands:
        shown = "in_progress" if running else "No unfinished jobs"
        until(lambda one=one, shown=shown: shown in "\n".join(one.out + one.err), f"{shown!r}, after {one.err}")
    migrate(jobs.database, script)
    polls, saved = len(api.requests("GET", PROGRESS)), contents(jobs.database)
    for one in commands:
        assert (one.ended(), one.err[-1]) == (5, f"cekura-tui: {SENTENCE}")
    assert len(api.requests("GET", PROGRESS)) - polls <= 1  # in flight during the migration
    assert contents(jobs.database) == saved
