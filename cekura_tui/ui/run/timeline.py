"""The timeline strip: who speaks when, with a cursor."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cekura_tui.model.run.verdict import State
from cekura_tui.model.transcript.timeline import (
    Lane,
    Silence,
    TimedTurn,
    Timeline,
    clock,
    key_figures,
    needs_hours,
    timeline_of,
)
from cekura_tui.ui.kit.lines import VERDICT_MARKS
from cekura_tui.ui.terminal.cells import fit

SPEECH, POINT, OVERLAP, SILENCE, CALL, RESULT, AT_WORK, CURSOR = "━", "▸", "▓", "·", "●", "○", "─", "│"
_WORST: tuple[State, ...] = ("pass", "review", "fail")


class Cell(NamedTuple):
    char: str
    ink: str


BLANK = Cell(" ", "")
_MARKS = {state: Cell(VERDICT_MARKS[state], state) for state in _WORST}
_SIGNS = {OVERLAP, CALL, RESULT, *(VERDICT_MARKS[state] for state in _WORST)}


class Scale(NamedTuple):
    """Maps seconds of a call to `width` columns; `rate` is columns per second."""

    width: int
    rate: float

    @classmethod
    def of(cls, length: float, width: int) -> Scale:
        return cls(width, width / length if length > 1e-6 else 0.0)

    def column(self, seconds: float) -> int:
        column = int(seconds * self.rate)
        return column if column < self.width else self.width - 1

    def after(self, seconds: float) -> int:
        """The first column that starts at or after this time; `width` if no column does."""
        return min(math.ceil(seconds * self.rate), self.width)

    def columns(self, start: float, end: float | None) -> tuple[int, int]:
        """The first column of a time span, and the column after its last one; a span has at least one column."""
        first = self.column(start)
        return first, first + 1 if end is None else max(self.after(end), first + 1)


def lanes(timeline: Timeline, marks: Mapping[int, State], width: int) -> list[list[Cell]]:
    scale = Scale.of(timeline.length, width)
    drawn = [_speech(lane, scale) for lane in timeline.lanes]
    home = {span.n: cells for lane, cells in zip(timeline.lanes, drawn, strict=True) for span in lane.spans}
    at_once = Cell(OVERLAP, "overlap")
    for overlap in timeline.overlaps:
        first, last = scale.columns(overlap.start, overlap.end)
        for cells in (home[overlap.turn], home[overlap.into]):
            cells[first:last] = [at_once] * (last - first)
    # Longest first: if not all lengths fit, the longest are shown.
    for gap in sorted(timeline.gaps, key=lambda gap: -gap.seconds):
        _silence(home[gap.turn], gap, scale)
    marked = (span for lane in timeline.lanes for span in lane.spans if marks.get(span.n) in _MARKS)
    for span in sorted(marked, key=lambda span: _WORST.index(marks[span.n])):
        home[span.n][scale.column(span.start)] = _MARKS[marks[span.n]]
    return drawn


def under_cursor(cell: Cell) -> str:
    """The character to draw under the cursor: the cell's own sign, else a vertical line."""
    return cell.char if cell.char in _SIGNS else CURSOR


def axis(timeline: Timeline, width: int) -> str:
    """The times below the lanes, in `width` cells, ending with the call's length."""
    hours = needs_hours(timeline.length)
    end = clock(timeline.length, hours=hours)
    scale = Scale.of(timeline.length, width)
    step = next((step for step in _STEPS if step * scale.rate >= 3 * len(end)), _STEPS[-1])
    text = ""
    for n in range(int(timeline.length / step) + 1):
        column = scale.column(n * step)
        if column + 2 * len(end) + 3 > width:
            break
        text = text.ljust(column) + clock(n * step, hours=hours)
    return fit(text, width - len(end)) + end if width > len(end) else fit(end, width)


def figures(timeline: Timeline, marks: Mapping[int, State], room: int) -> list[str]:
    """Key figures of a call in `room` cells: if they do not fit, shorter wordings, then fewer figures."""
    wordings = key_figures(timeline, {n for n, state in marks.items() if state in _MARKS})
    shortest = wordings[-1]
    fewer = (shortest[:n] for n in range(len(shortest) - 1, 0, -1))
    fits = (parts for parts in (*wordings, *fewer) if sum(len(part) + 3 for part in parts) <= room)
    return next(fits, shortest[:1])


