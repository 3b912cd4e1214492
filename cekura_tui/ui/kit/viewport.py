"""The part of a list that is on screen, for rows of measured or estimated heights. A position is (row, line within the
row), so that rows on screen stay when an estimate above them is corrected."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

_BLOCK = 128


class EvenHeights:
    """Like `RowHeights`, for rows that all have the same height; no row is measured."""

    def __init__(self, count: int, row_height: int = 1) -> None:
        self.count, self.total = count, count * row_height
        self._row_height = row_height

    def height(self, index: int) -> int:
        return self._row_height

    def is_exact(self, index: int) -> bool:
        return True

    def put(self, index: int, height: int) -> None:
        raise ValueError("rows of one height are not measured")

    def forget(self, index: int) -> None:
        return None

    def top_of(self, index: int) -> int:
        return index * self._row_height

    def position_at(self, line: int) -> tuple[int, int]:
        if not self.count:
            return 0, 0
        return divmod(min(max(line, 0), self.total - 1), self._row_height)


class RowHeights:
    """Heights of rows in lines, estimated until measured; `total` is the sum of all heights. The sum of each block of
    128 rows is cached, so that a query takes a few microseconds for 10,000 rows."""

    def __init__(self, estimates: Iterable[int]) -> None:
        heights = [max(height, 1) for height in estimates]
        self._heights = heights
        self._exact = bytearray(len(heights))
        self._sums = [sum(heights[first : first + _BLOCK]) for first in range(0, len(heights), _BLOCK)]
        self.count, self.total = len(heights), sum(self._sums)

    def height(self, index: int) -> int:
        return self._heights[index]

    def is_exact(self, index: int) -> bool:
        return bool(self._exact[index])

    def put(self, index: int, height: int) -> None:
        """Store the measured height of a row, at least one line."""
        height = max(1, height)
        self._exact[index] = 1
        difference = height - self._heights[index]
        self._heights[index] = height
        self._sums[index // _BLOCK] += difference
        self.total += difference

    def forget(self, index: int) -> None:
        """Treat the height of a changed row as an estimate again."""
        self._exact[index] = 0

    def top_of(self, index: int) -> int:
        """Number of lines above this row; for the index `count`, the number of lines of the whole list."""
        block = index // _BLOCK
        return sum(self._sums[:block]) + sum(self._heights[block * _BLOCK : index])

    def position_at(self, line: int) -> tuple[int, int]:
        """(row, line of the row) at a line of the whole list, clamped to the list; (0, 0) if the list is empty."""
        if not self._heights:
            return 0, 0
        rest = min(max(line, 0), self.total - 1)
        block = 0
        while rest >= self._sums[block]:
            rest -= self._sums[block]
            block += 1
        index = block * _BLOCK
        while rest >= self._heights[index]:
            rest -= self._heights[index]
            index += 1
        return index, rest


Heights = EvenHeights | RowHeights
R = TypeVar("R")

_NEAR = 64


@runtime_checkable
class KeyedRows(Protocol):
    """A sequence that finds rows by key itself, for lists with a fixed `row_height`. Must be equal only to itself."""

    def place_of(self, key: Hashable) -> int | None:
        """Index of the row with this key; None if there is no such row."""


class RowPlaces(Generic[R]):
    def __init__(self, rows: Sequence[R], key_of: Callable[[R], Hashable]) -> None:
        self._rows, self._key_of = rows, key_of
        self._known: dict[Hashable, int] | None = None

    def find(self, key: Hashable, near: int = 0) -> int | None:
        """Index of the row with this key, or None. Looks around `near` first: a map of 100,000 keys takes a frame."""
        rows = self._rows
        if 0 <= near < len(rows) and self._key_of(rows[near]) == key:
            return near
        if isinstance(rows, KeyedRows):
            return rows.place_of(key)
        if self._known is None:
            for index in range(max(near - _NEAR, 0), min(near + _NEAR, len(rows))):
                if self._key_of(rows[index]) == key:
                    return index
            self._known = {self._key_of(row): index for index, row in enumerate(rows)}
        return self._known.get(key)

    def index_now(self, index: int, before: RowPlaces[R], around: int) -> int:
        """Current index of the row at `index` in `before`, else of a place between its remaining neighbours, which are
        the first row and up to `around` rows above and below it. -1 if there are no rows now."""
        last = len(self._rows) - 1
        if last < 0 or not before._rows:
            return min(0, last)
        if (place := self._find_now(index, before)) is not None:
            return place
        above = self._first_remaining(before, [*range(index - 1, max(index - 1 - around, 0), -1), 0])
        below = self._first_remaining(before, range(index + 1, min(index + 1 + around, len(before._rows))))
        shift = above if above is not None else below if below is not None else (0, 0)
        place = index + shift[1] - shift[0]
        if above is not None and below is not None:
            place = min(place, below[1])
        return min(max(place, 0), last)

    def _find_now(self, index: int, before: RowPlaces[R]) -> int | None:
        return self.find(self._key_of(before._rows[index]), near=index)

    def _first_remaining(self, before: RowPlaces[R], indexes: Iterable[int]) -> tuple[int, int] | None:
        """(old index, new index) of the first of these rows that still exists; None if none of the rows exists."""
        found = ((index, self._find_now(index, before)) for index in indexes)
        return next(((index, place) for index, place in found if place is not None), None)


Position = tuple[int, int]


class Viewport:
    """A window of `height` lines over the rows. `measure` gets the index of a row that is shown or scrolled past."""

    def __init__(self, heights: Heights, measure: Callable[[int], int], height: int = 0) -> None:
        self.heights = heights
        self.height = height
        self.top: Position = (0, 0)
        self._measure = measure

    @property
    def y(self) -> int:
        """Index of the window's top line in the whole list, for the scroll bar."""
        index, line = self.top
        return self.heights.top_of(index) + line

    def measured_height(self, index: int) -> int:
        """Height of a row, measured now if it was estimated."""
        if not self.heights.is_exact(index):
            self.heights.put(index, self._measure(index))
        return self.heights.height(index)

    def place(self, index: int, line: int) -> None:
        """Scroll until this line of this row is at the top of the window, or as far as the end of the list allows."""
        count = self.heights.count
        if not count:
            self.top = (0, 0)
            return
        if index >= count:
            index, line = count - 1, self.measured_height(count - 1)
        index = max(index, 0)
        line = min(max(line, 0), self.measured_height(index) - 1)
        below = index
        room = self.height + line
        while room > 0 and below < count:
            room -= self.measured_height(below)
            below += 1
        self.top = self._position_above(index, line, room) if room > 0 else (index, line)

    def hold(self, index: int, line: int, at: int) -> None:
        """Scroll until this line of this row is at line `at` of the window, or as far as the ends of the list allow."""
        if self.heights.count:
            self.place(*self._position_above(index, min(line, self.measured_height(index) - 1), at))
        else:
            self.top = (0, 0)

    def scroll(self, lines: int) -> None:
        """Scroll by lines, up if negative. Use it for short distances, because all rows passed are measured."""
        index, line = self.top
        last = self.heights.count - 1
        if lines < 0:
            self.place(*self._position_above(index, line, -lines))
            return
        line += lines
        while index < last and line >= self.measured_height(index):
            line -= self.measured_height(index)
            index += 1
        self.place(index, line)

    def jump(self, y: int) -> None:
        """Scroll to a line of the whole list by estimated heights; a line of the last screen scrolls to the end."""
        if y >= self.heights.total - self.height:
            self.place(self.heights.count, 0)
        else:
            self.place(*self.heights.position_at(y))

    def reveal(self, index: int, *, bottom: bool = False) -> None:
        """Scroll as little as possible to show a row, or the top (with `bottom`, the end) of a tall one."""
        height = self.measured_height(index)
        if height > self.height:
            self.place(*((index, height - self.height) if bottom else (index, 0)))
        elif (index, 0) < self.top:
            self.place(index, 0)
        elif (lowest := self._position_above(index, 0, self.height - height)) > self.top:
            self.place(*lowest)

    def lines(self) -> list[Position]:
        """Position of each line on screen, from top to bottom."""
        index, line = self.top
        shown: list[Position] = []
        while len(shown) < self.height and index < self.heights.count:
            take = min(self.measured_height(index) - line, self.height - len(shown))
            shown.extend((index, line + offset) for offset in range(take))
            index, line = index + 1, 0
        return shown

    def shows(self, index: int) -> bool:
        return any(shown == index for shown, _ in self.lines())

    def walk(self, index: int, rows: int) -> int:
        """Move the cursor from row `index` by `rows`, up if negative, and return its new row. A row that is taller than
        the window is scrolled line by line before the cursor leaves the row."""
        step = 1 if rows > 0 else -1
        for _ in range(abs(rows)):
            if self._has_more(index, step):
                self.scroll(step)
            else:
                index = min(max(index + step, 0), self.heights.count - 1)
                self.reveal(index, bottom=step < 0)
        return index

    def page(self, index: int, pages: float) -> int:
        """Scroll by `pages` windows, up if negative, with one line of overlap; return the new row of the cursor, now on
        row `index`. The cursor keeps its line of the window unless the list ends sooner."""
        if not self.shows(index):
            self.reveal(index)
        top, line = self.top
        at = max(self.heights.top_of(index) - self.y, 0)
        lines = int(self.height * pages) + (-1 if pages > 0 else 1) or 1
        self.scroll(lines)
        scrolled = self.y - self.heights.top_of(top) - line
        shown, target = self.lines(), at + lines - scrolled
        if 0 <= target < len(shown):
            return shown[target][0]
        return self.heights.count - 1 if lines > 0 else 0

    def _has_more(self, index: int, step: int) -> bool:
        """Whether this row is on screen, is taller than the window, and continues below the window. If `step` is
        negative, the row must continue above the window instead."""
        height = self.measured_height(index) if index >= 0 else 0
        above = self.y - self.heights.top_of(index) if height > self.height else height
        return -self.height < above < height and (above + self.height < height if step > 0 else above > 0)

    def _position_above(self, index: int, line: int, lines: int) -> Position:
        """The position `lines` lines above a line, (0, 0) if there are fewer. All rows passed are measured."""
        line -= lines
        while line < 0 and index > 0:
            index -= 1
            line += self.measured_height(index)
        return index, max(line, 0)
