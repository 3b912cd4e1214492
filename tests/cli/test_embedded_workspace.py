"""`--demo`: everything works without an account, and nothing leaves this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from calling import call, ended, process
from demo_faults import faulty_server
from scripted_server import ScriptedServer
from waiting import until

FAST = ("--demo", "--demo-speed", 1e6)


def newest_failed() -> int:
    lines = call(*FAST, "runs", "list", "--json").out.splitlines()
    return next(row["id"] for row in map(json.loads, lines) if row["outcome"]["kind"] == "failed")


def test_the_main_job_is_told_as_text_where_there_is_no_terminal() -> None:
    result = call(*FAST)
    assert result.status == 0
    assert re.match(r"Run \d+: .* ✗ ", result.out)
    for mark in ("\n✗ ", "\nJob 1: succeeded\n", "{+", "@@ 1 of "):
        assert mark in result.out
    assert result.err.splitlines() == ["job 1: running", "job 1: succeeded"]


def test_the_newest_failed_run_can_be_listed_read_and_improved_by_commands(tmp_path: Path) -> None:
    run = newest_failed()
    assert call(*FAST, "runs", "show", run, "--markdown").out.startswith(f"# Run {run}: ")
    out = tmp_path / "improved.md"
    result = call(*FAST, "improve", run, "--from-agent", "--wait", "--out", out, "--json")
    assert result.status == 0
    assert json.loads(result.out)["improved_prompt"] == out.read_text()


def test_a_foreign_key_url_and_proxy_are_neither_used_nor_sent_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as foreign:
        monkeypatch.setenv("CEKURA_API_KEY", "foreign-key")
        monkeypatch.setenv("CEKURA_PROJECT_ID", "not a number")
        for name in ("CEKURA_API_URL", "http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, foreign.url)
        assert call(*FAST, "--api-url", foreign.url).status == 0
        assert call(*FAST, "improve", newest_failed(), "--from-agent", "--wait").status == 0
        assert foreign.seen == []


def test_a_job_goes_on_while_the_program_is_closed_and_another_process_waits_for_it(home: Path) -> None:
    run = newest_failed()
    result = ended(process("--demo", "--demo-speed", 50, "improve", run, "--from-agent"))
    assert (result.status, result.out) == (0, "1\n")
    assert "To wait for the job, run `cekura-tui --demo jobs wait 1`." in result.err
    assert ended(process(*FAST, "jobs", "wait", 1)).err.endswith("job 1: succeeded\n")
    assert call(*FAST, "jobs", "show", 1, "--diff").status == 0


def test_its_files_are_apart_from_those_of_the_real_account_and_private(home: Path) -> None:
    call(*FAST, "runs", "list")
    assert [path.name for path in home.iterdir()] == ["demo"]
    assert [path.stat().st_mode & 0o777 for path in (home, home / "demo")] == [0o700, 0o700]
    assert {path.stat().st_mode & 0o077 for path in (home / "demo").iterdir() if path.name == "cekura.db"} == {0}


def test_a_server_that_misbehaves_on_purpose_is_told_in_a_sentence() -> None:
    result = call(*FAST, "--demo-faults", "withdrawn", "improve", newest_failed(), "--from-agent", "--wait")
    assert result.status == 2
    assert "does not support improve-prompt jobs" in result.err


@contextmanager
def faulty(directory: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that misbehaves, and its key, are those that commands use."""
    server = faulty_server(directory / "served", fault, speed=1e6)
    server.start()
    monkeypatch.setenv("CEKURA_API_URL", server.url)
    monkeypatch.setenv("CEKURA_API_KEY", server.key)
    yield
    server.stop()


def test_a_launch_without_an_id_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty(tmp_path, "no-progress-id", monkeypatch):
        result = call("improve", newest_failed(), "--from-agent", "--wait")
    assert result.status == 1
    assert "job 1: unconfirmed: The server's answer has no usable progress_id" in result.err


