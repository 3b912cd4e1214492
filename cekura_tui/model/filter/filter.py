"""Filters of runs. The table `KEYS` defines how each key is parsed, completed, matched and sent to the server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from math import inf
from operator import attrgetter
from typing import Any, NamedTuple

from cekura_tui.model.run.view import RunRow, seconds_of
from cekura_tui.model.text import DAY

Params = dict[str, str | int]
"""Query parameters of the run list."""
Answer = Callable[[RunRow], bool | None]
"""Tests whether a term holds for a row; returns None if the row does not have the answer."""
Notes = Mapping[int, str]
"""Local notes by run id."""

_NOT = ("-", "!")
OTHER_QUOTES = tuple("'“”„‘’«»")
"""Quotes that filters do not use: an unquoted value that begins with one of these signs is reported as a mistake."""


class Value(NamedTuple):
    """A value of a term, without quotes. With `contains` (typed as "~"), a name or note only has to contain `text`."""

    text: str
    contains: bool = False

    def __str__(self) -> str:
        plain = self.text and self.text[0] not in ("~", *OTHER_QUOTES) and not re.search(r'[",|\s]', self.text)
        return ("~" if self.contains else "") + (self.text if plain else quoted(self.text))


class Term(NamedTuple):
    """One condition: the field named by `key` has any of `values`, or none of the values if `negated`. With an empty
    key, a row has to contain the only value, a bare word. `op` is ":", or one of > >= < <= for a duration."""

    key: str
    values: tuple[Value, ...]
    op: str = ":"
    negated: bool = False

    @property
    def texts(self) -> list[str]:
        return [value.text for value in self.values]

    def __str__(self) -> str:
        sign = "-" if self.negated else ""
        if self.key:
            return f"{sign}{self.key}{self.op}{','.join(map(str, self.values))}"
        word = self.values[0].text
        special = (
            word.lower() in CONJUNCTIONS
            or not word.strip(",|")
            or word[0] in (*_NOT, "~", *OTHER_QUOTES)
            or re.search(r'["\s]', word)
            or head_of(word)
        )
        return sign + (quoted(word) if special else word)


class Filter(NamedTuple):
    """Terms that must all hold. A filter without terms is false and matches every row."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


ALL = Filter()


def quoted(text: str) -> str:
    """Put a text in double quotes for the filter line; escape backslashes and double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


CONJUNCTIONS = {
    "and": "all terms have to match",
    "&&": "all terms have to match",
    "or": "values are separated by commas, outcome:failed,error",
}
"""Words that other search languages have between terms → why filters need no such word, for the error message."""


_SYNONYMS = {
    "canceled": "cancelled",
    "timed_out": "timeout",
    "queued": "in_queue",
    "fail": "failed",
    "pass": "passed",
    "errors": "error",
    "y": "yes",
    "true": "yes",
    "n": "no",
    "false": "no",
}
_HEAD = re.compile(r"([A-Za-z_]+)(:|>=|<=|>|<|=)")
# Not compiled here: `re` compiles them for the first filter with a duration or time.
_LENGTH = r"(?:([0-9]{1,3})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,6})s?)?"
_CLOCK_LENGTH = r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-9]{2})"
_AGO = r"(?:last )?([0-9]{1,5})[ -]?(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)(?:[ -]?ago)?"
_UNITS = {"m": 60, "h": 3_600, "d": DAY, "w": 7 * DAY}
_CLOCK = r"([0-9]{1,2}):([0-9]{2})"
_ISO = r"2[0-9]{3}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"


MakeTest = Callable[[Term, float, Notes], Answer]
"""Makes the predicate of a term; relative times count back from the second argument, a Unix time."""
MakeParams = Callable[[Term, float, bool], Params | None]


class ValueKind(NamedTuple):
    """How the values of a key are written. `read` takes the key, a value and whether the value is quoted, and returns
    the normalised value, or None for an invalid value. `wrong` is the template of the error message for an invalid
    value; with `parts`, there is no error, and names or notes are searched for the value. `signs` are allowed after the
    key. `parts`: the key supports "~". `spaced`: a value may have spaces. `single`: the key takes only one value."""

    read: Callable[[FilterKey, str, bool], str | None]
    wrong: str = ""
    signs: tuple[str, ...] = (":",)
    parts: bool = False
    spaced: bool = False
    single: bool = False


class FilterKey(NamedTuple):
    """A key of a term, such as "status" in "status:failed". `holds` makes the predicate that tests list rows. `params`
    makes query parameters that are equivalent to a term, or None if the server can't filter by the term; `narrows`
    makes parameters that only exclude most of the other runs. Both also take a bool: whether the server may omit
    matching runs. `changes`: the answer for a run may change after the run was made. `from_whole_run`: only a run read
    whole is sure to have the answer. `words` are the accepted or offered values, `names` is the field of `KnownNames`
    to offer instead. `value` is an example of a value."""

    name: str
    kind: ValueKind
    value: str
    holds: MakeTest
    params: MakeParams | None = None
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    names: str = ""
    narrows: Callable[[Term, bool], Params] | None = None
    changes: bool = False
    from_whole_run: bool = False

    @property
    def start(self) -> str:
        """The key with the first of its signs, such as "status:" or "dur>" for a duration."""
        return f"{self.name}{self.kind.signs[0]}"

    @property
    def example(self) -> str:
        return f"{self.start}{self.value}"


# How values are written


def head_of(word: str) -> re.Match[str] | None:
    """Match the key (group 1) and the sign (group 2) at the start of a term; None if there is no key. An unknown key
    matches only before ":" ("staus:"), and not as the scheme of a URL ("http://")."""
    head = _HEAD.match(word)
    if head is None or head[1].lower() in BY_NAME:
        return head
    return head if head[2] == ":" and not word.startswith("//", head.end()) else None


def word_of(key: FilterKey, text: str) -> str | None:
    """Normalise a value, which may be a synonym, to one of the key's words; None for any other value."""
    word = text.lower().replace("-", "_")
    word = word if word in key.words else _SYNONYMS.get(word, "")
    return word if word in key.words else None


