"""The cached strips, the marks and the selected text of a list, stored by row key so that they move with their rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from rich.style import Style
from textual.cache import FIFOCache
from textual.strip import Strip

from cekura_tui.ui.kit.strips import Line, RowState, strips_of

R = TypeVar("R")

_CACHED_ROWS = 1024
_IndexOf = Callable[[Hashable], int | None]
_KeyAt = Callable[[int], Hashable | None]


class RowRenderer(Generic[R]):
    """Makes and caches the strips of rows, `width` cells wide; `height` is the strips per row, None if it varies."""

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
        """Drop all cached strips, after a change that may affect every row."""
        self._cached.clear()

    def clear_styles(self) -> None:
        self._cached.clear()
        self._bases.clear()

    def strips(self, row: R, state: RowState) -> list[Strip]:
        place = (self._key_of(row), state)
        if (cached := self._cached.get(place)) is None or (cached[0] is not row and cached[0] != row):
            lines = self._lines_of(row, self.width, state)
            cached = row, strips_of(lines, self.width, self._base(state), self._height)
            self._cached[place] = cached
        return cached[1]

    def _base(self, state: RowState) -> Style:
        whole = (state.cursor, state.focused, state.marked)
        if (base := self._bases.get(whole)) is None:
            base = self._bases[whole] = self._base_of(state)
        return base


class Spot(NamedTuple):
    """A character of a row: the row's key, the line within the row, and the cells from `start` to `end` (exclusive)."""

    key: Hashable
    line: int
    start: int
    end: int


class RowSelection:
    def __init__(self) -> None:
        self.pressed: Spot | None = None
        """The character on which the mouse button was pressed; None after the button's release."""
        self.ends: tuple[Spot, Spot] | None = None
        """The characters where the selection began and the pointer was last, in any order; None without selection."""
        self.bounds: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None
        """(row index, line, cell) of the first selected cell and of the cell after the last; None without any."""
        self.spans_rows = False
        """Whether the last press selected text of more than one row."""

    def extend(self, spot: Spot) -> bool:
        """Select from the pressed character to `spot`. False if nothing is pressed or the pointer has not moved yet."""
        if self.pressed is None or (self.ends is None and spot == self.pressed):
            return False
        self.spans_rows = self.spans_rows or spot.key != self.pressed.key
        self.ends = self.pressed, spot
        return True

    def locate(self, index_of: _IndexOf) -> bool:
        """Find the bounds among the current rows. If the row of an end is gone, drop the selection and return False."""
        self.bounds = None
        if self.ends is None:
            return True
        found = [(index_of(spot.key), spot) for spot in self.ends]
        places = [(index, spot.line, spot.start, spot.end) for index, spot in found if index is not None]
        if len(places) < len(found):
            self.ends = None
            return False
        (first, line, start, _), (last, last_line, _, end) = min(places), max(places)
        self.bounds = (first, line, start), (last, last_line, end)
        return True

    def cells(self, index: int, line: int, width: int) -> tuple[int, int] | None:
        """(start, end) of the selected cells in a line, end exclusive; None if no cell of the line is selected."""
        if self.bounds is None:
            return None
        (first, first_line, start), (last, last_line, end) = self.bounds
        if not (first, first_line) <= (index, line) <= (last, last_line):
            return None
        at_start, at_end = (index, line) == (first, first_line), (index, line) == (last, last_line)
        return start if at_start else 0, end if at_end else width


class RowMarks:
    def __init__(self) -> None:
        self.keys: frozenset[Hashable] = frozenset()
        self.last: Hashable | None = None
        """Key of the row that was marked or unmarked last, where a range begins."""

    def toggle_range(self, cursor: int, index_of: _IndexOf, key_at: _KeyAt, limit: int) -> int | None:
        """Mark the rows from `last` to the cursor, at most `limit`, or unmark them if all are marked. Returns how many
        rows were skipped, by the limit or because `key_at` returned None; None if all rows were."""
        found = None if self.last is None else index_of(self.last)
        first = cursor if found is None else found
        down, up = range(first, min(cursor + 1, first + limit)), range(max(cursor, first - limit + 1), first + 1)
        keys = {key for key in map(key_at, down or up) if key is not None}
        if not keys:
            return None
        if found is None:
            self.last = key_at(cursor)
        self.keys = self.keys - keys if self.keys >= keys else self.keys | keys
        return abs(cursor - first) + 1 - len(keys)
