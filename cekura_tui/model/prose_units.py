"""A prompt in units: sentences, headings, rows of a table, lines of a code fence; each in its paragraph or item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.prose_words import words_in

UnitKind = Literal["heading", "item", "text", "row", "code"]

_LINE = re.compile("[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"\s*(```+|~~~+)")
_QUOTE = re.compile(r"\s*>[>\s]*")
_HEADING = re.compile(r"\s{0,3}#{1,6}[ \t]+(?=\S)")
_ITEM = re.compile(r"\s*(?:[-*+•‣–]|\(?\d{1,3}[.)]|[a-z][.)])[ \t]+(?=\S)")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,})\s*$")
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]+[*_`\"'”’»)\]]*(?=\s+\S)|(?<![。！？])[。！？]+[」』”）]*")
_GOES_ON = re.compile(r"\s+[a-zà-öø-ÿ]")
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
        """What makes its line a heading, an item or a quote ("##", "3.", "-"), or ""."""
        return " ".join(self.gap.split())


def units_of(text: str, *, closely: bool = True) -> tuple[list[Unit], str]:
    """All units, and the white space after the last one. All gaps and texts one after another, and that, are `text`.

    Without `closely` a paragraph or item is one unit, and one word.
    """
    found: list[Unit] = []
    at = 0
    line, counted = 1, 0
    for start, end, kind, block in _stretches(text):
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


def _stretches(text: str) -> Iterator[tuple[int, int, UnitKind, int]]:
    """(start, end, kind, block): what units are found in. A paragraph or item is one, with all its lines."""
    fence = ""
    block, open_at = 0, -1
    open_kind: UnitKind = "text"
    for found in _LINE.finditer(text):
        line, at, end = found.group(), *found.span()
        opens = None if fence else _FENCE.match(line)
        alone = None if fence or opens else _alone(line)
        item = None if fence or opens or alone else _ITEM.match(line)
        if open_at >= 0 and (opens or alone or item or not line.strip()):
            yield open_at, at, open_kind, block
            open_at = -1
        if opens:
            block, fence = block + 1, opens.group(1)[:3]
            yield at, end, "code", block
        elif fence:
            yield at, end, "code", block
            fence = "" if line.strip().startswith(fence) else fence
        elif alone:
            block += 1
            yield at + alone[1], end, alone[0], block
        elif item:
            block, open_at, open_kind = block + 1, at + len(item.group()), "item"
        elif line.strip() and open_at < 0:
            block, open_at, open_kind = block + 1, at, "text"
    if open_at >= 0:
        yield open_at, len(text), open_kind, block


def _alone(line: str) -> tuple[UnitKind, int] | None:
    """The kind of a line that is a unit by itself, and how long its marker is; None for a line of prose."""
    if heading := _HEADING.match(line):
        return "heading", len(heading.group())
    if quote := _QUOTE.match(line):
        rest = _ITEM.match(line, len(quote.group()))
        return "row", len(rest.group()) + len(quote.group()) if rest else len(quote.group())
    if line.lstrip().startswith("|") or _RULE.match(line):
        return "row", 0
    return None


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for found in _SENTENCE_END.finditer(text, start, end):
        stop = found.end()
        if found.group()[0] in ".!?…" and (
            _GOES_ON.match(text, stop, end)
            or (found.group() == "." and _ABBREVIATION.search(text, max(at, stop - _LONGEST_ABBREVIATION), stop))
        ):
            continue
        yield at, stop
        at = stop
    if at < end:
        yield at, end
