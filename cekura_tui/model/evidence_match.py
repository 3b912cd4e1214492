"""Finds words in turns: exactly, or nearly as they were said."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from cekura_tui.model.spoken_words import Word, stem, words_of
from cekura_tui.model.tool_call import brief
from cekura_tui.model.turn import TOOLS, Turn

_ELLIPSIS = re.compile(r"\s*(?:…|\.\.\.+|\[\.\.\.\]|\[…\]|\(\.\.\.\))\s*")
_NEAR = 0.75
"""So many of the words, at least, must be said in their order for a quote to count as said."""
_EFFORT = 3_000
"""Occurrences of words that are looked at for one quote: in a long call the rare words tell where to compare."""
_COMPARED = 20
"""Turns that are compared with a quote word by word."""
_FEW = 3
"""Fewer words must be said exactly."""
_LONGEST = 60
"""Words of a quote that are compared, and of a turn's text 3,000."""


class Place(NamedTuple):
    """Where words were said: the index of the turn, the characters of its text, and how much of them, 1 for all."""

    turn: int
    start: int
    end: int
    share: float


class SaidWords:
    """The words of all turns, indexed once; `add` the turns one after the other."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.words: list[list[Word]] = []
        self._where: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}

    def add(self, turn: Turn) -> None:
        """The next turn."""
        index = len(self.turns)
        words = words_of(text_of(turn)[:20_000])[:3_000]
        self.turns.append(turn)
        self.words.append(words)
        for form in {word.form for word in words}:
            self._where.setdefault(form, []).append(index)
        for root in {stem(word.form) for word in words}:
            self._stems.setdefault(root, []).append(index)

    def spread(self, form: str) -> int:
        """In how many turns a word is said."""
        return len(self._where.get(form, ()))

    def turns_with(self, form: str) -> Sequence[int]:
        """The indexes of the turns in which it is said."""
        return self._where.get(form, ())

    def turns_with_stem(self, root: str) -> Sequence[int]:
        """The indexes of the turns in which a word with this stem is said."""
        return self._stems.get(root, ())

    def find(self, quote: str) -> list[Place]:
        """Where a quote was said: the places of all its parts, if it leaves something out; the best ones alone."""
        parts = [words for part in _ELLIPSIS.split(quote) if (words := [word.form for word in words_of(part)])]
        if not parts:
            return []
        longest = max(parts, key=len)
        cut = len(parts) > 1 or _ELLIPSIS.search(quote) is not None
        places = self._find(longest, cut=cut)
        if len(parts) == 1:
            return places
        with_all = [place for place in places if all(self._in(place.turn, part) for part in parts)]
        return with_all or places

    def _find(self, forms: list[str], *, cut: bool) -> list[Place]:
        forms = forms[:_LONGEST]
        if exact := self._exact(forms):
            return exact
        return self._near(forms) if len(forms) >= _FEW else []

    def _candidates(self, forms: Sequence[str], least: float) -> list[int]:
        """Turns that say so many of these words, in any order; those that say most of the rare ones, not too many."""
        hits: Counter[int] = Counter()
        distinct = sorted(set(forms), key=self.spread)
        looked, effort = 0, 0
        for form in distinct:
            effort += self.spread(form)
            if looked and effort > _EFFORT:
                break
            hits.update(self._where.get(form, ()))
            looked += 1
        needed = max(least * len(distinct) - (len(distinct) - looked), 1)
        best = sorted((index for index, number in hits.items() if number >= needed), key=lambda i: (-hits[i], i))
        return sorted(best[:_COMPARED])

    def _exact(self, forms: Sequence[str]) -> list[Place]:
        rarest = min(forms, key=self.spread)
        offset, found = list(forms).index(rarest), []
        for index in self.turns_with(rarest):
            words = self.words[index]
            for place, word in enumerate(words):
                at = place - offset
                if word.form == rarest and at >= 0 and [w.form for w in words[at : at + len(forms)]] == list(forms):
                    found.append(Place(index, words[at].start, words[at + len(forms) - 1].end, 1.0))
                    break
        return found

    def _near(self, forms: list[str]) -> list[Place]:
        found = []
        for index in self._candidates(forms, _NEAR - 0.15):
            if (place := self._aligned(index, forms)) is not None and place.share >= _NEAR:
                found.append(place)
        best = max((place.share for place in found), default=0.0)
        return [place for place in found if place.share >= best - 0.05]

    def _in(self, index: int, forms: list[str]) -> bool:
        place = self._aligned(index, forms)
        return place is not None and place.share >= _NEAR

    def _aligned(self, index: int, forms: list[str]) -> Place | None:
        """The stretch of a turn that says most of these words in their order, with few others between them."""
        words = self.words[index]
        positions: dict[str, list[int]] = {}
        for at, word in enumerate(words):
            positions.setdefault(word.form, []).append(at)
        best: tuple[float, int, int] | None = None
        for start in sorted({at for form in forms[:4] for at in positions.get(form, ())}):
            said, last, first = 0.0, start - 1, -1
            skip = 0
            for n in range(len(forms)):
                if skip:
                    skip -= 1
                    continue
                place, weight, used = _next(words, positions, forms, n, last, len(forms))
                if place is not None:
                    said, last, skip = said + weight, place, used
                    first = place if first < 0 else first
            if first >= 0 and (best is None or said > best[0]):
                best = said, first, last
        if best is None:
            return None
        said, first, last = best
        return Place(index, words[first].start, words[last].end, said / len(forms))


def _next(
    words: list[Word], positions: dict[str, list[int]], forms: list[str], n: int, last: int, length: int
) -> tuple[int | None, float, int]:
    """The next place of a word after `last`, near it; also where two words are written as one, or one as two."""
    reach = last + 4 + length // 4
    form = forms[n]
    at = _after(positions.get(form, ()), last)
    if at is not None and at <= reach:
        return at, 1.0, 0
    if n + 1 < len(forms):
        joined = _after(positions.get(form + forms[n + 1], ()), last)
        if joined is not None and joined <= reach:
            return joined, 2.0, 1
    for place in range(last + 1, min(reach, len(words) - 1)):
        said = words[place].form
        if said + words[place + 1].form == form:
            return place + 1, 1.0, 0
        if _alike(said, form):
            return place, 0.9, 0
    return None, 0.0, 0


def _after(places: Sequence[int], last: int) -> int | None:
    at = bisect_left(places, last + 1)
    return places[at] if at < len(places) else None


def _alike(said: str, asked: str) -> bool:
    """Whether two words are forms of one: "book" and "booked"."""
    least = min(len(said), len(asked))
    return (
        least >= 4 and abs(len(said) - len(asked)) <= 3 and said[: least - (least > 5)] == asked[: least - (least > 5)]
    )


def text_of(turn: Turn) -> str:
    """The text of a turn in which words are sought; of a tool turn its values, which is what it shows."""
    if turn.speaker in TOOLS and turn.tool:
        name = turn.tool.get("name")
        return f"{name if isinstance(name, str) else ''} {brief(turn)}"
    return turn.text
