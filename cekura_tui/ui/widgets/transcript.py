"""What was said in a run, turn by turn: time, speaker in words, text; with silences, overlaps and tool calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.text import capped
from cekura_tui.model.transcript import Turn
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.turn_timing import Timing, clock, timings
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.ui.widgets.wrap import breaks, wrap

_SPEAKER_CELLS = 8
_READABLE = 100
_LEAST = 10
_TOOL_LINES = 6
_TURN_LINES = 1_000
_AN_HOUR = 3_600
_QUIET = Timing()

_NAMES = {"testing": "caller", "main": "agent", "tool_call": "tool →", "tool_result": "tool ←"}
_INKS = {"testing": "caller", "main": "agent", "tool_call": "tool", "tool_result": "tool"}


class Transcript(VirtualList[Turn]):
    """The turns of one run, keyed by their number. Marked turns (`marks`) are those that a verdict speaks of."""

    row_height = None
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "transcript--time",
        "transcript--caller",
        "transcript--agent",
        "transcript--tool",
        "transcript--other",
        "transcript--note",
        "transcript--evidence",
    }
    DEFAULT_CSS = """
    Transcript {
        & > .virtual-list--cursor { background: $primary 25%; }
        & > .virtual-list--cursor-blurred { background: $foreground 8%; }
        & > .virtual-list--mark { color: $foreground; text-style: none; }
        & > .transcript--time { color: $text-muted; }
        & > .transcript--caller { color: $text-accent; }
        & > .transcript--agent { color: $text-primary; }
        & > .transcript--tool { color: $text-muted; }
        & > .transcript--other { color: $text-warning; }
        & > .transcript--note { color: $text-muted; text-style: italic; }
        & > .transcript--evidence { color: $warning; text-style: bold; }
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._timings: dict[int, Timing] = {}
        self._hours = False

    def _take(self, rows: Sequence[Turn]) -> None:
        known = timings(rows)
        hours = any((turn.start or 0) >= _AN_HOUR for turn in rows)
        if (known, hours) != (self._timings, self._hours):
            self._timings, self._hours = known, hours
            self._strips.clear()
            self.refresh()
        super()._take(rows)

    def key_of(self, row: Turn) -> int:
        return row.n

    def estimate(self, row: Turn, width: int) -> int:
        lines = 1 + len(row.text) // self._text_width(width) + (row.n in self._timings)
        return lines + row.text.count("\n") if row.tool is None else min(lines, _TOOL_LINES)

    def lines_of(self, row: Turn, width: int, state: RowState) -> list[Line]:
        """The notes and the text in their column; time and speaker stand beside the first line of the text."""
        timing = self._timings.get(row.n, _QUIET)
        room = self._text_width(width)
        gutter = Segment("▌" if state.marked else " ", self.ink("transcript--evidence"))
        indent = " " * (self._left() - 1)
        lines: list[Line] = []
        if timing.silence:
            note = Segment(f"— {timing.silence:.1f} s silence —", self.ink("transcript--note"))
            lines.append([gutter, Segment(indent), note])
        ink = self.ink(f"transcript--{_INKS.get(row.speaker, 'other')}")
        who = Segment(fit(_NAMES.get(row.speaker, row.role or "other"), _SPEAKER_CELLS) + "  ", ink)
        when = Segment(
            fit(clock(row.start, hours=self._hours), self._clock_cells()) + "  ", self.ink("transcript--time")
        )
        for n, said in enumerate(self._tool(row, room) if row.tool is not None else self._said(row, timing, room)):
            lines.append([gutter, when, who, *said] if n == 0 else [gutter, Segment(indent), *said])
        return lines

    def _said(self, turn: Turn, timing: Timing, room: int) -> list[Line]:
        note = f"(overlaps by {timing.overlap:.1f} s) " if timing.overlap else ""
        faint = self.ink("transcript--note")
        ink = self.ink("transcript--tool") if turn.speaker in ("tool_call", "tool_result") else None
        texts = turn.text.split("\n")
        pieces: list[Line] = []
        for n, text in enumerate(texts):
            if len(pieces) >= _TURN_LINES:
                pieces.append([Segment(f"… {len(texts) - n:,} lines more", faint)])
                break
            noted = len(note) if n == 0 else 0
            line = capped(note + text if noted else text)
            pieces.extend(_styled(line, start, end, noted, faint, ink) for start, end in breaks(line, room))
        return pieces

    def _tool(self, turn: Turn, room: int) -> list[Line]:
        """The name and the compact value of a call or its result, cut after a few lines."""
        tool = turn.tool or {}
        value = tool.get("arguments" if turn.speaker == "tool_call" else "result")
        shown = turn.text if value is None else value if isinstance(value, str) else _compact(value)
        name = str(tool.get("name") or "")
        if name and not shown.startswith(name):
            shown = f"{name} {shown}"
        lines = wrap(capped(shown, 100_000), room)
        if len(lines) > _TOOL_LINES:
            lines = [*lines[: _TOOL_LINES - 1], f"… {len(lines) - _TOOL_LINES + 1:,} lines more"]
        ink = self.ink("transcript--tool")
        return [[Segment(line, ink)] for line in lines]

    def _clock_cells(self) -> int:
        return 7 if self._hours else 5

    def _left(self) -> int:
        """Cells before the text: mark, time, speaker and the space between them."""
        return 1 + self._clock_cells() + 2 + _SPEAKER_CELLS + 2

    def _text_width(self, width: int) -> int:
        return max(min(width - self._left() - 1, _READABLE), _LEAST)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _styled(line: str, start: int, end: int, noted: int, faint: Style, ink: Style | None) -> Line:
    """A piece of a line, whose first `noted` characters are a note."""
    middle = min(max(noted, start), end)
    return [Segment(line[start:middle], faint), Segment(line[middle:end], ink)]
