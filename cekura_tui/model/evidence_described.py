"""Moments that are described in other words than were said: by figures that only one turn says, or by rare words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from cekura_tui.model.evidence_match import SaidWords
from cekura_tui.model.spoken_words import Word, stem, words_of

_CLAUSE = re.compile(
    r"[,;:()\[\]—–•❌✅]|\s-\s|\b(?:but|yet|although|while|when|which|whereas|until|and then|before|after|and)\b"
)
_RARE = 2
"""A word that more turns say points at none of them."""
_EMPTY_WORDS = """
the and for was has had did its his her him you she who why how any all not but that this with from have
been were will would could should their there they them then than when what which while about into only
also just very more most some such does didn doesn said says told tell asked asks ask answer answered
answers reply replied agent caller customer user assistant call calls called turn turns conversation
explanation verdict metric score check passed failed correct correctly properly never always again twice
once first second third later finally immediately without within before after because however despite still
made make gave give given took take right wrong good well time times point moment same other another each
every mit ohne oder aber auch dass wird wurde sich eine einen einem einer nicht noch schon beim durch para
pero como está esta este cuando donde porque sobre entre dans avec pour mais elle vous nous sont être
question information confirm confirmed confirms line lines response responded
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


def figures(said: SaidWords, text: str) -> Iterator[tuple[int, str]]:
    """Turns (index, and the figure) that alone say a figure of the text: "07:30", "forty minutes", "KV19"."""
    words = words_of(text)
    for n, word in enumerate(words):
        if not any(letter.isdigit() for letter in word.form):
            continue
        shown = text[word.start : word.end]
        if len(word.form) >= 3 and 1 <= said.spread(word.form) <= _RARE:
            yield from ((index, shown) for index in said.turns_with(word.form))
        elif n + 1 < len(words) and said.spread(word.form):
            unit = words[n + 1]
            both = [index for index in said.turns_with(word.form) if _follows(said.words[index], word, unit)]
            if len(both) == 1:
                yield both[0], text[word.start : unit.end]


def _follows(words: Sequence[Word], figure: Word, unit: Word) -> bool:
    return any(one.form == figure.form and stem(two.form) == stem(unit.form) for one, two in pairwise(words))


def described(said: SaidWords, text: str, told: Collection[int] = ()) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Turns (index, and the words) that share several rare words with a clause of the text, as no other turn does.

    A clause that points at a turn by other means, at one of the characters in `told`, needs no guess.
    """
    begun = 0
    for cut in [*(found.span() for found in _CLAUSE.finditer(text)), (len(text), len(text))]:
        clause, place, begun = text[begun : cut[0]], range(begun, cut[0]), cut[1]
        if any(at in place for at in told):
            continue
        stems = {stem(word.form): shown for word in words_of(clause) if (shown := _content(word, clause))}
        shared: Counter[int] = Counter()
        for one in stems:
            where = said.turns_with_stem(one)
            if 1 <= len(where) <= _RARE:
                shared.update(where)
        best = max(shared.values(), default=0)
        if best >= 2:
            index = min(index for index, number in shared.items() if number == best)
            yield index, tuple(stems[one] for one in stems if index in said.turns_with_stem(one))


def _content(word: Word, text: str) -> str:
    """The word as it is written, if it is one that can point."""
    return (
        text[word.start : word.end]
        if len(word.form) >= (4 if word.form.isalpha() else 2) and word.form not in _EMPTY
        else ""
    )


def beside(said: SaidWords, index: int, text: str) -> float:
    """How many words of a text are said in a turn or the ones next to it, rare ones counting most."""
    forms = {w.form for w in words_of(text) if len(w.form) >= 3 and w.form not in _EMPTY and said.spread(w.form)}
    near = {word.form for words in said.words[max(index - 1, 0) : index + 2] for word in words}
    return sum(1 / said.spread(form) for form in forms & near)
