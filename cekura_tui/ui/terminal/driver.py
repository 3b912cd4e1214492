"""Textual's terminal driver, extended for a terminal that closes, or that another program uses for a while."""

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
from cekura_tui.ui.terminal.cells import cap_size
from cekura_tui.ui.terminal.input_parser import InputParser

_log = logging.getLogger("cekura_tui.ui")

_READ_SIZE = 1 << 16


def has_job_control() -> bool:
    """Whether a shell can suspend and resume the program. False under `ssh host cekura-tui`, as the command of a tmux
    window, and in a script, because the kernel ignores ctrl+z in these cases."""
    session, parent = os.getsid(0), os.getppid()
    try:
        return os.getpgrp() != session and parent > 0 and os.getsid(parent) == session
    except OSError:
        return False  # the parent has just ended, or belongs to another user


class _WakeEvent(threading.Event):
    """Replaces Textual's exit event. Setting the event writes to a pipe, whose `read_end` the input thread watches."""

    def __init__(self) -> None:
        super().__init__()
        self.read_end = self._write_end = -1
        self._open = False

    def open(self) -> None:
        if not self._open:
            self.read_end, self._write_end = os.pipe()
            os.set_blocking(self._write_end, False)
            self._open = True

    def set(self) -> None:
        super().set()
        if self._open:
            with suppress(BlockingIOError):  # the pipe is full
                os.write(self._write_end, b".")

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._write_end)
            os.close(self.read_end)