def _speech(lane: Lane, scale: Scale) -> list[Cell]:
    cells = [BLANK] * scale.width
    tools = lane.name == "tools"
    lasting, point = Cell(AT_WORK if tools else SPEECH, lane.name), Cell(POINT, lane.name)
    call, result = Cell(CALL, lane.name), Cell(RESULT, lane.name)
    whole = call if tools else lasting
    rate, most, filled = scale.rate, scale.width - 1, 0
    for span in lane.spans:
        # In a long call most turns fall into cells that are already drawn.
        if span.end is not None and span.end * rate <= filled and cells[min(int(span.start * rate), most)] is whole:
            continue
        first, last = scale.columns(span.start, span.end)
        if span.end is not None:
            cells[first:last] = (
                [was if was.char in (CALL, RESULT) else lasting for was in cells[first:last]]
                if tools
                else [lasting] * (last - first)
            )
            filled = last
        elif cells[first] == BLANK:
            cells[first] = point
        if tools and cells[first].char != CALL:
            cells[first] = call if span.speaker == "tool_call" else result
    return cells


def _silence(cells: list[Cell], gap: Silence, scale: Scale) -> None:
    """Draw a silence as dots and its length in seconds, up to the next turn. A wider length starts earlier."""
    stop = scale.column(gap.end)
    if stop == 0 or cells[stop - 1] != BLANK:
        return
    own = stop - scale.after(gap.start)
    figures = (f"{gap.seconds:.1f}s", f"{gap.seconds:.0f}s")
    free = stop
    while free > 0 and stop - free < max(own, len(figures[0])) and cells[free - 1] == BLANK:
        free -= 1
    figure = next((figure for figure in figures if len(figure) <= stop - free), "")
    dots = max(min(own, stop - free), len(figure))
    in_the_middle = own >= len(figure) + 2 and dots == own
    text = figure.center(dots, SILENCE) if in_the_middle else figure.rjust(dots, SILENCE)
    cells[stop - dots : stop] = [Cell(char, "gap") for char in text]


_STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
"""Possible seconds between two times on the axis; the smallest step for which the times have room is used."""
_LABEL = 7
_SHORTEST_FIGURE = 22
_INKS = {
    "caller": "color: $caller;",
    "agent": "color: $agent;",
    "tools": "color: $muted;",
    "other": "color: $info;",
    "sound": "color: $info;",
    "gap": "color: $warning;",
    "overlap": "color: $error;",
    "fail": "color: $error; text-style: bold;",
    "review": "color: $warning; text-style: bold;",
    "pass": "color: $success; text-style: bold;",
    "label": "color: $muted;",
    "cursor": "color: $background; background: $accent; text-style: bold;",
}