def id_of(text: str) -> int | None:
    """Parse a number of at most 18 ASCII digits; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def length_of(text: str) -> int | None:
    """Parse a duration to seconds: "120", "120s", "2m", "1m30s", "1h" or "2:30"; None for any other text."""
    text = text.lower()
    found = (re.fullmatch(_LENGTH, text) or re.fullmatch(_CLOCK_LENGTH, text)) if text else None
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3_600 + minutes * 60 + seconds


def moment_text(text: str) -> str | None:
    """Normalise a time such as "2 days ago" (to "2d"), "today", "14:05" or "2026-11-01T14:05"; None for other texts."""
    if ago := re.fullmatch(_AGO, text.lower()):
        return f"{ago[1]}{ago[2][0]}"
    text = text.lower() if not re.fullmatch(_ISO, text.upper()) else text.upper().replace(" ", "T")
    return None if _resolved(text, 0.0, False) is None else text


def moment_of(text: str, now: float, *, last: bool = False) -> float:
    """Convert a time in a filter to Unix time, local without an offset; raises ValueError. A day means its first
    instant (`last`: its last one), and a time of day after `now` means yesterday, but today with `last`."""
    if (at := _resolved(text, now, last)) is None:
        raise ValueError(f"no moment: {text!r}")
    return at


def times_of(wanted: Filter, now: float) -> list[tuple[Term, float]]:
    """The terms `since:` and `until:` of a filter, each with its Unix time."""
    terms = [term for term in wanted.terms if term.key in ("since", "until")]
    return [(term, moment_of(term.texts[0], now, last=term.key == "until")) for term in terms]


def set_times(wanted: Filter, now: float) -> list[float]:
    """The Unix times of the days and times of day in a filter. Times such as "2d" are left out: they always move."""
    return [at for term, at in times_of(wanted, now) if not re.fullmatch(_AGO, term.texts[0])]


def _resolved(text: str, now: float, last: bool) -> float | None:
    if ago := re.fullmatch(_AGO, text):
        return float(max(0, int(now) - int(ago[1]) * _UNITS[ago[2][0]]))
    today = time.localtime(now)[:3]
    if text in ("today", "yesterday"):
        return _day(today, last, back=text == "yesterday")
    if clock := re.fullmatch(_CLOCK, text):
        hour, minute = int(clock[1]), int(clock[2])
        if hour >= 24 or minute >= 60:
            return None
        at = time.mktime((*today, hour, minute, 0, 0, 0, -1))
        # At 02:00, "since:22:00" means since last night.
        return at if at <= now or last else time.mktime((*today[:2], today[2] - 1, hour, minute, 0, 0, 0, -1))
    if not re.fullmatch(_ISO, text):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if "T" not in text:
        return _day((when.year, when.month, when.day), last)
    return when.timestamp() if when.tzinfo else time.mktime((*when.timetuple()[:6], 0, 0, -1))


def _day(day: tuple[int, int, int], last: bool, back: int = 0) -> float:
    """The first (or `last`) local instant of the day `back` days before `day`; a day may have 23 or 25 hours."""
    year, month, number = day
    return _midnight(year, month, number - back + 1) - 1e-6 if last else _midnight(year, month, number - back)


def _midnight(year: int, month: int, day: int) -> float:
    """Unix time of local midnight: of the first, if the day has two because clocks are set back to midnight."""
    at = time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))
    return at - _UNITS["h"] if time.localtime(at - _UNITS["h"])[:3] == time.localtime(at)[:3] else at


def _number(key: FilterKey, text: str, quoted: bool) -> str | None:
    number = id_of(text)
    return None if number is None else str(number)


WORD = ValueKind(lambda key, text, quoted: word_of(key, text), "unknown {name} “{text}”{meant} ({words})")
ID = ValueKind(_number, "“{text}” is not a number: {example}")
NAME = ValueKind(lambda key, text, quoted: _number(key, text, quoted) or text, parts=True, spaced=True)
METRIC = ValueKind(lambda key, text, quoted: text, parts=True, spaced=True)
LENGTH = ValueKind(
    lambda key, text, quoted: None if length_of(text) is None else text.lower(),
    "“{text}” is not a duration: 120, 2m, 1m30s or 2:30",
    signs=(">", ">=", "<", "<="),
    single=True,
)
MOMENT = ValueKind(
    lambda key, text, quoted: moment_text(text),
    "“{text}” is not a time{meant} ({ago}, today, yesterday, 14:05 or 2026-11-01)",
    spaced=True,
    single=True,
)
NOTE = ValueKind(lambda key, text, quoted: None if quoted else word_of(key, text), parts=True, spaced=True)
"""Values of `note:`: "yes", "no" or a synonym; a quoted or any other value is searched for in the notes."""


# Which rows a term lets through


def _cached(answer_of: Callable[[Any], bool | None], *fields: str) -> Answer:
    """Make a predicate of a row's `fields`, with cached answers; the answer is None if the value is None or ""."""
    value_of = attrgetter(*fields)
    answer = cache(lambda value: None if value in (None, "") else answer_of(value))
    return lambda row: answer(value_of(row))


