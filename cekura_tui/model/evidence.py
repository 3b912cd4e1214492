"""Evidence: the turns that a verdict's explanation speaks of, each with how sure and why.

Where nothing is found, nothing is claimed.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.evidence_acts import acts_in
from cekura_tui.model.evidence_beside import end_meant, speaks, turns_beside
from cekura_tui.model.evidence_described import asked_for, beside, described, figures
from cekura_tui.model.evidence_match import Place, SaidWords
from cekura_tui.model.evidence_mentions import AGENT, CALLER, Quote, Sentence, Time, sentences_of
from cekura_tui.model.evidence_tools import ToolNames, narrowed
from cekura_tui.model.spoken_words import words_of
from cekura_tui.model.turn import TOOLS, Turn

Sure = Literal["sure", "likely", "maybe"]
_RANK: dict[Sure, int] = {"sure": 0, "likely": 1, "maybe": 2}
_BESIDE = 15.0
"""Seconds before and after the speech of a turn within which a time may still mean it."""
_MOST_OF_RANGE = 8
"""Turns of a range of time that are all pointed at."""
_SILENCE = re.compile(r"\b(?:silence|silent|pause|gap|dead air|nobody speaks|latency|delay|Stille|silencio)\b", re.I)
_REPEATED = re.compile(r"\b(?:twice|both times|each time|once more|three times|repeatedly|every time)\b", re.I)
_FEW = 3
"""Turns within which a single word that is quoted is believed to be meant."""
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
        looks = [self._look(sentence, found) for sentence in sentences_of(explanation)]
        for k, (rest, anchors) in enumerate(looks):
            following = looks[k + 1][1][0][1] if k + 1 < len(looks) and looks[k + 1][1] else None
            for index, who in turns_beside(self._turns, rest, anchors, following):
                found.add(self._turns[index].n, "maybe", f"is what {who} says beside it")
        return found.told()

    def _look(self, sentence: Sentence, found: _Found) -> tuple[str, list[tuple[int, int]]]:
        """Add what a sentence points at; what is left of its text, and where it points at which turn."""
        timed = {time: self._timed(time, sentence) for time in sentence.times}
        numbered = [(n - 1, at) for n, at in sentence.turns if 1 <= n <= len(self._turns)]
        pointed = {index for indexes in timed.values() for index in indexes} | {index for index, _ in numbered}
        anchors: list[tuple[int, int]] = []
        quoted: set[int] = set()
        for quote in sentence.quotes:
            for place in self._quoted(quote, sentence, pointed, found):
                sure: Sure = "sure" if place.share == 1 else "likely"
                why = f"says “{_short(quote.text)}”" if place.share == 1 else f"says nearly “{_short(quote.text)}”"
                found.add(self._turns[place.turn].n, sure, why, (place.start, place.end))
                quoted.add(place.turn)
                anchors.append((quote.at, place.turn))
        for index, at in numbered:
            found.add(self._turns[index].n, "sure", f"is turn {self._turns[index].n}")
            anchors.append((at, index))
        for time, indexes in timed.items():
            if not self._told_by_quote(time, indexes, quoted):
                anchors += [(time.at, index) for index in indexes]
                for index in indexes:
                    found.add(self._turns[index].n, "likely" if time.vague else "sure", f"is at {time.text}")
        anchors += self._look_at_tools(sentence, pointed, found)
        anchors.sort()
        rest, described_at = self._look_for_described(sentence, timed, anchors, found)
        return rest, sorted(anchors + described_at)

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
        if 1 < len(places) <= _SHORT and length >= 2 and _REPEATED.search(sentence.rest):
            return places
        whole = [place for place in places if self._is_whole(place, length)]
        if len(whole) == 1 and (len(places) > 1 or quote.text[:1].isupper()):
            return whole
        if length < _SHORT and (len(places) > 1 or (length < 2 and not self._near(quote, places, pointed, found))):
            return []
        if len(places) > 1:
            soon = [place for place in places if 0 < self._turns[place.turn].n - found.last <= _FEW]
            if found.last and len(soon) == 1:
                return soon
            scores = [beside(self._said, place.turn, sentence.rest) for place in places]
            if scores.count(max(scores)) == 1:
                return [places[scores.index(max(scores))]]
            later = [place for place in places if self._turns[place.turn].n > found.last]
            return (later or places)[:1]
        return places

    def _is_whole(self, place: Place, length: int) -> bool:
        """Whether a quote is all that a turn says."""
        return place.share == 1 and len(self._said.words[place.turn]) == length

    def _near(self, quote: Quote, places: Sequence[Place], pointed: set[int], found: _Found) -> bool:
        """Whether a word's place is pointed at otherwise; or it is a sentence, and near what was found last."""
        near = quote.text[:1].isupper() and found.last
        return any(p.turn in pointed or (near and abs(p.turn + 1 - found.last) <= _FEW) for p in places)

    # Times

    def _timed(self, time: Time, sentence: Sentence) -> list[int]:
        """The turns of a time. One that is later than the call, or that somebody says, is a time of the day."""
        if not self._starts or time.last > self._end + 1:
            return []
        if not time.sure and self._said.spread(time.text.lstrip("0")):
            return []
        if time.first < time.last:
            inside = sorted(self._starting(int(time.first), int(time.last) + 1))
            if len(inside) > _SHORT and AGENT.search(sentence.rest) and not CALLER.search(sentence.rest):
                inside = [index for index in inside if self._turns[index].speaker == "main"] or inside
            return inside if len(inside) <= _MOST_OF_RANGE else inside[:1]
        if here := self._starting(int(time.first), int(time.first) + 1):
            return here if len(here) < 2 else self._of_several(here, sentence)
        if _SILENCE.search(sentence.rest) and not time.vague and (edges := self._around(time.first)):
            return edges
        return self._nearest(time.first)

    def _starting(self, first: float, before: float) -> list[int]:
        """The turns that start within a stretch of time."""
        return self._at[bisect_left(self._starts, first) : bisect_left(self._starts, before)]

    def _around(self, at: float) -> list[int]:
        """The turns on both sides of a silence, where there is one at that time."""
        place = bisect_right(self._starts, at) - 1
        if not 0 <= place < len(self._at) - 1:
            return []
        end = self._turns[self._at[place]].end
        return [self._at[place], self._at[place + 1]] if end is not None and end < at else []

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

    def _look_at_tools(self, sentence: Sentence, pointed: set[int], found: _Found) -> list[tuple[int, int]]:
        """Add the calls and results that are named; where each is named, and the index of the turn."""
        anchors = []
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
                    anchors.append((start, turn.n - 1))
        return anchors

    # What is described

    def _look_for_described(
        self, sentence: Sentence, timed: dict[Time, list[int]], anchors: list[tuple[int, int]], found: _Found
    ) -> tuple[str, list[tuple[int, int]]]:
        rest = sentence.rest
        for _, start, end in self._tools.named_in(rest):
            rest = rest[:start] + " " * (end - start) + rest[end:]
        near = {index + step for _, index in anchors for step in (-1, 0, 1)}
        more: list[tuple[int, int]] = []
        for part in (rest, *(time.text for time, indexes in timed.items() if not indexes)):
            told = -1
            for index, shown, at, clause in figures(self._said, part, speaks(rest)):
                said = any(self._says(n - 1, shown) for n in found.turns)
                if clause != told and index not in near and not said:
                    found.add(self._turns[index].n, "maybe", f"says {_short(shown)}")
                    more.append((at, index))
                    told = clause
        for index, words, at in described(self._said, rest, [at for at, _ in anchors]):
            found.add(self._turns[index].n, "maybe", f"speaks of {_short(', '.join(words))}")
            more.append((at, index))
        places = [at for at, _ in anchors + more]
        for index, word, at in asked_for(self._said, rest, places, speaks(rest)):
            found.add(self._turns[index].n, "maybe", f"asks of {_short(word)}")
            more.append((at, index))
        if not anchors and not more:
            for indexes, name, at in acts_in(self._turns, rest):
                for index in indexes:
                    found.add(self._turns[index].n, "maybe", name)
                    more.append((at, index))
        if not anchors and not more and (end := end_meant(self._turns, rest)) is not None:
            found.add(self._turns[end[0]].n, "maybe", "is the greeting" if end[0] < 2 else "is the farewell")
            more.append((end[1], end[0]))
        return rest, more

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