class TimelineStrip(Widget, can_focus=False):
    """Shows one lane per speaker and, in a tall terminal, a time axis; only a sentence if no turn has a time."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"timeline--{ink}" for ink in _INKS}
    DEFAULT_CSS = "TimelineStrip { height: auto; width: 1fr; }" + "".join(
        f"TimelineStrip > .timeline--{ink} {{ {style} }}" for ink, style in _INKS.items()
    )

    @dataclass
    class TurnClicked(Message):
        n: int

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.timeline = timeline_of(())
        self.marks: dict[int, State] = {}
        self._cursor: float | None = None
        self._playhead: float | None = None
        """The second of the call that is marked instead of the cursor's turn, while a recording plays."""
        self._spans: list[TimedTurn] = []
        """Turns that have a time, sorted by start."""
        self._places: Mapping[float | None, int] = {}
        """Index in `_spans` by turn number."""
        self._width = -1
        self._columns: list[int] = []
        self._cells: list[list[Cell]] = []

    def show(self, timeline: Timeline, marks: Mapping[int, State]) -> None:
        if timeline == self.timeline:
            self.mark(marks)
            return
        height = self._height_of(self.timeline)
        self.timeline, self.marks = timeline, dict(marks)
        self._spans = sorted(
            (span for lane in timeline.lanes for span in lane.spans), key=lambda span: (span.start, span.n)
        )
        # By sound, a turn may have several parts; the first is its place.
        self._places = {span.n: place for place, span in reversed([*enumerate(self._spans)])}
        self._width = -1
        self.refresh(layout=self._height_of(timeline) != height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._height_of(self.timeline)

    def _height_of(self, timeline: Timeline) -> int:
        return len(timeline.lanes) + (not self.screen.has_class("-short")) if timeline.has_times else 1

    def figures(self, room: int, *, answers: bool = True) -> list[str]:
        timeline = self.timeline if answers else replace(self.timeline, answers=(), overlaps=())
        return figures(timeline, self.marks, room) if answers or room > _SHORTEST_FIGURE else []

    def mark(self, marks: Mapping[int, State]) -> None:
        if marks != self.marks:
            self.marks, self._width = dict(marks), -1
            self.refresh()

    def move_cursor(self, n: float | None) -> None:
        if self.size.width != self._width:
            self._cursor = n  # the strip is about to be redrawn anyway
            return
        before = self._cursor_column()
        self._cursor = n
        self._repaint_cursor(before)

    def move_playhead(self, seconds: float | None) -> None:
        """Mark a second of the call instead of the cursor's turn; None marks the turn again."""
        before = self._cursor_column()
        self._playhead = seconds
        self._repaint_cursor(before)

    def _repaint_cursor(self, before: int | None) -> None:
        after = self._cursor_column()
        if before != after and self.timeline.has_times:
            height = len(self.timeline.lanes)
            self.refresh(*(Region(column, 0, 1, height) for column in (before, after) if column is not None))

    def start_of(self, n: Hashable) -> float:
        """The second at which a turn begins, for a turn without a time the last turn before it; 0 without any."""
        before = [span for span in self._spans if isinstance(n, int | float) and span.n <= n]
        return max(before, key=lambda span: (span.n, -span.start)).start if before else 0.0

    def turn_before(self, seconds: float) -> int | None:
        """The turn that began last at this second."""
        place = bisect_right(self._spans, seconds, key=lambda span: span.start)
        return self._spans[place - 1].n if place else None

    def turn_at(self, column: int) -> int | None:
        """The number of the turn that starts in a column, else covers it, else is nearest; None outside the lanes."""
        self._lay_out()
        place = column - _LABEL
        if not self._spans or not 0 <= place < self._lanes_width:
            return None
        first = bisect_left(self._columns, place)
        if first < len(self._spans) and self._columns[first] == place:
            return self._spans[first].n
        scale = self._scale

        def distance(n: int) -> tuple[int, int]:
            start, after = scale.columns(self._spans[n].start, self._spans[n].end)
            return max(start - place, place - after + 1, 0), -n

        return self._spans[min(range(min(first + 1, len(self._spans))), key=distance)].n

    def step(self, columns: int) -> int | None:
        """The turn about `columns` columns after the cursor's turn (before if negative), by number; None at an end."""
        self._lay_out()
        last = len(self._spans) - 1
        if last < 0 or not columns:
            return None
        here = self._places.get(self._cursor)
        if here is None:  # the cursor's turn has no time
            passed = [span.n for span in self._spans if (span.n > (self._cursor or 0)) == (columns > 0)]
            return min(passed, default=None) if columns > 0 else max(passed, default=None)
        at = self._columns[here]
        if here == (last if columns > 0 else 0):
            return None
        if columns > 0:
            beyond = bisect_right(self._columns, at)
            reached = bisect_right(self._columns, at + columns) - 1
            place = last if beyond > last else self._first_of_column(max(reached, beyond))
        else:
            reached = bisect_left(self._columns, at + columns)
            place = self._first_of_column(max(min(reached, bisect_left(self._columns, at) - 1), 0))
        return self._spans[place].n

    def _first_of_column(self, place: int) -> int:
        return bisect_left(self._columns, self._columns[place])

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if event.button == 1 and at is not None and (n := self.turn_at(at.x)) is not None:
            self.post_message(self.TurnClicked(n))

    def render_line(self, y: int) -> Strip:
        self._lay_out()
        cells = [*self._cells[y]] if y < len(self._cells) else []
        column = self._cursor_column() if self.timeline.has_times and y < len(self.timeline.lanes) else None
        if column is not None:
            cells[column] = Cell(under_cursor(cells[column]), "cursor")
        style_of, plain = self.get_component_rich_style, self.rich_style
        styles = {ink: style_of(f"timeline--{ink}") if ink else plain for ink in {cell.ink for cell in cells}}
        inks = groupby(cells, key=lambda cell: cell.ink)
        segments = [Segment("".join(cell.char for cell in run), styles[ink]) for ink, run in inks]
        return Strip(segments, len(cells)).adjust_cell_length(self._width, plain)

    @property
    def _lanes_width(self) -> int:
        return max(self._width - _LABEL, 1)

    @property
    def _scale(self) -> Scale:
        return Scale.of(self.timeline.length, self._lanes_width)

    def _cursor_column(self) -> int | None:
        self._lay_out()
        if self._playhead is not None:
            return self._scale.column(self._playhead) + _LABEL
        place = self._places.get(self._cursor)
        return None if place is None else self._columns[place] + _LABEL

    def _lay_out(self) -> None:
        if self.size.width != self._width:
            self._width = self.size.width
            scale = self._scale
            self._columns = [scale.column(span.start) for span in self._spans]
            text, self._cells = self.timeline.note, []
            if self.timeline.has_times:
                drawn = lanes(self.timeline, self.marks, self._lanes_width)
                for lane, cells in zip(self.timeline.lanes, drawn, strict=True):
                    self._cells.append([Cell(char, lane.name) for char in fit(lane.name, _LABEL)] + cells)
                text = " " * _LABEL + axis(self.timeline, self._lanes_width)
            self._cells.append([Cell(char, "label") for char in fit(text, max(self._width, 1))])
