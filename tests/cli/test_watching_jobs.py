"""`jobs watch`: what a log or a screen reader gets to see of jobs, while they go on."""

from __future__ import annotations

import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call, process
from documented_shapes import JOB_KEYS, read_all
from going_on import RunningCommand
from scripted_server import HTML_502, LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import until

from cekura_tui.model.job import JobState

pytestmark = pytest.mark.long

Start = Callable[..., RunningCommand]
RUNNING = Reply({"status": "in_progress"})
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n"}})
STATE_LINE = "running: the server says “in_progress”"
SILENT = "(no answer from the server)"


def polls(server: ScriptedServer) -> int:
    return len(server.requests("GET", PROGRESS))


@pytest.fixture
def ended_job(server: ScriptedServer) -> ScriptedServer:
    """The server of job 1, which succeeded."""
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 1).status == 0
    return server


def test_a_change_is_a_line_with_its_time_at_once_and_once(server: ScriptedServer, start: Start) -> None:
    server.on("GET", PROGRESS, RUNNING, RUNNING, DONE)
    watching = start("jobs", "watch")
    watching.prints("job 1: succeeded")
    assert watching.states == ["1: running", f"1: {STATE_LINE}", "1: succeeded"]
    for line in watching.out:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d job 1: ", line)
    assert watching.err == []


