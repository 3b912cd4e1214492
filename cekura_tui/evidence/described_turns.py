"""Find the turns that an explanation describes in its own words.

Each clause is compared with the turns that have terms in common with it, then each turn is judged by its best clause
and by its neighbours. `tests/support/evidence_weights.py` fits the weights to calls that were marked by hand."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from cekura_tui.evidence.match import WordIndex
from cekura_tui.evidence.mentions import CALLER, NOT, RULE, Sentence, Who, clauses_of, first_speaker
from cekura_tui.evidence.spoken_words import Word, words_of
from cekura_tui.evidence.subjects import terms_of
from cekura_tui.model.transcript.transcript import TOOLS, Turn

_CLAUSE = re.compile(
    r"[,:/](?!\d)|[;()\[\]—–•❌✅]|\s->?\s|→|\.\s|\b(?:but|yet|although|though|while|when|which|whereas|until|then|before|after|"
    r"and|because|once|aber|und|nachdem|bevor|dann|pero|cuando|y|mais|puis|et)\b",
    re.I,
)
_ASKS = re.compile(
    r"\b(?:ask|request|question|inquir|enquir|prompt|want|wish|demand|query|solicit|collect|obtain|took|gather|offer|"
    r"propos|challeng|insist|object|doubt|worr|frag|bat\b|bitte[nt]|woll|verlang|pregunt|pid|quer[ií]|voul)\w*",
    re.I,
)
_EARLIER = re.compile(r"\b(?:had|previous(?:ly)?|just|earlier|already|despite|although|though|ignor\w+)\b", re.I)
_SAYS = re.compile(
    r"\b(?:ask|sa[yi]|tell|told|answer|repl|respon|object|protest|complain|insist|correct|want|offer|expla|confirm|claim|"
    r"promis|refus|den[iy]|stat|mention|admit|agree|request|question|point|accept|frag|antwort|pregunt|dij|dic|pid)\w*",
    re.I,
)
_MOST_TURNS = 16
"""Most turns that are compared with a clause: those with the rarest terms in common."""
_FREQUENT, _SHARE = 60, 0.4
"""A term in more turns than this, or than this share of the turns, is not looked up."""
_SOON = 6
"""A clause often describes a turn at most this many turns after the turn that the previous clause describes."""
_NUMBER, _RARE, _UNKNOWN = re.compile(r"\d\S+|[a-z]+\d+"), 3, 0.6
"""A number or code of two or more characters; the most turns in which it is rare; the rarity of a term in no turn."""
_INTRODUCES, _FAR, _NEAR = 3, 4, 0.25
"""Most characters between a clause and a citation that it introduces; most turns between a cited turn and a neighbour;
least probability of a turn whose neighbours are judged, too."""


Anchors = Sequence[Sequence[tuple[int, int]]]
"""For each sentence, (offset, index of the turn) of its citations, sorted."""
Sums = Sequence[tuple[int, float]]  # (index of the turn, total rarity of common terms), the greatest total first


class ClauseSigns(NamedTuple):
    """Signs that a clause describes a turn. Five are totals of the rarity of terms: in common with the clause
    (`shared`) and the rest of its `sentence`; of terms that only the turns `around` have; of the `question` that the
    turn answers and the `answer` to it. `lead` is how far `shared` is ahead of the next best turn. `subjects` is their
    number. The rest is 1 or 0: `by_speaker` for a turn by the speaker that the clause names, `asked` for a question if
    the clause is about asking, `after` for a turn soon after the turn of the previous clause."""

    shared: float
    sentence: float
    around: float
    question: float
    answer: float
    lead: float
    subjects: float
    by_speaker: float
    asked: float
    asks: float
    after: float
    opening: float
    tool: float


class TurnSigns(NamedTuple):
    """Signs that an explanation describes a turn: how probable its best clause is, and the best clauses of the turns
    `before` and `behind`. The rest is 1 or 0: `any_cited` if the explanation cites any turn, `neighbour` for a turn
    that `neighbours` yields, `number` for a rare number in common, `by_named_caller` for a turn of the caller if the
    caller is named, `asked` for a question if the explanation is about asking."""

    best: float
    before: float
    behind: float
    any_cited: float
    neighbour: float
    number: float
    by_agent: float
    by_named_caller: float
    asked: float
    asks: float


CLAUSE_BIAS, TURN_BIAS = -1.46, -3.87
CLAUSE_WEIGHTS = ClauseSigns(0.84, 1.23, 0.25, 0.85, -0.28, 0.56, 0.24, 0.41, 1.71, -0.74, 0.70, -2.14, -0.32)
TURN_WEIGHTS = TurnSigns(4.37, 1.15, 0.95, -1.09, 2.98, 0.79, 1.08, 0.92, 1.08, -0.71)


class Described(NamedTuple):
    """A turn that an explanation may describe: the index of the turn, the probability, the words of the explanation
    that have terms in common with the turn, and the first of them that is a number in few turns, else ""."""

    turn: int
    probability: float
    words: tuple[str, ...]
    number: str


class Clause(NamedTuple):
    """A clause and its terms, each with the word that has the term. `rest` has its sentence's terms. `who` speaks
    according to the clause, or to one before it; "" if none names anybody. `earlier`: about something before that."""

    start: int
    end: int
    text: str
    terms: Mapping[str, str]
    rest: Mapping[str, str]
    who: Who
    earlier: bool


class DescribedTurns:
    """Finds the described turns of one call."""

    def __init__(self, word_index: WordIndex) -> None:
        self._turns = word_index.turns
        self.terms = [_terms_of_turn(*pair) for pair in zip(self._turns, word_index.words, strict=True)]
        spoken = [index for index, turn in enumerate(self._turns) if turn.speaker not in TOOLS]
        for index, term in [*((n, "#hello") for n in spoken[:1]), *((n, "#goodbye") for n in spoken[-2:])]:
            self.terms[index] |= {term}
        self._turns_with = defaultdict[str, list[int]](list)
        for index, terms in enumerate(self.terms):
            for term in terms:
                self._turns_with[term].append(index)
        self._most = max(_SOON, min(_FREQUENT, int(len(self._turns) * _SHARE)))

    def find(self, sentences: Sequence[Sentence], anchors: Anchors) -> list[Described]:
        """The turns that the sentences may describe and do not cite, the most probable first."""
        clauses = list(self.clause_signs(sentences))
        best = defaultdict[int, float](float)
        words = defaultdict[int, dict[str, str]](dict)
        for clause, signs in clauses:
            for index, sign in signs.items():
                best[index] = max(best[index], probability(sign, CLAUSE_WEIGHTS, CLAUSE_BIAS))
                words[index] |= {term: word for term, word in clause.terms.items() if term in self.terms[index]}
        found = (
            Described(index, probability(signs, TURN_WEIGHTS, TURN_BIAS), tuple(words[index].values()), number)
            for index, signs in self.turn_signs(sentences, anchors, best)
            for number in (next((word for term, word in words[index].items() if self._is_rare_number(term)), ""),)
        )
        return sorted(found, key=lambda one: (-one.probability, one.turn))

    def terms_in(self, text: str) -> set[str]:
        return {term for term, _ in terms_of(words_of(text))}

    def _is_rare_number(self, term: str) -> bool:
        return _NUMBER.fullmatch(term) is not None and len(self._turns_with.get(term, ())) <= _RARE

    def clause_signs(self, sentences: Iterable[Sentence]) -> Iterator[tuple[Clause, dict[int, ClauseSigns]]]:
        """Yield each clause with the signs of the turns that it may describe, by the index of the turn."""
        last = None
        for clause in (clause for sentence in sentences for clause in _clauses(sentence)):
            rarity = {term: self._rarity(term) for term in clause.terms}
            shared = Counter[int]()
            for term in rarity:
                if len(where := self._turns_with.get(term, ())) <= self._most:
                    for index in where:
                        shared[index] += rarity[term]  # type: ignore[assignment]
            answers = [index + 1 for index in shared if self._asks(index) and index + 1 < len(self._turns)]
            best = sorted({**dict.fromkeys(answers, 0.0), **shared}.items(), key=lambda item: -item[1])[:_MOST_TURNS]
            if shared:
                yield clause, {n: self._signs(clause, rarity, best, k, last) for k, (n, _) in enumerate(best)}
                last = best[0][0]

    def neighbours(self, sentences: Sequence[Sentence], anchors: Anchors) -> Iterator[int]:
        """Indexes of turns next to a cited turn whose speaker is named by a clause without a citation."""
        last: int | None = None
        for sentence, cited, next_cited in zip(sentences, anchors, [*anchors[1:], ()], strict=False):
            for clause in _clauses(sentence):
                here = [index for at, index in cited if clause.start <= at < clause.end + _INTRODUCES]
                behind = next((index for at, index in cited or next_cited if not cited or at >= clause.end), None)
                near = last if behind is None else behind
                step = -1 if behind is not None or clause.earlier else 1
                if (
                    near is not None
                    and _SAYS.search(clause.text)
                    and not (here or RULE.search(clause.text) or NOT.search(clause.text))
                ):
                    yield from self._next_turn_of(near, clause.who, step)
                last = here[-1] if here else last

    def _next_turn_of(self, index: int, who: Who, step: int) -> list[int]:
        """Index of the next (step 1) or last (-1) turn of `who`; empty if turn `index` is by `who` or none is near."""
        way = range(index, index + (_FAR + 1) * step, step) if self._turns[index].speaker != who else ()
        return [at for at in way if 0 <= at < len(self._turns) and self._turns[at].speaker == who][:1]

    def _signs(self, clause: Clause, rarity: Mapping[str, float], best: Sums, k: int, last: int | None) -> ClauseSigns:
        index, shared = best[k]
        turn, terms = self._turns[index], self.terms[index]

        def total(at: int) -> float:
            return sum(rare for term, rare in rarity.items() if at < len(self._turns) and term in self.terms[at])

        asks, before = self._asks(index), self._turns[index - 1].speaker
        near = self.terms[max(index - 1, 0) : index + 2]
        return ClauseSigns(
            shared=shared,
            sentence=sum(self._rarity(term) for term in clause.rest if term in terms and term not in rarity),
            around=sum(rare for term, rare in rarity.items() if term not in terms and any(term in one for one in near)),
            question=total(index - 1) if index and self._asks(index - 1) and turn.speaker != before else 0.0,
            answer=total(index + 1) if asks else 0.0,
            lead=shared - max((total for _, total in best[k == 0 :]), default=0.0),
            subjects=sum(term[0] == "#" for term in rarity if term in terms),
            by_speaker=clause.who == turn.speaker,
            asked=asks and _ASKS.search(clause.text) is not None,
            asks=asks,
            after=last is not None and 0 <= index - last <= _SOON,
            opening=index < 2 and clause.who != turn.speaker,
            tool=turn.speaker in TOOLS,
        )

    def turn_signs(
        self, sentences: Sequence[Sentence], anchors: Anchors, best: Mapping[int, float]
    ) -> Iterator[tuple[int, TurnSigns]]:
        """Yield the index and the signs of each turn that the sentences may describe and do not cite. `best` has the
        probability of the best clause by the index of its turn."""
        text = " ".join(sentence.text for sentence in sentences)
        asked, names_caller = _ASKS.search(text) is not None, CALLER.search(text) is not None
        said = {term for sentence in sentences for clause in _clauses(sentence) for term in clause.terms}
        numbers = {index for term in said if self._is_rare_number(term) for index in self._turns_with[term]}
        cited = {index for of_sentence in anchors for _, index in of_sentence}
        neighbours = set(self.neighbours(sentences, anchors))
        near = {at + step for at in (*(n for n in best if best[n] > _NEAR), *cited) for step in (-1, 1)}
        for index in sorted({*best, *near, *neighbours} - cited):
            if 0 <= index < len(self._turns):
                speaker, asks = self._turns[index].speaker, self._asks(index)
                signs = TurnSigns(
                    best=best.get(index, 0.0),
                    before=best.get(index - 1, 0.0),
                    behind=best.get(index + 1, 0.0),
                    any_cited=bool(cited),
                    neighbour=index in neighbours,
                    number=index in numbers,
                    by_agent=speaker == "main",
                    by_named_caller=names_caller and speaker == "testing",
                    asked=asks and asked,
                    asks=asks,
                )
                yield index, signs

    def _rarity(self, term: str) -> float:
        """1 for a term in one turn, less for a term in more turns."""
        if not (where := self._turns_with.get(term)):
            return _UNKNOWN
        return math.log(1 + len(self._turns) / len(where)) / math.log(1 + len(self._turns))

    def _asks(self, index: int) -> bool:
        return "?" in self._turns[index].text and self._turns[index].speaker not in TOOLS


def _clauses(sentence: Sentence) -> Iterator[Clause]:
    text = sentence.rest
    of_sentence = {term: word.form for term, word in terms_of(words_of(text))}
    who: Who = ""
    for start, end in clauses_of(text, _CLAUSE):
        clause = text[start:end]
        who = first_speaker(clause) or who
        terms = {term: clause[word.start : word.end] for term, word in terms_of(words_of(clause))}
        yield Clause(start, end, clause, terms, of_sentence, who, bool(_EARLIER.search(text, max(start - 12, 0), end)))


_PRICE = frozenset(("pound", "euro", "dollar", "rupee", "yen"))
_TIME, _YEAR = re.compile(r"\d\d?:\d\d"), re.compile(r"(?:19|20)\d\d")
_SPELT = re.compile(r"\b[A-Z](?:[-, ]+[A-Z]\b){2,}")
_MAIL = re.compile(r"@|\b(?:dot|punkt|punto|point) (?:com|net|org|de|es|fr|co)\b")
_LONG_NUMBER = 6


def _terms_of_turn(turn: Turn, words: Sequence[Word]) -> frozenset[str]:
    """A turn's terms, with the subjects of its facts ("#price", "#email"), which explanations name."""
    terms = {term for term, _ in terms_of(words)}
    if turn.speaker in TOOLS:
        return frozenset(terms)
    digits = 0
    for word in words:
        digits = digits + len(word.form) if word.form.isdecimal() else 0
        if digits >= _LONG_NUMBER:
            terms |= {"#phone", "#referenc", "#number"}
        if word.form in _PRICE:
            terms |= {"#price", "#fee"}
        elif _TIME.fullmatch(word.form):
            terms.add("#appointment")
        elif _YEAR.fullmatch(word.form):
            terms.add("#birth")
    if _SPELT.search(turn.text):
        terms |= {"#spell", "#surname", "#name"}
    if _MAIL.search(turn.text):
        terms.add("#email")
    return frozenset(terms)


def probability(signs: Sequence[float], weights: Sequence[float], bias: float) -> float:
    # exp(710) raises OverflowError; the last digits of a sum depend on the version of Python.
    return round(1 / (1 + math.exp(min(-bias - sum(map(mul, signs, weights)), 700))), 6)
