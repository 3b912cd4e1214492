"""The whole staged text, with marks on the lines that differ from the sent prompt."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import ClassVar, NamedTuple

from rich.segment import Segment

from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.lines import StagedLine, StagedMark, chunk_ranges, staged_lines
from cekura_tui.prose.staging import Choices
from cekura_tui.ui.kit.strips import Line, RowState, prose_width
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.suggestion.diff_lines import hanging_breaks, with_background


class StagedRow(NamedTuple):
    """A chunk of a line: the index of the line, and of the chunk's first character in the line (`start`)."""

    line: int
    start: int
    text: str
    mark: StagedMark = " "

    @property
    def key(self) -> tuple[int, int]:
        return self.line, self.start


class StagedText(VirtualList[StagedRow]):
    """A list of the lines of the staged text. The list's cursor follows the cursor of the diff."""

    row_height = None
    INKS: ClassVar[Mapping[str, str]] = {
        "staged-text--mark": "color: $added; text-style: bold;",
        "staged-text--gone": "color: $removed; text-style: bold;",
        "staged-text--line": "background: $added-ground;",
    }

    _shown_for: tuple[ProseDiff, Choices] | None = None
    _hunk_positions: Mapping[int, tuple[int, int]] = {}
    _target: tuple[StagedRow, int] | None = None
    """The row of the hunk to show, and the character of the row where the hunk starts; None without a hunk."""

    def show(self, diff: ProseDiff, choices: Choices, hunk: int | None = None) -> None:
        """Show the text that results from `choices`. If `hunk` is given, scroll to that hunk."""
        if self._shown_for is None or self._shown_for != (diff, choices):
            is_other = self._shown_for is None or self._shown_for[0] != diff
            self._shown_for = diff, dict(choices)
            found = staged_lines(diff, choices)
            self._hunk_positions = {number: (line, found.columns[number]) for number, line in found.places.items()}
            rows = [row for n, line in enumerate(found.lines) for row in _rows(n, line)]
            self.show_rows(rows, reset=is_other)
        if hunk is not None:
            self.go_to_hunk(hunk)

    def go_to_hunk(self, hunk: int) -> None:
        if (position := self._hunk_positions.get(hunk)) is None or not self.rows:
            return
        index = max(bisect_right(self.rows, position, key=lambda row: row.key) - 1, 0)
        row = self.rows[index]
        self._target = row, position[1] - row.start if row.line == position[0] else 0
        self.move_to(row.key, following=3)
        self._scroll_to_target()

    def _lay_out(self) -> None:
        super()._lay_out()
        self._scroll_to_target(painted=True)

    def _scroll_to_target(self, *, painted: bool = False) -> None:
        """Within the row of the hunk to show, scroll to the line where the hunk starts, unless that line is visible."""
        if self._target is None or not self._laid_out or self.cursor_row != self._target[0]:
            return
        row, before = self._target
        starts = [start for start, *_ in hanging_breaks(row.text, _text_width(self._laid_out.width))]
        position = self._cursor, max(bisect_right(starts, before) - 1, 0)
        if position not in self._shown:
            self.viewport.hold(*position, self._laid_out.height // 2)
            self.repaint_changes(painted=painted)

    def key_of(self, row: StagedRow) -> tuple[int, int]:
        return row.key

    def estimate(self, row: StagedRow, width: int) -> int:
        return 1 + len(row.text) // _text_width(width)

    def lines_of(self, row: StagedRow, width: int, state: RowState) -> list[Line]:
        ink = self.style_of(f"staged-text--{'gone' if row.mark == '-' else 'mark'}")
        gutter = [Segment(" "), Segment(row.mark.replace("-", "−"), ink)]
        ground = self.style_of("staged-text--line") if row.mark in "+~" and not state.cursor else None
        lines = hanging_breaks(row.text, _text_width(width))
        return [
            with_background([*gutter, Segment(" " * (1 + indent)), Segment(row.text[start:end])], width, ground)
            for start, end, indent in lines
        ]


def _rows(n: int, line: StagedLine) -> Iterator[StagedRow]:
    for start, end in chunk_ranges(line.text):
        yield StagedRow(n, start, line.text[start:end], line.mark)


def _text_width(width: int) -> int:
    return prose_width(width - 4)  # a blank, the mark and a blank before the text, a blank after it
