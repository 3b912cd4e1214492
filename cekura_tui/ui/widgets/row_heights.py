"""How high the rows of a list are, and which row lies at which line: exact where measured, estimated elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Heights(Protocol):
    """The heights of all rows in lines; every question is answered in O(log n) or better."""

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
    """Rows of differing heights in a Fenwick tree, which begins with estimates."""

    def __init__(self, estimates: Iterable[int]) -> None:
        self._heights = [max(1, height) for height in estimates]
        self._exact = bytearray(len(self._heights))
        self._tree = [0, *self._heights]
        size = len(self._tree)
        for node in range(1, size):
            above = node + (node & -node)
            if above < size:
                self._tree[above] += self._tree[node]
        self._total = sum(self._heights)
        self._top_bit = 1 << (size - 1).bit_length() >> 1 if size > 1 else 0

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
        if not difference:
            return
        self._heights[index] = height
        self._total += difference
        node = index + 1
        while node < len(self._tree):
            self._tree[node] += difference
            node += node & -node

    def forget(self, index: int) -> None:
        self._exact[index] = 0

    def top_of(self, index: int) -> int:
        lines = 0
        node = index
        while node:
            lines += self._tree[node]
            node &= node - 1
        return lines

    def at(self, line: int) -> tuple[int, int]:
        if not self._heights:
            return 0, 0
        rest = min(max(line, 0), self._total - 1)
        node = 0
        bit = self._top_bit
        while bit:
            ahead = node + bit
            if ahead < len(self._tree) and self._tree[ahead] <= rest:
                rest -= self._tree[ahead]
                node = ahead
            bit >>= 1
        return node, rest
