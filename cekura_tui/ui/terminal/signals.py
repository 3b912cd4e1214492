"""Leaving on a signal, when the terminal is gone or when a thread has died, with the terminal restored, whatever the
app does.

It works also while the main thread is blocked by a terminal that stopped reading, or by an editor.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from cekura_tui.ui.terminal import foreground

if TYPE_CHECKING:
    from cekura_tui.ui.app import CekuraApp


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
    """Send to nowhere what other threads write, also the rest of what one is blocked in.

    Without it a stalled terminal is not restored: the blocked frame keeps its buffer full.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    for thread in threading.enumerate():
        if thread.ident is not None and thread is not threading.current_thread():
            # A signal ends the write that it is blocked in; what it tries next goes nowhere.
            with contextlib.suppress(OSError):
                signal.pthread_kill(thread.ident, _INTERRUPT)


PATIENCE, ALONE = 1.5, 1.0
"""Seconds until the program leaves whether or not the app has; the latter where its terminal is gone."""
STALLED = 0.4
"""Seconds until a terminal that takes nothing is not waited for."""
LOOKED_AFTER = 0.5
"""Seconds between two looks whether the terminal is still there: where SIGHUP is ignored, nothing else tells."""
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_INTERRUPT = signal.SIGURG
"""Interrupts a blocked write. Not SIGWINCH: Textual restores its default handler when the app begins to exit."""


@contextlib.contextmanager
def exits_on_signals(app: CekuraApp) -> Iterator[Leaving]:
    """While this lasts, SIGTERM, SIGHUP, SIGINT and the loss of the terminal leave the app with status 128 + n, and the
    death of a thread as any error that nobody expected."""
    leaving = Leaving(app)
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        # Whoever started us with SIGHUP ignored wants us to outlive a connection, not a terminal.
        if handler != signal.SIG_IGN:
            signal.signal(number, leaving.on_signal)
    before[_INTERRUPT] = signal.signal(_INTERRUPT, lambda *_: None)
    hook_before, threading.excepthook = threading.excepthook, leaving.on_thread_death
    threading.Thread(target=leaving.watch, name="terminal-watch", daemon=True).start()
    try:
        yield leaving
    finally:
        leaving.done.set()
        threading.excepthook = hook_before
        for number, handler in before.items():
            signal.signal(number, handler)


class Leaving:
    """How the program is left from outside. `done` is set when it has been left in an orderly way."""

    def __init__(self, app: CekuraApp) -> None:
        self._app = app
        self._terminal = Terminal()
        self._started = threading.Lock()
        self._last_resort: threading.Thread | None = None
        self._restored = False
        self.status: int | None = None
        """The exit status that it is left with."""
        self.done = threading.Event()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Ask the app to leave, and leave anyway if it does not in time."""
        self._leave(128 + number)

    def on_thread_death(self, death: threading.ExceptHookArgs) -> None:
        """Leave, whichever thread it was: without it the app would go on deaf, dumb or without its server."""
        if self._terminal.is_gone():  # no error of the program's
            self._leave(128 + signal.SIGHUP, ALONE)
            return
        self._app.note_crash(death.exc_value or RuntimeError(death.exc_type.__name__))
        foreground.hang_up()
        self._restore()  # the app may be unable to
        if death.thread is self._last_resort:
            os._exit(self._app.status or 0)
        self._leave(self._app.status or 0)

    def watch(self) -> None:
        """Leave as by SIGHUP when the terminal is gone. Textual's reading of a terminal that is gone never rests."""
        while not self.done.wait(LOOKED_AFTER):
            if self._terminal.is_gone():
                self._leave(128 + signal.SIGHUP, ALONE)
                return

    def _leave(self, status: int, patience: float = PATIENCE) -> None:
        if not self._started.acquire(blocking=False):
            return
        self.status = status
        self._last_resort = threading.Thread(
            target=self._leave_anyway, args=(status, patience), name="leaving", daemon=True
        )
        self._last_resort.start()
        # The main thread waits for an editor or a pager as long as there is one.
        foreground.hang_up()
        self._app.leave_from_signal(status)

    def _leave_anyway(self, status: int, patience: float) -> None:
        """The app has not left in time: put the terminal right without waiting for it, and end the process.

        What the program knows is in the database already: every record is committed before it is shown.
        """
        if self.done.wait(STALLED):
            return
        if self._terminal.is_full():
            # The main thread waits for it no longer, so that the app leaves as it should and keeps what is being typed.
            self._restore()
        if self.done.wait(patience - STALLED):
            return
        self._restore()
        os._exit(status)

    def _restore(self) -> None:
        """Once: nothing that the program writes afterwards reaches the terminal, so the last line goes with it."""
        if not self._restored:
            self._restored = True
            crash = f"{self._app.crash}\n" if self._app.crash else ""
            self._terminal.restore(f"{self._app.news.former_title}{crash}".encode())
