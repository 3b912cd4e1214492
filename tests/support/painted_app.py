"""An app of a pilot that really paints: what its terminal would show, cell by cell, without a pseudo-terminal."""

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
    """Feeds a terminal emulator with all that the app writes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        assert self._size is not None
        self.screen = pyte.Screen(*self._size)
        self._stream = pyte.Stream(self.screen)

    @property
    def is_headless(self) -> bool:
        """Textual sends a headless driver nothing."""
        return False

    def write(self, data: str) -> None:
        """Paint it."""
        if "\x1b]" not in data:  # a title
            self._stream.feed(data)


@asynccontextmanager
async def painted(app: App[Any], size: tuple[int, int]) -> AsyncIterator[Pilot[Any]]:
    """The app on a terminal of so many cells."""
    app.driver_class = PaintingDriver
    # Rich keeps what it once made of a style, for whichever console comes next in this process.
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
    """Another size of the terminal, which is empty then: what is on it afterwards was sent afterwards."""
    screen = _driver(pilot).screen
    screen.resize(lines, columns)
    screen.reset()
    await pilot.resize_terminal(columns, lines)


def cells(pilot: Pilot[Any]) -> Cells:
    """What the terminal shows."""
    screen = _driver(pilot).screen
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def text(pilot: Pilot[Any]) -> str:
    """What the terminal shows, as text."""
    return "\n".join(_driver(pilot).screen.display)
