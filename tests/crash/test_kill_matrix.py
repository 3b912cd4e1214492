"""kill -9 at each stage of a job, in app and command line: a fresh start finds the job, and nothing is sent twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from calling import call
from fronts import BY_COMMAND, IN_THE_APP, Front
from one_job import DONE, IMPROVED, PROMPT, held_launch, launches, listed, recorded, state
from scripted_server import PROGRESS, Hold, ScriptedServer
from terminal import Start, Terminal
from waiting import until


def reopened(start: Start, words: str) -> Terminal:
    """Start the program again. Assert that app and command line show only job 1, in the state `words`."""
    app = start().wait("1 run")
    app.press("2").wait("Job 1", f"1 {words}")
    (job,) = listed()
    assert (job["job"], job["state"]) == (1, words)
    return app


@IN_THE_APP
def test_a_kill_before_a_launch_is_sent_leaves_an_unconfirmed_job_and_sends_nothing(
    server: ScriptedServer, front: Front, start: Start, home: Path
) -> None:
    with server.overloaded():
        front.launch()
        until(lambda: state(home) == "launching", "the launch is recorded")
        front.kill()
    assert launches(server) == []
    reopened(start, "unconfirmed").settle()
    assert (launches(server), recorded(home).prompt) == ([], PROMPT)


@BY_COMMAND
def test_a_kill_before_the_server_answers_a_launch_leaves_an_unconfirmed_job(
    server: ScriptedServer, front: Front, start: Start, home: Path
) -> None:
    hold = held_launch(server)
    front.launch()
    until(hold.arrived.is_set, "the server has the launch")
    front.kill()
    assert [job["state"] for job in listed()] == ["unconfirmed"]
    hold.released.set()
    reopened(start, "unconfirmed").settle()
    assert (launches(server), recorded(home).prompt) == ([PROMPT], PROMPT)
    assert server.requests("GET", PROGRESS) == []


@IN_THE_APP
def test_a_kill_while_the_database_is_locked_loses_no_job_id(
    server: ScriptedServer, front: Front, start: Start, home: Path
) -> None:
    hold = held_launch(server)
    front.launch()
    until(hold.arrived.is_set, "the server has the launch")
    with closing(sqlite3.connect(home / "cekura.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        hold.released.set()
        pending = home / "cekura.db-taken-1.json"
        until(lambda: b"p-1" in pending.read_bytes(), "the answer is kept beside the database")
        front.kill()
    app = reopened(start, "running")
    until(lambda: server.requests("GET", PROGRESS), "it is asked about")
    assert (recorded(home).progress_id, launches(server)) == ("p-1", [PROMPT])
    app.press("q")


@BY_COMMAND
def test_after_a_kill_before_the_job_number_is_shown_the_job_gets_its_suggestion(
    server: ScriptedServer, front: Front, start: Start, home: Path
) -> None:
    front.stop_reading()
    front.launch()
    until(lambda: state(home) == "running", "the server's answer is recorded")
    shown = front.kill()
    assert "1 job running" not in shown
    assert "launched" not in shown
    hold = Hold(DONE)
    server.on("GET", PROGRESS, hold)
    app = reopened(start, "running")
    app.until(hold.arrived.is_set, "the fresh start asks about it")
    hold.released.set()
    app.wait("Job 1", "1 succeeded")
    assert (launches(server), recorded(home).prompt) == ([PROMPT], PROMPT)
    assert call("jobs", "show", 1, "--prompt").raw == IMPROVED.encode()


@IN_THE_APP
def test_a_suggestion_recorded_before_a_kill_is_shown_without_the_server(
    server: ScriptedServer, front: Front, start: Start, home: Path
) -> None:
    hold = Hold(DONE)
    server.on("GET", PROGRESS, hold)
    front.launch()
    front.wait_until_running()
    front.stop_reading()
    until(hold.arrived.is_set, "the job is asked about")
    hold.released.set()
    until(lambda: state(home) == "succeeded", "the result is recorded")
    assert "succeeded" not in front.kill()
    asked = len(server.requests("GET", PROGRESS))
    reopened(start, "succeeded")
    assert call("jobs", "show", 1, "--prompt").raw == IMPROVED.encode()
    assert (launches(server), recorded(home).prompt) == ([PROMPT], PROMPT)
    assert len(server.requests("GET", PROGRESS)) == asked
