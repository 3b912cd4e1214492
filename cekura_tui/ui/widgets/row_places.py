"""Where the row of a key is, in rows that lie in memory and in rows that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

R = TypeVar("R")

_NEAR = 64


@runtime_checkable
class Placed(Protocol):
    """Rows that know where their keys are: they are never gone through, and need one `row_height`. What has changed is
    another object, equal to itself alone."""

    def place_of(self, key: Hashable) -> int | None:
        """The index of the row with this key, or None."""


class RowPlaces(Generic[R]):
    """The places of all keys of some rows."""

    def __init__(self, rows: Sequence[R], key_of: Callable[[R], Hashable]) -> None:
        self._rows = rows
        self._key_of = key_of
        self._known: dict[Hashable, int] | None = None

    def find(self, key: Hashable, near: int = 0) -> int | None:
        """The index of a key: sought at `near` first, for what is there has not moved even if a server tells it twice,
        then around it, for a map of 100,000 keys takes longer than a frame."""
        rows = self._rows
        if 0 <= near < len(rows) and self._key_of(rows[near]) == key:
            return near
        if isinstance(rows, Placed):
            return rows.place_of(key)
        if self._known is None:
            for index in range(max(near - _NEAR, 0), min(near + _NEAR, len(rows))):
                if self._key_of(rows[index]) == key:
                    return index
            self._known = {self._key_of(row): index for index, row in enumerate(rows)}
        return self._known.get(key)

    def place_now(self, index: int, before: RowPlaces[R], around: int) -> int:
        """Where the row is that was at `index` of the rows before, or if it is gone, what is in its place among the
        nearest rows that are still there: of `around` rows above and below, and the first one."""
        last = len(self._rows) - 1
        if last < 0 or not before._rows:
            return min(0, last)
        if (place := self._find_again(index, before)) is not None:
            return place
        above = self._first_left(before, [*range(index - 1, max(index - 1 - around, 0), -1), 0])
        below = self._first_left(before, range(index + 1, min(index + 1 + around, len(before._rows))))
        shift = above if above is not None else below if below is not None else (0, 0)
        place = index + shift[1] - shift[0]
        if above is not None and below is not None:
            place = min(place, below[1])
        return min(max(place, 0), last)

    def _find_again(self, index: int, before: RowPlaces[R]) -> int | None:
        return self.find(self._key_of(before._rows[index]), near=index)

    def _first_left(self, before: RowPlaces[R], indexes: Iterable[int]) -> tuple[int, int] | None:
        """The first of these rows that is still there: where it was, and where it is."""
        found = ((index, self._find_again(index, before)) for index in indexes)
        return next(((index, place) for index, place in found if place is not None), None)
