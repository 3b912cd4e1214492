"""Rows of any height on a screen of few lines: only lines on screen are made, only those that differ repainted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.style import Style
from textual.cache import FIFOCache
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from cekura_tui.ui.kit.made_lines import MadeLines
from cekura_tui.ui.kit.strips import Line, RowState, differing_cells, overlaid, strips_of, without_background
from cekura_tui.ui.kit.viewport import EvenHeights, Heights, Position, RowHeights, RowPlaces, Viewport

R = TypeVar("R")

_KEPT_ROWS = 1024


class DrawnLine(NamedTuple, Generic[R]):
    """What a line of the screen shows: a line of a row in a state, selected from one cell to before another."""

    row: R
    line: int
    state: RowState
    selected: tuple[int, int] | None


class RowCanvas(ScrollView, Generic[R], inherit_bindings=False):
    """Draws rows by key. A subclass says each row's key and lines; a row's height must not depend on its state.
    `row_height = None` means rows of differing heights, estimated until they come near the screen."""

    row_height: ClassVar[int | None] = 1
    keeps_top: ClassVar[bool] = False
    """Whether in another width the uppermost row stays, even where the cursor's row is then no longer on screen."""
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-list--cursor",
        "virtual-list--cursor-blurred",
        "virtual-list--mark",
    }
    DEFAULT_CSS = """
    RowCanvas {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        scrollbar-color: $surface-lighten-3;

        & > .virtual-list--cursor { background: $primary 40%; }
        & > .virtual-list--cursor-blurred { background: $foreground 12%; }
        & > .virtual-list--mark { color: $warning; text-style: bold; }
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._styles_cache = MadeLines()
        self._rows: Sequence[R] = ()
        self._places = RowPlaces(self._rows, self.key_of)
        self._cursor = -1
        self._laid_out = Size(0, 0)
        self._view = Viewport(EvenHeights(0), self._measure)
        self._shown: list[Position] = []
        self._strips: FIFOCache[tuple[Hashable, RowState], tuple[R, list[Strip]]] = FIFOCache(_KEPT_ROWS)
        self._line_styles: dict[str, Style] = {}
        self._bases: dict[tuple[bool, ...], Style] = {}

    def key_of(self, row: R) -> Hashable:
        """What stays the same when the row changes."""
        raise NotImplementedError

    def lines_of(self, row: R, width: int, state: RowState) -> Sequence[Line]:
        """The row's lines as segments of cleaned text, `width` cells each at most; what is wider is cropped."""
        raise NotImplementedError

    def estimate(self, row: R, width: int) -> int:
        """About how many lines a row takes: quick, because it is asked for every row when `row_height` is None."""
        return 1

    def style_of(self, component: str) -> Style:
        """The style of a component class, for segments; with a background only if the class sets one."""
        if (style := self._line_styles.get(component)) is None:
            style = self.get_component_rich_style(component)
            if not self.get_component_styles(component).has_rule("background"):
                style = without_background(style)
            self._line_styles[component] = style
        return style

    def redraw(self) -> None:
        """Something that `lines_of` depends on besides the row has changed; heights may have, too."""
        self._strips.clear()
        self._lay_out()
        self.refresh()

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._line_styles.clear()
        self._bases.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        if self._area != self._laid_out:
            self._lay_out()

    def render_lines(self, crop: Region) -> list[Strip]:
        # The size arrives just before the first paint with it, the Resize event only after.
        if self._area != self._laid_out:
            self._lay_out()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._shown):
            return Strip.blank(self._laid_out.width, self.rich_style)
        index, line = self._shown[y]
        strip = self._strips_of(index)[line]
        cells = self._selected(index, line)
        return strip if cells is None else overlaid(strip, *cells, self.selection_style)

    def index_of(self, key: Hashable, near: int = 0) -> int | None:
        """Where a key is, quickest when it is somewhere around the index `near`."""
        return self._places.find(key, near)

    @property
    def _area(self) -> Size:
        """The cells there are for rows: without the scroll bar, which `size` counts in."""
        return self.scrollable_content_region.size

    def _measure(self, index: int) -> int:
        return len(self._strips_of(index)) if self._laid_out else 1

    def _state_of(self, index: int, row: R) -> RowState:
        return RowState()

    def _selected(self, index: int, line: int) -> tuple[int, int] | None:
        """The cells of a line that are selected text, from one to before another."""
        return None

    def _take(self, rows: Sequence[R]) -> None:
        """These are the rows now."""
        self._rows, self._places = rows, RowPlaces(rows, self.key_of)

    def _strips_of(self, index: int) -> list[Strip]:
        row = self._rows[index]
        state = self._state_of(index, row)
        place = (self.key_of(row), state)
        if (kept := self._strips.get(place)) is None or (kept[0] is not row and kept[0] != row):
            width = self._laid_out.width
            kept = row, strips_of(self.lines_of(row, width, state), width, self._base(state), self.row_height)
            self._strips[place] = kept
        return kept[1]

    def _base(self, state: RowState) -> Style:
        """The style beneath a row's segments."""
        whole = (state.cursor, state.focused, state.marked)
        if (base := self._bases.get(whole)) is None:
            base = self._bases[whole] = self._base_of(state)
        return base

    def _base_of(self, state: RowState) -> Style:
        base = self.rich_style
        if state.cursor:
            cursor = "virtual-list--cursor" if state.focused else "virtual-list--cursor-blurred"
            base += self.get_component_rich_style(cursor)
        return base + self.style_of("virtual-list--mark") if state.marked else base

    def _new_heights(self) -> Heights:
        if self.row_height is not None:
            return EvenHeights(len(self._rows), self.row_height)
        width = self._laid_out.width
        return RowHeights(self.estimate(row, width) if width else 1 for row in self._rows)

    def _lay_out(self) -> None:
        """Take on the widget's size; the uppermost row stays, but a cursor that was on screen is not lost."""
        area = self._area
        if not area:
            return
        view = self._view
        seen = not self._laid_out or any(index == self._cursor for index, _ in self._shown)
        index, line = view.top
        height = view.heights.height(index) if view.heights.count else 1
        if area.width != self._laid_out.width:
            self._strips.clear()
        self._laid_out = area
        view.heights = self._new_heights()
        view.height = area.height
        view.place(index, line * view.exact(index) // height if line else 0)
        if (
            seen
            and not self.keeps_top
            and self._cursor >= 0
            and all(shown != self._cursor for shown, _ in view.lines())
        ):
            view.reveal(self._cursor)
        self._commit(None)

    def _picture(self) -> list[DrawnLine[R]]:
        """What each line of the screen shows, to be compared after a change."""
        rows = self._rows
        return [
            DrawnLine(rows[index], line, self._state_of(index, rows[index]), self._selected(index, line))
            for index, line in self._shown
        ]

    def _commit(self, before: list[DrawnLine[R]] | None) -> None:
        """After any change: repaint the lines that differ, and tell Textual the position."""
        self._shown = self._view.lines() if self._laid_out else []
        self._tell_scroll()
        if before is not None and self._laid_out:
            after = self._picture()
            lines = [y for y in range(max(len(before), len(after))) if before[y : y + 1] != after[y : y + 1]]
            drawn = [self._drawn(before[y], after[y]) if y < min(len(before), len(after)) else None for y in lines]
            if regions := [*filter(None, map(self._changed, lines, drawn))]:
                self.refresh(*regions)
        self._settled()

    def _drawn(self, was: DrawnLine[R], now: DrawnLine[R]) -> Strip | None:
        """A line as it is on screen, where it is known and shows the same row as before."""
        place = (self.key_of(was.row), was.state)
        if was.line != now.line or place != (self.key_of(now.row), now.state) or was.selected or now.selected:
            return None
        kept = self._strips.get(place)
        if kept is None or (kept[0] is not was.row and kept[0] != was.row) or was.line >= len(kept[1]):
            return None
        return kept[1][was.line]

    def _changed(self, y: int, drawn: Strip | None) -> Region:
        """What of a line is to be painted: the cells that differ, for the age of a job that goes on is a few."""
        if drawn is None:
            return Region(0, y, self._laid_out.width, 1)
        index, line = self._shown[y]
        start, end = differing_cells(drawn, self._strips_of(index)[line])
        return Region(start, y, end - start, 1)

    def _settled(self) -> None:
        """A subclass may look at where the list is now."""

    def _tell_scroll(self) -> None:
        """Set scroll position and virtual size past their watchers, which would lay out and repaint everything."""
        y, size = self._view.y, Size(self._laid_out.width, self._view.heights.total)
        self.set_reactive(Widget.virtual_size, size)
        self.set_reactive(Widget.scroll_y, float(y))
        self.set_reactive(Widget.scroll_target_y, float(y))
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.position = y

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Wheel and scroll bar: a short way is walked in true lines, a long one jumps by the estimates."""
        # Before another size is laid out Textual puts the position into the old one: that is nobody scrolling.
        if not self._laid_out or self._area != self._laid_out:
            return
        before = self._picture()
        y = round(new_value)
        lines = y - self._view.y
        if abs(lines) <= 3 * self._view.height:
            self._view.scroll(lines)
        else:
            self._view.jump(y)
        self._commit(before)
