"""What a run list asks for: a scope, a filter and an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from cekura_tui.model.filter.filter import ALL, Filter
from cekura_tui.model.filter.match import MOST_IDS, split
from cekura_tui.model.run.outcome import Kind
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope


class RunQuery(NamedTuple):
    """Runs of a scope that pass a filter."""

    scope: Scope
    filter: Filter = ALL
    noted: tuple[int, ...] | None = None
    """The only runs whose notes pass, where the filter asks for notes, which the server does not know."""

    def params(self, now: float, *, narrow: bool = True) -> dict[str, str | int]:
        """The query parameters of the list operation; times that count back do so from `now` (Unix).

        Narrowed, the server sends soon most of what is wanted, and may leave out some; else all, and more.
        """
        # What the scope says stands: a filter that says otherwise is told here, of rows that all fail it.
        named = {} if self._named is None else {"id__in": self._named}
        return {**named, **split(self.filter, now, narrow=narrow).params, **self.scope.params}

    @property
    def narrowed(self) -> bool:
        """Whether the server may leave out runs that pass, so that all have to be looked through."""
        return any(term.key == "outcome" for term in self.filter.terms)

    @property
    def _named(self) -> str | None:
        """The ids of the runs with notes, unless they are too many to be named; where there is none, of no run."""
        if self.noted is None or len(self.noted) > MOST_IDS:
            return None
        return ",".join(map(str, self.noted)) or "0"

    def rest(self, now: float) -> Filter:
        """The terms that are left to be told here, of the rows that the server sends."""
        parts = split(self.filter, now)
        differing = any(parts.params.get(name, value) != value for name, value in self.scope.params.items())
        return self.filter if differing else parts.rest

    @property
    def key(self) -> str:
        """The server's part of it as a key of the store: the same runs have the same."""
        key = list_key(self.scope.text, self.filter)
        return key if self._named is None else f"{key} noted:{self._named}"

    @property
    def shifting(self) -> bool:
        """Whether runs come into the list also because they change, not only because they are new."""
        return any(term.key in ("status", "outcome", "dur") for term in self.filter.terms)


def list_key(scope: str, wanted: Filter) -> str:
    """The key of a list of a scope (`Scope.text`): its filter counts as far as the server filters."""
    asked = Filter(tuple(term for term in wanted.terms if split(Filter((term,)), 0.0).params))
    return f"{scope} {asked}".strip()


_WORST: tuple[Kind, ...] = ("failed", "error", "review", "running", "unknown", "passed")


def _outcome_key(row: RunRow) -> tuple[int, int, str]:
    """The most failed checks first; failed runs of which they are not known come after those."""
    worst = _WORST.index(row.outcome.kind)
    if row.outcome.kind != "failed":
        return worst, 0, row.outcome.text
    checks = row.failed_checks
    return worst, 1 if checks is None else -checks, ""


_KEYS: dict[str, Callable[[RunRow], Any]] = {
    "when": lambda row: None if row.at is None else -row.at,
    "outcome": _outcome_key,
    "scenario": lambda row: row.scenario.casefold() or None,
    "personality": lambda row: row.personality.casefold() or None,
    "agent": lambda row: row.agent.casefold() or None,
    "length": lambda row: None if row.seconds is None else -row.seconds,
    "run": lambda row: -row.id,
}
COLUMNS = tuple(_KEYS)
"""What can be sorted by; each first in the order that is asked for most: the newest, the worst, the longest first."""


class Sort(NamedTuple):
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

    def apply(self, rows: Iterable[RunRow], keys: dict[int, Any] | None = None) -> list[RunRow]:
        """The rows in this order; those that are equal in it the newest first.

        `keys` are what runs were sorted by before, by id: those keep their places, and others are added.
        """
        keys = {} if keys is None else keys
        key = _KEYS[self.column]
        newest_first = sorted(rows, key=lambda row: row.id, reverse=True)
        for row in newest_first:
            if row.id not in keys:
                keys[row.id] = key(row)
        keyed = [row for row in newest_first if keys[row.id] is not None]
        keyed.sort(key=lambda row: keys[row.id], reverse=self.reverse)
        return keyed + [row for row in newest_first if keys[row.id] is None]
