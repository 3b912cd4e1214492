"""A command that proposes a prompt survives its program, is started once, and leaves no process, whatever is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from full_disk import fill_disk
from user_commands import BETTER, MARK, SENT, draft_of, end_of, launched, none_left, processes, progress, run, shell
from waiting import eventually

from cekura_tui.jobs import command_runner
from cekura_tui.jobs.command_runner import CommandNotStarted, CommandRunner
from cekura_tui.model.errors import UsageError

_STARTING = """
import asyncio, os, signal, subprocess, sys
from pathlib import Path
from cekura_tui.jobs import command_runner
from cekura_tui.model.job import Draft
home, folder, command, step = sys.argv[1:]
def die(): os.kill(os.getpid(), signal.SIGKILL)
start = subprocess.Popen
def popen(*words, **options):
    if step == "before the supervisor":
        die()
    process = start(*words, **options)
    if step == "before the supervisor starts":
        process.send_signal(signal.SIGSTOP)
    if step in ("before the supervisor starts", "before the answer"):
        die()
    return process
subprocess.Popen = popen
parameters = {"command": command, "folder": folder, "minutes": 5}
asyncio.run(command_runner.CommandRunner(Path(home)).launch(Draft((5,), "", 7, parameters=parameters)))
if step == "the terminal is closed":
    os.killpg(0, signal.SIGHUP)
if step == "ctrl+c":
    os.killpg(0, signal.SIGINT)
die()
"""
"""A program that starts a command and is killed at a step of the start."""
_DYING = """
import os, signal, subprocess, sys
sys.path.append({package!r})
from cekura_tui.jobs import supervisor
from pathlib import Path
step = {step!r}
def die(*args, **options): os.kill(os.getpid(), signal.SIGKILL)
def write_status(file, status, write=supervisor.write_status):
    if "ended" in status:
        die()
    write(file, status)
if step == "before the command":
    subprocess.Popen = die
if step == "before the command is recorded":
    supervisor.start_of = die
if step == "before the end":
    supervisor.write_status = write_status
status, run, minutes, *words = sys.argv[1:]
supervisor.supervise(int(status), Path(run), float(minutes), words)
"""
"""A supervisor that is killed at one of its steps."""


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
async def runner(
    home: Path, tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CommandRunner]:
    """Commands in the config directory. After the test, none of their processes may be left."""
    monkeypatch.setenv(MARK, mark)
    monkeypatch.chdir(tmp_path)
    yield CommandRunner(home)
    await none_left(mark)


_COUNTED = shell("echo started >> times; cat")


@pytest.mark.parametrize(
    "step",
    [
        *("before the supervisor", "before the supervisor starts", "before the answer", "after the start"),
        *("the terminal is closed", "ctrl+c"),
    ],
)
async def test_a_start_by_a_killed_program_is_found_or_never_happens(
    runner: CommandRunner, home: Path, tmp_path: Path, mark: str, step: str
) -> None:
    folder, times = runner.prepare(BETTER, SENT), tmp_path / "times"
    script = [sys.executable, "-c", _STARTING, str(home), folder, _COUNTED, step]
    await asyncio.to_thread(subprocess.run, script, check=False, start_new_session=True, stderr=subprocess.DEVNULL)
    is_started = runner.started(folder)
    assert is_started == (step != "before the supervisor")
    for pid in processes(mark):
        os.kill(pid, signal.SIGCONT)
    if not is_started:
        await none_left(mark)
        assert (times.exists(), runner.started(folder)) == (False, False)
        folder = runner.again(folder)
        await runner.launch(draft_of(folder, _COUNTED))
    ended = await end_of(CommandRunner(home), folder)
    assert (ended["improved_prompt"], times.read_text()) == (BETTER, "started\n")


@pytest.mark.parametrize("step", ["before the command", "before the command is recorded", "before the end"])
async def test_a_command_whose_supervisor_is_killed_is_lost_and_not_run_again(
    runner: CommandRunner, tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    dying = tmp_path / "dying.py"
    dying.write_text(_DYING.format(step=step, package=str(Path(command_runner.__file__).parents[2])))
    folder = runner.prepare(BETTER, SENT)
    with monkeypatch.context() as changed:
        changed.setattr(command_runner.supervisor, "__file__", str(dying))
        await runner.launch(draft_of(folder, _COUNTED))
    await none_left(mark)
    lost = await end_of(runner, folder)
    assert (lost["end"], lost["error"]) == ("lost", "The command was killed, or the machine restarted.")
    assert lost["answer"] == ("" if step == "before the command" else BETTER)
    assert (tmp_path / "times").exists() == (step != "before the command")
    with pytest.raises(CommandNotStarted):
        await runner.launch(draft_of(folder, _COUNTED))
    assert await progress(runner, folder) == lost


async def pids_of(home: Path, folder: str, mark: str) -> tuple[int, int]:
    """The supervisor of a running command, and the command."""
    status = home / "proposals" / folder / "status"
    await eventually(lambda: b"command" in status.read_bytes(), "the command is recorded")
    (supervisor,) = (pid for pid in processes(mark) if "supervisor.py" in command_line(pid))
    return supervisor, int(json.loads(status.read_bytes())["command"][0])


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


_FAMILY = shell("trap '' TERM; sleep 600 & echo part; echo > ready; sleep 601; echo rest")


@pytest.mark.parametrize("leader", ["runs", "has ended"])
async def test_a_killed_supervisor_loses_the_command_but_not_its_output(
    runner: CommandRunner, home: Path, tmp_path: Path, mark: str, leader: str
) -> None:
    folder = await launched(runner, _FAMILY)
    await eventually((tmp_path / "ready").exists, "the command runs")
    supervisor, command = await pids_of(home, folder, mark)
    os.kill(supervisor, signal.SIGKILL)
    if leader == "has ended":
        os.kill(command, signal.SIGKILL)
    lost = await end_of(CommandRunner(home), folder)
    assert (lost["status"], lost["end"], lost["answer"]) == ("lost", "lost", "part\n")


async def test_a_killed_command_is_reported_with_its_signal(
    runner: CommandRunner, home: Path, tmp_path: Path, mark: str
) -> None:
    folder = await launched(runner, _FAMILY)
    await eventually((tmp_path / "ready").exists, "the command runs")
    os.kill((await pids_of(home, folder, mark))[1], signal.SIGKILL)
    ended = await end_of(runner, folder)
    assert (ended["error"], ended["answer"]) == ("The command was ended by signal 9.", "part\n")


async def test_a_command_of_an_earlier_boot_is_lost_and_ends_no_other_process(
    runner: CommandRunner, home: Path
) -> None:
    """The process with the command's number is another one now."""
    folder = await launched(runner, "cat")
    await end_of(runner, folder)
    status = home / "proposals" / folder / "status"
    other = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    status.write_text(json.dumps({"command": (other.pid, "another-boot:12345")}))
    lost = await progress(runner, folder)
    assert (lost["error"], lost["answer"]) == ("The command was killed, or the machine restarted.", BETTER)
    assert other.returncode is None
    other.terminate()
    assert await other.wait() == -signal.SIGTERM


