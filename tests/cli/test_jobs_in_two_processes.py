"""Of two processes with one config directory, one process polls for both. Either process may be killed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
from calling import call
from running_commands import RunningCommand
from saved_jobs import DONE, SavedJobs
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Hold, Reply, ScriptedServer
from waiting import until

from cekura_tui.model.job import JobState

Start = Callable[..., RunningCommand]
RUNNING = Reply({"status": "in_progress"})
STATE_LINE = "job 1: running: the server says “in_progress”"


@pytest.mark.long
def test_one_process_polls_and_all_processes_print_the_result(
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
        one.prints('"succeeded"')
    jobs.running()
    for one in watched:
        until(lambda one=one: sum('"succeeded"' in line for line in one.out) == 2, "both jobs ended")
    assert (waiting.ended(), len(polls)) == (0, 3)
    changes = [[json.loads(line) | {"at": ""} for line in one.out] for one in watched]
    for number in (1, 2):
        last = [[change for change in one if change["job"] == number][-1] for one in changes]
        assert last[0] == last[1]


@pytest.mark.long
def test_another_process_polls_after_the_polling_process_was_killed(
    server: ScriptedServer, jobs: SavedJobs, start: Start
) -> None:
    server.on("GET", PROGRESS, RUNNING)
    first = start("jobs", "watch")
    until(lambda: server.requests("GET", PROGRESS), "the first one polls")
    second = start("jobs", "wait", 1)
    second.reports(STATE_LINE)
    first.kill()
    server.on("GET", PROGRESS, Reply(DONE))
    assert (second.ended(), second.err[-1]) == (0, "job 1: succeeded")
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"


@pytest.mark.nightly
def test_another_process_polls_if_the_polling_process_is_killed_before_the_answer(
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


@pytest.mark.parametrize(
    ("happens", "status", "said"),
    [
        (lambda jobs: jobs.put(1, JobState.STOPPED), 1, "job 1: stopped: Another window said so."),
        (lambda jobs: jobs.put(1, JobState.LOST), 1, "job 1: lost: Another window said so."),
        (lambda jobs: jobs.forget(1), 2, "No job 1 found."),
    ],
    ids=["stopped", "lost", "forgotten"],
)
def test_a_wait_ends_if_another_window_marks_the_job_stopped_or_lost_or_forgotten(
    server: ScriptedServer, jobs: SavedJobs, happens: Callable[[SavedJobs], None], status: int, said: str
) -> None:
    def fail(_: Got) -> Reply:
        happens(jobs)
        return Reply(HTML_502, 502)

    server.on("GET", PROGRESS, fail)
    waited = call("jobs", "wait", 1)
    assert (waited.status, said in waited.err.splitlines()[-1]) == (status, True)


@pytest.mark.long
def test_a_wait_ends_if_the_launching_process_is_killed(
    server: ScriptedServer, start: Start, improve: tuple[object, ...]
) -> None:
    hold = Hold(Reply({"progress_id": "p-2"}))
    server.on("POST", LAUNCH, hold)
    server.on("GET", PROGRESS, RUNNING)
    launching = start(*improve)
    until(hold.arrived.is_set, "the launch arrived")
    waiting = start("jobs", "wait", 2)
    waiting.reports("job 2: launching")
    launching.kill()
    assert waiting.ended() == 1
    assert "job 2: unconfirmed: cekura-tui ended before the server's answer was recorded" in waiting.err[-1]
