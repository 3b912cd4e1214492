from __future__ import annotations

import hashlib
import json
from pathlib import Path
from shlex import quote
from typing import Any

import pytest
from calling import call, called, objects, refused
from documented_shapes import JOB_KEYS, TEXTS
from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, Reset, ScriptedServer, run_of, serve_runs

HARD = "\ufeff# Rules\r\n\tGreet \x1b[31mwarmly\x1b[0m.\r\n" + "x" * 20_000 + "\n\rlone\u2028\u202e é 🙂\n\n"
Improve = tuple[object, ...]


def test_the_improved_prompt_is_written_to_a_file_and_printed_as_json(demo: Any, failed: int, tmp_path: Path) -> None:
    out = tmp_path / "improved.md"
    result = called("improve", failed, "--from-agent", "--wait", "--out", out, "--json")
    job = json.loads(result.out)
    assert set(job) == {*JOB_KEYS, *TEXTS}
    assert (job["job"], job["state"], job["run_ids"]) == (1, "succeeded", [failed])
    assert out.read_bytes() == job["improved_prompt"].encode()
    assert job["summary_of_changes"]
    assert hashlib.sha256(out.read_bytes()).hexdigest() != job["prompt_sha256"]
    assert [post["prompt_sha256"] for post in demo.posts()] == [job["prompt_sha256"]]
    saved = f"Saved the improved prompt to {out}."
    assert result.err.splitlines() == ["job 1: running", "job 1: succeeded", saved]


def test_an_unfinished_run_is_improved_only_with_the_option_unfinished(api: ScriptedServer) -> None:
    serve_runs(api, run_of(6, status="in_progress", evaluation_status=None))
    api.on("GET", "/test_framework/v1/aiagents/7/", Reply({"id": 7, "agent_name": "A", "description": "Be kind."}))
    assert "--unfinished" in refused("Run 6 has not finished", "improve", 5, 6, "--from-agent").err
    assert api.requests("POST") == []
    called("improve", 5, 6, "--from-agent", "--unfinished")
    assert len(api.requests("POST", LAUNCH)) == 1


