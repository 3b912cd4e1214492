"""The words of two versions of one passage compared.

What comes out reads as prose: no confetti of small words that happen to stand in both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal

from cekura_tui.prose.marks import structure
from cekura_tui.prose.matching import Pairs, match, short_gaps, slid

_CELLS = 160_000
"""Pairs of words that are weighed one by one; longer passages are compared by their unique words first."""
_CONTENT, _ANY_LETTER, _SMALL, _MARK, _ON = 10, 5, 4, 1, 3
_CLAUSE = '.,;:!?)]}"”»。，；：！？'
_LEAST_SHARE = 0.3
"""The least part of the weight of both passages that must be the same; with less, one is not a version of the other."""


def same_words(old: Sequence[str], new: Sequence[str], *, closely: bool = True) -> Pairs:
    """Pairs (i, j) with old[i] == new[j], both rising; none where the passages are not versions of one another.

    Without `closely` only the words that are in each once are paired, and their neighbours: in time that grows with
    their number alone.
    """
    start, most = 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    if not closely:
        inner = match(a, b)
    else:
        inner = _heaviest(a, b) if len(a) * len(b) <= _CELLS else match(a, b, short_gaps(a, b))
    pairs = [(i, i) for i in range(start)]
    pairs += [(start + i, start + j) for i, j in inner]
    pairs += [(len(old) - k, len(new) - k) for k in range(end, 0, -1)]
    return _without_crumbs(old, new, _cut_well(old, new, pairs))


def weight(word: str) -> int:
    """What a word tells: much, if it is long or a figure; less, if it is a letter of a script without spaces; little,
    if it is small; next to nothing, if it is a mark."""
    letters = sum(map(str.isalnum, word))
    if not letters:
        return _MARK
    if letters > 3 or any(map(str.isdigit, word)):
        return _CONTENT
    return _ANY_LETTER if word[0] >= "\u0e00" else _SMALL


def is_distinctive(word: str) -> bool:
    """Whether a word can say which passages are versions of one another."""
    return weight(word) >= _ANY_LETTER


def weights(words: Sequence[str]) -> int:
    """What all words tell."""
    return sum(map(weight, words))


def _heaviest(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """The common words, in order, that weigh most; of equals those that stand together."""
    if not a or not b:
        return []
    width = len(b) + 1
    worth = [weight(word) for word in a]
    best = [[0] * width for _ in range(len(a) + 1)]
    run = [[0] * width for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below, on, on_below, word, value = best[i], best[i + 1], run[i], run[i + 1], a[i], worth[i]
        ahead = 0
        for j in range(len(b) - 1, -1, -1):
            most = below[j] if below[j] > ahead else ahead
            if word == b[j]:
                joined = on_below[j + 1] + _ON if on_below[j + 1] else 0
                here = value + (joined if joined > below[j + 1] else below[j + 1])
                on[j] = here
                if here > most:
                    most = here
            row[j] = ahead = most
    pairs: Pairs = []
    i = j = 0
    continues = False
    while i < len(a) and j < len(b):
        if run[i][j] and (continues or run[i][j] == best[i][j]):
            pairs.append((i, j))
            after = run[i + 1][j + 1]
            continues = bool(after) and after + _ON >= best[i + 1][j + 1]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _cut_well(old: Sequence[str], new: Sequence[str], pairs: Pairs) -> Pairs:
    """Where a passage that came or went could stand a few words earlier or later, let it end with a clause."""

    def cut(side: int, start: int, end: int, step: int) -> int:
        words = (old, new)[side]
        alone = start > step and weight(words[start - step - 1]) <= _SMALL and step > 0
        return 2 * _clause(words, start, end) + alone

    return slid(old, new, pairs, cut)


def _clause(words: Sequence[str], start: int, end: int) -> int:
    """How well words [start, end) are cut: after a clause, and to the end of one."""
    before = start == 0 or words[start - 1][-1] in _CLAUSE
    return 2 * (words[end - 1][-1] in _CLAUSE) + before


def _without_crumbs(old: Sequence[str], new: Sequence[str], pairs: Pairs) -> Pairs:
    """Leave out what stands between changes and is small beside them; all, where too little is the same."""
    old_upto, new_upto = (list(accumulate(map(weight, words), initial=0)) for words in (old, new))
    todo = _runs(pairs)[::-1]
    runs: list[tuple[int, int, int]] = []
    while todo:
        i, j, length = todo.pop()
        i_before, j_before = (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) if runs else (0, 0)
        i_after, j_after = todo[-1][:2] if todo else (len(old), len(new))
        left = old_upto[i] - old_upto[i_before] + new_upto[j] - new_upto[j_before]
        right = old_upto[i_after] - old_upto[i + length] + new_upto[j_after] - new_upto[j + length]
        if not (left and right and _is_crumb(old_upto[i + length] - old_upto[i], left, right)):
            runs.append((i, j, length))
        elif runs:
            todo.append(runs.pop())  # more changed beside it now
    same = sum(old_upto[i + length] - old_upto[i] for i, _, length in runs)
    if 2 * same < _LEAST_SHARE * (old_upto[-1] + new_upto[-1]):
        return []
    return [(i + n, j + n) for i, j, length in runs for n in range(length)]


def _runs(pairs: Pairs) -> list[tuple[int, int, int]]:
    runs: list[tuple[int, int, int]] = []
    for i, j in pairs:
        if runs and (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) == (i, j):
            runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
        else:
            runs.append((i, j, 1))
    return runs


def _is_crumb(same: int, left: int, right: int) -> bool:
    """Whether what is the same between two changes is too little to be read as such."""
    if same <= _SMALL + _MARK:
        return True
    return same < _CONTENT * 2 and min(left, right) >= _CONTENT * 4


Op = Literal["same", "del", "ins"]
_OPS: tuple[Op, ...] = ("same", "del", "ins")

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # scripts without spaces: a word a letter
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0983"
    "\u09bc-\u09cd\u0a3c-\u0a4d\u0abc-\u0acd\u0bbe-\u0bcd\u0c3e-\u0c56\u0cbc-\u0cd6\u0d3e-\u0d57"
)  # accents and vowels that are no letters of their own, but of a word
_LETTER = rf"(?:[^\W{_UNSPACED}]|[{_SIGNS}])"
_WORD = rf"[{_UNSPACED}]|{_LETTER}+(?:['’-]{_LETTER}+)*"
_VARIABLE = r"\{\{[^{}\n]{1,80}\}\}|\{[\w.-]{1,80}\}"
_FIGURE = r"\d+(?:[.,:/]\d+)*(?!\w)"
_TOKEN = re.compile(rf"{_VARIABLE}|{_FIGURE}|{_WORD}|([^\w\s])\1*")
_WORDS = re.compile(rf"{_VARIABLE}|{_FIGURE}|{_WORD}")
_WRITTEN = re.compile(rf"(?:{_VARIABLE}|[^\s{_UNSPACED}])+|[{_UNSPACED}]")


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A stretch of text that is in both versions, in the old alone or in the new alone."""

    op: Op
    text: str


