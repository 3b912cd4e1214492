"""Search in transcripts: queries, and the matches in each turn."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from operator import attrgetter
from typing import NamedTuple

from cekura_tui.model.text import clean, count
from cekura_tui.model.transcript.transcript import Speaker, Turn

MAX_MATCHES = 10_000
"""Maximum number of matches counted in one turn."""
SIDES: dict[str, tuple[Speaker, ...]] = {
    "caller": ("testing",),
    "agent": ("main",),
    "tool": ("tool_call", "tool_result"),
    "other": ("other",),
}


class TurnMatch(NamedTuple):
    """A match in turn `n`: characters `start` to `end` (exclusive) of the turn's text."""

    n: int
    start: int
    end: int


class MatchNumber(NamedTuple):
    """Position among the matches, such as 3 of 17; `number` is 0 before a match is reached."""

    number: int
    of: int


def read_turn_query(text: str) -> tuple[tuple[Speaker, ...], str]:
    """Split a search into speakers (empty for all) and words: `agent:` limits the search to the agent's turns."""
    side, colon, words = text.partition(":")
    if colon and (speakers := SIDES.get(side.strip().lower())):
        return speakers, words.strip()
    return (), text.strip()


class TurnMatches:
    """All matches of a search in a call's turns, counted first and located only when needed: there may be 100,000."""

    def __init__(
        self, turns: Iterable[Turn] = (), asked: str = "", text_of: Callable[[Turn], str] = attrgetter("text")
    ) -> None:
        """`asked` is the search as typed; `text_of` returns the text that is shown for a turn."""
        speakers, words = read_turn_query(asked)
        parts = _lower_same_length(words).split()
        # White space in a query matches any: a turn may have line breaks.
        self._pattern = re.compile(r"\s+".join(map(re.escape, parts)))
        self._texts: dict[int, str] = {}
        self._places: dict[int, tuple[tuple[int, int], ...]] = {}
        counts: list[int] = []
        longest = max(parts, key=len, default="")
        for turn in turns if parts else ():
            if speakers and turn.speaker not in speakers:
                continue
            text = _lower_same_length(text_of(turn))
            number = text.count(longest)
            if number and len(parts) > 1:
                number = len(self._pattern.findall(text))
            if number:
                self._texts[turn.n] = text
                counts.append(min(number, MAX_MATCHES))
        self._numbers = list(self._texts)
        self._until = list(accumulate(counts))

    def __len__(self) -> int:
        return self._until[-1] if self._until else 0

    def __getitem__(self, place: int) -> TurnMatch:
        """The match at an index, in the order of turns and characters."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        at = bisect_right(self._until, place)
        n = self._numbers[at]
        return TurnMatch(n, *self.spans(n)[place - (self._until[at - 1] if at else 0)])

    def first_from(self, n: int) -> int:
        """Index of the first match in turn `n` or later; the number of matches if there is none."""
        at = bisect_left(self._numbers, n)
        return self._until[at - 1] if at else 0

    def place_of(self, match: TurnMatch) -> int | None:
        """Index of a match; None if the search has no such match."""
        spans = self.spans(match.n)
        inside = bisect_left(spans, (match.start, match.end))
        if inside < len(spans) and spans[inside] == (match.start, match.end):
            return self.first_from(match.n) + inside
        return None

    def spans(self, n: int) -> tuple[tuple[int, int], ...]:
        """(start, end) of each match in turn `n`, in characters of the turn's text."""
        if (spans := self._places.get(n)) is None:
            text = self._texts.get(n)
            if text is None:
                return ()
            spans = self._places[n] = tuple(place.span() for place in islice(self._pattern.finditer(text), MAX_MATCHES))
        return spans


def _lower_same_length(text: str) -> str:
    """Lower-case a text without changing its length, so that offsets stay valid."""
    if text.isascii():
        return text.lower()
    lower = text.lower().replace("ς", "σ")
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text).replace("ς", "σ")


LONGEST_QUERY = 200
"""Maximum number of characters of a query that are read."""
MOST_HITS = 200
"""Maximum number of hits that are listed; further hits are only counted."""
_SNIPPET, _BEFORE, _LOOKED_AT = 300, 30, 10_000
_PART = re.compile(r'(?:(caller|agent|tool|other):)?(?:"([^"]*)"?|([^\s"]+))?')
_DIACRITICS = re.compile("[\u0300-\u036f]")
_SPACES = re.compile("  +")
_PLAIN = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}


