"""Match rows against a filter, and split off the terms that the API can filter by."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cekura_tui.model.filter.filter import BY_NAME, Answer, Filter, FilterKey, Notes, Params, Term, note_test
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line


class Split(NamedTuple):
    """A filter split into query parameters (`params`) and terms to test locally, on loaded rows (`rest`)."""

    params: Params
    rest: Filter

    @property
    def rest_words(self) -> str:
        """The terms in `rest` in short, such as "metric:, note:, refund"; empty if `rest` is empty."""
        return ", ".join(dict.fromkeys(map(_named, self.rest.terms)))


def split(wanted: Filter, now: float, *, narrow: bool = True) -> Split:
    """Split a filter into parameters that the server filters by, and terms to test locally. With `narrow`, the server
    may omit some matching runs: it does not know outcomes, and the parameters for an outcome miss runs that a person
    judged otherwise. Without `narrow`, `until` is sent a day later, since a server may read only the date. A second
    term for a parameter, or a second bare word, is tested locally. Relative times such as "2d" count back from `now`
    (Unix time), which must be the same for all pages."""
    params: Params = {}
    left: list[Term] = []
    for term in wanted.terms:
        key = BY_NAME.get(term.key)
        asked = key.params(term, now, narrow) if key and key.params and not term.negated else None
        if asked and all(params.get(name, value) == value for name, value in asked.items()):
            params |= asked
        else:
            left.append(term)
    # The server may match several words only as a phrase: send it just one.
    if words := [term for term in left if not (term.key or term.negated)]:
        longest = max(words, key=lambda term: len(term.texts[0]))
        params["search"] = longest.texts[0]
        left.remove(longest)
    # Narrowing parameters come last: they must not displace exact ones.
    for term in left:
        if term.key and not term.negated and (narrows := BY_NAME[term.key].narrows):
            params = narrows(term, narrow) | params
    return Split(params, Filter(tuple(left)))


def _named(term: Term) -> str:
    sign = "-" if term.negated else ""
    if not term.key:
        return sign + clean_line(term.values[0].text, 30)
    return f"{sign}{term.key}{':' if term.op == ':' else ''}"


class Matcher:
    """A filter compiled for many rows: `matcher(row)` is true if every term holds. Relative times such as "2d" count
    back from `now` (Unix time). `notes` (by run id) are looked up at each call."""

    def __init__(self, wanted: Filter, *, now: float, notes: Notes) -> None:
        self._tests = [(key.holds(term, now, notes), term.negated) for term, key in _keyed(wanted)]
        words = [(term.texts[0].casefold(), not term.negated) for term in wanted.terms if not term.key]
        # Searching all texts costs the most: run it after cheaper tests.
        self._tests += [(_has_words(words, notes), False)] if words else []

    def __call__(self, row: RunRow) -> bool:
        for holds, negated in self._tests:  # noqa: SIM110 - a generator would cost more than most of the tests
            if (not holds(row)) is not negated:  # unknown fails a term, but passes a negated one
                return False
        return True


def _keyed(wanted: Filter) -> list[tuple[Term, FilterKey]]:
    return [(term, BY_NAME[term.key]) for term in wanted.terms if term.key]


def contradiction_test(wanted: Filter, now: float) -> Callable[[RunRow], bool]:
    """Return a predicate: whether a row contradicts a term that was sent as a parameter. The server may not know the
    parameter, or read only the date of a time. A missing field contradicts nothing."""
    tests = [(key.holds(term, now, {}), term.negated) for term, key in _keyed(wanted) if key.params]
    return lambda row: any(holds(row) is negated for holds, negated in tests)


def undecided_test(wanted: Filter, now: float, notes: Notes) -> Callable[[RunRow], bool]:
    """Return a predicate: whether a row's run must be read whole to decide whether the row matches the filter."""
    tests = [key.holds(term, now, notes) for term, key in _keyed(wanted) if key.from_whole_run]
    rest = tuple(term for term in wanted.terms if not (term.key and BY_NAME[term.key].from_whole_run))
    others = Matcher(Filter(rest), now=now, notes=notes)
    return lambda row: any(holds(row) is None for holds in tests) and others(row)


def noted_ids(wanted: Filter, notes: Notes) -> tuple[int, ...] | None:
    """Ids of all runs whose notes match the filter, newest first; None if the filter does not require a note."""
    asked = [note_test(term) for term in wanted.terms if term.key == "note" and not term.negated]
    asked = [passes for passes in asked if not passes("")]
    if not asked:
        return None
    found = [number for number, note in notes.items() if all(passes(note) for passes in asked)]
    return tuple(sorted(found, reverse=True))


def _has_words(words: list[tuple[str, bool]], notes: Notes) -> Answer:
    def found(row: RunRow) -> bool:
        reviewed = "reviewed" if row.reviewed else ""
        judged = (row.outcome.text, reviewed, row.status, *row.failing)
        parts = (str(row.id), row.scenario, row.personality, row.agent, *judged)
        # No cleaned text holds NUL, so no word matches across two parts.
        all_of_it = "\0".join((*parts, notes.get(row.id, ""))).casefold()
        return all((word in all_of_it) is wanted for word, wanted in words)

    return found
