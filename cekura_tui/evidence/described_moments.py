"""Moments that are described in other words than were said: by figures that only one turn says, or by rare words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from cekura_tui.evidence.match import TurnWords
from cekura_tui.evidence.mentions import RULE, Who, clauses_of
from cekura_tui.evidence.spoken_words import EMPTY, Word, stem, words_of

_CLAUSE = re.compile(
    r"[,;:()\[\]—–•❌✅]|\s-\s|\b(?:but|yet|although|while|when|which|whereas|until|and then|before|after|and)\b"
)
_RARE = 2
"""A word that more turns say points at none of them."""
_VAGUE_WORDS = """
able above across against agent's along around back behind being below between caller's clear clearly confirm confirmed
confirms despite didn doesn durch elle está explanation finally immediately information later line lines long minute
minutes moment point polite politely porque question responded response seconds short through whole être
"""
_NONE = frozenset(("no", "not", "nor", "without", "never", "since", "below", "under", "above", "than"))
_AT = frozenset(("at", "until", "till", "ab", "bis", "gegen", "las", "la"))
_EMPTY = (EMPTY | set(_VAGUE_WORDS.split())) - {"know", "next", "step"}
"""Words that point at no turn: besides those that say nothing, words that many verdicts are made of."""


class Figure(NamedTuple):
    """A figure that few turns say: the index of the turn, how it is written, at which character, in which clause."""

    turn: int
    shown: str
    at: int
    clause: int


def figures(word_index: TurnWords, text: str, who: Who) -> Iterator[Figure]:
    """The figures of a text that only one or two turns say: "07:30", "forty minutes", "KV19".

    Of two turns it is the one of `who`, else that which shares more words with the text, else the later one.
    """
    words = words_of(text)
    clauses = [found.start() for found in _CLAUSE.finditer(text)]
    for n, word in enumerate(words):
        if not any(letter.isdigit() for letter in word.form) or _bounded(words, n):
            continue
        shown, clause = text[word.start : word.end], bisect_left(clauses, word.start)
        form = word.form
        if who == "main" and (spoken := _twelve_hours(form)) and word_index.spread(spoken):
            form = spoken
        where = word_index.turns_with(form) or _hours(word_index, form)
        if len(form) >= 3 and 1 <= len(where) <= _RARE:
            turn = max(where, key=lambda i: (word_index.turns[i].speaker == who, shared(word_index, i, words), i))
            yield Figure(turn, shown, word.start, clause)
        elif unit := _unit(words, n):
            both = [index for index in word_index.turns_with(form) if _follows(word_index.words[index], word, unit)]
            if len(both) == 1:
                yield Figure(both[0], text[min(word.start, unit.start) : max(word.end, unit.end)], word.start, clause)


def _bounded(words: Sequence[Word], n: int) -> bool:
    """Whether a figure is denied, or is a limit that nobody said: "no 999", "below the limit of 6:45"."""
    before = [word.form for word in words[max(n - 3, 0) : n]]
    return (before[-1:] and before[-1] in _NONE) or "limit" in before


def _twelve_hours(form: str) -> str:
    """A time of the afternoon as it is said: 22:30 is half past ten."""
    hour, colon, minutes = form.partition(":")
    if colon and hour.isdecimal() and 13 <= int(hour) <= 23 and len(minutes) == 2:
        return f"{int(hour) - 12}:{minutes}"
    return ""


def _hours(word_index: TurnWords, form: str) -> Sequence[int]:
    """The turns that say a full hour, 9:00, as one says it: "at nine"."""
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
    """What a figure counts: the word after it, or the sign of a currency before it."""
    if n and words[n - 1].form in ("pound", "euro", "dollar", "rupee", "yen"):
        return words[n - 1]
    return words[n + 1] if n + 1 < len(words) else None


def shared(word_index: TurnWords, index: int, words: Iterable[Word]) -> int:
    return len({word.form for word in words} & {word.form for word in word_index.words[index]})


def _follows(words: Sequence[Word], figure: Word, unit: Word) -> bool:
    return any(one.form == figure.form and stem(two.form) == stem(unit.form) for one, two in pairwise(words))


def described(word_index: TurnWords, text: str, cited: Sequence[int]) -> Iterator[tuple[int, tuple[str, ...], int]]:
    """Turns (index, the words, and where they begin) that alone share rare words with a clause of the text.

    A clause with one of the characters `cited` points at a turn by other means and needs no guess.
    """
    for start, end in clauses_of(text, _CLAUSE):
        clause = text[start:end]
        # What stands right before a quote, or what is in brackets, only says what that is.
        if RULE.search(clause) or any(start <= at < end + 3 for at in cited):
            continue
        stems = {
            stem(word.form): clause[word.start : word.end]
            for word in words_of(clause)
            if len(word.form) >= (4 if word.form.isalpha() else 2) and word.form not in _EMPTY
        }
        shared: Counter[int] = Counter()
        for one in stems:
            where = word_index.turns_with_stem(one)
            if 1 <= len(where) <= _RARE:
                shared.update(where)
        best = max(shared.values(), default=0)
        if best >= 2:
            index = min(index for index, number in shared.items() if number == best)
            yield index, tuple(stems[one] for one in stems if index in word_index.turns_with_stem(one)), start


def beside(word_index: TurnWords, index: int, text: str) -> float:
    """How many words of a text are said in a turn or the ones next to it, rare ones counting most."""
    forms = {w.form for w in words_of(text) if len(w.form) >= 3 and w.form not in _EMPTY and word_index.spread(w.form)}
    near = {word.form for words in word_index.words[max(index - 1, 0) : index + 2] for word in words}
    return sum(1 / word_index.spread(form) for form in forms & near)
