"""Putting the terminal right from outside the app, whatever state the app is in."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time

_OFF = (2026, 1000, 1003, 1004, 1006, 1015, 2004, 2048, 1049)
"""Modes that are switched on while the app runs; the alternate screen is left last."""
# First what ends a sequence that was cut off in the middle.
_RESTORE = b"\x18" + b"".join(b"\x1b[?%dl" % mode for mode in _OFF) + b"\x1b[?25h\x1b[?7h\x1b[<u\x1b[0m"
_TRIES, _BETWEEN = 10, 0.02


class Terminal:
    """The terminal as it is when this is made. Has no effect where there is none."""

    def __init__(self) -> None:
        self._handle = -1
        self._modes: list[object] | None = None
        with contextlib.suppress(termios.error, OSError, ValueError, AttributeError):
            self._handle = sys.__stdin__.fileno()  # type: ignore[union-attr] # None where there is none
            self._modes = termios.tcgetattr(self._handle)

    def is_gone(self) -> bool:
        """Whether there was a terminal and is none any more."""
        if self._modes is None:
            return False
        try:
            termios.tcgetattr(self._handle)
        except (termios.error, OSError):
            return True
        return False

    def is_full(self) -> bool:
        """Whether it takes nothing at this moment, as where nobody reads what was written to it."""
        return self._modes is not None and not select.select([], [self._handle], [], 0)[1]

    def restore(self, more: bytes = b"") -> None:
        """Leave the alternate screen, show the cursor, switch the mouse off, and restore the line discipline; `more` is
        written with it."""
        with contextlib.suppress(termios.error, OSError):
            # Opened anew, so that not to block is a matter of this handle alone and not of the shell's, too.
            own = os.open(os.ttyname(self._handle), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            _silence_others()
            self._write(own, _RESTORE + more)
            if self._modes is not None:
                termios.tcsetattr(own, termios.TCSANOW, self._modes)  # type: ignore[arg-type] # as it was got

    def _write(self, own: int, text: bytes) -> None:
        """Write what restores, in place of all that the terminal has not read yet."""
        for _ in range(_TRIES):
            with contextlib.suppress(termios.error):
                termios.tcflow(own, termios.TCOON)
                termios.tcflush(own, termios.TCOFLUSH)
            try:
                if os.write(own, text) == len(text):
                    return
            except BlockingIOError:
                time.sleep(_BETWEEN)


def _silence_others() -> None:
    """Let nothing else be written to the terminal: not even what a blocked thread is in the middle of."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    for thread in threading.enumerate():
        if thread.ident is not None and thread is not threading.current_thread():
            # A signal ends the write that it is blocked in; what it tries next goes nowhere.
            with contextlib.suppress(OSError):
                signal.pthread_kill(thread.ident, signal.SIGWINCH)
