"""Search in transcripts: queries, and the matches in each turn."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.model.transcript.transcript import TOOLS, Speaker, Turn

if TYPE_CHECKING:
    from cekura_tui.model.run.view import RunRow

MAX_MATCHES = 10_000
"""Maximum number of matches counted in one turn."""
SIDES: dict[str, tuple[Speaker, ...]] = {"caller": ("testing",), "agent": ("main",), "tool": TOOLS, "other": ("other",)}


class TurnMatch(NamedTuple):
    """A match in turn `n`: characters `start` to `end` (exclusive) of the turn's text."""

    n: int
    start: int
    end: int


class MatchNumber(NamedTuple):
    """Position among the matches, such as 3 of 17; `number` is 0 before a match is reached."""

    number: int
    of: int


class TurnMatches:
    """All matches of a search in a call's turns, at most MAX_MATCHES in each turn. Only turns that contain every word
    of the search have matches, as in the search of all transcripts."""

    def __init__(
        self, turns: Iterable[Turn] = (), asked: str = "", text_of: Callable[[Turn], str] = attrgetter("text")
    ) -> None:
        """`asked` is the search as typed; `text_of` returns the text that is shown for a turn."""
        query = read_query(asked)
        self._matches: list[TurnMatch] = []
        for turn in turns if query.words else ():
            text = text_of(turn)
            if turn.speaker in (query.speakers or (turn.speaker,)) and query.matches(folded(text)):
                self._matches += (TurnMatch(turn.n, *span) for span in matches_in(text, query.words, MAX_MATCHES))

    def __len__(self) -> int:
        return len(self._matches)

    def __getitem__(self, place: int) -> TurnMatch:
        """The match at an index, in the order of turns and characters."""
        return self._matches[place]

    def first_from(self, n: float) -> int:
        """Index of the first match in turn `n` or later; the number of matches if there is none."""
        return bisect_left(self._matches, (n,))

    def place_of(self, match: TurnMatch) -> int | None:
        """Index of a match; None if the search has no such match."""
        place = bisect_left(self._matches, match)
        return place if self._matches[place : place + 1] == [match] else None

    def spans(self, n: int) -> tuple[tuple[int, int], ...]:
        """(start, end) of each match in turn `n`, in characters of the turn's text."""
        return tuple((match.start, match.end) for match in self._matches[self.first_from(n) : self.first_from(n + 1)])


