"""`api_key_command` uses the terminal, and can be left with esc or ctrl+c; no process of it is left."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples import nightly
from forked import is_running
from terminal import PROGRAM, Start, Terminal
from waiting import until

from cekura_tui.config.credentials import ApiKey, read_server, save_key
from cekura_tui.demo import DemoOptions
from cekura_tui.demo.server import DemoServer

DEAF = "trap '' INT QUIT TERM HUP; sleep 600 & echo $$ $! > {pids}; echo Waiting. >&2; wait; echo never"
"""A command that ignores signals, with a child."""
DIALOG = """\
import os, sys, tty
tty.setcbreak(0)
print("A dialog.", file=sys.stderr, flush=True)
while os.read(0, 1) != b"\\x1b":
    print("Not esc.", file=sys.stderr, flush=True)
print(sys.argv[1])
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    started = DemoServer(tmp_path / "server", DemoOptions(speed=1e6))
    started.start()
    yield started
    started.stop()


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    """The file of the ids of a DEAF command and its child, which are ended after the test."""
    yield tmp_path / "pids"
    for pid in running(tmp_path / "pids"):
        os.kill(pid, signal.SIGKILL)


def running(pids: Path) -> list[int]:
    return [pid for pid in map(int, pids.read_text().split()) if is_running(pid)]


@pytest.fixture
def deaf(pids: Path) -> tuple[str, ...]:
    return ("sh", "-c", DEAF.format(pids=shlex.quote(str(pids))))


@pytest.fixture
def at_dialog(start: Start, home: Path, server: DemoServer) -> Callable[..., Terminal]:
    """A function that opens the app with a saved key, and chooses the profile `work`, which has a key command."""

    def chosen(*command: str) -> Terminal:
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(
            f"[profiles.work]\napi_url = {json.dumps(server.url)}\nproject_id = 4021\n"
            f"api_key_command = {json.dumps(shlex.join(command))}\n"
        )
        save_key(home / "credentials.json", read_server(server.url), ApiKey(server.key, "typed"))
        app = start("--project", "4022").wait("60 runs")
        app.press("P").wait("work", "api_key_command").press("G", "up", "enter")
        return app

    return chosen


@pytest.mark.parametrize("key", ["esc", nightly("ctrl+c")])
def test_a_key_leaves_the_waiting_for_a_key_command_and_the_app_is_as_it_was(
    at_dialog: Callable[..., Terminal], deaf: tuple[str, ...], pids: Path, key: str
) -> None:
    app = at_dialog(*deaf).wait("Waiting.", "press esc")
    app.press(key).wait("60 runs", "Still using profile default")
    until(lambda: not running(pids), "the command and its child are gone")
    app.press("j", "enter").wait("Run 800059")
    app.quit()
    app.assert_restored()


def test_esc_in_a_dialog_of_a_key_command_goes_to_the_dialog(
    at_dialog: Callable[..., Terminal], server: DemoServer
) -> None:
    app = at_dialog(sys.executable, "-ISc", DIALOG, server.key).wait("A dialog.")
    app.press("x").wait("Not esc.")
    app.until(lambda: termios.tcgetattr(app._slave)[6][termios.VQUIT] != b"\x1b", "esc is left to the dialog")
    app.press("esc").wait("work", "240 runs")
    app.quit()


def test_a_signal_that_ends_the_app_ends_a_key_command(
    at_dialog: Callable[..., Terminal], deaf: tuple[str, ...], pids: Path
) -> None:
    app = at_dialog(*deaf).wait("Waiting.")
    app.process.send_signal(signal.SIGTERM)
    assert app.ended() == 128 + signal.SIGTERM
    app.assert_restored()
    until(lambda: not running(pids), "the command and its child are gone")


@pytest.mark.parametrize(
    ("end", "status"),
    [("ctrl+c", 130), ("\x1c", 130), (signal.SIGTERM, -signal.SIGTERM), nightly(signal.SIGHUP, -1)],
)
def test_a_key_or_a_signal_ends_a_command_line_and_its_key_command(
    start: Start, home: Path, deaf: tuple[str, ...], pids: Path, end: str | int, status: int
) -> None:
    home.mkdir()
    (home / "config.toml").write_text(f"api_key_command = {json.dumps(shlex.join(deaf))}\n")
    terminal = start("auth", "status", command=PROGRAM).wait("Waiting.")
    if isinstance(end, str):
        terminal.press(end)
    else:
        terminal.process.send_signal(end)
    assert terminal.ended() == status
    assert termios.tcgetattr(terminal._slave) == terminal.modes
    until(lambda: not running(pids), "the command and its child are gone")
