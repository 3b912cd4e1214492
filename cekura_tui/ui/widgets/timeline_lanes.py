"""A timeline as cells: one character of one cell and its ink for every column of every lane, and the words below."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cekura_tui.model.text import count
from cekura_tui.model.timeline import Gap, Lane, Timeline, clock
from cekura_tui.model.verdict import State
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.signs import VERDICT_MARKS

_AN_HOUR = 3_600
_MOMENT = 1e-6
SPEECH, POINT, OVERLAP, SILENCE, CALL, RESULT, AT_WORK, CURSOR = "━", "▸", "▓", "·", "●", "○", "─", "│"
_WORST: tuple[State, ...] = ("pass", "review", "fail")


class Cell(NamedTuple):
    """A character one cell wide, and the name of its ink."""

    char: str
    ink: str


BLANK = Cell(" ", "")
_MARKS = {state: Cell(VERDICT_MARKS[state], state) for state in _WORST}
_SIGNS = {OVERLAP, CALL, RESULT, *(VERDICT_MARKS[state] for state in _WORST)}


class Scale(NamedTuple):
    """Seconds of a call on `width` columns of so many to the second."""

    width: int
    rate: float

    @classmethod
    def of(cls, length: float, width: int) -> Scale:
        """A call of so many seconds on so many columns."""
        return cls(width, width / length if length > _MOMENT else 0.0)

    def column(self, seconds: float) -> int:
        """The column a moment lies in."""
        column = int(seconds * self.rate)
        return column if column < self.width else self.width - 1

    def after(self, seconds: float) -> int:
        """The first column that lies wholly after a moment."""
        return min(math.ceil(seconds * self.rate), self.width)

    def columns(self, start: float, end: float | None) -> tuple[int, int]:
        """From which column to before which one something lasts; one at least."""
        first = self.column(start)
        return first, first + 1 if end is None else max(self.after(end), first + 1)


def lanes(timeline: Timeline, marks: Mapping[int, State], width: int) -> list[list[Cell]]:
    """The cells of every lane, `width` columns each."""
    scale = Scale.of(timeline.length, width)
    drawn = [_speech(lane, scale) for lane in timeline.lanes]
    home = {span.n: cells for lane, cells in zip(timeline.lanes, drawn, strict=True) for span in lane.spans}
    at_once = Cell(OVERLAP, "overlap")
    for overlap in timeline.overlaps:
        first, last = scale.columns(overlap.start, overlap.end)
        for cells in (home[overlap.turn], home[overlap.into]):
            cells[first:last] = [at_once] * (last - first)
    # The longest first: where there is no room for all, these have their length told.
    for gap in sorted(timeline.gaps, key=lambda gap: -gap.seconds):
        _silence(home[gap.turn], gap, scale)
    marked = (span for lane in timeline.lanes for span in lane.spans if marks.get(span.n) in _MARKS)
    for span in sorted(marked, key=lambda span: _WORST.index(marks[span.n])):
        home[span.n][scale.column(span.start)] = _MARKS[marks[span.n]]
    return drawn


def under_cursor(cell: Cell) -> tuple[str, bool]:
    """What the cursor's column shows of a cell, and whether that is the cell's own sign."""
    return (cell.char, True) if cell.char in _SIGNS else (CURSOR, False)


def ruler(timeline: Timeline, marks: Mapping[int, State], width: int) -> str:
    """The line below the lanes: begin, the figures that matter, end; in `width` cells."""
    hours = timeline.length >= _AN_HOUR
    begin, end = clock(0, hours=hours), clock(timeline.length, hours=hours)
    room = width - len(begin) - len(end) - 4
    if room < 0:
        return fit(end, width, right=True)
    return f"{begin}  {fit(_words(timeline, marks, hours, room), room)}  {end}"


def _speech(lane: Lane, scale: Scale) -> list[Cell]:
    cells = [BLANK] * scale.width
    tools = lane.name == "tools"
    lasting, point = Cell(AT_WORK if tools else SPEECH, lane.name), Cell(POINT, lane.name)
    call, result = Cell(CALL, lane.name), Cell(RESULT, lane.name)
    whole = call if tools else lasting
    rate, most, filled = scale.rate, scale.width - 1, 0
    for span in lane.spans:
        # Of a long call most turns are in cells that are drawn already.
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


def _silence(cells: list[Cell], gap: Gap, scale: Scale) -> None:
    """Dots up to the turn that ends it, and how long it was, in the lane of who ended it; the figure may begin before
    the silence does where the lane is free there."""
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


def _words(timeline: Timeline, marks: Mapping[int, State], hours: bool, room: int) -> str:
    """As much as there is room for: first in fewer words, then less."""
    tellings = [[part for part in parts if part] for parts in _tellings(timeline, marks, hours)]
    for parts in tellings:
        if len(text := _joined(parts)) <= room:
            return text
    parts = tellings[-1]
    while len(parts) > 1 and len(_joined(parts)) > room:
        parts = parts[:-1]
    return _joined(parts)


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(parts)


def _tellings(timeline: Timeline, marks: Mapping[int, State], hours: bool) -> Iterable[list[str]]:
    """The same in three lengths."""
    longest = max(timeline.gaps, key=lambda gap: gap.seconds, default=None)
    gaps, long = count(len(timeline.gaps), "gap"), _seconds(longest.seconds if longest else 0)
    middle, slow, worst = _seconds(timeline.median or 0), timeline.worst, ""
    if slow is not None:
        worst = f"worst {_seconds(slow.seconds)}"
    overlaps = count(len(timeline.overlaps), "overlap") if timeline.overlaps else ""
    lost = sum(marks.get(n) in _MARKS for n in timeline.untimed)
    unplaced = f"{count(lost, 'marked turn')} without a time" if lost else ""
    none = "no gap over 2 s" if timeline.ends_known else ""
    starts = "" if timeline.ends_known else "only starts are known"
    missing = f"{starts}: no gaps, overlaps or answers" if starts else _missing(timeline)
    yield [
        f"{gaps}, longest {long} at {clock(longest.start, hours=hours)}" if longest else none,
        f"answers: median {middle}, {worst} at {clock(slow.at, hours=hours)}" if slow else "",
        overlaps,
        timeline.note,
        unplaced,
    ]
    yield [
        f"{gaps}, longest {long}" if longest else none,
        f"answers: median {middle}, {worst}" if slow else "",
        overlaps,
        missing,
        unplaced,
    ]
    yield [
        f"{gaps} to {long}" if longest else none,
        f"answers {middle}, {worst}" if slow else "",
        overlaps,
        starts or missing,
    ]


def _missing(timeline: Timeline) -> str:
    return f"{len(timeline.untimed):,} untimed" if timeline.untimed else timeline.note


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s"
