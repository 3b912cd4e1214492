"""A prompt from standard input is saved as a draft if anything fails before its launch."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest
from calling import Result, call, called, ended, objects, process
from scripted_server import HTML_502, LAUNCH, PROGRESS, Hold, Reply, ScriptedServer, closed_port, run_of, serve_runs
from waiting import until

RUN_6 = "/test_framework/v1/runs/6/"
TYPED = b"Typed by hand.\r\n"
KEY = "ck_test_0123456789abcdef"


def typed(*words: object) -> Result:
    return call(*words, "improve", 6, "--prompt-file", "-", "--category", 3, stdin=TYPED)


def drafts() -> list[tuple[object, ...]]:
    """The number, run ids and category ids of each draft."""
    found = objects("jobs", "list", "--drafts")
    return [(job["job"], job["run_ids"], job["category_ids"]) for job in found if job["state"] == "draft"]


@pytest.mark.usefixtures("no_retries")
@pytest.mark.parametrize(
    ("reply", "status"), [(Reply({"detail": "x"}, 401), 4), (Reply({}, 404), 2), (Reply(HTML_502, 502), 2)], ids=str
)
def test_a_typed_prompt_is_saved_as_a_draft_if_a_run_cannot_be_read(
    api: ScriptedServer, reply: Reply, status: int
) -> None:
    api.on("GET", RUN_6, reply)
    result = typed()
    assert (result.status, result.out) == (status, "")
    assert result.err.endswith(" Draft saved as job 1.\n")
    assert drafts() == [(1, [6], [3])]
    assert call("jobs", "show", 1, "--prompt").raw == TYPED


@pytest.mark.usefixtures("no_retries")
def test_a_typed_prompt_is_saved_as_a_draft_if_the_job_cannot_be_launched(
    api: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_runs(api, run_of(6))
    result = typed("--read-only")
    assert result.status == 2
    assert result.err.endswith("Start without --read-only. Draft saved as job 1.\n")
    monkeypatch.setenv("CEKURA_API_URL", f"http://127.0.0.1:{closed_port()}")
    result = typed()
    assert result.status == 2
    assert result.err.endswith(" Draft saved as job 2.\n")
    assert call("jobs", "show", 2, "--prompt").raw == TYPED


@pytest.mark.long
def test_a_typed_prompt_is_saved_as_a_draft_on_ctrl_c(api: ScriptedServer, tmp_path: Path) -> None:
    hold = Hold(Reply(run_of(6)))
    api.on("GET", RUN_6, hold)
    (file := tmp_path / "typed").write_bytes(TYPED)
    with file.open("rb") as stdin:
        reading = process("improve", 6, "--prompt-file", "-", stdin=stdin)
    until(hold.arrived.is_set, "the run was asked for")
    reading.send_signal(signal.SIGINT)
    result = ended(reading)
    assert (result.status, "Draft saved as job 1.\n" in result.err) == (130, True)
    assert call("jobs", "show", 1, "--prompt").raw == TYPED


def test_a_refused_launch_leaves_a_draft_and_an_accepted_launch_leaves_no_draft(api: ScriptedServer) -> None:
    serve_runs(api, run_of(6))
    api.on("POST", LAUNCH, Reply({"prompt": ["Too long."]}, 400), Reply({"progress_id": "p-2"}))
    assert typed().err.count("Draft saved as job 1.") == 1
    assert drafts() == [(1, [6], [3])]
    result = typed()
    assert (result.status, result.out) == (0, "2\n")
    assert drafts() == [(1, [6], [3])]
    body = api.requests("POST", LAUNCH)[-1].json()
    assert (body["run_ids"], body["agent"], body["prompt"]) == ([6], 7, TYPED.decode())


def test_a_draft_that_is_not_saved_is_not_reported(server: ScriptedServer, home: Path, prompt_file: Path) -> None:
    sql = sqlite3.connect(home / "cekura.db", isolation_level=None)
    sql.execute("BEGIN IMMEDIATE")
    locked = typed()
    sql.close()
    assert (locked.status, "draft" in locked.err) == (2, False)
    assert call("improve", 6, "--prompt-file", prompt_file).status == 2
    assert drafts() == []


@pytest.mark.parametrize("source", [("--prompt-file", "-"), ("--from-agent",)])
def test_a_prompt_with_the_key_is_sent_and_saved_only_if_allowed(
    api: ScriptedServer, monkeypatch: pytest.MonkeyPatch, home: Path, source: tuple[str, ...]
) -> None:
    with_key = f"Be kind.\r\nAuthorization: Bearer {KEY}\n"
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    api.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "description": with_key}))
    refused = call("improve", 5, *source, stdin=with_key.encode())
    assert (refused.status, refused.out, api.requests("POST")) == (2, "", [])
    assert "The prompt contains your API key; nothing was sent or saved. " in refused.err
    assert "--allow-key" in refused.err
    assert [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []
    assert call("improve", 5, *source, "--allow-key", stdin=with_key.encode()).status == 0
    assert api.requests("POST")[-1].json()["prompt"] == with_key


def test_printing_an_improved_prompt_that_contains_the_key_prints_a_warning(
    api: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    api.on("GET", PROGRESS, Reply({"status": "completed", "output": {"improved_prompt": KEY}}))
    result = called("improve", 5, "--prompt-file", "-", "--wait", stdin=TYPED)
    shown = call("jobs", "show", 1, "--prompt")
    assert shown.out == KEY
    for err in (result.err, shown.err):
        assert "Note: the improved prompt contains your API key." in err
        assert KEY not in err
