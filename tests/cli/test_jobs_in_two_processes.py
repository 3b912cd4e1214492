"""Two processes on one config directory: both show the same, one of them polls, and either may die."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call
from going_on import RunningCommand, watching
from saved_jobs import DONE, SavedJobs
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Hold, Reply, ScriptedServer
from waiting import until

from cekura_tui.model.job import JobState

Start = Callable[..., RunningCommand]
RUNNING = Reply({"status": "in_progress"})
STATE_LINE = "job 1: running: the server says “in_progress”"


def poller(home: Path) -> int | None:
    """The process that polls now."""
    with sqlite3.connect(f"file:{home / 'cekura.db'}?mode=ro", uri=True) as sql:
        row = sql.execute("SELECT holder FROM leases").fetchone()
    sql.close()
    return int(json.loads(row[0])["pid"]) if row else None


@pytest.mark.long
def test_one_process_polls_and_all_print_what_the_server_says(
    server: ScriptedServer, jobs: SavedJobs, start: Start
) -> None:
    polls: list[Got] = []
    printed_by_all = threading.Event()

    def answer(got: Got) -> Reply:
        if got.query["progress_id"] == "p-2":
            return Reply(DONE)
        if printed_by_all.is_set():
            polls.append(got)
        return Reply(DONE) if len(polls) > 2 else RUNNING

    server.on("GET", PROGRESS, answer)
    watched = [start("jobs", "watch", "--json") for _ in range(2)]
    waiting = start("jobs", "wait", 1)
    for one in watched:
        one.prints('"in_progress"')
    waiting.reports(STATE_LINE)
    printed_by_all.set()
    for one in watched:
        until(lambda one=one: any('"succeeded"' in line for line in one.out), "job 1 ended")
    jobs.running()
    for one in watched:
        until(lambda one=one: sum('"succeeded"' in line for line in one.out) == 2, "both jobs ended")
    assert waiting.ended() == 0
    assert len(polls) == 3
    changes = [[json.loads(line) | {"at": ""} for line in one.out] for one in watched]
    for number in (1, 2):
        last = [[change for change in one if change["job"] == number][-1] for one in changes]
        assert last[0] == last[1]


@pytest.mark.long
def test_when_the_process_that_polls_is_killed_another_one_polls(
    server: ScriptedServer, start: Start, home: Path
) -> None:
    server.on("GET", PROGRESS, RUNNING)
    first = start("jobs", "watch")
    until(lambda: poller(home) == first.pid, "the first one polls")
    second = start("jobs", "wait", 1)
    second.reports(STATE_LINE)
    first.kill()
    server.on("GET", PROGRESS, Reply(DONE))
    assert second.ended() == 0
    assert second.err[-1] == "job 1: succeeded"
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"


@pytest.mark.nightly
def test_when_the_process_that_polls_is_killed_before_the_answer_another_one_polls(
    server: ScriptedServer, start: Start
) -> None:
    hold = Hold(Reply(DONE))
    server.on("GET", PROGRESS, hold, Reply(DONE))
    first = start("jobs", "watch")
    until(hold.arrived.is_set, "the first one polls")
    second = start("jobs", "wait", 1)
    second.reports("job 1: running")
    first.kill()
    assert second.ended() == 0


@pytest.mark.parametrize("state", [JobState.STOPPED, JobState.LOST])
def test_a_wait_ends_when_another_window_stops_or_loses_the_job(
    server: ScriptedServer, jobs: SavedJobs, state: JobState
) -> None:
    server.on("GET", PROGRESS, meanwhile(lambda: jobs.put(1, state)))
    waited = call("jobs", "wait", 1)
    assert waited.status == 1
    assert waited.err.splitlines()[-1] == f"job 1: {state}: Another window said so."


def meanwhile(happens: Callable[[], object]) -> Callable[[Got], Reply]:
    """A failure of the server before which something happens in another process."""

    def answer(_: Got) -> Reply:
        happens()
        return Reply(HTML_502, 502)

    return answer


def test_a_wait_for_a_job_that_another_window_forgets_ends(server: ScriptedServer, jobs: SavedJobs) -> None:
    server.on("GET", PROGRESS, meanwhile(lambda: jobs.forget(1)))
    waited = call("jobs", "wait", 1)
    assert (waited.status, "No job 1 found." in waited.err) == (2, True)


def test_a_job_that_another_window_resumes_is_polled_at_once(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.put(1, JobState.STOPPED)
    server.on("GET", PROGRESS, Reply(DONE))
    with watching() as watched:
        watched.reports("No unfinished jobs.")
        jobs.put(1, JobState.RUNNING, "")
        watched.prints("job 1: succeeded")
    assert len(server.requests("GET", PROGRESS)) == 1


@pytest.mark.long
def test_a_launch_whose_process_is_killed_ends_the_wait_of_another_process(
    server: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    hold = Hold(Reply({"progress_id": "p-2"}))
    server.on("POST", LAUNCH, hold)
    server.on("GET", PROGRESS, RUNNING)
    launching = start("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the launch arrived")
    waiting = start("jobs", "wait", 2)
    waiting.reports("job 2: launching")
    launching.kill()
    assert waiting.ended() == 1
    assert "job 2: unconfirmed: cekura-tui ended before the server's answer was recorded" in waiting.err[-1]
