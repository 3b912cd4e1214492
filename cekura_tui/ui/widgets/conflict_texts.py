"""A passage in the versions among which somebody has to decide, one below the other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType

from cekura_tui.model.conflict_decisions import Decision
from cekura_tui.model.prompt_merge import Conflict
from cekura_tui.model.prose_words import Span, quiet, word_spans
from cekura_tui.model.text import LONGEST_LINE, capped
from cekura_tui.model.visible import visible
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.ui.widgets.wrap import breaks

_GUTTER = 4
_LEAST = 10
_MARKED = 20_000
"""Characters of a version beyond which it is shown without marks at its words."""


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A line of the versions: the name of one, or a line of its text. `fresh` are its stretches (start, end) that the
    sent text does not have, `chosen` tells that this version was decided on."""

    place: int
    text: str
    is_head: bool = False
    chosen: bool = False
    fresh: tuple[tuple[int, int], ...] = ()


def conflict_rows(conflict: Conflict, decision: Decision | None, job: int, agent: str) -> list[ConflictRow]:
    """All versions of a conflict, safe to draw; what was decided on bears a mark."""
    side = decision.side if decision else ""
    versions = [
        (f"sent with job {job}", conflict.base, False),
        (f"what {agent} has now · o keeps it", conflict.now, side == "now"),
        ("staged · s takes it", conflict.staged, side == "staged"),
    ]
    if decision is not None and side == "edited":
        versions.append(("as you worded it · e words it otherwise", decision.text, True))
    rows: list[ConflictRow] = []
    for name, text, chosen in versions:
        rows.append(ConflictRow(len(rows), f"{'✓' if chosen else '·'} {name}", True, chosen))
        lines = _lines(conflict.base, text)
        for line, fresh in lines or [("(nothing stands here)", ())]:
            rows.append(ConflictRow(len(rows), line, False, chosen, fresh))
    return rows


class ConflictTexts(VirtualList[ConflictRow]):
    """The versions of one conflict; the words that the sent text does not have are bold and underlined."""

    row_height = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "screen.conflict(1)", "Next", id="conflict.next"),
        Binding("N", "screen.conflict(-1)", "Prev", id="conflict.previous"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"conflict--head", "conflict--chosen", "conflict--fresh", "conflict--rule"}
    DEFAULT_CSS = """
    ConflictTexts {
        & > .conflict--head { color: $text-primary; text-style: bold; }
        & > .conflict--chosen { color: $success; text-style: bold; }
        & > .conflict--fresh { text-style: bold underline; }
        & > .conflict--rule { color: $text-muted; }
    }
    """

    def key_of(self, row: ConflictRow) -> Hashable:
        """Its place."""
        return row.place

    def estimate(self, row: ConflictRow, width: int) -> int:
        """From its length."""
        return 1 + min(len(row.text), LONGEST_LINE) // _room(width)

    def lines_of(self, row: ConflictRow, width: int, state: RowState) -> Sequence[Line]:
        """The name, or the text behind a rule."""
        if row.is_head:
            return [[Segment(fit(row.text, width), self.ink(f"conflict--{'chosen' if row.chosen else 'head'}"))]]
        rule = Segment("  ┃ " if row.chosen else "  │ ", self.ink("conflict--rule"))
        drawn, fresh = capped(row.text), self.ink("conflict--fresh")
        lines = []
        for start, end in breaks(drawn, _room(width)):
            line, at = [rule], start
            for left, right in row.fresh:
                left, right = max(left, at), min(right, end)
                if left < right:
                    line += [Segment(drawn[at:left]), Segment(drawn[left:right], fresh)]
                    at = right
            lines.append([*line, Segment(drawn[at:end])])
        return lines


def _room(width: int) -> int:
    return max(width - _GUTTER - 1, _LEAST)


def _lines(base: str, text: str) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """The lines of a version, and on each what the base does not have; white space around all is left out."""
    spans = [Span("same", text)]
    if len(text) + len(base) <= _MARKED and text != base:
        spans = [span for span in quiet(word_spans(base, text)) if span.op != "del"]
    lines: list[tuple[str, list[tuple[int, int]]]] = [("", [])]
    for span in spans:
        for n, part in enumerate(visible(span.text).split("\n")):
            if n:
                lines.append(("", []))
            before, fresh = lines[-1]
            if span.op == "ins" and part:
                fresh.append((len(before), len(before) + len(part)))
            lines[-1] = before + part, fresh
    while lines and not lines[0][0].strip():
        lines.pop(0)
    while lines and not lines[-1][0].strip():
        lines.pop()
    return [(line, tuple(fresh)) for line, fresh in lines]
