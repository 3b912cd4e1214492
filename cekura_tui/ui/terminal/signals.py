"""Exit and restore the terminal on a signal, when the terminal is gone, or when a thread has died, even while the main
thread is blocked by a stalled terminal or an editor."""

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
"""Terminal modes of the app; the alternate screen is left last."""
# \x18 ends a sequence that was cut off.
_RESTORE = b"\x18" + b"".join(b"\x1b[?%dl" % mode for mode in _OFF) + b"\x1b[?25h\x1b[?7h\x1b[<u\x1b[0m"
_TRIES, _BETWEEN = 10, 0.02


class Terminal:
    """The terminal with its present modes; does nothing if there is none."""

    def __init__(self) -> None:
        self._handle = -1
        self._modes: list[object] | None = None
        with contextlib.suppress(termios.error, OSError, ValueError, AttributeError):
            self._handle = sys.__stdin__.fileno()  # type: ignore[union-attr] # None where there is none
            self._modes = termios.tcgetattr(self._handle)

    def is_gone(self) -> bool:
        """Whether there was a terminal that is lost."""
        if self._modes is None:
            return False
        try:
            termios.tcgetattr(self._handle)
        except (termios.error, OSError):
            return True
        return False

    def is_full(self) -> bool:
        """Whether a write would block now."""
        return self._modes is not None and not select.select([], [self._handle], [], 0)[1]

    def restore(self, more: bytes = b"") -> None:
        """Leave the alternate screen, show the cursor, switch the mouse off, write `more`, and restore the line
        discipline."""
        with contextlib.suppress(termios.error, OSError):
            # A handle of its own, because O_NONBLOCK must not apply to the shell's.
            own = os.open(os.ttyname(self._handle), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            _silence_others()
            self._write(own, _RESTORE + more)
            if self._modes is not None:
                termios.tcsetattr(own, termios.TCSANOW, self._modes)  # type: ignore[arg-type] # as it was got

    def _write(self, own: int, text: bytes) -> None:
        """Write after discarding all output that the terminal has not read yet."""
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
    """Discard other threads' output, also the rest of a blocked write, which keeps a stalled terminal's buffer full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    for thread in threading.enumerate():
        if thread.ident is not None and thread is not threading.current_thread():
            # A signal ends a blocked write.
            with contextlib.suppress(OSError):
                signal.pthread_kill(thread.ident, _INTERRUPT)


PATIENCE, ALONE = 1.5, 1.0
"""Seconds until the process ends even if the app has not, and if its terminal is gone."""
STALLED = 0.4
"""Seconds until a stalled terminal is no longer waited for."""
LOOKED_AFTER = 0.5
"""Seconds between two checks that the terminal is there, needed where SIGHUP is ignored."""
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_INTERRUPT = signal.SIGURG
"""Interrupts a blocked write. Not SIGWINCH: Textual restores its default handler when the app begins to exit."""


@contextlib.contextmanager
def exits_on_signals(app: CekuraApp) -> Iterator[Leaving]:
    """Meanwhile SIGTERM, SIGHUP, SIGINT and the loss of the terminal exit the app with status 128 + n, and the death of
    a thread as an unexpected error."""
    leaving = Leaving(app)
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        # With SIGHUP ignored, by nohup, the program outlives a connection, but not its terminal.
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
    """Exits the program from outside the app; `done` is set once the app has exited."""

    def __init__(self, app: CekuraApp) -> None:
        self._app = app
        self._terminal = Terminal()
        self._started = threading.Lock()
        self._last_resort: threading.Thread | None = None
        self._restored = False
        self.status: int | None = None
        self.done = threading.Event()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self._leave(128 + number)

    def on_thread_death(self, death: threading.ExceptHookArgs) -> None:
        """Exit: without one of its threads the app would not read, draw or reach its server."""
        if self._terminal.is_gone():  # not an error
            self._leave(128 + signal.SIGHUP, ALONE)
            return
        self._app.note_crash(death.exc_value or RuntimeError(death.exc_type.__name__))
        foreground.hang_up()
        self._restore()  # the app may be unable to
        if death.thread is self._last_resort:
            os._exit(self._app.status or 0)
        self._leave(self._app.status or 0)

    def watch(self) -> None:
        """Exit as by SIGHUP when the terminal is gone, where Textual's reading would loop."""
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
        # The main thread waits for an open editor or pager.
        foreground.hang_up()
        self._app.leave_from_signal(status)

    def _leave_anyway(self, status: int, patience: float) -> None:
        """Restore the terminal and end the process if the app does not exit in time. No data is lost: every record is
        committed before it is shown."""
        if self.done.wait(STALLED):
            return
        if self._terminal.is_full():
            # Unblocks the main thread, so that the app exits normally and saves typed text.
            self._restore()
        if self.done.wait(patience - STALLED):
            return
        self._restore()
        os._exit(status)

    def _restore(self) -> None:
        """Restore the terminal once, with the last line: later output does not reach it."""
        if not self._restored:
            self._restored = True
            crash = f"{self._app.crash}\n" if self._app.crash else ""
            self._terminal.restore(f"{self._app.news.former_title}{crash}".encode())
