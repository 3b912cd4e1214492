"""What a run list asks for: a scope and a filter."""

from __future__ import annotations

from typing import NamedTuple

from cekura_tui.model.filter.filter import ALL, BY_NAME, MOST_IDS, Filter
from cekura_tui.model.filter.match import split
from cekura_tui.model.scope import Scope


class RunQuery(NamedTuple):
    """Runs of a scope that pass a filter."""

    scope: Scope
    filter: Filter = ALL
    noted: tuple[int, ...] | None = None
    """The only runs whose notes pass, where the filter asks for notes, which the server does not know."""

    def params(self, now: float, *, narrow: bool = True) -> dict[str, str | int]:
        """The query parameters of the list operation; times that count back do so from `now` (Unix).

        With `narrow` the server soon sends most of the runs that pass and may leave out some; else it sends them all,
        and others.
        """
        # The scope wins: a filter that contradicts it is tested here, and matches nothing.
        named = {} if self._named is None else {"id__in": self._named}
        return {**named, **split(self.filter, now, narrow=narrow).params, **self.scope.params}

    @property
    def needs_sweep(self) -> bool:
        """Whether the server may leave out runs that pass, so that a sweep has to look through all of them."""
        return any(term.key and BY_NAME[term.key].narrows for term in self.filter.terms)

    @property
    def _named(self) -> str | None:
        """The ids of the runs with notes, unless they are too many to be named; where there is none, of no run."""
        if self.noted is None or len(self.noted) > MOST_IDS:
            return None
        return ",".join(map(str, self.noted)) or "0"

    def rest(self, now: float) -> Filter:
        """The terms that are tested here, on the rows that the server sends."""
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
        return any(term.key and BY_NAME[term.key].changes for term in self.filter.terms)


def list_key(scope: str, wanted: Filter) -> str:
    """The key of a list of a scope (`Scope.text`): its filter counts as far as the server filters."""
    asked = Filter(tuple(term for term in wanted.terms if split(Filter((term,)), 0.0).params))
    return f"{scope} {asked}".strip()
