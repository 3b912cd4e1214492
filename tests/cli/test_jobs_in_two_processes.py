"""Two windows on one config directory: both show the same, one of them asks, and either may die."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from calling import call
from going_on import RunningCommand
from scripted_server import LAUNCH, PROGRESS, Got, Hold, Reply, ScriptedServer
from waiting import until

from cekura_tui.model.job import JobState

pytestmark = pytest.mark.long

Start = Callable[..., RunningCommand]
RUNNING = Reply({"status": "in_progress"})
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n"}})
STATE_LINE = "job 1: running: the server says “in_progress”"


def polls(server: ScriptedServer) -> int:
    return len(server.requests("GET", PROGRESS))


def asker(home: Path) -> int | None:
    """The process that asks the server now."""
    with sqlite3.connect(f"file:{home / 'cekura.db'}?mode=ro", uri=True) as sql:
        row = sql.execute("SELECT holder FROM leases").fetchone()
    sql.close()
    return int(json.loads(row[0])["pid"]) if row else None


def test_what_either_finds_is_told_by_both_within_five_seconds(
    server: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    server.on("GET", PROGRESS, RUNNING)
    watching = [start("jobs", "watch", "--json") for _ in range(2)]
    for one in watching:
        one.prints('"in_progress"')
    server.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    assert call("improve", 5, "--prompt-file", prompt_file).status == 0
    for one in watching:
        one.prints('"p-2"')
    ends = {"p-1": RUNNING, "p-2": DONE}
    server.on("GET", PROGRESS, lambda got: ends[got.query["progress_id"]])
    for one in watching:
        one.prints('"succeeded"')
    (first, second) = (json.loads(one.out[-1]) for one in watching)
    apart = datetime.fromisoformat(first.pop("at")) - datetime.fromisoformat(second.pop("at"))
    assert abs(apart.total_seconds()) <= 5
    assert (first, first["job"]) == (second, 2)


def test_only_one_of_them_asks_the_server(server: ScriptedServer, start: Start) -> None:
    served: list[Got] = []

    def answer(got: Got) -> Reply:
        served.append(got)
        return DONE if len(served) > 2 else RUNNING

    server.on("GET", PROGRESS, answer)
    waiting = [start("jobs", "wait", 1), start("jobs", "wait", 1), start("jobs", "watch")]
    assert [one.ended() for one in waiting[:2]] == [0, 0]
    waiting[2].prints("job 1: succeeded")
    assert len(served) == 3


@pytest.mark.parametrize("command", [["wait", 1], ["watch"]], ids=str)
def test_when_the_one_that_asks_is_killed_the_other_goes_on(
    server: ScriptedServer, start: Start, home: Path, command: list[object]
) -> None:
    server.on("GET", PROGRESS, RUNNING)
    first = start("jobs", *command)
    until(lambda: asker(home) == first.pid, "the first one asks")
    second = start("jobs", "wait", 1)
    second.reports(STATE_LINE)
    first.kill()
    server.on("GET", PROGRESS, DONE)
    assert second.ended() == 0
    assert second.err[-1] == "job 1: succeeded"
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"


def test_when_the_one_that_asks_is_killed_in_the_middle_of_a_question_the_other_asks_it(
    server: ScriptedServer, start: Start
) -> None:
    hold = Hold(DONE)
    server.on("GET", PROGRESS, hold, DONE)
    first = start("jobs", "watch")
    until(hold.arrived.is_set, "the first one asks")
    second = start("jobs", "wait", 1)
    second.reports("job 1: running")
    first.kill()
    assert second.ended() == 0


def test_a_wait_ends_when_another_window_stops_or_loses_the_job(
    server: ScriptedServer, start: Start, window: Callable[[JobState], None]
) -> None:
    server.on("GET", PROGRESS, RUNNING)
    for state in (JobState.STOPPED, JobState.LOST):
        waiting = start("jobs", "wait", 1)
        waiting.reports(STATE_LINE)
        window(state)
        assert waiting.ended() == 1
        assert waiting.err[-1] == f"job 1: {state}: Another window said so."
        window(JobState.RUNNING)


def test_a_wait_for_a_job_that_is_forgotten_elsewhere_says_that_there_is_none(
    server: ScriptedServer, start: Start
) -> None:
    server.on("GET", PROGRESS, RUNNING)
    waiting = start("jobs", "wait", 1)
    waiting.reports(STATE_LINE)
    assert call("jobs", "forget", 1, "--force").status == 0
    assert waiting.ended() == 2
    assert "No job 1 found." in waiting.err[-1]


def test_a_resumed_job_is_asked_about_at_once_by_the_window_that_is_open(
    server: ScriptedServer, start: Start, window: Callable[[JobState], None]
) -> None:
    window(JobState.STOPPED)
    watching = start("jobs", "watch")
    watching.reports("No unfinished jobs.")
    server.on("GET", PROGRESS, DONE)
    resumed = call("jobs", "resume", 1)
    assert (resumed.status, resumed.err) == (0, "job 1: succeeded\n")
    watching.prints("job 1: succeeded")
    assert polls(server) == 1


def test_a_launch_that_is_waited_for_elsewhere_and_whose_process_is_killed_ends_the_waiting(
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
    assert "job 2: unconfirmed: " in waiting.err[-1]
