"""The whole text as it stands with the choices so far; what differs from the sent one is marked beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment

from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.staged_lines import StagedLine, staged_lines
from cekura_tui.model.staging import Choices
from cekura_tui.model.text import LONGEST_LINE, capped
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.ui.widgets.wrap import breaks

_GUTTER = 2
_READABLE = 100
_LEAST = 10
_AFTER = 3
"""Lines that are shown after the one where the hunk stands."""


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A line of the text; `n` counts from 0."""

    n: int
    line: StagedLine


class StagedText(VirtualList[StagedRow]):
    """The lines of the text; the cursor is where the hunk is that one looks at."""

    row_height = None
    COMPONENT_CLASSES: ClassVar[set[str]] = {"staged-text--mark"}
    DEFAULT_CSS = """
    StagedText {
        & > .virtual-list--cursor { background: $primary 25%; }
        & > .virtual-list--cursor-blurred { background: $foreground 12%; }
        & > .staged-text--mark { color: $text-success; text-style: bold; }
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._of: tuple[ProseDiff, Choices] | None = None
        self._stands_at: dict[int, int] = {}

    def show(self, diff: ProseDiff, choices: Choices, hunk: int | None = None) -> None:
        """Show the text that these choices make, and if a hunk is named where that stands; else one stays where one
        is. What looks as before is not drawn again."""
        if self._of is None or self._of != (diff, choices):
            is_other = self._of is None or self._of[0] != diff
            self._of = diff, dict(choices)
            found = staged_lines(diff, choices)
            self._stands_at = found.places
            self.show_rows([StagedRow(n, line) for n, line in enumerate(found.lines)], reset=is_other)
        if hunk is not None:
            self.follow(hunk)

    def follow(self, hunk: int) -> None:
        """Put the cursor where a hunk of this number stands, or would stand."""
        if (line := self._stands_at.get(hunk)) is not None and self.rows:
            self.move_to(min(line, len(self.rows) - 1), following=_AFTER)

    def key_of(self, row: StagedRow) -> int:
        return row.n

    def estimate(self, row: StagedRow, width: int) -> int:
        return 1 + min(len(row.line.text), LONGEST_LINE) // _room(width)

    def lines_of(self, row: StagedRow, width: int, state: RowState) -> list[Line]:
        text = capped(row.line.text)
        gutter = Segment(row.line.mark.ljust(_GUTTER), self.ink("staged-text--mark"))
        return [[gutter, Segment(text[start:end])] for start, end in breaks(text, _room(width))]


def _room(width: int) -> int:
    return max(min(width - _GUTTER - 1, _READABLE), _LEAST)
