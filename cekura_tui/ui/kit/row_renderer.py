"""Rows as lines of a terminal: each is made once for each of its states, and only lines that differ are painted."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from rich.style import Style
from textual.cache import FIFOCache
from textual.geometry import Region
from textual.strip import Strip

from cekura_tui.ui.kit.strips import Line, RowState, strips_of

R = TypeVar("R")

_CACHED_ROWS = 1024


class DrawnLine(NamedTuple, Generic[R]):
    """What a line of the screen shows: a line of a row in a state, selected from one cell to before another."""

    row: R
    line: int
    state: RowState
    selected: tuple[int, int] | None


class RowRenderer(Generic[R]):
    """Makes and caches the strips of rows, `width` cells each, `height` of a row where all rows have the same."""

    def __init__(
        self,
        key_of: Callable[[R], Hashable],
        lines_of: Callable[[R, int, RowState], Sequence[Line]],
        base_of: Callable[[RowState], Style],
        height: int | None = None,
    ) -> None:
        self.width = 0
        self._key_of, self._lines_of, self._base_of, self._height = key_of, lines_of, base_of, height
        self._cached: FIFOCache[tuple[Hashable, RowState], tuple[R, list[Strip]]] = FIFOCache(_CACHED_ROWS)
        self._bases: dict[tuple[bool, ...], Style] = {}

    def clear(self) -> None:
        """Make all strips again: something that `lines_of` depends on besides the row has changed."""
        self._cached.clear()

    def clear_styles(self) -> None:
        """Make all strips again, in other styles."""
        self._cached.clear()
        self._bases.clear()

    def strips(self, row: R, state: RowState) -> list[Strip]:
        """A row's lines as they are painted."""
        place = (self._key_of(row), state)
        if (cached := self._cached.get(place)) is None or (cached[0] is not row and cached[0] != row):
            lines = self._lines_of(row, self.width, state)
            cached = row, strips_of(lines, self.width, self._base(state), self._height)
            self._cached[place] = cached
        return cached[1]

    def changes(self, before: Sequence[DrawnLine[R]], after: Sequence[DrawnLine[R]]) -> list[Region]:
        """The lines of the screen to repaint; the terminal is sent the cells of them that differ."""
        lines = range(max(len(before), len(after)))
        return [Region(0, y, self.width, 1) for y in lines if before[y : y + 1] != after[y : y + 1]]

    def _base(self, state: RowState) -> Style:
        """The style beneath a row's segments."""
        whole = (state.cursor, state.focused, state.marked)
        if (base := self._bases.get(whole)) is None:
            base = self._bases[whole] = self._base_of(state)
        return base