def _one_of(field: str, read: Callable[[str], object] = str) -> MakeTest:
    """Match rows whose `field` is one of the term's values; `read` converts each value to the field's type."""
    return lambda term, now, notes: _cached(frozenset(map(read, term.texts)).__contains__, field)


def _lasts(term: Term, now: float, notes: Notes) -> Answer:
    limit = length_of(term.texts[0]) or 0
    shortest = limit + (term.op == ">") if term.op in (">", ">=") else 0
    longest = limit - (term.op == "<") if term.op in ("<", "<=") else inf

    def answer(duration: str) -> bool | None:
        seconds = seconds_of(duration)
        return None if seconds is None else shortest <= seconds <= longest

    return _cached(answer, "duration")


def _since(term: Term, now: float, notes: Notes) -> Answer:
    at = moment_of(term.texts[0], now)
    return lambda row: None if row.at is None else row.at >= at


def _until(term: Term, now: float, notes: Notes) -> Answer:
    at = moment_of(term.texts[0], now, last=True)
    return lambda row: None if row.at is None else row.at <= at


def _parts(term: Term) -> tuple[str, ...]:
    return tuple(value.text.casefold() for value in term.values if value.contains)


def _called(thing: str) -> MakeTest:
    """Match rows by the id, the name or a part of the name of `thing`, such as "agent"."""

    def holds(term: Term, now: float, notes: Notes) -> Answer:
        numbers = {value: id_of(value.text) for value in term.values if not value.contains}
        ids = frozenset(number for number in numbers.values() if number is not None)
        names = _name_test(term, [value.text for value, number in numbers.items() if number is None])

        def called(value: tuple[int | None, str]) -> bool | None:
            number, name = value
            return number in ids or names(name) or (None if number is None else False)

        return _cached(called, f"{thing}_id", thing)

    return holds


def _name_test(term: Term, whole_names: Iterable[str]) -> Callable[[str], bool]:
    whole, parts = frozenset(map(str.casefold, whole_names)), _parts(term)
    return lambda name: name.casefold() in whole or any(part in name.casefold() for part in parts)


def _failed_metric(term: Term, now: float, notes: Notes) -> Answer:
    names = _name_test(term, [value.text for value in term.values if not value.contains])
    return _cached(lambda of: any(map(names, of[0])) or (None if of[1] else False), "failing", "lacks_checks")


def _has_note(term: Term, now: float, notes: Notes) -> Answer:
    passes = note_test(term)
    return lambda row: passes(notes.get(row.id, ""))


def note_test(term: Term) -> Callable[[str], bool]:
    """Return a predicate for the note of a run; the predicate takes "" for a run without a note."""
    truths = frozenset(value.text == "yes" for value in term.values if not value.contains)
    parts = _parts(term)

    return lambda note: bool(note) in truths or any(note and part in note.casefold() for part in parts)


# What the server can filter by

MOST_IDS = 100
"""Maximum number of ids in one query parameter."""
LIVE = ("running", "evaluating", "in_progress", "in_queue", "pending", "scaling_up")
"""Server statuses of runs that can still change."""
ENDED = ("completed", "failed", "timeout", "cancelled")


