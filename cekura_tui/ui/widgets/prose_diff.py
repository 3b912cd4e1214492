"""Two versions of a prompt hunk by hunk: red and struck what went, green and underlined what came, a mark beside each
line so that nothing hangs on colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from cekura_tui.model.prose_diff import Hunk, ProseDiff
from cekura_tui.model.prose_lines import Passage, passages
from cekura_tui.model.staging import Choices
from cekura_tui.model.text import LONGEST_LINE
from cekura_tui.ui.widgets.diff_lines import Look, diff_lines, text_room
from cekura_tui.ui.widgets.diff_rows import DiffRow, diff_rows
from cekura_tui.ui.widgets.hunk_told import HunkTold
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.virtual_list import ListMessage, VirtualList


class ProseDiffView(VirtualList[DiffRow]):
    """The rows of a diff; `n` and `N` go from hunk to hunk, `f` unfolds what did not change, `w` leaves it out. From
    140 cells on the sent text stands beside the proposed one."""

    row_height = None
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "prose-diff--head",
        "prose-diff--also",
        "prose-diff--why",
        "prose-diff--flag",
        "prose-diff--away",
        "prose-diff--fold",
        "prose-diff--accepted",
        "prose-diff--rejected",
        "prose-diff--edited",
        "prose-diff--rejected-text",
        "prose-diff--del",
        "prose-diff--ins",
        "prose-diff--mark-del",
        "prose-diff--mark-ins",
        "prose-diff--mark-both",
        "prose-diff--mark-moved",
    }
    DEFAULT_CSS = """
    ProseDiffView {
        & > .virtual-list--cursor { background: $primary 25%; }
        & > .virtual-list--cursor-blurred { background: $foreground 8%; }
        & > .prose-diff--head { color: $text-primary; text-style: bold; }
        & > .prose-diff--also { color: $text-primary; }
        & > .prose-diff--why { color: $text-muted; }
        & > .prose-diff--flag { color: $text-warning; }
        & > .prose-diff--away { color: $text-accent; text-style: italic; }
        & > .prose-diff--fold { color: $text-muted; text-style: italic; }
        & > .prose-diff--accepted { color: $text-success; }
        & > .prose-diff--rejected { color: $text-muted; }
        & > .prose-diff--edited { color: $text-accent; }
        & > .prose-diff--rejected-text { color: $text-muted; text-style: dim; }
        & > .prose-diff--del { color: $text-error; text-style: strike; }
        & > .prose-diff--ins { color: $text-success; text-style: underline; }
        & > .prose-diff--mark-del { color: $text-error; text-style: bold; }
        & > .prose-diff--mark-ins { color: $text-success; text-style: bold; }
        & > .prose-diff--mark-both { color: $text-warning; text-style: bold; }
        & > .prose-diff--mark-moved { color: $text-accent; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "change(1)", "Next", id="diff.next"),
        Binding("N", "change(-1)", "Prev", id="diff.previous"),
        Binding("f", "fold", "Unfold", id="diff.fold"),
        Binding("w", "only_changes", "Only changes", id="diff.only-changes", show=False),
    ]

    @dataclass
    class HunkMoved(ListMessage):
        """The cursor came into another hunk, of this number."""

        hunk: int

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._diff: ProseDiff | None = None
        self._choices: Choices = {}
        self._told: Mapping[int, HunkTold] = {}
        self._passages: list[Passage] = []
        self._unfolded: frozenset[int] = frozenset()
        self._only_changes = False
        self._told_hunk = 0

    def show_diff(
        self, diff: ProseDiff, choices: Choices | None = None, told: Mapping[int, HunkTold] | None = None
    ) -> None:
        """Show this diff with what was decided and is known of its hunks (both by number). Another diff begins at its
        first hunk; in the same one cursor, folds and position stay, and what looks as before is not drawn again."""
        choices, told = dict(choices or {}), dict(told or {})
        is_other = self._diff is None or self._diff != diff
        if is_other:
            self._unfolded, self._only_changes, self._told_hunk = frozenset(), False, 0
        if is_other or _edited(choices) != _edited(self._choices):
            self._passages = passages(diff, choices)
        self._diff, self._choices, self._told = diff, choices, told
        self._show(reset=is_other)
        if is_other and diff.hunks:
            self.go_to((diff.worded or diff.hunks)[0].number)

    @property
    def hunk(self) -> Hunk | None:
        """The hunk under the cursor."""
        row = self.cursor_row
        return self._diff.hunks[row.hunk - 1] if self._diff is not None and row is not None and row.hunk else None

    def go_to(self, number: int) -> None:
        """Put the cursor on the header of a hunk, and show as much of it as fits."""
        for index, row in enumerate(self.rows):
            if row.hunk == number and row.kind == "head":
                following = sum(1 for after in self.rows[index + 1 :] if after.passage == row.passage)
                self.move_to(row.key, following=following)
                return

    def action_change(self, step: int) -> None:
        """Go to the next or previous hunk in which words change, or of all if none does; at the last one it stays."""
        if self._diff is None:
            return
        at = self.cursor_index or 0
        worded = {hunk.number for hunk in self._diff.worded or self._diff.hunks}
        indexes = range(at + 1, len(self.rows)) if step > 0 else range(at - 1, -1, -1)
        for index in indexes:
            row = self.rows[index]
            if row.kind == "head" and row.hunk in worded:
                self.go_to(row.hunk)
                return

    def action_fold(self) -> None:
        """Unfold the unchanged passage under the cursor, or fold it; on a hunk all of them."""
        row = self.cursor_row
        unchanged = frozenset(n for n, passage in enumerate(self._passages) if not passage.hunk)
        if row is not None and row.passage in unchanged:
            self._unfolded ^= {row.passage}
        else:
            self._unfolded = frozenset() if unchanged <= self._unfolded else unchanged
        self._only_changes = False
        self._show()

    def action_only_changes(self) -> None:
        """Leave out what did not change, or show it again."""
        self._only_changes = not self._only_changes
        self._show()

    def _show(self, *, reset: bool = False) -> None:
        if self._diff is not None:
            rows = diff_rows(
                self._diff,
                self._passages,
                self._choices,
                self._told,
                unfolded=self._unfolded,
                only_changes=self._only_changes,
            )
            self.show_rows(rows, reset=reset)

    def cursor_moved(self) -> None:
        """Tell also when it comes into another hunk."""
        super().cursor_moved()
        hunk = self.hunk
        if hunk is not None and hunk.number != self._told_hunk:
            self._told_hunk = hunk.number
            self.post_message(self.HunkMoved(self, hunk.number))

    def key_of(self, row: DiffRow) -> tuple[int, int]:
        return row.key

    def estimate(self, row: DiffRow, width: int) -> int:
        return 1 + min(len(row.text), LONGEST_LINE) // text_room(width)

    def lines_of(self, row: DiffRow, width: int, state: RowState) -> list[Line]:
        return diff_lines(row, width, Look(self.ink, self.app.no_color))


def _edited(choices: Choices) -> dict[int, str]:
    return {number: choice.text for number, choice in choices.items() if choice.what == "edited"}
