"""Textual's driver for a terminal that may be lost, or lent to another program for a while."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any

from textual import events
from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from cekura_tui.ui.terminal.cell_writer import CellWriter
from cekura_tui.ui.terminal.cells import at_most
from cekura_tui.ui.terminal.input_parser import InputParser

_log = logging.getLogger("cekura_tui.ui")

_LOOKED = 0.1
"""Seconds between two checks of a terminal without input."""
_FOREVER = 60.0
"""Seconds to wait for input at once."""
_READ = 1 << 16
"""Bytes that are read at once."""
BROUGHT_BACK = 0.5
"""Seconds between two checks whether the program is in the foreground again."""


def has_job_control() -> bool:
    """Whether a shell waits for the program and can resume it. Under `ssh host cekura-tui`, as the command of a tmux
    window and in a script there is none, and the kernel ignores ctrl+z."""
    session, parent = os.getsid(0), os.getppid()
    try:
        return os.getpgrp() != session and parent > 0 and os.getsid(parent) == session
    except OSError:
        return False  # the parent has just ended, or is not ours to see


class _Waking(threading.Event):
    """Ends the reading and wakes its thread through a pipe, whose end `woken` that thread selects on."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = self._wake = -1
        self._open = False

    def open(self) -> None:
        if not self._open:
            self.woken, self._wake = os.pipe()
            os.set_blocking(self._wake, False)
            self._open = True

    def set(self) -> None:
        super().set()
        if self._open:
            with suppress(BlockingIOError):  # the pipe is full
                os.write(self._wake, b".")

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._wake)
            os.close(self.woken)


