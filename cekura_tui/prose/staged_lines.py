"""The staged text line by line: where it differs from the sent one, and where each hunk stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import visible
from cekura_tui.prose.diff import ProseDiff, TextPiece
from cekura_tui.prose.lines import edited_text, readable
from cekura_tui.prose.staging import Choices, HunkChoice
from cekura_tui.prose.words import WordSpan, word_spans

StagedMark = Literal[" ", "+", "~", "-"]
"""Beside a line: as it was sent, new, other words in it, or lines that went after it."""


@dataclass(frozen=True, slots=True)
class StagedLine:
    """A line of the text, safe to draw."""

    text: str
    mark: StagedMark = " "


@dataclass(frozen=True, slots=True)
class StagedLines:
    """All lines, and for every hunk the index of the line where its first change is, or would be, and how many
    characters of that line stand before it."""

    lines: tuple[StagedLine, ...]
    places: dict[int, int]
    columns: dict[int, int]


def staged_lines(diff: ProseDiff, choices: Choices) -> StagedLines:
    """The lines of `staged(diff, choices)`."""
    page = _LineBuilder()
    places: dict[int, int] = {}
    columns: dict[int, int] = {}
    for index, piece in enumerate(diff.pieces):
        hunk = diff.hunks[piece.hunk - 1] if piece.hunk else None
        is_main = hunk is not None and hunk.main == index
        spans = _spans(diff, piece, choices.get(piece.hunk), is_main)
        if is_main:
            written = "".join(span.text for span in spans if span.op != "del")
            changing = spans if any(span.op != "same" for span in spans) else piece.spans
            places[piece.hunk], columns[piece.hunk] = page.place(written, _first_change(written, changing))
        page.write(spans)
    return StagedLines(tuple(page.ended()), places, columns)


def _first_change(written: str, spans: Sequence[WordSpan]) -> int:
    """How many characters of a piece stand before the first word that is another, or the end of its last word."""
    before = min(len(spans[0].text) if spans and spans[0].op == "same" else 0, len(written))
    after = written[before:]
    return len(written) - len(after.lstrip()) if after.strip() else len(written.rstrip())


def _spans(diff: ProseDiff, piece: TextPiece, choice: HunkChoice | None, is_main: bool) -> Sequence[WordSpan]:
    """What of a piece is in the text: same and inserted; and what is not: deleted."""
    if choice is None or choice.what == "rejected":
        return [WordSpan("same", piece.old)]
    if choice.what == "edited" and is_main:
        return readable(word_spans(piece.old, edited_text(diff, piece.hunk, choice)))
    if piece.moved:
        return [WordSpan("del", piece.old), WordSpan("ins", piece.new)]
    return readable(piece.spans)


class _LineBuilder:
    def __init__(self) -> None:
        self._lines: list[str] = [""]
        self._touched: list[set[str]] = [set()]

    def place(self, written: str, characters: int) -> tuple[int, int]:
        """The line of what stands behind the first characters of a piece that will be written, and what of this line
        is drawn before it."""
        before = written[:characters]
        line = len(self._lines) - 1 + before.count("\n")
        return line, len(visible(before.rpartition("\n")[2] if "\n" in before else self._lines[-1] + before))

    def write(self, spans: Sequence[WordSpan]) -> None:
        """Write a piece."""
        for span in spans:
            text = span.text
            if span.op == "del":
                if text.strip():
                    self._touched[-1].add("gone" if text.lstrip(" \r").startswith("\n") else "within")
                continue
            for k, part in enumerate(text.split("\n")):
                if k:
                    self._lines.append("")
                    self._touched.append(set())
                self._lines[-1] += part
                if part.strip():
                    self._touched[-1].add(span.op)

    def ended(self) -> Iterator[StagedLine]:
        """The lines; a text that ends with its last line has no empty one after it."""
        *lines, last = self._lines
        for text, touched in zip(lines, self._touched, strict=False):
            yield StagedLine(visible(text.removesuffix("\r")), _mark(touched))
        if last or not lines:
            yield StagedLine(visible(last), _mark(self._touched[-1]))


def _mark(touched: set[str]) -> StagedMark:
    if "ins" in touched:
        return "~" if touched & {"same", "within"} else "+"
    return "~" if "within" in touched else "-" if "gone" in touched else " "
