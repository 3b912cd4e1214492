"""Which rows a filter lets through, and which part of it the API can answer itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from cekura_tui.model.filter.filter import ENDED, LIVE, Filter, Term, Value, id_of, length_of, moment_of
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import DAY, clean_line

Params = dict[str, str | int]

MOST_IDS = 100
"""Ids of runs that are asked for in one request."""


class Split(NamedTuple):
    """Query parameters of the run list, and the terms that have to be told of the rows that are loaded."""

    params: Params
    rest: Filter

    @property
    def rest_words(self) -> str:
        """The keys of `rest` and its words, "metric:, note:, refund"; empty where the server filters all of it."""
        return ", ".join(dict.fromkeys(map(_named, self.rest.terms)))


def split(wanted: Filter, now: float, *, narrow: bool = True) -> Split:
    """Parameters that the server filters exactly by, or with `narrow` at least narrows by, and the terms left.

    One value a parameter: a second term that needs the same parameter for another value is left, and so is a second
    word. `now` (Unix time) is what "2d" counts from: who asks for page after page gives the same `now`. An outcome is
    always left: the server knows none, and what `narrow` asks for may leave out runs that a person judged otherwise.
    Without it a day more is asked for than is until a moment, for a server may read the day of it alone.
    """
    params: Params = {}
    left: set[int] = set(range(len(wanted.terms)))
    for index, term in enumerate(wanted.terms):
        asked = None if term.negated or not term.key else _exact(term, now)
        if asked and not narrow and term.key == "until":
            asked = {_MOMENTS["until"]: _iso(moment_of(term.values[0].text, now, last=True) + DAY)}
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
        if term.key == "outcome" and not term.negated:
            kinds = {value.text for value in term.values}
            params = (_narrowing(kinds) if narrow or kinds == {"running"} else {}) | params
    return Split(params, Filter(tuple(wanted.terms[index] for index in sorted(left))))


def _exact(term: Term, now: float) -> Params | None:
    """The parameters that say the same as a term, or None."""
    texts = [value.text for value in term.values]
    if term.key in _MOMENTS:
        return {_MOMENTS[term.key]: _iso(moment_of(texts[0], now, last=term.key == "until"))}
    return _EXACT[term.key](term, texts) if term.key in _EXACT else None


def _status(_: Term, texts: list[str]) -> Params | None:
    return {"status__in": ",".join(texts)}


def _narrowing(kinds: set[str]) -> Params:
    """Parameters that most runs with one of these outcomes pass; those that go on have these statuses and no others."""
    if kinds == {"running"}:
        return {"status__in": ",".join(LIVE)}
    if kinds == {"passed"}:
        return {"success": "true"}
    # A run that still goes on has not succeeded either, but it has not failed.
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


Test = Callable[[RunRow], bool]
Held = Callable[[int | None, str], bool]


class Matcher:
    """A filter made ready for many rows: `matcher(row)` is true if every term holds.

    `now` (Unix time) is what "2d" and "today" count from; `notes` are the local notes by run id, read when asked.
    """

    def __init__(self, wanted: Filter, *, now: float, notes: Mapping[int, str]) -> None:
        # What is looked for anywhere costs the most, and comes after what may rule a row out for less.
        tests = [_test_of(term, now, notes) for term in wanted.terms if term.key]
        words = [(term.values[0].text.casefold(), not term.negated) for term in wanted.terms if not term.key]
        self._tests = tuple([*tests, _words(words, notes)] if words else tests)

    def __call__(self, row: RunRow) -> bool:
        for test in self._tests:  # noqa: SIM110 - a generator would cost more than most of the tests
            if not test(row):
                return False
        return True


def denied(wanted: Filter, now: float) -> Test:
    """Whether a row says otherwise than a term by which the server filters: it may not know the parameter, or read the
    day of a moment alone. A field that a row lacks denies nothing."""
    checks = [(_REPORTED[term.key], _test_of(term, now, {})) for term in wanted.terms if term.key in _REPORTED]
    return lambda row: any(reported(row) and not test(row) for reported, test in checks)


_REPORTED: dict[str, Test] = {
    "id": lambda row: True,
    "status": lambda row: bool(row.status),
    "since": lambda row: row.at is not None,
    "until": lambda row: row.at is not None,
    "dur": lambda row: row.seconds is not None,
    "mode": lambda row: row.as_text is not None,
    "scenario": lambda row: row.scenario_id is not None,
    "persona": lambda row: row.personality_id is not None,
    "agent": lambda row: row.agent_id is not None,
    "result": lambda row: row.result_id is not None,
}


def _test_of(term: Term, now: float, notes: Mapping[int, str]) -> Test:
    test = _positive(term, now, notes)
    return (lambda row: not test(row)) if term.negated else test


def _positive(term: Term, now: float, notes: Mapping[int, str]) -> Test:
    key, values = term.key, term.values
    if key == "since":
        since = moment_of(values[0].text, now)
        return lambda row: row.at is not None and row.at >= since
    if key == "until":
        until = moment_of(values[0].text, now, last=True)
        return lambda row: row.at is not None and row.at <= until
    if key == "dur":
        return _row_length(term.op, length_of(values[0].text) or 0)
    if key == "note":
        return _note(values, notes)
    if key == "metric":
        return _metric(values)
    if key in ("scenario", "agent", "persona"):
        return _NAMED[key](_names(values))
    return _of_set(key, frozenset(value.text for value in values))


def _of_set(key: str, words: frozenset[str]) -> Test:
    if key == "status":
        return lambda row: row.status in words
    if key == "outcome":
        return lambda row: row.outcome.kind in words
    if key == "reviewed":
        truths = frozenset(word == "yes" for word in words)
        return lambda row: row.reviewed in truths
    if key == "mode":
        modes = frozenset(word == "text" for word in words)
        return lambda row: row.as_text in modes
    ids = frozenset(map(int, words))
    return (lambda row: row.id in ids) if key == "id" else (lambda row: row.result_id in ids)


def _names(values: tuple[Value, ...]) -> Held:
    """Whether one of the values is a thing's id, its name, or a part of its name."""
    numbers = {value: id_of(value.text) for value in values if not value.contains}
    ids = frozenset(number for number in numbers.values() if number is not None)
    whole = frozenset(value.text.casefold() for value, number in numbers.items() if number is None)
    parts = _parts(values)
    # Many runs are of few things: a name is looked at once.
    answers: dict[str, bool] = {}

    def held(number: int | None, name: str) -> bool:
        if number in ids:
            return True
        answer = answers.get(name)
        if answer is None:
            folded = name.casefold()
            answer = answers[name] = folded in whole or any(part in folded for part in parts)
        return answer

    return held