class TerminalDriver(LinuxDriver):
    """Draws on `terminal` while the program has it, sending only changed cells unless `whole_frames`.
    `background_erase`: erasing takes the current background; `escape_delay`: seconds before an escape byte counts as
    esc. Handles SIGCONT, which the kernel also sends with SIGHUP: Textual would draw twice and lose the modes."""

    def __init__(
        self,
        *args: Any,
        terminal: Any = None,
        whole_frames: bool = False,
        background_erase: bool = False,
        escape_delay: float = ESCAPE_DELAY,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._file = terminal or self._file
        self._size = self._size or self._get_terminal_size()
        self._escape_delay = escape_delay
        self._background_erase = background_erase
        self._cells = None if whole_frames else CellWriter(1, 1, bce=False)
        self._is_screen_unknown = True
        self._write_lock = threading.Lock()  # the input thread writes, too
        self.exit_event = self._wake_event = _WakeEvent()
        self._original_modes: list[Any] | None = None
        self._drawing = self._stopped = False
        signal.signal(signal.SIGTSTP, self._on_sigtstp)
        signal.signal(signal.SIGCONT, self._on_sigcont)

    def start_application_mode(self) -> None:
        """Start drawing, unless the terminal is closed; keep the terminal's original modes, to restore at the end."""
        if self._is_lost:
            return
        if self._cells is not None:
            self._cells = CellWriter(1, 1, bce=False)
        self.forget_screen()
        self._wake_event.open()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._drawing = self._can_write
        if not self._drawing:
            # Started in the background: Textual stopped the process, and does not draw after it continues.
            self._stopped = True
            self._loop.call_soon(self._resume_drawing)
            return
        self._original_modes = self._original_modes or self.attrs_before
        self.attrs_before = self._original_modes
        self._textual_sigwinch = signal.getsignal(signal.SIGWINCH)
        signal.signal(signal.SIGWINCH, self._on_sigwinch)

    def stop_application_mode(self) -> None:
        """Stop drawing. In the background, the modes are not restored, because setting modes would stop the process."""
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
            self._wake_event.close()

    def write(self, data: str) -> None:
        """Write `data` reduced to changed cells, unless the terminal closed, when Textual's writer thread has ended."""
        if not self._can_write:
            return
        with self._write_lock:
            if changes := data if self._cells is None else self._changes(self._cells, data):
                super().write(changes)

    def _changes(self, cells: CellWriter, data: str) -> str:
        """Reduce output to changed cells; after an exception, pass all output through from now on."""
        try:
            if self._is_screen_unknown:
                self._is_screen_unknown = False
                self._measure(cells)
            return cells.feed(data)
        except Exception:  # must never fail: restoring the terminal writes here, too
            _log.exception("cannot compute what changed on the screen; all output is sent whole from now on")
            self._cells = None
            if self._loop.is_running():
                self._loop.call_soon_threadsafe(self._app.refresh)
            return f"\x1b[m{data}"

    def forget_screen(self) -> None:
        """Treat all cells as unknown, so that each is sent when drawn next. Safe in threads and signal handlers."""
        self._is_screen_unknown = True

    def _reported_size(self) -> tuple[int, int]:
        try:
            return os.get_terminal_size(self.fileno)
        except OSError:
            return 0, 0

    def _get_terminal_size(self) -> tuple[int, int]:
        reported = self._reported_size()  # else Textual's, from COLUMNS and LINES, which do not follow a resize
        return cap_size(*(reported if all(reported) else super()._get_terminal_size()))

    def _measure(self, cells: CellWriter) -> None:
        columns, lines = self._reported_size()
        if columns and lines and (columns, lines) == cap_size(columns, lines):
            cells.resize(columns, lines, bce=self._background_erase)
        else:  # if it is larger than Textual's size, the rest must not be erased
            cells.resize(*self._get_terminal_size(), bce=False)

    def process_message(self, message: Message) -> None:
        """Pass a message on to the app; after a resize reported by the terminal, treat all cells as unknown."""
        if isinstance(message, events.Resize) and self._cells is not None and message.size != self._cells.size:
            self.forget_screen()
        super().process_message(message)

    def _run_input_thread(self) -> None:
        # Textual's version would print the traceback over the screen.
        try:
            self._read()
        except OSError:
            if not self._is_lost:
                raise

    def _read(self) -> None:
        parser = InputParser(self._escape_delay)
        deadline: float | None = None
        while not self.exit_event.is_set():
            timeout = 60.0 if deadline is None else max(deadline - time.monotonic(), 0.0)
            readable = select.select([self.fileno, self._wake_event.read_end], [], [], timeout)[0]
            if self._wake_event.read_end in readable:
                os.read(self._wake_event.read_end, _READ_SIZE)
            if self.fileno in readable:
                if not (data := os.read(self.fileno, _READ_SIZE)):
                    self.exit_event.wait(0.1)  # the input has ended
                    continue
                messages = parser.feed(data)
            elif deadline is not None and time.monotonic() >= deadline:
                messages = parser.feed_timeout()
            else:
                continue
            for message in messages:
                self.process_message(message)
            deadline = None if parser.timeout is None else time.monotonic() + parser.timeout

    def _on_sigwinch(self, number: int, frame: FrameType | None) -> None:
        self.forget_screen()
        if callable(self._textual_sigwinch):
            self._textual_sigwinch(number, frame)
        if self._loop.is_running():
            # The terminal may have moved lines even if its size is unchanged by the time the app reads it.
            self._loop.call_soon_threadsafe(self._app.refresh)

    def _on_sigtstp(self, number: int, frame: FrameType | None) -> None:
        if self._drawing and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stop_process)
        else:
            os.kill(os.getpid(), signal.SIGSTOP)  # an editor has the terminal

    def _stop_process(self) -> None:
        self._stopped = True
        self.suspend_application_mode()
        os.kill(os.getpid(), signal.SIGSTOP)

    def suspend_job(self) -> None:
        """Restore the terminal, then stop the process group, which may include a script that started the program."""
        self._stopped = True
        self.suspend_application_mode()
        os.kill(0, signal.SIGTSTP)

    def _on_sigcont(self, number: int, frame: FrameType | None) -> None:
        if (self._drawing or self._stopped) and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._restart_drawing)

    def _restart_drawing(self) -> None:
        """Draw again, and set the terminal's modes again, because another program may have changed them."""
        if self._drawing and self._app.is_running and not self._is_lost:
            self._stopped = True
            self.suspend_application_mode()
        self._resume_drawing()

    def _resume_drawing(self) -> None:
        if not self._stopped or not self._app.is_running or self._is_lost:
            return
        if self._in_foreground:
            self._stopped = False
            self.resume_application_mode()
            self._app.refresh(layout=True)
        else:
            self._loop.call_later(0.5, self._resume_drawing)  # until the shell puts the program in front

    @property
    def _can_write(self) -> bool:
        return self._writer_thread is not None and self._writer_thread.is_alive()

    @property
    def _is_lost(self) -> bool:
        return not os.isatty(self.fileno)

    @property
    def _in_foreground(self) -> bool:
        try:
            # 0: the foreground group is outside this container.
            return os.tcgetpgrp(self.fileno) in (os.getpgrp(), 0)
        except OSError:
            return not self._is_lost  # a terminal without job control