class TerminalDriver(LinuxDriver):
    """Draws only while the terminal is there and ours, and sends only what changes its cells.

    `background_erase` is whether it erases with the background that is set, `escape_delay` the seconds esc waits;
    `whole_frames` sends all that Textual writes. Textual would start to draw a second time after SIGCONT, which the
    kernel also sends with every SIGHUP, and forget the terminal's modes; then the program may never end.
    """

    def __init__(
        self,
        *args: Any,
        whole_frames: bool = False,
        background_erase: bool = False,
        escape_delay: float = ESCAPE_DELAY,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._size = self._size or self._get_terminal_size()
        self._escape_delay = escape_delay
        self._background_erase = background_erase
        self._cells = None if whole_frames else CellWriter(1, 1, fills=False)
        self._screen_unknown = True
        self._writing = threading.Lock()  # the thread that reads answers to questions of the terminal, too
        self.exit_event = self._waking = _Waking()
        self._modes: list[Any] | None = None
        self._drawing = self._stopped = False
        signal.signal(signal.SIGTSTP, self._asked_to_stop)
        signal.signal(signal.SIGCONT, self._continued)

    # Drawing

    def start_application_mode(self) -> None:
        """Start to draw, unless the terminal is gone; the modes to restore are those of the first time."""
        if self._lost:
            return
        if self._cells is not None:
            self._cells = CellWriter(1, 1, fills=False)
        self.forget_screen()
        self._waking.open()
        super().start_application_mode()  # type: ignore[no-untyped-call] # as Textual has it
        self._drawing = self._writes
        if not self._drawing:
            # Started in the background: Textual has stopped the program, and does not draw when it goes on.
            self._stopped = True
            self._loop.call_soon(self._draw_again)
            return
        self._modes = self._modes or self.attrs_before
        self.attrs_before = self._modes
        self._size_handler = signal.getsignal(signal.SIGWINCH)
        signal.signal(signal.SIGWINCH, self._resized)

    def stop_application_mode(self) -> None:
        """Stop drawing. In the background, setting the modes would stop the program."""
        if not self._drawing:
            return
        if not self._in_foreground:
            self.attrs_before = None
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        super().stop_application_mode()
        self._drawing = False
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)

    def disable_input(self) -> None:
        if self._drawing:
            super().disable_input()

    def close(self) -> None:
        super().close()
        if self._key_thread is None or not self._key_thread.is_alive():
            self._waking.close()

    def write(self, data: str) -> None:
        """Write while Textual's writing thread lives, which a lost terminal ends."""
        if not self._writes:
            return
        with self._writing:
            if changes := data if self._cells is None else self._changes(self._cells, data):
                super().write(changes)

    def _changes(self, cells: CellWriter, data: str) -> str:
        """The output that changes the cells; after an error all output, from now on."""
        try:
            if self._screen_unknown:
                self._screen_unknown = False
                self._measure(cells)
            return cells.feed(data)
        except Exception:  # the border of drawing: restoring the terminal writes here, too
            _log.exception("what changes the screen cannot be found out; it is sent whole from now on")
            self._cells = None
            if self._loop.is_running():
                self._loop.call_soon_threadsafe(self._app.refresh)
            return f"\x1b[m{data}"

    def forget_screen(self) -> None:
        """Send every cell that is drawn from now on. Called from any thread, and from signal handlers."""
        self._screen_unknown = True

    def _get_terminal_size(self) -> tuple[int, int]:
        return at_most(*super()._get_terminal_size())

    def _measure(self, cells: CellWriter) -> None:
        try:
            columns, lines = os.get_terminal_size(self.fileno)
        except OSError:
            columns = lines = 0
        if columns and lines and (columns, lines) == at_most(columns, lines):
            cells.resize(columns, lines, fills=self._background_erase)
        else:  # the terminal may be larger, and must not be erased beyond Textual's size
            cells.resize(*self._get_terminal_size(), fills=False)

    def process_message(self, message: Message) -> None:
        """Pass on input; a terminal that reports another size has moved its lines."""
        if isinstance(message, events.Resize) and self._cells is not None and message.size != self._cells.size:
            self.forget_screen()
        super().process_message(message)

    def _run_input_thread(self) -> None:
        # Textual's own prints its error over the screen.
        try:
            self._read()
        except OSError:
            if not self._lost:
                raise

    def _read(self) -> None:
        parser = InputParser(self._escape_delay)
        due: float | None = None
        while not self.exit_event.is_set():
            left = _FOREVER if due is None else max(due - time.monotonic(), 0.0)
            readable = select.select([self.fileno, self._waking.woken], [], [], left)[0]
            if self._waking.woken in readable:
                os.read(self._waking.woken, _READ)
            if self.fileno in readable:
                if not (data := os.read(self.fileno, _READ)):
                    self.exit_event.wait(_LOOKED)  # the input has ended
                    continue
                messages = parser.feed(data)
            elif due is not None and time.monotonic() >= due:
                messages = parser.pause()
            else:
                continue
            for message in messages:
                self.process_message(message)
            due = None if parser.patience is None else time.monotonic() + parser.patience

    def _resized(self, number: int, frame: FrameType | None) -> None:
        self.forget_screen()
        if callable(self._size_handler):
            self._size_handler(number, frame)
        if self._loop.is_running():
            # The terminal may have moved its lines although the app sees the same size again.
            self._loop.call_soon_threadsafe(self._app.refresh)

    # Being stopped

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._drawing and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stop)
        else:
            os.kill(os.getpid(), signal.SIGSTOP)  # with the editor that has the terminal

    def _stop(self) -> None:
        self._stopped = True
        self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def suspend_job(self) -> None:
        """Restore the terminal, then stop the shell's job, also a script that started the program."""
        self._stopped = True
        self.suspend_application_mode()
        os.kill(0, signal.SIGTSTP)

    def _continued(self, number: int, frame: FrameType | None) -> None:
        if (self._drawing or self._stopped) and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._draw_with_modes)

    def _draw_with_modes(self) -> None:
        """Draw again after another program had the terminal, and may have changed its modes."""
        if self._drawing and self._app.is_running and not self._lost:
            self._stopped = True
            self.suspend_application_mode()
        self._draw_again()

    def _draw_again(self) -> None:
        if not self._stopped or not self._app.is_running or self._lost:
            return
        if self._in_foreground:
            self._stopped = False
            self.resume_application_mode()
            self._app.refresh(layout=True)
        else:
            self._loop.call_later(BROUGHT_BACK, self._draw_again)

    # The terminal

    @property
    def _writes(self) -> bool:
        return self._writer_thread is not None and self._writer_thread.is_alive()

    @property
    def _lost(self) -> bool:
        return not os.isatty(self.fileno)

    @property
    def _in_foreground(self) -> bool:
        try:
            # 0: the group is outside our container.
            return os.tcgetpgrp(self.fileno) in (os.getpgrp(), 0)
        except OSError:
            return not self._lost  # it has no job control
