"""Wrap text to terminal cells, style parts of it, and make strips of a row's segments."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple, TypeVar

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cekura_tui.ui.terminal.cells import drawn, one_line

_NARROW = re.compile("[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027]*")


def wrap(text: str, width: int) -> list[str]:
    """Wrap a text into lines of at most `width` cells, without the spaces at breaks."""
    return [line[start:end] for line in text.split("\n") for start, end in breaks(line, width)]


def breaks(line: str, width: int) -> list[tuple[int, int]]:
    """(start, end) of each piece of a line that is wrapped to `width` cells, end exclusive."""
    return (_narrow_breaks if _NARROW.fullmatch(line) else _wide_breaks)(line, max(width, 1))


def _narrow_breaks(line: str, width: int) -> list[tuple[int, int]]:
    """`breaks` of a line whose characters take one cell each."""
    pieces = []
    start, length = 0, len(line)
    while length - start > width:
        limit = start + width
        cut = line.rfind(" ", start, limit + 1)
        end = start + len(line[start:cut].rstrip(" ")) if cut > start else start
        within_word = end == start  # one long word, perhaps after an indent
        if within_word:
            end = cut = limit
        pieces.append((start, end))
        start = cut
        while not within_word and start < length and line[start] == " ":
            start += 1
    if start < length or not pieces:
        pieces.append((start, length))
    return pieces


def _letters(line: str) -> tuple[list[int], list[int]]:
    """Start and width in cells of each letter with its combining marks. Joined emoji count as several letters."""
    begins: list[int] = []
    cells: list[int] = []
    for place, character in enumerate(line):
        size = get_character_cell_size(character)
        if size or not begins:
            begins.append(place)
            cells.append(size)
    return begins, cells


def _wide_breaks(line: str, width: int) -> list[tuple[int, int]]:
    """`breaks` of any line, found letter by letter. Beside a letter two cells wide, no space is needed to break."""
    begins, cells = _letters(line)
    if sum(cells) <= width:
        return [(0, len(line))]
    count = len(begins)
    begins.append(len(line))

    def is_space(k: int) -> bool:
        return line[begins[k] : begins[k + 1]] == " "

    pieces = []
    first = 0
    while first < count:
        used, last = 0, first
        while last < count and used + cells[last] <= width:
            used, last = used + cells[last], last + 1
        cut = last = max(last, first + 1)
        while first < cut < count and not (is_space(cut) or 2 in cells[cut - 1 : cut + 1]):
            cut -= 1
        end = cut
        while end > first and cut < count and is_space(end - 1):
            end -= 1
        within_word = end == first
        if within_word:
            end = cut = last
        pieces.append((begins[first], begins[end]))
        first = cut
        while not within_word and first < count and is_space(first):
            first += 1
    return pieces


READABLE, LEAST = 100, 10
"""Maximum width of a line of prose, and minimum width to which text is wrapped, in cells."""
EDGES = 2
"""Number of blank cells at the left and right end of a row together."""


def prose_width(room: int) -> int:
    """Width in cells to which prose is wrapped, if `room` cells are available."""
    return max(min(room, READABLE), LEAST)


T = TypeVar("T")
Line = Sequence[Segment]
Span = tuple[int, int]
"""(start, end) of characters, end exclusive."""


class Layer(NamedTuple):
    """Sorted spans that do not overlap, and a function that returns the style of a span."""

    spans: Sequence[Span]
    style_of: Callable[[Span], Style]


def paragraphs(pieces: Iterable[tuple[str, T]]) -> list[list[tuple[str, T]]]:
    """Split (text, value) pieces at line ends; return the pieces of each line."""
    lines: list[list[tuple[str, T]]] = [[]]
    for text, value in pieces:
        first, *others = text.split("\n")
        lines[-1].append((first, value))
        lines += ([(other, value)] for other in others)
    return lines


@dataclass(frozen=True, slots=True)
class StyledText:
    """A text in a base style, with layers of styles over it; the last layer is on top."""

    text: str
    base: Style | None = None
    layers: tuple[Layer, ...] = ()

    @staticmethod
    def joined(pieces: Iterable[tuple[str, Style | None]]) -> StyledText:
        texts: list[str] = []
        styles: dict[Span, Style] = {}
        at = 0
        for text, style in pieces:
            if text and style is not None:
                styles[at, at + len(text)] = style
            texts.append(text)
            at += len(text)
        return StyledText("".join(texts), layers=(Layer(list(styles), styles.__getitem__),))

    def cut(self, start: int, end: int) -> list[Segment]:
        here: list[tuple[int, int, Style]] = []
        for layer in self.layers:
            for place in range(bisect_right(layer.spans, start, key=itemgetter(1)), len(layer.spans)):
                span = layer.spans[place]
                if span[0] >= end:
                    break
                here.append((max(span[0], start), min(span[1], end), layer.style_of(span)))
        if not here:
            return [Segment(self.text[start:end], self.base)]
        line = []
        for left, right in pairwise(sorted({start, end, *(cut for s, e, _ in here for cut in (s, e))})):
            style = self.base
            for s, e, over in here:
                if s <= left < e:
                    style = over if style is None else style + over
            line.append(Segment(self.text[left:right], style))
        return line

    def wrapped(self, width: int) -> list[list[Segment]]:
        """Wrap one paragraph into lines of at most `width` cells."""
        return [self.cut(start, end) for start, end in breaks(self.text, width)]


class RowState(NamedTuple):
    """The state that a row is drawn in. `focused` is true only for the cursor's row of a focused list. `part` is the
    highlighted part of the row, in lists that highlight parts; otherwise None."""

    cursor: bool = False
    focused: bool = False
    marked: bool = False
    part: Hashable = None


def strips_of(lines: Iterable[Line], width: int, base: Style, height: int | None = None) -> list[Strip]:
    """Make strips of `width` cells on the `base` style; if `height` is given, crop or pad to that many lines."""
    strips = [_strip(line, width, base) for line in lines]
    if height is not None:
        strips = strips[:height] + [Strip.blank(width, base)] * (height - len(strips))
    return strips or [Strip.blank(width, base)]


def _strip(line: Line, width: int, base: Style) -> Strip:
    segments = [
        Segment(drawn(one_line(text)), base + style if style else base) for text, style, control in line if text
    ]
    # Merge segments: each change of style sends 25 bytes to the terminal.
    return Strip(Segment.simplify(Segment.adjust_line_length(segments, width, base)), width)


def overlaid(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """The strip with a style applied to its cells from `start` to `end` (exclusive)."""
    cells = strip.crop(start, end)
    return Strip.join(
        [strip.crop(0, start), Strip(Segment.apply_style(cells, post_style=style), cells.cell_length), strip.crop(end)]
    )


def character_at(strip: Strip, cell: int) -> tuple[int, int]:
    """(start, end) in cells of the character that covers this cell, end exclusive."""
    start = 0
    for character in strip.text:
        end = start + get_character_cell_size(character)
        if end > cell:
            return start, end
        start = end
    return cell, cell + 1


def without_background(style: Style) -> Style:
    return Style(
        color=style.color,
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        reverse=style.reverse,
    )
