from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call, refused
from documented_shapes import JOB_KEYS, TEXTS
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, Reset, ScriptedServer, run_of, serve_runs

HARD = "\ufeff# Rules\r\n\tGreet \x1b[31mwarmly\x1b[0m.\r\n" + "x" * 20_000 + "\n\rlone\u2028\u202e é 🙂\n\n"


@pytest.fixture
def server(api: ScriptedServer) -> ScriptedServer:
    """A api server with one run, to which the environment leads."""
    return api


def echoing(server: ScriptedServer) -> Callable[[], str]:
    """Let the server propose the very prompt that it was sent; returns what gives that prompt's hash."""
    sent: list[str] = []

    def launch(got: Got) -> Reply:
        sent.append(got.json()["prompt"])
        return Reply({"progress_id": "p-1"})

    server.on("POST", LAUNCH, launch)
    server.on("GET", PROGRESS, lambda _: Reply({"status": "completed", "output": {"improved_prompt": sent[-1]}}))
    return lambda: hashlib.sha256(sent[-1].encode()).hexdigest()


def test_a_failed_run_gives_a_better_prompt_in_a_file_and_as_json(demo: Any, failed: int, tmp_path: Path) -> None:
    out = tmp_path / "improved.md"
    result = call("improve", failed, "--from-agent", "--wait", "--out", out, "--json")
    job = json.loads(result.out)
    assert result.status == 0
    assert set(job) == {*JOB_KEYS, *TEXTS}
    assert (job["job"], job["state"], job["run_ids"]) == (1, "succeeded", [failed])
    assert out.read_bytes() == job["improved_prompt"].encode()
    assert job["summary_of_changes"]
    assert hashlib.sha256(out.read_bytes()).hexdigest() != job["prompt_sha256"]
    (post,) = demo.posts()
    assert post["prompt_sha256"] == job["prompt_sha256"]
    assert result.err.splitlines() == [
        "job 1: running",
        "job 1: succeeded",
        f"Saved the improved prompt to {out}.",
    ]


def test_a_run_that_has_not_finished_is_improved_from_only_where_that_is_said(server: ScriptedServer) -> None:
    serve_runs(server, run_of(6, status="in_progress", evaluation_status=None))
    server.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "A", "description": "Be kind."}))
    refused = call("improve", 5, 6, "--from-agent")
    assert (refused.status, refused.out, server.requests("POST")) == (2, "", [])
    assert "Run 6 has not finished" in refused.err
    assert "--unfinished" in refused.err
    assert call("improve", 5, 6, "--from-agent", "--unfinished").status == 0
    assert len(server.requests("POST", LAUNCH)) == 1


