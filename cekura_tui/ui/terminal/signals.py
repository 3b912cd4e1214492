"""Restore the terminal and exit on a signal, a closed terminal or a crashed thread, even if the main thread blocks."""

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

from cekura_tui.config.programs import hang_up

if TYPE_CHECKING:
    from cekura_tui.ui.app import CekuraApp


_APP_MODES = (2026, 1000, 1003, 1004, 1006, 1015, 2004, 2048, 1049)
"""Private modes of the terminal to switch off; the alternate screen (1049) comes last."""
# \x18 cancels an incomplete sequence.
_RESTORE = b"\x18" + b"".join(b"\x1b[?%dl" % mode for mode in _APP_MODES) + b"\x1b[?25h\x1b[?7h\x1b[<u\x1b[0m"
_WRITE_ATTEMPTS, _RETRY_DELAY = 10, 0.02


class Terminal:
    """The terminal, and its modes to restore; without a terminal every method does nothing."""

    def __init__(self) -> None:
        self._handle = -1
        self._modes: list[object] | None = None
        with contextlib.suppress(termios.error, OSError, ValueError, AttributeError):
            self._handle = sys.__stdin__.fileno()  # type: ignore[union-attr] # None without a terminal
            self._modes = termios.tcgetattr(self._handle)

    def is_gone(self) -> bool:
        """Whether the terminal has closed; False if there never was a terminal."""
        if self._modes is None:
            return False
        try:
            termios.tcgetattr(self._handle)
        except (termios.error, OSError):
            return True
        return False

    def is_full(self) -> bool:
        return self._modes is not None and not select.select([], [self._handle], [], 0)[1]

    def restore(self, more: bytes = b"") -> None:
        """Reset the screen, cursor, mouse and line discipline, and write `more` to the normal screen."""
        with contextlib.suppress(termios.error, OSError):
            # A new file descriptor, because the shell shares the old one and must not get O_NONBLOCK.
            own = os.open(os.ttyname(self._handle), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            _discard_other_output()
            self._write(own, _RESTORE + more)
            if self._modes is not None:
                termios.tcsetattr(own, termios.TCSANOW, self._modes)  # type: ignore[arg-type]

    def _write(self, own: int, text: bytes) -> None:
        """Discard output that the terminal has not read yet, then write; retry while the terminal is stalled."""
        for _ in range(_WRITE_ATTEMPTS):
            with contextlib.suppress(termios.error):
                termios.tcflow(own, termios.TCOON)
                termios.tcflush(own, termios.TCOFLUSH)
            try:
                if os.write(own, text) == len(text):
                    return
            except BlockingIOError:
                time.sleep(_RETRY_DELAY)


def _discard_other_output() -> None:
    """Send stdout and stderr to /dev/null, and interrupt other threads' writes, to keep a stalled terminal empty."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    for thread in threading.enumerate():
        if thread.ident is not None and thread is not threading.current_thread():
            with contextlib.suppress(OSError):
                signal.pthread_kill(thread.ident, _INTERRUPT)


EXIT_TIMEOUT, EXIT_TIMEOUT_LOST = 1.5, 1.0
"""Seconds for the app to exit before the process is killed: normally, and after the terminal closed."""
STALL_TIMEOUT = 0.4
"""Seconds to wait for a stalled terminal before its pending output is discarded."""
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_INTERRUPT = signal.SIGURG
"""The signal that interrupts a blocked write. Not SIGWINCH, whose handler Textual resets as the app begins to exit."""


@contextlib.contextmanager
def exits_on_signals(app: CekuraApp) -> Iterator[EmergencyExit]:
    """Exit the app with status 128 + n on SIGTERM, SIGHUP or SIGINT, and as on SIGHUP when the terminal closes. A
    signal that is ignored stays ignored. An exception that ends a thread exits the app as an unexpected error."""
    emergency = EmergencyExit(app)
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        # Under nohup SIGHUP stays ignored: the program survives a lost connection, but not a closed terminal.
        if handler != signal.SIG_IGN:
            signal.signal(number, emergency.on_signal)
    before[_INTERRUPT] = signal.signal(_INTERRUPT, lambda *_: None)
    hook_before, threading.excepthook = threading.excepthook, emergency.on_thread_death
    threading.Thread(target=emergency.watch, name="terminal-watch", daemon=True).start()
    try:
        yield emergency
    finally:
        emergency.done.set()
        threading.excepthook = hook_before
        for number, handler in before.items():
            signal.signal(number, handler)


class EmergencyExit:
    """Exits the app from a signal handler or another thread; `done` must be set once the app has exited."""

    def __init__(self, app: CekuraApp) -> None:
        self._app = app
        self._terminal = Terminal()
        self._once = threading.Lock()
        self._force_thread: threading.Thread | None = None
        self._restored = False
        self.status: int | None = None
        self.done = threading.Event()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self._begin_exit(128 + number)

    def on_thread_death(self, death: threading.ExceptHookArgs) -> None:
        """Record a crash and exit, because without one of its threads the app cannot read, draw or reach its server. If
        the thread ended because the terminal closed, exit as on SIGHUP instead."""
        if self._terminal.is_gone():  # the thread died of that
            self._begin_exit(128 + signal.SIGHUP, EXIT_TIMEOUT_LOST)
            return
        self._app.note_crash(death.exc_value or RuntimeError(death.exc_type.__name__))
        hang_up()
        self._restore()  # the app may not be able to
        if death.thread is self._force_thread:
            os._exit(self._app.status or 0)
        self._begin_exit(self._app.status or 0)

    def watch(self) -> None:
        """Exit as on SIGHUP when the terminal closes, even if SIGHUP is ignored: Textual's input thread would loop."""
        while not self.done.wait(0.5):
            if self._terminal.is_gone():
                self._begin_exit(128 + signal.SIGHUP, EXIT_TIMEOUT_LOST)
                return

    def _begin_exit(self, status: int, timeout: float = EXIT_TIMEOUT) -> None:
        if not self._once.acquire(blocking=False):
            return
        self.status = status
        self._force_thread = threading.Thread(
            target=self._force_exit, args=(status, timeout), name="leaving", daemon=True
        )
        self._force_thread.start()
        # Otherwise the main thread would keep waiting for an open editor or pager.
        hang_up()
        self._app.leave_from_signal(status)

    def _force_exit(self, status: int, timeout: float) -> None:
        """Kill the process if the app does not exit in time; each record was committed before it was shown."""
        if self.done.wait(STALL_TIMEOUT):
            return
        if self._terminal.is_full():
            # Unblocks the main thread, so that the app can save typed text and exit normally.
            self._restore()
        if self.done.wait(timeout - STALL_TIMEOUT):
            return
        self._restore()
        os._exit(status)

    def _restore(self) -> None:
        """Restore the terminal and print the crash message, once; later output is discarded."""
        if not self._restored:
            self._restored = True
            crash = f"{self._app.crash}\n" if self._app.crash else ""
            self._terminal.restore(f"{self._app.news.former_title}{crash}".encode())
