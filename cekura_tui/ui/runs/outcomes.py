"""Outcomes of listed runs: the counts in the outcome bar, and the filters that a key or a click sets."""

from __future__ import annotations

from typing import NamedTuple

from cekura_tui.model.filter.filter import Filter, Term
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.outcome import Kind

OUTCOMES: tuple[Kind, ...] = ("failed", "error", "review", "running", "passed", "unknown")
"""All outcomes in the order of the outcome bar, most urgent first."""


class OutcomeCounts(NamedTuple):
    """The contents of the outcome bar: `runs` ("57 of 240 runs"), their number by outcome (None: unknown), as far as
    `loaded` ("of 200 loaded"), the filter's outcomes (`active`), and how many runs no longer match (`outdated`)."""

    runs: str = ""
    counts: tuple[tuple[Kind, int | None], ...] = ()
    active: frozenset[Kind] = frozenset()
    loaded: str = ""
    outdated: int = 0


def outcomes_of(wanted: Filter) -> frozenset[Kind]:
    """The outcomes that a filter asks for; empty if the filter does not filter by outcome."""
    terms = [term for term in wanted.terms if term.key == "outcome" and not term.negated]
    words = [{value.text for value in term.values} for term in terms]
    return frozenset(kind for kind in OUTCOMES if words and all(kind in one for one in words))


def toggle_outcome(wanted: Filter, kind: Kind | None) -> Filter:
    """The filter limited to `kind`; the filter for all outcomes if `kind` is None or the limit is set already."""
    others = tuple(term for term in wanted.terms if term.key != "outcome")
    if kind is None or outcomes_of(wanted) == {kind}:
        return Filter(others)
    return Filter((*others, *parse(f"outcome:{kind}").filter.terms))


def next_outcome(wanted: Filter, step: int) -> Filter:
    """The filter limited to the next (`step` 1) or previous (−1) outcome; past either end, the filter for all outcomes.
    From a filter for several or all outcomes, the next outcome is the first and the previous outcome is the last."""
    places = [place for place, kind in enumerate(OUTCOMES) if kind in outcomes_of(wanted)]
    place = places[0] + step if len(places) == 1 else 0 if step > 0 else len(OUTCOMES) - 1
    return toggle_outcome(wanted, OUTCOMES[place] if 0 <= place < len(OUTCOMES) else None)


def only_failures(wanted: Filter) -> bool:
    """Whether a filter is limited to failed runs and errors."""
    return any(map(_of_failures, wanted.terms))


def toggle_failures(wanted: Filter, former: Filter | None) -> Filter:
    """The filter limited to failures. A filter that is already limited to failures loses that limit. If only the
    outcomes of `former` differ from the filter without that limit, `former` is returned instead."""
    if not only_failures(wanted):
        return Filter((*_without_outcomes(wanted), *parse("outcome:failed,error").filter.terms))
    others = tuple(term for term in wanted.terms if not _of_failures(term))
    return former if former is not None and _without_outcomes(former) == others else Filter(others)


def _without_outcomes(wanted: Filter) -> tuple[Term, ...]:
    return tuple(term for term in wanted.terms if term.key != "outcome" or term.negated)


def _of_failures(term: Term) -> bool:
    return (term.key, term.negated, {value.text for value in term.values}) == ("outcome", False, {"failed", "error"})
