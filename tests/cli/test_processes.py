"""What only a process of its own can show: signals, pipes, streams that are closed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from calling import call, ended, process
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer, run_of, serve_runs
from waiting import until

pytestmark = pytest.mark.long

RUNS = "/test_framework/v1/runs/"
DONE = Reply({"status": "completed", "output": {"improved_prompt": "Be kinder.\n"}})


@pytest.fixture
def server(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "key")
    monkeypatch.setenv("CEKURA_PROJECT_ID", "1")
    serve_runs(scripted, run_of(5))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p-1"}))
    scripted.on("GET", PROGRESS, Reply({"status": "running"}))
    return scripted


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_breaking_off_a_wait_says_that_the_job_goes_on_and_how_to_wait(
    server: ScriptedServer, prompt_file: Path, number: signal.Signals, status: int
) -> None:
    waiting = process("improve", 5, "--prompt-file", prompt_file, "--wait")
    until(lambda: server.requests("GET", PROGRESS), "the job was asked about")
    waiting.send_signal(number)
    result = ended(waiting)
    assert result.status == status
    assert "Job 1 still runs on the server. To wait for the job, run `cekura-tui jobs wait 1`.\n" in result.err
    server.on("GET", PROGRESS, DONE)
    assert ended(process("jobs", "wait", 1)).status == 0
    assert len(server.requests("POST")) == 1


@pytest.mark.parametrize(("number", "status"), SIGNALS[:2])
def test_breaking_off_in_the_middle_of_a_launch_keeps_the_job(
    server: ScriptedServer, prompt_file: Path, number: signal.Signals, status: int
) -> None:
    hold = Hold(Reply({"progress_id": "late"}))
    server.on("POST", LAUNCH, hold)
    launching = process("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the launch arrived")
    launching.send_signal(number)
    result = ended(launching)
    assert result.status == status
    assert "To see the job's state, run `cekura-tui jobs list`." in result.err
    assert json.loads(call("jobs", "list", "--json").out)["state"] == "unconfirmed"


def test_a_wait_that_was_started_with_nohup_outlives_its_terminal(server: ScriptedServer, prompt_file: Path) -> None:
    waiting = process(
        "improve",
        5,
        "--prompt-file",
        prompt_file,
        "--wait",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    until(lambda: server.requests("GET", PROGRESS), "the job was asked about")
    waiting.send_signal(signal.SIGHUP)
    server.on("GET", PROGRESS, DONE)
    assert ended(waiting).status == 0


def test_a_wait_that_was_killed_loses_nothing(server: ScriptedServer, prompt_file: Path) -> None:
    waiting = process("improve", 5, "--prompt-file", prompt_file, "--wait")
    until(lambda: server.requests("GET", PROGRESS), "the job was asked about")
    waiting.kill()
    waiting.communicate()
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 1).status == 0
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"


def test_a_reader_that_has_enough_ends_the_list_quietly(server: ScriptedServer) -> None:
    long = [run_of(number, transcript="x" * 2000) for number in range(1, 101)]
    server.on("GET", RUNS, Reply({"count": 100, "results": long}))
    listing = process("runs", "list", "--json")
    assert listing.stdout is not None
    assert json.loads(listing.stdout.readline())["id"] == 100
    listing.stdout.close()
    assert listing.stderr is not None
    assert listing.stderr.read() == b""
    assert listing.wait() == 0


def test_messages_that_nobody_reads_do_not_end_the_work(
    server: ScriptedServer, prompt_file: Path, tmp_path: Path
) -> None:
    server.on("GET", PROGRESS, DONE)
    reader, writer = os.pipe()
    os.close(reader)
    out = tmp_path / "out.md"
    working = process("improve", 5, "--prompt-file", prompt_file, "--wait", "--out", out, "--json", stderr=writer)
    os.close(writer)
    assert ended(working).status == 0
    assert out.read_text() == "Be kinder.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_an_output_on_a_full_disk_is_a_sentence(server: ScriptedServer) -> None:
    with open("/dev/full", "wb") as full:
        result = ended(process("runs", "show", 5, "--json", stdout=full))
    assert result.status == 2
    assert result.err == "cekura-tui: No space left on device.\n"


@pytest.mark.parametrize(("closed", "status"), [("<&-", 0), (">&-", 2), ("2>&-", 0), ("<&- >&- 2>&-", 2)])
def test_closed_streams_do_not_crash(server: ScriptedServer, closed: str, status: int) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHON": sys.executable}
    command = f'exec "$PYTHON" -m cekura_tui runs show 5 --json {closed}'
    done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, check=False)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["", "--csv", "--json"])
def test_a_list_that_goes_nowhere_is_not_taken_for_one_that_was_printed(server: ScriptedServer, form: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHON": sys.executable}
    command = f'exec "$PYTHON" -m cekura_tui runs list {form} >&-'
    done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, check=False)
    assert (done.returncode, server.seen) == (2, [])
    assert done.stderr == b"cekura-tui: Standard output is closed. Send the list to a file or a pipe.\n"


def test_an_output_in_another_encoding_shows_what_it_lacks_as_question_marks(server: ScriptedServer) -> None:
    serve_runs(server, run_of(5, scenario_name="Tisch für zwei 🙂"))
    result = ended(process("runs", "show", 5, env={"PYTHONIOENCODING": "latin-1"}))
    assert result.status == 0
    assert b"Tisch f\xfcr zwei ?" in result.raw


def test_a_prompt_file_whose_name_is_no_text_is_taken(server: ScriptedServer, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\x1b[31m.md"
    with open(name, "wb") as file:
        file.write(b"Be kind.")
    result = ended(process("improve", 5, "--prompt-file", os.fsdecode(name)))
    assert (result.status, result.out) == (0, "1\n")
    shown = call("jobs", "show", 1)
    assert (shown.status, "\x1b" in shown.out) == (0, False)


def test_the_version_and_the_help_are_printed() -> None:
    assert call("--version").out.startswith("cekura-tui, version ")
    assert "improve" in call("--help").out
