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
from saved_jobs import DONE
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import until

pytestmark = pytest.mark.long

RUNS = "/test_framework/v1/runs/"


@pytest.fixture
def server(api: ScriptedServer) -> ScriptedServer:
    """A scripted server on which every job runs until the test says otherwise."""
    api.on("GET", PROGRESS, Reply({"status": "running"}))
    return api


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_wait_and_the_job_still_runs(
    server: ScriptedServer, prompt_file: Path, number: signal.Signals, status: int
) -> None:
    waiting = process("improve", 5, "--prompt-file", prompt_file, "--wait")
    until(lambda: server.requests("GET", PROGRESS), "the job was asked about")
    waiting.send_signal(number)
    result = ended(waiting)
    assert result.status == status
    assert "Job 1 still runs on the server. To wait for the job, run `cekura-tui jobs wait 1`.\n" in result.err
    server.on("GET", PROGRESS, Reply(DONE))
    assert call("jobs", "wait", 1).status == 0
    assert len(server.requests("POST")) == 1


def test_ctrl_c_during_a_launch_keeps_the_job(server: ScriptedServer, prompt_file: Path) -> None:
    hold = Hold(Reply({"progress_id": "late"}))
    server.on("POST", LAUNCH, hold)
    launching = process("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the launch arrived")
    launching.send_signal(signal.SIGINT)
    result = ended(launching)
    assert result.status == 130
    assert "To see the job's state, run `cekura-tui jobs list`." in result.err
    assert json.loads(call("jobs", "list", "--json").out)["state"] == "unconfirmed"


def test_a_wait_under_nohup_outlives_its_terminal(server: ScriptedServer, prompt_file: Path) -> None:
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
    server.on("GET", PROGRESS, Reply(DONE))
    assert ended(waiting).status == 0


def test_a_wait_that_was_killed_loses_nothing(server: ScriptedServer, prompt_file: Path) -> None:
    waiting = process("improve", 5, "--prompt-file", prompt_file, "--wait")
    until(lambda: server.requests("GET", PROGRESS), "the job was asked about")
    waiting.kill()
    waiting.communicate()
    server.on("GET", PROGRESS, Reply(DONE))
    assert call("jobs", "wait", 1).status == 0
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"


def test_messages_without_a_reader_do_not_end_the_work(
    server: ScriptedServer, prompt_file: Path, tmp_path: Path
) -> None:
    server.on("GET", PROGRESS, Reply(DONE))
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


def in_a_shell(words: str) -> subprocess.CompletedProcess[bytes]:
    """Run `cekura-tui …` with the redirections of these words."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHON": sys.executable}
    command = f'exec "$PYTHON" -m cekura_tui {words}'
    return subprocess.run(["sh", "-c", command], env=env, capture_output=True, check=False)


@pytest.mark.parametrize(("closed", "status"), [("<&- >&-", 2), ("2>&-", 0)])
def test_closed_streams_do_not_crash(server: ScriptedServer, closed: str, status: int) -> None:
    done = in_a_shell(f"runs show 5 --json {closed}")
    assert done.returncode == status
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["", "--csv", "--json"])
def test_a_list_without_an_output_asks_no_server(server: ScriptedServer, form: str) -> None:
    done = in_a_shell(f"runs list {form} >&-")
    assert (done.returncode, server.seen) == (2, [])
    assert done.stderr == b"cekura-tui: Standard output is closed. Send the list to a file or a pipe.\n"


def test_a_prompt_file_whose_name_is_no_text_is_taken(server: ScriptedServer, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\x1b[31m.md"
    with open(name, "wb") as file:
        file.write(b"Be kind.")
    result = ended(process("improve", 5, "--prompt-file", os.fsdecode(name)))
    assert (result.status, result.out) == (0, "1\n")
    shown = call("jobs", "show", 1)
    assert (shown.status, "\x1b" in shown.out) == (0, False)
