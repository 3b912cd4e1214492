"""Draws one turn: evidence mark, time, speaker, a coloured bar and the text; tool calls are folded or unfolded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from cekura_tui.evidence.evidence import RANK, TurnMark, reason_words
from cekura_tui.model.text import LONGEST_LINE, clean_line, count, shortened
from cekura_tui.model.transcript.search import TurnMatch, TurnMatches
from cekura_tui.model.transcript.timeline import AN_HOUR, Call, Timing, needs_hours, time_of
from cekura_tui.model.transcript.tool_call import brief, ending_of, is_tool, pretty, raw_text, tool_name
from cekura_tui.model.transcript.transcript import NAMES, TOOLS, Turn
from cekura_tui.ui.kit.lines import VERDICT_MARKS, VERDICT_TONES
from cekura_tui.ui.kit.strips import LEAST, Layer, Line, Span, StyledText, breaks, prose_width
from cekura_tui.ui.terminal.cells import drawn, fit

MOST_LINES = 1_000
"""Number of drawn lines of a text after which the remaining paragraphs of the text are hidden."""


class LinePiece(NamedTuple):
    """A drawn line: a note, then characters `start` to `end` of a text, or `hidden` instead, such as "3 lines more"."""

    note: str
    start: int
    end: int
    hidden: str = ""


def pieces_of(text: str, room: int, note: str = "", begin: int = 0) -> Iterator[LinePiece]:
    """Wrap a text to `room` cells from character `begin` on, with `note` before the first line. The last piece hides
    the lines beyond MOST_LINES; a further piece hides the end of each very long paragraph."""
    drawn, place = 0, begin
    while place <= len(text):
        if drawn >= MOST_LINES:
            lines = text.count("\n", place) + 1
            yield LinePiece("", place, len(text), f"{count(lines, 'line')} more")
            return
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        shown = min(end, place + LONGEST_LINE)
        shift = place - len(note)
        for left, right in breaks(note + text[place:shown], room):
            drawn += 1
            yield LinePiece(note[left:right], max(left + shift, place), max(right + shift, place))
        if shown < end:
            drawn += 1
            yield LinePiece("", shown, end, f"{count(end - shown, 'character')} more")
        note, place = "", end + 1


def drawn_piece(text: StyledText, piece: LinePiece, room: int, faint: Style) -> Line:
    """Draw a piece. Hidden text is drawn as a note with its number of search matches: the spans of the last layer."""
    start, end = piece.start, piece.end
    if not piece.hidden:
        note = [Segment(piece.note, faint)] if piece.note else []
        return [*note, *text.cut(start, end)]
    found, style = "", faint
    if text.layers:
        spans, style_of = text.layers[-1]
        inside = spans[bisect_left(spans, (start, 0)) : bisect_left(spans, (end, 0))]
        found = f", {len(inside):,} found" if inside else ""
        styles = {style_of(span) for span in inside}
        style = Style.combine([faint, *sorted(styles, key=lambda style: bool(style.bold))])
    return [Segment(fit(f"… ({piece.hidden}{found})", room).rstrip(), style)]


StyleOf = Callable[[str], Style]
"""A function that returns the style of a component class."""

SPEAKER_CELLS = 7
BAR = "▎"
"""The character before every line of a turn, in the colour of the speaker."""
GUESSED = "~"
"""The mark of a turn if all citations of the turn by verdicts are guesses."""
_NAMED = 3
"""Maximum number of verdicts named below a turn."""
_NAME_CELLS = 80
_CLOCKS = ((10 * AN_HOUR, 8), (AN_HOUR, 7), (0, 5))
"""(seconds, cells): a time of at least `seconds` is `cells` wide."""
SPEAKER_INKS = {"testing": "caller", "main": "agent", "tool_call": "tool", "tool_result": "tool"}


@dataclass(slots=True)
class TurnLook:
    """The state on which the drawing of turns depends. Sets contain turn numbers, and mappings are by turn number."""

    call: Call = field(default_factory=Call)
    marks: Mapping[int, Sequence[TurnMark]] = field(default_factory=dict)
    found: TurnMatches = field(default_factory=TurnMatches)
    current: TurnMatch | None = None
    unfolded: set[int] = field(default_factory=set)
    raw: set[int] = field(default_factory=set)
    texts: dict[int, tuple[Turn, str]] = field(default_factory=dict)
    """Cached texts of tool turns, which are slow to build."""

    @property
    def clock_cells(self) -> int:
        """Cells of the column that shows the time or the number of a turn."""
        latest = self.call.latest
        return max(next((cells for seconds, cells in _CLOCKS if latest >= seconds), 5), len(f"#{len(self.call.turns)}"))

    @property
    def left(self) -> int:
        """Number of cells before the text: mark, time, speaker, bar and the spaces between these parts."""
        return 3 + self.clock_cells + 1 + SPEAKER_CELLS + 1 + len(BAR) + 1

    def room(self, width: int) -> int:
        """Number of cells for text in a list of `width` cells. The last cell of a row stays blank."""
        return prose_width(width - self.left - 1)

    def timing_of(self, turn: Turn) -> Timing:
        return self.call.timings.get(turn.n, Timing())

    def text_of(self, turn: Turn) -> str:
        """The text to draw and search: what was said, or a tool's name and its values as JSON."""
        if not is_tool(turn):
            return turn.text
        cached = self.texts.get(turn.n)
        if cached is None or cached[0] is not turn:
            cached = self.texts[turn.n] = turn, f"{tool_name(turn)}\n{pretty(turn)}"
        return cached[1]


