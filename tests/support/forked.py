"""Start the program in a terminal within a fraction of a second, by forking a process that has imported everything.
Each fork has a session, a controlling terminal and signal handlers of its own, like any other process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import pytest

_REPO = Path(__file__).parents[2]
_PARENT = """
import fcntl, json, os, signal, sys, termios, time
from cekura_tui.cli.main import main
from cekura_tui.ui import app
from cekura_tui.ui.jobs import improve
from cekura_tui.ui.jobs import job
from cekura_tui.ui.jobs import screen as jobs
from cekura_tui.ui.suggestion import screen as suggestion
from cekura_tui.workspace import session
from cekura_tui.demo import server
for line in sys.stdin:
    order = json.loads(line)
    if "wait" in order:
        print(os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]), flush=True)
        continue
    if pid := os.fork():
        print(pid, flush=True)
        continue
    os.setsid()
    terminal = os.open(order["terminal"], os.O_RDWR)
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for stream, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(terminal, stream)
        opened = open(stream, "w" if stream else "r", buffering=1, encoding="utf-8", closefd=False)
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)
    os.close(terminal)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    for number in order["ignoring"]:
        signal.signal(number, signal.SIG_IGN)
    sys.argv = ["cekura-tui", *order["args"]]
    main()
"""
# The program sets these before it imports Textual.
_TEXTUAL_ENV = {"TEXTUAL_FPS": "120", "TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}


class Forker:
    """The preloaded parent process, which forks the program on request."""

    def __enter__(self) -> Self:
        env = {**os.environ, **_TEXTUAL_ENV, "PYTHONPATH": str(_REPO)}
        self._ordering = threading.Lock()
        self._parent = subprocess.Popen(
            [sys.executable, "-c", _PARENT], text=True, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._parent.kill()
        self._parent.communicate()

    def order(self, **order: object) -> int:
        """Ask the parent process for a number: the pid of a new fork, or the exit status of an ended fork."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        with self._ordering:
            self._parent.stdin.write(json.dumps(order) + "\n")
            self._parent.stdin.flush()
            return int(self._parent.stdout.readline())

    def start(
        self, terminal: str, args: Sequence[str], env: Mapping[str, str], ignoring: Sequence[signal.Signals]
    ) -> Forked:
        """Fork a process that runs `cekura-tui …` on the terminal device `terminal` and ignores these signals."""
        return Forked(self, self.order(terminal=terminal, args=args, env=dict(env), cwd=os.getcwd(), ignoring=ignoring))


class Forked:
    """A forked process, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, forker: Forker, pid: int) -> None:
        self._forker, self.pid = forker, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Exit status, or None while the process runs."""
        if self.returncode is None and state_of(self.pid) == "Z":
            self.returncode = self._forker.order(wait=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            assert end is None or time.monotonic() < end, "never happened: the program ends"
            time.sleep(0.005)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def state_of(pid: int | str) -> str:
    """State of a process or thread as a letter of /proc, such as R, S, T or Z."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def is_running(pid: int) -> bool:
    """Whether a process, which need not be a child of ours, exists and is not a zombie."""
    try:
        return state_of(pid) != "Z"
    except OSError:
        return False


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    """A `Forker` for the whole session. A fork needs no imports, which take most of the program's start-up time."""
    with Forker() as forker:
        yield forker