def test_improving_a_passed_run_finds_no_issues_and_exits_with_3(
    by_kind: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    result = call("improve", by_kind["passed"][0]["id"], "--from-agent", "--wait", "--out", tmp_path / "o.md", "--json")
    job = json.loads(result.out)
    assert (result.status, job["state"], job["improved_prompt"]) == (3, "no_issues", None)
    assert "no issues" in result.err.lower()
    assert not (tmp_path / "o.md").exists()


def test_improve_without_wait_prints_the_job_and_a_command_that_waits(
    api: ScriptedServer, improve: Improve, home: Path
) -> None:
    result = called("--config-dir", home, *improve)
    assert result.out == "1\n"
    wait = f"cekura-tui --config-dir {quote(str(home))} jobs wait 1"
    assert result.err == f"job 1: running. To wait for the job, run `{wait}`.\n"
    (job,) = objects(*improve, "--category", 3, "--category", 4, "--workflow-metric", 9)
    assert set(job) == {*JOB_KEYS, *TEXTS}
    assert (job["state"], job["improved_prompt"], job["finished_at"]) == ("running", None, None)
    assert job["launched_at"].endswith("+00:00")
    focus = {"category_ids": [3, 4], "workflow_metric_ids": [9]}
    assert {name: job[name] for name in focus} == focus
    assert api.requests("POST")[-1].json().items() >= {**focus, "agent": 7}.items()


def test_a_prompt_from_a_file_or_pipe_keeps_every_byte_when_sent_and_saved(api: ScriptedServer, tmp_path: Path) -> None:
    def propose_what_was_sent(got: Got) -> Reply:
        return Reply({"status": "completed", "output": {"improved_prompt": sent()}})

    def sent() -> str:
        return str(api.requests("POST", LAUNCH)[-1].json()["prompt"])

    api.on("GET", PROGRESS, propose_what_was_sent)
    source, out = tmp_path / "in.md", tmp_path / "out.md"
    source.write_bytes(HARD.encode())
    result = called("improve", 5, "--prompt-file", source, "--wait", "--out", out, "--json")
    job = json.loads(result.out)
    assert (sent(), job["improved_prompt"], out.read_bytes()) == (HARD, HARD, HARD.encode())
    assert job["prompt_sha256"] == hashlib.sha256(HARD.encode()).hexdigest()
    assert "has control characters" in result.err
    assert "\x1b" not in result.out
    assert call("jobs", "show", 1, "--prompt").raw == HARD.encode()
    api.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    piped = called("improve", 5, "--prompt-file", "-", "--wait", stdin=HARD.encode())
    assert "No changes: the improved prompt equals the sent prompt." in piped.out
    assert (sent(), len(api.requests("POST", LAUNCH))) == (HARD, 2)


@pytest.mark.usefixtures("polled_at_once")
def test_each_change_of_state_is_printed_once(api: ScriptedServer, improve: Improve) -> None:
    words = [Reply({"status": word}) for word in ("in_queue", "in_queue", "running", "running")]
    api.on("GET", PROGRESS, *words, Reply({"status": "failed", "error": "The model\x1b[31m was busy"}))
    result = call(*improve, "--wait")
    assert result.status == 1
    assert result.err.splitlines() == [
        "job 1: running",
        "job 1: running: the server says “in_queue”",
        "job 1: running",
        "job 1: failed: The model[31m was busy",
    ]


def test_a_timeout_or_refused_key_leaves_the_job_running(api: ScriptedServer, improve: Improve) -> None:
    api.on("GET", PROGRESS, Reply({"status": "running"}))
    result = call(*improve, "--wait", "--timeout", 0.01)
    assert result.status == 1
    how = "To wait for the job, run `cekura-tui jobs wait 1`."
    assert result.err.splitlines()[-1] == f"Timed out. Job 1 still runs on the server. {how}"
    api.on("POST", LAUNCH, Reply({"progress_id": "p-2"}))
    api.on("GET", PROGRESS, Reply({"detail": "Expired."}, 401))
    refused("refused the API key (401: Expired.)", *improve, "--wait", status=4)
    assert [job["state"] for job in objects("jobs", "list")] == ["running", "running"]
    api.on("GET", PROGRESS, Reply({"output": {"improved_prompt": "x"}}))
    called("jobs", "wait", 1)


UNCLEAR = [Reply(HTML_502, 502), Reset(), Reply(run_of(5)), Reply(b"", 409), Reply(b"", 302, {"Location": "/"})]


@pytest.mark.parametrize("reply", UNCLEAR, ids=["502", "reset", "a run", "409", "302"])
def test_a_launch_with_an_unclear_answer_is_unconfirmed_and_sent_once(
    api: ScriptedServer, improve: Improve, reply: Reply | Reset
) -> None:
    api.on("POST", LAUNCH, reply)
    for number, wait in (1, []), (2, ["--wait"]):
        result = call(*improve, *wait)
        assert (result.status, "jobs wait" in result.err) == (1, False)
        assert result.err.startswith(f"job {number}: unconfirmed: ")
        assert len(api.requests("POST")) == number
    assert [job["state"] for job in objects("jobs", "list")] == ["unconfirmed", "unconfirmed"]


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
def test_a_refused_launch_is_saved_as_a_draft_with_the_reason(
    api: ScriptedServer, improve: Improve, reply: Reply, status: int, said: str
) -> None:
    api.on("POST", LAUNCH, reply)
    refused(said, *improve, "--wait", status=status)
    assert objects("jobs", "list") == []
    (draft,) = objects("jobs", "list", "--drafts")
    assert (draft["state"], draft["run_ids"], bool(draft["reason"])) == ("draft", [5], True)
