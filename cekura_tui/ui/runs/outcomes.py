"""Outcomes of listed runs: counts for the outcome bar, and filters that a key or a click selects."""

from __future__ import annotations

from typing import NamedTuple

from cekura_tui.model.filter.filter import Filter, Term
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.outcome import Kind

OUTCOMES: tuple[Kind, ...] = ("failed", "error", "review", "running", "passed", "unknown")
"""In screen order, most urgent first."""


class OutcomeCounts(NamedTuple):
    """The number of runs as text ("57 of 240 runs"), and how many of the loaded ones have each outcome.

    A count is None if the filter excludes that outcome; `active` are the outcomes that the filter asks for.
    `loaded` says how many runs were counted ("of 200 loaded"), `outdated` how many no longer match the filter.
    """

    runs: str = ""
    counts: tuple[tuple[Kind, int | None], ...] = ()
    active: frozenset[Kind] = frozenset()
    loaded: str = ""
    outdated: int = 0


def outcomes_of(wanted: Filter) -> frozenset[Kind]:
    """The outcomes that a filter asks for; empty if it does not filter by outcome."""
    terms = [term for term in wanted.terms if term.key == "outcome" and not term.negated]
    words = [{value.text for value in term.values} for term in terms]
    return frozenset(kind for kind in OUTCOMES if words and all(kind in one for one in words))


def toggle_outcome(wanted: Filter, kind: Kind | None) -> Filter:
    """The filter limited to one outcome, or with all outcomes if `kind` is None or already its only one."""
    others = tuple(term for term in wanted.terms if term.key != "outcome")
    if kind is None or outcomes_of(wanted) == {kind}:
        return Filter(others)
    return Filter((*others, *parse(f"outcome:{kind}").filter.terms))


def next_outcome(wanted: Filter, step: int) -> Filter:
    """The filter limited to the next (`step` 1) or previous (−1) outcome; past either end, with all outcomes."""
    places = [place for place, kind in enumerate(OUTCOMES) if kind in outcomes_of(wanted)]
    place = places[0] + step if len(places) == 1 else 0 if step > 0 else len(OUTCOMES) - 1
    return toggle_outcome(wanted, OUTCOMES[place] if 0 <= place < len(OUTCOMES) else None)


def only_failures(wanted: Filter) -> bool:
    """Whether a filter is limited to failed runs and errors."""
    return any(map(_of_failures, wanted.terms))


def toggle_failures(wanted: Filter, former: Filter | None) -> Filter:
    """The filter limited to failures; if it already is, `former` if only outcomes differ, else no limit to outcomes."""
    if not only_failures(wanted):
        return Filter((*_without_outcomes(wanted), *parse("outcome:failed,error").filter.terms))
    others = tuple(term for term in wanted.terms if not _of_failures(term))
    return former if former is not None and _without_outcomes(former) == others else Filter(others)


def _without_outcomes(wanted: Filter) -> tuple[Term, ...]:
    return tuple(term for term in wanted.terms if term.key != "outcome" or term.negated)


def _of_failures(term: Term) -> bool:
    return (term.key, term.negated, {value.text for value in term.values}) == ("outcome", False, {"failed", "error"})
