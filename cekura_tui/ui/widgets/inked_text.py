"""A text of many lines wrapped to a width, in styles by position, up to what is drawn of any text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.text import LONGEST_LINE, count
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.wrap import breaks

Span = tuple[int, int]

MOST_LINES = 1_000
"""Lines of one text that are drawn, or a few more: a line that is begun is ended."""


class Piece(NamedTuple):
    """What is on one line of the screen: the characters of the text from `start` to before `end`, behind a part of the
    note; or, with `hidden` in words, the sign that these are not drawn."""

    note: str
    start: int
    end: int
    hidden: str = ""


class Layer(NamedTuple):
    """A style for some places of a text, which are in order and do not overlap."""

    spans: Sequence[Span]
    style_of: Callable[[Span], Style]


def pieces_of(text: str, room: int, note: str = "", begin: int = 0) -> Iterator[Piece]:
    """What is drawn of a text from its character `begin` on, after a note, in lines of `room` cells."""
    drawn, place = 0, begin
    while place <= len(text):
        if drawn >= MOST_LINES:
            lines = text.count("\n", place) + 1
            yield Piece("", place, len(text), f"{count(lines, 'line')} more")
            return
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        shown = min(end, place + LONGEST_LINE)
        shift = place - len(note)
        for left, right in breaks(note + text[place:shown], room):
            drawn += 1
            yield Piece(note[left:right], max(left + shift, place), max(right + shift, place))
        if shown < end:
            drawn += 1
            yield Piece("", shown, end, f"{count(end - shown, 'character')} more")
        note, place = "", end + 1


def piece_at(pieces: Iterator[Piece], offset: int) -> int:
    """On which line the character at `offset` is, or the sign that it is not drawn."""
    found = 0
    for k, piece in enumerate(pieces):
        if piece.start > offset:
            break
        found = k
    return found


def inked(text: str, piece: Piece, room: int, base: Style | None, faint: Style, layers: Sequence[Layer] = ()) -> Line:
    """A piece in its styles; of the last layer's places those are counted that are not drawn."""
    start, end = piece.start, piece.end
    if piece.hidden:
        spans = layers[-1].spans if layers else ()
        inside = spans[bisect_left(spans, (start, 0)) : bisect_left(spans, (end, 0))]
        told = f", {len(inside):,} found" if inside else ""
        styles = {layers[-1].style_of(span) for span in inside}
        style = Style.combine([faint, *sorted(styles, key=lambda style: style.color is not None)])
        return [Segment(fit(f"… ({piece.hidden}{told})", room).rstrip(), style)]
    line = [Segment(piece.note, faint)] if piece.note else []
    here: list[tuple[int, int, Style]] = []
    for layer in layers:
        for place in range(bisect_right(layer.spans, start, key=itemgetter(1)), len(layer.spans)):
            span = layer.spans[place]
            if span[0] >= end:
                break
            here.append((max(span[0], start), min(span[1], end), layer.style_of(span)))
    if not here:
        return [*line, Segment(text[start:end], base)]
    for left, right in pairwise(sorted({start, end, *(cut for s, e, _ in here for cut in (s, e))})):
        ink = base
        for s, e, over in here:
            if s <= left < e:
                ink = over if ink is None else ink + over
        line.append(Segment(text[left:right], ink))
    return line
