"""Two calls of one scenario turn by turn: side by side where there is room, one below the other where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import ClassVar

from rich.cells import split_graphemes
from rich.segment import Segment
from rich.style import Style

from cekura_tui.model.prose_words import word_spans
from cekura_tui.model.text import capped, clean, count
from cekura_tui.model.timeline import clock
from cekura_tui.model.turn import NAMES, Turn
from cekura_tui.model.turn_alignment import Pair, shown_text
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.ui.widgets.wrap import breaks

BESIDE = 99
"""Cells of a list, 100 columns less the scroll bar, from which on two calls stand side by side."""
HERE, THERE = "◀", "▶"
"""Before a turn of the one run and of the other, where they stand one below the other."""
_MIDDLE = 3
_SPEAKER_CELLS = 7
_AN_HOUR = 3_600
_COMPARED = 8_000
"""Characters of a turn in which differing words are looked for."""
_LINES = 200
"""Lines of one turn that are drawn."""
_INKS = {"testing": "caller", "main": "agent", "tool_call": "tool", "tool_result": "tool"}

Piece = tuple[str, bool]
"""A stretch of a turn, and whether it is said otherwise in the other call."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair by its place among all, or in its place so many alike ones that are folded from there on."""

    place: int
    pair: Pair
    folded: int = 0

    @property
    def differs(self) -> bool:
        return not self.folded and self.pair.sign != "="


def rows_of(pairs: Sequence[Pair], *, only_differences: bool) -> list[PairRow]:
    """A row for each pair; with `only_differences` one for all neighbours that are alike."""
    rows = [PairRow(place, pair) for place, pair in enumerate(pairs)]
    if not only_differences:
        return rows
    folded: list[PairRow] = []
    for differs, group in groupby(rows, key=lambda row: row.differs):
        some = list(group)
        folded += some if differs else [PairRow(some[0].place, some[0].pair, len(some))]
    return folded