def test_a_job_that_another_command_launched_later_is_told_of_from_its_beginning(
    ended_job: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    hold = Hold(Reply({"progress_id": "p-2"}))
    ended_job.on("POST", LAUNCH, hold)
    watching = start("jobs", "watch")
    watching.reports("No unfinished jobs. Waiting for the next launch.")
    launching = start("improve", 5, "--prompt-file", prompt_file)
    watching.prints("job 2: launching")
    hold.released.set()
    assert launching.ended() == 0
    watching.prints("job 2: succeeded")
    assert watching.states == ["2: launching", "2: running", "2: succeeded"]


def test_a_launch_that_was_refused_is_told_as_the_draft_that_is_left(
    ended_job: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    hold = Hold(Reply({"prompt": ["Too long."]}, 400))
    ended_job.on("POST", LAUNCH, hold)
    watching = start("jobs", "watch")
    watching.reports("No unfinished jobs.")
    launching = start("improve", 5, "--prompt-file", prompt_file)
    watching.prints("job 2: launching")
    hold.released.set()
    assert launching.ended() == 2
    watching.prints("job 2: draft: ")
    assert "Too long." in watching.out[-1]


def test_a_launch_whose_process_was_killed_is_told_to_be_unconfirmed(
    ended_job: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    ended_job.on("POST", LAUNCH, Hold(Reply({"progress_id": "p-2"})))
    watching = start("jobs", "watch")
    launching = start("improve", 5, "--prompt-file", prompt_file)
    watching.prints("job 2: launching")
    launching.kill()
    watching.prints("job 2: unconfirmed: cekura-tui ended before the server's answer was recorded")


def test_a_server_that_fails_for_a_while_is_told_and_so_is_its_return(server: ScriptedServer, start: Start) -> None:
    server.on("GET", PROGRESS, Reply(HTML_502, 502), RUNNING)
    watching = start("jobs", "watch")
    watching.prints(STATE_LINE)
    assert watching.states == ["1: running", f"1: running {SILENT}", f"1: {STATE_LINE}"]


def test_json_is_one_object_a_change_with_the_time(server: ScriptedServer, start: Start) -> None:
    server.on("GET", PROGRESS, Reply(HTML_502, 502), RUNNING, DONE)
    watching = start("jobs", "watch", "--json")
    watching.prints('"succeeded"')
    result = read_all("jobs-watch", "\n".join(watching.out))
    assert [list(one) for one in result] == [[*JOB_KEYS, "at"]] * 3
    assert [(one["state"], one["last_status"]) for one in result] == [
        ("running", None),
        ("running", "in_progress"),
        ("succeeded", "completed"),
    ]
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\+00:00", one["at"]) for one in result)


def test_what_a_person_does_to_a_job_elsewhere_is_told_too(
    server: ScriptedServer, start: Start, window: Callable[[JobState], None]
) -> None:
    server.on("GET", PROGRESS, RUNNING)
    watching = start("jobs", "watch")
    watching.prints(STATE_LINE)
    window(JobState.STOPPED)
    watching.prints("job 1: stopped: Another window said so.")
    assert call("jobs", "resume", 1).status == 0
    until(lambda: watching.states.count(f"1: {STATE_LINE}") == 2, "it runs again")
    assert call("jobs", "forget", 1, "--force").status == 0
    watching.prints("job 1: forgotten")
    assert watching.states[-1] == "1: forgotten"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_by_a_signal(server: ScriptedServer, start: Start, number: signal.Signals, status: int) -> None:
    server.on("GET", PROGRESS, RUNNING)
    watching = start("jobs", "watch")
    watching.prints(STATE_LINE)
    assert watching.ended(number) == status


def test_a_reader_that_has_enough_ends_it_quietly_also_when_nothing_happens(
    server: ScriptedServer,
) -> None:
    server.on("GET", PROGRESS, Hold(RUNNING))
    watching = process("jobs", "watch")
    assert watching.stdout is not None
    assert b"job 1: running" in watching.stdout.readline()
    watching.stdout.close()
    assert watching.stderr is not None
    assert watching.stderr.read() == b""
    assert watching.wait(20) == 0


def test_a_refused_key_is_told_once_and_other_changes_are_told_as_before(
    server: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    server.on("GET", PROGRESS, Reply({"detail": "Invalid API key."}, 401))
    server.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    watching = start("jobs", "watch")
    watching.reports("Still watching. Polling resumes when the server accepts a key.")
    call("improve", 5, "--prompt-file", prompt_file)
    watching.prints("job 2: running")
    call("jobs", "forget", 2, "--force")
    watching.prints("job 2: forgotten")
    assert len(watching.err) == 2
    assert "key" in watching.err[0]
    assert watching.ended(signal.SIGTERM) == 143


def test_an_answer_that_cannot_be_recorded_is_complained_of_once_and_told_when_it_is(
    server: ScriptedServer, start: Start, home: Path
) -> None:
    server.on("GET", PROGRESS, DONE)
    with sqlite3.connect(home / "cekura.db") as sql:
        full = "BEFORE UPDATE ON jobs WHEN NEW.state = 'succeeded' BEGIN SELECT RAISE(ABORT, 'no room'); END"
        sql.execute(f"CREATE TRIGGER full {full}")
    watching = start("jobs", "watch")
    until(lambda: polls(server) >= 2, "it was asked for again")
    assert watching.states == ["1: running"]
    with sqlite3.connect(home / "cekura.db") as sql:
        sql.execute("DROP TRIGGER full")
    sql.close()
    watching.prints("job 1: succeeded")
    (said,) = watching.err
    assert "no room" in said


def test_a_job_of_an_earlier_key_is_told_as_such_and_not_asked_about(
    server: ScriptedServer, start: Start, prompt_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "another-key")
    server.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    server.on("GET", PROGRESS, DONE)
    call("improve", 5, "--prompt-file", prompt_file)
    watching = start("jobs", "watch")
    watching.prints("job 2: succeeded")
    assert watching.states == ["1: running (launched with another key)", "2: running", "2: succeeded"]
    assert {got.query["progress_id"] for got in server.requests("GET", PROGRESS)} == {"p-2"}


def test_a_hostile_status_is_one_line_without_control_characters(server: ScriptedServer, start: Start) -> None:
    server.on("GET", PROGRESS, Reply({"status": "\x1b[2J\nfake job 9: succeeded\x07"}))
    watching = start("jobs", "watch")
    watching.prints("fake job 9")
    assert len(watching.out) == 2
    assert not set("".join(watching.out)) & set("\x1b\x07")


def test_without_a_key_nothing_is_watched() -> None:
    result = call("jobs", "watch")
    assert (result.status, result.out) == (4, "")
