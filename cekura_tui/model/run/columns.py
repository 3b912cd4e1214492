"""The columns of the run list: which are shown, in which order and how wide, by default or as a person chose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cekura_tui.model.text import clean_line

GUTTER = 3
"""Cells before the first column: a blank one, the mark of a marked run, the sign of a note."""
NARROWEST, WIDEST = 4, 60
"""Cells that a person may give a column."""

Cells = tuple[tuple[str, int], ...]
"""Names and cells of the columns, each followed by one cell of space."""

_LEAST: Mapping[str, int] = {
    "run": 7,
    "outcome": 14,
    "scenario": 15,
    "agent": 12,
    "personality": 12,
    "length": 7,
    "when": 10,
}
NAMES = tuple(_LEAST)
_NARROWED = {"scenario": 8, "agent": 8, "personality": 8}
"""What is as narrow as this, if need be, where a person chose the columns: no column is left out before."""
_DISPENSABLE = ("personality", "length", "agent", "when")
"""What is left out first where there is no room for all."""
_GROWTH = (
    ("scenario", 24),
    ("outcome", 15),
    ("agent", 18),
    ("when", 12),
    ("personality", 18),
    ("scenario", 40),
    ("agent", 32),
    ("personality", 26),
    ("run", 8),
    ("scenario", 1_000),
)
"""What gets the room that is left, up to how many cells."""


class RunColumn(NamedTuple):
    """A column as a person wants it; without a `width` it has what there is room for."""

    name: str
    shown: bool = True
    width: int | None = None


class RunColumns(NamedTuple):
    """The columns in their order. By default those that matter most are shown, as far as there is room."""

    chosen: tuple[RunColumn, ...] = ()
    """All columns as a person chose them; empty by default."""

    @property
    def all(self) -> tuple[RunColumn, ...]:
        """Every column, shown or not, in its order."""
        return self.chosen or tuple(map(RunColumn, NAMES))

    def cells(self, width: int, *, one_agent: bool = False) -> Cells:
        """The columns that are seen in a list of `width` cells; by default not the agent where there is `one_agent`."""
        return _cells(self, width, one_agent)

    def toggled(self, name: str) -> RunColumns:
        """With this column shown, or hidden; the last one that is shown stays."""
        columns = tuple(one._replace(shown=not one.shown) if one.name == name else one for one in self.all)
        return RunColumns(columns) if any(one.shown for one in columns) else self

    def moved(self, name: str, step: int) -> RunColumns:
        """With this column one place further left (−1) or right (1)."""
        columns = list(self.all)
        place = next(n for n, one in enumerate(columns) if one.name == name)
        columns.insert(min(max(place + step, 0), len(columns) - 1), columns.pop(place))
        return RunColumns(tuple(columns))

    def sized(self, name: str, width: int) -> RunColumns:
        """With this column so many cells wide, within what is sensible."""
        width = min(max(width, NARROWEST), WIDEST)
        return RunColumns(tuple(one._replace(width=width) if one.name == name else one for one in self.all))

    @property
    def text(self) -> str:
        """As it is stored: JSON [[name, shown, width or null], ...]."""
        return json.dumps([[one.name, one.shown, one.width] for one in self.chosen])


def read_columns(text: str) -> RunColumns:
    """Columns as they were stored; columns of another version are left out, new ones are hidden at the end."""
    try:
        stored = [(str(name), bool(shown), width) for name, shown, width in json.loads(text)]
    except (ValueError, TypeError):
        return RunColumns()
    found: dict[str, RunColumn] = {}
    for name, shown, width in stored:
        if name in _LEAST and name not in found:
            sized = isinstance(width, int) and NARROWEST <= width <= WIDEST
            found[name] = RunColumn(name, shown, width if sized else None)
    if not any(one.shown for one in found.values()):
        return RunColumns()
    return RunColumns((*found.values(), *(RunColumn(name, shown=False) for name in NAMES if name not in found)))


def columns_of(widths: Mapping[str, int]) -> RunColumns:
    """The columns of these names in their order, as wide as they say, 0 for as there is room; others are hidden.

    What `column_problems` names is left out; where nothing is left, they are the usual ones.
    """
    shown = [RunColumn(name, width=width or None) for name, width in widths.items() if not _column_problem(name, width)]
    if not shown:
        return RunColumns()
    named = {one.name for one in shown}
    return RunColumns((*shown, *(RunColumn(name, shown=False) for name in NAMES if name not in named)))


def column_problems(widths: Mapping[str, int]) -> list[str]:
    """What is wrong with `[columns]`, in sentences."""
    return [problem for name, width in widths.items() if (problem := _column_problem(name, width))]


def _column_problem(name: str, width: int) -> str:
    if name not in NAMES:
        return f"[columns] There is no column “{clean_line(name, 30)}”. Columns: {', '.join(NAMES)}."
    if width and not NARROWEST <= width <= WIDEST:
        return f"[columns] {name} must be 0 or {NARROWEST} to {WIDEST} cells wide, not {width}."
    return ""


@lru_cache(maxsize=64)
def _cells(columns: RunColumns, width: int, one_agent: bool) -> Cells:
    room = width - GUTTER
    least = {**_LEAST, **(_NARROWED if columns.chosen else {})}
    wanted = {one.name: one.width or least[one.name] for one in columns.all if one.shown}
    if one_agent and not columns.chosen:
        del wanted["agent"]
    fixed = {one.name for one in columns.all if one.width is not None}
    others = [name for name in reversed(wanted) if name not in _DISPENSABLE] if columns.chosen else []
    leaving = [name for name in (*_DISPENSABLE, *others) if name in wanted]
    for name in sorted(leaving, key=fixed.__contains__)[: max(len(wanted) - 1, 0)]:
        if sum(wanted.values()) + len(wanted) <= room:
            break
        wanted.pop(name, None)
    rest = room - sum(wanted.values()) - len(wanted)
    for name, most in (*_LEAST.items(), *_GROWTH):
        if name in wanted and name not in fixed:
            more = min(max(most - wanted[name], 0), max(rest, 0))
            wanted[name] += more
            rest -= more
    return tuple(wanted.items())
