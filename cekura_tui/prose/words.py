"""The words of two versions of one passage compared.

What comes out reads as prose: no confetti of small words that happen to be in both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Literal

from cekura_tui.prose.formatting import Atom, Dressed, Format, FormatSpan, dress_spans, format_spans, undressed
from cekura_tui.prose.matching import Pairs, match, short_gaps, slid

_CONTENT, _ANY_LETTER, _SMALL, _MARK = 10, 5, 4, 1
_ISLAND = 26
"""What is the same between two changes and weighs less is read with them."""
_CLAUSE = '.,;:!?)]}"”»。，；：！？'
_LEAST_SHARE = 0.3
"""The least part of the weight of both passages that must be the same; with less, one is not a version of the other."""


def same_words(old: Sequence[str], new: Sequence[str], *, closely: bool = True, least: float = _LEAST_SHARE) -> Pairs:
    """Pairs (i, j) with old[i] == new[j], both rising; none where less than the part `least` of the weight of both
    passages is the same. Without `closely` only unique words and their neighbours are paired, in linear time."""
    pairs = match(old, new, short_gaps(old, new), [weight(word) for word in old]) if closely else match(old, new)
    return _without_crumbs(old, new, _cut_well(old, new, pairs), least)


@lru_cache(maxsize=16_384)
def weight(word: str) -> int:
    """The weight of a word: much for a long one or a figure, less for a letter of a script without spaces, little for a
    small one, next to nothing for a mark."""
    letters = sum(map(str.isalnum, word))
    if not letters:
        return _MARK
    if letters > 3 or any(map(str.isdigit, word)):
        return _CONTENT
    return _ANY_LETTER if word[0] >= "\u0e00" else _SMALL


def is_distinctive(word: str) -> bool:
    """Whether a word can say which passages are versions of one another."""
    return weight(word) >= _ANY_LETTER


def _cut_well(old: Sequence[str], new: Sequence[str], pairs: Pairs) -> Pairs:
    """Where an added or removed passage fits a few words earlier or later, too, let it end with a clause."""

    def cut(side: int, start: int, end: int, step: int) -> int:
        words = (old, new)[side]
        alone = start > step and weight(words[start - step - 1]) <= _SMALL and step > 0
        begins_clause = start == 0 or words[start - 1][-1] in _CLAUSE
        return 4 * (words[end - 1][-1] in _CLAUSE) + 2 * begins_clause + alone

    return slid(old, new, pairs, cut)


def _without_crumbs(old: Sequence[str], new: Sequence[str], pairs: Pairs, least: float) -> Pairs:
    """Leave out what is between changes and small beside them; all, where too little is the same."""
    old_upto, new_upto = (list(accumulate(map(weight, words), initial=0)) for words in (old, new))
    todo = _runs(pairs)[::-1]
    runs: list[tuple[int, int, int]] = []
    while todo:
        i, j, length = todo.pop()
        i_before, j_before = (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) if runs else (0, 0)
        i_after, j_after = todo[-1][:2] if todo else (len(old), len(new))
        left = old_upto[i] - old_upto[i_before] + new_upto[j] - new_upto[j_before]
        right = old_upto[i_after] - old_upto[i + length] + new_upto[j_after] - new_upto[j + length]
        same = old_upto[i + length] - old_upto[i]
        is_crumb = same <= _SMALL + _MARK or (same < _ISLAND and min(left, right) >= _CONTENT * 2)
        if not (left and right and is_crumb):
            runs.append((i, j, length))
        elif runs:
            todo.append(runs.pop())  # more changed beside it now
    same = sum(old_upto[i + length] - old_upto[i] for i, _, length in runs)
    if 2 * same < least * (old_upto[-1] + new_upto[-1]):
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


Op = Literal["same", "del", "ins"]

_DRESS = "\"'‘’‚‛“”„‟«»‹›「」『』*`~"
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
    """A stretch of text in both versions, in the old or in the new alone. `format`: only formatting differs; `hunk`:
    its formatting hunk."""

    op: Op
    text: str
    format: Format = ""
    hunk: int = 0


def word_count(text: str) -> int:
    return len(_WORDS.findall(text))


def words_of(text: str) -> frozenset[str]:
    """The different words and marks of a text, to measure how alike two texts are."""
    return frozenset(found.group().lower() for found in _TOKEN.finditer(text))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """0 to 1: the part of their different words that two texts share."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def words_in(text: str, *, exactly: bool = False) -> tuple[str, ...]:
    """The words and marks of a text in order, without their dress unless `exactly`; a `{{variable}}` is one."""
    found = [found.group() for found in _TOKEN.finditer(text)]
    return tuple(found if exactly else [undressed(word) for word in found if word[0] not in _DRESS])


