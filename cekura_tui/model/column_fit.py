"""Fit columns into a width: drop dispensable columns first, then distribute the remaining cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Cells = tuple[tuple[str, int], ...]
"""(name, width in cells) of each visible column; each column is followed by a blank cell."""


class FitColumn(NamedTuple):
    """A column of at least `min_width` cells; `grows` lists (turn, maximum width in cells). While there is room,
    columns grow turn by turn, lowest turn first. If not all columns fit, the column with the lowest `drop_order` is
    dropped first, a column with 0 never. A column is dropped, too, if it would leave fewer than `spare` cells for the
    others to grow."""

    name: str
    min_width: int
    grows: tuple[tuple[int, int], ...] = ()
    drop_order: int = 0
    spare: int = 0


def fit_columns(columns: Iterable[FitColumn], room: int) -> Cells:
    """Drop and grow columns to fit into `room` cells. The result may be wider: a column with `drop_order` 0 is never
    dropped, and neither is the last column left."""
    kept = list(columns)
    for column in sorted((one for one in kept if one.drop_order), key=lambda one: one.drop_order):
        if _needed(kept) + column.spare > room and len(kept) > 1:
            kept.remove(column)
    rest = max(room - _needed(kept), 0)
    cells = {one.name: one.min_width for one in kept}
    turns = [(turn, most, one.name) for one in kept for turn, most in one.grows]
    for _, most, name in sorted(turns, key=lambda one: one[0]):
        more = min(max(most - cells[name], 0), rest)
        cells[name] += more
        rest -= more
    return tuple(cells.items())


def _needed(columns: list[FitColumn]) -> int:
    return sum(one.min_width + 1 for one in columns)
