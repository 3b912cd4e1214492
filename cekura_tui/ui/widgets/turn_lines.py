"""How a turn of a transcript is drawn: time, speaker and side, what was said, a call of a tool folded or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.text import capped, clean_line
from cekura_tui.model.timeline import Timing, clock
from cekura_tui.model.tool_call import ToolCalls, brief, ending_of, pretty, raw_text, tool_name
from cekura_tui.model.turn import NAMES, TOOLS, Turn
from cekura_tui.model.turn_marks import TurnMark
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import VERDICT_MARKS, VERDICT_TONES
from cekura_tui.ui.widgets.wrap import breaks

Span = tuple[int, int]
Inks = Callable[[str], Style]
"""The style of a component class."""

SPEAKER_CELLS = 8
SIDE = 4
"""Cells by which the agent's side is indented."""
READABLE = 100
LEAST = 10
MOST_LINES = 1_000
"""Lines of one turn that are drawn."""
_NAMED = 3
"""Verdicts that are named below a turn."""
_AN_HOUR = 3_600
_INKS = {"testing": "caller", "main": "agent", "tool_call": "tool", "tool_result": "tool"}


@dataclass(slots=True)
class Look:
    """What a transcript's look depends on besides its turns. Turns are known by their number."""

    timings: Mapping[int, Timing] = field(default_factory=dict)
    tools: ToolCalls = field(default_factory=lambda: ToolCalls(()))
    hours: bool = False
    marks: Mapping[int, Sequence[TurnMark]] = field(default_factory=dict)
    matches: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    current: tuple[int, int, int] | None = None
    """The match that one is at: turn, start, end."""
    unfolded: set[int] = field(default_factory=set)
    raw: set[int] = field(default_factory=set)

    @property
    def left(self) -> int:
        """Cells before the text: mark, time, speaker and the space between them."""
        return 1 + self.clock_cells + 2 + SPEAKER_CELLS + 2

    @property
    def clock_cells(self) -> int:
        """Cells of a time."""
        return 7 if self.hours else 5

    def room(self, turn: Turn, width: int) -> int:
        """Cells of a line of a turn's text."""
        return max(min(width - self.left - 1, READABLE) - side_of(turn), LEAST)


def are_long(turns: Iterable[Turn]) -> bool:
    """Whether the times of a call need hours."""
    return any((turn.start or 0) >= _AN_HOUR for turn in turns)


def side_of(turn: Turn) -> int:
    """Cells by which the text of a turn is indented: the caller speaks on the left, the agent and its tools do not."""
    return 0 if turn.speaker in ("testing", "other") else SIDE


def text_shown(turn: Turn) -> str:
    """The text of a turn that is drawn, and searched: what was said, or a tool's name and values as JSON."""
    return f"{tool_name(turn)}\n{pretty(turn)}" if is_tool(turn) else turn.text


def is_tool(turn: Turn) -> bool:
    """Whether a turn is folded to one line at first."""
    return turn.speaker in TOOLS and turn.tool is not None


def turn_lines(turn: Turn, look: Look, width: int, ink: Inks) -> list[Line]:
    """The lines of a turn, and the time and speaker beside the first line of its text."""
    room, marks = look.room(turn, width), look.marks.get(turn.n, ())
    state = marks[0].state if marks else None
    gutter = Segment(VERDICT_MARKS[state] if state else " ", ink(f"tone--{VERDICT_TONES[state]}") if state else None)
    indent = Segment(" " * (look.left - 1 + side_of(turn)))
    timing = look.timings.get(turn.n, Timing())
    lines: list[Line] = []
    if timing.silence:
        note = Segment(f"— {timing.silence:.1f} s silence —", ink("transcript--note"))
        lines.append([Segment(" "), Segment(" " * (look.left - 1)), note])
    name = fit(NAMES.get(turn.speaker, turn.role or "other"), SPEAKER_CELLS)
    who = Segment(f"{name}  {' ' * side_of(turn)}", ink(f"transcript--{_INKS.get(turn.speaker, 'other')}"))
    when = Segment(fit(clock(turn.start, hours=look.hours), look.clock_cells) + "  ", ink("transcript--time"))
    body = _tool(turn, look, room, ink) if is_tool(turn) else _said(turn, look, timing, room, ink)
    for n, said in enumerate(body):
        lines.append([gutter, when, who, *said] if n == 0 else [gutter, indent, *said])
    if turn.n in look.raw:
        lines += [[gutter, indent, *piece] for piece in _plain(raw_text(turn), room, ink("transcript--note"))]
    lines += [[gutter, indent, *piece] for piece in _named(marks, room, ink)]
    return lines


def line_of(turn: Turn, offset: int, look: Look, width: int) -> int:
    """On which line of its own a turn draws the character at `offset` of its shown text."""
    timing = look.timings.get(turn.n, Timing())
    above = 1 if timing.silence else 0
    note = "" if is_tool(turn) else _overlap(timing)
    room, place = look.room(turn, width), 0
    for n, text in enumerate(text_shown(turn).split("\n")):
        if is_tool(turn) and n == 0:
            above, place = above + 1, place + len(text) + 1
            continue
        noted = len(note) if n == 0 else 0
        pieces = breaks(capped(note + text if noted else text), room)
        if offset <= place + len(text):
            inside = offset - place + noted
            return above + max((k for k, (start, _) in enumerate(pieces) if start <= inside), default=0)
        above, place = above + len(pieces), place + len(text) + 1
    return max(above - 1, 0)


