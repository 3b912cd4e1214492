"""The list under every list of the app: a cursor and marks by key, moved by keys and the mouse, and what it tells."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_cursor import CursorRows
from cekura_tui.ui.widgets.row_marks import marks_after, range_to

R = TypeVar("R")

_AHEAD = 20


@dataclass
class ListMessage(Message):
    """Anything a list tells; `control` lets `@on(VirtualList.Moved, "#runs")` work."""

    list: VirtualList[Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        # Textual takes whoever had the list change for the sender, and a message rises no higher than to its sender.
        self.set_sender(self.list)

    @property
    def control(self) -> VirtualList[Any]:
        return self.list


class VirtualList(CursorRows[R], can_focus=True):
    """Rows with a cursor and marks, both by key. A click puts the cursor on a row, a double click opens it; where
    `marking` is set, ctrl+click marks a row and shift+click all from the last marked one."""

    marking: ClassVar[bool] = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="list.down", show=False),
        Binding("k,up", "move(-1)", "Up", id="list.up", show=False),
        Binding("g,home", "first", "First", id="list.first", show=False),
        Binding("G,end", "last", "Last", id="list.last", show=False),
        Binding("pagedown", "page(1.0)", "Page down", id="list.page-down", show=False),
        Binding("pageup", "page(-1.0)", "Page up", id="list.page-up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a page down", id="list.half-down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", id="list.half-up", show=False),
        Binding("enter", "open", "Open", id="list.open", show=False),
    ]

    @dataclass
    class Moved(ListMessage):
        """The cursor is on another row; on none (`key` is None) when the list became empty."""

        key: Hashable | None

    @dataclass
    class Opened(ListMessage):
        """Enter on a row."""

        key: Hashable

    @dataclass
    class Marked(ListMessage):
        """Rows were marked or unmarked; these are all marks. `left_out` rows of a range were not: they may not be, or
        were too many."""

        marks: frozenset[Hashable]
        left_out: int = 0

    @dataclass
    class NearEnd(ListMessage):
        """Less than a screen and 20 rows are left below; told once for each count and last row."""

    @dataclass
    class InView(ListMessage):
        """Rows from index `first` to `last`, which is on screen too, are: others than before, or of other rows."""

        first: int
        last: int

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._marks: frozenset[Hashable] = frozenset()
        self._last_marked: Hashable | None = None
        self._told_cursor: Hashable | None = None
        self._told_end: tuple[int, Hashable] | None = None
        self._told_view: tuple[Sequence[R], tuple[int, int]] | None = None

    # Marks

    @property
    def marks(self) -> frozenset[Hashable]:
        """The keys of marked rows, whether in the list just now or not."""
        return self._marks

    @marks.setter
    def marks(self, keys: Iterable[Hashable]) -> None:
        before = self._picture()
        self._marks = frozenset(keys)
        self._commit(before)

    def may_mark(self, row: R) -> bool:
        """Whether a key or the mouse marks this row; a row that is not loaded yet would say no."""
        return True

    def toggle_mark(self, key: Hashable) -> None:
        self._last_marked = key
        self._tell_marks(self._marks ^ {key})

    def mark_range_to_cursor(self) -> None:
        """Mark all rows from the last one that was marked, or unmarked, to the cursor, `range_limit` of them at most;
        unmark them where all are marked. Rows that may not be marked are passed over."""
        if self._cursor < 0:
            return
        anchor = None if self._last_marked is None else self.index_of(self._last_marked, near=self._cursor)
        indexes = range_to(self._cursor, anchor, self.range_limit)
        keys = [self.key_of(row) for row in map(self._rows.__getitem__, indexes) if self.may_mark(row)]
        if keys:
            if anchor is None:
                self._last_marked = keys[0]
            reach = 1 if anchor is None else abs(self._cursor - anchor) + 1
            self._tell_marks(marks_after(self._marks, keys), left_out=reach - len(keys))

    def action_toggle_mark(self) -> None:
        if self._cursor >= 0 and self.may_mark(self._rows[self._cursor]):
            self.toggle_mark(self.key_of(self._rows[self._cursor]))

    def action_mark_range(self) -> None:
        self.mark_range_to_cursor()

    def _tell_marks(self, marks: frozenset[Hashable], left_out: int = 0) -> None:
        self.marks = marks
        self.post_message(self.Marked(self, marks, left_out))

    # Opening and the mouse

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An empty list opens nothing: the key is the screen's then, which may show why there are no rows."""
        return bool(self._rows) if action == "open" else super().check_action(action, parameters)

    def action_open(self) -> None:
        if self._cursor_key is not None:
            self.post_message(self.Opened(self, self._cursor_key))

    async def on_click(self, event: events.Click) -> None:
        """The end of a selection that went over several rows is none."""
        position = self._position_at(event)
        if position is None or event.button != 1 or self._crossed:
            return
        if event.chain == 2 and position[0] == self._cursor and not (event.ctrl or event.shift):
            await self.run_action("open")
            return
        before = self._picture()
        self._put_cursor(position[0])
        self._commit(before)
        if self.marking and event.ctrl:
            self.action_toggle_mark()
        elif self.marking and event.shift:
            self.mark_range_to_cursor()

    def _state_of(self, index: int, row: R) -> RowState:
        cursor = index == self._cursor
        marked = bool(self._marks) and self.key_of(row) in self._marks
        return RowState(cursor, cursor and self.has_focus, marked)

    def cursor_moved(self) -> None:
        """Tell that the cursor is on another row, or on none."""
        self.post_message(self.Moved(self, self._cursor_key))

    def _settled(self) -> None:
        if self._told_cursor != self._cursor_key:
            self._told_cursor = self._cursor_key
            self.cursor_moved()
        shown = self.shown_range
        if shown is None:
            return
        if self._told_view is None or self._told_view[0] is not self._rows or self._told_view[1] != shown:
            self._told_view = self._rows, shown
            self.post_message(self.InView(self, *shown))
        count = len(self._rows)
        if count - shown[1] <= self._laid_out.height + _AHEAD:
            end = (count, self.key_of(self._rows[count - 1]))
            if end != self._told_end:
                self._told_end = end
                self.post_message(self.NearEnd(self))
