"""Columns that fit a width: the dispensable ones are left out first, then the room that is left is given out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Cells = tuple[tuple[str, int], ...]
"""Names and cells of the columns that are seen, each followed by one cell of space."""


class FitColumn(NamedTuple):
    """A column of at least `least` cells.

    `grows` are (turn, cells): in that turn it takes the room that is left, up to so many cells. `leaves` is its place
    among the columns that are left out where there is no room for all; 0 always stays.
    """

    name: str
    least: int
    grows: tuple[tuple[int, int], ...] = ()
    leaves: int = 0


def fit_columns(columns: Iterable[FitColumn], room: int) -> Cells:
    """The columns that are seen in `room` cells, at least one of them."""
    kept = list(columns)
    for column in sorted((one for one in kept if one.leaves), key=lambda one: one.leaves):
        if _needed(kept) > room and len(kept) > 1:
            kept.remove(column)
    rest = max(room - _needed(kept), 0)
    cells = {one.name: one.least for one in kept}
    turns = [(turn, most, one.name) for one in kept for turn, most in one.grows]
    for _, most, name in sorted(turns, key=lambda one: one[0]):
        more = min(max(most - cells[name], 0), rest)
        cells[name] += more
        rest -= more
    return tuple(cells.items())


def _needed(columns: list[FitColumn]) -> int:
    return sum(one.least + 1 for one in columns)
