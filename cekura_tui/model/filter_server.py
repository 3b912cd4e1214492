"""Splits a filter: what the API's run list can filter itself, and what has to be told of the rows it sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cekura_tui.model.filter import Filter, Term
from cekura_tui.model.filter_terms import ENDED, LIVE, id_of, length_of, moment_of
from cekura_tui.model.text import clean_line

Params = dict[str, str | int]

MOST_IDS = 100
"""Ids of runs that are asked for in one request."""


@dataclass(frozen=True, slots=True)
class Split:
    """Query parameters of the run list, and the terms that have to be told of the rows that are loaded."""

    params: Params
    rest: Filter

    @property
    def rest_words(self) -> str:
        """The keys of `rest` and its words, "metric:, note:, refund"; empty where the server filters all of it."""
        return ", ".join(dict.fromkeys(map(_named, self.rest.terms)))


def split(wanted: Filter, now: float) -> Split:
    """Parameters that the server filters exactly by, or at least narrows by, and the terms that this leaves.

    One value a parameter: a second term that needs the same parameter for another value is left, and so is a second
    word. `now` (Unix time) is what "2d" counts from: who asks for page after page gives the same `now`.
    """
    params: Params = {}
    left: set[int] = set(range(len(wanted.terms)))
    for index, term in enumerate(wanted.terms):
        asked = None if term.negated or not term.key else _exact(term, now)
        if asked and all(params.get(name, value) == value for name, value in asked.items()):
            params |= asked
            left.discard(index)
    # Whether a search for several words finds them apart, or only side by side, is the server's secret: it gets one.
    words = [index for index in sorted(left) if not (wanted.terms[index].key or wanted.terms[index].negated)]
    if words:
        longest = max(words, key=lambda index: len(wanted.terms[index].values[0].text))
        params["search"] = wanted.terms[longest].values[0].text
        left.discard(longest)
    # What only narrows comes last, so that it takes no parameter from what is exact.
    for index in sorted(left):
        term = wanted.terms[index]
        params = (_narrowing(term) if term.key == "outcome" and not term.negated else {}) | params
    return Split(params, Filter(tuple(wanted.terms[index] for index in sorted(left))))


def _exact(term: Term, now: float) -> Params | None:
    """The parameters that say the same as a term, or None."""
    texts = [value.text for value in term.values]
    if term.key in _MOMENTS:
        return {_MOMENTS[term.key]: _iso(moment_of(texts[0], now, last=term.key == "until"))}
    return _EXACT[term.key](term, texts) if term.key in _EXACT else None


def _status(_: Term, texts: list[str]) -> Params | None:
    return {"status__in": ",".join(texts)}


def _outcome(_: Term, texts: list[str]) -> Params | None:
    kinds = set(texts)
    if kinds == {"running"}:
        return {"status__in": ",".join(LIVE)}
    if kinds == {"passed"}:
        return {"success": "true"}
    # The words of Scope.params: a run that still goes on has not succeeded either, but it has not failed.
    return {"success": "false", "status__in": ",".join(ENDED)} if kinds == {"failed", "error"} else None


def _narrowing(term: Term) -> Params:
    """Parameters that leave out no run that an outcome is true of."""
    kinds = {value.text for value in term.values}
    if kinds <= {"failed", "error"}:
        return {"success": "false", "status__in": ",".join(ENDED)}
    return {"status__in": ",".join(ENDED)} if kinds == {"review"} else {}


def _length(term: Term, texts: list[str]) -> Params | None:
    limit = length_of(texts[0]) or 0
    if term.op in (">", ">="):
        return {"duration__gte": limit + 1 if term.op == ">" else limit}
    return {"duration__lte": limit - 1 if term.op == "<" else limit}


def _ids(name: str, most: int) -> Callable[[Term, list[str]], Params | None]:
    def ids(term: Term, texts: list[str]) -> Params | None:
        plain = all(id_of(text) is not None for text in texts) and not any(value.contains for value in term.values)
        return {name: ",".join(texts)} if plain and len(texts) <= most else None

    return ids


def _mode(_: Term, texts: list[str]) -> Params | None:
    modes = set(texts)
    return {"result__run_as_text": "true" if modes == {"text"} else "false"} if len(modes) == 1 else None


_MOMENTS = {"since": "created_at_from", "until": "created_at_to"}
_EXACT: dict[str, Callable[[Term, list[str]], Params | None]] = {
    "status": _status,
    "outcome": _outcome,
    "dur": _length,
    "mode": _mode,
    "id": _ids("id__in", MOST_IDS),
    "scenario": _ids("scenario__id__in", MOST_IDS),
    "persona": _ids("personality__id__in", MOST_IDS),
    "agent": _ids("agent_id", 1),
    "result": _ids("result__id", 1),
}


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if moment.microsecond else "%Y-%m-%dT%H:%M:%SZ")


def _named(term: Term) -> str:
    sign = "-" if term.negated else ""
    if not term.key:
        return sign + clean_line(term.values[0].text, 30)
    return f"{sign}{term.key}{':' if term.op == ':' else ''}"
