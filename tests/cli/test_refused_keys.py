"""A key that is refused while jobs are watched or waited for, by this process or by another one."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from calling import refused
from going_on import RunningCommand, watching
from saved_jobs import DONE, SavedJobs
from scripted_server import PROGRESS, Got, Reply, ScriptedServer
from waiting import until

from cekura_tui.config.credentials import ApiKey, read_server, save_key
from cekura_tui.config.paths import find_paths

RUNNING = {"status": "in_progress"}
REFUSED = "Still watching. Polling resumes when the server accepts a key."


def keyed(key: str, answer: dict[str, object]) -> Callable[[Got], Reply]:
    """Answers so to this key, and refuses any other."""
    return lambda got: Reply(answer) if got.headers["X-CEKURA-API-KEY"] == key else Reply({"detail": "Expired."}, 401)


def sign_in(server: ScriptedServer, key: str) -> None:
    """Save a key, as `auth login` does."""
    save_key(find_paths(None, os.environ).credentials, read_server(server.url), ApiKey(key, "typed"))


@pytest.fixture
def saved_key(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The key of job 1 is the saved one."""
    sign_in(server, "key")
    monkeypatch.delenv("CEKURA_API_KEY")
    return server


def test_watching_goes_on_with_the_key_of_a_later_login(saved_key: ScriptedServer) -> None:
    saved_key.on("GET", PROGRESS, keyed("new", DONE))
    with watching() as watched:
        watched.reports(REFUSED)
        sign_in(saved_key, "new")
        watched.reports("Signed in with another key. Watching with the new key.")
        watched.prints("job 1: succeeded")


@pytest.mark.nightly
def test_two_that_watch_both_go_on_with_the_key_of_a_later_login(
    saved_key: ScriptedServer, start: Callable[..., RunningCommand]
) -> None:
    saved_key.on("GET", PROGRESS, keyed("new", RUNNING))
    watched = [start("jobs", "watch") for _ in range(2)]
    until(lambda: any(REFUSED in one.err for one in watched), "the key was refused")
    sign_in(saved_key, "new")
    for one in watched:
        one.reports("Watching with the new key")
        one.prints("job 1: running: the server says “in_progress”")


def test_a_key_of_the_environment_is_not_replaced_by_a_saved_one(server: ScriptedServer, jobs: SavedJobs) -> None:
    server.on("GET", PROGRESS, keyed("new", DONE))
    with watching() as watched:
        watched.reports(REFUSED)
        sign_in(server, "new")
        jobs.running()
        watched.prints("job 2: running")
    assert len(watched.err) == 2
    assert {got.headers["X-CEKURA-API-KEY"] for got in server.requests("GET", PROGRESS)} == {"key"}


@pytest.mark.long
def test_waiting_ends_when_the_key_of_the_process_that_polls_is_refused(
    server: ScriptedServer, start: Callable[..., RunningCommand]
) -> None:
    server.on("GET", PROGRESS, keyed("new", DONE))
    watched = start("jobs", "watch")
    watched.reports(REFUSED)
    refused("refused the API key (401: Expired.)", "jobs", "wait", 1, status=4)
    assert len(server.requests("GET", PROGRESS)) == 2
    assert watched.process.poll() is None
