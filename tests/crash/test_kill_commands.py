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
step, me = {step!r}, os.getpid()
def dying(call, after):
    def called(*args, **options):
        if after:
            call(*args, **options)
        os.kill(me, signal.SIGKILL)
    return called
def write_status(file, status, write=supervisor.write_status):
    if "ended" in status:
        os.kill(me, signal.SIGKILL)
    write(file, status)
if step == "before the claim":
    os.link = dying(os.link, False)
if step == "after the claim":
    os.link = dying(os.link, True)
if step == "before the command":
    subprocess.Popen = dying(None, False)
if step == "before the command is recorded":
    start_of = supervisor.start_of
    supervisor.start_of = lambda pid: (pid != me and os.kill(me, signal.SIGKILL), start_of(pid))[1]
if step == "before the command is replaced":
    os.getppid = lambda parent=os.getppid: (os.kill(me, signal.SIGKILL), wait_for_death(parent))[1]
def wait_for_death(parent):
    while parent() == me:
        pass
    return parent()
if step == "before the end":
    supervisor.write_status = write_status
supervisor.supervise(Path(sys.argv[1]))
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
    if step != "before the answer":  # then, the supervisor may have been fast enough
        assert is_started == ("supervisor" not in step)
    for pid in processes(mark):
        os.kill(pid, signal.SIGCONT)
    if not is_started:
        await none_left(mark)
        assert (times.exists(), runner.started(folder)) == (False, False)
        await runner.launch(draft_of(folder, _COUNTED))
    ended = await end_of(CommandRunner(home), folder)
    assert (ended["improved_prompt"], times.read_text()) == (BETTER, "started\n")


@pytest.mark.parametrize(
    "step",
    [
        *("before the claim", "after the claim", "before the command", "before the command is recorded"),
        *("before the command is replaced", "before the end"),
    ],
)
async def test_a_command_whose_supervisor_is_killed_is_lost_and_not_run_again(
    runner: CommandRunner, tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    dying = tmp_path / "dying.py"
    dying.write_text(_DYING.format(step=step, package=str(Path(command_runner.__file__).parents[2])))
    folder = runner.prepare(BETTER, SENT)
    with monkeypatch.context() as changed:
        changed.setattr(command_runner.supervisor, "__file__", str(dying))
        if step == "before the claim":
            with pytest.raises(CommandNotStarted):
                await runner.launch(draft_of(folder, _COUNTED))
            return
        await runner.launch(draft_of(folder, _COUNTED))
    lost = await end_of(runner, folder)
    assert (lost["end"], lost["error"]) == (
        "lost",
        "The process that ran the command was killed before the command ended.",
    )
    assert lost["answer"] == (BETTER if step == "before the end" else "")
    await none_left(mark)
    assert (tmp_path / "times").exists() == (step == "before the end")
    with pytest.raises(CommandNotStarted):
        await runner.launch(draft_of(folder, _COUNTED))
    assert await progress(runner, folder) == lost


def pid_of(home: Path, folder: str, which: str) -> int:
    return int(json.loads((home / "proposals" / folder / "status").read_bytes())[which][0])


_FAMILY = shell("trap '' TERM; sleep 600 & echo part; echo > ready; sleep 601; echo rest")


@pytest.mark.parametrize("leader", ["runs", "has ended"])
async def test_a_killed_supervisor_loses_the_command_but_not_its_output(
    runner: CommandRunner, home: Path, tmp_path: Path, leader: str
) -> None:
    folder = await launched(runner, _FAMILY)
    await eventually((tmp_path / "ready").exists, "the command runs")
    await eventually((home / "proposals" / folder / "output").read_bytes, "its output is saved")
    os.kill(pid_of(home, folder, "supervisor"), signal.SIGKILL)
    if leader == "has ended":
        os.kill(pid_of(home, folder, "command"), signal.SIGKILL)
    lost = await end_of(CommandRunner(home), folder)
    assert (lost["status"], lost["end"], lost["answer"]) == ("lost", "lost", "part\n")


async def test_a_killed_command_is_reported_with_its_signal(runner: CommandRunner, home: Path, tmp_path: Path) -> None:
    folder = await launched(runner, _FAMILY)
    await eventually((tmp_path / "ready").exists, "the command runs")
    os.kill(pid_of(home, folder, "command"), signal.SIGKILL)
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
    fields = json.loads(status.read_bytes())
    del fields["ended"]
    start = "another-boot:" + fields["supervisor"][1].partition(":")[2]
    fields |= {"supervisor": (os.getpid(), start), "command": (other.pid, start)}
    status.write_text(json.dumps(fields))
    lost = await progress(runner, folder)
    assert (lost["error"], lost["answer"]) == ("The machine restarted before the command ended.", BETTER)
    assert other.returncode is None
    other.terminate()
    assert await other.wait() == -signal.SIGTERM


async def test_a_stalled_supervisor_is_killed_to_stop_the_command(
    runner: CommandRunner, home: Path, tmp_path: Path
) -> None:
    folder = await launched(runner, _FAMILY)
    await eventually((tmp_path / "ready").exists, "the command runs")
    os.kill(pid_of(home, folder, "supervisor"), signal.SIGSTOP)
    await runner.stop(folder)
    assert (await progress(runner, folder))["error"] == "The command was stopped."


_UNUSUAL = {
    "never reads its input": ("echo part", "x" * 500_000),
    "closes its output early": ("cat; exec >&- 2>&-; sleep 0.3", BETTER),
    "has children that keep its output open": ("cat; sleep 600 & sleep 601 & exit 0", BETTER),
    "writes 1 GB to standard error": ("head -c 1000000000 /dev/zero | tr '\\000' x >&2; cat", BETTER),
}


@pytest.mark.parametrize("case", _UNUSUAL)
async def test_a_command_that_behaves_oddly_ends(runner: CommandRunner, home: Path, case: str) -> None:
    script, text = _UNUSUAL[case]
    folder = await launched(runner, shell(script), text=text)
    ended = await end_of(runner, folder)
    assert (ended["status"], ended["exit"], ended["end"]) == (
        "ended",
        0,
        "failed" if case.startswith("never") else "succeeded",
    )
    assert (home / "proposals" / folder / "errors").stat().st_size <= 256_000


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


@pytest.mark.parametrize("then", ["there is room", "the command is stopped"])
async def test_a_disk_that_fills_while_a_command_runs_loses_no_end(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MARK, str(tmp_path))
    os.mkfifo(tmp_path / "go")
    runner, text = CommandRunner(small_disk), BETTER * 5_000
    folder = await launched(runner, shell("cat go; cat"), text=text)
    ballast = fill_disk(small_disk)
    (tmp_path / "go").write_text("")
    await eventually(
        lambda: b"Retrying" in (small_disk / "proposals" / folder / "status").read_bytes(), "the command has ended"
    )
    assert "No space left on device" in (await progress(runner, folder))["errors"]
    if then == "there is room":
        ballast.unlink()
        assert (await end_of(runner, folder))["improved_prompt"] == text
    else:
        await runner.stop(folder)
        assert (await progress(runner, folder))["error"] == "The command was stopped."
    await none_left(str(tmp_path))
