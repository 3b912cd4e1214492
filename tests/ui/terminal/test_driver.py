"""After failures the driver still delivers output and leaves no file open; terminal sizes are capped."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from textual.app import App

from cekura_tui.ui.terminal.cell_writer import CellWriter
from cekura_tui.ui.terminal.cells import MAX_SIZE
from cekura_tui.ui.terminal.driver import TerminalDriver, _WakeEvent

FRAME = "\x1b[?2026h\x1b[1;1H\x1b[1mruns\x1b[0m\x1b[1;1H\x1b[?2026l"
EXIT_ALTERNATE_SCREEN = "\x1b[?1049l"
_PIPE_SIZE = 1 << 16
"""Bytes that a pipe holds before a write blocks."""


@pytest.fixture(autouse=True)
def empty_input_and_signal_handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use empty input, and restore the signal handlers that a driver sets."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "__stdin__", nothing)
        yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def wake_event() -> Iterator[_WakeEvent]:
    """A wake event with an open pipe."""
    wake_event = _WakeEvent()
    wake_event.open()
    yield wake_event
    wake_event.close()


@pytest.fixture
def app() -> Mock:
    return Mock(spec=App)


@pytest.fixture
def written() -> list[str]:
    """A list that receives the output that the driver passes to its writer thread."""
    return []


@pytest.fixture
async def driver(app: Mock, written: list[str]) -> AsyncIterator[Any]:
    driver: Any = TerminalDriver(app)
    driver._writer_thread = Mock(write=written.append)
    yield driver
    driver.close()


async def test_after_an_exception_in_the_cell_writer_whole_frames_are_sent(
    driver: Any, app: Mock, written: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: CellWriter, data: str) -> str:
        raise IndexError("no such line")

    driver.write(FRAME)
    monkeypatch.setattr(CellWriter, "feed", broken)
    for data in (FRAME, FRAME, EXIT_ALTERNATE_SCREEN):
        driver.write(data)
    await asyncio.sleep(0)
    assert written[1:] == [f"\x1b[m{FRAME}", FRAME, EXIT_ALTERNATE_SCREEN]
    app.refresh.assert_called_once_with()
    assert [record.exc_info is not None for record in caplog.records if record.name == "cekura_tui.ui"] == [True]


def test_setting_the_wake_event_never_blocks_on_a_full_pipe(wake_event: _WakeEvent) -> None:
    ending = threading.Thread(target=lambda: [wake_event.set() for _ in range(_PIPE_SIZE + 1)], daemon=True)
    ending.start()
    ending.join(20)
    assert not ending.is_alive()


def test_closed_wake_event_leaves_no_file_open(wake_event: _WakeEvent) -> None:
    for _ in range(3):
        wake_event.open()
        wake_event.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(wake_event.read_end)
    wake_event.set()  # has no effect on a closed event


@pytest.mark.parametrize("reported", [(65_535, 65_535), (80, 65_535)])
async def test_terminal_size_is_capped_at_the_largest_window(
    app: Mock, monkeypatch: pytest.MonkeyPatch, reported: tuple[int, int]
) -> None:
    for module in (os, shutil):  # for the driver and for Textual
        monkeypatch.setattr(module, "get_terminal_size", lambda *_: os.terminal_size(reported))
    driver: Any = TerminalDriver(app)
    driver._writer_thread = Mock()
    driver.write(FRAME)
    assert driver._size == driver._cells.size == (min(reported[0], MAX_SIZE.width), MAX_SIZE.height)
    driver.close()


async def test_closed_driver_leaves_no_file_open(driver: Any) -> None:
    driver.exit_event.open()
    driver.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(driver.exit_event.read_end)
