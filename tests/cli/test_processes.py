"""Commands in another process that receive signals, or whose output is closed or full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call, called, ended, objects, process
from running_commands import RunningCommand
from saved_jobs import DONE, SavedJobs
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from waiting import until

pytestmark = pytest.mark.long

Improve = tuple[object, ...]
CLOSED = "cekura-tui: Standard output is closed. Connect it to a terminal, a file or a pipe.\n"


@pytest.fixture
def server(api: ScriptedServer) -> ScriptedServer:
    """A scripted server whose jobs run until the test ends them."""
    api.on("GET", PROGRESS, Reply({"status": "running"}))
    return api


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)], ids=str
)
def test_a_signal_ends_a_wait_and_the_job_keeps_running(
    server: ScriptedServer, improve: Improve, start: Callable[..., RunningCommand], number: signal.Signals, status: int
) -> None:
    waiting = start(*improve, "--wait")
    until(lambda: server.requests("GET", PROGRESS), "the job was asked about")
    assert waiting.ended(number) == status
    said = "Job 1 still runs on the server. To wait for the job, run `cekura-tui jobs wait 1`."
    assert said in waiting.err or number == signal.SIGKILL
    server.on("GET", PROGRESS, Reply(DONE))
    called("jobs", "wait", 1)
    assert call("jobs", "show", 1, "--prompt").raw == b"Be kinder.\n"
    assert len(server.requests("POST")) == 1


def test_ctrl_c_during_a_launch_keeps_the_job_as_unconfirmed(server: ScriptedServer, improve: Improve) -> None:
    hold = Hold(Reply({"progress_id": "late"}))
    server.on("POST", LAUNCH, hold)
    launching = process(*improve)
    until(hold.arrived.is_set, "the launch arrived")
    launching.send_signal(signal.SIGINT)
    result = ended(launching)
    assert result.status == 130
    assert "To see the job's state, run `cekura-tui jobs list`." in result.err
    assert [job["state"] for job in objects("jobs", "list")] == ["unconfirmed"]


def test_a_wait_under_nohup_outlives_its_terminal(server: ScriptedServer, improve: Improve) -> None:
    waiting = process(*improve, "--wait", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    until(lambda: server.requests("GET", PROGRESS), "the job was asked about")
    waiting.send_signal(signal.SIGHUP)
    server.on("GET", PROGRESS, Reply(DONE))
    assert ended(waiting).status == 0


def test_a_closed_standard_error_does_not_stop_a_command(server: ScriptedServer, improve: Improve, home: Path) -> None:
    server.on("GET", PROGRESS, Reply(DONE))
    reader, writer = os.pipe()
    os.close(reader)
    out = home.parent / "out.md"
    working = process(*improve, "--wait", "--out", out, "--json", stderr=writer)
    os.close(writer)
    assert ended(working).status == 0
    assert out.read_text() == "Be kinder.\n"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("runs show 5 --json <&- >&-", 2, ""),
        ("runs show 5 --json 2>&-", 0, ""),
        ("runs list --json >&-", 2, CLOSED),
        ("jobs show 1 --prompt >&-", 2, CLOSED),
        ("runs show 5 --json >/dev/full", 2, "cekura-tui: Can't write the output: No space left on device.\n"),
        ("notes set 5 - <&-", 2, "cekura-tui: Can't read standard input. Write the note as TEXT.\n"),
        ("--nonsense 2>/dev/full", 2, ""),
        ("--nonsense 2>&-", 2, ""),
    ],
)
def test_a_closed_or_full_output_is_reported_before_any_request(
    server: ScriptedServer, jobs: SavedJobs, words: str, status: int, said: str
) -> None:
    if "/dev/full" in words and not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    jobs.answer(jobs.running(), DONE)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHON": sys.executable}
    done = subprocess.run(
        ["sh", "-c", f'exec "$PYTHON" -m cekura_tui {words}'], env=env, capture_output=True, check=False
    )
    asked = server.requests("GET", "/test_framework/v1/runs/")
    assert (done.returncode, b"Traceback" in done.stderr, asked) == (status, False, [])
    assert said in ("", done.stderr.decode())


@pytest.mark.parametrize("words", ["", "runs", "config set"])
def test_python_without_docstrings_shows_the_same_help(words: str, home: Path) -> None:
    command = (*words.split(), "--help")
    assert ended(process(*command, env={"PYTHONOPTIMIZE": "2"})) == ended(process(*command))


def test_a_prompt_file_with_a_name_that_is_not_utf8_is_accepted(server: ScriptedServer, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\x1b[31m.md"
    with open(name, "wb") as file:
        file.write(b"Be kind.")
    result = ended(process("improve", 5, "--prompt-file", os.fsdecode(name)))
    assert (result.status, result.out) == (0, "1\n")
    assert "\x1b" not in called("jobs", "show", 1).out