def test_a_passed_run_has_no_issues_and_leaves_with_3(by_kind: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    result = call("improve", by_kind["passed"][0]["id"], "--from-agent", "--wait", "--out", tmp_path / "o.md", "--json")
    job = json.loads(result.out)
    assert (result.status, job["state"], job["improved_prompt"]) == (3, "no_issues", None)
    assert "no issues" in result.err.lower()
    assert not (tmp_path / "o.md").exists()


def test_without_json_the_summary_and_the_changes_are_printed(failed: int) -> None:
    result = call("improve", failed, "--from-agent", "--wait")
    assert result.status == 0
    assert "{+" in result.out
    assert "@@ 1 of " in result.out


def test_without_waiting_the_jobs_number_is_printed_and_how_to_wait(
    demo: Any, failed: int, prompt_file: Path, home: Path
) -> None:
    result = call("--config-dir", home, "improve", failed, "--prompt-file", prompt_file)
    assert (result.status, result.out) == (0, "1\n")
    assert result.err == f"job 1: running. To wait for the job, run `cekura-tui --config-dir {home} jobs wait 1`.\n"
    assert call("jobs", "wait", 1).status in (0, 3)


def test_the_shape_of_a_launched_job_as_json_is_the_documented_one(failed: int, prompt_file: Path) -> None:
    job = json.loads(call("improve", failed, "--prompt-file", prompt_file, "--json").out)
    assert set(job) == {*JOB_KEYS, *TEXTS}
    assert (job["state"], job["improved_prompt"], job["finished_at"]) == ("running", None, None)
    assert job["launched_at"].endswith("+00:00")


def test_a_focus_is_sent_and_recorded(demo: Any, failed: int, server: ScriptedServer, prompt_file: Path) -> None:
    result = call(
        "improve", 5, "--prompt-file", prompt_file, "--category", 3, "--category", 4, "--workflow-metric", 9, "--json"
    )
    assert json.loads(result.out)["category_ids"] == [3, 4]
    body = server.requests("POST")[0].json()
    assert (body["category_ids"], body["workflow_metric_ids"], body["agent"]) == ([3, 4], [9], 7)


def test_a_prompt_keeps_its_hash_from_file_to_server_to_file(server: ScriptedServer, tmp_path: Path) -> None:
    arrived = echoing(server)
    source, out = tmp_path / "in.md", tmp_path / "out.md"
    source.write_bytes(HARD.encode())
    result = call("improve", 5, "--prompt-file", source, "--wait", "--out", out, "--json")
    sha = hashlib.sha256(HARD.encode()).hexdigest()
    assert result.status == 0
    assert arrived() == sha
    assert hashlib.sha256(out.read_bytes()).hexdigest() == sha
    assert json.loads(result.out)["prompt_sha256"] == sha
    assert json.loads(result.out)["improved_prompt"] == HARD
    assert "has control characters" in result.err
    assert "\x1b" not in result.out
    shown = call("jobs", "show", 1, "--prompt")
    assert hashlib.sha256(shown.raw).hexdigest() == sha


def test_the_embedded_server_gets_the_same_bytes(demo: Any, failed: int, tmp_path: Path) -> None:
    (tmp_path / "in.md").write_bytes(HARD.encode())
    call("improve", failed, "--prompt-file", tmp_path / "in.md")
    assert demo.posts()[0]["prompt_sha256"] == hashlib.sha256(HARD.encode()).hexdigest()


def test_a_prompt_can_be_piped_in_and_out(server: ScriptedServer) -> None:
    arrived = echoing(server)
    result = call("improve", 5, "--prompt-file", "-", "--wait", stdin=HARD.encode())
    assert result.status == 0
    assert arrived() == hashlib.sha256(HARD.encode()).hexdigest()
    assert "No changes: the improved prompt equals the sent prompt." in result.out


def test_each_change_of_state_is_printed_once(server: ScriptedServer, prompt_file: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("cekura_tui.jobs.polling.interval", lambda age, spread: 0.0)
    words = [Reply({"status": word}) for word in ("in_queue", "in_queue", "running", "running")]
    server.on("GET", PROGRESS, *words, Reply({"status": "failed", "error": "The model\x1b[31m was busy"}))
    result = call("improve", 5, "--prompt-file", prompt_file, "--wait")
    assert result.status == 1
    assert result.err.splitlines() == [
        "job 1: running",
        "job 1: running: the server says “in_queue”",
        "job 1: running: the server says “running”",
        "job 1: failed: The model[31m was busy",
    ]


def test_a_timeout_leaves_the_job_going_and_says_how_to_wait(server: ScriptedServer, prompt_file: Path) -> None:
    server.on("GET", PROGRESS, Reply({"status": "running"}))
    result = call("improve", 5, "--prompt-file", prompt_file, "--wait", "--timeout", 0.01)
    assert result.status == 1
    assert (
        result.err.splitlines()[-1]
        == "Timed out. Job 1 still runs on the server. To wait for the job, run `cekura-tui jobs wait 1`."
    )
    server.on("GET", PROGRESS, Reply({"output": {"improved_prompt": "x"}}))
    assert call("jobs", "wait", 1).status == 0


def test_a_key_that_is_refused_while_waiting_leaves_with_4_and_the_job_going(
    server: ScriptedServer, prompt_file: Path
) -> None:
    server.on("GET", PROGRESS, Reply({"detail": "Expired."}, 401))
    refused("refused the API key (401: Expired.)", "improve", 5, "--prompt-file", prompt_file, "--wait", status=4)
    assert json.loads(call("jobs", "list", "--json").out)["state"] == "running"


UNCLEAR = [Reply(HTML_502, 502), Reset(), Reply(run_of(5)), Reply(b"", 409), Reply(b"", 302, {"Location": "/"})]


@pytest.mark.parametrize("wait", [[], ["--wait"]])
@pytest.mark.parametrize("reply", UNCLEAR, ids=["502", "reset", "a run", "409", "302"])
def test_a_launch_without_a_clear_answer_is_unconfirmed_and_sent_once(
    server: ScriptedServer, prompt_file: Path, reply: Reply | Reset, wait: list[str]
) -> None:
    server.on("POST", LAUNCH, reply)
    result = call("improve", 5, "--prompt-file", prompt_file, *wait)
    assert result.status == 1
    assert result.err.startswith("job 1: unconfirmed: ")
    assert "jobs wait" not in result.err
    assert len(server.requests("POST")) == 1
    assert json.loads(call("jobs", "list", "--json").out)["state"] == "unconfirmed"


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (Reply({"detail": "Not found."}, 404), 2, "does not support improve-prompt jobs"),
        (Reply(b"<html>", 405), 2, "does not support improve-prompt jobs"),
        (Reply({}, 410), 2, "does not support improve-prompt jobs"),
        (Reply({"prompt": ["Too long."]}, 400), 2, "prompt: Too long."),
        (Reply({}, 401), 4, "refused the API key"),
        (Reply({}, 403), 4, "refused the API key"),
    ],
)
def test_a_refused_launch_keeps_the_draft(
    server: ScriptedServer, prompt_file: Path, reply: Reply, status: int, said: str
) -> None:
    server.on("POST", LAUNCH, reply)
    refused(said, "improve", 5, "--prompt-file", prompt_file, "--wait", status=status)
    assert call("jobs", "list", "--json").out == ""
    draft = json.loads(call("jobs", "list", "--drafts", "--json").out)
    assert (draft["state"], draft["run_ids"], bool(draft["reason"])) == ("draft", [5], True)


def test_a_read_only_session_launches_nothing(demo: Any, failed: int) -> None:
    refused("read-only", "--read-only", "improve", failed, "--from-agent")
    assert demo.posts() == []
