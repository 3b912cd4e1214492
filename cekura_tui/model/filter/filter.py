"""A filter of runs: its keys, its terms that all have to hold, and filters with a name."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Literal, NamedTuple

from cekura_tui.model.text import DAY

Kind = Literal["word", "name", "id", "metric", "length", "moment", "note"]


class FilterKey(NamedTuple):
    """A key: `words` are the values it takes, or offers where it takes others too; `example` is a right term."""

    name: str
    kind: Kind
    example: str
    words: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def sign(self) -> str:
        """What stands between the key and its value most often."""
        return ">" if self.kind == "length" else ":"

    @property
    def single(self) -> bool:
        """Whether several values make no sense."""
        return self.kind in ("length", "moment")


LIVE = ("running", "evaluating", "in_progress", "in_queue", "pending", "scaling_up")
"""The statuses in which a run can still change; the server's words."""
ENDED = ("completed", "failed", "timeout", "cancelled")

KEYS: tuple[FilterKey, ...] = (
    FilterKey("status", "word", "status:failed", (*ENDED, *LIVE)),
    FilterKey("outcome", "word", "outcome:failed", ("passed", "failed", "error", "review", "running", "unknown")),
    FilterKey("scenario", "name", "scenario:~refund", aliases=("scenarios",)),
    FilterKey("since", "moment", "since:2d", ("2d", "today", "yesterday"), aliases=("after", "last", "within", "from")),
    FilterKey("agent", "name", "agent:~clinic", aliases=("agents",)),
    FilterKey("persona", "name", "persona:~hurry", aliases=("personality", "personalities", "personas")),
    FilterKey("metric", "metric", "metric:~completion", aliases=("metrics", "check", "checks")),
    FilterKey("dur", "length", "dur>120", aliases=("duration",)),
    FilterKey("result", "id", "result:991", aliases=("results",)),
    FilterKey("id", "id", "id:48213", aliases=("ids", "run", "runs")),
    FilterKey("until", "moment", "until:2026-11-01", ("today", "yesterday"), aliases=("before", "to")),
    FilterKey("reviewed", "word", "reviewed:yes", ("yes", "no")),
    FilterKey("mode", "word", "mode:text", ("text", "voice")),
    FilterKey("note", "note", "note:yes", ("yes", "no"), aliases=("notes",)),
)
BY_NAME: dict[str, FilterKey] = {name: key for key in KEYS for name in (key.name, *key.aliases)}

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
# Lengths and moments are patterns that `re` compiles for the first filter that has one.
_LENGTH = r"(?:([0-9]{1,3})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,6})s?)?"
_CLOCK_LENGTH = r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-9]{2})"
_AGO = r"(?:last )?([0-9]{1,5})[ -]?(m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)(?:[ -]?ago)?"
_UNITS = {"m": 60, "h": 3_600, "d": DAY, "w": 7 * DAY}
_CLOCK = r"([0-9]{1,2}):([0-9]{2})"
_ISO = r"2[0-9]{3}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
_MOST_DIGITS = 18


def head_of(word: str) -> re.Match[str] | None:
    """Key (1) and sign (2) if a word reads as a term, also as one of an unknown key: "staus:", but not "http://"."""
    head = _HEAD.match(word)
    if head is None or head[1].lower() in BY_NAME:
        return head
    return head if head[2] == ":" and not word.startswith("//", head.end()) else None


def word_of(key: FilterKey, text: str) -> str | None:
    """The word of a key that is meant, or None."""
    word = text.lower().replace("-", "_")
    word = word if word in key.words else _SYNONYMS.get(word, "")
    return word if word in key.words else None


