"""Jobs that were launched with an earlier key of the same profile."""

from __future__ import annotations

import json

import pytest
from calling import call, refused
from scripted_server import PROGRESS, Reply, ScriptedServer

DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n"}})


@pytest.fixture(autouse=True)
def another_key(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Job 1 was launched with a key; this is another one."""
    monkeypatch.setenv("CEKURA_API_KEY", "another-key")


def test_it_is_listed_and_shown_and_said_to_need_its_key(server: ScriptedServer) -> None:
    assert call("jobs", "list").out.splitlines()[1].endswith("launched with another key")
    assert json.loads(call("jobs", "list", "--json").out)["job"] == 1
    result = call("jobs", "show", 1)
    assert result.status == 0
    assert result.out.startswith("job 1: running (launched with another key)\nruns: 5\n")
    assert "\nkey: launched with another key; `jobs resume 1` polls with this key\n" in result.out
    assert server.requests("GET", PROGRESS) == []


def test_waiting_for_it_needs_that_key_and_asks_nothing(server: ScriptedServer) -> None:
    refused(
        "Job 1 was launched with another key. Use that key, or try `jobs resume 1` with this key.",
        "jobs",
        "wait",
        1,
        status=4,
    )
    assert server.requests("GET", PROGRESS) == []


def test_one_that_ended_is_shown_as_any_other(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.on("GET", PROGRESS, DONE)
    monkeypatch.setenv("CEKURA_API_KEY", "key")
    assert call("jobs", "wait", 1).status == 0
    monkeypatch.setenv("CEKURA_API_KEY", "another-key")
    result = call("jobs", "show", 1)
    assert (result.status, "another key" in result.out) == (0, False)
    assert call("jobs", "wait", 1).status == 0


def test_where_the_server_shows_it_to_this_key_it_is_this_keys_from_now_on(server: ScriptedServer) -> None:
    server.on("GET", PROGRESS, Reply({"status": "in_progress"}), DONE)
    result = call("jobs", "resume", 1)
    assert (result.status, result.err) == (0, "job 1: running: the server says “in_progress”\n")
    assert "key:" not in call("jobs", "show", 1).out
    assert call("jobs", "wait", 1).status == 0
    assert {got.headers["X-CEKURA-API-KEY"] for got in server.requests("GET", PROGRESS)} == {"another-key"}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_where_the_server_does_not_it_needs_its_key_and_stays_as_it_was(server: ScriptedServer, status: int) -> None:
    server.on("GET", PROGRESS, Reply({"detail": "No."}, status))
    refused("Job 1 needs the key used to launch it", "jobs", "resume", 1, status=4)
    assert len(server.requests("GET", PROGRESS)) == 1
    assert "launched with another key" in call("jobs", "list").out


def test_it_can_be_forgotten_without_its_key(server: ScriptedServer) -> None:
    assert call("jobs", "forget", 1).status == 2
    assert call("jobs", "forget", 1, "--force").status == 0
    assert call("jobs", "list").out == ""
