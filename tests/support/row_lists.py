"""Lists of made-up rows that record drawn lines, and lazy rows that count how many rows are made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import one_widget
from one_widget import WidgetApp, widget_app
from rich.segment import Segment
from textual.pilot import Pilot
from textual.strip import Strip

from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList

SIZE = (40, 10)


@dataclass(frozen=True)
class Row:
    """A row of `height` lines."""

    id: int
    text: str = ""
    height: int = 1


def rows(*ids: int, height: int = 1) -> list[Row]:
    return [Row(n, f"run {n}", height) for n in ids]


class Even(VirtualList[Row]):
    """A list of one-line rows that can be marked; `painted` has the drawn screen lines in order."""

    BINDINGS = [("space", "toggle_mark", "Mark"), ("V", "mark_range", "Mark up to here")]  # noqa: RUF012 - Textual's way
    marking = True

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[int] = []

    def key_of(self, row: Row) -> Hashable:
        return row.id

    def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
        mark = "●" if state.marked else " "
        return [[Segment(f"{mark} {row.text} {line}")] for line in range(row.height)]

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


class Uneven(Even):
    """A list of rows of different heights."""

    row_height = None


def listed(
    shown: Even, first: Sequence[Row], *, size: tuple[int, int] = SIZE, css: str = ""
) -> AbstractAsyncContextManager[tuple[WidgetApp[Even], Pilot[None]]]:
    """Open an app that shows only this list with these rows."""
    return widget_app(shown, lambda one: one.show_rows(first), size=size, css=css, paint=True)


async def show(pilot: Pilot[None], shown: VirtualList[Any], rows: Sequence[Any], **how: bool) -> None:
    """Show these rows and wait until they are drawn."""
    shown.show_rows(rows, **how)
    await pilot.pause()


def screen(shown: VirtualList[Any]) -> list[str]:
    """Rendered lines of a list, stripped."""
    return [line.strip() for line in one_widget.screen(shown)]


class PlacedRows(Sequence[Any]):
    """A sequence that makes a row when it is read, and can look up the index of a key; `reads` counts the rows made.
    Iterating fails, because there may be a million rows."""

    def __init__(self, keys: Sequence[Any], row_of: Callable[[Any], Any] = lambda key: rows(key)[0]) -> None:
        self._keys, self._row_of = keys, row_of
        self.reads = 0

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: Any) -> Any:
        self.reads += 1
        if not 0 <= index < len(self._keys):
            raise IndexError(index)
        return self._row_of(self._keys[index])

    def __iter__(self) -> Any:
        raise AssertionError("these rows are never gone through")

    def place_of(self, key: Hashable) -> int | None:
        """Index of the row with this key; None if no row has the key."""
        return self._keys.index(key) if key in self._keys else None


def lazy(first: int, count: int) -> PlacedRows:
    """Lazily made rows with consecutive ids."""
    return PlacedRows(range(first, first + count))
