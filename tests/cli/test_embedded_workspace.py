"""`--demo`: everything works without an account, and nothing leaves this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import call, called, process, refused
from demo_faults import faulty_server
from scripted_server import ScriptedServer
from waiting import until

from cekura_tui.demo.server import DemoServer
from cekura_tui.model.errors import UsageError

FAST = ("--demo", "--demo-speed", 1e6)
FAILED = 900_238
"""The newest failed run of the demo."""
IMPROVE = ("improve", FAILED, "--from-agent", "--wait")


def test_without_a_terminal_the_main_job_is_printed_as_text() -> None:
    result = called(*FAST)
    assert re.match(rf"Run {FAILED}: .* ✗ ", result.out)
    for mark in ("\n✗ ", "\nJob 1: succeeded\n", "{+", "@@ 1 of "):
        assert mark in result.out
    assert result.err.splitlines() == ["job 1: running", "job 1: succeeded"]


def test_the_newest_failed_run_can_be_listed_read_and_improved_by_commands(home: Path, tmp_path: Path) -> None:
    rows = map(json.loads, called(*FAST, "runs", "list", "--json").out.splitlines())
    assert next(row["id"] for row in rows if row["outcome"]["kind"] == "failed") == FAILED
    assert called(*FAST, "runs", "show", FAILED, "--markdown").out.startswith(f"# Run {FAILED}: ")
    result = called(*FAST, *IMPROVE, "--out", tmp_path / "improved.md", "--json")
    assert json.loads(result.out)["improved_prompt"] == (tmp_path / "improved.md").read_text()
    # Its files are apart from those of an account, and private.
    assert [path.name for path in home.iterdir()] == ["demo"]
    assert [path.stat().st_mode & 0o777 for path in (home, home / "demo")] == [0o700, 0o700]
    assert (home / "demo" / "cekura.db").stat().st_mode & 0o077 == 0


def test_the_demo_uses_no_key_url_or_proxy_of_the_environment(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "foreign-key")
    monkeypatch.setenv("CEKURA_PROJECT_ID", "not a number")
    for name in ("CEKURA_API_URL", "http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, scripted.url)
    called(*FAST, "--api-url", scripted.url)
    assert scripted.seen == []


def test_a_demo_job_goes_on_while_the_program_is_closed() -> None:
    launched = called("--demo", "--demo-speed", 50, "improve", FAILED, "--from-agent")
    assert launched.out == "1\n"
    assert "To wait for the job, run `cekura-tui --demo jobs wait 1`." in launched.err
    assert called(*FAST, "jobs", "wait", 1).err.endswith("job 1: succeeded\n")


def test_a_fault_of_the_demo_server_is_reported_in_a_sentence() -> None:
    refused("does not support improve-prompt jobs", *FAST, "--demo-faults", "withdrawn", *IMPROVE)


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Let commands use an embedded server that misbehaves; jobs are polled at once."""
    started: list[DemoServer] = []

    def start(fault: str) -> None:
        server = faulty_server(tmp_path / "served", fault, speed=1e6)
        server.start()
        started.append(server)
        monkeypatch.setenv("CEKURA_API_URL", server.url)
        monkeypatch.setenv("CEKURA_API_KEY", server.key)

    monkeypatch.setattr("cekura_tui.jobs.polling.interval", lambda age, spread: 0.0)
    yield start
    for server in started:
        server.stop()


def test_a_launch_without_an_id_is_unconfirmed(faulty: Callable[[str], None]) -> None:
    faulty("no-progress-id")
    result = call(*IMPROVE)
    assert result.status == 1
    assert "job 1: unconfirmed: The server's answer has no usable progress_id" in result.err


def test_an_answer_about_another_job_is_taken_only_with_force(faulty: Callable[[str], None]) -> None:
    faulty("another-job")
    result, again, taken = call(*IMPROVE), call("jobs", "resume", 1), call("jobs", "resume", 1, "--force")
    assert (result.status, again.status, taken.status) == (1, 1, 0)
    for lost in (result, again):
        assert "job 1: lost: The server answered with another job: agent 1, not " in lost.err
    assert "To take the answer anyway, run `cekura-tui jobs resume 1 --force`." in again.err
    assert "job 1: succeeded: The server answered with another job: agent 1, not " in taken.err


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
def test_an_odd_answer_about_a_job_does_not_end_it(faulty: Callable[[str], None], fault: str, state: str) -> None:
    faulty(fault)
    assert state in called(*IMPROVE).err


def test_resuming_finds_that_the_server_retracted_a_failure(faulty: Callable[[str], None]) -> None:
    faulty("failure-retracted")
    failed, resumed = call(*IMPROVE), call("jobs", "resume", 1)
    assert (failed.status, resumed.status) == (1, 0)
    assert "job 1: failed: The worker was lost." in failed.err
    assert "job 1: succeeded\n" in resumed.err


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    refused("unknown: gremlins; choose from latency", "--demo", "--demo-faults", "gremlins", "runs", "list")


@pytest.mark.parametrize("moment", ["nan", "inf", "-5", "1e300", "yesterday"])
def test_an_epoch_that_is_no_time_is_refused(moment: str) -> None:
    refused("is not a Unix time in seconds", "--demo", "--demo-epoch", moment, "runs", "list")


@pytest.mark.parametrize("term", ["dumb", "", "xterm-256color"])
def test_without_a_terminal_the_app_is_one_sentence(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    for words in ([], ["48213"], ["https://dashboard.cekura.ai/1/results/2"], ["--demo", "48213"]):
        result = refused("cekura-tui: The app needs an interactive terminal", *words)
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
    refused(said, target)


def exported(server: Any) -> dict[str, str]:
    """The environment variables that `demo-server` prints."""
    lines = [server.stdout.readline().decode() for _ in range(3)]
    return dict(re.fullmatch(r"export (\w+)=(\S+)\n", line).groups() for line in lines)  # type: ignore[union-attr]


def test_demo_server_prints_its_environment_and_logs_each_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    server = process("--demo-runs", 7, "demo-server", "--port", 0, "--log", log)
    try:
        env = exported(server)
        assert set(env) == {"CEKURA_API_URL", "CEKURA_API_KEY", "CEKURA_PROJECT_ID"}
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        assert called("runs", "list", "--limit", 1).err == "1 of 7 runs\n"
        until(log.read_text, "the request was logged")
        assert json.loads(log.read_text().splitlines()[0])["path"] == "/test_framework/v1/runs/"
        port = env["CEKURA_API_URL"].rsplit(":", 1)[1]
        refused(f"Can't use port {port}: ", "demo-server", "--port", port)
    finally:
        server.terminate()
        server.communicate()
    assert server.returncode == 0


@pytest.mark.parametrize(
    "words", [("demo-server", "--demo-runs", 7), ("--demo-runs", 9, "demo-server", "--demo-runs=7")]
)
def test_options_of_the_demo_may_follow_demo_server(words: tuple[object, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(home: Path, *, runs: int, **options: object) -> None:
        raise UsageError(f"{runs} runs")

    monkeypatch.setattr("cekura_tui.demo.server.DemoServer", stop)
    refused("7 runs", *words)
