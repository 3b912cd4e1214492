"""The list under every list of the app: a cursor and marks by key, which hold their place when rows change."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.message import Message

from cekura_tui.ui.widgets.row_canvas import RowCanvas, RowState

R = TypeVar("R")

_NEAR = 64
_AHEAD = 20


@dataclass
class ListMessage(Message):
    """Anything a list tells; `control` lets `@on(VirtualList.Moved, "#runs")` work."""

    list: VirtualList[Any]

    @property
    def control(self) -> VirtualList[Any]:
        return self.list


class VirtualList(RowCanvas[R], can_focus=True):
    """Rows with a cursor and marks, both by key."""

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
        """A row was marked or unmarked; these are all marks."""

        marks: frozenset[Hashable]

    @dataclass
    class NearEnd(ListMessage):
        """Less than a screen and 20 rows are left below; told once for each count and last row."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._places: dict[Hashable, int] | None = None
        self._cursor_key: Hashable | None = None
        self._marks: frozenset[Hashable] = frozenset()
        self._told_cursor: Hashable | None = None
        self._told_end: tuple[int, Hashable] | None = None

    # Rows

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
    def marks(self) -> frozenset[Hashable]:
        """The keys of marked rows, whether in the list just now or not."""
        return self._marks

    @marks.setter
    def marks(self, keys: Iterable[Hashable]) -> None:
        before = self._picture()
        self._marks = frozenset(keys)
        self._commit(before)

    def show_rows(self, rows: Sequence[R], *, reset: bool = False) -> None:
        """Replace all rows; the sequence must not be changed afterwards. Cursor and scroll stay on their keys, a cursor
        whose key is gone keeps its index; `reset` goes to the first row instead (the rows are of another thing)."""
        if not reset and (rows is self._rows or (len(rows) == len(self._rows) and rows == self._rows)):
            return
        if bool(rows) != bool(self._rows):
            self.call_later(self.refresh_bindings)
        if len(rows) != len(self._rows) and self.styles.is_auto_height:
            self.call_later(self.refresh, layout=True)
        before = self._picture()
        top, line = (0, 0) if reset else self._view.top
        held = [] if reset else [self.key_of(self._rows[i]) for i in dict.fromkeys(i for i, _ in self._shown)]
        self._rows, self._places = rows, None
        index = None if reset else self.index_of(self._cursor_key, near=self._cursor)
        self._put_cursor(max(0 if reset else self._cursor, 0) if index is None else index)
        self._view.heights = self._new_heights()
        for n, key in enumerate(held):
            if (place := self.index_of(key, near=top)) is not None:
                top, line = place, line if n == 0 else 0
                break
        self._view.place(top, line)
        self._commit(before)

    def update_rows(self, rows: Iterable[R]) -> None:
        """Change the rows of these keys in place; a key that is not in the list is passed over."""
        before = self._picture()
        changed = list(self._rows)
        for row in rows:
            if (index := self.index_of(self.key_of(row), near=self._cursor)) is not None and changed[index] != row:
                changed[index] = row
                self._view.heights.forget(index)
        self._rows = changed
        self._view.place(*self._view.top)
        self._commit(before)

    def index_of(self, key: Hashable, near: int = 0) -> int | None:
        """Where a key is: sought around `near` first, for a map of 100,000 keys takes longer than a frame."""
        if self._places is None:
            for index in range(max(near - _NEAR, 0), min(near + _NEAR, len(self._rows))):
                if self.key_of(self._rows[index]) == key:
                    return index
            self._places = {self.key_of(row): index for index, row in enumerate(self._rows)}
        return self._places.get(key)

    # Moving

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

    def toggle_mark(self, key: Hashable) -> None:
        self.marks = self._marks ^ {key}
        self.post_message(self.Marked(self, self._marks))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An empty list opens nothing: the key is the screen's then, which may show why there are no rows."""
        return bool(self._rows) if action == "open" else super().check_action(action, parameters)

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
        if all(index != self._cursor for index, _ in self._shown):
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

    def action_open(self) -> None:
        if self._cursor_key is not None:
            self.post_message(self.Opened(self, self._cursor_key))

    def action_toggle_mark(self) -> None:
        if self._cursor_key is not None:
            self.toggle_mark(self._cursor_key)

    def _go_to_end(self, index: int) -> None:
        before = self._picture()
        self._put_cursor(index)
        self._view.place(index, 0)
        self._commit(before)

    def _put_cursor(self, index: int) -> None:
        self._cursor = min(max(index, 0), len(self._rows) - 1)
        self._cursor_key = self.key_of(self._rows[self._cursor]) if self._cursor >= 0 else None

    def _goes_on(self, step: int) -> bool:
        """Whether the cursor's row is on screen, is higher than it, and has more to show in this direction."""
        view = self._view
        height = view.exact(self._cursor) if self._cursor >= 0 else 0
        above = view.y - view.heights.top_of(self._cursor) if height > view.height else height
        return -view.height < above < height and (above + view.height < height if step > 0 else above > 0)

    def _state_of(self, index: int, row: R) -> RowState:
        cursor = index == self._cursor
        marked = bool(self._marks) and self.key_of(row) in self._marks
        return RowState(cursor, cursor and self.has_focus, marked)

    def _settled(self) -> None:
        if self._told_cursor != self._cursor_key:
            self._told_cursor = self._cursor_key
            self.post_message(self.Moved(self, self._cursor_key))
        if self._shown and len(self._rows) - self._shown[-1][0] <= self._laid_out.height + _AHEAD:
            end = (len(self._rows), self.key_of(self._rows[-1]))
            if end != self._told_end:
                self._told_end = end
                self.post_message(self.NearEnd(self))
