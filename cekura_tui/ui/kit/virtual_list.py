"""The base of every list: rows of any height, with cursor, marks and selected text. Only rows on screen are drawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment, Segments
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.selection import SELECT_ALL, Selection
from textual.strip import Strip
from textual.widget import Widget

from cekura_tui.ui.actions import Action, bind, bindings, do_action, is_offered
from cekura_tui.ui.kit.keys_in_order import do_binding, handled_elsewhere
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.rows import RowMarks, RowRenderer, RowSelection, Spot
from cekura_tui.ui.kit.strips import Line, RowState, character_at, overlaid, without_background
from cekura_tui.ui.kit.viewport import EvenHeights, Heights, Position, RowHeights, RowPlaces, Viewport
from cekura_tui.ui.terminal.textual_private import bypass_style_cache

R = TypeVar("R")

_PREFETCHED = 20
"""`NearEnd` is posted when fewer rows than a screenful plus this number are left below."""


class ThinScrollBar(ScrollBarRender):
    """Draws the thumb of a scroll bar as a line instead of full cells."""

    @classmethod
    def render_bar(cls, *given: Any, **named: Any) -> Segments:
        bar = super().render_bar(*given, **named)
        line, meta = "┃" if named["vertical"] else "━", {"@mouse.down": "grab"}
        thumb = Style(color=named["bar_color"], bgcolor=named["back_color"], meta=meta)
        bar.segments = [
            Segment(line.rjust(len(one.text)), thumb) if one.style and one.style.meta == meta else one
            for one in bar.segments
        ]
        return bar


@dataclass(eq=False, repr=False)
class ListMessage(Message):
    """The base of a list's messages; `control` is needed for `@on(VirtualList.Moved, "#runs")`."""

    list: VirtualList[Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        # Textual would set the caller as the sender, and a message does not bubble above its sender.
        self.set_sender(self.list)

    @property
    def control(self) -> VirtualList[Any]:
        return self.list


class VirtualList(ScrollView, Generic[R], can_focus=True, inherit_bindings=False):
    """A list whose cursor, marks and selected text stay on their rows when rows change. A subclass defines `key_of` and
    `lines_of`; with `row_height = None`, heights differ and are estimated until a row comes near the screen. `keys`, if
    given, handles all keys; `opened` gets the key of a row on enter before later keys are handled."""

    PLACE: ClassVar[str] = "Everywhere"
    row_height: ClassVar[int | None] = 1
    keeps_top: ClassVar[bool] = False
    """Whether a change of width keeps the top row in place, even if the cursor's row leaves the screen."""
    marking: ClassVar[bool] = False
    opens = True
    """Whether the list has an action for enter."""
    numbered: ClassVar[bool] = False
    """Whether the pane around the list shows the cursor's place, such as "3 of 240"."""
    range_limit: ClassVar[int] = 1_000
    """Maximum number of rows selected or marked at once."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("list.down", "j,down", lambda rows: rows.move_by(1), "Down"),
        Action("list.up", "k,up", lambda rows: rows.move_by(-1), "Up"),
        Action("list.first", "g,home", "first", "First"),
        Action("list.last", "G,end", "last", "Last"),
        Action("list.page-down", "pagedown", "page(1.0)", "Page down"),
        Action("list.page-up", "pageup", "page(-1.0)", "Page up"),
        Action("list.half-down", "ctrl+d", "page(0.5)", "Half a page down"),
        Action("list.half-up", "ctrl+u", "page(-0.5)", "Half a page up"),
        Action("list.open", "enter", "open", "Open"),
    )
    BINDINGS = bindings(ACTIONS)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "virtual-list--cursor",
        "virtual-list--cursor-blurred",
        "virtual-list--mark",
    }
    DEFAULT_CSS = """
    VirtualList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: transparent;
        scrollbar-background-hover: transparent;
        scrollbar-background-active: transparent;

        & > .virtual-list--cursor { background: $cursor; }
        & > .virtual-list--cursor-blurred { background: $cursor-blurred; }
        & > .virtual-list--mark { color: $warning; text-style: bold; }
    }
    """

    ALLOW_SELECT = True
    """Whether the list selects text itself; Textual would repaint the whole screen for each movement of the mouse."""

    @dataclass(eq=False, repr=False)
    class Moved(ListMessage):
        """The cursor moved to another row; `key` is None if the list became empty."""

        key: Hashable | None

    @dataclass(eq=False, repr=False)
    class Opened(ListMessage):
        key: Hashable

    @dataclass(eq=False, repr=False)
    class Marked(ListMessage):
        """Rows were marked or unmarked. `marks` are all marked keys; `left_out` counts the skipped rows of a range."""

        marks: frozenset[Hashable]
        left_out: int = 0

    class NearEnd(ListMessage):
        """Few rows are left below the screen (see `_PREFETCHED`); posted once for each row count and last key."""

    @dataclass(eq=False, repr=False)
    class InView(ListMessage):
        """The rows on screen changed; now rows `first` to `last` (inclusive) are on screen."""

        first: int
        last: int

    INKS: ClassVar[Mapping[str, str]] = {}
    """Styles of a subclass's own component classes, by class name, such as "color: $muted;"."""

    def __init_subclass__(cls, **options: Any) -> None:
        bind(cls)
        if inks := cls.__dict__.get("INKS"):
            cls.COMPONENT_CLASSES = {*cls.__dict__.get("COMPONENT_CLASSES", ()), *inks}
            rules = "".join(f"& > .{name} {{ {style} }}\n" for name, style in inks.items())
            cls.DEFAULT_CSS = f"{cls.__dict__.get('DEFAULT_CSS', '')}\n{cls.__name__} {{\n{rules}}}"
        super().__init_subclass__(**options)

    def __init__(
        self,
        *,
        keys: Callable[[Widget, events.Key], Awaitable[None]] | None = None,
        opened: Callable[[Hashable], None] | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        super().__init__(id=id)
        self._keys, self._opened = keys, opened
        bypass_style_cache(self)
        self._rows: Sequence[R] = ()
        self._places = RowPlaces(self._rows, self.key_of)
        self._cursor = -1
        self._cursor_key: Hashable | None = None
        self._laid_out = Size(0, 0)
        self.viewport = Viewport(EvenHeights(0), self._measure)
        self._shown: list[Position] = []
        self._drawn: list[tuple[R, int, RowState, tuple[int, int] | None]] = []
        """For each line on screen: the row, line of the row, state and selected cells with which it was drawn last."""
        self._renderer = RowRenderer(self.key_of, self.lines_of, self._base_of, self.row_height)
        self._segment_styles: dict[str, Style] = {}
        self._selection = RowSelection()
        self._marks = RowMarks()
        self._reported_cursor: Hashable | None = None
        self._reported_end: tuple[int, Hashable] | None = None
        self._reported_view: tuple[Sequence[R], tuple[int, int]] | None = None

    # For subclasses

    key_of: Callable[[R], Hashable]
    """Returns the key that identifies a row when rows change."""
    lines_of: Callable[[R, int, RowState], Sequence[Line]]
    """Returns a row's lines as segments of cleaned text, for a width in cells to which longer lines are cropped."""

    def estimate(self, row: R, width: int) -> int:
        """Estimate how many lines a row takes. Must be quick: called for every row if `row_height` is None."""
        return 1

    def may_mark(self, row: R) -> bool:
        return True

    def style_of(self, component: str) -> Style:
        """The style of a component class, with a background only if the class sets one."""
        if (style := self._segment_styles.get(component)) is None:
            style = self.get_component_rich_style(component)
            if not self.get_component_styles(component).has_rule("background"):
                style = without_background(style)
            self._segment_styles[component] = style
        return style

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
    def at_top(self) -> bool:
        return self.viewport.top == (0, 0)

    @property
    def shown_range(self) -> tuple[int, int] | None:
        """(first, last) index of the rows on screen, inclusive; None if no row is on screen."""
        return (self._shown[0][0], self._shown[-1][0]) if self._shown else None

    @property
    def rows_that_fit(self) -> int:
        """How many rows fit on screen, or lines if `row_height` is None; 0 before the first layout."""
        return self._laid_out.height // (self.row_height or 1)

    def index_of(self, key: Hashable, near: int = 0) -> int | None:
        """Index of the row with this key, or None; fastest if the row is near the index `near`."""
        return self._places.find(key, near)

    def show_rows(self, rows: Sequence[R], *, reset: bool = False, follow: bool = False) -> None:
        """Replace all rows, which must never change afterwards. The cursor stays on its key (else near its index) and
        on its line of the screen; if it is off screen, the top row stays. With `follow`, a list at its top stays there
        while the cursor's row remains on screen. `reset` moves the cursor to the first row."""
        if not reset and rows == self._rows:
            return
        if bool(rows) != bool(self._rows):
            self.call_later(self.refresh_bindings)
        if len(rows) != len(self._rows) and self.styles.is_auto_height:
            self.call_later(self.refresh, layout=True)
        places, around = self._places, self._laid_out.height
        held, line, at = self.scroll_anchor()
        to_top = reset or (follow and self.at_top)
        self._take(rows)
        self.viewport.heights = self._new_heights()
        self._put_cursor(0 if reset else self._places.index_now(self._cursor, places, around))
        if to_top:
            self.viewport.place(0, 0)
        if not to_top or (not reset and not self.viewport.shows(self._cursor)):
            self.viewport.hold(self._places.index_now(held, places, around), line, at)
        self.repaint_changes()

    def redraw(self) -> None:
        """Draw all rows again, after a change that may affect every row and its height."""
        self._renderer.clear()
        self._lay_out()
        self.refresh()

    def _take(self, rows: Sequence[R]) -> None:
        self._rows, self._places = rows, RowPlaces(rows, self.key_of)
        self._locate_selection()

    def scroll_anchor(self) -> tuple[int, int, int]:
        """(row, line of the row, line of the screen) that stays: of the cursor's row if visible, else the top row."""
        for at, (index, line) in enumerate(self._shown):
            if index == self._cursor:
                return index, line, at
        return *self.viewport.top, 0

    # The cursor

    def move_to(self, key: Hashable, *, following: int = 0, scroll: bool = True) -> None:
        """Move the cursor to the row with this key, if any, and scroll to it, with `following` more rows below if they
        fit. Without `scroll` only the cursor moves: scrolling before the first layout puts the row at the top."""
        if (index := self.index_of(key, near=self._cursor)) is not None:
            self._put_cursor(index)
            if scroll:
                self.viewport.reveal(min(index + following, len(self._rows) - 1))
                self.viewport.reveal(index)
            self.repaint_changes()

    def move_by(self, rows: int) -> None:
        """Move the cursor by rows; a row taller than the screen is scrolled line by line."""
        if self._rows:
            self._put_cursor(self.viewport.walk(self._cursor, rows))
            self.repaint_changes()

    def action_first(self) -> None:
        self._go_to_end(0)

    def action_last(self) -> None:
        self._go_to_end(len(self._rows))

    def action_page(self, pages: float) -> None:
        if self._rows:
            self._put_cursor(self.viewport.page(self._cursor, pages))
            self.repaint_changes()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave enter to the screen if the list is empty, because the screen may show why the list is empty."""
        return self.opens and bool(self._rows) if action == "open" else is_offered(self, action, parameters)

    action_do = do_action

    async def _on_key(self, event: events.Key) -> None:
        if self._keys is not None:
            await self._keys(self, event)
        elif not await handled_elsewhere(self, event):
            await do_binding(self, event)

    def action_open(self) -> None:
        if self._cursor_key is None:
            return
        if self._opened is not None:
            self._opened(self._cursor_key)
        else:
            self.post_message(self.Opened(self, self._cursor_key))

    def cursor_moved(self) -> None:
        self.post_message(self.Moved(self, self._cursor_key))

    def _go_to_end(self, index: int) -> None:
        self._put_cursor(index)
        self.viewport.place(index, 0)
        self.repaint_changes()

    def _put_cursor(self, index: int) -> None:
        self._cursor = min(max(index, 0), len(self._rows) - 1)
        self._cursor_key = self.key_of(self._rows[self._cursor]) if self._cursor >= 0 else None

    # Marks

    @property
    def marks(self) -> frozenset[Hashable]:
        """Keys of marked rows, including rows that are not in the list now."""
        return self._marks.keys

    @marks.setter
    def marks(self, keys: Iterable[Hashable]) -> None:
        self._marks.keys = frozenset(keys)
        self.repaint_changes()

    def toggle_mark(self, key: Hashable) -> None:
        self._marks.last = key
        self._marks.keys ^= {key}
        self.repaint_changes()
        self.post_message(self.Marked(self, self.marks))

    def action_mark_range(self) -> None:
        """Mark at most `range_limit` rows from the last toggled row to the cursor, or unmark them if all are marked."""
        if self._cursor < 0:
            return

        def key_at(index: int) -> Hashable | None:
            row = self._rows[index]
            return self.key_of(row) if self.may_mark(row) else None

        find = partial(self.index_of, near=self._cursor)
        left_out = self._marks.toggle_range(self._cursor, find, key_at, self.range_limit)
        if left_out is not None:
            self.repaint_changes()
            self.post_message(self.Marked(self, self.marks, left_out))

    def action_toggle_mark(self) -> None:
        if self._cursor >= 0 and self.may_mark(self._rows[self._cursor]):
            self.toggle_mark(self.key_of(self._rows[self._cursor]))

    # The mouse

    async def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked row; a double click opens the row, ctrl or shift marks rows (with `marking`).
        The click that ends a selection of several rows is ignored."""
        position = self._position_at(event)
        if position is None or event.button != 1 or self._selection.spans_rows:
            return
        if event.chain == 2 and position[0] == self._cursor and not (event.ctrl or event.shift):
            self.action_open()
            return
        self._put_cursor(position[0])
        self.repaint_changes()
        if self.marking and event.ctrl:
            self.action_toggle_mark()
        elif self.marking and event.shift:
            self.action_mark_range()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Prepare a selection, which begins when the pointer moves."""
        self.release_mouse()
        position, spot = self._position_at(event), None
        allowed = self.ALLOW_SELECT and self.screen.allow_select and self.app.ALLOW_SELECT
        if position is not None and event.button == 1 and not (event.shift or event.ctrl) and allowed:
            spot = self._spot(position, event.get_content_offset_capture(self).x)
            # The pointer may leave the list before the first move is reported.
            self.capture_mouse()
        self._selection.pressed, self._selection.spans_rows = spot, False

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select up to the pointer; scroll if the pointer is above or below the list."""
        pressed = self._selection.pressed
        if pressed is None:
            return
        start = self.index_of(pressed.key, near=self.viewport.top[0])
        if event.button != 1 or start is None or not self._shown:
            # The terminal did not report the button's release, or the row is gone.
            self.on_mouse_up()
        else:
            self._drag(start, event.get_content_offset_capture(self))

    def on_mouse_up(self) -> None:
        self._selection.pressed = None
        self.release_mouse()

    on_unmount = on_mouse_up

    def on_hide(self) -> None:
        self.on_mouse_up()
        self.on_show()

    def _position_at(self, event: events.MouseEvent) -> Position | None:
        offset = event.get_content_offset(self)
        return self._shown[offset.y] if offset is not None and offset.y < len(self._shown) else None

    # Selected text

    @property
    def allow_select(self) -> bool:
        return False

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """(selected text, line end): the text as drawn, without trailing spaces. None if no text is selected."""
        return ("\n".join(self._selected_lines()), "\n") if self._selection.bounds is not None else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Follow the screen's selection; "select all" selects only the lines on screen."""
        current = self.text_selection
        if current is None:
            self._select(None)
        elif current == SELECT_ALL and self._shown:
            self._select((self._spot(self._shown[0], 0), self._spot(self._shown[-1], self._laid_out.width - 1)))

    def _spot(self, position: Position, cell: int) -> Spot:
        index, line = position
        strip = self._strips_of(index)[line]
        start, end = character_at(strip, min(max(cell, 0), strip.cell_length - 1))
        return Spot(self.key_of(self._rows[index]), line, start, end)

    def _drag(self, start: int, pointer: Offset) -> None:
        if beyond := min(pointer.y, 0) or max(pointer.y - self._laid_out.height + 1, 0):
            self.viewport.scroll(beyond)
        shown = self.viewport.lines()
        y = min(max(pointer.y, 0), len(shown) - 1)
        cell = pointer.x if y == pointer.y else self._laid_out.width if pointer.y > y else 0
        index, line = shown[y]
        furthest = self.range_limit - 1
        if index > start + furthest:
            index, cell = start + furthest, self._laid_out.width
            line = self.viewport.measured_height(index) - 1
        elif index < start - furthest:
            index, line, cell = start - furthest, 0, 0
        if not self._selection.extend(self._spot((index, line), cell)):
            return
        self._locate_selection()
        self.repaint_changes()
        if (bounds := self._selection.bounds) is not None:
            offsets = [Offset(cell, self.viewport.heights.top_of(index) + line) for index, line, cell in bounds]
            self.screen.selections = {self: Selection(*offsets)}

    def _select(self, ends: tuple[Spot, Spot] | None) -> None:
        self._selection.ends = ends
        self._locate_selection()
        self.repaint_changes()

    def _locate_selection(self) -> None:
        if not self._selection.locate(partial(self.index_of, near=self.viewport.top[0])):
            self.screen.clear_selection()

    def _selected_lines(self) -> Iterator[str]:
        if self._selection.bounds is None:
            return
        (first, *_), (last, *_) = self._selection.bounds
        for index in range(first, last + 1):
            for line, strip in enumerate(self._strips_of(index)):
                if (cells := self._selection.cells(index, line, self._laid_out.width)) is not None:
                    yield strip.crop(*cells).text.rstrip()

    # Drawing rows

    def notify_style_update(self) -> None:
        self._renderer.clear_styles()
        self._segment_styles.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        if self._area != self._laid_out:
            self._lay_out()

    def render_lines(self, crop: Region) -> list[Strip]:
        # The size changes before the first paint; the Resize event comes after it.
        if self._area != self._laid_out:
            self._lay_out()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._shown):
            return Strip.blank(self._laid_out.width, self.rich_style)
        index, line = self._shown[y]
        strip = self._strips_of(index)[line]
        cells = self._selection.cells(index, line, self._laid_out.width)
        return strip if cells is None else overlaid(strip, *cells, self.selection_style)

    @property
    def _area(self) -> Size:
        """Size in cells without the scroll bar."""
        return self.scrollable_content_region.size

    def _measure(self, index: int) -> int:
        return len(self._strips_of(index)) if self._laid_out else 1

    def _strips_of(self, index: int) -> list[Strip]:
        row = self._rows[index]
        return self._renderer.strips(row, self._state_of(index, row))

    def _state_of(self, index: int, row: R) -> RowState:
        cursor, marks = index == self._cursor, self._marks.keys
        return RowState(cursor, cursor and self.has_focus, bool(marks) and self.key_of(row) in marks)

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
        """Adapt to the new size. The top row stays in place; a visible cursor stays visible, unless `keeps_top`."""
        area = self._area
        if self._selection.ends is not None and area.width != self._laid_out.width:
            # At another width the cells contain different text.
            self._selection.ends = self._selection.bounds = None
            self.screen.clear_selection()
        if not area:
            return
        view = self.viewport
        seen = not self._laid_out or any(index == self._cursor for index, _ in self._shown)
        index, line = view.top
        height = view.heights.height(index) if view.heights.count else 1
        if area.width != self._laid_out.width:
            self._renderer.clear()
        self._laid_out = area
        self._renderer.width = area.width
        view.heights = self._new_heights()
        view.height = area.height
        view.place(index, line * view.measured_height(index) // height if line else 0)
        if seen and not self.keeps_top and self._cursor >= 0 and not view.shows(self._cursor):
            view.reveal(self._cursor)
        self.repaint_changes(painted=True)

    def repaint_changes(self, *, painted: bool = False) -> None:
        """After a change, update the scroll bar, repaint changed lines, and report the cursor and the rows on screen.
        With `painted`, no line is repainted, because all lines are painted anyway."""
        rows, width, selected = self._rows, self._laid_out.width, self._selection.cells
        self._shown = self.viewport.lines() if self._laid_out else []
        self._sync_scroll_bar()
        before = self._drawn
        self._drawn = [
            (rows[index], line, self._state_of(index, rows[index]), selected(index, line, width))
            for index, line in self._shown
        ]
        lines = range(0 if painted else max(len(before), len(self._drawn)))
        if changed := [y for y in lines if before[y : y + 1] != self._drawn[y : y + 1]]:
            self.refresh(*(Region(0, y, width, 1) for y in changed))
        self.report_position()

    def on_show(self) -> None:
        """Show the cursor's place in the frame around the list; no place if the list is hidden or empty."""
        if self.numbered and isinstance(self.parent, Pane):
            is_shown = self._rows and self.display
            self.parent.show_place(self, f"{self._cursor + 1:,} of {len(self._rows):,}" if is_shown else "")

    def report_position(self) -> None:
        self.on_show()
        if self._reported_cursor != self._cursor_key:
            self._reported_cursor = self._cursor_key
            self.cursor_moved()
        shown = self.shown_range
        if shown is None:
            return
        reported = self._reported_view
        if reported is None or reported[0] is not self._rows or reported[1] != shown:
            self._reported_view = self._rows, shown
            self.post_message(self.InView(self, *shown))
        count = len(self._rows)
        if count - shown[1] <= self._laid_out.height + _PREFETCHED:
            end = (count, self.key_of(self._rows[count - 1]))
            if end != self._reported_end:
                self._reported_end = end
                self.post_message(self.NearEnd(self))

    # The scroll bar

    def _sync_scroll_bar(self) -> None:
        """Set scroll position and virtual size without their watchers, which would lay out and repaint everything."""
        y, size = self.viewport.y, Size(self._laid_out.width, self.viewport.heights.total)
        self.set_reactive(Widget.virtual_size, size)
        self.set_reactive(Widget.scroll_y, float(y))
        self.set_reactive(Widget.scroll_target_y, float(y))
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
            self.vertical_scrollbar.position = y

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scroll by wheel or scroll bar: short distances by measured lines, long ones by estimates."""
        # Before a new layout, Textual clamps the position to the old size; the user has not scrolled then.
        if not self._laid_out or self._area != self._laid_out:
            return
        y = round(new_value)
        lines = y - self.viewport.y
        if abs(lines) <= 3 * self.viewport.height:
            self.viewport.scroll(lines)
        else:
            self.viewport.jump(y)
        self.repaint_changes()