class TurnPairs(VirtualList[PairRow]):
    """Keyed by the place of a pair; a row of folded ones by the place of its first and a word."""

    row_height = None
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "turn-pairs--quiet",
        "turn-pairs--caller",
        "turn-pairs--agent",
        "turn-pairs--tool",
        "turn-pairs--other",
        "turn-pairs--sign",
        "turn-pairs--differs",
    }
    DEFAULT_CSS = """
    TurnPairs {
        & > .virtual-list--cursor { background: $primary 25%; }
        & > .virtual-list--cursor-blurred { background: $foreground 8%; }
        & > .turn-pairs--quiet { color: $text-muted; }
        & > .turn-pairs--caller { color: $text-accent; }
        & > .turn-pairs--agent { color: $text-secondary; }
        & > .turn-pairs--tool { color: $text-muted; }
        & > .turn-pairs--other { color: $text-warning; }
        & > .turn-pairs--sign { color: $warning; text-style: bold; }
        & > .turn-pairs--differs { color: $text-warning; text-style: underline; }
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._hours = False

    def show_pairs(self, pairs: Sequence[Pair], *, only_differences: bool = False, reset: bool = False) -> None:
        """Show these; `reset` begins at the first."""
        turns = (turn for pair in pairs for turn in (pair.left, pair.right) if turn)
        hours = any((turn.start or 0) >= _AN_HOUR for turn in turns)
        if hours != self._hours:
            self._hours = hours
            self.redraw()
        held = self.cursor_row
        rows = rows_of(pairs, only_differences=only_differences)
        self.show_rows(rows, reset=reset)
        if held is not None and not reset and self.index_of(self.key_of(held)) is None:
            # It was folded with its neighbours, or these are unfolded.
            self.move_to(self.key_of([row for row in rows if row.place <= held.place][-1]))

    def go_to_difference(self, step: int) -> bool:
        """Put the cursor on the next difference (`step` 1) or the one before (-1); False where there is none."""
        at = self.cursor_index
        if at is None:
            return False
        places = range(at + 1, len(self.rows)) if step > 0 else range(at - 1, -1, -1)
        found = next((row for row in map(self.rows.__getitem__, places) if row.differs), None)
        if found is not None:
            self.move_to(self.key_of(found))
        return found is not None

    def key_of(self, row: PairRow) -> tuple[int, bool]:
        return row.place, bool(row.folded)

    def estimate(self, row: PairRow, width: int) -> int:
        if row.folded:
            return 1
        room = self._room(width)
        heights = [1 + len(turn.text) // room for turn in (row.pair.left, row.pair.right) if turn]
        return min(max(heights) if width >= BESIDE else sum(heights), _LINES)

    def lines_of(self, row: PairRow, width: int, state: RowState) -> list[Line]:
        pair, sign = row.pair, Segment(row.pair.sign, self.ink("turn-pairs--sign"))
        if row.folded:
            text = f"… {count(row.folded, 'alike turn')} folded …"
            indent = " " * (self._half(width) - len(text) // 2) if width >= BESIDE else "  "
            return [[Segment(f"{indent}{text}", self.ink("turn-pairs--quiet"))]]
        if pair.sign == "=":
            sign = Segment("=", self.ink("turn-pairs--quiet"))
        here, there = _pieces_of(pair)
        if width >= BESIDE:
            return self._beside(pair, sign, here, there, width)
        lines = [
            *(self._below(pair.left, HERE, here, width) if pair.left else ()),
            *(self._below(pair.right, THERE, there, width) if pair.right else ()),
        ]
        return [[sign if n == 0 else Segment(" "), *line] for n, line in enumerate(lines)]

    def _beside(
        self, pair: Pair, sign: Segment, here: Iterable[Piece], there: Iterable[Piece], width: int
    ) -> list[Line]:
        half, room = self._half(width), self._room(width)
        left = self._column(pair.left, here, room)
        right = self._column(pair.right, there, room)
        lines: list[Line] = []
        for n in range(max(len(left), len(right))):
            begin = list(left[n]) if n < len(left) else []
            gap = half - Segment.get_line_length(begin)
            middle = [Segment(" " * (gap + 1)), sign if n == 0 else Segment(" "), Segment(" ")]
            lines.append([*begin, *middle, *(right[n] if n < len(right) else ())])
        return lines

    def _below(self, turn: Turn, mark: str, pieces: Iterable[Piece], width: int) -> list[Line]:
        quiet = self.ink("turn-pairs--quiet")
        lines = self._column(turn, pieces, self._room(width))
        return [[Segment(f" {mark} " if n == 0 else "   ", quiet), *line] for n, line in enumerate(lines)]

    def _column(self, turn: Turn | None, pieces: Iterable[Piece], room: int) -> list[Line]:
        """Time and speaker, then the text beside them."""
        if turn is None:
            return []
        when = fit(clock(turn.start, hours=self._hours), self._clock_cells()) + " "
        who = fit(NAMES.get(turn.speaker, turn.role or "other"), _SPEAKER_CELLS) + " "
        ink = self.ink(f"turn-pairs--{_INKS.get(turn.speaker, 'other')}")
        head = [Segment(when, self.ink("turn-pairs--quiet")), Segment(who, ink)]
        indent = Segment(" " * (len(when) + _SPEAKER_CELLS + 1))
        lines = _wrapped(pieces, room, self.ink("turn-pairs--differs"))
        if len(lines) > _LINES:
            more = Segment(f"… {count(len(lines) - _LINES + 1, 'line')} more", self.ink("turn-pairs--quiet"))
            lines = [*lines[: _LINES - 1], [more]]
        return [[*(head if n == 0 else [indent]), *line] for n, line in enumerate(lines)]

    def _half(self, width: int) -> int:
        return (width - _MIDDLE) // 2

    def _room(self, width: int) -> int:
        """Cells of the text of one turn."""
        head = self._clock_cells() + 1 + _SPEAKER_CELLS + 1
        return max((self._half(width) if width >= BESIDE else width - 4) - head, 10)

    def _clock_cells(self) -> int:
        return 7 if self._hours else 5


def _pieces_of(pair: Pair) -> tuple[list[Piece], list[Piece]]:
    """What both say, with the words that differ told apart where it is about the same that they say."""
    here, there = (clean(shown_text(turn)) if turn else "" for turn in (pair.left, pair.right))
    if pair.sign != "~" or len(here) + len(there) > 2 * _COMPARED:
        return [(here, False)], [(there, False)]
    spans = word_spans(here, there)
    return (
        _uncut([(span.text, span.op != "same") for span in spans if span.op != "ins"]),
        _uncut([(span.text, span.op != "same") for span in spans if span.op != "del"]),
    )


def _uncut(pieces: list[Piece]) -> list[Piece]:
    """No piece ends within what is drawn as one sign: its halves would be counted as more cells than they take."""
    text = "".join(piece for piece, _ in pieces)
    if text.isascii():
        return pieces
    others = [other for piece, other in pieces for _ in piece]
    begins = [begin for begin, _, _ in split_graphemes(text)[0]]
    signs = [(text[begin:end], any(others[begin:end])) for begin, end in pairwise([*begins, len(text)])]
    return [("".join(sign for sign, _ in group), other) for other, group in groupby(signs, key=lambda sign: sign[1])]


def _wrapped(pieces: Iterable[Piece], width: int, differs: Style) -> list[Line]:
    """The text of the pieces in lines of at most `width` cells, those that differ in a style of their own."""
    pieces = list(pieces)
    lines: list[Line] = []
    paragraph: list[Piece] = []
    for text, other in [*pieces, ("\n", False)]:
        first, *rest = text.split("\n")
        paragraph.append((first, other))
        for more in rest:
            lines += _paragraph(paragraph, width, differs)
            paragraph = [(more, other)]
    return lines


def _paragraph(pieces: Sequence[Piece], width: int, differs: Style) -> Iterable[Line]:
    text = capped("".join(piece for piece, _ in pieces))
    for start, end in breaks(text, width):
        line: list[Segment] = []
        at = 0
        for piece, other in pieces:
            if inside := text[max(start, at) : min(end, at + len(piece))]:
                line.append(Segment(inside, differs if other else None))
            at += len(piece)
        if end > at:  # the word about what is beyond the cap
            line.append(Segment(text[max(start, at) : end]))
        yield line
