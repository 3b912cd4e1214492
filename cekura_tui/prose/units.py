"""A prompt in units: sentences, headings, tags, rows of a table, lines of a code fence; each in a paragraph or item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from cekura_tui.prose.marks import (
    begins_markup,
    closes,
    fence_mark,
    heading_mark,
    is_row,
    is_underline,
    item_mark,
    quote_mark,
    serials_in,
    tag_of,
)
from cekura_tui.prose.words import words_in

UnitKind = Literal["heading", "tag", "item", "text", "row", "code"]

_LINE = re.compile("[^\n]*\n|[^\n]+")
_SENTENCE_END = re.compile(r"(?<![.!?…।॥؟۔])[.!?…।॥؟۔]+[*_`\"'”’»)\]]*(?=\s+\S)|(?<![。！？])[。！？]+[」』”）]*")
_CONTINUATION = re.compile(r"\s+[a-zß-öø-ÿα-ωа-я]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"“„*_])(?:[A-Za-zÀ-ÿ]|e\.g|i\.e|z\.\s?B|d\.\s?h|u\.\s?a|bzw|ca|etc|vs|Mrs?|Ms|Dr|Sra?|St|Nr|No|Tel|ext|approx)\.$"
)
_LONGEST_ABBREVIATION = 10


@dataclass(frozen=True, slots=True)
class Unit:
    """`gap` is what stands before it, white space and the marker of its line ("\\n\\n3. "), `text` the unit itself.

    `words` are its words and marks, `block` counts paragraphs and list items, `line` is where it starts, from 1, and
    `start` the character at which its text starts.
    """

    gap: str
    text: str
    words: tuple[str, ...]
    kind: UnitKind
    block: int
    line: int
    start: int

    @property
    def marker(self) -> str:
        """What makes its line an item or a heading ("3.", "-", "##"), or ""."""
        return " ".join(self.gap.rpartition("\n")[2].split())

    @property
    def indent(self) -> int:
        """Columns of white space before its line, if it begins one."""
        line = self.gap.rpartition("\n")[2].expandtabs(4)
        return len(line) - len(line.lstrip())


def units_of(text: str, *, closely: bool = True) -> tuple[list[Unit], str]:
    """All units, and the white space after the last one. All gaps and texts one after another, and that, are `text`.

    Without `closely` a paragraph or item is one unit, and one word.
    """
    found: list[Unit] = []
    at = 0
    line, counted = 1, 0
    for start, end, kind, block in _Stretches(text).found():
        prose = closely and kind in ("item", "text")
        for first, last in _sentences(text, start, end) if prose else [(start, end)]:
            bare = last - len(text[first:last].lstrip())
            shut = first + len(text[first:last].rstrip())
            if shut <= bare:
                continue
            line += text.count("\n", counted, bare)
            counted = bare
            words = words_in(text[bare:shut]) if closely else (" ".join(text[bare:shut].split()),)
            found.append(Unit(text[at:bare], text[bare:shut], words, kind, block, line, bare))
            at = shut
    return found, text[at:]


def begins(units: Sequence[Unit], n: int) -> bool:
    """Whether a unit is the first of its paragraph, item or fence."""
    return n == 0 or units[n - 1].block != units[n].block


def blocks_of(units: Sequence[Unit]) -> list[tuple[int, int]]:
    """(start, end) of the units of every paragraph, item, fence and line that stands by itself."""
    found, at = [], 0
    for _, group in groupby(units, key=lambda unit: unit.block):
        end = at + sum(1 for _ in group)
        found.append((at, end))
        at = end
    return found


_Stretch = tuple[int, int, UnitKind, int]


class _Stretches:
    """(start, end, kind, block): what units are found in. A paragraph or item is one, with all its lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._serials = serials_in(text)
        self._block = 0
        self._fence = ""
        # The paragraph or item that may go on: where it begins, its kind, and the columns before its marker.
        self._open = -1
        self._kind: UnitKind = "text"
        self._indent = 0

    def found(self) -> Iterator[_Stretch]:
        """All of the text, line by line."""
        for hit in _LINE.finditer(self._text):
            yield from self._read(hit.group(), *hit.span())
        yield from self._shut(len(self._text))

    def _read(self, line: str, at: int, end: int) -> Iterator[_Stretch]:
        if self._fence:
            yield at, end, "code", self._block
            self._fence = "" if closes(line, self._fence) else self._fence
            return
        item = 0 if fence_mark(line) else item_mark(line, self._serials)
        if fence := fence_mark(line, item):
            yield from self._alone((at + item, end, "code"), at)
            self._fence = fence
        elif not line.strip():
            yield from self._shut(at)
        elif self._is_one_line(at) and is_underline(line, self._text[self._open : at]):
            self._kind = "heading"
            yield from self._alone((at, end, "row"), at)
        elif alone := self._kind_of(line):
            yield from self._alone((at + alone[1], end, alone[0]), at)
        elif item:
            yield from self._shut(at)
            self._begin(at + item, "item", line)
        elif self._open < 0 or begins_markup(line) or (self._kind == "item" and _columns(line) < self._indent):
            yield from self._shut(at)
            self._begin(at, "text", line)

    def _is_one_line(self, at: int) -> bool:
        return self._open >= 0 and self._kind == "text" and "\n" not in self._text[self._open : at - 1]

    def _begin(self, start: int, kind: UnitKind, line: str) -> None:
        self._block += 1
        self._open, self._kind, self._indent = start, kind, _columns(line)

    def _shut(self, end: int) -> Iterator[_Stretch]:
        if self._open >= 0:
            yield self._open, end, self._kind, self._block
        self._open = -1

    def _alone(self, stretch: tuple[int, int, UnitKind], at: int) -> Iterator[_Stretch]:
        yield from self._shut(at)
        self._block += 1
        yield *stretch, self._block

    def _kind_of(self, line: str) -> tuple[UnitKind, int] | None:
        """The kind of a line that is a unit by itself, and how long its marker is; None for a line of prose."""
        mark = heading_mark(line, begins=self._open < 0 or self._kind == "item")
        if mark >= 0:
            return "heading", mark
        if quote := quote_mark(line):
            return "row", item_mark(line, self._serials, quote) or quote
        if tag_of(line):
            return "tag", 0
        return ("row", 0) if is_row(line) else None


def _columns(line: str) -> int:
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip())


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for found in _SENTENCE_END.finditer(text, start, end):
        stop = found.end()
        if found.group()[0] not in "。！？" and (
            _CONTINUATION.match(text, stop, end)
            or (found.group() == "." and _ABBREVIATION.search(text, max(at, stop - _LONGEST_ABBREVIATION), stop))
        ):
            continue
        yield at, stop
        at = stop
    if at < end:
        yield at, end
