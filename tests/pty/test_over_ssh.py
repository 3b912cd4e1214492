"""The app over a real SSH connection with 150 ms round trips: keys, resizes, links, and a lost connection."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import is_running
from ssh_server import SshServer, missing, ssh_server
from terminal import PROGRAM, Start, Terminal
from waiting import until

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
DELAY = 0.075
"""Seconds of latency each way."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    directory = tmp_path / "ssh"
    directory.mkdir(mode=0o700)
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(ssh_server(directory, DELAY))
        except OSError as error:
            pytest.skip(str(error))


@pytest.fixture
def terminal(start: Start, server: SshServer, surroundings: dict[str, str], home: Path) -> Terminal:
    """A terminal with the app on the remote side of a connection; the app's process id is in the file `{home}.pid`."""
    names = ("COLORTERM", "LC_ALL", "TZ", "CEKURA_TUI_HOME", "HOME", "PYTHONPATH", "PATH")
    script = f'echo $$ > "{home}.pid"; exec "$@"'
    program = ("sh", "-c", script, "sh", *PROGRAM, "--demo", "--demo-speed", "0.01")
    command = server.command(program, {name: surroundings[name] for name in names})
    return start(command=command, columns=80, lines=24).wait("240 runs", "900240", "? Keys")


def end_of(home: Path) -> Callable[[], bool]:
    """A function that returns whether the program has ended; a zombie counts as ended."""
    pid = int(Path(f"{home}.pid").read_text())
    return lambda: not is_running(pid)


def test_keys_and_resizes_arrive_and_the_terminal_is_restored_over_ssh(terminal: Terminal) -> None:
    terminal.press("j", "j", "enter").wait("Run 900238", "esc")
    terminal.press("y").wait("Copy or save", "link to the recording", gone="http")
    terminal.press(*"jjjjjjj").wait("http://127.0.0.1:")
    terminal.press("G").wait("save the transcript as JSON", gone="in a browser")
    terminal.press("esc").wait("Run 900238", gone="Copy or save")
    terminal.press("esc").wait("240 runs")
    terminal.resize(120, 36)
    terminal.until(lambda: "? Keys" in terminal.screen.display[35], "the last line is at the bottom")
    terminal.resize(40, 10)
    terminal.wait("cekura-tui needs")
    terminal.resize(80, 24)
    terminal.wait("240 runs", "? Keys")
    terminal.press("ctrl+z").wait("Can't suspend")
    terminal.quit()


def test_a_lost_connection_ends_the_program_but_the_launched_job_is_stored(
    terminal: Terminal, server: SshServer, home: Path
) -> None:
    terminal.press("j", "j", "i").wait("792 words", gone="Loading")
    terminal.press("ctrl+g").wait("launched")
    has_ended = end_of(home)
    assert not has_ended()
    server.line.cut()
    until(has_ended, "the program ends")
    with contextlib.closing(sqlite3.connect(home / "demo" / "cekura.db")) as sql:
        assert sql.execute("SELECT state FROM jobs").fetchall() == [("running",)]


def test_a_killed_ssh_client_ends_the_program(terminal: Terminal, home: Path) -> None:
    has_ended = end_of(home)
    terminal.kill()
    until(has_ended, "the program ends")
