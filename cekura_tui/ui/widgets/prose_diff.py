"""Two versions of a prompt as one text: red and struck what went, green and underlined what came, a mark beside each
line so that nothing hangs on colour."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType

from cekura_tui.model.prose_blocks import ProseDiff
from cekura_tui.model.text import LONGEST_LINE, capped
from cekura_tui.ui.widgets.diff_rows import DiffRow, diff_rows
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.ui.widgets.wrap import breaks

_READABLE = 100
_LEAST = 10
_GUTTER = 2


class ProseDiffView(VirtualList[DiffRow]):
    """The rows of a diff; `n` and `N` go from change to change."""

    row_height = None
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "prose-diff--head",
        "prose-diff--fold",
        "prose-diff--del",
        "prose-diff--ins",
        "prose-diff--mark-del",
        "prose-diff--mark-ins",
        "prose-diff--mark-both",
    }
    DEFAULT_CSS = """
    ProseDiffView {
        & > .virtual-list--cursor { background: $primary 25%; }
        & > .virtual-list--cursor-blurred { background: $foreground 8%; }
        & > .prose-diff--head { color: $text-primary; text-style: bold; }
        & > .prose-diff--fold { color: $text-muted; text-style: italic; }
        & > .prose-diff--del { color: $text-error; text-style: strike; }
        & > .prose-diff--ins { color: $text-success; text-style: underline; }
        & > .prose-diff--mark-del { color: $text-error; text-style: bold; }
        & > .prose-diff--mark-ins { color: $text-success; text-style: bold; }
        & > .prose-diff--mark-both { color: $text-warning; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "change(1)", "Next", id="diff.next"),
        Binding("N", "change(-1)", "Prev", id="diff.previous"),
    ]

    def show_diff(self, diff: ProseDiff) -> None:
        """Show this diff from its beginning; the same diff again changes nothing."""
        rows = diff_rows(diff)
        if rows != self.rows:
            self.show_rows(rows, reset=True)

    @property
    def cursor_block(self) -> int | None:
        """The index, among the diff's blocks, of the one under the cursor."""
        return self.cursor_row.block if self.cursor_row else None

    def action_change(self, step: int) -> None:
        """Go to the next or previous change, and show as much of it as fits; at the last one it stays."""
        at = self.cursor_index or 0
        heads = [index for index, row in enumerate(self.rows) if row.kind == "head"]
        ahead = (
            [index for index in heads if index > at] if step > 0 else [index for index in reversed(heads) if index < at]
        )
        if ahead:
            index = ahead[0]
            block = self.rows[index].block
            following = sum(1 for row in self.rows[index + 1 :] if row.block == block)
            self.move_to(self.rows[index].key, following=following)

    def key_of(self, row: DiffRow) -> tuple[int, int]:
        return row.key

    def estimate(self, row: DiffRow, width: int) -> int:
        return 1 + min(len(row.text), LONGEST_LINE) // _text_width(width)

    def lines_of(self, row: DiffRow, width: int, state: RowState) -> list[Line]:
        text = row.text
        drawn = capped(text)
        if row.kind != "line":
            ink = self.ink(f"prose-diff--{row.kind}")
            return [[Segment(drawn[start:end], ink)] for start, end in breaks(drawn, max(width, _LEAST))]
        mark = Segment(row.mark.ljust(_GUTTER), self._mark_ink(row.mark))
        inks = [(span.text, self.ink(f"prose-diff--{span.op}") if span.op != "same" else None) for span in row.spans]
        if drawn is not text:
            inks = [*_until(inks, LONGEST_LINE), (drawn[LONGEST_LINE:], self.ink("prose-diff--fold"))]
        return [[mark, *_piece(inks, start, end)] for start, end in breaks(drawn, _text_width(width))]

    def _mark_ink(self, mark: str) -> Style | None:
        name = {"-": "del", "+": "ins", "~": "both"}.get(mark)
        return self.ink(f"prose-diff--mark-{name}") if name else None


_Inked = list[tuple[str, Style | None]]


def _text_width(width: int) -> int:
    return max(min(width - _GUTTER - 1, _READABLE), _LEAST)


def _until(inked: _Inked, end: int) -> _Inked:
    return [(text, style) for text, style, _ in _piece(inked, 0, end)]


def _piece(inked: _Inked, start: int, end: int) -> list[Segment]:
    """The part of inked text from one character to another."""
    found = []
    at = 0
    for text, style in inked:
        part = text[max(start - at, 0) : max(end - at, 0)]
        if part:
            found.append(Segment(part, style))
        at += len(text)
        if at >= end:
            break
    return found
