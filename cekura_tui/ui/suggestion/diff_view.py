"""A scrollable diff of two prompts, which shows the decision on each hunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cekura_tui.model.text import LONGEST_LINE
from cekura_tui.prose.diff import Hunk, ProseDiff
from cekura_tui.prose.lines import Passage, passages
from cekura_tui.prose.staging import Choices
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import ListMessage, VirtualList
from cekura_tui.ui.suggestion.diff_lines import DiffStyle, diff_lines, text_width
from cekura_tui.ui.suggestion.diff_rows import DiffRow, HunkNotes, diff_rows


class ProseDiffView(VirtualList[DiffRow]):
    """A list of hunks and unchanged passages."""

    row_height = None
    INKS: ClassVar[Mapping[str, str]] = {
        "prose-diff--head": "color: $accent; text-style: bold;",
        "prose-diff--bar": "background: $panel;",
        "prose-diff--also": "color: $accent;",
        "prose-diff--why": "color: $muted;",
        "prose-diff--flag": "color: $warning;",
        "prose-diff--away": "color: $accent;",
        "prose-diff--fold": "color: $muted;",
        "prose-diff--rule": "color: $faint;",
        "prose-diff--came": "color: $added;",
        "prose-diff--went": "color: $removed;",
        "prose-diff--accepted": "color: $success;",
        "prose-diff--rejected": "color: $muted;",
        "prose-diff--edited": "color: $accent;",
        "prose-diff--line-del": "background: $removed-ground;",
        "prose-diff--line-ins": "background: $added-ground;",
        "prose-diff--del": "background: $removed-word-ground; text-style: bold;",
        "prose-diff--ins": "background: $added-word-ground; text-style: bold;",
        "prose-diff--mark-del": "color: $removed; text-style: bold;",
        "prose-diff--mark-ins": "color: $added; text-style: bold;",
        "prose-diff--mark-moved": "color: $accent; text-style: bold;",
    }
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("diff.next", "n", "change(1)", "Next", "Next change", 7),
        Action("diff.previous", "N", "change(-1)", "Prev", "Previous change", 11),
        Action("diff.fold", "f", "fold", "Unfold", "Unfold or fold unchanged lines", 12),
        Action("diff.only-changes", "z", "only_changes", "Only changes", "Hide or show unchanged lines"),
    )

    @dataclass
    class HunkMoved(ListMessage):
        hunk: int  # 0 between the hunks

    class SplitRequested(ListMessage):
        pass

    def __init__(self, *, opens: bool = True, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self.opens = opens
        self._diff: ProseDiff | None = None
        self._choices: Choices = {}
        self._notes: Mapping[int, HunkNotes] = {}
        self._passages: list[Passage] = []
        self._unfolded: frozenset[int] = frozenset()
        self._only_changes = False
        self._reported_hunk = 0

    def show_diff(
        self, diff: ProseDiff, choices: Choices | None = None, notes: Mapping[int, HunkNotes] | None = None
    ) -> None:
        """Show a diff, with choices and notes by hunk number. In a new diff, the cursor starts at the first undecided
        hunk; else cursor, folds and scroll position stay, and follow a hunk that was split or joined."""
        choices, notes = dict(choices or {}), dict(notes or {})
        before = self._diff
        is_new = before is None or (before is not diff and (before.old, before.new) != (diff.old, diff.new))
        is_split = not is_new and before != diff
        at = self._hunk_above if is_split else None
        if is_new:
            self._unfolded, self._only_changes = frozenset(), False
        if is_new or is_split or _edited(choices) != _edited(self._choices):
            all_unfolded = bool(self._unfolded) and self._unchanged <= self._unfolded
            self._passages = passages(diff, choices)
            if is_split:  # passages are numbered differently now
                self._unfolded = self._unchanged if all_unfolded else frozenset()
        if is_new or is_split:
            self._reported_hunk = 0
        more_notes, self._notes = notes != self._notes, notes
        self._diff, self._choices = diff, choices
        self._show(reset=is_new)
        if is_new and diff.hunks:
            hunks = [hunk for hunk in diff.hunks if hunk.kind != "wrapper"] or [*diff.hunks]
            self.go_to(next((hunk for hunk in hunks if hunk.number not in choices), hunks[0]).number)
            if not self.rows_that_fit:  # show the rows above as well, once the list has a height
                self.viewport.place(0, 0)
        elif at is not None:
            self.go_to(next((hunk for hunk in diff.hunks if _is_related(hunk, at)), diff.hunks[0]).number)
        elif more_notes:  # notes push the hunk under the cursor down
            self.show_whole()

    @property
    def _unchanged(self) -> frozenset[int]:
        return frozenset(n for n, passage in enumerate(self._passages) if not passage.hunk)

    @property
    def _hunk_above(self) -> Hunk | None:
        """The hunk under the cursor, else the last hunk above the cursor, else the first hunk; None without hunks."""
        rows = self.rows[: (self.cursor_index or 0) + 1]
        number = next((row.hunk for row in reversed(rows) if row.hunk), 1)
        return self._diff.hunks[number - 1] if self._diff is not None and self._diff.hunks else None

    @property
    def hunk(self) -> Hunk | None:
        row = self.cursor_row
        return self._diff.hunks[row.hunk - 1] if self._diff is not None and row is not None and row.hunk else None

    def go_to(self, number: int) -> None:
        """Move the cursor to the heading of hunk `number`, and scroll as much of the hunk into view as fits."""
        for index, row in enumerate(self.rows):
            if row.hunk == number and row.kind == "head":
                following = sum(1 for after in self.rows[index + 1 :] if after.passage == row.passage)
                self.move_to(row.key, following=following)
                return

    def on_resize(self) -> None:
        self.call_later(self.show_whole)

    def show_whole(self) -> None:
        """If the cursor is on a visible heading of a hunk, scroll as much of the hunk into view as fits."""
        row = self.cursor_row
        if row is not None and row.kind == "head" and self.viewport.shows(self.cursor_index or 0):
            self.go_to(row.hunk)

    def action_change(self, step: int) -> None:
        """Go to the next (`step` 1) or previous (-1) hunk."""
        at = self.cursor_index or 0
        rows = self.rows[at + 1 :] if step > 0 else reversed(self.rows[:at])
        if (head := next((row for row in rows if row.kind == "head"), None)) is not None:
            self.go_to(head.hunk)

    def action_fold(self) -> None:
        """Fold or unfold the unchanged passage under the cursor. On a hunk, fold or unfold all unchanged passages. On a
        hunk of folded formatting changes, ask the screen to split the hunk instead."""
        if self.hunk is not None and self.hunk.is_folded:
            self.post_message(self.SplitRequested(self))
            return
        row, unchanged = self.cursor_row, self._unchanged
        if row is not None and row.passage in unchanged:
            self._unfolded ^= {row.passage}
        else:
            self._unfolded = frozenset() if unchanged <= self._unfolded else unchanged
        self._only_changes = False
        self._show()

    def action_only_changes(self) -> None:
        self._only_changes = not self._only_changes
        self._show()

    def _show(self, *, reset: bool = False) -> None:
        if self._diff is not None:
            shown = self._diff, self._passages, self._choices, self._notes
            rows = diff_rows(*shown, unfolded=self._unfolded, only_changes=self._only_changes)
            self.show_rows(rows, reset=reset)

    def cursor_moved(self) -> None:
        super().cursor_moved()
        number = self.hunk.number if self.hunk is not None else 0
        if number != self._reported_hunk:
            self._reported_hunk = number
            self.post_message(self.HunkMoved(self, number))

    def key_of(self, row: DiffRow) -> tuple[int, int]:
        return row.key

    def estimate(self, row: DiffRow, width: int) -> int:
        return 1 + min(len(row.text), LONGEST_LINE) // text_width(width)

    def lines_of(self, row: DiffRow, width: int, state: RowState) -> list[Line]:
        return diff_lines(row, width, DiffStyle(self.style_of, self.app.no_color, state.cursor))


def _is_related(hunk: Hunk, before: Hunk) -> bool:
    """Whether `hunk` is `before`, a part of `before`, or the hunk that `before` was a part of."""
    return hunk.key in (before.key, before.whole) or hunk.whole == before.key


def _edited(choices: Choices) -> dict[int, str]:
    return {number: choice.text for number, choice in choices.items() if choice.what == "edited"}
