"""A prompt on standard input stands nowhere else: whatever fails before it is launched, it is kept as a draft."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from calling import Result, call, ended, objects, process
from scripted_server import HTML_502, LAUNCH, PROGRESS, Hold, Reply, ScriptedServer, closed_port, run_of, serve_runs
from waiting import until

RUN_6 = "/test_framework/v1/runs/6/"
TYPED = b"Typed by hand.\r\n"


def typed(*words: object, number: int = 6) -> Result:
    return call(*words, "improve", number, "--prompt-file", "-", "--category", 3, stdin=TYPED)


def drafts() -> list[tuple[object, ...]]:
    """Number, runs and focus of each draft."""
    found = objects("jobs", "list", "--drafts")
    return [(job["job"], job["run_ids"], job["category_ids"]) for job in found if job["state"] == "draft"]


@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize(
    ("reply", "status"), [(Reply({"detail": "x"}, 401), 4), (Reply({}, 404), 2), (Reply(HTML_502, 502), 2)], ids=str
)
def test_a_run_that_cannot_be_read_leaves_a_draft(server: ScriptedServer, reply: Reply, status: int) -> None:
    server.on("GET", RUN_6, reply)
    result = typed()
    assert (result.status, result.out) == (status, "")
    assert result.err.endswith(" Draft saved as job 2.\n")
    assert drafts() == [(2, [6], [3])]
    assert call("jobs", "show", 2, "--prompt").raw == TYPED


@pytest.mark.usefixtures("no_retries")
def test_a_server_that_is_down_leaves_a_draft(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEKURA_API_URL", f"http://127.0.0.1:{closed_port()}")
    result = typed()
    assert result.status == 2
    assert result.err.endswith(" Draft saved as job 2.\n")
    assert call("jobs", "show", 2, "--prompt").raw == TYPED


def test_a_read_only_session_leaves_a_draft(server: ScriptedServer) -> None:
    serve_runs(server, run_of(6))
    result = typed("--read-only")
    assert result.status == 2
    assert result.err.endswith("Start without --read-only. Draft saved as job 2.\n")


@pytest.mark.long
def test_ctrl_c_while_a_run_is_read_leaves_a_draft(server: ScriptedServer) -> None:
    hold = Hold(Reply(run_of(6)))
    server.on("GET", RUN_6, hold)
    reading = process("improve", 6, "--prompt-file", "-", stdin=subprocess.PIPE)
    assert reading.stdin is not None
    reading.stdin.write(TYPED)
    reading.stdin.close()
    reading.stdin = None
    until(hold.arrived.is_set, "the run was asked for")
    reading.send_signal(signal.SIGINT)
    result = ended(reading)
    assert result.status == 130
    assert "Draft saved as job 2.\n" in result.err
    assert call("jobs", "show", 2, "--prompt").raw == TYPED


def test_a_refused_launch_leaves_one_draft_and_announces_it_once(server: ScriptedServer) -> None:
    serve_runs(server, run_of(6))
    server.on("POST", LAUNCH, Reply({"prompt": ["Too long."]}, 400))
    result = typed()
    assert result.err.count("Draft saved as job 2.") == 1
    assert drafts() == [(2, [6], [3])]


def test_a_launch_makes_a_job_of_the_draft_with_the_runs_agent(server: ScriptedServer) -> None:
    serve_runs(server, run_of(6))
    result = typed()
    assert (result.status, result.out) == (0, "2\n")
    assert drafts() == []
    (body,) = (got.json() for got in server.requests("POST", LAUNCH))
    assert (body["run_ids"], body["agent"], body["prompt"]) == ([6], 7, TYPED.decode())


def test_where_the_draft_cannot_be_saved_none_is_announced(server: ScriptedServer, home: Path) -> None:
    sql = sqlite3.connect(home / "cekura.db", isolation_level=None)
    sql.execute("BEGIN IMMEDIATE")
    result = typed()
    sql.close()
    assert result.status == 2
    assert "draft" not in result.err
    assert drafts() == []


def test_a_prompt_of_a_file_is_kept_in_its_file(server: ScriptedServer, prompt_file: Path) -> None:
    assert call("improve", 6, "--prompt-file", prompt_file).status == 2
    assert drafts() == []


KEY = "ck_test_0123456789abcdef"
WITH_KEY = f"Be kind.\r\nAuthorization: Bearer {KEY}\n".encode()


def holding(home: Path, text: str) -> list[str]:
    """The files that have this text."""
    return [path.name for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.mark.parametrize("source", [("--prompt-file", "-"), ("--from-agent",)])
def test_a_prompt_with_the_key_is_sent_and_kept_only_where_that_was_allowed(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, home: Path, source: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    server.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "description": WITH_KEY.decode()}))
    before = len(server.requests("POST"))
    refused = call("improve", 5, *source, stdin=WITH_KEY)
    assert (refused.status, refused.out, len(server.requests("POST"))) == (2, "", before)
    assert "The prompt contains your API key; nothing was sent or saved. " in refused.err
    assert "--allow-key" in refused.err
    assert holding(home, KEY) == []
    assert call("improve", 5, *source, "--allow-key", stdin=WITH_KEY).status == 0
    assert server.requests("POST")[-1].json()["prompt"].encode() == WITH_KEY


def test_printing_an_improved_prompt_with_the_key_warns(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    server.on("GET", PROGRESS, Reply({"status": "completed", "output": {"improved_prompt": KEY}}))
    result = call("improve", 5, "--prompt-file", "-", "--wait", stdin=TYPED)
    shown = call("jobs", "show", 2, "--prompt")
    assert (result.status, shown.out) == (0, KEY)
    for err in (result.err, shown.err):
        assert "Note: the improved prompt contains your API key." in err
        assert KEY not in err
