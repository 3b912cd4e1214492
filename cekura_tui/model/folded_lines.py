"""What did not change of a prompt, folded to what stands beside a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cekura_tui.model.prose_lines import ProseLine
from cekura_tui.model.prose_words import Span

_LONG, _SHORTENED = 300, 200
"""Of an unchanged line with more characters than the first, so many are shown beside a change while it is folded."""


def fold(lines: Sequence[ProseLine], before: int, after: int) -> tuple[list[ProseLine], int, list[ProseLine]]:
    """Unchanged lines as (shown first, number folded, shown last); a single line is not worth folding. A long one that
    is shown for what stands beside it is shortened."""
    hidden = len(lines) - before - after
    if len(lines) == 1:
        return [_shortened(lines[0], before > 0, after > 0)], 0, []
    if hidden <= 1:
        before, hidden = len(lines) - min(after, len(lines) - 1), 0
    first = [_shortened(line, True, False) for line in lines[:before]]
    last = [_shortened(line, False, True) for line in lines[before + hidden :]]
    return first, hidden, last


def _shortened(line: ProseLine, start: bool, end: bool) -> ProseLine:
    """The start of a long line, its end, or both."""
    text = line.text
    if len(text) <= _LONG * (start + end) or not (start or end):
        return line
    head = text[:_SHORTENED].rpartition(" ")[0] or text[:_SHORTENED] if start else ""
    tail = text[-_SHORTENED:].partition(" ")[2] or text[-_SHORTENED:] if end else ""
    parts = (f"{head} …" if start else "", tail)
    return replace(line, spans=(Span("same", " ".join(filter(None, parts))),), goes_on=line.goes_on or not start)
