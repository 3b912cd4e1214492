"""The columns of the run list: content, sort order, visibility, position and width."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from cekura_tui.model.column_fit import Cells, FitColumn, fit_columns
from cekura_tui.model.run.outcome import Kind
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.secrets import quoted
from cekura_tui.model.text import most_similar

GUTTER = 3
"""Cells before the first column: a blank cell, the mark of a marked run, and the sign of a note."""
NARROWEST, WIDEST = 4, 60
"""Limits, in cells, of a column width that the user sets."""
When = Callable[[float | None], str]
"""Formats a Unix time; takes None for an unknown time."""
_WORST: tuple[Kind, ...] = ("failed", "error", "review", "running", "unknown", "passed")


class Column(NamedTuple):
    """A column of the run list, its column dialog and `[columns]`. `sort_key` returns None for a run without a value;
    such a run is last in either direction. `order` describes the usual order in words. `look` is the style of the cell:
    plain, dim, right (dim and right-aligned), moment (like right, without the time of day if the column is narrow), or
    chip (in the outcome's colour). `min_width_chosen` is the minimum width after the user chose columns (0:
    `min_width`). `grows`, `drop_order` and `spare` are passed to `FitColumn`. `cycle` is the position in the cycle of
    the key `s`. A column that is not `shown` by default can be shown with `C` or in `[columns]`."""

    name: str
    text: Callable[[RunRow, When], str]
    sort_key: Callable[[RunRow], Any]
    order: str
    min_width: int
    look: Literal["plain", "dim", "right", "moment", "chip"] = "dim"
    min_width_chosen: int = 0
    grows: tuple[tuple[int, int], ...] = ()
    drop_order: int = 0
    cycle: int = 99
    shown: bool = True
    spare: int = 0


def _outcome_key(row: RunRow) -> tuple[int, int, str]:
    """Sort key, worst outcome first; of failed runs, most failed checks first and unknown numbers last."""
    worst = _WORST.index(row.outcome.kind)
    if row.outcome.kind != "failed":
        return worst, 0, row.outcome.text
    checks = row.failed_checks
    return worst, 1 if checks is None else -checks, ""


def _text(field: str) -> Callable[[RunRow, When], str]:
    return lambda row, when: "" if (value := getattr(row, field)) is None else str(value)


def _a_to_z(field: str) -> Callable[[RunRow], str | None]:
    return lambda row: getattr(row, field).casefold() or None


def _highest(field: str) -> Callable[[RunRow], float | None]:
    return lambda row: None if (value := getattr(row, field)) is None else -value


_WIDE = ((1, 32), (5, 48), (10, 1_000))
COLUMNS: tuple[Column, ...] = (
    Column("run", _text("id"), _highest("id"), "Highest run ids first", 7, grows=((9, 8),), cycle=7),
    Column(
        "outcome",
        lambda row, when: row.chip,
        _outcome_key,
        "Most failed checks first, then errors",
        min_width=14,
        look="chip",
        grows=((4, 15),),
        cycle=2,
    ),
    Column("scenario", _text("scenario"), _a_to_z("scenario"), "Scenarios from A to Z", 21, "plain", 8, _WIDE, cycle=3),
    Column(
        "agent", _text("agent"), _a_to_z("agent"), "Agents from A to Z", 8, "dim", 8, ((2, 14), (6, 20), (8, 32)), 3, 5
    ),
    Column(
        "personality",
        _text("personality"),
        _a_to_z("personality"),
        "Personalities from A to Z",
        min_width=12,
        min_width_chosen=8,
        grows=((7, 18), (9, 26)),
        drop_order=1,
        cycle=4,
        spare=10,
    ),
    Column("length", _text("duration"), _highest("seconds"), "Longest calls first", 7, "right", drop_order=4, cycle=6),
    Column(
        "when", lambda row, when: when(row.at), _highest("at"), "Newest first", 9, "moment", 0, ((3, 12),), 5, cycle=1
    ),
    # The notes are not part of a run: the list has them.
    Column("note", lambda row, when: "", lambda row: None, "Notes from A to Z", 14, "plain", 8, ((4, 22), (9, 38)), 2),
)
"""All columns, in the default order."""
COLUMN_BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}
SORT_CYCLE = [column.name for column in sorted(COLUMNS, key=lambda column: column.cycle)]


class Sort(NamedTuple):
    """The column to sort by, and whether in reverse. Runs without a value are last in either direction."""

    column: str = "when"
    reverse: bool = False

    @property
    def as_listed(self) -> bool:
        """Whether this is the order of the server's list, so that the rows need no sorting."""
        return self == Sort()

    def next(self, columns: Collection[str] = SORT_CYCLE) -> Sort:
        """The sort by the column of `columns` that comes next in the cycle; the new sort is not reversed."""
        after = SORT_CYCLE.index(self.column) + 1
        return Sort(next(name for name in (*SORT_CYCLE[after:], *SORT_CYCLE[:after]) if name in columns))

    def reversed(self) -> Sort:
        return Sort(self.column, not self.reverse)

    def apply(self, rows: Iterable[RunRow], keys: dict[int, Any] | None = None) -> list[RunRow]:
        """Sort rows; of rows with equal keys, the newest comes first. `keys` caches sort keys by run id, so that a
        changed run keeps its place. The keys of new runs are added to `keys`."""
        keys = {} if keys is None else keys
        key = COLUMN_BY_NAME[self.column].sort_key
        newest_first = sorted(rows, key=lambda row: row.id, reverse=True)
        for row in newest_first:
            if row.id not in keys:
                keys[row.id] = key(row)
        keyed = [row for row in newest_first if keys[row.id] is not None]
        keyed.sort(key=lambda row: keys[row.id], reverse=self.reverse)
        return keyed + [row for row in newest_first if keys[row.id] is None]