def _said(turn: Turn, look: Look, timing: Timing, room: int, ink: Inks) -> list[Line]:
    """What was said; where that is nothing, that."""
    faint = ink("transcript--note")
    if not turn.text.strip():
        return [[Segment("(no words)", faint)]]
    base = ink("transcript--tool") if turn.speaker in TOOLS else None
    return _wrapped(turn.text, room, base, _spans(turn, look, ink), faint, _overlap(timing))


def _overlap(timing: Timing) -> str:
    return f"(overlaps by {timing.overlap:.1f} s) " if timing.overlap else ""


def _tool(turn: Turn, look: Look, room: int, ink: Inks) -> list[Line]:
    """A call or a result: its name and how it ended, and what of its values fits on the line; unfolded all of them."""
    style, faint = ink("transcript--tool"), ink("transcript--note")
    unfolded = turn.n in look.unfolded
    name = tool_name(turn) or "tool"
    told, bad = _ended(turn, look)
    title: list[Segment] = [Segment("▾ " if unfolded else "▸ ", style), Segment(f"{clean_line(name, 60)}  ", style)]
    if told:
        title.append(Segment(f"{told}  ", ink("tone--bad") if bad else faint))
    if unfolded:
        text = text_shown(turn)
        first = text.index("\n") + 1
        spans = [(start - first, end - first, how) for start, end, how in _spans(turn, look, ink) if start >= first]
        return [title, *_wrapped(text[first:], room, style, spans, faint)]
    hidden = len(look.matches.get(turn.n, ()))
    if hidden:
        title.append(Segment(f"{hidden} found inside  ", ink("transcript--match")))
    left = room - sum(cell_len(part.text) for part in title)
    title.append(Segment(fit(clean_line(brief(turn), max(left, 1) + 1), max(left, 0)), faint))
    return [title]


def _ended(turn: Turn, look: Look) -> tuple[str, bool]:
    """How a call ended in words, and whether that is bad."""
    if turn.speaker == "tool_result":
        return ("✗ error", True) if ending_of(turn) == "error" else ("", False)
    end = look.tools.end_of(turn)
    after = f" after {end.after:.1f} s" if end.after is not None else ""
    return ("✗ error" if end.ending == "error" else end.ending) + after, end.ending == "error"


def _named(marks: Sequence[TurnMark], room: int, ink: Inks) -> list[Line]:
    """The verdicts that speak of a turn, those that did not pass."""
    worth = [mark for mark in marks if mark.state in ("fail", "review")]
    lines: list[Line] = []
    for mark in worth[:_NAMED]:
        text = f"{VERDICT_MARKS[mark.state]} {clean_line(mark.name, 80)}: {clean_line(mark.why, 120)}, {mark.sure}"
        lines.append([Segment(fit(text, room).rstrip(), ink("transcript--evidence"))])
    if len(worth) > _NAMED:
        lines.append([Segment(f"… and {len(worth) - _NAMED} more verdicts", ink("transcript--evidence"))])
    return lines


def _spans(turn: Turn, look: Look, ink: Inks) -> list[tuple[int, int, Style]]:
    """What of a turn's text is drawn otherwise: quoted words, then what was searched, which covers them."""
    spans: list[tuple[int, int, Style]] = []
    if not is_tool(turn):
        quoted = ink("transcript--quoted")
        spans += [(*span, quoted) for mark in look.marks.get(turn.n, ()) for span in mark.spans]
    found, here = ink("transcript--match"), ink("transcript--match-here")
    for start, end in look.matches.get(turn.n, ()):
        spans.append((start, end, here if look.current == (turn.n, start, end) else found))
    return spans


def _plain(text: str, room: int, style: Style) -> list[Line]:
    return _wrapped(text, room, style, [], style)


def _wrapped(
    text: str, room: int, base: Style | None, spans: Sequence[tuple[int, int, Style]], faint: Style, note: str = ""
) -> list[Line]:
    """A text of many lines, after a note, wrapped; `spans` count the text's characters."""
    pieces: list[Line] = []
    place = 0
    texts = text.split("\n")
    for n, line in enumerate(texts):
        if len(pieces) >= MOST_LINES:
            pieces.append([Segment(f"… {len(texts) - n:,} lines more", faint)])
            break
        noted = note if n == 0 else ""
        drawn = capped(noted + line)
        for start, end in breaks(drawn, room):
            middle = min(max(len(noted), start), end)
            piece = [Segment(drawn[start:middle], faint)] if middle > start else []
            pieces.append(piece + _inked(drawn, middle, end, place - len(noted), base, spans))
        place += len(line) + 1
    return pieces


def _inked(
    line: str, start: int, end: int, shift: int, base: Style | None, spans: Sequence[tuple[int, int, Style]]
) -> list[Segment]:
    """A piece of a line in its styles; `shift` is what makes a character of the line one of the text."""
    here = [(max(s - shift, start), min(e - shift, end), style) for s, e, style in spans]
    here = [span for span in here if span[0] < span[1]]
    if not here:
        return [Segment(line[start:end], base)]
    cuts = sorted({start, end, *(cut for s, e, _ in here for cut in (s, e))})
    segments = []
    for left, right in pairwise(cuts):
        style = base
        for s, e, over in here:
            if s <= left < e:
                style = over if style is None else style + over
        segments.append(Segment(line[left:right], style))
    return segments