def values_from(turn: Turn) -> int:
    """Offset of the JSON values in the text of a tool turn. The name of the tool comes first."""
    return len(tool_name(turn)) + 1


def turn_lines(turn: Turn, look: TurnLook, width: int, style_of: StyleOf) -> list[Line]:
    """All lines of a turn: the silence before the turn, the turn itself, then the verdicts that cite the turn."""
    room, marks = look.room(width), look.marks.get(turn.n, ())
    speaker, note = style_of(f"transcript--{SPEAKER_INKS.get(turn.speaker, 'other')}"), style_of("transcript--note")
    bar = Segment(f"{BAR} ", speaker)
    indent = Segment(" " * (look.left - 2))
    when = time_of(turn, hours=needs_hours(look.call.latest))
    name = fit(NAMES.get(turn.speaker, turn.role or "other"), SPEAKER_CELLS)
    head = [
        Segment(" "),
        _mark(marks, style_of),
        Segment(f" {fit(when, look.clock_cells)} ", style_of("transcript--time")),
        Segment(f"{name} ", speaker),
        bar,
    ]
    body = _tool(turn, look, room, style_of) if is_tool(turn) else _spoken(turn, look, room, style_of)
    if turn.n in look.raw:
        raw = StyledText(raw_text(turn), note)
        body += [drawn_piece(raw, piece, room, note) for piece in pieces_of(raw.text, room)]
    lines: list[Line] = [[*(head if n == 0 else (indent, bar)), *segments] for n, segments in enumerate(body)]
    lines += [[indent, bar, *piece] for piece in _citing_verdicts(marks, room, style_of)]
    if above := look.timing_of(turn).line:
        lines.insert(0, [indent, Segment(f"  — {above} —", note)])
    return lines


def _mark(marks: Sequence[TurnMark], style_of: StyleOf) -> Segment:
    """The sign of the worst verdict that cites the turn, GUESSED if all citations are guesses; a blank without any."""
    if not marks:
        return Segment(" ")
    sign = GUESSED if all(RANK[mark.sure] >= RANK["maybe"] for mark in marks) else VERDICT_MARKS[marks[0].state]
    return Segment(sign, style_of(f"tone--{VERDICT_TONES[marks[0].state]}"))


def line_of(turn: Turn, offset: int, look: TurnLook, width: int) -> int:
    """The index of the turn's line that shows the character at `offset` of the turn's text."""
    above = 1 if look.timing_of(turn).line else 0
    if is_tool(turn):
        if offset < values_from(turn) or turn.n not in look.unfolded:
            return above
        above += 1
    begun = takewhile(lambda piece: piece.start <= offset, _pieces(turn, look, look.room(width)))
    return above + max(sum(1 for _ in begun) - 1, 0)


def raw_line(turn: Turn, look: TurnLook, width: int) -> int:
    """The index of the first line of the turn's raw JSON, which follows the text."""
    return 1 + line_of(turn, len(look.text_of(turn)), look, width)


def _pieces(turn: Turn, look: TurnLook, room: int) -> Iterator[LinePiece]:
    if is_tool(turn):
        return pieces_of(look.text_of(turn), room, begin=values_from(turn))
    overlap = look.timing_of(turn).overlap
    return pieces_of(turn.text, room, f"(overlaps by {overlap:.1f} s) " if overlap else "")


