"""How the runs of a list ended: counts for the bar of outcomes, and the filters that a key or a click on one gives."""

from __future__ import annotations

from typing import NamedTuple

from cekura_tui.model.filter.filter import Filter, Term
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.outcome import Kind

OUTCOMES: tuple[Kind, ...] = ("failed", "error", "review", "running", "passed", "unknown")
"""In the order on screen: what needs attention first."""


class OutcomeCounts(NamedTuple):
    """How many runs there are, in words ("57 of 240 runs"), and how the loaded ones ended.

    A count is None where the filter leaves out such runs. `active` are the outcomes that the filter asks for, `loaded`
    says of how many runs the counts are ("of 200 loaded"), `outdated` how many runs no longer pass the filter.
    """

    runs: str = ""
    counts: tuple[tuple[Kind, int | None], ...] = ()
    active: frozenset[Kind] = frozenset()
    loaded: str = ""
    outdated: int = 0


def outcomes_of(wanted: Filter) -> frozenset[Kind]:
    """The outcomes that a filter asks for; empty where it asks for none in particular."""
    terms = [term for term in wanted.terms if term.key == "outcome" and not term.negated]
    words = [{value.text for value in term.values} for term in terms]
    return frozenset(kind for kind in OUTCOMES if words and all(kind in one for one in words))


def toggle_outcome(wanted: Filter, kind: Kind | None) -> Filter:
    """The filter with runs of this outcome only; None, or the one that it asks for already, gives all outcomes."""
    others = tuple(term for term in wanted.terms if term.key != "outcome")
    if kind is None or outcomes_of(wanted) == {kind}:
        return Filter(others)
    return Filter((*others, *parse(f"outcome:{kind}").filter.terms))


def next_outcome(wanted: Filter, step: int) -> Filter:
    """The filter with runs of the next outcome only, or of the one before (−1); after the last, of all."""
    places = [place for place, kind in enumerate(OUTCOMES) if kind in outcomes_of(wanted)]
    place = places[0] + step if len(places) == 1 else 0 if step > 0 else len(OUTCOMES) - 1
    return toggle_outcome(wanted, OUTCOMES[place] if 0 <= place < len(OUTCOMES) else None)


def only_failures(wanted: Filter) -> bool:
    """Whether a filter asks for failed runs and errors."""
    return any(map(_of_failures, wanted.terms))


def toggle_failures(wanted: Filter, former: Filter | None) -> Filter:
    """The filter with failed runs and errors only; from there back to `former`, if only its outcomes differ."""
    if not only_failures(wanted):
        return Filter((*_without_outcomes(wanted), *parse("outcome:failed,error").filter.terms))
    others = tuple(term for term in wanted.terms if not _of_failures(term))
    return former if former is not None and _without_outcomes(former) == others else Filter(others)


def _without_outcomes(wanted: Filter) -> tuple[Term, ...]:
    return tuple(term for term in wanted.terms if term.key != "outcome" or term.negated)


def _of_failures(term: Term) -> bool:
    return (term.key, term.negated, {value.text for value in term.values}) == ("outcome", False, {"failed", "error"})