_UNUSUAL = {
    "never reads its input": ("echo part", "x" * 500_000),
    "closes its output early": ("cat; exec >&- 2>&-; sleep 0.3", BETTER),
    "has children that keep its output open": ("cat; sleep 600 & sleep 601 & exit 0", BETTER),
}


@pytest.mark.parametrize("case", _UNUSUAL)
async def test_a_command_that_behaves_oddly_ends(runner: CommandRunner, case: str) -> None:
    script, text = _UNUSUAL[case]
    folder = await launched(runner, shell(script), text=text)
    ended = await end_of(runner, folder)
    assert (ended["status"], ended["exit"], ended["end"]) == (
        "ended",
        0,
        "failed" if case.startswith("never") else "succeeded",
    )


async def test_a_command_that_writes_errors_without_end_is_stopped(runner: CommandRunner) -> None:
    assert (await run(runner, shell("yes >&2")))["error"] == "The command wrote over 10 MB to standard error."


async def test_a_command_that_ignores_signals_and_writes_without_end_is_killed(runner: CommandRunner) -> None:
    ended = await run(
        runner, shell("trap '' TERM PIPE; while :; do head -c 100000 /dev/zero | tr '\\000' '\\033'; done")
    )
    assert (ended["error"], ended["written"]) == ("The command wrote over 1 MB.", 1_000_000)


async def test_a_full_disk_refuses_the_start(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CommandRunner(small_disk)
    folder = runner.prepare(BETTER, SENT)
    ballast = fill_disk(small_disk)
    with pytest.raises(UsageError, match="No space left on device"):
        runner.prepare("x" * 100_000, SENT)
    with pytest.raises(CommandNotStarted, match="No space left on device"):
        await runner.launch(draft_of(folder, _COUNTED))
    assert [path.name for path in (small_disk / "proposals").iterdir()] == [folder]
    ballast.unlink()
    await runner.launch(draft_of(folder, _COUNTED))
    assert (await end_of(runner, folder))["improved_prompt"] == BETTER


async def test_a_disk_that_fills_while_a_command_runs_is_reported(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MARK, str(tmp_path))
    os.mkfifo(tmp_path / "go")
    runner = CommandRunner(small_disk)
    folder = await launched(runner, shell("cat go; cat; exit 0"), text=BETTER * 5_000)
    ballast = fill_disk(small_disk, room=8_192)
    (tmp_path / "go").write_text("")
    ended = await end_of(runner, folder)
    assert ended["error"] == "The command ended, but its answer may be incomplete: No space left on device."
    assert ended["answer"].startswith(BETTER)
    ballast.unlink()
    await runner.launch(draft_of(runner.again(folder), shell("cat")))
    await none_left(str(tmp_path))
