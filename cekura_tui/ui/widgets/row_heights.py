"""How high the rows of a list are, and which row lies at which line: exact where measured, estimated elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

_TOGETHER = 128


class Heights(Protocol):
    """The heights of all rows in lines; every question is answered in a few microseconds, however many there are."""

    @property
    def count(self) -> int: ...

    @property
    def total(self) -> int:
        """Lines of all rows together."""

    def height(self, index: int) -> int: ...

    def is_exact(self, index: int) -> bool: ...

    def put(self, index: int, height: int) -> None:
        """The measured height of one row, at least one line."""

    def forget(self, index: int) -> None:
        """The row changed: its height counts as an estimate until it is measured again."""

    def top_of(self, index: int) -> int:
        """Lines above this row; for `count` it is the total."""

    def at(self, line: int) -> tuple[int, int]:
        """(row, line within it) of a line, clamped into the list; (0, 0) when there are no rows."""


class EvenHeights:
    """Rows of one height: nothing to measure, and nothing to pay for 100,000 of them."""

    def __init__(self, count: int, row_height: int = 1) -> None:
        self._count = count
        self._row_height = row_height

    @property
    def count(self) -> int:
        return self._count

    @property
    def total(self) -> int:
        return self._count * self._row_height

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

    def at(self, line: int) -> tuple[int, int]:
        if not self._count:
            return 0, 0
        return divmod(min(max(line, 0), self.total - 1), self._row_height)


class RowHeights:
    """Rows of differing heights, which begin with estimates: 10,000 of them are taken on within a millisecond.

    The lines of each 128 rows are summed up, so that a question goes through so many rows and so many sums at most.
    """

    def __init__(self, estimates: Iterable[int]) -> None:
        heights = [height if height > 0 else 1 for height in estimates]
        self._heights = heights
        self._exact = bytearray(len(heights))
        self._sums = [sum(heights[first : first + _TOGETHER]) for first in range(0, len(heights), _TOGETHER)]
        self._total = sum(self._sums)

    @property
    def count(self) -> int:
        return len(self._heights)

    @property
    def total(self) -> int:
        return self._total

    def height(self, index: int) -> int:
        return self._heights[index]

    def is_exact(self, index: int) -> bool:
        return bool(self._exact[index])

    def put(self, index: int, height: int) -> None:
        height = max(1, height)
        self._exact[index] = 1
        difference = height - self._heights[index]
        self._heights[index] = height
        self._sums[index // _TOGETHER] += difference
        self._total += difference

    def forget(self, index: int) -> None:
        self._exact[index] = 0

    def top_of(self, index: int) -> int:
        block = index // _TOGETHER
        return sum(self._sums[:block]) + sum(self._heights[block * _TOGETHER : index])

    def at(self, line: int) -> tuple[int, int]:
        if not self._heights:
            return 0, 0
        rest = min(max(line, 0), self._total - 1)
        block = 0
        while rest >= self._sums[block]:
            rest -= self._sums[block]
            block += 1
        index = block * _TOGETHER
        while rest >= self._heights[index]:
            rest -= self._heights[index]
            index += 1
        return index, rest
