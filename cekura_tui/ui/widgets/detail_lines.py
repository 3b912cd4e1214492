"""The lines of one row of the details: a name and a value, wrapped to the width, what was sought marked in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.json_search import Part
from cekura_tui.model.json_tree import Path, TreeRow
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.wrap import breaks

Spans = Mapping[tuple[Path, Part], Sequence[tuple[int, int]]]
"""The characters that are to be marked, in order, by path and part."""

_SIGNS = {"open": "▾ ", "closed": "▸ "}
_LEAST = 8


@dataclass(frozen=True, slots=True)
class DetailInks:
    """The styles that a row is drawn in."""

    title: Style
    label: Style
    dim: Style
    found: Style


class _Run(NamedTuple):
    """A text in one style, which begins with character `at` of a part of the row; of no part where that is None."""

    text: str
    style: Style | None
    part: Part | None = None
    at: int = 0


def left_of(row: TreeRow, width: int) -> int:
    """Cells before the sign of a row; deep rows stand no further right than half of the width."""
    lead = len(row.text) - len(row.text.lstrip(" ")) if row.kind == "raw" and not row.at else 2 * row.depth
    return min(lead, width // 2)


def detail_lines(row: TreeRow, width: int, inks: DetailInks, spans: Spans) -> list[Line]:
    """All lines of a row."""
    left = " " * left_of(row, width)
    sign = "" if row.kind in ("raw", "title") else _SIGNS.get(row.kind, "  ")
    hang = left + " " * len(sign)
    lines: list[Line] = []
    for runs, start, end in _cut(row, width - len(hang), inks):
        lead = left + sign if not lines else hang
        lines.append([Segment(lead, inks.dim), *_drawn(row, runs, start, end, inks.found, spans)])
    return lines


def line_of(row: TreeRow, width: int, inks: DetailInks, at: int) -> int:
    """The line of a row on which character `at` of its value is drawn."""
    sign = 0 if row.kind in ("raw", "title") else 2
    for n, (runs, start, end) in enumerate(_cut(row, width - left_of(row, width) - sign, inks)):
        before = 0
        for run in runs:
            if run.part == "value" and run.at + start - before <= at < run.at + end - before and at >= run.at:
                return n
            before += len(run.text)
    return 0


def _cut(row: TreeRow, room: int, inks: DetailInks) -> Iterator[tuple[list[_Run], int, int]]:
    """The paragraphs of a row, and where each of its lines begins and ends in them."""
    for runs in _paragraphs(row, inks):
        for start, end in breaks("".join(run.text for run in runs), max(room, _LEAST)):
            yield runs, start, end


def _paragraphs(row: TreeRow, inks: DetailInks) -> Iterator[list[_Run]]:
    head = _head(row, inks)
    if row.kind in ("open", "closed", "more"):
        yield [*head, _Run(row.text, inks.dim)]
        return
    if row.kind == "title":
        yield [_Run(row.text, inks.title)]
        return
    texts, at = row.text.split("\n"), row.at
    if row.kind == "raw" and not row.at:
        bare = row.text.lstrip(" ")
        texts, at = [bare], len(row.text) - len(bare)
    if head and len(texts) > 1:
        yield head
        head = []
    for n, text in enumerate(texts):
        note = [_Run(f" ({row.note})", inks.dim)] if row.note and n == len(texts) - 1 else []
        yield [*head, _Run(text, None, "value", at), *note]
        head = []
        at += len(text) + 1


def _head(row: TreeRow, inks: DetailInks) -> list[_Run]:
    """`Words (name): ` or `name: `."""
    if row.label and row.name:
        return [
            _Run(row.label, inks.label, "label"),
            _Run(" (", inks.dim),
            _Run(row.name, inks.dim, "name"),
            _Run("): ", inks.dim),
        ]
    part: Part = "label" if row.label else "name"
    name = row.label or row.name
    return [_Run(name, inks.label, part), _Run(": ", inks.dim)] if name else []


def _drawn(row: TreeRow, runs: Sequence[_Run], start: int, end: int, found: Style, spans: Spans) -> Iterator[Segment]:
    """The characters of a paragraph from `start` to before `end`."""
    before = 0
    for run in runs:
        first, last = max(start - before, 0), min(end - before, len(run.text))
        before += len(run.text)
        if first >= last:
            continue
        marked = spans.get((row.path, run.part), ()) if run.part else ()
        if run.part == "name" and row.path[-1] != run.text:
            marked = ()  # it is drawn shortened
        for begin, stop in marked:
            begin, stop = max(begin - run.at, first), min(stop - run.at, last)
            if begin < stop:
                yield Segment(run.text[first:begin], run.style)
                yield Segment(run.text[begin:stop], run.style + found if run.style else found)
                first = stop
        yield Segment(run.text[first:last], run.style)