@dataclass(frozen=True, slots=True)
class TranscriptQuery:
    """A turn matches if it has all folded `words`, in any order, and is by one of `speakers` (empty: anyone)."""

    words: tuple[str, ...]
    speakers: tuple[Speaker, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn of an opened run that matches a search. `start` is in seconds from the start of the call, `when` is Unix
    time; both may be None. `matches` are (start, end) in `snippet`."""

    run_id: int
    n: int
    speaker: Speaker
    start: float | None
    snippet: str
    matches: tuple[tuple[int, int], ...]
    scenario: str
    when: float | None

    def to_json(self) -> dict[str, object]:
        from cekura_tui.model.run.words import iso_time

        return {
            "run": self.run_id,
            "scenario": self.scenario,
            "at": iso_time(self.when) or None,
            "turn": self.n,
            "speaker": self.speaker,
            "start": self.start,
            "snippet": self.snippet,
            "matches": list(self.matches),
        }


@dataclass(frozen=True, slots=True)
class TranscriptHits:
    """The result of searching all opened runs: at most MOST_HITS of `total` matching turns, newest run first.

    `runs_covered` is the number of runs searched, `runs_hit` the number of runs with matches. `indexed` is False if
    every turn was scanned.
    """

    runs_covered: int
    hits: tuple[Hit, ...]
    total: int
    indexed: bool
    runs_hit: int = 0


class _Folds(dict[int, str]):
    """Character code → the character without case and Latin diacritics, computed on first use."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char.isspace():
            folded = " "
        else:
            plain = _DIACRITICS.sub("", unicodedata.normalize("NFKD", _PLAIN.get(char, char)))
            folded = _DIACRITICS.sub("", plain.casefold())
        self[code] = folded
        return folded


_FOLDS = _Folds()


def folded(text: str) -> str:
    """Fold a text for comparison: no case, no Latin diacritics, single spaces for white space."""
    return _SPACES.sub(" ", text.translate(_FOLDS))


def read_query(text: str) -> TranscriptQuery:
    """Parse any text as a query: words, a "phrase", and speakers, such as `agent:` before a word or alone. Only the
    first LONGEST_QUERY characters are read."""
    words: dict[str, None] = {}
    speakers: dict[Speaker, None] = {}
    for side, phrase, word in _PART.findall(folded(clean(text[:LONGEST_QUERY]))):
        if side:
            speakers.update(dict.fromkeys(SIDES[side]))
        if wanted := (phrase or word).strip():
            words[wanted] = None
    return TranscriptQuery(tuple(words), tuple(speakers))


def join_words(words: Iterable[str]) -> str:
    """Rebuild a query from shell arguments; an argument with spaces was a quoted phrase."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if '"' in word or not any(map(str.isspace, word.strip())):
        return word
    side, colon, phrase = word.partition(":")
    return f'{side}:"{phrase}"' if colon and side.lower() in SIDES else f'"{word}"'


def result_text(text: str, found: TranscriptHits) -> str:
    """A sentence with the numbers of hits and runs; without hits, a sentence that says what to do."""
    runs = f"{count(found.runs_covered, 'run')} cached here"
    if not found.runs_covered:
        return "No runs to search yet. Open a run to make its transcript searchable."
    if not read_query(text).words:
        return f"Type words from a call. Searches {runs}."
    way = "" if found.indexed else " (slow: no index)"
    if not found.total:
        return f"No hits in {runs}{way}. Try fewer or shorter words, or open more runs."
    shown = f" · first {len(found.hits)} shown" if len(found.hits) < found.total else ""
    return f"{count(found.total, 'hit')} in {found.runs_hit:,} of {runs}{way}{shown}"


def snippet_of(text: str, words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line of the text around the longest word, and (start, end) of all matches in the line."""
    # Short words such as "a" are everywhere.
    longest = max(words, key=len, default="")
    # Fold a long text part by part, and map characters only in the part with the word.
    steps = range(0, len(text), _LOOKED_AT - LONGEST_QUERY)
    first = next((at for at in steps if longest in folded(text[at : at + _LOOKED_AT])), 0)
    wanted = matches_in(text[first : first + _LOOKED_AT], [longest])
    start = max((first + wanted[0][0] if wanted else 0) - _BEFORE, 0)
    # Start at a word if one is near, and never inside a letter with combining marks.
    if start and (space := text.find(" ", start, start + _BEFORE // 2)) >= 0:
        start = space + 1
    while start and start < len(text) and unicodedata.combining(text[start]):
        start -= 1
    end = start + _SNIPPET
    head, tail = "…" if start else "", "…" if end < len(text) else ""
    # Replace one character by one, so that offsets stay valid.
    line = "".join(" " if char.isspace() else char for char in text[start:end])
    moved = len(head) - start
    margin = max(start - LONGEST_QUERY, 0)
    places = [(a + margin, b + margin) for a, b in matches_in(text[margin : end + LONGEST_QUERY], words)]
    inside = [(max(a, start) + moved, min(b, end) + moved) for a, b in places if a < end and b > start]
    return f"{head}{line}{tail}", tuple(inside)


def matches_in(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """(start, end) of all matches of the folded `words` in a text, sorted; overlapping matches are merged."""
    parts = [_FOLDS[ord(char)] for char in text]
    whole = "".join(parts)
    patterns = (" +".join(map(re.escape, word.split(" "))) for word in words if word)
    found = sorted(match.span() for pattern in patterns for match in re.finditer(pattern, whole))
    if not found:
        return []
    # The origin of each folded character; one that folds to nothing belongs to the one before it.
    origin = [n for n, part in enumerate(parts) for _ in part] + [len(text)]
    joined: list[tuple[int, int]] = []
    for first, after in found:
        start, end = origin[first], max(origin[after], origin[after - 1] + 1)
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
