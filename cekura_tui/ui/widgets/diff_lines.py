"""The rows of a prose diff drawn: in one column, or what was sent beside what is proposed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.prose_lines import signed
from cekura_tui.model.prose_words import Op, Span
from cekura_tui.model.text import capped
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.diff_rows import DiffRow
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.wrap import breaks

WIDE = 139
"""From so many cells on there are two columns: a view of 140 has a scroll bar."""
_READABLE = 100
_LEAST = 10
_GUTTER = 2
_BETWEEN = " │ "
_MARK_INKS = {"-": "del", "+": "ins", "~": "both", "←": "moved", "→": "moved"}

Inked = list[tuple[str, Style | None]]


@dataclass(frozen=True, slots=True)
class Look:
    """How rows are drawn: the styles of the view, and whether signs stand around words, where there is no colour."""

    ink: Callable[[str], Style]
    signs: bool = False


def text_room(width: int) -> int:
    """The cells of a line of text, in a view of this width."""
    if width >= WIDE:
        return min((width - len(_BETWEEN)) // 2 - _GUTTER, _READABLE)
    return max(min(width - _GUTTER - 1, _READABLE), _LEAST)


def diff_lines(row: DiffRow, width: int, look: Look) -> list[Line]:
    """A row's lines, `width` cells each at most."""
    if row.kind != "line":
        return _told(row, width, look)
    room = text_room(width)
    if width < WIDE:
        return _column(row, room, look)
    left, right = _side(row, "del", room, look), _side(row, "ins", room, look)
    between = Segment(_BETWEEN, look.ink("prose-diff--fold"))
    empty: Line = [Segment(" " * (_GUTTER + room))]
    return [
        [*_filled(one, _GUTTER + room), between, *other] for one, other in zip_longest(left, right, fillvalue=empty)
    ]


def _told(row: DiffRow, width: int, look: Look) -> list[Line]:
    """What is no text of a prompt."""
    lead = {"why": "  ", "flag": "  ", "away": "→ "}.get(row.kind, "")
    ink = look.ink(f"prose-diff--{row.kind}")
    if row.kind in ("head", "also") and row.decided:
        ink += look.ink(f"prose-diff--{row.decided}")
    text = lead + capped(row.text)
    first, *others = breaks(text, max(min(width, WIDE) - _GUTTER, _LEAST))
    indent = " " * _GUTTER
    return [
        [Segment(text[slice(*first)], ink)],
        *([Segment(indent + text[start:end], ink)] for start, end in others),
    ]


def _column(row: DiffRow, room: int, look: Look) -> list[Line]:
    """Both versions in one."""
    spans, mark = row.line.spans, row.line.mark
    if mark == "±":
        return [
            *_wrapped(row, spans[:1], "-", room, look),
            *_wrapped(row, spans[1:], "+", room, look),
        ]
    drawn: str = "←" if row.moved and mark in " ~" else mark
    return _wrapped(row, spans, drawn, room, look)


def _side(row: DiffRow, op: Op, room: int, look: Look) -> list[Line]:
    """What a column has of a row: the sent text with what went, or the proposed one with what came."""
    spans = tuple(span for span in row.line.spans if span.op in ("same", op))
    own = "-" if op == "del" else "+"
    if row.line.mark not in (" ", "~", "±", own):
        return []
    if row.line.mark in ("±", own) or any(span.op == op for span in spans):
        return _wrapped(row, spans, own, room, look)
    moved = "→" if op == "del" else "←"
    return _wrapped(row, spans, moved if row.moved else " ", room, look)


def _wrapped(row: DiffRow, spans: Sequence[Span], mark: str, room: int, look: Look) -> list[Line]:
    name = _MARK_INKS.get(mark)
    gutter = Segment(mark.ljust(_GUTTER), look.ink(f"prose-diff--mark-{name}") if name else None)
    found: list[Line] = []
    for line in _by_line(spans):
        inked = _inked(row, line, look)
        if not found and row.line.goes_on:
            inked.insert(0, ("… ", look.ink("prose-diff--fold")))
        text = "".join(part for part, _ in inked)
        found += [[gutter, *_piece(inked, start, end)] for start, end in breaks(text, room)]
    return found


def _by_line(spans: Sequence[Span]) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for span in spans:
        for k, part in enumerate(span.text.split("\n")):
            if k:
                lines.append([])
            lines[-1].append(Span(span.op, part))
    return lines


def _inked(row: DiffRow, spans: Sequence[Span], look: Look) -> Inked:
    """The words in their styles; what went and what came in its place are kept apart by a space, or by signs."""
    rejected = look.ink("prose-diff--rejected-text") if row.decided == "rejected" else None
    is_mixed = len({span.op for span in spans}) > 1
    found: Inked = []
    before: Op = "same"
    for span in spans:
        ink = look.ink(f"prose-diff--{span.op}") if span.op != "same" else None
        if rejected is not None:
            ink = rejected if ink is None else ink + rejected
        if look.signs and is_mixed and span.op != "same":
            found.append((signed(span.op, span.text), ink))
        else:
            if before == "del" and span.op == "ins" and found and not (found[-1][0] + " ")[-2].isspace():
                found.append((" ", None))
            found.append((span.text, ink))
        before = span.op
    return found


def _filled(line: Line, width: int) -> Line:
    used = sum(segment.cell_length for segment in line)
    return [*line, Segment(fit("", width - used))]


def _piece(inked: Inked, start: int, end: int) -> list[Segment]:
    """The part of inked text from one character to another."""
    found = []
    at = 0
    for text, style in inked:
        part = text[max(start - at, 0) : max(end - at, 0)]
        if part:
            found.append(Segment(part, style))
        at += len(text)
        if at >= end:
            break
    return found
