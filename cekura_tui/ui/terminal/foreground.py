"""A program of the user's that has the terminal for a while: an editor, a pager."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from textual.app import App

_open: list[subprocess.Popen[bytes]] = []
"""The program that has the terminal, if there is one that was not told yet that ours ends."""
_ending = threading.Event()
_PLAIN_KEYS = b"\x1b[?1l\x1b>"
"""Cursor keys and keypad send what they do in a shell."""


def run_in_front(app: App[Any], command: Sequence[str], given: bytes | None = None) -> str:
    """Run it to its end, without the API key, with what is `given` on its standard input.

    Returns in words how it failed, "" where it did not or was ended by a signal, as when the connection is lost.
    """
    failed = ""
    # ctrl+c in the program is the program's; a handler of ours, unlike ignoring it, is not handed on to the child.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    # An exception inside `suspend` would leave the app out of application mode: it is told afterwards.
    with app.suspend(), app.batch_update():
        try:
            status = _run(command, given)
            failed = f"ended with status {status}" if status > 0 else ""
        except OSError as error:
            failed = f"could not be started ({error.strerror})"
        _put_keys_right()
    signal.signal(signal.SIGINT, before)
    app.refresh()
    return failed


def hang_up() -> None:
    """Ask an open program to end, as a lost connection does: at the first signal it keeps what it can."""
    _ending.set()
    number = signal.SIGTERM if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else signal.SIGHUP
    while _open:
        program = _open.pop()
        if os.getpgrp() == os.getpid():
            os.killpg(0, number)  # the group is ours: a script of the user's may have started the program
        else:
            program.send_signal(number)


def _put_keys_right() -> None:
    """A program that was killed, as `less` by SIGHUP, leaves them as it had them; nobody else undoes that."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        terminal = sys.__stderr__.fileno()  # type: ignore[union-attr] # what Textual draws on; None where it was closed
        if os.isatty(terminal):
            os.write(terminal, _PLAIN_KEYS)


def _run(command: Sequence[str], given: bytes | None) -> int:
    env = {name: value for name, value in os.environ.items() if name != "CEKURA_API_KEY"}
    with subprocess.Popen(command, env=env, stdin=None if given is None else subprocess.PIPE) as program:
        _open.append(program)
        if _ending.is_set():
            hang_up()  # the signal came while it was being started
        try:
            program.communicate(given)  # a pager that is left before it has read all is no failure
            return program.wait()
        finally:
            _open.clear()
