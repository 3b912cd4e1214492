"""`jobs watch` prints a line for each change of a job."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from calling import process, refused
from documented_shapes import JOB_KEYS, read_all
from running_commands import Printing, RunningCommand, watching
from saved_jobs import DONE, SavedJobs
from scripted_server import HTML_502, PROGRESS, Got, Hold, Reply, ScriptedServer
from waiting import until

from cekura_tui.config.credentials import ApiKey, read_server, save_key
from cekura_tui.config.paths import find_paths
from cekura_tui.model.job import JobState

RUNNING = Reply({"status": "in_progress"})
STATE_LINE = "running: the server says “in_progress”"
SILENT = "(no answer from the server)"
REFUSED = "Still watching. Polling resumes when the server accepts a key."


@contextmanager
def watched_from_launch(server: ScriptedServer, first: Reply, *words: str, job: int = 1) -> Iterator[Printing]:
    """Run `jobs watch`. After the command has printed that the job runs, the server answers the first poll
    with `first`."""
    hold = Hold(first)
    server.on("GET", PROGRESS, hold)
    with watching(*words) as watched:
        watched.prints('"running"' if words else f"job {job}: running")
        hold.released.set()
        yield watched


def polls(server: ScriptedServer) -> int:
    return len(server.requests("GET", PROGRESS))


def test_each_change_and_a_failure_of_the_server_are_printed_once_with_a_time(server: ScriptedServer) -> None:
    with watched_from_launch(server, Reply(HTML_502, 502)) as watched:
        watched.prints(SILENT)
        server.on("GET", PROGRESS, RUNNING)
        watched.prints(STATE_LINE)
        server.on("GET", PROGRESS, Reply(DONE))
        watched.prints("job 1: succeeded")
    assert watched.states == ["1: running", f"1: running {SILENT}", f"1: {STATE_LINE}", "1: succeeded"]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d job 1: ", line) for line in watched.out)
    assert watched.err == []


def test_changes_of_jobs_launched_by_other_commands_are_printed(finished: ScriptedServer, jobs: SavedJobs) -> None:
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
    assert (watched.states[0], watched.states[-3]) == ("2: launching", "2: succeeded")
    assert watched.states[-2:] == ["3: launching", "3: draft: prompt: Too long."]


def test_json_has_one_object_per_change_with_the_time_of_the_change(server: ScriptedServer) -> None:
    with watched_from_launch(server, Reply(HTML_502, 502), "--json") as watched:
        until(lambda: polls(server) > 1, "the server is asked again")
        server.on("GET", PROGRESS, RUNNING)
        watched.prints('"in_progress"')
        server.on("GET", PROGRESS, Reply(DONE))
        watched.prints('"succeeded"')
    changes = read_all("jobs-watch", "\n".join(watched.out))
    assert [list(one) for one in changes] == [[*JOB_KEYS, "at"]] * 3
    states = [(one["state"], one["last_status"]) for one in changes]
    assert states == [("running", None), ("running", "in_progress"), ("succeeded", "completed")]
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\+00:00", one["at"]) for one in changes)


def test_changes_made_by_another_window_are_printed(server: ScriptedServer, jobs: SavedJobs) -> None:
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


def test_a_job_resumed_by_another_window_is_polled_at_once(server: ScriptedServer, jobs: SavedJobs) -> None:
    jobs.put(1, JobState.STOPPED)
    server.on("GET", PROGRESS, Reply(DONE))
    with watching() as watched:
        watched.reports("No unfinished jobs.")
        jobs.put(1, JobState.RUNNING, "")
        watched.prints("job 1: succeeded")
    assert polls(server) == 1


def test_an_answer_that_cannot_be_recorded_is_reported_once_and_recorded_later(
    server: ScriptedServer, jobs: SavedJobs
) -> None:
    when = "BEFORE UPDATE ON jobs WHEN NEW.state = 'succeeded'"
    jobs.execute(f"CREATE TRIGGER full {when} BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with watched_from_launch(server, Reply(DONE)) as watched:
        watched.reports("no room")
        before = polls(server)
        until(lambda: polls(server) > before, "the server is asked again")
        assert watched.states == ["1: running"]
        jobs.execute("DROP TRIGGER full")
        watched.prints("job 1: succeeded")
    assert len(watched.err) == 1


def test_a_job_of_a_former_key_is_marked_and_not_polled(
    server: ScriptedServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "another-key")
    SavedJobs(home / "cekura.db", server.url, "another-key").running()
    with watched_from_launch(server, Reply(DONE), job=2) as watched:
        watched.prints("job 2: succeeded")
    assert watched.states == ["1: running (launched with another key)", "2: running", "2: succeeded"]
    assert {got.query["progress_id"] for got in server.requests("GET", PROGRESS)} == {"p-2"}


def test_a_hostile_status_is_printed_as_one_line_without_control_characters(server: ScriptedServer) -> None:
    with watched_from_launch(server, Reply({"status": "\x1b[2J\nfake job 9: succeeded\x07"})) as watched:
        watched.prints("fake job 9")
    assert len(watched.out) == 2
    assert not set("".join(watched.out)) & set("\x1b\x07")


@pytest.mark.long
def test_ctrl_c_ends_watching(server: ScriptedServer, start: Callable[..., RunningCommand]) -> None:
    server.on("GET", PROGRESS, RUNNING)
    watched = start("jobs", "watch")
    watched.prints(STATE_LINE)
    assert watched.ended(signal.SIGINT) == 130


@pytest.mark.long
def test_watching_ends_when_the_output_is_closed(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, Hold(RUNNING))
    watched = process("jobs", "watch")
    assert watched.stdout is not None
    assert watched.stderr is not None
    assert b"job 1: running" in watched.stdout.readline()
    watched.stdout.close()
    assert (watched.stderr.read(), watched.wait(20)) == (b"", 0)


def keyed(key: str, answer: Reply) -> Callable[[Got], Reply]:
    """A script that gives `answer` to requests with this key, and refuses any other key."""
    return lambda got: answer if got.headers["X-CEKURA-API-KEY"] == key else Reply({"detail": "Expired."}, 401)


def sign_in(server: ScriptedServer, key: str) -> None:
    """Save a key as `auth login` does."""
    save_key(find_paths(None, os.environ).credentials, read_server(server.url), ApiKey(key, "typed"))


@pytest.fixture
def saved_key(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A server whose job 1 was launched with the saved key. The environment has no key."""
    sign_in(server, "key")
    monkeypatch.delenv("CEKURA_API_KEY")
    return server


