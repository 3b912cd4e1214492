"""Groups of runs as lines: how many, how large a share, what they have in common, and the newest of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType

from cekura_tui.model.groups import FAILED, STRIP, Group, Grouping, since_words
from cekura_tui.model.outcome import MARKS
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.board import Board
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import OUTCOME_TONES, TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.virtual_list import VirtualList

WIDE, WIDE_WITH_STRIP = 110, 156
"""Cells from which on a group takes one line: what it has in common stands beside its name, not below it."""
BAR = 6
_QUARTERS = " ▎▌▊"
_COUNT, _PERCENT, _RUN, _WHEN = 6, 4, 8, 12
_INDENT = 2 + _COUNT + 1
_TONES = {mark: OUTCOME_TONES[kind] for kind, mark in MARKS.items()}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as it is drawn. `heading` stands above the first group of a section."""

    key: tuple[str, ...]
    heading: str
    mark: str
    count: str
    share: float
    strip: str
    title: str
    detail: str
    run: str
    when: str


def group_rows(grouping: Grouping, board: Board, *, since: bool = True) -> list[GroupRow]:
    """The groups as they are listed now; with `since` it is told since when they fail."""
    rows: list[GroupRow] = []
    section = ""
    for group in grouping.groups:
        heading = ""
        if group.section != section:
            section = group.section
            runs = grouping.failed if section == FAILED else grouping.errors
            heading = f"{section} · {count(runs, 'run')}"
        rows.append(_row(group, heading, board, since))
    return rows


def _row(group: Group, heading: str, board: Board, since: bool) -> GroupRow:
    first = group.first_failed
    failing = since_words(first, board.when(first.at)) if first and since else ""
    return GroupRow(
        key=group.key,
        heading=heading,
        mark=MARKS["failed"] if group.failed else MARKS["error"] if group.errors else "",
        count=f"{group.count:,}",
        share=group.share,
        strip=group.strip,
        title=clean_line(group.title),
        detail=" · ".join(filter(None, (clean_line(group.detail), failing))),
        run=str(group.newest_id),
        when=board.when(group.newest_at),
    )


def bar(share: float, cells: int = BAR) -> str:
    """A part of one as a bar of so many cells; what there is at all is seen."""
    quarters = min(max(round(share * cells * 4), 1 if share > 0 else 0), cells * 4)
    full, rest = divmod(quarters, 4)
    return ("█" * full + (_QUARTERS[rest] if rest else "")).ljust(cells)


def percent(share: float) -> str:
    """A part of one in whole percent; neither nothing nor all is said of what is only nearly so."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def _wide(width: int, strip: bool) -> bool:
    return width >= (WIDE_WITH_STRIP if strip else WIDE)


def columns(width: int, strip: bool) -> tuple[tuple[str, int], ...]:
    """Names and cells of the columns in `width` cells, each followed by one cell of space; the mark stands before."""
    share = _PERCENT + 1 + BAR
    ends = [("newest", _RUN), ("when", _WHEN)] if width >= 70 else [("newest", _RUN)]
    fixed = [("runs", _COUNT), ("share", share), *([("outcomes", STRIP)] if strip else [])]
    rest = width - 2 - sum(cells + 1 for _, cells in (*fixed, *ends)) - 1
    if not _wide(width, strip):
        return (*fixed, ("title", max(rest, 8)), *ends)
    title = min(max(rest * 2 // 5, 24), 44)
    return (*fixed, ("title", title), ("detail", rest - title - 1), *ends)


class GroupList(VirtualList[GroupRow]):
    """Groups, by what they have in common."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Show its runs", key_display="enter", id="group-list.open")
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONE_CLASSES, "groups--heading"}
    DEFAULT_CSS = f"""
    GroupList {{ {TONE_CSS}
        & > .groups--heading {{ background: $background; color: $text-muted; text-style: bold; }}
    }}
    """
    row_height = None

    def key_of(self, row: GroupRow) -> Hashable:
        """What its runs have in common."""
        return row.key

    def estimate(self, row: GroupRow, width: int) -> int:
        """Exactly as many lines as it takes."""
        return 1 + bool(row.heading) + (bool(row.detail) and not _wide(width, bool(row.strip)))

    def lines_of(self, row: GroupRow, width: int, state: RowState) -> Sequence[Line]:
        """A line, below it another for the detail where the width is small, above it the heading of a section."""
        tone, dim = self.ink(f"tone--{_TONES.get(row.mark, 'dim')}"), self.ink("tone--dim")
        texts = {"runs": row.count, "title": row.title, "detail": row.detail, "newest": row.run, "when": row.when}
        line = [Segment(f"{row.mark or ' '} ", tone)]
        for name, cells in columns(width, bool(row.strip)):
            if name == "share":
                line += [Segment(f"{percent(row.share):>{_PERCENT}} "), Segment(f"{bar(row.share)} ", tone)]
            elif name == "outcomes":
                line += [Segment(mark, self.ink(f"tone--{_TONES.get(mark, 'dim')}")) for mark in row.strip]
                line.append(Segment(" " * (cells - len(row.strip) + 1)))
            else:
                ink = None if name in ("runs", "title") else dim
                line.append(Segment(f"{fit(texts[name], cells, right=name == 'runs')} ", ink))
        lines: list[Line] = [line]
        if row.heading:
            # It has a ground of its own, so that the cursor is not on the heading too.
            lines.insert(0, [Segment(fit(f" {row.heading}", width), self.ink("groups--heading"))])
        if row.detail and not _wide(width, bool(row.strip)):
            lines.append([Segment(" " * _INDENT), Segment(fit(row.detail, width - _INDENT - 1), dim)])
        return lines
