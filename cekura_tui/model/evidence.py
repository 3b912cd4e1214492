"""Evidence: the turns that a verdict's explanation speaks of, each with how sure and why.

Where nothing is found, nothing is claimed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.evidence_described import beside, described, figures
from cekura_tui.model.evidence_match import Place, SaidWords
from cekura_tui.model.evidence_mentions import Quote, Sentence, Time, sentences_of
from cekura_tui.model.evidence_tools import ToolNames, narrowed
from cekura_tui.model.spoken_words import words_of
from cekura_tui.model.turn import TOOLS, Turn

Sure = Literal["sure", "likely", "maybe"]
_RANK: dict[Sure, int] = {"sure": 0, "likely": 1, "maybe": 2}
_BESIDE = 15.0
"""Seconds before and after the speech of a turn within which a time may still mean it."""
_MOST_OF_RANGE = 8
"""Turns of a range of time that are all pointed at."""
_SHORT = 3
"""Words of a quote that says too little by itself to tell which of several turns is meant."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A turn (`n`) that a verdict speaks of; `spans` are the characters of its text that are quoted, where they are."""

    n: int
    sure: Sure
    why: str
    spans: tuple[tuple[int, int], ...] = ()


class EvidenceFinder:
    """Finds in the turns of one call; made once for all its verdicts. `read` its turns first, in as many steps as one
    likes: of a long call that takes a second."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        self._said = SaidWords()
        self._tools = ToolNames(turns)
        timed = sorted((turn.start, index) for index, turn in enumerate(turns) if turn.start is not None)
        self._starts = [start for start, _ in timed]
        self._at = [index for _, index in timed]
        self._end = max((turn.end or turn.start or 0.0 for turn in turns), default=0.0)

    def read(self) -> Iterator[None]:
        """Read the words of one turn after the other."""
        for turn in self._turns:
            self._said.add(turn)
            yield

    def find(self, explanation: Iterable[str]) -> tuple[Evidence, ...]:
        """The turns that an explanation speaks of, in the order of the call. All must have been read."""
        found = _Found()
        for sentence in sentences_of(explanation):
            self._look(sentence, found)
        return found.told()

    def _look(self, sentence: Sentence, found: _Found) -> None:
        timed = {time: self._timed(time, sentence) for time in sentence.times}
        numbered = [n - 1 for n in sentence.turns if 1 <= n <= len(self._turns)]
        pointed = {index for indexes in timed.values() for index in indexes} | set(numbered)
        quoted: set[int] = set()
        for quote in sentence.quotes:
            for place in self._quoted(quote, sentence, pointed, found):
                sure: Sure = "sure" if place.share == 1 else "likely"
                why = f"says “{_short(quote.text)}”" if place.share == 1 else f"says nearly “{_short(quote.text)}”"
                found.add(self._turns[place.turn].n, sure, why, (place.start, place.end))
                quoted.add(place.turn)
        for index in numbered:
            found.add(self._turns[index].n, "sure", f"is turn {self._turns[index].n}")
        for time, indexes in timed.items():
            if not self._told_by_quote(time, indexes, quoted):
                for index in indexes:
                    found.add(self._turns[index].n, "likely" if time.vague else "sure", f"is at {time.text}")
        self._look_at_tools(sentence, pointed, found)
        self._look_for_described(sentence, timed, found)

    # Quotes

    def _quoted(self, quote: Quote, sentence: Sentence, pointed: set[int], found: _Found) -> list[Place]:
        """Where a quote was said; of several places those that the sentence points at, else the next after the last."""
        places = self._said.find(quote.text)
        if quote.rule:
            places = [place for place in places if place.share == 1]
        length = len(words_of(quote.text))
        if quote.who and len(places) > 1:
            places = [p for p in places if self._turns[p.turn].speaker == quote.who] or places
        if len(places) > 1 and (here := [place for place in places if place.turn in pointed]):
            return here
        if length < _SHORT and (len(places) > 1 or (length < 2 and not any(p.turn in pointed for p in places))):
            return []
        if len(places) > 1:
            scores = [beside(self._said, place.turn, sentence.rest) for place in places]
            if scores.count(max(scores)) == 1:
                return [places[scores.index(max(scores))]]
            later = [place for place in places if self._turns[place.turn].n > found.last]
            return (later or places)[:1]
        return places

    # Times

    def _timed(self, time: Time, sentence: Sentence) -> list[int]:
        """The turns of a time. One that is later than the call, or that somebody says, is a time of the day."""
        if not self._starts or time.last > self._end + 1:
            return []
        if not time.sure and self._said.spread(time.text.lstrip("0")):
            return []
        if time.first < time.last:
            inside = [i for s, i in zip(self._starts, self._at, strict=True) if int(time.first) <= int(s) <= time.last]
            return sorted(inside) if len(inside) <= _MOST_OF_RANGE else sorted(inside)[:1]
        here = [i for s, i in zip(self._starts, self._at, strict=True) if int(s) == int(time.first)]
        if not here:
            here = [i for s, i in zip(self._starts, self._at, strict=True) if abs(s - time.first) <= 1]
        if here:
            return here[:1] if len(here) < 2 else self._of_several(here, sentence)
        return self._nearest(time.first)

    def _of_several(self, here: list[int], sentence: Sentence) -> list[int]:
        tools = [index for index in here if self._turns[index].speaker in TOOLS]
        if tools and any(word in sentence.rest.lower() for word in ("tool", "call", "result", "function")):
            return tools[-1:]
        spoken = [index for index in here if self._turns[index].speaker not in TOOLS]
        return (spoken or here)[:1]

    def _nearest(self, at: float) -> list[int]:
        """The turn that is being spoken at a time, else the one whose end or start is nearest."""
        place = bisect_right(self._starts, at) - 1
        best: tuple[float, int] | None = None
        for k in range(max(place - 3, 0), min(place + 2, len(self._at))):
            turn = self._turns[self._at[k]]
            start = turn.start or 0.0
            following = self._starts[k + 1] if k + 1 < len(self._starts) else self._end
            end = max(start, turn.end if turn.end is not None else following)
            away = start - at if at < start else max(at - end, 0.0)
            if away <= _BESIDE and (best is None or away < best[0] or (away == best[0] and turn.speaker not in TOOLS)):
                best = away, self._at[k]
        return [] if best is None else [best[1]]

    def _told_by_quote(self, time: Time, indexes: list[int], quoted: set[int]) -> bool:
        """Whether a time only says once more which turn a quote is of: it is near that turn's, and no other's."""
        if not quoted or set(indexes) & quoted or time.first < time.last:
            return False
        exact = any(abs((self._turns[i].start or 0.0) - time.first) < 1.5 for i in indexes)
        near = any(abs((self._turns[i].start or -99.0) - time.first) <= (10 if time.vague else 3) for i in quoted)
        return near and not exact

    # Tools

    def _look_at_tools(self, sentence: Sentence, pointed: set[int], found: _Found) -> None:
        mentions = sorted(self._tools.named_in(sentence.text), key=lambda mention: mention[1])
        for k, (name, start, end) in enumerate(mentions):
            if any(quote.at < start < quote.at + len(quote.text) for quote in sentence.quotes):
                continue
            until = mentions[k + 1][1] if k + 1 < len(mentions) else len(sentence.text)
            meant = self._tools.meant(name, sentence.text, start, end, until)
            for kind in TOOLS:
                turns = [turn for turn in meant if turn.speaker == kind]
                here = [turn for turn in turns if turn.n - 1 in pointed]
                turns = here or (narrowed(turns, sentence.text) if len(turns) > 1 else turns)
                for turn in turns[:3]:
                    what = "calls" if kind == "tool_call" else "is the result of"
                    found.add(turn.n, "likely" if len(turns) > 1 else "sure", f"{what} {name}")

    # What is described

    def _look_for_described(self, sentence: Sentence, timed: dict[Time, list[int]], found: _Found) -> None:
        rest = sentence.rest
        told = [quote.at for quote in sentence.quotes] + [time.at for time, indexes in timed.items() if indexes]
        for _, start, end in self._tools.named_in(rest):
            rest = rest[:start] + " " * (end - start) + rest[end:]
            told.append(start)
        for part in (rest, *(time.text for time, indexes in timed.items() if not indexes)):
            for index, shown in figures(self._said, part):
                if not any(self._says(n - 1, shown) for n in found.turns):
                    found.add(self._turns[index].n, "maybe", f"says {_short(shown)}")
        for index, words in described(self._said, rest, told):
            found.add(self._turns[index].n, "maybe", f"speaks of {_short(', '.join(words))}")

    def _says(self, index: int, figure: str) -> bool:
        return words_of(figure)[0].form in {word.form for word in self._said.words[index]}


def evidence_in(turns: Sequence[Turn], explanations: Iterable[Iterable[str]]) -> list[tuple[Evidence, ...]]:
    """The evidence of each explanation, all at once."""
    finder = EvidenceFinder(turns)
    for _ in finder.read():
        pass
    return [finder.find(explanation) for explanation in explanations]


class _Found:
    """What was found so far, by turn; the surest reason is kept."""

    def __init__(self) -> None:
        self._by_turn: dict[int, Evidence] = {}
        self.last = 0
        """The turn that was found last."""

    def add(self, n: int, sure: Sure, why: str, span: tuple[int, int] | None = None) -> None:
        known = self._by_turn.get(n)
        spans = (known.spans if known else ()) + ((span,) if span and not (known and span in known.spans) else ())
        if known and _RANK[known.sure] <= _RANK[sure]:
            sure, why = known.sure, known.why
        self._by_turn[n] = Evidence(n, sure, why, spans)
        self.last = n

    @property
    def turns(self) -> tuple[int, ...]:
        """The numbers of the turns."""
        return tuple(self._by_turn)

    def told(self) -> tuple[Evidence, ...]:
        return tuple(sorted(self._by_turn.values(), key=lambda evidence: evidence.n))


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
