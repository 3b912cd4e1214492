"""Text broken into lines of at most so many cells, at spaces if there are any; quick for ASCII, right for the rest."""

from __future__ import annotations

import re

from rich.cells import get_character_cell_size

_NARROW = re.compile("[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027]*")


def wrap(text: str, width: int) -> list[str]:
    """All lines of a text, each at most `width` cells; an empty line stays one. Spaces at breaks are left out."""
    return [line[start:end] for line in text.split("\n") for start, end in breaks(line, width)]


def breaks(line: str, width: int) -> list[tuple[int, int]]:
    """Where one line is cut, as (start, end) of each piece, for text that has styles by position."""
    width = max(width, 1)
    if _NARROW.fullmatch(line):
        return _narrow_breaks(line, width)
    return _wide_breaks(line, width)


def _narrow_breaks(line: str, width: int) -> list[tuple[int, int]]:
    """One character, one cell."""
    pieces = []
    start, length = 0, len(line)
    while length - start > width:
        limit = start + width
        cut = line.rfind(" ", start, limit + 1)
        end = start + len(line[start:cut].rstrip(" ")) if cut > start else start
        within_word = end == start  # one long word, or nothing but an indent before it
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
    """Where each letter begins, with the marks on it, and its cells; emoji that were joined count one by one, for so
    they are drawn (`cells.drawn`)."""
    begins: list[int] = []
    cells: list[int] = []
    for place, character in enumerate(line):
        size = get_character_cell_size(character)
        if size or not begins:
            begins.append(place)
            cells.append(size)
    return begins, cells


def _wide_breaks(line: str, width: int) -> list[tuple[int, int]]:
    """By letter; beside a wide one a line may be broken without a space."""
    begins, cells = _letters(line)
    if sum(cells) <= width:
        return [(0, len(line))]
    count = len(begins)
    begins.append(len(line))

    def is_space(k: int) -> bool:
        return line[begins[k] : begins[k + 1]] == " "

    def may_break(k: int) -> bool:
        return is_space(k) or cells[k] == 2 or cells[k - 1] == 2

    pieces = []
    first = 0
    while first < count:
        used, last = 0, first
        while last < count and used + cells[last] <= width:
            used, last = used + cells[last], last + 1
        cut = last = max(last, first + 1)
        while first < cut < count and not may_break(cut):
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