def test_watching_continues_with_the_key_of_a_later_login(saved_key: ScriptedServer) -> None:
    saved_key.on("GET", PROGRESS, keyed("new", Reply(DONE)))
    with watching() as watched:
        watched.reports(REFUSED)
        sign_in(saved_key, "new")
        watched.reports("Signed in with another key. Watching with the new key.")
        watched.prints("job 1: succeeded")


@pytest.mark.nightly
def test_two_watching_processes_both_continue_with_a_new_key(
    saved_key: ScriptedServer, start: Callable[..., RunningCommand]
) -> None:
    saved_key.on("GET", PROGRESS, keyed("new", RUNNING))
    watched = [start("jobs", "watch") for _ in range(2)]
    until(lambda: any(REFUSED in one.err for one in watched), "the key was refused")
    sign_in(saved_key, "new")
    for one in watched:
        one.reports("Watching with the new key")
        one.prints(f"job 1: {STATE_LINE}")


def test_a_refused_key_of_the_environment_is_reported_once_and_not_replaced(
    server: ScriptedServer, jobs: SavedJobs
) -> None:
    server.on("GET", PROGRESS, keyed("new", Reply(DONE)))
    with watching() as watched:
        watched.reports(REFUSED)
        sign_in(server, "new")
        jobs.running()
        watched.prints("job 2: running")
        jobs.forget(2)
        watched.prints("job 2: forgotten")
    assert (len(watched.err), "key" in watched.err[0]) == (2, True)
    assert {got.headers["X-CEKURA-API-KEY"] for got in server.requests("GET", PROGRESS)} == {"key"}


@pytest.mark.long
def test_a_wait_ends_if_the_server_refuses_the_key_of_the_polling_process(
    server: ScriptedServer, start: Callable[..., RunningCommand]
) -> None:
    server.on("GET", PROGRESS, keyed("new", Reply(DONE)))
    watched = start("jobs", "watch")
    watched.reports(REFUSED)
    refused("refused the API key (401: Expired.)", "jobs", "wait", 1, status=4)
    assert polls(server) == 2
    assert watched.process.poll() is None