class ChosenColumn(NamedTuple):
    """A column as the user set it; `width` is in cells, or None for an automatic width."""

    name: str
    shown: bool = True
    width: int | None = None


class RunColumns(NamedTuple):
    """The columns of the run list in order. By default, less important columns are dropped if there is no room."""

    chosen: tuple[ChosenColumn, ...] = ()
    """All columns as the user set them; empty for the default columns."""

    @property
    def all(self) -> tuple[ChosenColumn, ...]:
        """Every column in order, shown or hidden."""
        return self.chosen or tuple(ChosenColumn(column.name, column.shown) for column in COLUMNS)

    def cells(self, width: int, *, one_agent: bool = False, noted: bool = False) -> Cells:
        """The columns and widths that fit `width` cells: no note column unless `noted`, no agent with `one_agent`."""
        return _cells(self, width, one_agent, noted)

    def toggled(self, name: str) -> RunColumns:
        """Show a hidden column, or hide a shown one; the last shown column can't be hidden."""
        columns = tuple(one._replace(shown=not one.shown) if one.name == name else one for one in self.all)
        return RunColumns(columns) if any(one.shown for one in columns) else self

    def moved(self, name: str, step: int) -> RunColumns:
        """Move a column one place to the left (−1) or right (1)."""
        columns = list(self.all)
        place = next(n for n, one in enumerate(columns) if one.name == name)
        columns.insert(min(max(place + step, 0), len(columns) - 1), columns.pop(place))
        return RunColumns(tuple(columns))

    def sized(self, name: str, width: int) -> RunColumns:
        """Set a column's width in cells, clamped to NARROWEST and WIDEST."""
        width = min(max(width, NARROWEST), WIDEST)
        return RunColumns(tuple(one._replace(width=width) if one.name == name else one for one in self.all))

    @property
    def text(self) -> str:
        """The columns as stored: JSON [[name, shown, width or null], ...]; an empty list for the default columns."""
        return json.dumps([[one.name, one.shown, one.width] for one in self.chosen])


def _with_others_hidden(columns: Iterable[ChosenColumn]) -> RunColumns:
    """These columns, followed by all other columns as hidden; the default columns if `columns` shows none."""
    found = {one.name: one for one in columns}
    if not any(one.shown for one in found.values()):
        return RunColumns()
    return RunColumns((*found.values(), *(ChosenColumn(name, False) for name in COLUMN_BY_NAME if name not in found)))


def read_columns(text: str) -> RunColumns:
    """Parse stored columns, or use the defaults. Unknown columns are dropped, missing columns added as hidden."""
    try:
        stored = [(str(name), bool(shown), width) for name, shown, width in json.loads(text)]
    except (ValueError, TypeError):
        return RunColumns()
    found: dict[str, ChosenColumn] = {}
    for name, shown, width in stored:
        if name in COLUMN_BY_NAME:
            sized = isinstance(width, int) and NARROWEST <= width <= WIDEST
            found.setdefault(name, ChosenColumn(name, shown, width if sized else None))
    return _with_others_hidden(found.values())


def columns_of(widths: Mapping[str, int]) -> RunColumns:
    """Make columns from `[columns]`: names in order with widths in cells (0 for automatic); other columns are hidden.
    Invalid entries (see `column_problems`) are skipped; if no entry is left, the default columns are used."""
    right = ((name, width) for name, width in widths.items() if not _column_problem(name, width))
    return _with_others_hidden(ChosenColumn(name, width=width or None) for name, width in right)


def column_problems(widths: Mapping[str, int]) -> list[tuple[str, str]]:
    """The name and a sentence for each invalid entry of `[columns]`; empty if all entries are valid."""
    return [(name, problem) for name, width in widths.items() if (problem := _column_problem(name, width))]


def _column_problem(name: str, width: int) -> str:
    if name not in COLUMN_BY_NAME:
        names = ", ".join(COLUMN_BY_NAME)
        how = f"Did you mean {near}?" if (near := most_similar(name, COLUMN_BY_NAME)) else f"Columns: {names}."
        return f"There is no column {quoted(name)}. {how}"
    if width and not NARROWEST <= width <= WIDEST:
        return f"{name} must be 0 or {NARROWEST} to {WIDEST} cells wide, not {width}."
    return ""


_DROP_AFTER_OTHERS, _DROP_LAST = 100, 1_000
"""A chosen column without `drop_order` gets _DROP_AFTER_OTHERS minus its place, and so is dropped after the others. For
a column with a width that the user set, _DROP_LAST is added, so the column is dropped last."""


@lru_cache(maxsize=64)
def _cells(columns: RunColumns, width: int, one_agent: bool, noted: bool) -> Cells:
    fits = []
    unneeded = {"agent": one_agent and not columns.chosen, "note": not noted}
    for place, one in enumerate(columns.all):
        column = COLUMN_BY_NAME[one.name]
        if not one.shown or unneeded.get(one.name):
            continue
        drop_order = column.drop_order or (_DROP_AFTER_OTHERS - place if columns.chosen else 0)
        if one.width is not None:
            fits.append(FitColumn(one.name, one.width, drop_order=_DROP_LAST + drop_order))
        else:
            min_width = (columns.chosen and column.min_width_chosen) or column.min_width
            spare = 0 if columns.chosen else column.spare
            fits.append(FitColumn(one.name, min_width, ((0, column.min_width), *column.grows), drop_order, spare))
    if not fits:  # only the note is chosen
        return _cells(RunColumns(), width, one_agent, noted)
    return fit_columns(fits, width - GUTTER)
