"""Find the turns that a verdict's explanation cites, each with a certainty and a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from cekura_tui.evidence.described_turns import DescribedTurns
from cekura_tui.evidence.match import QuoteMatch, ToolNames, TurnTimes, WordIndex, with_most_figures
from cekura_tui.evidence.mentions import NOT, RULE, Quote, Sentence, sentences_of
from cekura_tui.evidence.places import places_in, places_of
from cekura_tui.evidence.spoken_words import words_of
from cekura_tui.model.run.verdict import State, Verdict
from cekura_tui.model.transcript.transcript import TOOLS, Turn

Certainty = Literal["sure", "likely", "maybe", "closest"]
NEXT_TO_ANOTHER = "near another of its turns"
RANK: dict[Certainty, int] = {"sure": 0, "likely": 1, "maybe": 2, "closest": 3}
_REPEATED = re.compile(r"\b(?:twice|both times|each time|once more|three times|repeatedly|every time)\b", re.I)
_OTHER_SOURCE = re.compile(r"\b(?:would|needs?|according to|laut|hätte|metrics?|criteri(?:on|a)|scenario|step)\b", re.I)
_BARE = frozenset(("ok", "yes", "no", "bye", "goodbye", "hello", "hi", "thanks", "sure", "right"))
_LEAST, _LIKELY, _CLOSEST = 0.5, 0.8, 0.2
"""Least probabilities of a described turn, of a likely one, and of a closest turn, shown if there is nothing else."""
_QUOTED, _CITED, _BY_AGENT = 2.5, 2.0, 0.8
"""Weights of a quoted turn and of a turn cited by number or time; what is added to the weight of an agent's turn."""
_FEW, _SAID = 3, 0.8
"""Most turns from the turn found last to a short or repeated quote; least share of a quote that two turns must have."""
_LONGEST_WORDS = 39
"""Most characters of a quote that are kept for finding the quote again in the explanation."""
_SHORT = 3
"""A quote with fewer words cannot decide between turns; also the most turns of a repeated quote."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A turn that a verdict cites: the number of the turn (`n`, from 1), the certainty (`sure`) and the reason (`why`).
    A "closest" turn only shares words with the verdict. `spans` are the quoted characters [start, end) of the turn's
    text. `words` are the words of the verdict that point at the turn: a quote, a time or a number; "" without any."""

    n: int
    sure: Certainty
    why: str
    spans: tuple[tuple[int, int], ...] = ()
    words: str = ""
    weight: float = 0.0
    """Of equally certain turns, the turn with the greatest weight is shown first."""


class Findings(NamedTuple):
    """The turns that an explanation cites, in the order of the call. `missing` are its quotes that no turn contains."""

    turns: tuple[Evidence, ...]
    missing: tuple[str, ...] = ()


