"""Lists of made-up rows that count how many lines are drawn and how many rows are read."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
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
    """Rows of these ids."""
    return [Row(n, f"run {n}", height) for n in ids]


class Even(VirtualList[Row]):
    """Rows of one line that can be marked; `painted` are the lines of the screen in the order they were drawn."""

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
    """Rows of differing heights."""

    row_height = None


def listed(
    shown: Even, first: Sequence[Row], *, size: tuple[int, int] = SIZE, css: str = ""
) -> AbstractAsyncContextManager[tuple[WidgetApp[Even], Pilot[None]]]:
    """The list alone in an app, with these rows."""
    return widget_app(shown, lambda one: one.show_rows(first), size=size, css=css, paint=True)


def screen(shown: VirtualList[Any]) -> list[str]:
    """The lines of a list as they are now."""
    return [line.strip() for line in one_widget.screen(shown)]


class Lazy(Sequence[Row]):
    """Rows with the ids `first`, `first + 1`, …, made when they are read; `looks` counts the reads."""

    def __init__(self, first: int, count: int) -> None:
        self.first, self.count, self.looks = first, count, 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        if not 0 <= index < self.count:
            raise IndexError(index)
        return rows(self.first + index)[0]

    def place_of(self, key: Hashable) -> int | None:
        """The index of an id."""
        index = key - self.first if isinstance(key, int) else -1
        return index if 0 <= index < self.count else None
