"""Fit columns into a width: drop dispensable columns first, then distribute the remaining cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Cells = tuple[tuple[str, int], ...]
"""(name, width in cells) of each visible column; a blank cell follows each."""


class FitColumn(NamedTuple):
    """A column at least `min_width` cells wide; `grows` lists (turn, width).

    Columns grow in the order of these turns, each to at most that width, while there is room. If not all columns fit,
    the one with the lowest `drop_order` is dropped first; 0 is never dropped.
    """

    name: str
    min_width: int
    grows: tuple[tuple[int, int], ...] = ()
    drop_order: int = 0


def fit_columns(columns: Iterable[FitColumn], room: int) -> Cells:
    """The columns that fit into `room` cells, at least one, with their widths."""
    kept = list(columns)
    for column in sorted((one for one in kept if one.drop_order), key=lambda one: one.drop_order):
        if _needed(kept) > room and len(kept) > 1:
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
