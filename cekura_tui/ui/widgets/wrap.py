"""Text broken into lines of at most so many cells, at spaces where there are any; quick for ASCII, right for the rest."""

from __future__ import annotations

import re

from rich.cells import cell_len, split_graphemes

LONGEST_LINE = 4_000

_NARROW = re.compile("[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027]*")


def capped(line: str, limit: int = LONGEST_LINE) -> str:
    """One line as it is drawn: what is beyond `limit` characters is counted, not shown."""
    more = len(line) - limit
    return line if more <= 0 else f"{line[:limit]}… ({more:,} characters more)"


def wrap(text: str, width: int) -> list[str]:
    """All lines of a text, each at most `width` cells; an empty line stays one. Spaces at breaks are left out."""
    return [line[start:end] for line in text.split("\n") for start, end in breaks(line, width)]


def breaks(line: str, width: int) -> list[tuple[int, int]]:
    """Where one line is cut, as (start, end) of each piece, for text that has styles by position."""
    width = max(width, 1)
    if _NARROW.fullmatch(line):
        return _narrow_breaks(line, width)
    if cell_len(line) <= width:
        return [(0, len(line))]
    return _wide_breaks(line, width)


def _narrow_breaks(line: str, width: int) -> list[tuple[int, int]]:
    """One character, one cell."""
    pieces = []
    start, length = 0, len(line)
    while length - start > width:
        limit = start + width
        cut = line.rfind(" ", start, limit + 1)
        end, following = _trimmed(line, start, cut) if cut > start else (start, start)
        if end == start:  # one long word, or nothing but an indent before it
            end = following = limit
        pieces.append((start, end))
        start = following
    if start < length or not pieces:
        pieces.append((start, length))
    return pieces


def _wide_breaks(line: str, width: int) -> list[tuple[int, int]]:
    """By grapheme; beside a wide one a line may be broken without a space."""
    pieces = []
    start, cells, wide_before = 0, 0, False
    cut = -1
    at_cut = 0
    used = 0
    for begin, _, size in split_graphemes(line)[0]:
        if begin < start:  # a space that was left out at the last break
            continue
        if begin > start and (size == 2 or wide_before or line[begin] == " "):
            cut, at_cut = begin, cells
        wide_before = size == 2
        if cells + size - used > width and begin > start:
            end, following = _trimmed(line, start, cut) if cut > start else (start, start)
            if end == start:
                end = following = begin
                at_cut = cells
            pieces.append((start, end))
            used = at_cut + max(following - cut, 0) if cut > start and end != begin else cells
            start, cut = following, -1
        cells += size
    if start < len(line) or not pieces:
        pieces.append((start, len(line)))
    return pieces


def _trimmed(line: str, start: int, cut: int) -> tuple[int, int]:
    """The end of the piece before a cut and the start of the next, without the spaces around the cut."""
    end = following = cut
    while end > start and line[end - 1] == " ":
        end -= 1
    while following < len(line) and line[following] == " ":
        following += 1
    return end, following
