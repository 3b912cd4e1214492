"""Find turns that an explanation paraphrases: by numbers that few turns contain, or by rare words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from cekura_tui.evidence.match import WordIndex
from cekura_tui.evidence.mentions import RULE, Who, clauses_of
from cekura_tui.evidence.spoken_words import STOP_WORDS, Word, stem, words_of

_CLAUSE = re.compile(
    r"[,;:()\[\]—–•❌✅]|\s-\s|\b(?:but|yet|although|while|when|which|whereas|until|and then|before|after|and)\b"
)
_RARE = 2
"""A word that occurs in more turns than this does not identify a turn."""
_VAGUE_WORDS = """
able above across against agent's along around back behind being below between caller's clear clearly confirm confirmed
confirms despite didn doesn durch elle está explanation finally immediately information later line lines long minute
minutes moment point polite politely porque question responded response seconds short through whole être
"""
_NEGATIONS = frozenset(("no", "not", "nor", "without", "never", "since", "below", "under", "above", "than"))
_AT = frozenset(("at", "until", "till", "ab", "bis", "gegen", "las", "la"))
_STOP_WORDS = (STOP_WORDS | set(_VAGUE_WORDS.split())) - {"know", "next", "step"}
"""Words that identify no turn: general stop words and the usual vocabulary of verdicts."""


class Figure(NamedTuple):
    """A number by which a turn is found: the index of the turn, the number as written, the offset of the number, and
    the index of the clause that contains the number."""

    turn: int
    shown: str
    at: int
    clause: int


def rare_figures(word_index: WordIndex, text: str, who: Who) -> Iterator[Figure]:
    """The numbers of a text that only one or two turns contain, such as "07:30", "forty minutes" and "KV19". Of two
    turns, a turn by `who` wins, then the turn with more words in common with the text, then the later turn."""
    words = words_of(text)
    clauses = [found.start() for found in _CLAUSE.finditer(text)]
    for n, word in enumerate(words):
        if not any(letter.isdigit() for letter in word.form) or _is_negated_or_limit(words, n):
            continue
        shown, clause = text[word.start : word.end], bisect_left(clauses, word.start)
        form = word.form
        if who == "main" and (spoken := _twelve_hours(form)) and word_index.turn_count(spoken):
            form = spoken
        where = word_index.turns_with(form) or _turns_with_hour(word_index, form)
        if len(form) >= 3 and 1 <= len(where) <= _RARE:
            turn = max(where, key=lambda i: (word_index.turns[i].speaker == who, common_words(word_index, i, words), i))
            yield Figure(turn, shown, word.start, clause)
        elif unit := _unit(words, n):
            both = [index for index in word_index.turns_with(form) if _follows(word_index.words[index], word, unit)]
            if len(both) == 1:
                yield Figure(both[0], text[min(word.start, unit.start) : max(word.end, unit.end)], word.start, clause)


def _is_negated_or_limit(words: Sequence[Word], n: int) -> bool:
    """Whether a number is negated or a limit, as in "no 999" or "below the limit of 6:45". Such a number does not point
    at a turn."""
    before = [word.form for word in words[max(n - 3, 0) : n]]
    return (before[-1:] and before[-1] in _NEGATIONS) or "limit" in before


def _twelve_hours(form: str) -> str:
    """An afternoon time on the 12-hour clock, as people say it: "10:30" for "22:30". "" for any other word."""
    hour, colon, minutes = form.partition(":")
    if colon and hour.isdecimal() and 13 <= int(hour) <= 23 and len(minutes) == 2:
        return f"{int(hour) - 12}:{minutes}"
    return ""


def _turns_with_hour(word_index: WordIndex, form: str) -> Sequence[int]:
    """Indexes of the turns that name a full hour without minutes, such as "at nine" for 9:00. Empty if `form` is not a
    full hour."""
    hour, _, minutes = form.partition(":")
    if minutes != "00":
        return ()
    hours = {hour, _twelve_hours(form).partition(":")[0]}
    return [
        index
        for index in sorted({index for one in hours if one for index in word_index.turns_with(one)})
        if any(two.form in hours and one.form in _AT for one, two in pairwise(word_index.words[index]))
    ]


def _unit(words: Sequence[Word], n: int) -> Word | None:
    """The unit of number `n`: a currency before the number, else the word after the number, else None."""
    if n and words[n - 1].form in ("pound", "euro", "dollar", "rupee", "yen"):
        return words[n - 1]
    return words[n + 1] if n + 1 < len(words) else None


def common_words(word_index: WordIndex, index: int, words: Iterable[Word]) -> int:
    return len({word.form for word in words} & {word.form for word in word_index.words[index]})


def _follows(words: Sequence[Word], figure: Word, unit: Word) -> bool:
    return any(one.form == figure.form and stem(two.form) == stem(unit.form) for one, two in pairwise(words))


def rare_words(word_index: WordIndex, text: str, cited: Sequence[int]) -> Iterator[tuple[int, tuple[str, ...], int]]:
    """For each clause, find the turn that contains most of the rare words of the clause, at least two. Yields (index of
    the turn, the words, offset of the clause). Clauses about a rule are skipped, and so are clauses with an offset in
    `cited`, which point at a turn already."""
    for start, end in clauses_of(text, _CLAUSE):
        clause = text[start:end]
        # Text right before a quote or brackets only introduces them.
        if RULE.search(clause) or any(start <= at < end + 3 for at in cited):
            continue
        stems = {
            stem(word.form): clause[word.start : word.end]
            for word in words_of(clause)
            if len(word.form) >= (4 if word.form.isalpha() else 2) and word.form not in _STOP_WORDS
        }
        common_words: Counter[int] = Counter()
        for one in stems:
            where = word_index.turns_with_stem(one)
            if 1 <= len(where) <= _RARE:
                common_words.update(where)
        best = max(common_words.values(), default=0)
        if best >= 2:
            index = min(index for index, number in common_words.items() if number == best)
            yield index, tuple(stems[one] for one in stems if index in word_index.turns_with_stem(one)), start


def context_score(word_index: WordIndex, index: int, text: str) -> float:
    """Number of words of a text that occur in a turn or in the turns directly before and after it,
    weighted by rarity."""
    forms = {word.form for word in words_of(text) if len(word.form) >= 3} - _STOP_WORDS
    spoken = {word.form for words in word_index.words[max(index - 1, 0) : index + 2] for word in words}
    return sum(1 / word_index.turn_count(form) for form in forms & spoken)