class EvidenceFinder:
    """Finds evidence in one call. Use the same finder for all verdicts, because indexing a long call takes a second."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        self._word_index = WordIndex(turns)
        self._tools = ToolNames(turns)
        self._times = TurnTimes(turns, self._word_index)
        self._places = places_of(turns)
        self.described = DescribedTurns(self._word_index)

    def find(self, explanation: Iterable[str]) -> Findings:
        """The turns that an explanation cites or describes, else the turn closest to it, and its missing quotes."""
        found = self.cited_in(explanation)
        described = self.described.find(found.sentences, found.anchors)
        for one in described:
            if one.probability >= _LEAST:
                sure: Certainty = "likely" if one.words and one.probability >= _LIKELY else "maybe"
                why = f"mentions {_short(', '.join(one.words[:4]))}" if one.words else NEXT_TO_ANOTHER
                found.add(Evidence(one.turn + 1, sure, why, (), one.number, one.probability))
        if not found.by_turn and not all(NOT.search(sentence.text) for sentence in found.sentences):
            for one in described[:1]:
                if one.probability >= _CLOSEST and one.words:
                    found.add(Evidence(one.turn + 1, "closest", f"shares words: {_short(', '.join(one.words[:4]))}"))
        for n, known in found.by_turn.items():
            if self._turns[n - 1].speaker == "main":
                found.by_turn[n] = replace(known, weight=known.weight + _BY_AGENT)
        return Findings(tuple(one for _, one in sorted(found.by_turn.items())), tuple(found.missing))

    def cited_in(self, explanation: Iterable[str]) -> FoundTurns:
        """The turns that are quoted, or cited by a number, a time, a place in words or the name of a tool."""
        found = FoundTurns()
        for sentence in sentences_of(explanation):
            self._read_sentence(sentence, found)
        return found

    def _read_sentence(self, sentence: Sentence, found: FoundTurns) -> None:
        timed = {time: self._times.turns_meant(time, sentence) for time in sentence.times}
        numbered = {n - 1: at for n, at in sentence.turns if 1 <= n <= len(self._turns)}
        cited = {index for indexes in timed.values() for index in indexes} | numbered.keys()
        anchors = [(at, index) for index, at in numbered.items()]
        quoted: set[int] = set()
        rest = sentence.rest
        for quote in sentence.quotes:
            places = self._quote_matches(quote, sentence, cited, found)
            if not places and not quote.rule:
                rest = f"{rest[: quote.at]}{quote.text}{rest[quote.at + len(quote.text) :]}"
            for place in places:
                sure: Certainty = "sure" if place.share == 1 else "likely"
                why = "quoted" if place.share == 1 else "quoted in other words"
                n, words = self._turns[place.turn].n, quote.text[:_LONGEST_WORDS]
                found.add(Evidence(n, sure, why, ((place.start, place.end),), words, _QUOTED))
                quoted.add(place.turn)
                anchors.append((quote.at, place.turn))
        for index in numbered:
            found.add(Evidence(index + 1, "sure", "cited by number", (), f"turn {index + 1}", _CITED))
        for time, indexes in timed.items():
            for index in () if self._times.is_time_of_quote(time, indexes, quoted) else indexes:
                sure = "maybe" if not self._times.is_certain(time, index) else "likely" if time.vague else "sure"
                found.add(Evidence(self._turns[index].n, sure, f"cited at {time.text}", (), time.text, _CITED))
                anchors.append((time.at, index))
        for index, words, name, exact in places_in(self._places, sentence.rest, [at for at, _ in anchors]):
            found.add(Evidence(index + 1, "likely" if exact else "maybe", f"cited as {_short(name)}", (), words))
            anchors.append((sentence.rest.find(words), index))
        anchors += self._find_tools(sentence, cited, found)
        found.anchors.append(sorted(anchors))
        for time in (time for time, indexes in timed.items() if not indexes):
            rest = f"{rest[: time.at]}{time.text}{rest[time.at + len(time.text) :]}"
        found.sentences.append(replace(sentence, rest=rest))

    # Quotes

    def _quote_matches(self, quote: Quote, sentence: Sentence, cited: set[int], found: FoundTurns) -> list[QuoteMatch]:
        """The matches of a quote, preferably by the speaker named before the quote; empty if a short quote is
        ambiguous. Of several matches, those in turns that the sentence cites are returned, or all if the quote was
        repeated. Otherwise one match is chosen: the only turn that is the whole quote, the only match soon after the
        turn found last, the match with the best context, or the next match."""
        places = self._word_index.find(quote.text)
        if not places and self._is_missing(quote, sentence):
            found.missing[quote.text] = None
        if quote.rule:
            places = [place for place in places if place.share == 1]
        length = len(words_of(quote.text))
        if quote.who:
            places = [p for p in places if self._turns[p.turn].speaker == quote.who] or places
        if len(places) > 1 and (here := [place for place in places if place.turn in cited]):
            return here
        if 1 < len(places) <= _SHORT and length >= 2 and _REPEATED.search(sentence.rest):
            return places
        words = self._word_index.words
        whole = [place for place in places if place.share == 1 and len(words[place.turn]) == length]
        bare = length == 1 and words_of(quote.text)[0].form in _BARE
        if len(whole) == 1 and not bare and (len(places) > 1 or quote.text[:1].isupper()):
            return whole
        if length < _SHORT and (len(places) > 1 or (length < 2 and not self._near_cited(quote, places, cited, found))):
            return []
        if len(places) > 1:
            soon = [place for place in places if 0 < self._turns[place.turn].n - found.last <= _FEW]
            if found.last and len(soon) == 1:
                return soon
            scores = [self._word_index.context_score(place.turn, sentence.rest) for place in places]
            if scores.count(max(scores)) == 1:
                return [places[scores.index(max(scores))]]
            later = [place for place in places if self._turns[place.turn].n > found.last]
            return (later or places)[:1]
        return places

    def _is_missing(self, quote: Quote, sentence: Sentence) -> bool:
        """Whether a quote without a match was meant to be of this call: the call has at least half of its words,
        but no two turns in a row have most of them, and the sentence denies nothing and names no rule or check."""
        forms = {word.form for word in words_of(quote.text)} - {"st", "nd", "rd", "th"}
        known = sum(self._word_index.turn_count(form) > 0 for form in forms)
        stated = not (NOT.search(sentence.rest) or RULE.search(sentence.rest) or _OTHER_SOURCE.search(sentence.rest))
        return stated and 2 * known >= len(forms) >= _SHORT and self._word_index.together(forms) < _SAID * len(forms)

    def _near_cited(self, quote: Quote, places: Sequence[QuoteMatch], cited: set[int], found: FoundTurns) -> bool:
        """Whether a match is in a cited turn or, for a quote that begins with a capital, near the turn found last."""
        near = quote.text[:1].isupper() and found.last
        return any(p.turn in cited or (near and abs(p.turn + 1 - found.last) <= _FEW) for p in places)

    # Tools

    def _find_tools(self, sentence: Sentence, cited: set[int], found: FoundTurns) -> Iterator[tuple[int, int]]:
        """Add tools that a sentence names to `found`; yield (offset of the name, index of the turn) of each."""
        mentions = sorted(self._tools.mentions_in(sentence.text), key=lambda mention: mention[1])
        for k, (name, start, end) in enumerate(mentions):
            if any(quote.at < start < quote.at + len(quote.text) for quote in sentence.quotes):
                continue
            until = mentions[k + 1][1] if k + 1 < len(mentions) else len(sentence.text)
            meant = self._tools.turns_meant(name, sentence.text, start, end, until)
            if all(turn.speaker == "tool_call" for turn in meant):
                terms = self.described.terms_in(sentence.text) - self.described.terms_in(name)
                meant = [self._call_or_answer(turn, terms) for turn in meant]
            for kind in TOOLS:
                turns = [turn for turn in meant if turn.speaker == kind]
                here = [turn for turn in turns if turn.n - 1 in cited]
                turns = here or (with_most_figures(turns, sentence.text) if len(turns) > 1 else turns)
                for turn in turns[:3]:
                    found.add(Evidence(turn.n, "likely" if len(turns) > 1 else "sure", f"names {name}"))
                    yield start, turn.n - 1

    def _call_or_answer(self, call: Turn, terms: Set[str]) -> Turn:
        """The result of a tool call if it has more of the terms than the call, else the call."""
        both = (call, self._tools.answers.get(call.n, call))
        return max(both, key=lambda turn: len(terms & self.described.terms[turn.n - 1]))


class FoundTurns:
    """Evidence by turn number. If a turn is found for several reasons, the most certain reason is kept."""

    def __init__(self) -> None:
        self.by_turn: dict[int, Evidence] = {}
        self.missing: dict[str, None] = {}
        self.sentences: list[Sentence] = []
        """The sentences read. Their `rest` has the quotes and times back that lead to no turn."""
        self.anchors: list[list[tuple[int, int]]] = []
        self.last = 0
        """Number of the turn found last; 0 if no turn is found yet."""

    def add(self, new: Evidence) -> None:
        known = self.by_turn.get(new.n, new)
        best = known if RANK[known.sure] <= RANK[new.sure] else new
        spans = tuple(dict.fromkeys((*known.spans, *new.spans)))
        self.by_turn[new.n] = replace(best, spans=spans, weight=max(known.weight, best.weight))
        self.last = new.n


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def surest_first(evidence: Iterable[Evidence]) -> list[Evidence]:
    return sorted(evidence, key=lambda one: (RANK[one.sure], -one.weight, one.n))


def reason_words(why: str, sure: Certainty) -> str:
    """The reason with its certainty, as shown: "quoted", "near another of its turns (less sure)"."""
    words = {"sure": "{}", "likely": "{} (likely)", "maybe": "{} (less sure)", "closest": "closest turn, {}"}
    return words[sure].format(why)


_ORDER: dict[State, int] = {"fail": 0, "review": 1, "pass": 2, "na": 3}


@dataclass(frozen=True, slots=True)
class TurnMark:
    """A verdict's citation of a turn, its reason and certainty; `spans` are the quoted characters [start, end)."""

    state: State
    name: str
    why: str
    sure: Certainty
    spans: tuple[tuple[int, int], ...] = ()


def marks_of(pairs: Iterable[tuple[Verdict, Findings]]) -> Mapping[int, tuple[TurnMark, ...]]:
    """The marks of each turn, by turn number: cited before closest turns, then marks of failed verdicts first."""
    found: dict[int, list[TurnMark]] = {}
    for verdict, findings in pairs:
        for one in findings.turns:
            mark = TurnMark(verdict.state, verdict.name, one.why, one.sure, one.spans)
            found.setdefault(one.n, []).append(mark)
    return {
        n: tuple(sorted(marks, key=lambda mark: (mark.sure == "closest", _ORDER[mark.state])))
        for n, marks in found.items()
    }
