"""Which rows a filter lets through, and which part of it the API can answer itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cekura_tui.model.filter.filter import BY_NAME, Answer, Filter, FilterKey, Notes, Params, Term, note_test
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line


class Split(NamedTuple):
    """Query parameters of the run list, and the terms that are tested here, on the rows that are loaded."""

    params: Params
    rest: Filter

    @property
    def rest_words(self) -> str:
        """The keys of `rest` and its words, "metric:, note:, refund"; empty where the server filters all of it."""
        return ", ".join(dict.fromkeys(map(_named, self.rest.terms)))


def split(wanted: Filter, now: float, *, narrow: bool = True) -> Split:
    """Parameters that the server filters exactly by, or with `narrow` at least narrows by, and the terms left.

    A parameter has one value: a second term or word for it is left. `now` (Unix time) is what "2d" counts from, the
    same for all pages. An outcome is always left: the server knows none, and `narrow` may leave out runs that a person
    judged otherwise. Without it a day more is asked for than `until`, since a server may read only the day.
    """
    params: Params = {}
    left: list[Term] = []
    for term in wanted.terms:
        key = BY_NAME.get(term.key)
        asked = key.params(term, now, narrow) if key and key.params and not term.negated else None
        if asked and all(params.get(name, value) == value for name, value in asked.items()):
            params |= asked
        else:
            left.append(term)
    # Whether a search for several words finds them apart, or only side by side, is the server's secret: it gets one.
    if words := [term for term in left if not (term.key or term.negated)]:
        longest = max(words, key=lambda term: len(term.texts[0]))
        params["search"] = longest.texts[0]
        left.remove(longest)
    # What only narrows comes last, so that it takes no parameter from what is exact.
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
    """A filter made ready for many rows: `matcher(row)` is true if every term holds.

    `now` (Unix time) is what "2d" and "today" count from; `notes` are the local notes by run id, read when asked.
    """

    def __init__(self, wanted: Filter, *, now: float, notes: Notes) -> None:
        self._tests = [(_test(key, term, now, notes), term.negated) for term, key in _keyed(wanted)]
        words = [(term.texts[0].casefold(), not term.negated) for term in wanted.terms if not term.key]
        # What is looked for anywhere costs the most, and comes after what may rule a row out for less.
        self._tests += [(_has_words(words, notes), False)] if words else []

    def __call__(self, row: RunRow) -> bool:
        for holds, negated in self._tests:  # noqa: SIM110 - a generator would cost more than most of the tests
            if (not holds(row)) is not negated:  # what is unknown holds neither for the term nor against its opposite
                return False
        return True


def _keyed(wanted: Filter) -> list[tuple[Term, FilterKey]]:
    return [(term, BY_NAME[term.key]) for term in wanted.terms if term.key]


def _test(key: FilterKey, term: Term, now: float, notes: Notes) -> Answer:
    holds = key.holds(term, now, notes)
    if not key.unknown_passes or term.negated:
        return holds
    # What a whole run does not tell stays unknown.
    return lambda row: not row.whole if (found := holds(row)) is None else found


def denied(wanted: Filter, now: float) -> Callable[[RunRow], bool]:
    """Whether a row contradicts a term that the server filters by: it may not know the parameter, or read only the day
    of a moment. A missing field contradicts nothing."""
    tests = [(key.holds(term, now, {}), term.negated) for term, key in _keyed(wanted) if key.params]
    return lambda row: any(holds(row) is negated for holds, negated in tests)


def undecided(wanted: Filter, now: float) -> Callable[[RunRow], bool]:
    """Whether a term can be decided only once the run of a row is read whole."""
    tests = [key.holds(term, now, {}) for term, key in _keyed(wanted) if key.from_whole_run]
    return lambda row: any(holds(row) is None for holds in tests)


def noted(wanted: Filter, notes: Notes) -> tuple[int, ...] | None:
    """The ids of all runs whose notes pass, the newest first, where a filter asks for runs with notes; else None."""
    asked = [note_test(term) for term in wanted.terms if term.key == "note" and not term.negated]
    asked = [passes for passes in asked if not passes("")]
    if not asked:
        return None
    found = [number for number, note in notes.items() if all(passes(note) for passes in asked)]
    return tuple(sorted(found, reverse=True))


def _has_words(words: list[tuple[str, bool]], notes: Notes) -> Answer:
    def found(row: RunRow) -> bool:
        parts = (str(row.id), row.scenario, row.personality, row.agent, row.outcome.text, row.status, *row.failing)
        # No text that was cleaned holds a zero, so that no word is found across two parts.
        all_of_it = "\0".join((*parts, notes.get(row.id, ""))).casefold()
        return all((word in all_of_it) is wanted for word, wanted in words)

    return found
