"""Rows with a cursor by key, which stays on its row when rows change and moves by keys alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from cekura_tui.ui.widgets.row_places import Placed
from cekura_tui.ui.widgets.row_selection import SelectableRows

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
