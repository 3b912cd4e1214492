"""Signals end the program with the terminal as it was, also while the main thread is blocked."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cekura_tui.ui.app import CekuraApp

PATIENCE = 1.5
"""Seconds until the program leaves whether or not the app has."""
_RESTORE = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[<u\x1b[0m"
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextlib.contextmanager
def exits_on_signals(app: CekuraApp) -> Iterator[None]:
    """While this lasts, SIGTERM, SIGHUP and SIGINT leave the app with status 128 + n."""
    saved = _terminal_modes()

    def leave(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=_leave_anyway, args=(number, saved, done), daemon=True).start()
        app.leave_from_signal(128 + number)

    done = threading.Event()
    before = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield
    finally:
        done.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminal_modes() -> list[object] | None:
    try:
        return termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None
    except (termios.error, OSError, ValueError):
        return None


def _leave_anyway(number: int, saved: list[object] | None, done: threading.Event) -> None:
    """The app has not left in time: put the terminal right without waiting for it, and end the process.

    What the program knows is in the database already: every record is committed before it is shown.
    """
    if done.wait(PATIENCE):
        return
    with contextlib.suppress(termios.error, OSError, ValueError):
        if saved is not None and sys.__stdin__:
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, saved)  # type: ignore[arg-type] # as it was got
    with contextlib.suppress(OSError, ValueError):
        if sys.__stdout__:
            handle = sys.__stdout__.fileno()
            os.set_blocking(handle, False)
            os.write(handle, _RESTORE)
    os._exit(128 + number)
