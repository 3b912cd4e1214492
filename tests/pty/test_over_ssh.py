"""At the other end of a real SSH connection of 150 ms: keys, sizes, links, and a connection that is gone."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ssh_server import SshServer, missing, ssh_server
from terminal import PROGRAM, Start, Terminal

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
DELAY = 0.075
"""Seconds that a byte takes each way."""
GONE_WITHIN = 2.0
"""Seconds from the loss of the connection to the end of the program."""


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
    """The app on the other machine, whose process id is in a file."""
    names = ("COLORTERM", "LC_ALL", "TZ", "CEKURA_TUI_HOME", "HOME", "PYTHONPATH", "PATH")
    script = f'echo $$ > "{home}.pid"; exec "$@"'
    program = ("sh", "-c", script, "sh", *PROGRAM, "--demo", "--demo-speed", "0.01")
    command = server.command(program, {name: surroundings[name] for name in names})
    return start(command=command, columns=80, lines=24).wait("240 runs", "900240", "? Keys")


def pid_of(home: Path) -> int:
    return int(Path(f"{home}.pid").read_text())


def is_there(pid: int) -> bool:
    """Whether it runs: what has ended waits for nobody, whose child it may be by then."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends_in_time(pid: int) -> None:
    lost = time.monotonic()
    while is_there(pid):
        assert time.monotonic() - lost < GONE_WITHIN, "the program is still there"
        time.sleep(0.02)


def test_keys_and_sizes_arrive_links_are_text_and_the_terminal_is_handed_back(terminal: Terminal) -> None:
    terminal.press("j", "j", "enter").wait("Run 900238", "esc")
    terminal.press("y").wait("Copy or save", "link to the recording", gone="http")
    terminal.press(*"jjjjjjj").wait("https://")
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


def test_the_program_ends_with_the_connection_and_its_job_is_in_the_list(
    terminal: Terminal, server: SshServer, home: Path
) -> None:
    terminal.press("j", "j", "i").wait("792 words", gone="Loading")
    terminal.press("ctrl+g").wait("launched")
    pid = pid_of(home)
    assert is_there(pid)
    server.line.cut()
    ends_in_time(pid)
    with contextlib.closing(sqlite3.connect(home / "demo" / "cekura.db")) as sql:
        assert sql.execute("SELECT state FROM jobs").fetchall() == [("running",)]


def test_a_killed_client_ends_the_program(terminal: Terminal, home: Path) -> None:
    pid = pid_of(home)
    terminal.process.send_signal(signal.SIGKILL)
    ends_in_time(pid)
