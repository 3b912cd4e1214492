"""Rows with a cursor by key, which stays on its row when rows change and moves by keys alone.

Which rows a range of marks takes, from the row that was marked last to the cursor.

The list under every list of the app: a cursor and marks by key, moved by keys and the mouse, and what it tells.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cekura_tui.ui.kit.row_selection import SelectableRows
from cekura_tui.ui.kit.strips import RowState
from cekura_tui.ui.kit.viewport import Placed

R = TypeVar("R")


class CursorRows(SelectableRows[R]):
    """What is shown, where the cursor is in it, and how both move."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._cursor_key: Hashable | None = None

    @property
    def rows(self) -> Sequence[R]:
        return self._rows

    @property
    def cursor_index(self) -> int | None:
        return self._cursor if self._cursor >= 0 else None

    @property
    def cursor_key(self) -> Hashable | None:
        return self._cursor_key

    @property
    def cursor_row(self) -> R | None:
        return self._rows[self._cursor] if self._cursor >= 0 else None

    @property
    def at_top(self) -> bool:
        """Whether the first line of the first row is the uppermost on screen."""
        return self._view.top == (0, 0)

    @property
    def shown_range(self) -> tuple[int, int] | None:
        """The indexes of the first and the last row on screen, or None where no row is."""
        return (self._shown[0][0], self._shown[-1][0]) if self._shown else None

    @property
    def rows_that_fit(self) -> int:
        """As many rows at most are on screen at once; 0 before there is a size."""
        return self._laid_out.height // (self.row_height or 1)

    def show_rows(self, rows: Sequence[R], *, reset: bool = False, follow: bool = False) -> None:
        """Replace all rows; the sequence must not be changed afterwards. The cursor stays on its key, or where that is
        gone in its place, and on its line of the screen; if it is not on screen the uppermost row stays.

        With `follow` a view at the very top stays there and shows what came above, while the cursor's row is on screen;
        `reset` goes to the first row instead (the rows are of another thing).
        """
        if not reset and rows == self._rows:
            return
        if bool(rows) != bool(self._rows):
            self.call_later(self.refresh_bindings)
        if len(rows) != len(self._rows) and self.styles.is_auto_height:
            self.call_later(self.refresh, layout=True)
        before = self._picture()
        places, around = self._places, self._laid_out.height
        held, line, at = self._held()
        to_top = reset or (follow and self.at_top)
        self._take(rows)
        self._view.heights = self._new_heights()
        self._put_cursor(0 if reset else self._places.place_now(self._cursor, places, around))
        if to_top:
            self._view.place(0, 0)
        if not to_top or (not reset and all(index != self._cursor for index, _ in self._view.lines())):
            self._view.hold(self._places.place_now(held, places, around), line, at)
        self._commit(before)

    def update_rows(self, rows: Iterable[R]) -> None:
        """Change the rows of these keys in place; a key that is not in the list is passed over. Rows that are made when
        they are asked for cannot be changed so (TypeError): show others."""
        if isinstance(self._rows, Placed):
            raise TypeError("rows that know their places are not changed one by one")
        before = self._picture()
        changed = list(self._rows)
        for row in rows:
            if (index := self.index_of(self.key_of(row), near=self._cursor)) is not None and changed[index] != row:
                changed[index] = row
                self._view.heights.forget(index)
        # The keys and their places are the same as before.
        self._rows = changed
        self._view.place(*self._view.top)
        self._commit(before)

    def move_to(self, key: Hashable, *, following: int = 0) -> None:
        """Put the cursor on this key and show it with so many rows after it as fit; an unknown key does nothing."""
        if (index := self.index_of(key, near=self._cursor)) is not None:
            before = self._picture()
            self._put_cursor(index)
            self._view.reveal(min(index + following, len(self._rows) - 1))
            self._view.reveal(index)
            self._commit(before)

    def move_by(self, rows: int) -> None:
        """Move the cursor; through a row that is higher than the screen it goes line by line."""
        if not self._rows:
            return
        before = self._picture()
        step = 1 if rows > 0 else -1
        for _ in range(abs(rows)):
            if self._goes_on(step):
                self._view.scroll(step)
            else:
                self._put_cursor(self._cursor + step)
                self._view.reveal(self._cursor, bottom=step < 0)
        self._commit(before)

    def action_move(self, rows: int) -> None:
        self.move_by(rows)

    def action_first(self) -> None:
        self._go_to_end(0)

    def action_last(self) -> None:
        self._go_to_end(len(self._rows))

    def action_page(self, pages: float) -> None:
        """Scroll; the cursor keeps its line of the screen while the list moves, and goes the rest of the way itself."""
        if not self._rows:
            return
        before = self._picture()
        view = self._view
        if not self._on_screen(self._cursor):
            view.reveal(self._cursor)
        index, line = view.top
        on_screen = max(view.heights.top_of(self._cursor) - view.y, 0)
        lines = int(view.height * pages) + (-1 if pages > 0 else 1) or 1
        view.scroll(lines)
        scrolled = view.y - view.heights.top_of(index) - line
        shown = view.lines()
        target = on_screen + lines - scrolled
        beyond = len(self._rows) - 1 if lines > 0 else 0
        self._put_cursor(shown[target][0] if 0 <= target < len(shown) else beyond)
        self._commit(before)

    def _held(self) -> tuple[int, int, int]:
        """What stays where it is when rows change: a row, its first line on screen, and where on screen that is."""
        for at, (index, line) in enumerate(self._shown):
            if index == self._cursor:
                return index, line, at
        return *self._view.top, 0

    def _go_to_end(self, index: int) -> None:
        before = self._picture()
        self._put_cursor(index)
        self._view.place(index, 0)
        self._commit(before)

    def _put_cursor(self, index: int) -> None:
        self._cursor = min(max(index, 0), len(self._rows) - 1)
        self._cursor_key = self.key_of(self._rows[self._cursor]) if self._cursor >= 0 else None

    def _on_screen(self, index: int) -> bool:
        return any(shown == index for shown, _ in self._shown)

    def _goes_on(self, step: int) -> bool:
        """Whether the cursor's row is on screen, is higher than it, and has more to show in this direction."""
        view = self._view
        height = view.exact(self._cursor) if self._cursor >= 0 else 0
        above = view.y - view.heights.top_of(self._cursor) if height > view.height else height
        return -view.height < above < height and (above + view.height < height if step > 0 else above > 0)


def range_to(cursor: int, anchor: int | None, limit: int) -> range:
    """The indexes from the anchor to the cursor in list order, `limit` of them at most, counted from the anchor; the
    cursor's alone where there is no anchor."""
    if anchor is None:
        return range(cursor, cursor + 1)
    if anchor <= cursor:
        return range(anchor, min(cursor + 1, anchor + limit))
    return range(max(cursor, anchor - limit + 1), anchor + 1)


def marks_after(marks: frozenset[Hashable], keys: Sequence[Hashable]) -> frozenset[Hashable]:
    """The marks with all of these keys, or without any of them if all were marked already."""
    return marks - set(keys) if marks.issuperset(keys) else marks | set(keys)


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
