"""The words of two versions of one paragraph compared; what comes out reads as prose, not as confetti."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from cekura_tui.model.matching import match, short_gaps

Op = Literal["same", "del", "ins"]
_OPS: tuple[Op, ...] = ("same", "del", "ins")

_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # scripts without spaces: a word a letter
_WORD = rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’-][^\W{_UNSPACED}]+)*"
_TOKEN = re.compile(rf"{_WORD}|([^\w\s])\1*")
_WORDS = re.compile(_WORD)
_ALIKE = 0.4
_SHORT = 3


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


def is_alike(share: float) -> bool:
    """Whether two texts are versions of one another, worth comparing word by word."""
    return share >= _ALIKE


def word_spans(old: str, new: str) -> list[Span]:
    """The spans from old to new: their same and deleted texts make `old`, their same and inserted texts `new`."""
    before = [found.span() for found in _TOKEN.finditer(old)]
    after = [found.span() for found in _TOKEN.finditer(new)]
    old_words = [old[start:end] for start, end in before]
    new_words = [new[start:end] for start, end in after]
    pairs = match(old_words, new_words, short_gaps(old_words, new_words))
    if (before or after) and not is_alike(2 * len(pairs) / (len(before) + len(after))):
        return tidy([Span("del", old), Span("ins", new)])
    spans: list[Span] = []
    at = to = 0
    for i, j in pairs:
        spans += _replaced(old[at : before[i][0]], new[to : after[j][0]])
        spans.append(Span("same", old_words[i]))
        at, to = before[i][1], after[j][1]
    spans += _replaced(old[at:], new[to:])
    return tidy(_without_confetti(tidy(spans)))


def _replaced(old: str, new: str) -> list[Span]:
    """One text for another; the white space that both begin or end with is the same."""
    if old == new:
        return [Span("same", old)]
    most = min(len(old), len(new))
    start = 0
    while start < most and old[start] == new[start] and old[start].isspace():
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end] and old[-1 - end].isspace():
        end += 1
    head, tail = old[:start], old[len(old) - end :]
    return [
        Span("same", head),
        Span("del", old[start : len(old) - end]),
        Span("ins", new[start : len(new) - end]),
        Span("same", tail),
    ]


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
    """White space that took the place of white space counts as the same, in its new form: not exact, but readable."""
    found: list[Span] = []
    for is_same, group in groupby(spans, key=lambda span: span.op == "same"):
        change = list(group)
        text = "".join(span.text for span in change)
        if is_same or not text.isspace() or (len(change) == 1 and text.strip("\r")):
            found += change
        else:
            found += [Span("same", span.text) for span in change if span.op == "ins"]
    return tidy(found)


def _without_confetti(spans: list[Span]) -> Iterator[Span]:
    """A word or two left standing between changes is part of them."""
    changed = [word_count(span.text) if span.op != "same" else 0 for span in spans]
    for k, span in enumerate(spans):
        inside = 0 < k < len(spans) - 1 and span.op == "same"
        if inside and _is_crumb(span.text, _around(spans, changed, k, -1), _around(spans, changed, k, 1)):
            yield Span("del", span.text)
            yield Span("ins", span.text)
        else:
            yield span


def _around(spans: list[Span], changed: list[int], k: int, step: int) -> int:
    """Words of the change right before or after a span."""
    words, k = 0, k + step
    while 0 <= k < len(spans) and spans[k].op != "same":
        words, k = words + changed[k], k + step
    return words


def _is_crumb(text: str, before: int, after: int) -> bool:
    if "\n" in text:
        return False
    bare = text.strip()
    words = word_count(bare)
    if words <= 1 and len(bare) <= _SHORT:
        return bool(before and after)
    return words <= 2 and min(before, after) >= 4
