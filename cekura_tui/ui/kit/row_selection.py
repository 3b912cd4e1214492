"""Text of rows, selected by dragging the mouse over them; rows that come above it or scroll away do not move it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from cekura_tui.ui.kit.row_renderer import RowCanvas
from cekura_tui.ui.kit.strips import character_at
from cekura_tui.ui.kit.viewport import Position

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Spot:
    """A character of a row: on one of the row's lines, the cells from `start` to before `end`."""

    key: Hashable
    line: int
    start: int
    end: int


class SelectableRows(RowCanvas[R]):
    """Rows whose text can be selected, unless `ALLOW_SELECT` is False.

    Textual's own way paints the whole screen twice for a press of the button and again for each move, and knows no rows
    that move: here only the lines that differ are painted, and `Screen.selections` is told, which copies and clears.
    """

    ALLOW_SELECT = True
    range_limit: ClassVar[int] = 1_000
    """As many rows at most are selected, or marked, at once."""

    _pressed: Spot | None = None
    """Where the button went down and has not come up since."""
    _ends: tuple[Spot, Spot] | None = None
    """The selection: where it began, and where the pointer was last."""
    _bounds: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None
    """The same in order, as (row, line, cell): its first cell, and the one after its last."""
    _crossed = False
    """Whether the last press of the button became a selection of more than one row."""

    @property
    def allow_select(self) -> bool:
        """What Textual asks before it selects by itself."""
        return False

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as it is drawn, without the space at the ends of lines."""
        return ("\n".join(self._selected_lines()), "\n") if self._bounds is not None else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Another selection was made or cleared; of everything, which may be much, what is on screen is taken."""
        current = self.text_selection
        if current is None:
            self._select(None)
        elif current == SELECT_ALL and self._shown:
            first, last = self._spot(self._shown[0], 0), self._spot(self._shown[-1], self._laid_out.width - 1)
            self._select((first, last))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A selection may begin here, if the pointer moves."""
        self._let_go()
        self._crossed = False
        position = self._position_at(event)
        if position is not None and event.button == 1 and not (event.shift or event.ctrl) and self._may_select:
            self._pressed = self._spot(position, event.get_content_offset_capture(self).x)
            # A quick hand is outside of the list before the first move is told.
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select up to the pointer; above and below the list it draws the rows along."""
        if self._pressed is None:
            return
        if event.button != 1:
            # The button came up where the terminal did not tell it.
            self._let_go()
            return
        self._drag(self._pressed, event.get_content_offset_capture(self))

    def on_mouse_up(self) -> None:
        """The selection stays."""
        self._let_go()

    on_hide = on_unmount = on_mouse_up

    @property
    def _may_select(self) -> bool:
        return self.ALLOW_SELECT and self.screen.allow_select and self.app.ALLOW_SELECT

    def _let_go(self) -> None:
        self._pressed = None
        self.release_mouse()

    def _position_at(self, event: events.MouseEvent) -> Position | None:
        """The row, and the line of it, under the pointer."""
        offset = event.get_content_offset(self)
        return self._shown[offset.y] if offset is not None and offset.y < len(self._shown) else None

    def _spot(self, position: Position, cell: int) -> Spot:
        index, line = position
        strip = self._strips_of(index)[line]
        return Spot(
            self.key_of(self._rows[index]), line, *character_at(strip, min(max(cell, 0), strip.cell_length - 1))
        )

    def _drag(self, pressed: Spot, pointer: Offset) -> None:
        start = self.index_of(pressed.key, near=self._view.top[0])
        if start is None or not self._shown:
            self._let_go()
            return
        before = self._picture()
        if beyond := min(pointer.y, 0) or max(pointer.y - self._laid_out.height + 1, 0):
            self._view.scroll(beyond)
        shown = self._view.lines()
        y = min(max(pointer.y, 0), len(shown) - 1)
        cell = pointer.x if y == pointer.y else self._laid_out.width if pointer.y > y else 0
        index, line = shown[y]
        furthest = self.range_limit - 1
        if index > start + furthest:
            index, cell = start + furthest, self._laid_out.width
            line = self._view.exact(index) - 1
        elif index < start - furthest:
            index, line, cell = start - furthest, 0, 0
        spot = self._spot((index, line), cell)
        if self._ends is None and spot == pressed:
            return
        self._crossed = self._crossed or spot.key != pressed.key
        self._ends = pressed, spot
        self._find_ends()
        self._commit(before)
        self._tell_screen()

    def _select(self, ends: tuple[Spot, Spot] | None) -> None:
        before = self._picture()
        self._ends = ends
        self._find_ends()
        self._commit(before)

    def _find_ends(self) -> None:
        """Where the selection is among the rows as they are now; without one of its ends it is no more."""
        self._bounds = None
        if self._ends is None:
            return
        found = [(self.index_of(spot.key, near=self._view.top[0]), spot) for spot in self._ends]
        places = [(index, spot.line, spot.start, spot.end) for index, spot in found if index is not None]
        if len(places) < len(found):
            self._ends = None
            self.screen.clear_selection()
            return
        (first, line, start, _), (last, last_line, _, end) = min(places), max(places)
        self._bounds = (first, line, start), (last, last_line, end)

    def _tell_screen(self) -> None:
        if self._bounds is not None:
            offsets = [Offset(cell, self._view.heights.top_of(index) + line) for index, line, cell in self._bounds]
            self.screen.selections = {self: Selection(*offsets)}

    def _selected(self, index: int, line: int) -> tuple[int, int] | None:
        if self._bounds is None:
            return None
        (first, first_line, start), (last, last_line, end) = self._bounds
        if not (first, first_line) <= (index, line) <= (last, last_line):
            return None
        at_start, at_end = (index, line) == (first, first_line), (index, line) == (last, last_line)
        return start if at_start else 0, end if at_end else self._laid_out.width

    def _selected_lines(self) -> Iterator[str]:
        if self._bounds is None:
            return
        (first, *_), (last, *_) = self._bounds
        for index in range(first, last + 1):
            for line, strip in enumerate(self._strips_of(index)):
                if (cells := self._selected(index, line)) is not None:
                    yield strip.crop(*cells).text.rstrip()

    def _lay_out(self) -> None:
        """In another width other cells are other text."""
        if self._ends is not None and self._area.width != self._laid_out.width:
            self._ends = self._bounds = None
            self.screen.clear_selection()
        super()._lay_out()

    def _take(self, rows: Sequence[R]) -> None:
        super()._take(rows)
        self._find_ends()
