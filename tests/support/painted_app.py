"""The terminal screen of a pilot's app, cell by cell, without a pseudo-terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pyte
from rich.console import Console
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

Cells = list[list[pyte.screens.Char]]


class PaintingDriver(HeadlessDriver):
    """A driver that feeds the output of the app to a terminal emulator."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        assert self._size is not None
        self.screen = pyte.Screen(*self._size)
        self._stream = pyte.Stream(self.screen)

    @property
    def is_headless(self) -> bool:
        """False, because Textual sends no output to a headless driver."""
        return False

    def write(self, data: str) -> None:
        if "\x1b]" not in data:  # not a window title
            self._stream.feed(data)


@asynccontextmanager
async def painted(app: App[Any], size: tuple[int, int]) -> AsyncIterator[Pilot[Any]]:
    """Run the app on an emulated terminal of `size` (columns, lines)."""
    app.driver_class = PaintingDriver
    # Rich caches each style's escape codes for all consoles of the process, so they need the same colour system.
    app.console = Console(
        file=app.console.file,
        color_system="truecolor",
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    async with app.run_test(headless=False, size=size, notifications=True) as pilot:
        yield pilot


def _driver(pilot: Pilot[Any]) -> PaintingDriver:
    driver = pilot.app._driver
    assert isinstance(driver, PaintingDriver)
    return driver


async def resize(pilot: Pilot[Any], columns: int, lines: int) -> None:
    """Resize and clear the terminal, which then shows only the app's later output."""
    screen = _driver(pilot).screen
    screen.resize(lines, columns)
    screen.reset()
    await pilot.resize_terminal(columns, lines)


def cells(pilot: Pilot[Any]) -> Cells:
    """Cells of the terminal, line by line."""
    screen = _driver(pilot).screen
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def text(pilot: Pilot[Any]) -> str:
    return "\n".join(_driver(pilot).screen.display)