def id_of(text: str) -> int | None:
    """A plain number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def length_of(text: str) -> int | None:
    """The seconds of "120", "120s", "2m", "1m30s", "1h" or "2:30"; None if it is no length."""
    text = text.lower()
    found = (re.fullmatch(_LENGTH, text) or re.fullmatch(_CLOCK_LENGTH, text)) if text else None
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3_600 + minutes * 60 + seconds


def moment_text(text: str) -> str | None:
    """A moment as it is written in a filter: "2d" (also of "2 days ago"), "today", "14:05", "2026-11-01T14:05"; None if
    it is none."""
    if ago := re.fullmatch(_AGO, text.lower()):
        return f"{ago[1]}{ago[2][0]}"
    text = text.lower() if not re.fullmatch(_ISO, text.upper()) else text.upper().replace(" ", "T")
    return None if _resolved(text, 0.0, False) is None else text


def moment_of(text: str, now: float, *, last: bool = False) -> float:
    """The Unix time of a moment in local time; with `last`, of the last instant of a day that is named.

    Raises ValueError for what `moment_text` would not have written.
    """
    at = _resolved(text, now, last)
    if at is None:
        raise ValueError(f"no moment: {text!r}")
    return at


def _resolved(text: str, now: float, last: bool) -> float | None:
    if ago := re.fullmatch(_AGO, text):
        return float(max(0, int(now) - int(ago[1]) * _UNITS[ago[2][0]]))
    today = time.localtime(now)[:3]
    if text in ("today", "yesterday"):
        return _day(today, last, back=1 if text == "yesterday" else 0)
    if clock := re.fullmatch(_CLOCK, text):
        hour, minute = int(clock[1]), int(clock[2])
        if hour >= 24 or minute >= 60:
            return None
        at = time.mktime((*today, hour, minute, 0, 0, 0, -1))
        # At two in the morning, since 22:00 is since last night.
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
    """The first instant of a day in local time, or its last (days have 23 to 25 hours)."""
    year, month, number = day
    return _midnight(year, month, number - back + 1) - 1e-6 if last else _midnight(year, month, number - back)


def _midnight(year: int, month: int, day: int) -> float:
    """Where clocks are put back at midnight and it comes twice, the first; `mktime` takes either."""
    at = time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))
    return at - _UNITS["h"] if time.localtime(at - _UNITS["h"])[:3] == time.localtime(at)[:3] else at


_NOT = ("-", "!")
OTHER_QUOTES = tuple("'“”„‘’«»")
"""At the start of a value they are taken for quotes by mistake, unless that is quoted itself."""


class Value(NamedTuple):
    """A value as it was typed, without quotes; with `contains` a part of the name or text is enough ("~")."""

    text: str
    contains: bool = False

    def __str__(self) -> str:
        signs = '",|'
        plain = (
            self.text
            and self.text[0] not in ("~", *OTHER_QUOTES)
            and not any(c in signs or c.isspace() for c in self.text)
        )
        return ("~" if self.contains else "") + (self.text if plain else quoted(self.text))


class Term(NamedTuple):
    """One thing asked of a run: one of `values` under `key`, a canonical one of `KEYS`.

    Without a key it is a bare word, which has one value. `op` is ":", or of a length one of > >= < <=.
    """

    key: str
    values: tuple[Value, ...]
    op: str = ":"
    negated: bool = False

    def __str__(self) -> str:
        sign = "-" if self.negated else ""
        if self.key:
            return f"{sign}{self.key}{self.op}{','.join(map(str, self.values))}"
        return sign + _bare(self.values[0].text)


class Filter(NamedTuple):
    """Terms joined by "and"; true if there is any."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


ALL = Filter()


def quoted(text: str) -> str:
    """A text in double quotes, as the filter line reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


JOINING = {
    "and": "all terms have to match",
    "&&": "all terms have to match",
    "or": "values are separated by commas, outcome:failed,error",
}
"""What others write between terms, and how it is done here."""


def _bare(word: str) -> str:
    special = (
        word.lower() in JOINING
        or not word.strip(",|")
        or word[0] in (*_NOT, "~", *OTHER_QUOTES)
        or '"' in word
        or any(map(str.isspace, word))
    )
    return quoted(word) if special or head_of(word) else word


class SavedView(NamedTuple):
    """A filter (its text) with a name; the given ones can be neither changed nor forgotten."""

    name: str
    filter: str
    given: bool = False


GIVEN_VIEWS: tuple[SavedView, ...] = (
    SavedView("Failed today", "outcome:failed,error since:today", given=True),
    SavedView("Errors", "outcome:error", given=True),
    SavedView("To review", "outcome:review", given=True),
    SavedView("Running", "outcome:running", given=True),
)