def test_an_answer_about_another_job_is_taken_with_force_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty(tmp_path, "another-job", monkeypatch):
        result = call("improve", newest_failed(), "--from-agent", "--wait")
        again, taken = call("jobs", "resume", 1), call("jobs", "resume", 1, "--force")
    assert (result.status, again.status, taken.status) == (1, 1, 0)
    for lost in (result, again):
        assert "job 1: lost: The server answered with another job: agent 1, not " in lost.err
    assert "To take the answer anyway, run `cekura-tui jobs resume 1 --force`." in again.err
    assert "job 1: succeeded: The server answered with another job: agent 1, not " in taken.err


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("no-error", "job 1: succeeded\n"),
        (
            "back-to-queued",
            "job 1: succeeded: The server may have been reset: the job went from “in_progress” back to “queued”.",
        ),
    ],
)
def test_an_odd_answer_about_a_job_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, state: str
) -> None:
    with faulty(tmp_path, fault, monkeypatch):
        result = call("improve", newest_failed(), "--from-agent", "--wait")
    assert result.status == 0
    assert state in result.err


def test_a_failure_that_the_server_took_back_is_found_by_whoever_resumes_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty(tmp_path, "failure-retracted", monkeypatch):
        failed = call("improve", newest_failed(), "--from-agent", "--wait")
        resumed = call("jobs", "resume", 1)
    assert (failed.status, resumed.status) == (1, 0)
    assert "job 1: failed: The worker was lost." in failed.err
    assert "job 1: succeeded\n" in resumed.err


def test_a_fault_that_nobody_knows_is_named_with_those_that_are() -> None:
    result = call("--demo", "--demo-faults", "gremlins", "runs", "list")
    assert result.status == 2
    assert "unknown: gremlins; choose from latency" in result.err


@pytest.mark.parametrize("moment", ["nan", "inf", "-5", "1e300", "yesterday"])
def test_a_moment_that_is_none_is_refused(moment: str) -> None:
    result = call("--demo", "--demo-epoch", moment, "runs", "list")
    assert (result.status, result.out) == (2, "")
    assert "is not a Unix time in seconds" in result.err


@pytest.mark.parametrize("term", ["dumb", "", "xterm-256color"])
def test_without_a_terminal_the_app_is_one_sentence(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    for words in ([], ["48213"], ["https://dashboard.cekura.ai/1/results/2"], ["--demo", "48213"]):
        result = call(*words)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith("cekura-tui: The app needs an interactive terminal")
        assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("https://evil.example/1/results/2", "is not on the dashboard"),
        ("https://dashboard.cekura.ai/1/settings", "Can't open "),
        ("https://dashboard.cekura.ai/agents/" + "9" * 40, "Can't open "),
        ("https://[", "is not a URL"),
        ("9" * 40, "is not a valid run id"),
        ("9" * 5000, "is not a valid run id"),
    ],
)
def test_a_target_that_cannot_be_opened_is_a_sentence(target: str, said: str) -> None:
    result = call(target)
    assert (result.status, result.out) == (2, "")
    assert said in result.err


def test_the_server_alone_prints_what_leads_to_it_and_notes_every_request(tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = process("demo-server", "--port", 0, "--log", log)
    assert server.stdout is not None
    try:
        lines = [server.stdout.readline().decode() for _ in range(3)]
        env = dict(re.fullmatch(r"export (\w+)=(\S+)\n", line).groups() for line in lines)  # type: ignore[union-attr]
        assert set(env) == {"CEKURA_API_URL", "CEKURA_API_KEY", "CEKURA_PROJECT_ID"}
        result = ended(process("runs", "list", "--limit", 1, env=env))
        assert (result.status, result.err) == (0, "1 of 240 runs\n")
        until(log.read_text, "the request was noted")
        assert json.loads(log.read_text().splitlines()[0])["path"] == "/test_framework/v1/runs/"
        port = env["CEKURA_API_URL"].rsplit(":", 1)[1]
        taken = ended(process("demo-server", "--port", port))
        assert taken.status == 2
        assert f"Can't use port {port}: " in taken.err
    finally:
        server.terminate()
        server.wait()
    assert server.returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--demo-runs", 7, "demo-server"),
        ("demo-server", "--demo-runs", 7),
        ("--demo-runs", 9, "demo-server", "--demo-runs=7"),
    ],
)
def test_how_the_server_alone_is_to_be_can_be_said_before_and_after_its_name(words: tuple[object, ...]) -> None:
    server = process(*words)
    assert server.stdout is not None
    try:
        lines = [server.stdout.readline().decode() for _ in range(3)]
        env = dict(re.fullmatch(r"export (\w+)=(\S+)\n", line).groups() for line in lines)  # type: ignore[union-attr]
        assert ended(process("runs", "list", env=env)).err == "7 runs\n"
    finally:
        server.terminate()
        server.wait()