def word_count(text: str) -> int:
    return sum(1 for _ in _WORDS.finditer(text))


def words_of(text: str) -> frozenset[str]:
    """The different words and marks of a text, to tell how alike two texts are."""
    return frozenset(found.group().lower() for found in _TOKEN.finditer(text))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """0 to 1: the part of their different words that two texts share."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def words_in(text: str) -> tuple[str, ...]:
    """The words and marks of a text in order; a `{{variable}}` is one."""
    return tuple(found.group() for found in _TOKEN.finditer(text))


def word_spans(old: str, new: str, *, closely: bool = True) -> list[WordSpan]:
    """The spans from old to new: their same and deleted texts make `old`, their same and inserted texts `new`."""
    before = [found.span() for found in _WRITTEN.finditer(old)]
    after = [found.span() for found in _WRITTEN.finditer(new)]
    old_words = [old[start:end] for start, end in before]
    new_words = [new[start:end] for start, end in after]
    pairs = same_words(old_words, new_words, closely=closely)
    if (before or after) and not pairs:
        return tidy([WordSpan("del", old), WordSpan("ins", new)])
    spans: list[WordSpan] = []
    at = to = 0
    for i, j in pairs:
        spans += _replaced(old[at : before[i][0]], new[to : after[j][0]])
        spans.append(WordSpan("same", old_words[i]))
        at, to = before[i][1], after[j][1]
    spans += _replaced(old[at:], new[to:])
    return tidy(spans)


def _replaced(old: str, new: str) -> list[WordSpan]:
    """One text for another; the white space and the marks that both begin or end with are the same."""
    if old == new:
        return [WordSpan("same", old)]
    most = min(len(old), len(new))
    start = 0
    while start < most and old[start] == new[start] and not _is_word_letter(old[start]):
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end] and not _is_word_letter(old[-1 - end]):
        end += 1
    head, tail = old[:start], old[len(old) - end :]
    return [
        WordSpan("same", head),
        WordSpan("del", old[start : len(old) - end]),
        WordSpan("ins", new[start : len(new) - end]),
        WordSpan("same", tail),
    ]


def _is_word_letter(letter: str) -> bool:
    """Whether a letter is of a word or a variable, not a mark beside it."""
    return letter.isalnum() or letter in "{}_" or unicodedata.category(letter)[0] == "M"


def tidy(spans: Iterable[WordSpan]) -> list[WordSpan]:
    """No empty spans, neighbours of a kind as one, and in every change first what goes, then what comes."""
    found: list[WordSpan] = []
    for is_same, group in groupby((span for span in spans if span.text), key=lambda span: span.op == "same"):
        parts = list(group)
        for op in _OPS[:1] if is_same else _OPS[1:]:
            if text := "".join(span.text for span in parts if span.op == op):
                found.append(WordSpan(op, text))
    return found


def quiet(spans: Iterable[WordSpan]) -> list[WordSpan]:
    """White space that took the place of white space, and the number of a list item that of another, count as the
    same, in the new form: not exact, but readable."""
    found: list[WordSpan] = []
    for is_same, group in groupby(spans, key=lambda span: span.op == "same"):
        change = list(group)
        if is_same:
            found += change
            continue
        old = "".join(span.text for span in change if span.op == "del")
        new = "".join(span.text for span in change if span.op == "ins")
        if _is_layout(old, new, at_start=not found):
            found += [WordSpan("same", new)]
        else:
            found += change
    return tidy(found)


def _is_layout(old: str, new: str, *, at_start: bool) -> bool:
    kind = structure(old)
    if kind is None or kind != structure(new):
        return False
    if not kind:
        return True
    are_gaps = old[-1].isspace() and new[-1].isspace()
    return are_gaps and (at_start or (_breaks(old) and _breaks(new)))


def _breaks(gap: str) -> bool:
    return "\n" in gap[: len(gap) - len(gap.lstrip())]
