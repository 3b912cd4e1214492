"""If nothing can be written, no job is launched and the user learns why. Typed text and server answers are not lost."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from calling import Result, call, ended, process
from examples import nightly
from fronts import IN_THE_APP, Front, improve_dialog
from full_disk import fill_disk
from one_job import ACCEPTED, DONE, IMPROVED, PROMPT, held_launch, launches, listed, recorded, state
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, ScriptedServer
from terminal import Start, Terminal
from waiting import until

LONG = PROMPT + "Be patient with whoever calls. " * 6_000
ROOM = 40_000
"""Bytes by which a full file may still grow: fewer than the long prompt needs."""
_UNPRIVILEGED = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
NO_LIMIT = resource.RLIM_INFINITY


def largest(home: Path) -> int:
    """Size of the largest file in the config directory."""
    return max(file.stat().st_size for file in home.iterdir() if file.is_file())


def fill(pid: int, home: Path, *, room: int = ROOM) -> None:
    """Let a process write only `room` more bytes, as on a disk that is then full."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest(home) + room, NO_LIMIT))


def fill_up(pid: int) -> None:
    """Let a process write nothing, not even into free space within a file."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, NO_LIMIT))


def make_room(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (NO_LIMIT, NO_LIMIT))


@pytest.fixture
def prompt_file(prompt_file: Path) -> Path:
    """The prompt file of the other crash tests, but with a long prompt."""
    prompt_file.write_bytes(LONG.encode())
    return prompt_file


@pytest.fixture
def used(server: ScriptedServer, home: Path) -> Path:
    """A config directory that the program has used before."""
    assert call("jobs", "list").status == 0
    return home


@pytest.fixture
def unprivileged(used: Path) -> Iterator[Sequence[str]]:
    """A command that runs the program without the superuser's right to bypass file permissions."""
    command = (sys.executable, "-c", _UNPRIVILEGED, sys.executable)
    used.chmod(0o500)
    forbidden = subprocess.run((*command, "-c", f"open({str(used / 'x')!r}, 'x')"), capture_output=True, check=False)
    used.chmod(0o700)
    if not forbidden.returncode:
        pytest.skip("the superuser's rights cannot be given up here")
    yield (*command, "-m", "cekura_tui")
    used.chmod(0o700)


def dialog_with_a_long_prompt(server: ScriptedServer, start: Start) -> Terminal:
    agent = {"id": 7, "agent_name": "Agent 7", "description": LONG}
    server.on("GET", "/test_framework/v1/aiagents/7/", Reply(agent))
    return improve_dialog(start(), LONG)


def assert_refused(result: Result, server: ScriptedServer) -> None:
    """Assert that the program launched nothing and that its error message says so."""
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("cekura-tui: ")
    assert "othing was launched" in result.err or "othing is launched" in result.err
    assert launches(server) == []


def test_a_launch_that_cannot_be_recorded_is_not_sent(server: ScriptedServer, used: Path, prompt_file: Path) -> None:
    full = (largest(used) + ROOM, NO_LIMIT)
    command = ("improve", 5, "--prompt-file", prompt_file)
    launching = process(*command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, full))
    assert_refused(ended(launching), server)
    assert call("improve", 5, "--prompt-file", prompt_file).out == "1\n"


@pytest.mark.parametrize("what", ["directory", "database"])
def test_nothing_is_launched_if_directory_or_database_is_read_only(
    server: ScriptedServer, used: Path, prompt_file: Path, unprivileged: Sequence[str], what: str
) -> None:
    path, mode = (used, 0o500) if what == "directory" else (used / "cekura.db", 0o400)
    path.chmod(mode)
    command = (*unprivileged, "improve", "5", "--prompt-file", str(prompt_file))
    result = subprocess.run(command, capture_output=True, check=False)
    path.chmod(mode | 0o200)
    for file in used.glob("cekura.db-*"):
        file.chmod(0o600)  # SQLite gave them the database's permissions
    assert_refused(Result(result.returncode, result.stdout, result.stderr.decode()), server)
    assert call("improve", 5, "--prompt-file", prompt_file).out == "1\n"


def test_the_app_names_a_read_only_directory_and_launches_nothing(
    server: ScriptedServer, used: Path, unprivileged: Sequence[str], start: Start
) -> None:
    used.chmod(0o500)
    app = start(command=unprivileged).wait("Read-only session: nothing is saved or launched.")
    app = dialog_with_a_long_prompt(server, lambda: app)
    app.press("ctrl+g")
    app.wait("Read-only session: nothing was launched").press("esc")
    app.settle().press("q")
    assert app.ended() == 0
    used.chmod(0o700)
    assert (launches(server), listed()) == ([], [])


def test_an_answer_that_cannot_be_recorded_is_shown_and_its_job_continues_later(
    server: ScriptedServer, used: Path, prompt_file: Path
) -> None:
    hold = held_launch(server)
    launching = process("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the server has the launch")
    fill(launching.pid, used, room=0)
    hold.released.set()
    result = ended(launching)
    assert "The server accepted job 1 (progress_id p-1), but the answer is not recorded yet" in result.err
    assert (result.status, state(used)) == (1, "launching")
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 1).status == 0
    assert state(used) == "succeeded"
    assert launches(server) == [LONG]


