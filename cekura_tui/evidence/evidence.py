"""The turns that a verdict's explanation cites, how sure each is, and why; none where nothing is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.evidence.described_moments import beside, described, figures
from cekura_tui.evidence.match import MatchPlace, ToolNames, TurnTimes, TurnWords, narrowed
from cekura_tui.evidence.mentions import Quote, Sentence, Time, sentences_of
from cekura_tui.evidence.neighbouring_turns import neighbours, speaks
from cekura_tui.evidence.spoken_words import words_of
from cekura_tui.model.run.verdict import State, Verdict
from cekura_tui.model.transcript.transcript import TOOLS, Turn

Sure = Literal["sure", "likely", "maybe"]
NEAR = "next to the quote"
RANK: dict[Sure, int] = {"sure": 0, "likely": 1, "maybe": 2}
_REPEATED = re.compile(r"\b(?:twice|both times|each time|once more|three times|repeatedly|every time)\b", re.I)
_BARE = frozenset(("ok", "yes", "no", "bye", "goodbye", "hello", "hi", "thanks", "sure", "right"))
_FEW = 3
"""Turns within which a single word that is quoted is believed to be meant."""
_LONGEST_WORDS = 39
"""Characters of a quote by which it is known again in the explanation."""
_SHORT = 3
"""Words of a quote that says too little by itself to tell which of several turns is meant."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A turn (`n`) that a verdict cites, how sure that is, and why; `spans` are the characters of its text that are
    quoted, and `words` the verdict's own that lead to the turn: a quote, a time, a number, a tool's name."""

    n: int
    sure: Sure
    why: str
    spans: tuple[tuple[int, int], ...] = ()
    words: str = ""


class EvidenceFinder:
    """Finds in the turns of one call; made once for all its verdicts, which takes a second for a long call."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        self._word_index = TurnWords(turns)
        self._tools = ToolNames(turns)
        self._times = TurnTimes(turns, self._word_index)

    def find(self, explanation: Iterable[str]) -> tuple[Evidence, ...]:
        """The turns that an explanation speaks of, in the order of the call."""
        found = _FoundTurns()
        looks = [self._look(sentence, found) for sentence in sentences_of(explanation)]
        for k, (rest, anchors) in enumerate(looks):
            following = looks[k + 1][1][0][1] if k + 1 < len(looks) and looks[k + 1][1] else None
            leading = looks[k - 1][1][-1][1] if k and looks[k - 1][1] else None
            for index in neighbours(self._turns, rest, anchors, following, leading):
                found.add(self._turns[index].n, "maybe", NEAR)
        return tuple(evidence for _, evidence in sorted(found.by_turn.items()))

    def _look(self, sentence: Sentence, found: _FoundTurns) -> tuple[str, list[tuple[int, int]]]:
        """Add what a sentence points at; what is left of its text, and where it points at which turn."""
        timed = {time: self._times.meant(time, sentence) for time in sentence.times}
        numbered = [(n - 1, at) for n, at in sentence.turns if 1 <= n <= len(self._turns)]
        pointed = {index for indexes in timed.values() for index in indexes} | {index for index, _ in numbered}
        anchors: list[tuple[int, int]] = []
        quoted: set[int] = set()
        for quote in sentence.quotes:
            for place in self._quoted(quote, sentence, pointed, found):
                sure: Sure = "sure" if place.share == 1 else "likely"
                why = "quoted" if place.share == 1 else "quoted in other words"
                n, words = self._turns[place.turn].n, quote.text[:_LONGEST_WORDS]
                found.add(n, sure, why, (place.start, place.end), words=words)
                quoted.add(place.turn)
                anchors.append((quote.at, place.turn))
        for index, at in numbered:
            found.add(index + 1, "sure", "cited by number", words=f"turn {index + 1}")
            anchors.append((at, index))
        for time, indexes in timed.items():
            for index in () if self._times.repeats(time, indexes, quoted) else indexes:
                sure = "maybe" if not self._times.certain(time, index) else "likely" if time.vague else "sure"
                found.add(self._turns[index].n, sure, f"cited at {time.text}", words=time.text)
                anchors.append((time.at, index))
        anchors += self._look_at_tools(sentence, pointed, found)
        rest, described_at = self._look_for_described(sentence, timed, anchors, found)
        return rest, sorted(anchors + described_at)

    # Quotes

    def _quoted(self, quote: Quote, sentence: Sentence, pointed: set[int], found: _FoundTurns) -> list[MatchPlace]:
        """Where a quote was said; of several places those that the sentence points at, else the next after the last."""
        places = self._word_index.find(quote.text)
        if quote.rule:
            places = [place for place in places if place.share == 1]
        length = len(words_of(quote.text))
        if quote.who:
            places = [p for p in places if self._turns[p.turn].speaker == quote.who] or places
        if len(places) > 1 and (here := [place for place in places if place.turn in pointed]):
            return here
        if 1 < len(places) <= _SHORT and length >= 2 and _REPEATED.search(sentence.rest):
            return places
        words = self._word_index.words
        whole = [place for place in places if place.share == 1 and len(words[place.turn]) == length]
        bare = length == 1 and words_of(quote.text)[0].form in _BARE
        if len(whole) == 1 and not bare and (len(places) > 1 or quote.text[:1].isupper()):
            return whole
        if length < _SHORT and (len(places) > 1 or (length < 2 and not self._near(quote, places, pointed, found))):
            return []
        if len(places) > 1:
            soon = [place for place in places if 0 < self._turns[place.turn].n - found.last <= _FEW]
            if found.last and len(soon) == 1:
                return soon
            scores = [beside(self._word_index, place.turn, sentence.rest) for place in places]
            if scores.count(max(scores)) == 1:
                return [places[scores.index(max(scores))]]
            later = [place for place in places if self._turns[place.turn].n > found.last]
            return (later or places)[:1]
        return places

    def _near(self, quote: Quote, places: Sequence[MatchPlace], pointed: set[int], found: _FoundTurns) -> bool:
        """Whether a word's place is pointed at otherwise; or it is a sentence, and near what was found last."""
        near = quote.text[:1].isupper() and found.last
        return any(p.turn in pointed or (near and abs(p.turn + 1 - found.last) <= _FEW) for p in places)

    # Tools

    def _look_at_tools(self, sentence: Sentence, pointed: set[int], found: _FoundTurns) -> list[tuple[int, int]]:
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
                    found.add(turn.n, "likely" if len(turns) > 1 else "sure", f"names {name}")
                    anchors.append((start, turn.n - 1))
        return anchors

    # What is described

    def _look_for_described(
        self, sentence: Sentence, timed: dict[Time, list[int]], anchors: list[tuple[int, int]], found: _FoundTurns
    ) -> tuple[str, list[tuple[int, int]]]:
        rest = sentence.rest
        for _, start, end in self._tools.named_in(rest):
            rest = rest[:start] + " " * (end - start) + rest[end:]
        near = {index + step for _, index in anchors for step in (-1, 0, 1)}
        more: list[tuple[int, int]] = []
        for part in (rest, *(time.text for time, indexes in timed.items() if not indexes)):
            last_clause = -1
            for figure in figures(self._word_index, part, speaks(rest)):
                form = words_of(figure.shown)[0].form
                is_cited = any(form == word.form for n in found.by_turn for word in self._word_index.words[n - 1])
                if figure.clause != last_clause and figure.turn not in near and not is_cited:
                    why = f"mentions {_short(figure.shown)}"
                    found.add(self._turns[figure.turn].n, "maybe", why, words=figure.shown)
                    more.append((figure.at, figure.turn))
                    last_clause = figure.clause
        for index, words, at in described(self._word_index, rest, [at for at, _ in anchors]):
            found.add(self._turns[index].n, "maybe", f"mentions {_short(', '.join(words))}")
            more.append((at, index))
        return rest, more