def _spoken(turn: Turn, look: TurnLook, room: int, style_of: StyleOf) -> list[Line]:
    note = style_of("transcript--note")
    if not turn.text.strip():
        seconds, overlap = (turn.end or 0.0) - (turn.start or 0.0), look.call.timings.get(turn.n, Timing()).overlap
        over = f", overlaps by {overlap:.1f} s" if overlap else ""
        return [[Segment(f"(speaks for {seconds:.1f} s, no turn{over})" if turn.n % 1 else "(no words)", note)]]
    base = style_of("transcript--tool") if turn.speaker in TOOLS else None
    marks = look.marks.get(turn.n, ())
    quoted = style_of(f"transcript--quoted-{marks[0].state}") if marks else Style.null()
    spans = _merged_spans(span for mark in marks for span in mark.spans)
    layers = (Layer(spans, lambda span: quoted), _matches(turn, look, style_of))
    text = StyledText(turn.text, base, layers)
    return [drawn_piece(text, piece, room, note) for piece in _pieces(turn, look, room)]


def _tool(turn: Turn, look: TurnLook, room: int, style_of: StyleOf) -> list[Line]:
    """The lines of a tool call or result. The first line names the tool and says how the call ended. All values follow
    on further lines if the turn is unfolded; otherwise the first line ends with the values that fit."""
    style, faint, found = style_of("transcript--tool"), style_of("transcript--note"), _matches(turn, look, style_of)
    unfolded, first = turn.n in look.unfolded, values_from(turn)
    ending, bad = _ending_text(turn, look)
    name = _name(turn, max(room - len(ending) - 6, LEAST), style, found)
    title: list[Segment] = [Segment("▾ " if unfolded else "▸ ", style), *name, Segment("  ")]
    if ending:
        title.append(Segment(f"{ending}  ", style_of("tone--bad") if bad else faint))
    if unfolded:
        text = StyledText(look.text_of(turn), style, (found,))
        return [title, *(drawn_piece(text, piece, room, faint) for piece in _pieces(turn, look, room))]
    if hidden := sum(span[1] > first for span in found.spans):
        title.append(Segment(f"{hidden:,} found inside  ", style_of("transcript--match")))
    left = room - sum(cell_len(drawn(part.text)) for part in title)
    title.append(Segment(fit(clean_line(brief(turn), max(left, 1) + 1), max(left, 0)), faint))
    return [title]


def _name(turn: Turn, room: int, style: Style, found: Layer) -> Line:
    """The name of a tool in at most `room` cells. Search matches are highlighted, unless the name is shortened."""
    name = tool_name(turn)
    short = clean_line(name, 60) or "tool"
    short = short if cell_len(short) <= room else fit(short, room)
    if short != name:
        return [Segment(short, style)]
    return StyledText(name, style, (found,)).cut(0, len(name))


def _ending_text(turn: Turn, look: TurnLook) -> tuple[str, bool]:
    if turn.speaker == "tool_result":
        return ("✗ error", True) if ending_of(turn) == "error" else ("", False)
    end = look.call.tools.end_of(turn)
    after = f" after {end.after:.1f} s" if end.after is not None else ""
    return ("✗ error" if end.ending == "error" else end.ending) + after, end.ending == "error"


def _citing_verdicts(marks: Sequence[TurnMark], room: int, style_of: StyleOf) -> list[Line]:
    """Lines that name the verdicts that cite a turn, with the reasons; only failed verdicts and verdicts to review."""
    worth = [mark for mark in marks if mark.state in ("fail", "review")]
    ink = style_of("transcript--evidence")
    lines: list[Line] = []
    for mark in worth[:_NAMED]:
        text = f"{shortened(mark.name, _NAME_CELLS)} · {clean_line(reason_words(mark.why, mark.sure))}"
        sign = Segment(f"{VERDICT_MARKS[mark.state]} ", style_of(f"tone--{VERDICT_TONES[mark.state]}"))
        # No break after the dot: it may start a line but not end one.
        for n, (start, end) in enumerate(breaks(text.replace("· ", "·\u00a0"), max(room - 2, LEAST))):
            lines.append([Segment("  ") if n else sign, Segment(text[start:end], ink)])
    if len(worth) > _NAMED:
        lines.append([Segment(f"  {count(len(worth) - _NAMED, 'more verdict')}", ink)])
    return lines


def _merged_spans(spans: Iterable[Span]) -> list[Span]:
    """Merge spans that overlap or touch; the result is sorted."""
    apart: list[Span] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(apart[-1][1], end)
        elif start < end:
            apart.append((start, end))
    return apart


def _matches(turn: Turn, look: TurnLook, style_of: StyleOf) -> Layer:
    found, here, current = style_of("transcript--match"), style_of("transcript--match-here"), look.current
    at = current[1:] if current is not None and current.n == turn.n else None
    return Layer(look.found.spans(turn.n), lambda span: here if span == at else found)
