"""`jobs watch`: a log or a screen reader gets a line for each change of a job."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import process, refused
from documented_shapes import JOB_KEYS, read_all
from going_on import RunningCommand, watching
from saved_jobs import DONE, SavedJobs
from scripted_server import HTML_502, PROGRESS, Hold, Reply, ScriptedServer
from waiting import until

from cekura_tui.model.job import JobState

RUNNING = Reply({"status": "in_progress"})
STATE_LINE = "running: the server says “in_progress”"
SILENT = "(no answer from the server)"


def test_a_change_is_printed_once_with_its_time(server: ScriptedServer) -> None:
    hold = Hold(RUNNING)
    server.on("GET", PROGRESS, hold)
    with watching() as watched:
        watched.prints("job 1: running")
        hold.released.set()
        watched.prints(STATE_LINE)
        server.on("GET", PROGRESS, Reply(DONE))
        watched.prints("job 1: succeeded")
    assert watched.states == ["1: running", f"1: {STATE_LINE}", "1: succeeded"]
    for line in watched.out:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d job 1: ", line)
    assert watched.err == []


def test_launches_of_other_commands_are_printed_from_their_start(finished: ScriptedServer, jobs: SavedJobs) -> None:
    with watching() as watched:
        watched.reports("No unfinished jobs. Waiting for the next launch.")
        accepted = jobs.launching()
        watched.prints("job 2: launching")
        finished.on("GET", PROGRESS, RUNNING)
        jobs.accept(accepted)
        watched.prints("job 2: running")
        finished.on("GET", PROGRESS, Reply(DONE))
        watched.prints("job 2: succeeded")
        refused_one = jobs.launching()
        watched.prints("job 3: launching")
        jobs.put(refused_one, JobState.DRAFT, "prompt: Too long.")
        watched.prints("job 3: draft: prompt: Too long.")
    assert [watched.states[0], *watched.states[-3:]] == [
        *("2: launching", "2: succeeded"),
        *("3: launching", "3: draft: prompt: Too long."),
    ]


def test_a_server_that_fails_for_a_while_is_reported_and_so_is_its_return(server: ScriptedServer) -> None:
    hold = Hold(Reply(HTML_502, 502))
    server.on("GET", PROGRESS, hold)
    with watching() as watched:
        watched.prints("job 1: running")
        hold.released.set()
        watched.prints(SILENT)
        server.on("GET", PROGRESS, RUNNING)
        watched.prints(STATE_LINE)
    assert watched.states == ["1: running", f"1: running {SILENT}", f"1: {STATE_LINE}"]


def test_json_is_one_object_a_change_with_the_time(server: ScriptedServer) -> None:
    hold = Hold(Reply(HTML_502, 502))
    server.on("GET", PROGRESS, hold)
    with watching("--json") as watched:
        watched.prints('"running"')
        hold.released.set()
        until(lambda: len(server.requests("GET", PROGRESS)) > 1, "the server is asked again")
        server.on("GET", PROGRESS, RUNNING)
        watched.prints('"in_progress"')
        server.on("GET", PROGRESS, Reply(DONE))
        watched.prints('"succeeded"')
    changes = read_all("jobs-watch", "\n".join(watched.out))
    assert [list(one) for one in changes] == [[*JOB_KEYS, "at"]] * 3
    assert [(one["state"], one["last_status"]) for one in changes] == [
        ("running", None),
        ("running", "in_progress"),
        ("succeeded", "completed"),
    ]
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\+00:00", one["at"]) for one in changes)


def test_what_another_window_does_to_a_job_is_printed(server: ScriptedServer, jobs: SavedJobs) -> None:
    server.on("GET", PROGRESS, RUNNING)
    with watching() as watched:
        watched.prints(STATE_LINE)
        jobs.put(1, JobState.STOPPED)
        watched.prints("job 1: stopped: Another window said so.")
        jobs.put(1, JobState.RUNNING, "")
        until(lambda: watched.states.count(f"1: {STATE_LINE}") == 2, "the job runs again")
        jobs.forget(1)
        watched.prints("job 1: forgotten")
    assert watched.states[-1] == "1: forgotten"


def test_a_refused_key_is_reported_once_and_other_changes_are_still_printed(
    server: ScriptedServer, jobs: SavedJobs
) -> None:
    server.on("GET", PROGRESS, Reply({"detail": "Invalid API key."}, 401))
    with watching() as watched:
        watched.reports("Still watching. Polling resumes when the server accepts a key.")
        jobs.running()
        watched.prints("job 2: running")
        jobs.forget(2)
        watched.prints("job 2: forgotten")
    assert len(watched.err) == 2
    assert "key" in watched.err[0]


def test_an_answer_that_cannot_be_recorded_is_reported_once_and_recorded_later(
    server: ScriptedServer, home: Path
) -> None:
    hold = Hold(Reply(DONE))
    server.on("GET", PROGRESS, hold)
    with sqlite3.connect(home / "cekura.db") as sql:
        full = "BEFORE UPDATE ON jobs WHEN NEW.state = 'succeeded' BEGIN SELECT RAISE(ABORT, 'no room'); END"
        sql.execute(f"CREATE TRIGGER full {full}")
    with watching() as watched:
        watched.prints("job 1: running")
        hold.released.set()
        watched.reports("no room")
        before = len(server.requests("GET", PROGRESS))
        until(lambda: len(server.requests("GET", PROGRESS)) > before, "the server is asked again")
        assert watched.states == ["1: running"]
        with sqlite3.connect(home / "cekura.db") as sql:
            sql.execute("DROP TRIGGER full")
        sql.close()
        watched.prints("job 1: succeeded")
    assert len(watched.err) == 1


def test_a_job_of_an_earlier_key_is_marked_and_not_polled(
    server: ScriptedServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "another-key")
    SavedJobs(home / "cekura.db", server.url, "another-key").running()
    hold = Hold(Reply(DONE))
    server.on("GET", PROGRESS, hold)
    with watching() as watched:
        watched.prints("job 2: running")
        hold.released.set()
        watched.prints("job 2: succeeded")
    assert watched.states == ["1: running (launched with another key)", "2: running", "2: succeeded"]
    assert {got.query["progress_id"] for got in server.requests("GET", PROGRESS)} == {"p-2"}


def test_a_hostile_status_is_one_line_without_control_characters(server: ScriptedServer) -> None:
    hold = Hold(Reply({"status": "\x1b[2J\nfake job 9: succeeded\x07"}))
    server.on("GET", PROGRESS, hold)
    with watching() as watched:
        watched.prints("job 1: running")
        hold.released.set()
        watched.prints("fake job 9")
    assert len(watched.out) == 2
    assert not set("".join(watched.out)) & set("\x1b\x07")


def test_without_a_key_nothing_is_watched() -> None:
    refused("No API key found.", "jobs", "watch", status=4)


@pytest.mark.long
def test_ctrl_c_ends_watching(server: ScriptedServer, start: Callable[..., RunningCommand]) -> None:
    server.on("GET", PROGRESS, RUNNING)
    watched = start("jobs", "watch")
    watched.prints(STATE_LINE)
    assert watched.ended(signal.SIGINT) == 130


@pytest.mark.long
def test_watching_ends_when_its_reader_leaves_though_nothing_changes(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, Hold(RUNNING))
    watched = process("jobs", "watch")
    assert watched.stdout is not None
    assert b"job 1: running" in watched.stdout.readline()
    watched.stdout.close()
    assert watched.stderr is not None
    assert watched.stderr.read() == b""
    assert watched.wait(20) == 0