_NAMED: dict[str, Callable[[Held], Test]] = {
    "scenario": lambda held: lambda row: held(row.scenario_id, row.scenario),
    "agent": lambda held: lambda row: held(row.agent_id, row.agent),
    "persona": lambda held: lambda row: held(row.personality_id, row.personality),
}


def _parts(values: tuple[Value, ...]) -> tuple[str, ...]:
    return tuple(value.text.casefold() for value in values if value.contains)


def _metric(values: tuple[Value, ...]) -> Test:
    whole = frozenset(value.text.casefold() for value in values if not value.contains)
    parts = _parts(values)
    answers: dict[tuple[str, ...], bool] = {}

    def failed(row: RunRow) -> bool:
        answer = answers.get(row.failing)
        if answer is None:
            names = [name.casefold() for name in row.failing]
            answer = any(name in whole or any(part in name for part in parts) for name in names)
            answers[row.failing] = answer
        return answer

    return failed


def _note(values: tuple[Value, ...], notes: Mapping[int, str]) -> Test:
    passes = _of_note(values)
    return lambda row: passes(notes.get(row.id, ""))


def _of_note(values: tuple[Value, ...]) -> Callable[[str], bool]:
    truths = frozenset(value.text == "yes" for value in values if not value.contains)
    parts = _parts(values)

    def passes(note: str) -> bool:
        if bool(note) in truths:
            return True
        return bool(parts and note) and any(part in note.casefold() for part in parts)

    return passes


def noted(wanted: Filter, notes: Mapping[int, str]) -> tuple[int, ...] | None:
    """The ids of all runs whose notes pass, the newest first, where a filter asks for runs with notes; else None."""
    asked = [_of_note(term.values) for term in wanted.terms if term.key == "note" and not term.negated]
    asked = [passes for passes in asked if not passes("")]
    if not asked:
        return None
    found = [number for number, note in notes.items() if all(passes(note) for passes in asked)]
    return tuple(sorted(found, reverse=True))


def _row_length(op: str, limit: int) -> Test:
    # Lengths are whole seconds.
    shortest = limit + (op == ">") if op in (">", ">=") else 0
    longest = limit - (op == "<") if op in ("<", "<=") else inf
    answers: dict[str, bool] = {}

    def long_enough(row: RunRow) -> bool:
        answer = answers.get(row.duration)
        if answer is None:
            seconds = row.seconds
            answer = answers[row.duration] = seconds is not None and shortest <= seconds <= longest
        return answer

    return long_enough


def _words(words: list[tuple[str, bool]], notes: Mapping[int, str]) -> Test:
    def found(row: RunRow) -> bool:
        parts = (str(row.id), row.scenario, row.personality, row.agent, row.outcome.text, row.status, *row.failing)
        # No text that was cleaned holds a zero, so that no word is found across two parts.
        all_of_it = "\0".join((*parts, notes.get(row.id, ""))).casefold()
        return all((word in all_of_it) is wanted for word, wanted in words)

    return found
