"""Lines of any length in stretches that can be drawn; of a line in which something changed, every change is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cekura_tui.model.prose_lines import ProseLine, mark_of
from cekura_tui.model.prose_words import Span
from cekura_tui.model.text import LONGEST_LINE

_NEAR = 200
"""Characters that are shown of what did not change, before and after a change in a very long line."""


def stretches(text: str) -> list[tuple[int, int]]:
    """Where a line is cut, as (start, end) of each stretch of at most LONGEST_LINE characters: behind a space, if there
    is one in the second half."""
    found = []
    start = 0
    while len(text) - start > LONGEST_LINE:
        end = text.rfind(" ", start + LONGEST_LINE // 2, start + LONGEST_LINE) + 1 or start + LONGEST_LINE
        found.append((start, end))
        start = end
    return [*found, (start, len(text))]


def in_stretches(line: ProseLine) -> list[ProseLine]:
    """A line as it is; a longer one than LONGEST_LINE in several that go on, and if something changed in it without
    what stands far from every change."""
    if len(line.text) <= LONGEST_LINE or not _is_long(line):
        return [line]
    if line.mark == "±":
        return [one for span in line.spans for one in _of_version(span, line.goes_on)]
    spans = line.spans if line.mark == " " else _near_changes(line.spans)
    found: list[list[Span]] = [[]]
    room = LONGEST_LINE
    for span in spans:
        for start, end in stretches(span.text):
            if end - start > room and found[-1]:
                found.append([])
                room = LONGEST_LINE
            found[-1].append(Span(span.op, span.text[start:end]))
            room -= end - start
    return [ProseLine(tuple(row), mark_of(row), line.goes_on or k > 0) for k, row in enumerate(found)]


def _is_long(line: ProseLine) -> bool:
    return line.mark != "±" or any(len(part) > LONGEST_LINE for span in line.spans for part in span.text.split("\n"))


def _of_version(span: Span, goes_on: bool) -> Iterator[ProseLine]:
    """What went, or what came in its place, line by line."""
    for n, text in enumerate(span.text.split("\n")):
        for start, end in stretches(text):
            spans = (Span(span.op, text[start:end]),) if end > start else ()
            yield ProseLine(spans, "-" if span.op == "del" else "+", start > 0 or (goes_on and n == 0))


def _near_changes(spans: Sequence[Span]) -> list[Span]:
    last = len(spans) - 1
    return [_shortened(span, k > 0, k < last) if span.op == "same" else span for k, span in enumerate(spans)]


def _shortened(span: Span, after: bool, before: bool) -> Span:
    """What did not change, where it stands after a change, before one, or between two."""
    text = span.text
    if len(text) <= 3 * _NEAR:
        return span
    start = (text.rfind(" ", 0, _NEAR) + 1 or _NEAR) if after else 0
    end = len(text)
    if before:
        space = text.find(" ", end - _NEAR)
        end = space if space >= 0 else end - _NEAR
    return Span("same", f"{text[:start]}… ({end - start:,} characters unchanged) …{text[end:]}")
