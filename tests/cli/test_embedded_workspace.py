"""`--demo` works without an account, and sends nothing to the network."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from calling import call, called, objects, process, refused
from demo_client import served_by
from demo_faults import faulty_server
from scripted_server import ScriptedServer
from waiting import until

from cekura_tui.demo import DemoOptions
from cekura_tui.model.errors import UsageError

FAST = ("--demo", "--demo-speed", 1e6)
FAILED = 900_238
"""Id of the newest failed run of the demo."""
IMPROVE = ("improve", FAILED, "--from-agent", "--wait")


def test_the_demo_without_a_terminal_prints_a_failed_run_and_its_improved_prompt() -> None:
    result = called(*FAST)
    assert re.match(rf"Run {FAILED}: .* ✗ ", result.out)
    for mark in ("\n✗ ", "\nJob 1: succeeded\n", "{+", "@@ 1 of "):
        assert mark in result.out
    assert result.err.splitlines() == ["job 1: running", "job 1: succeeded"]


def test_the_newest_failed_demo_run_can_be_listed_and_shown_and_improved(home: Path, tmp_path: Path) -> None:
    rows = objects(*FAST, "runs", "list")
    assert next(row["id"] for row in rows if row["outcome"]["kind"] == "failed") == FAILED
    assert called(*FAST, "runs", "show", FAILED, "--markdown").out.startswith(f"# Run {FAILED}: ")
    (job,) = objects(*FAST, *IMPROVE, "--out", tmp_path / "improved.md")
    assert job["improved_prompt"] == (tmp_path / "improved.md").read_text()
    # The demo's files are private, and separate from an account's.
    assert [path.name for path in home.iterdir()] == ["demo"]
    assert [path.stat().st_mode & 0o777 for path in (home, home / "demo")] == [0o700, 0o700]
    assert (home / "demo" / "cekura.db").stat().st_mode & 0o077 == 0


def test_the_demo_ignores_keys_urls_and_proxies_of_the_environment(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "foreign-key")
    monkeypatch.setenv("CEKURA_PROJECT_ID", "not a number")
    for name in ("CEKURA_API_URL", "http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, scripted.url)
    called(*FAST, "--api-url", scripted.url)
    assert scripted.seen == []


@pytest.mark.long
def test_a_demo_job_continues_while_the_program_is_closed() -> None:
    launched = called("--demo", "--demo-speed", 50, "improve", FAILED, "--from-agent")
    assert launched.out == "1\n"
    assert "To wait for the job, run `cekura-tui --demo jobs wait 1`." in launched.err
    assert called(*FAST, "jobs", "wait", 1).err.endswith("job 1: succeeded\n")


RESUME = ("jobs", "resume", 1)


@pytest.mark.parametrize(
    ("fault", "story"),
    [
        ("no-progress-id", [(IMPROVE, 1, "job 1: unconfirmed: The server's answer has no usable progress_id")]),
        ("no-error", [(IMPROVE, 0, "job 1: succeeded\n")]),
        ("failure-retracted", [(IMPROVE, 1, "job 1: failed: The worker was lost."), (RESUME, 0, "job 1: succeeded\n")]),
    ],
)
@pytest.mark.usefixtures("polled_at_once")
def test_jobs_on_a_faulty_demo_server_end_with_the_expected_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, story: list[tuple[tuple[object, ...], int, str]]
) -> None:
    server = faulty_server(tmp_path / "served", fault, speed=1e6)
    with served_by(server):
        monkeypatch.setenv("CEKURA_API_URL", server.url)
        monkeypatch.setenv("CEKURA_API_KEY", server.key)
        for words, status, said in story:
            result = call(*words)
            assert (words, result.status, said in result.err) == (words, status, True), result.err


def test_wrong_demo_options_are_refused_and_a_demo_fault_takes_effect() -> None:
    refused("does not support improve-prompt jobs", *FAST, "--demo-faults", "withdrawn", *IMPROVE)
    refused("unknown: gremlins; choose from latency", "--demo", "--demo-faults", "gremlins", "runs", "list")
    for moment in ("nan", "inf", "-5", "1e300", "yesterday"):
        refused("is not a Unix time in seconds", "--demo", "--demo-epoch", moment, "runs", "list")


@pytest.mark.parametrize("term", ["dumb", "", "xterm-256color"])
def test_the_app_does_not_start_without_a_terminal(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    for words in ([], ["48213"], ["https://dashboard.cekura.ai/1/results/2"], ["--demo", "48213"]):
        result = refused("cekura-tui: The app needs an interactive terminal", *words)
        assert len(result.err.splitlines()) == 1


def test_the_command_demo_server_prints_variables_and_logs_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    server = process("--demo-runs", 7, "demo-server", "--port", 0, "--log", log)
    assert server.stdout is not None
    try:
        env = dict(re.findall(r"export (\w+)=(\S+)\n", "".join(server.stdout.readline().decode() for _ in range(3))))
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
def test_demo_options_may_be_given_after_the_command_demo_server(
    words: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(home: Path, demo: DemoOptions, **options: object) -> None:
        raise UsageError(f"{demo.runs} runs")

    monkeypatch.setattr("cekura_tui.demo.server.DemoServer", stop)
    refused("7 runs", *words)
