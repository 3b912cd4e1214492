"""What a run list asks for: a scope and a filter."""

from __future__ import annotations

from typing import NamedTuple

from cekura_tui.model.filter.filter import ALL, Filter
from cekura_tui.model.filter.match import MOST_IDS, split
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