@pytest.mark.parametrize("room", [20_000, *map(nightly, (0, 4_096, 60_000))])
def test_a_full_disk_at_the_first_start_is_reported(server: ScriptedServer, small_disk: Path, room: int) -> None:
    ballast = fill_disk(small_disk, room=room)
    result = call("jobs", "list")
    assert (result.status, result.out) == (2, "")
    assert "cekura.db: the disk is full. " in result.err
    assert "free some disk space" in result.err
    ballast.unlink()
    assert call("jobs", "list").status == 0


@IN_THE_APP
@pytest.mark.parametrize("when", ["before the row", "before the request", "in flight", "polled"])
def test_a_disk_that_fills_during_a_launch_loses_no_job_id(
    small_disk: Path, server: ScriptedServer, front: Front, when: str
) -> None:
    taken, polled = Hold(ACCEPTED), Hold(DONE)
    server.on("POST", LAUNCH, ACCEPTED if when == "polled" else taken)
    server.on("GET", PROGRESS, polled)
    if when == "before the row":
        ballast = fill_disk(small_disk)
        front.launch()
        front.wait_for_refusal()
    elif when == "before the request":
        with server.overloaded():
            front.launch()
            until(lambda: state(small_disk) == "launching", "the job is recorded")
            ballast = fill_disk(small_disk)
    else:
        front.launch()
        until((polled if when == "polled" else taken).arrived.is_set, "the server has the request")
        ballast = fill_disk(small_disk)
    for hold in (taken, polled):
        hold.released.set()
    if when in ("before the request", "in flight"):
        until(lambda: b"p-1" in (small_disk / "cekura.db-taken-1.json").read_bytes(), "the answer is kept")
    front.kill()
    ballast.unlink()
    if when == "before the row":
        assert (launches(server), listed()) == ([], [])
        return
    assert [(job["state"], job["progress_id"]) for job in listed()] == [("running", "p-1")]
    server.on("GET", PROGRESS, DONE)
    assert call("jobs", "wait", 1).status == 0
    assert len(launches(server)) == 1
    assert not list(small_disk.glob("*-taken-*"))


@pytest.mark.parametrize("front", ["the app", "the command line"], indirect=True)
def test_the_command_to_record_a_job_is_printed_if_nothing_can_be_written(
    server: ScriptedServer, used: Path, front: Front
) -> None:
    hold = held_launch(server)
    server.on("GET", PROGRESS, DONE)
    front.launch()
    until(hold.arrived.is_set, "the server has the launch")
    fill_up(front.pid)
    hold.released.set()
    printed = front.leave_unrecorded()
    found = re.search("run `cekura-tui (jobs adopt 1 p-1)`", printed)
    assert found, printed
    assert state(used) == "launching"
    assert call(*found[1].split()).status == 0
    assert call("jobs", "wait", 1).status == 0


def test_a_suggestion_that_cannot_be_recorded_is_polled_until_there_is_room(
    server: ScriptedServer, used: Path, prompt_file: Path
) -> None:
    improved = IMPROVED + LONG
    hold = Hold(Reply({"status": "completed", "output": {"improved_prompt": improved}}))
    server.on("GET", PROGRESS, hold)
    waiting = process("improve", 5, "--prompt-file", prompt_file, "--wait")
    until(hold.arrived.is_set, "the job is asked about")
    fill(waiting.pid, used)
    hold.released.set()
    assert waiting.stderr is not None
    lines = iter(waiting.stderr.readline, b"")
    next(line for line in lines if b"Can't write the database" in line)
    assert state(used) == "running"
    make_room(waiting.pid)
    assert ended(waiting).status == 0
    assert recorded(used).improved == improved
    assert launches(server) == [LONG]


def test_the_app_keeps_the_typed_prompt_and_launches_the_prompt_when_there_is_room(
    server: ScriptedServer, used: Path, start: Start
) -> None:
    app = dialog_with_a_long_prompt(server, start)
    fill_up(app.process.pid)  # the prompt is already stored: it was read from the agent
    app.press("ctrl+g").wait("Nothing was launched", "Improve the prompt")
    fill(app.process.pid, used)
    app.press("tab").wait("enter edit").press("enter", "Typed ")
    app.wait("edited", "Not saved yet: 1 draft").press("ctrl+g")
    app.settle().wait("Nothing was launched").press("esc").wait("The draft is not saved yet").settle()
    assert app.shows("Not saved yet: 1 draft", "Improve the prompt", "▌ Typ")
    assert "Draft saved" not in app.text
    make_room(app.process.pid)
    app.press("esc").wait(gone="not saved yet").press("esc").wait("Draft saved.")
    draft = recorded(used)
    assert (draft.state, draft.prompt.startswith("Typed ")) == ("draft", True)
    assert launches(server) == []
    app.press("i").wait("Improve the prompt", "Typed").press("ctrl+g").wait("Job 1 launched")
    assert launches(server) == [draft.prompt]
