"""Tells which rows a filter lets through: every term can be told of a row, the local notes and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf

from cekura_tui.model.filter import Filter, Term, Value
from cekura_tui.model.filter_terms import id_of, length_of, moment_of
from cekura_tui.model.view import RunRow

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
        return _length(term.op, length_of(values[0].text) or 0)
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
    told: dict[str, bool] = {}

    def held(number: int | None, name: str) -> bool:
        if number in ids:
            return True
        answer = told.get(name)
        if answer is None:
            folded = name.casefold()
            answer = told[name] = folded in whole or any(part in folded for part in parts)
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
    told: dict[tuple[str, ...], bool] = {}

    def failed(row: RunRow) -> bool:
        answer = told.get(row.failing)
        if answer is None:
            names = [name.casefold() for name in row.failing]
            answer = any(name in whole or any(part in name for part in parts) for name in names)
            told[row.failing] = answer
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


def _length(op: str, limit: int) -> Test:
    # Lengths are whole seconds.
    shortest = limit + (op == ">") if op in (">", ">=") else 0
    longest = limit - (op == "<") if op in ("<", "<=") else inf
    told: dict[str, bool] = {}

    def long_enough(row: RunRow) -> bool:
        answer = told.get(row.duration)
        if answer is None:
            seconds = row.seconds
            answer = told[row.duration] = seconds is not None and shortest <= seconds <= longest
        return answer

    return long_enough


def _words(words: list[tuple[str, bool]], notes: Mapping[int, str]) -> Test:
    def found(row: RunRow) -> bool:
        parts = (str(row.id), row.scenario, row.personality, row.agent, row.outcome.text, row.status, *row.failing)
        # No text that was cleaned holds a zero, so that no word is found across two parts.
        all_of_it = "\0".join((*parts, notes.get(row.id, ""))).casefold()
        return all((word in all_of_it) is wanted for word, wanted in words)

    return found
