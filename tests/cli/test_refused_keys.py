"""A key that is refused while jobs are watched or waited for, by this process or by another one."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call
from going_on import RunningCommand
from scripted_server import PROGRESS, Got, Reply, ScriptedServer
from waiting import until

pytestmark = pytest.mark.long

Start = Callable[..., RunningCommand]
RUNNING = Reply({"status": "in_progress"})
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n"}})
REFUSED = "Still watching. Polling resumes when the server accepts a key."


def keyed(key: str, answer: Reply) -> Callable[[Got], Reply]:
    """Answers so to this key, and refuses any other."""
    return lambda got: answer if got.headers["X-CEKURA-API-KEY"] == key else Reply({"detail": "Expired."}, 401)


def sign_in(server: ScriptedServer, key: str) -> None:
    server.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "Clinic"}]))
    assert call("--api-key-file", "-", "auth", "login", "--replace", stdin=key.encode()).status == 0


def polls(server: ScriptedServer) -> int:
    return len(server.requests("GET", PROGRESS))


@pytest.fixture
def kept_key(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The key of job 1 is the one that was signed in with."""
    sign_in(server, "key")
    monkeypatch.delenv("CEKURA_API_KEY")
    return server


def test_watching_goes_on_with_the_key_that_is_signed_in_with_elsewhere(kept_key: ScriptedServer, start: Start) -> None:
    kept_key.on("GET", PROGRESS, keyed("new", DONE))
    watching = start("jobs", "watch")
    watching.reports(REFUSED)
    sign_in(kept_key, "new")
    watching.reports("Signed in with another key. Watching with the new key.")
    watching.prints("job 1: succeeded")
    assert watching.ended(signal.SIGTERM) == 143


def test_watching_beside_a_process_that_took_the_jobs_over_goes_on_with_the_new_key_too(
    kept_key: ScriptedServer, start: Start
) -> None:
    kept_key.on("GET", PROGRESS, keyed("new", RUNNING))
    watching = [start("jobs", "watch") for _ in range(2)]
    until(lambda: any(REFUSED in one.err for one in watching), "the key was refused")
    sign_in(kept_key, "new")
    for one in watching:
        one.reports("Watching with the new key")
        one.prints("job 1: running: the server says “in_progress”")


def test_a_key_of_the_environment_is_not_replaced_by_one_that_is_signed_in_with(
    server: ScriptedServer, start: Start
) -> None:
    server.on("GET", PROGRESS, keyed("new", DONE))
    watching = start("jobs", "watch")
    watching.reports(REFUSED)
    sign_in(server, "new")
    assert call("improve", 5, "--prompt-file", Path(__file__)).status == 0
    watching.prints("job 2: running")
    assert len(watching.err) == 2
    assert {got.headers["X-CEKURA-API-KEY"] for got in server.requests("GET", PROGRESS)} == {"key"}


def test_waiting_ends_with_the_reason_also_when_another_process_asks_and_its_key_is_refused(
    server: ScriptedServer, start: Start
) -> None:
    server.on("GET", PROGRESS, keyed("new", DONE))
    watching = start("jobs", "watch")
    watching.reports(REFUSED)
    waiting = start("jobs", "wait", 1)
    assert waiting.ended() == 4
    assert "refused the API key (401: Expired.)" in waiting.err[-1]
    assert polls(server) == 2
    assert watching.process.poll() is None
