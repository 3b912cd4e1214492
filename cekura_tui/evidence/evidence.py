"""Find the turns that a verdict's explanation cites, each with a certainty and a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cekura_tui.evidence.described_moments import context_score, rare_figures, rare_words
from cekura_tui.evidence.match import QuoteMatch, ToolNames, TurnTimes, WordIndex, with_most_figures
from cekura_tui.evidence.mentions import Quote, Sentence, Time, sentences_of
from cekura_tui.evidence.neighbouring_turns import neighbours, speaker_of
from cekura_tui.evidence.places import places_in
from cekura_tui.evidence.spoken_words import words_of
from cekura_tui.model.run.verdict import State, Verdict
from cekura_tui.model.transcript.transcript import TOOLS, Turn

Certainty = Literal["sure", "likely", "maybe", "closest"]
NEXT_TO_QUOTE = "near the quoted turn"
RANK: dict[Certainty, int] = {"sure": 0, "likely": 1, "maybe": 2, "closest": 3}
_REPEATED = re.compile(r"\b(?:twice|both times|each time|once more|three times|repeatedly|every time)\b", re.I)
_NOT_SAID = re.compile(
    r"\b(?:would|needs?|who says?|according to|laut|hätte|debía|debería)\b.{0,60}“|(?:\b(?:no|not|never|without|nicht|"
    r"nie|kein\w*|ohne|statt|nunca|sin|jamais|sans)|n['’]t)\b[^.,;]{0,40}[:,]? ?“|”\W{0,3}(?:(?:is|was|were|has been|"
    r"wird|wurde|fue) )?(?:not|never|nowhere|missing|omitted|expected|nicht|nie|hätte|fehlt|nunca|falta)\b",
    re.I,
)
_BARE = frozenset(("ok", "yes", "no", "bye", "goodbye", "hello", "hi", "thanks", "sure", "right"))
_FEW = 3
"""A short or repeated quote is expected within this many turns of the turn found last."""
_LONGEST_WORDS = 39
"""Most characters of a quote that are kept for finding the quote again in the explanation."""
_SHORT = 3
"""A quote with fewer words cannot decide between several turns. Also the most turns of a quote that was said
repeatedly."""


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

    def find(self, explanation: Iterable[str]) -> Findings:
        found = _FoundTurns()
        read = [self._read_sentence(sentence, found) for sentence in sentences_of(explanation)]
        for k, (rest, anchors) in enumerate(read):
            following = read[k + 1][1][0][1] if k + 1 < len(read) and read[k + 1][1] else None
            leading = read[k - 1][1][-1][1] if k and read[k - 1][1] else None
            for index in neighbours(self._turns, rest, anchors, following, leading):
                found.add(self._turns[index].n, "maybe", NEXT_TO_QUOTE)
        return Findings(tuple(evidence for _, evidence in sorted(found.by_turn.items())), tuple(found.missing))

    def _read_sentence(self, sentence: Sentence, found: _FoundTurns) -> tuple[str, list[tuple[int, int]]]:
        """Add the turns that a sentence cites to `found`. Returns the sentence with its citations blanked out, and
        (offset, index of the turn) for each citation."""
        timed = {time: self._times.turns_meant(time, sentence) for time in sentence.times}
        numbered = [(n - 1, at) for n, at in sentence.turns if 1 <= n <= len(self._turns)]
        cited = {index for indexes in timed.values() for index in indexes} | {index for index, _ in numbered}
        anchors: list[tuple[int, int]] = []
        quoted: set[int] = set()
        for quote in sentence.quotes:
            for place in self._quote_matches(quote, sentence, cited, found):
                sure: Certainty = "sure" if place.share == 1 else "likely"
                why = "quoted" if place.share == 1 else "quoted in other words"
                n, words = self._turns[place.turn].n, quote.text[:_LONGEST_WORDS]
                found.add(n, sure, why, (place.start, place.end), words=words)
                quoted.add(place.turn)
                anchors.append((quote.at, place.turn))
        for index, at in numbered:
            found.add(index + 1, "sure", "cited by number", words=f"turn {index + 1}")
            anchors.append((at, index))
        for time, indexes in timed.items():
            for index in () if self._times.is_time_of_quote(time, indexes, quoted) else indexes:
                sure = "maybe" if not self._times.is_certain(time, index) else "likely" if time.vague else "sure"
                found.add(self._turns[index].n, sure, f"cited at {time.text}", words=time.text)
                anchors.append((time.at, index))
        for index, words, name, exact in places_in(self._turns, sentence.rest, [at for at, _ in anchors]):
            found.add(index + 1, "likely" if exact else "maybe", f"cited as {_short(name)}", words=words)
        anchors += self._find_tools(sentence, cited, found)
        rest, described_at = self._find_described(sentence, timed, anchors, found)
        return rest, sorted(anchors + described_at)

    # Quotes

    def _quote_matches(self, quote: Quote, sentence: Sentence, cited: set[int], found: _FoundTurns) -> list[QuoteMatch]:
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
            scores = [context_score(self._word_index, place.turn, sentence.rest) for place in places]
            if scores.count(max(scores)) == 1:
                return [places[scores.index(max(scores))]]
            later = [place for place in places if self._turns[place.turn].n > found.last]
            return (later or places)[:1]
        return places

    def _is_missing(self, quote: Quote, sentence: Sentence) -> bool:
        """Whether a quote without a match was meant to be of this call, which has at least half of its words."""
        forms = {word.form for word in words_of(quote.text)}
        known = sum(self._word_index.turn_count(form) > 0 for form in forms)
        around = f"{sentence.rest[: quote.at].rstrip()}“”{sentence.rest[quote.at + len(quote.text) :].lstrip()}"
        return not quote.rule and len(forms) >= _SHORT and 2 * known >= len(forms) and not _NOT_SAID.search(around)

    def _near_cited(self, quote: Quote, places: Sequence[QuoteMatch], cited: set[int], found: _FoundTurns) -> bool:
        """Whether a match is in a cited turn. For a quote that begins with a capital letter, also whether a match is
        near the turn found last."""
        near = quote.text[:1].isupper() and found.last
        return any(p.turn in cited or (near and abs(p.turn + 1 - found.last) <= _FEW) for p in places)

    # Tools

    def _find_tools(self, sentence: Sentence, cited: set[int], found: _FoundTurns) -> list[tuple[int, int]]:
        """Add the tool calls and results that a sentence names to `found`. Returns (offset of the name, index of the
        turn) for each of these turns."""
        anchors = []
        mentions = sorted(self._tools.mentions_in(sentence.text), key=lambda mention: mention[1])
        for k, (name, start, end) in enumerate(mentions):
            if any(quote.at < start < quote.at + len(quote.text) for quote in sentence.quotes):
                continue
            until = mentions[k + 1][1] if k + 1 < len(mentions) else len(sentence.text)
            meant = self._tools.turns_meant(name, sentence.text, start, end, until)
            for kind in TOOLS:
                turns = [turn for turn in meant if turn.speaker == kind]
                here = [turn for turn in turns if turn.n - 1 in cited]
                turns = here or (with_most_figures(turns, sentence.text) if len(turns) > 1 else turns)
                for turn in turns[:3]:
                    found.add(turn.n, "likely" if len(turns) > 1 else "sure", f"names {name}")
                    anchors.append((start, turn.n - 1))
        return anchors

    # Descriptions

    def _find_described(
        self, sentence: Sentence, timed: dict[Time, list[int]], anchors: list[tuple[int, int]], found: _FoundTurns
    ) -> tuple[str, list[tuple[int, int]]]:
        rest = sentence.rest
        for _, start, end in self._tools.mentions_in(rest):
            rest = rest[:start] + " " * (end - start) + rest[end:]
        near = {index + step for _, index in anchors for step in (-1, 0, 1)}
        more: list[tuple[int, int]] = []
        for part in (rest, *(time.text for time, indexes in timed.items() if not indexes)):
            last_clause = -1
            for figure in rare_figures(self._word_index, part, speaker_of(rest)):
                form = words_of(figure.shown)[0].form
                is_cited = any(form == word.form for n in found.by_turn for word in self._word_index.words[n - 1])
                if figure.clause != last_clause and figure.turn not in near and not is_cited:
                    why = f"mentions {_short(figure.shown)}"
                    found.add(self._turns[figure.turn].n, "maybe", why, words=figure.shown)
                    more.append((figure.at, figure.turn))
                    last_clause = figure.clause
        for index, words, at in rare_words(self._word_index, rest, [at for at, _ in anchors]):
            found.add(self._turns[index].n, "maybe", f"mentions {_short(', '.join(words))}")
            more.append((at, index))
        return rest, more


class _FoundTurns:
    """Evidence by turn number. If a turn is found for several reasons, the most certain reason is kept."""

    def __init__(self) -> None:
        self.by_turn: dict[int, Evidence] = {}
        self.missing: dict[str, None] = {}
        self.last = 0
        """Number of the turn found last; 0 if no turn is found yet."""

    def add(self, n: int, sure: Certainty, why: str, span: tuple[int, int] | None = None, *, words: str = "") -> None:
        known = self.by_turn.get(n)
        spans = (known.spans if known else ()) + ((span,) if span and not (known and span in known.spans) else ())
        if known and RANK[known.sure] <= RANK[sure]:
            sure, why, words = known.sure, known.why, known.words
        self.by_turn[n] = Evidence(n, sure, why, spans, words)
        self.last = n


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def reason_words(why: str, sure: Certainty) -> str:
    """The reason with its certainty, as shown: "quoted", "near the quoted turn (less sure)"."""
    words = {"sure": "{}", "likely": "{} (likely)", "maybe": "{} (less sure)", "closest": "closest turn, {}"}
    return words[sure].format(why)


_ORDER: dict[State, int] = {"fail": 0, "review": 1, "pass": 2, "na": 3}


@dataclass(frozen=True, slots=True)
class TurnMark:
    """A verdict that cites a turn, with the reason and certainty of the citation. `spans` are the characters [start,
    end) of the turn's text that the verdict quotes."""

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
