"""Runs in another order than the newest first: by any column, always the same for the same runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cekura_tui.model.outcome import Kind
from cekura_tui.model.view import RunRow

_WORST: tuple[Kind, ...] = ("failed", "error", "review", "running", "unknown", "passed")

_KEYS: dict[str, Callable[[RunRow], Any]] = {
    "when": lambda row: None if row.at is None else -row.at,
    "outcome": lambda row: (_WORST.index(row.outcome.kind), row.outcome.text),
    "scenario": lambda row: row.scenario.casefold() or None,
    "personality": lambda row: row.personality.casefold() or None,
    "agent": lambda row: row.agent.casefold() or None,
    "length": lambda row: None if row.seconds is None else -row.seconds,
    "run": lambda row: -row.id,
}
COLUMNS = tuple(_KEYS)
"""What can be sorted by; each first in the order that is asked for most: the newest, the worst, the longest first."""


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column, and whether against its usual order. Runs without a value of it are last either way."""

    column: str = "when"
    reverse: bool = False

    @property
    def as_listed(self) -> bool:
        """Whether it is the order in which the server lists: nothing is to be sorted."""
        return self == Sort()

    def next(self) -> Sort:
        """By the next column."""
        return Sort(COLUMNS[(COLUMNS.index(self.column) + 1) % len(COLUMNS)])

    def turned(self) -> Sort:
        """The other way round."""
        return Sort(self.column, not self.reverse)

    def apply(self, rows: Iterable[RunRow]) -> list[RunRow]:
        """The rows in this order; those that are equal in it the newest first."""
        key = _KEYS[self.column]
        newest_first = sorted(rows, key=lambda row: row.id, reverse=True)
        told = [(value, row) for row in newest_first if (value := key(row)) is not None]
        told.sort(key=lambda pair: pair[0], reverse=self.reverse)
        return [row for _, row in told] + [row for row in newest_first if key(row) is None]
