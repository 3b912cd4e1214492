"""Textual's driver for a terminal that may be taken away, or given to somebody else for a while and come back."""

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
"""Seconds between two looks at a terminal that has no input any more."""
_FOREVER = 60.0
"""Seconds that input is waited for at once: who ends the reading wakes it."""
_READ = 1 << 16
"""Bytes that are read at once."""
BROUGHT_BACK = 0.5
"""Seconds between two looks at whether the program is in the foreground again."""


def has_job_control() -> bool:
    """Whether a shell waits for the program and can resume it.

    There is none where the program leads its session, or is in the group of what does: under `ssh host cekura-tui`, as
    the command of a tmux window or a terminal, in a script. The kernel stops nothing there by ctrl+z.
    """
    session, parent = os.getsid(0), os.getppid()
    try:
        return os.getpgrp() != session and parent > 0 and os.getsid(parent) == session
    except OSError:
        return False  # the parent has just ended, or is not ours to see


class _Waking(threading.Event):
    """The end of reading, which wakes the thread that reads: `woken` is the end of a pipe that it looks at, too."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = self._wake = -1
        self._open = False

    def open(self) -> None:
        """Open the pipe, before somebody reads."""
        if not self._open:
            self.woken, self._wake = os.pipe()
            os.set_blocking(self._wake, False)
            self._open = True

    def set(self) -> None:
        super().set()
        if self._open:
            with suppress(BlockingIOError):  # the pipe is full of what has woken nobody yet
                os.write(self._wake, b".")

    def close(self) -> None:
        """Close the pipe, once nobody reads any more."""
        if self._open:
            self._open = False
            os.close(self._wake)
            os.close(self.woken)


class TerminalDriver(LinuxDriver):
    """Draws only while the terminal is there and ours, and sends it no more than what changes its cells.

    `background_erase` is whether it erases with the background that is set, `escape_delay` how many seconds esc waits;
    with `whole_frames` it gets all that Textual writes. Textual starts to draw a second time when a program that was
    stopped by SIGSTOP goes on: the modes that the terminal had are then forgotten, and the program may never end. The
    kernel sends SIGCONT with every SIGHUP, too.
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
        """Start to draw, unless the terminal is gone; the modes to restore are the ones it had the first time."""
        if self._lost:
            return
        if self._cells is not None:
            self._cells = CellWriter(1, 1, fills=False)
        self.forget_screen()
        self._waking.open()
        super().start_application_mode()  # type: ignore[no-untyped-call] # as Textual has it
        self._drawing = self._writes
        if not self._drawing:
            # It was begun in the background: Textual has stopped the program, and gives up when it goes on.
            self._stopped = True
            self._loop.call_soon(self._draw_again)
            return
        self._modes = self._modes or self.attrs_before
        self.attrs_before = self._modes
        self._size_handler = signal.getsignal(signal.SIGWINCH)
        signal.signal(signal.SIGWINCH, self._resized)

    def stop_application_mode(self) -> None:
        """Stop to draw. In the background, setting the modes would stop the program."""
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
        """Let go of what drawing and reading hold open, at the end and whenever somebody else has the terminal."""
        super().close()
        if self._key_thread is None or not self._key_thread.is_alive():
            self._waking.close()

    def write(self, data: str) -> None:
        """Write, as long as somebody takes it: a terminal that is lost ends Textual's writing thread."""
        if not self._writes:
            return
        with self._writing:
            if changes := data if self._cells is None else self._changes(self._cells, data):
                super().write(changes)

    def _changes(self, cells: CellWriter, data: str) -> str:
        """What changes the cells; all of it, from now on, where that cannot be found out."""
        try:
            if self._screen_unknown:
                self._screen_unknown = False
                self._measure(cells)
            return cells.feed(data)
        except Exception:  # the border of drawing: what gives the terminal back in the end comes through here, too
            _log.exception("what changes the screen cannot be found out; it is sent whole from now on")
            self._cells = None
            if self._loop.is_running():
                self._loop.call_soon_threadsafe(self._app.refresh)
            return f"\x1b[m{data}"

    def forget_screen(self) -> None:
        """Have all that is drawn from now on sent, whatever the terminal showed before. Called from any thread, and
        from signal handlers."""
        self._screen_unknown = True

    def _get_terminal_size(self) -> tuple[int, int]:
        """What is drawn of the terminal."""
        return at_most(*super()._get_terminal_size())

    def _measure(self, cells: CellWriter) -> None:
        try:
            columns, lines = os.get_terminal_size(self.fileno)
        except OSError:
            columns = lines = 0
        if columns and lines and (columns, lines) == at_most(columns, lines):
            cells.resize(columns, lines, fills=self._background_erase)
        else:  # what Textual takes for its size; it may be larger, and is not to be erased beyond that
            cells.resize(*self._get_terminal_size(), fills=False)

    def process_message(self, message: Message) -> None:
        """Hand on what was read; a terminal that reports another size has moved its lines."""
        if isinstance(message, events.Resize) and self._cells is not None and message.size != self._cells.size:
            self.forget_screen()
        super().process_message(message)

    def _run_input_thread(self) -> None:
        """Textual's own prints what ended it over the screen."""
        self.run_input_thread()

    def run_input_thread(self) -> None:
        """Read; that the terminal is lost is noticed elsewhere."""
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
                    self.exit_event.wait(_LOOKED)  # there is no input any more
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
            # To and fro while nobody read: the terminal has moved its lines, and for the app no size has changed.
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
        """Restore the terminal, then stop all of the shell's job, also a script that started the program."""
        self._stopped = True
        self.suspend_application_mode()
        os.kill(0, signal.SIGTSTP)  # for this process `_asked_to_stop`, which has nothing left to restore

    def _continued(self, number: int, frame: FrameType | None) -> None:
        if (self._drawing or self._stopped) and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._draw_with_modes)

    def _draw_with_modes(self) -> None:
        """Somebody else had the terminal meanwhile, drew on it and set other modes, or has it still."""
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
            # 0: the group cannot be seen from the container that we are in.
            return os.tcgetpgrp(self.fileno) in (os.getpgrp(), 0)
        except OSError:
            return not self._lost  # it has no job control
