"""The query of a run list: a scope and a filter."""

from __future__ import annotations

from typing import NamedTuple

from cekura_tui.model.filter.filter import ALL, BY_NAME, MOST_IDS, Filter
from cekura_tui.model.filter.match import split
from cekura_tui.model.scope import Scope


class RunQuery(NamedTuple):
    """The runs of a scope that match a filter."""

    scope: Scope
    filter: Filter = ALL
    noted: tuple[int, ...] | None = None
    """Ids of all runs whose notes match, as the server has no notes; None if the filter does not require a note."""

    def params(self, now: float, *, narrow: bool = True) -> dict[str, str | int]:
        """Query parameters of the list request; relative times count back from `now` (Unix time). With `narrow`, the
        server sends fewer runs, but may omit matching runs. Without, it sends all matching runs, and others."""
        # The scope wins: a contradicting filter is tested here, and matches nothing.
        named = {} if self._noted_param is None else {"id__in": self._noted_param}
        return {**named, **split(self.filter, now, narrow=narrow).params, **self.scope.params}

    @property
    def needs_sweep(self) -> bool:
        """Whether a sweep must read the whole scope: the server may omit matching runs, or list rows may not decide."""
        keys = [BY_NAME[term.key] for term in self.filter.terms if term.key]
        return any(key.narrows or key.from_whole_run for key in keys)

    @property
    def _noted_param(self) -> str | None:
        """The ids in `noted` as a parameter, "0" if it is empty; None without `noted`, or for too many ids to send."""
        if self.noted is None or len(self.noted) > MOST_IDS:
            return None
        return ",".join(map(str, self.noted)) or "0"

    def rest(self, now: float) -> Filter:
        """The terms to test locally, on the rows from the server; all terms if the filter contradicts the scope."""
        parts = split(self.filter, now)
        differing = any(parts.params.get(name, value) != value for name, value in self.scope.params.items())
        return self.filter if differing else parts.rest

    @property
    def key(self) -> str:
        """Key of the list in the store; queries with equal keys get the same runs from the server."""
        key = list_key(self.scope.text, self.filter)
        return key if self._noted_param is None else f"{key} noted:{self._noted_param}"

    @property
    def has_changing_terms(self) -> bool:
        """Whether an old run may enter the list when the run changes, by a term such as `status:`."""
        return any(term.key and BY_NAME[term.key].changes for term in self.filter.terms)


def list_key(scope: str, wanted: Filter) -> str:
    """Store key of a list: its scope (`Scope.text`) and the terms that the server filters by."""
    asked = Filter(tuple(term for term in wanted.terms if split(Filter((term,)), 0.0).params))
    return f"{scope} {asked}".strip()