class _FoundTurns:
    """What was found so far, by turn; the surest reason is kept."""

    def __init__(self) -> None:
        self.by_turn: dict[int, Evidence] = {}
        self.last = 0
        """The turn that was found last."""

    def add(self, n: int, sure: Sure, why: str, span: tuple[int, int] | None = None, *, words: str = "") -> None:
        known = self.by_turn.get(n)
        spans = (known.spans if known else ()) + ((span,) if span and not (known and span in known.spans) else ())
        if known and RANK[known.sure] <= RANK[sure]:
            sure, why, words = known.sure, known.why, known.words
        self.by_turn[n] = Evidence(n, sure, why, spans, words)
        self.last = n


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def reason_words(why: str, sure: Sure) -> str:
    """Why a turn is taken for evidence, as it is shown: "quoted", "next to the quote (uncertain)"."""
    return why + {"sure": "", "likely": " (likely)", "maybe": " (uncertain)"}[sure]


_ORDER: dict[State, int] = {"fail": 0, "review": 1, "pass": 2, "na": 3}


@dataclass(frozen=True, slots=True)
class TurnMark:
    """A verdict that speaks of a turn: `spans` are the characters of the turn's text that it quotes."""

    state: State
    name: str
    why: str
    sure: Sure
    spans: tuple[tuple[int, int], ...] = ()


def marks_of(pairs: Iterable[tuple[Verdict, Sequence[Evidence]]]) -> Mapping[int, tuple[TurnMark, ...]]:
    """The marks by turn number, failing verdicts first."""
    found: dict[int, list[TurnMark]] = {}
    for verdict, evidence in pairs:
        for one in evidence:
            mark = TurnMark(verdict.state, verdict.name, one.why, one.sure, one.spans)
            found.setdefault(one.n, []).append(mark)
    return {n: tuple(sorted(marks, key=lambda mark: _ORDER[mark.state])) for n, marks in found.items()}
