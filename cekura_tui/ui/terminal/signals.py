"""Signals, and a terminal that is gone, end the program with the terminal as it was, also while the main thread is
blocked by a terminal that stopped reading, or by an editor."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from cekura_tui.ui.terminal import foreground
from cekura_tui.ui.terminal.restore import Terminal

if TYPE_CHECKING:
    from cekura_tui.ui.app import CekuraApp

PATIENCE, ALONE = 1.5, 1.0
"""Seconds until the program leaves whether or not the app has; the latter where its terminal is gone."""
STALLED = 0.4
"""Seconds until a terminal that takes nothing is not waited for."""
LOOKED_AFTER = 0.25
"""Seconds between two looks whether the terminal is still there: where SIGHUP is ignored, nothing else tells."""
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextlib.contextmanager
def exits_on_signals(app: CekuraApp) -> Iterator[Leaving]:
    """While this lasts, SIGTERM, SIGHUP, SIGINT and the loss of the terminal leave the app with status 128 + n."""
    leaving = Leaving(app)
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        # Whoever started us with SIGHUP ignored wants us to outlive a connection, not a terminal.
        if handler != signal.SIG_IGN:
            signal.signal(number, leaving.on_signal)
    threading.Thread(target=leaving.watch, name="terminal-watch", daemon=True).start()
    try:
        yield leaving
    finally:
        leaving.done.set()
        for number, handler in before.items():
            signal.signal(number, handler)


class Leaving:
    """How the program is left from outside. `done` is set when it has been left in an orderly way."""

    def __init__(self, app: CekuraApp) -> None:
        self._app = app
        self._terminal = Terminal()
        self._begun = threading.Lock()
        self.number: int | None = None
        """The signal that it is left by."""
        self.done = threading.Event()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Ask the app to leave, and leave anyway if it does not in time."""
        self._leave(number)

    def watch(self) -> None:
        """Leave as by SIGHUP when the terminal is gone. Textual's reading of a terminal that is gone never rests."""
        while not self.done.wait(LOOKED_AFTER):
            if self._terminal.is_gone():
                self._leave(signal.SIGHUP, ALONE)
                return

    def _leave(self, number: int, patience: float = PATIENCE) -> None:
        if not self._begun.acquire(blocking=False):
            return
        self.number = number
        threading.Thread(target=self._leave_anyway, args=(number, patience), name="leaving", daemon=True).start()
        # The main thread waits for an editor or a pager as long as there is one.
        foreground.hang_up()
        self._app.leave_from_signal(128 + number)

    def _leave_anyway(self, number: int, patience: float) -> None:
        """The app has not left in time: put the terminal right without waiting for it, and end the process.

        What the program knows is in the database already: every record is committed before it is shown.
        """
        if self.done.wait(STALLED):
            return
        restored = self._terminal.is_full()
        if restored:
            # The main thread waits for it no longer, so that the app leaves as it should and keeps what is being typed.
            self._restore()
        if self.done.wait(patience - STALLED):
            return
        if not restored:
            self._restore()
        os._exit(128 + number)

    def _restore(self) -> None:
        self._terminal.restore(self._app.news.former_title.encode())
