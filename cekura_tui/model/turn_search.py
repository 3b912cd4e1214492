"""Search in the turns of one transcript."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, islice
from operator import attrgetter
from typing import NamedTuple

from cekura_tui.model.turn import Speaker, Turn

MOST = 10_000
"""Places in one turn that are counted; nobody goes through more."""
_SIDES: dict[str, tuple[Speaker, ...]] = {
    "caller": ("testing",),
    "agent": ("main",),
    "tool": ("tool_call", "tool_result"),
    "other": ("other",),
}


class Match(NamedTuple):
    """Where the words are: turn number, and from which character of its text to before which one."""

    n: int
    start: int
    end: int


class At(NamedTuple):
    """Which match one is at, from 1, of how many: 3 of 17. 0 where one is at none yet."""

    number: int
    of: int


class Asked(NamedTuple):
    """What is searched: the speakers (empty for all), and the words."""

    speakers: tuple[Speaker, ...]
    words: str


def read_asked(text: str) -> Asked:
    """`caller:`, `agent:`, `tool:` or `other:` before the words narrows the search to that side."""
    side, colon, words = text.partition(":")
    if colon and (speakers := _SIDES.get(side.strip().lower())):
        return Asked(speakers, words.strip())
    return Asked((), text.strip())


class Found:
    """All places of some words. They are only counted at first, for one types a letter and there are 100,000 of it;
    where in a turn they are is found when somebody looks at it."""

    def __init__(
        self, turns: Iterable[Turn] = (), asked: str = "", text_of: Callable[[Turn], str] = attrgetter("text")
    ) -> None:
        """`text_of` is the text that a turn shows."""
        speakers, words = read_asked(asked)
        parts = _alike(words).split()
        # White space in what is typed stands for any: a turn may be broken into lines.
        self._pattern = re.compile(r"\s+".join(map(re.escape, parts)))
        self._texts: dict[int, str] = {}
        self._places: dict[int, tuple[tuple[int, int], ...]] = {}
        counts: list[int] = []
        longest = max(parts, key=len, default="")
        for turn in turns if parts else ():
            if speakers and turn.speaker not in speakers:
                continue
            text = _alike(text_of(turn))
            number = text.count(longest)
            if number and len(parts) > 1:
                number = len(self._pattern.findall(text))
            if number:
                self._texts[turn.n] = text
                counts.append(min(number, MOST))
        self._numbers = list(self._texts)
        self._until = list(accumulate(counts))

    def __len__(self) -> int:
        return self._until[-1] if self._until else 0

    def __getitem__(self, place: int) -> Match:
        """The match of a place, from 0, in the order of turns and characters."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        at = bisect_right(self._until, place)
        n = self._numbers[at]
        return Match(n, *self.spans(n)[place - (self._until[at - 1] if at else 0)])

    def first_from(self, n: int) -> int:
        """The place of the first match in this turn or after it; after the last one their number."""
        at = bisect_left(self._numbers, n)
        return self._until[at - 1] if at else 0

    def place_of(self, match: Match) -> int | None:
        """The place of a match, or None if it is none of these."""
        spans = self.spans(match.n)
        inside = bisect_left(spans, (match.start, match.end))
        if inside < len(spans) and spans[inside] == (match.start, match.end):
            return self.first_from(match.n) + inside
        return None

    def spans(self, n: int) -> tuple[tuple[int, int], ...]:
        """The places in a turn, as characters of its text from and to before."""
        if (spans := self._places.get(n)) is None:
            text = self._texts.get(n)
            if text is None:
                return ()
            spans = self._places[n] = tuple(place.span() for place in islice(self._pattern.finditer(text), MOST))
        return spans


def _alike(text: str) -> str:
    """The text in lower case, as many characters long as before."""
    if text.isascii():
        return text.lower()
    lower = text.lower().replace("ς", "σ")
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text).replace("ς", "σ")
