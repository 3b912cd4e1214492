"""The words of two versions of one paragraph compared; what comes out reads as prose, not as confetti."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from cekura_tui.model.prose_marks import structure
from cekura_tui.model.word_matching import same_words

__all__ = ["Op", "Span", "likeness", "quiet", "structure", "tidy", "word_count", "word_spans", "words_in", "words_of"]

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
class Span:
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


def word_spans(old: str, new: str, *, closely: bool = True) -> list[Span]:
    """The spans from old to new: their same and deleted texts make `old`, their same and inserted texts `new`."""
    before = [found.span() for found in _WRITTEN.finditer(old)]
    after = [found.span() for found in _WRITTEN.finditer(new)]
    old_words = [old[start:end] for start, end in before]
    new_words = [new[start:end] for start, end in after]
    pairs = same_words(old_words, new_words, closely=closely)
    if (before or after) and not pairs:
        return tidy([Span("del", old), Span("ins", new)])
    spans: list[Span] = []
    at = to = 0
    for i, j in pairs:
        spans += _replaced(old[at : before[i][0]], new[to : after[j][0]])
        spans.append(Span("same", old_words[i]))
        at, to = before[i][1], after[j][1]
    spans += _replaced(old[at:], new[to:])
    return tidy(spans)


def _replaced(old: str, new: str) -> list[Span]:
    """One text for another; the white space and the marks that both begin or end with are the same."""
    if old == new:
        return [Span("same", old)]
    most = min(len(old), len(new))
    start = 0
    while start < most and old[start] == new[start] and not _tells(old[start]):
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end] and not _tells(old[-1 - end]):
        end += 1
    head, tail = old[:start], old[len(old) - end :]
    return [
        Span("same", head),
        Span("del", old[start : len(old) - end]),
        Span("ins", new[start : len(new) - end]),
        Span("same", tail),
    ]


def _tells(letter: str) -> bool:
    """Whether a letter is of a word or a variable, not a mark beside it."""
    return letter.isalnum() or letter in "{}_" or unicodedata.category(letter)[0] == "M"


def tidy(spans: Iterable[Span]) -> list[Span]:
    """No empty spans, neighbours of a kind as one, and in every change first what goes, then what comes."""
    found: list[Span] = []
    for is_same, group in groupby((span for span in spans if span.text), key=lambda span: span.op == "same"):
        parts = list(group)
        for op in _OPS[:1] if is_same else _OPS[1:]:
            if text := "".join(span.text for span in parts if span.op == op):
                found.append(Span(op, text))
    return found


def quiet(spans: Iterable[Span]) -> list[Span]:
    """White space that took the place of white space, and the number of a list item that of another, count as the
    same, in the new form: not exact, but readable."""
    found: list[Span] = []
    for is_same, group in groupby(spans, key=lambda span: span.op == "same"):
        change = list(group)
        if is_same:
            found += change
            continue
        old = "".join(span.text for span in change if span.op == "del")
        new = "".join(span.text for span in change if span.op == "ins")
        if _is_layout(old, new, at_start=not found):
            found += [Span("same", new)]
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
