"""The difference of two prompts as prose: lines and paragraphs are paired first, then words within a pair."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from cekura_tui.model.matching import match
from cekura_tui.model.prose_words import Span, is_alike, likeness, quiet, tidy, word_count, word_spans, words_of

__all__ = ["Block", "ProseDiff", "Span", "diff"]

_LINE = re.compile("[^\n]*\n|[^\n]+")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}\s+\S")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_LINES_A_PARAGRAPH = 12
_MOST_COMPARED = 60_000

_Piece = tuple[str, str]
"""Old text and new text of one thing: of the same, of two versions, or of what came or went (one is empty)."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of unchanged lines, or one change. Lines count from 1, in the old and in the new text; `note` says so when
    only line ends or white space differ."""

    changed: bool
    spans: tuple[Span, ...]
    old_line: int
    new_line: int
    note: str = ""

    def text(self, side: str) -> str:
        """The block's text in the version where spans of `side` ("del": old, "ins": new) belong."""
        return _side(self.spans, side)

    @property
    def readable(self) -> tuple[Span, ...]:
        """The spans for a reader: in a change of words, lines that only wrap or end otherwise are not marked."""
        return self.spans if self.note else tuple(quiet(self.spans))


@dataclass(frozen=True)
class ProseDiff:
    """All of both texts: same and deleted spans make the old one, same and inserted spans the new one."""

    blocks: tuple[Block, ...]

    @property
    def is_same(self) -> bool:
        return not self.changes

    @cached_property
    def changes(self) -> int:
        return sum(block.changed for block in self.blocks)

    @cached_property
    def added_words(self) -> int:
        return self._words("ins")

    @cached_property
    def removed_words(self) -> int:
        return self._words("del")

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """For every block the Markdown heading above it in the new text, as written ("## Verification"), or ""."""
        above, found = "", []
        for block in self.blocks:
            found.append(above)
            for line in block.text("ins").split("\n"):
                above = line.strip() if _HEADING.match(line) else above
        return tuple(found)

    def _words(self, op: str) -> int:
        return sum(word_count(span.text) for block in self.blocks for span in block.spans if span.op == op)


def diff(old: str, new: str) -> ProseDiff:
    """Compare two prompts; exact to the character, in bounded time whatever the texts are."""
    blocks: list[Block] = []
    old_line = new_line = 1
    for changed, spans in _joined(_pieces(_LINE.findall(old), _LINE.findall(new))):
        block = Block(changed, tuple(spans), old_line, new_line, _note(spans) if changed else "")
        blocks.append(block)
        old_line += block.text("del").count("\n")
        new_line += block.text("ins").count("\n")
    return ProseDiff(tuple(blocks))


def _pieces(old: list[str], new: list[str]) -> Iterator[_Piece]:
    """Both texts from start to end. Lines that differ only in white space at their end are one thing."""
    at = to = 0
    for i, j in [*match([line.rstrip() for line in old], [line.rstrip() for line in new]), (len(old), len(new))]:
        yield from _paired(old[at:i], new[to:j])
        if i < len(old):
            yield old[i], new[j]
        at, to = i + 1, j + 1


def _paired(old_lines: list[str], new_lines: list[str]) -> Iterator[_Piece]:
    """Two differing stretches by paragraph: the most alike are paired, in order; the others went or came."""
    old, new = _paragraphs(old_lines), _paragraphs(new_lines)
    at = to = 0
    for i, j in [*_most_alike(old, new), (len(old), len(new))]:
        gone, come = "".join(old[at:i]), "".join(new[to:j])
        if gone or come:
            yield gone, come
        if i < len(old):
            yield old[i], new[j]
        at, to = i + 1, j + 1


def _paragraphs(lines: list[str]) -> list[str]:
    """Lines that belong together: a heading, a list item or paragraph with the lines it goes on in, empty lines."""
    found: list[list[str]] = []
    goes_on = ""
    for line in lines:
        kind = "empty" if not line.strip() else "alone" if _HEADING.match(line) else "text"
        starts = kind != goes_on or kind == "alone" or bool(_ITEM.match(line)) or len(found[-1]) >= _LINES_A_PARAGRAPH
        if starts:
            found.append([])
        found[-1].append(line)
        goes_on = kind
    return ["".join(paragraph) for paragraph in found]


def _most_alike(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """The pairing, in order, that shares the most words; none where comparing all with all would take too long."""
    if not old or not new or len(old) * len(new) > _MOST_COMPARED:
        return []
    old_words, new_words = [words_of(text) for text in old], [words_of(text) for text in new]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        row, below, one = best[i], best[i + 1], old_words[i]
        for j in range(len(new) - 1, -1, -1):
            most = max(below[j], row[j + 1])
            worth = _worth(one, new_words[j])
            row[j] = max(most, worth + below[j + 1]) if worth else most
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        worth = _worth(old_words[i], new_words[j])
        if worth and best[i][j] == worth + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _worth(one: frozenset[str], other: frozenset[str]) -> float:
    """What pairing two paragraphs is worth: the words they share, if enough; a little for two empty ones."""
    if not one and not other:
        return 0.1
    share = likeness(one, other)
    return share * (len(one) + len(other)) if is_alike(share) else 0.0


def _joined(pieces: Iterator[_Piece]) -> Iterator[tuple[bool, list[Span]]]:
    """Blocks from pieces. Neighbours become one where both are unchanged, or white space alone, or came or went without
    a counterpart, and where the first does not end with its line."""
    kept: list[Span] = []
    kept_kind = ""
    for old, new in pieces:
        for spans in _by_line(word_spans(old, new)) if old != new else [[Span("same", old)]]:
            kind = _kind(spans)
            if kept and (kind == kept_kind != "versions" or not _ends_its_line(kept)):
                kept += spans
                kept_kind = _kind(kept)
                continue
            if kept:
                yield kept_kind != "same", tidy(kept)
            kept, kept_kind = spans, kind
    if kept:
        yield kept_kind != "same", tidy(kept)


def _by_line(spans: list[Span]) -> Iterator[list[Span]]:
    """Unchanged whole lines apart from the changes around them."""
    kept: list[Span] = []
    old_starts = new_starts = True
    for n, span in enumerate(spans):
        if span.op != "same":
            kept.append(span)
            if span.op == "del":
                old_starts = span.text.endswith("\n")
            else:
                new_starts = span.text.endswith("\n")
            continue
        for line in _LINE.findall(span.text):
            ends = line.endswith("\n")
            if old_starts and new_starts and (ends or n == len(spans) - 1):
                if kept:
                    yield kept
                    kept = []
                yield [Span("same", line)]
            else:
                kept.append(Span("same", line))
            old_starts = new_starts = ends
    if kept:
        yield kept


def _kind(spans: list[Span]) -> str:
    changed = "".join(span.text for span in spans if span.op != "same")
    if not changed:
        return "same"
    if changed.isspace():
        return "space"
    return "versions" if any(span.op == "same" and not span.text.isspace() for span in spans) else "whole"


def _ends_its_line(spans: list[Span]) -> bool:
    """Whether the next text starts a line in both versions."""
    for side in ("del", "ins"):
        text = next((span.text for span in reversed(spans) if span.op in ("same", side)), "\n")
        if not text.endswith("\n"):
            return False
    return True


def _note(spans: list[Span]) -> str:
    if _kind(spans) != "space":
        return ""
    old, new = (_side(spans, side).replace("\r\n", "\n") for side in ("del", "ins"))
    return "line ends only" if old == new else "white space only"


def _side(spans: Iterable[Span], side: str) -> str:
    return "".join(span.text for span in spans if span.op in ("same", side))
