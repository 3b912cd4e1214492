"""The staged text line by line: where it differs from the sent one, and where each hunk is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import visible
from cekura_tui.prose.diff import ProseDiff, beginning
from cekura_tui.prose.lines import readable
from cekura_tui.prose.staging import Choices, staged_spans, with_numbers
from cekura_tui.prose.words import WordSpan

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
    characters of that line are before it."""

    lines: tuple[StagedLine, ...]
    places: dict[int, int]
    columns: dict[int, int]


def staged_lines(diff: ProseDiff, choices: Choices) -> StagedLines:
    """The lines of `staged(diff, choices)`."""
    page = _LineBuilder()
    places: dict[int, int] = {}
    columns: dict[int, int] = {}
    written: list[str] = []
    for index, (piece, spans) in enumerate(zip(diff.pieces, staged_spans(diff, choices), strict=True)):
        if not diff.is_compared:
            spans = [WordSpan(span.op, beginning(span.text)) for span in spans]
        now = "".join(span.text for span in spans if span.op != "del")
        for number in piece.hunks():
            if diff.hunks[number - 1].main == index:
                changing = spans if any(span.op != "same" for span in spans) else piece.spans
                places[number], columns[number] = page.place(now, _first_change(now, changing))
        page.write(readable(spans))
        written.append(now)
    text = with_numbers(diff, written, choices)
    return StagedLines(tuple(page.ended(text if text != "".join(written) else None)), places, columns)


def _first_change(written: str, spans: Sequence[WordSpan]) -> int:
    """How many characters of a piece are before the first word that is another, or the end of its last word."""
    before = min(len(spans[0].text) if spans and spans[0].op == "same" else 0, len(written))
    after = written[before:]
    return len(written) - len(after.lstrip()) if after.strip() else len(written.rstrip())


class _LineBuilder:
    def __init__(self) -> None:
        self._lines: list[str] = [""]
        self._touched: list[set[str]] = [set()]

    def place(self, written: str, characters: int) -> tuple[int, int]:
        """The line of what follows the first characters of a piece that will be written, and what of this line
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

    def ended(self, text: str | None) -> Iterator[StagedLine]:
        """The lines, as they are in `text` if that is given: with other numbers; a text that ends with its last line
        has no empty one after it."""
        *lines, last = self._lines if text is None else text.split("\n")
        for line, touched in zip(lines, self._touched, strict=False):
            yield StagedLine(visible(line.removesuffix("\r")), _mark(touched))
        if last or not lines:
            yield StagedLine(visible(last), _mark(self._touched[-1]))


def _mark(touched: set[str]) -> StagedMark:
    if "ins" in touched:
        return "~" if touched & {"same", "within"} else "+"
    return "~" if "within" in touched else "-" if "gone" in touched else " "
