"""Render rows of a prompt diff in one column or side by side. Signs mark the changes where colours are missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from typing import Literal

from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.text import capped
from cekura_tui.prose.lines import signed
from cekura_tui.prose.words import Op, WordSpan, word_spans
from cekura_tui.ui.kit.strips import LEAST, Line, StyledText, breaks, paragraphs, prose_width
from cekura_tui.ui.suggestion.diff_rows import DiffRow
from cekura_tui.ui.terminal.cells import fit

TWO_COLUMNS = 137
"""Minimum width in cells of a side-by-side diff. A terminal of 140 columns leaves this width for the diff."""
_GUTTER = 3
"""Number of cells before the text: a blank, the sign, a blank."""
_BETWEEN = " │ "
_ITEM_START = re.compile(r"\s*(?:(?:[-*+•!✓✗]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s+)?")
"""Matches the indentation of a line and, if the line is a list item, its bullet or number."""
_MAX_COMPARED = 4_000
"""Maximum length of the old and new text together, in characters, for common words to be searched."""

_Side = Literal["", "del", "ins", "away", "here"]
_MARKS: dict[str, str] = {"": " ", "del": "−", "ins": "+", "away": "→", "here": "←"}


@dataclass(frozen=True, slots=True)
class DiffStyle:
    """How to draw a row: with `signs` instead of colours for changed words, with the `cursor` on the row."""

    style_of: Callable[[str], Style]
    signs: bool = False
    cursor: bool = False

    def line_ground(self, name: str) -> Style | None:
        return None if self.cursor else self.style_of(f"prose-diff--{name}")


def text_width(width: int) -> int:
    if width >= TWO_COLUMNS:
        return prose_width((width - len(_BETWEEN) - 1) // 2 - _GUTTER)
    return prose_width(width - _GUTTER - 1)


def _item_prefix(text: str) -> str:
    found = _ITEM_START.match(text)
    return found.group() if found else ""


def hanging_breaks(text: str, room: int) -> list[tuple[int, int, int]]:
    """(start, end, indent) of each piece of a line wrapped to `room` cells. List items get a hanging indent."""
    first, *others = breaks(text, room)
    if not others:
        return [(*first, 0)]
    indent = min(len(_item_prefix(text)), 12, room // 2)
    start = others[0][0]
    return [(*first, 0), *((start + at, start + end, indent) for at, end in breaks(text[start:], room - indent))]


def diff_lines(row: DiffRow, width: int, style: DiffStyle) -> list[Line]:
    if row.kind != "line":
        return _note_lines(row, width, style)
    room = text_width(width)
    if width < TWO_COLUMNS:
        return _column(row, room, width, style)
    column = _GUTTER + room
    left, right = _side(row, "del", room, column, style), _side(row, "ins", room, width - column - len(_BETWEEN), style)
    between = Segment(_BETWEEN, style.style_of("prose-diff--rule"))
    empty: Line = [Segment(" " * column)]
    return [[*_pad(one, column), between, *other] for one, other in zip_longest(left, right, fillvalue=empty)]


def _note_lines(row: DiffRow, width: int, style: DiffStyle) -> list[Line]:
    """Render a row that is not text of the prompt, such as a heading, a reason or a fold."""
    ground = style.line_ground("bar") if row.kind in ("head", "also") else None
    ink = style.style_of(f"prose-diff--{row.kind}")
    if row.kind in ("head", "also") and row.decided:
        ink += style.style_of(f"prose-diff--{row.decided}")
    inks: dict[Op, Style] = {
        "same": ink,
        "del": style.style_of("prose-diff--went"),
        "ins": style.style_of("prose-diff--came"),
    }
    styled = StyledText.joined((span.text, inks[span.op]) for span in row.line.spans)
    first, *others = replace(styled, text=capped(row.text)).wrapped(max(min(width, TWO_COLUMNS) - 2, LEAST))
    lines = [[Segment(" "), *first], *([Segment(" " * _GUTTER), *line] for line in others)]
    return [with_background(line, width, ground) for line in lines]


def _column(row: DiffRow, room: int, width: int, style: DiffStyle) -> list[Line]:
    mark = row.line.mark
    if mark in ("~", "±"):
        return [*_side(row, "del", room, width, style), *_side(row, "ins", room, width, style)]
    sides: dict[str, _Side] = {"-": "del", "+": "ins"}
    return _wrap(row, row.line.spans, sides.get(mark, "here" if row.moved else ""), room, width, style)


def _side(row: DiffRow, op: Literal["del", "ins"], room: int, width: int, style: DiffStyle) -> list[Line]:
    mark = row.line.mark
    if mark == " ":
        spans = tuple(span for span in row.line.spans if span.op in ("same", op))
        moved: _Side = "away" if op == "del" else "here"
        return _wrap(row, spans, moved if row.moved else "", room, width, style)
    if mark not in ("~", "±", "-" if op == "del" else "+"):
        return []
    spans = _common_spans(*(span.text for span in row.line.spans)) if mark == "±" else _keep_item_prefix(row.line.spans)
    return _wrap(row, [span for span in spans if span.op in ("same", op)], op, room, width, style)


def _keep_item_prefix(spans: tuple[WordSpan, ...]) -> tuple[WordSpan, ...]:
    """Mark the bullet or number of a list item as unchanged if only the text after the bullet or number has changed."""
    if [span.op for span in spans[:2]] != ["del", "ins"]:
        return spans
    old, new = spans[:2]
    item = _item_prefix(old.text)
    if not item or item != _item_prefix(new.text):
        return spans
    cut = [span._replace(text=span.text[len(item) :]) for span in (old, new)]
    return (WordSpan("same", item), *cut, *spans[2:])


@lru_cache(maxsize=256)
def _common_spans(old: str, new: str) -> tuple[WordSpan, ...]:
    """The word diff of a passage and its replacement, for display. Short common parts stay unmarked. If both texts
    together are longer than _MAX_COMPARED, the whole passage is shown as replaced."""
    if len(old) + len(new) > _MAX_COMPARED:
        return (WordSpan("del", old), WordSpan("ins", new))
    least = 0.1 / (1 + new.count("\n"))  # a tenth of a line
    return tuple(word_spans(old, new, least=least))


def _wrap(row: DiffRow, spans: Sequence[WordSpan], side: _Side, room: int, width: int, style: DiffStyle) -> list[Line]:
    is_rejected = row.decided == "rejected"
    ground = style.line_ground(f"line-{side}") if side in ("del", "ins") and not is_rejected else None
    kind = f"mark-{side if side in ('del', 'ins') else 'moved'}"
    ink = style.style_of(f"prose-diff--{'rejected' if is_rejected else kind}") if side else None
    sign = "away" if row.moved and side == "del" else "here" if row.moved and side == "ins" else side
    mark = [Segment(" "), Segment(_MARKS[sign], ink), Segment(" ")]
    found: list[Line] = []
    for line in paragraphs((span.text, span) for span in spans):
        pieces = _styled_words(row, [span._replace(text=text) for text, span in line], style)
        if not found and row.line.continues:
            pieces.insert(0, ("… ", style.style_of("prose-diff--fold")))
        text = StyledText.joined(pieces)
        for start, end, indent in hanging_breaks(text.text, room):
            piece = [*mark, *([Segment(" " * indent)] if indent else []), *text.cut(start, end)]
            found.append(with_background(piece, width, ground))
    return found


def _styled_words(row: DiffRow, spans: Sequence[WordSpan], style: DiffStyle) -> list[tuple[str, Style | None]]:
    """The texts of `spans` with their styles. Changed words between unchanged words are highlighted. The new number of
    a renumbered item is shown with an arrow, as in "2→3"."""
    rejected = style.style_of("prose-diff--rejected") if row.decided == "rejected" else None
    follows = style.style_of("prose-diff--fold")
    is_mixed = any(span.op == "same" and any(map(str.isalnum, span.text)) for span in spans)
    found: list[tuple[str, Style | None]] = []
    before: Op = "same"
    for span in spans:
        if span.format == "follows":
            found.append((f"→{span.text}" if before == "del" and span.op == "ins" else span.text, follows))
        elif span.op == "same" or not is_mixed or (span.format and row.line.mark == "±"):
            found.append((span.text, rejected))
        else:
            ink = rejected or style.style_of(f"prose-diff--{span.op}")
            if style.signs:
                found.append((signed(span.op, span.text), ink))
            else:  # highlight the words without the blanks around them
                words = span.text.strip() or span.text
                start = span.text.index(words)
                after = span.text[start + len(words) :]
                found += [(span.text[:start], rejected), (words, ink), (after, rejected)]
        before = span.op
    return found


def with_background(line: Line, width: int, ground: Style | None) -> Line:
    """Pad the line to `width` cells and add the background `ground`. If `ground` is None, return the line unchanged."""
    if ground is None:
        return line
    return [Segment(text, ground + style if style else ground) for text, style, _ in _pad(line, width)]


def _pad(line: Line, width: int) -> Line:
    used = sum(segment.cell_length for segment in line)
    return [*line, Segment(fit("", width - used))]