LONGEST_QUERY = 200
"""Maximum number of characters of a query that are read."""
MOST_HITS = 1_000
"""Maximum number of hits that a screen lists; further hits are only counted."""
_SNIPPET, _BEFORE, _LOOKED_AT = 300, 30, 10_000
_PART = re.compile(r'(?:(caller|agent|tool|other):)?(?:"([^"]*)"?|([^\s"]+))?')
_DIACRITICS = re.compile("[\u0300-\u036f]")
_SPACES = re.compile("  +")
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean, in which spaces do not separate all words."""
_PLAIN = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}


@dataclass(frozen=True, slots=True)
class TranscriptQuery:
    """A turn matches if it has all folded `words`, in any order, and is by one of `speakers` (empty: anyone).

    A word or phrase matches whole words only: "fee" does not match "feel", and "fee*" matches both. Every character but
    letters, digits and combining marks separates words: "follow" matches "follow-up". In scripts that do not put a
    space between words, such as Chinese, Japanese, Korean and Thai, it matches anywhere.
    """

    words: tuple[str, ...]
    speakers: tuple[Speaker, ...] = ()

    def matches(self, text: str) -> bool:
        """Whether a folded text contains every word; who said the text is not checked."""
        # Searching for plain text first is many times faster.
        return all(stem_of(word) in text for word in self.words) and all(
            _pattern(word).search(text) for word in self.words
        )


@cache
def _word_char() -> re.Pattern[str]:
    """A letter, digit or combining mark of a script that puts spaces between words."""
    unspaced = re.compile(f"[{_UNSPACED}]")
    marks = [char for char in map(chr, range(0x370, 0x1B00)) if unicodedata.category(char).startswith("M")]
    return re.compile(f"[^\\W_{_UNSPACED}]|[{''.join(char for char in marks if not unspaced.match(char))}]")


def stem_of(word: str) -> str:
    """The text that a folded word of a query matches, without the "*" after the beginning of a word."""
    return word[:-1] if word.endswith("*") and word[-2:-1].isalnum() else word


def is_whole(word: str) -> bool:
    """Whether the end of a folded word of a query matches only the end of a word."""
    return stem_of(word) == word and bool(_word_char().match(word[-1]))


@lru_cache(maxsize=64)
def _pattern(word: str) -> re.Pattern[str]:
    """Matches a folded word or phrase of a query in a folded text, whose spaces need not be single."""
    stem, char = stem_of(word), _word_char()
    before = f"(?<!{char.pattern})" if char.match(stem[0]) else ""
    after = f"(?!{char.pattern})" if is_whole(word) else ""
    return re.compile(before + " +".join(map(re.escape, stem.split(" "))) + after)


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn that matches a search. `row` is the turn's run as last read, `start` is in seconds from the start of the
    call or None, `text` is the whole turn, and `matches` are (start, end) in `snippet`."""

    row: RunRow
    n: int
    speaker: Speaker
    start: float | None
    text: str
    snippet: str
    matches: tuple[tuple[int, int], ...]

    @property
    def run_id(self) -> int:
        return self.row.id

    def to_json(self) -> dict[str, object]:
        from cekura_tui.model.run.words import iso_time

        return {
            "run": self.run_id,
            "outcome": {"kind": self.row.outcome.kind, "text": self.row.outcome.text},
            "scenario": clean_line(self.row.scenario),
            "at": iso_time(self.row.at) or None,
            "turn": self.n,
            "speaker": next(side for side, speakers in SIDES.items() if self.speaker in speakers),
            "start": self.start,
            "text": self.text,
            "snippet": self.snippet,
            "matches": list(self.matches),
        }


@dataclass(frozen=True, slots=True)
class TranscriptHits:
    """The hits in `runs_covered` runs: the number of turns that match, by run, and the first of these turns."""

    runs_covered: int = 0
    hits: tuple[Hit, ...] = ()
    counts: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


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
    """Parse any text as words, a "phrase", and speakers such as `agent:`; only LONGEST_QUERY characters are read."""
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
    """The numbers of hits and of runs with hits; without hits, a hint."""
    words = read_query(text).words
    if not words:
        return "Type words from a call."
    if not found.runs_covered:
        return "No transcripts to search yet."
    runs = count(found.runs_covered, "run")
    if found.counts:
        return f"{count(found.total, 'hit')} in {len(found.counts):,} of {runs}."
    if any(word.endswith("*") and stem_of(word) == word for word in words):
        return f"No hits in {runs}. * needs letters before it: fee* finds fee and feel."
    longer = next((_quoted(f"{word}*") for word in words if is_whole(word)), "")
    whole = f" Only whole words match; {longer} finds longer words, too." if longer else ""
    return f"No hits in {runs}.{whole or ' Try fewer words.'}"


def snippet_of(text: str, words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A line of the text around the longest word, and (start, end) of all matches in the line."""
    # Short words such as "a" are everywhere.
    longest = max(words, key=len, default="")
    # Fold a long text part by part, and map characters only in the part with the word.
    steps = range(0, len(text), _LOOKED_AT - LONGEST_QUERY)
    parts = ((at, folded(text[at : at + _LOOKED_AT])) for at in steps)
    first = next((at for at, part in parts if _pattern(longest).search(part)), 0) if longest else 0
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


def matches_in(text: str, words: Sequence[str], most: int | None = None) -> list[tuple[int, int]]:
    """Sorted, merged (start, end) of the matches of the folded `words`; only the first `most` of each word."""
    parts = [_FOLDS[ord(char)] for char in text]
    whole = "".join(parts)
    found = sorted(
        match.span() for word in filter(None, words) for match in islice(_pattern(word).finditer(whole), most)
    )
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