def _status_params(term: Term, now: float, narrow: bool) -> Params:
    return {"status__in": ",".join(term.texts)}


def _ids(name: str, most: int = MOST_IDS) -> MakeParams:
    def params(term: Term, now: float, narrow: bool) -> Params | None:
        plain = not any(value.contains or id_of(value.text) is None for value in term.values)
        return {name: ",".join(term.texts)} if plain and len(term.values) <= most else None

    return params


def _length_params(term: Term, now: float, narrow: bool) -> Params:
    limit = length_of(term.texts[0]) or 0
    if term.op in (">", ">="):
        return {"duration__gte": limit + 1 if term.op == ">" else limit}
    return {"duration__lte": limit - 1 if term.op == "<" else limit}


def _since_params(term: Term, now: float, narrow: bool) -> Params:
    return {"created_at_from": _iso(moment_of(term.texts[0], now))}


def _until_params(term: Term, now: float, narrow: bool) -> Params:
    # A server may read only the date.
    return {"created_at_to": _iso(moment_of(term.texts[0], now, last=True) + (0 if narrow else DAY))}


def _mode_params(term: Term, now: float, narrow: bool) -> Params | None:
    text, *others = set(term.texts)
    return None if others else {"result__run_as_text": "true" if text == "text" else "false"}


def _outcome_params(term: Term, narrow: bool) -> Params:
    """Parameters that exclude most runs with other outcomes; empty if no parameters fit the term. Only the parameters
    for `running` alone are exact. Other parameters may omit matching runs, so they are made only with `narrow`."""
    kinds = set(term.texts)
    if kinds == {"running"}:
        return {"status__in": ",".join(LIVE)}
    if not narrow:
        return {}
    if kinds == {"passed"}:
        return {"success": "true"}
    # Running runs have no success either, so ask for ended ones.
    if kinds <= {"failed", "error"}:
        return {"success": "false", "status__in": ",".join(ENDED)}
    return {"status__in": ",".join(ENDED)} if kinds == {"review"} else {}


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if moment.microsecond else "%Y-%m-%dT%H:%M:%SZ")


_OUTCOMES = ("passed", "failed", "error", "review", "running", "unknown")
_PERSONAS = ("personality", "personalities", "personas")
_CHECKS = ("metrics", "check", "checks")
_SINCE = ("after", "last", "within", "from")
KEYS: tuple[FilterKey, ...] = (
    FilterKey("status", WORD, "failed", _one_of("status"), _status_params, words=(*ENDED, *LIVE), changes=True),
    FilterKey(
        "outcome", WORD, "failed", _one_of("outcome.kind"), words=_OUTCOMES, narrows=_outcome_params, changes=True
    ),
    FilterKey(
        "scenario", NAME, "~refund", _called("scenario"), _ids("scenario__id__in"), ("scenarios",), names="scenarios"
    ),
    FilterKey("since", MOMENT, "2d", _since, _since_params, _SINCE, ("2d", "today", "yesterday")),
    FilterKey("agent", NAME, "~clinic", _called("agent"), _ids("agent_id", 1), ("agents",), names="agents"),
    FilterKey(
        "persona", NAME, "~hurry", _called("personality"), _ids("personality__id__in"), _PERSONAS, names="personalities"
    ),
    FilterKey("metric", METRIC, "~completion", _failed_metric, None, _CHECKS, names="metrics", from_whole_run=True),
    FilterKey("dur", LENGTH, "120", _lasts, _length_params, ("duration",), changes=True),
    FilterKey("result", ID, "991", _one_of("result_id", int), _ids("result__id", 1), ("results",), names="results"),
    FilterKey("id", ID, "48213", _one_of("id", int), _ids("id__in"), ("ids", "run", "runs")),
    FilterKey("until", MOMENT, "2026-11-01", _until, _until_params, ("before", "to"), ("today", "yesterday")),
    FilterKey("reviewed", WORD, "yes", _one_of("reviewed", "yes".__eq__), words=("yes", "no")),
    FilterKey("mode", WORD, "text", _one_of("as_text", "text".__eq__), _mode_params, words=("text", "voice")),
    FilterKey("note", NOTE, "yes", _has_note, aliases=("notes",), words=("yes", "no")),
)
BY_NAME: dict[str, FilterKey] = {name: key for key in KEYS for name in (key.name, *key.aliases)}


class SavedView(NamedTuple):
    """A named filter, as text. A built-in view can't be changed or deleted."""

    name: str
    filter: str
    built_in: bool = False


BUILT_IN_VIEWS: tuple[SavedView, ...] = (
    SavedView("Failed today", "outcome:failed,error since:today", built_in=True),
    SavedView("Errors", "outcome:error", built_in=True),
    SavedView("To review", "outcome:review", built_in=True),
    SavedView("Running", "outcome:running", built_in=True),
)