def word_spans(
    old: str, new: str, *, closely: bool = True, exactly: bool = False, least: float = _LEAST_SHARE
) -> list[WordSpan]:
    """The spans from old to new: their same and deleted texts make `old`, their same and inserted texts `new`.
    `exactly`, as for code: there is no dress. Texts of which less than `least` is the same share no words."""
    if old == new:
        return tidy([WordSpan("same", old)])
    if not exactly and (same := format_spans(old, new)) is not None:
        return formatted(same)
    before = [found.span() for found in _WRITTEN.finditer(old)]
    after = [found.span() for found in _WRITTEN.finditer(new)]
    old_words = [old[start:end] for start, end in before]
    new_words = [new[start:end] for start, end in after]
    one, other = Dressed(old), Dressed(new)
    bare = (old_words, new_words)
    if not exactly:
        bare = ([one.key(*place) for place in before], [other.key(*place) for place in after])
    pairs = same_words(*bare, closely=closely, least=least)
    if (before or after) and not pairs:
        return tidy([WordSpan("del", old), WordSpan("ins", new)])
    spans: list[WordSpan] = []
    at = to = start = 0
    for i, j in pairs:
        gap, other_gap = old[at : before[i][0]], new[to : after[j][0]]
        if gap != other_gap or old_words[i] != new_words[j]:
            spans.append(WordSpan("same", old[start:at]))
            spans += _replaced(gap, other_gap)
            spans += _same(old_words[i], new_words[j], one.atoms(*before[i]), other.atoms(*after[j]))
            start = before[i][1]
        at, to = before[i][1], after[j][1]
    spans.append(WordSpan("same", old[start:at]))
    spans += _replaced(old[at:], new[to:])
    return tidy(spans)


def formatted(found: Iterable[FormatSpan]) -> list[WordSpan]:
    spans: list[WordSpan] = []
    for old, new, kind in found:
        spans += [WordSpan("del", old, kind), WordSpan("ins", new, kind)] if kind else [WordSpan("same", old)]
    return tidy(spans)


def _same(old: str, new: str, before: Sequence[Atom], after: Sequence[Atom]) -> list[WordSpan]:
    if old == new:
        return [WordSpan("same", old)]
    dress = dress_spans(before, after)
    return [WordSpan("del", old), WordSpan("ins", new)] if dress is None else formatted(dress)


def _replaced(old: str, new: str) -> list[WordSpan]:
    """One text for another; white space and marks that both begin or end with are the same."""
    if old == new:
        return [WordSpan("same", old)]
    if old.strip() == new.strip() == "":
        return formatted(format_spans(old, new) or ())
    most = min(len(old), len(new))
    start = 0
    while start < most and old[start] == new[start] and not _is_word_letter(old[start]):
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end] and not _is_word_letter(old[-1 - end]):
        end += 1
    if end and old[-end] == "\n" and "\r" in (old[-end - 1 : -end], new[-end - 1 : -end]):
        end -= 1  # half a line end is not the same
    head, tail = old[:start], old[len(old) - end :]
    return [
        WordSpan("same", head),
        WordSpan("del", old[start : len(old) - end]),
        WordSpan("ins", new[start : len(new) - end]),
        WordSpan("same", tail),
    ]


def _is_word_letter(letter: str) -> bool:
    return letter.isalnum() or letter in "{}_" or unicodedata.category(letter)[0] == "M"


def tidy(spans: Iterable[WordSpan]) -> list[WordSpan]:
    """No empty spans, neighbours of a kind as one, and in every change first what goes, then what comes."""
    found: list[WordSpan] = []
    filled = (span for span in spans if span.text)
    for (is_same, kind, hunk), group in groupby(filled, lambda span: (span.op == "same", span.format, span.hunk)):
        stays: list[str] = []
        comes: list[str] = []
        for span in group:
            (comes if span.op == "ins" else stays).append(span.text)
        if stays:
            found.append(WordSpan("same" if is_same else "del", "".join(stays), kind, hunk))
        if comes:
            found.append(WordSpan("ins", "".join(comes), kind, hunk))
    return found


def quiet(spans: Iterable[WordSpan]) -> list[WordSpan]:
    """The spans with the dress of the old text, as the same."""
    return tidy(
        WordSpan("same", span.text) if span.format else span for span in spans if not (span.format and span.op == "ins")
    )
