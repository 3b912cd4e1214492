"""A run beside the last passed one of its scenario, turn by turn: what was said otherwise.

Side by side where there is room, one below the other where not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import ClassVar

from rich.cells import split_graphemes
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from cekura_tui.evidence.turn_alignment import Pair, Sign, align, shown_text
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import capped, clean, clean_line, count
from cekura_tui.model.transcript.timeline import clock
from cekura_tui.model.transcript.transcript import NAMES, Turn
from cekura_tui.prose.words import word_spans
from cekura_tui.ui.actions import NOT_OFFERED, Action, bindings
from cekura_tui.ui.kit.lines import Notice, OneLine
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.strips import Line, RowState, breaks
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

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
_SPEAKERS = {"testing": "caller", "main": "agent", "tool_call": "tool", "tool_result": "tool"}

Piece = tuple[str, bool]
"""A stretch of a turn, and whether it is said otherwise in the other call."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair by its place among all; `folded` identical pairs from there on are one row."""

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
        & > .virtual-list--cursor { background: $cursor; }
        & > .virtual-list--cursor-blurred { background: $cursor-blurred; }
        & > .turn-pairs--quiet { color: $muted; }
        & > .turn-pairs--caller { color: $accent; }
        & > .turn-pairs--agent { color: $agent; }
        & > .turn-pairs--tool { color: $muted; }
        & > .turn-pairs--other { color: $warning; }
        & > .turn-pairs--sign { color: $warning; text-style: bold; }
        & > .turn-pairs--differs { color: $warning; text-style: underline; }
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
        """Go to the next difference (`step` 1) or the one before (-1); False where there is none."""
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
        pair, sign = row.pair, Segment(row.pair.sign, self.style_of("turn-pairs--sign"))
        if row.folded:
            text = f"… {count(row.folded, 'alike turn')} folded …"
            indent = " " * (self._half(width) - len(text) // 2) if width >= BESIDE else "  "
            return [[Segment(f"{indent}{text}", self.style_of("turn-pairs--quiet"))]]
        if pair.sign == "=":
            sign = Segment("=", self.style_of("turn-pairs--quiet"))
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
        quiet = self.style_of("turn-pairs--quiet")
        lines = self._column(turn, pieces, self._room(width))
        return [[Segment(f" {mark} " if n == 0 else "   ", quiet), *line] for n, line in enumerate(lines)]

    def _column(self, turn: Turn | None, pieces: Iterable[Piece], room: int) -> list[Line]:
        """Time and speaker, then the text beside them."""
        if turn is None:
            return []
        when = fit(clock(turn.start, hours=self._hours), self._clock_cells()) + " "
        who = fit(NAMES.get(turn.speaker, turn.role or "other"), _SPEAKER_CELLS) + " "
        ink = self.style_of(f"turn-pairs--{_SPEAKERS.get(turn.speaker, 'other')}")
        head = [Segment(when, self.style_of("turn-pairs--quiet")), Segment(who, ink)]
        indent = Segment(" " * (len(when) + _SPEAKER_CELLS + 1))
        lines = _wrapped(pieces, room, self.style_of("turn-pairs--differs"))
        if len(lines) > _LINES:
            more = Segment(f"… {count(len(lines) - _LINES + 1, 'line')} more", self.style_of("turn-pairs--quiet"))
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
    """What both say; where it is about the same, the words that differ apart."""
    here, there = (clean(shown_text(turn)) if turn else "" for turn in (pair.left, pair.right))
    if pair.sign != "~" or len(here) + len(there) > 2 * _COMPARED:
        return [(here, False)], [(there, False)]
    spans = word_spans(here, there)
    return (
        _uncut([(span.text, span.op != "same") for span in spans if span.op != "ins"]),
        _uncut([(span.text, span.op != "same") for span in spans if span.op != "del"]),
    )


def _uncut(pieces: list[Piece]) -> list[Piece]:
    """Let no piece end within what is drawn as one sign.

    Its halves would be counted as more cells than they take.
    """
    text = "".join(piece for piece, _ in pieces)
    if text.isascii():
        return pieces
    others = [other for piece, other in pieces for _ in piece]
    begins = [begin for begin, _, _ in split_graphemes(text)[0]]
    signs = [(text[begin:end], any(others[begin:end])) for begin, end in pairwise([*begins, len(text)])]
    return [("".join(sign for sign, _ in group), other) for other, group in groupby(signs, key=lambda sign: sign[1])]


def _wrapped(pieces: Iterable[Piece], width: int, differs: Style) -> list[Line]:
    """The text in lines of `width` cells at most; `differs` is the style of what differs."""
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


_SIGNS: tuple[tuple[Sign, str], ...] = (("=", "same"), ("~", "similar"), ("<", "only here"), (">", "only there"))


def _without_turns(screen: CompareScreen) -> str | None:
    """There is nothing to go through."""
    return None if screen.pairs else NOT_OFFERED


def _without_error(screen: CompareScreen) -> str | None:
    return None if screen.error is not None else NOT_OFFERED


class CompareScreen(Page):
    """Leaves with the number of the turn of this run that was chosen, or None."""

    AUTO_FOCUS = "TurnPairs"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("compare.back", "escape", "back", "Back", footer=1),
        Action("compare.next", "n", "difference(1)", "Next difference", footer=2, why_not=_without_turns),
        Action("compare.previous", "N", "difference(-1)", "Previous", footer=3, why_not=_without_turns),
        Action("compare.fold", "s", "fold", "Only differences", footer=4, why_not=_without_turns),
        Action("compare.refresh", "r", "refresh", "Look again"),
        Action("compare.error", "enter", "whole_error", "Show error", why_not=_without_error),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)
    HELP = """\
# Beside a passed run
This run on the left, the last passed run of the same scenario on the right; one above the other where it is narrow.
Between them: `=` the same words, `~` said otherwise (what differs is underlined), `<` only here, `>` only there.
`n` and `N` go to the differences, `s` shows only them, `enter` opens this run at the turn.
"""

    def __init__(self, state: AppState, view: RunView) -> None:
        super().__init__(state)
        self._here = view
        self._there: RunView | None = None
        self.pairs: Sequence[Pair] = ()
        self._only_differences = False
        self._looking = True
        self.error: CekuraTuiError | None = None
        self._at_end = 0
        """Where it was reported that there is no further difference: below (1), or above (-1)."""

    def body(self) -> ComposeResult:
        """Both runs, what differs, and the turns."""
        yield OneLine(id="compare-here")
        yield OneLine(id="compare-there")
        yield OneLine(id="compare-summary", classes="pane-title")
        yield TurnPairs(id="compare-pairs")
        yield Notice(id="compare-notice")

    def on_mount(self) -> None:
        """Look for the other run."""
        self.action_refresh()

    @work(group="compare", exclusive=True)
    async def _load(self) -> None:
        here = self._here
        there: RunView | None = None
        pairs: Sequence[Pair] = ()
        failed: CekuraTuiError | None = None
        try:
            if here.row.scenario_id is not None:
                there = await self.state.workspace.call(lambda session: session.passed_before(here))
        except CekuraTuiError as error:
            failed = error
        if there is not None and here.transcript.turns and there.transcript.turns:
            pairs = await asyncio.to_thread(align, here.transcript.turns, there.transcript.turns)
        self._there, self.pairs, self.error, self._looking = there, pairs, failed, False
        if self.gone:
            return
        self._draw(reset=True)
        if failed is not None and failed.exit_status == Exit.KEY_REFUSED:
            self.show_error(failed)

    # Drawing

    def _draw(self, *, reset: bool = False) -> None:
        pairs, notice, there = self.query_one(TurnPairs), self.query_one(Notice), self._there
        pairs.display, notice.display = bool(self.pairs), not self.pairs
        self.query_one("#compare-here", OneLine).show(self._headline(HERE, self._here))
        other = Text() if there is None else self._headline(THERE, there, self._which(there))
        self.query_one("#compare-there", OneLine).show(other)
        self.query_one("#compare-summary", OneLine).show(Text(self._summary()))
        pairs.show_pairs(self.pairs, only_differences=self._only_differences, reset=reset)
        if self.error is not None:
            notice.show_error(self.error)
        elif not self.pairs:
            notice.show(*self._nothing_to_compare())
        elif not self.focused:
            pairs.focus()
        self.refresh_bindings()

    def _headline(self, mark: str, view: RunView, which: str = "") -> Text:
        row = view.row
        text = Text(f"{mark} Run {row.id} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
        text.append(f"{row.outcome.mark} {clean_line(row.outcome.text, 24)} ")
        if view.cached:
            text.append(f"cached, as of {self.state.when(view.got_at)} ", style="yellow")
        facts = (row.duration, self.state.when(row.at), which or row.scenario, "" if which else row.agent)
        return text.append("".join(f"· {clean_line(fact, 60)} " for fact in facts if fact), style="not bold")

    def _which(self, there: RunView) -> str:
        if there.row.id < self._here.row.id:
            return "the last passed run before it"
        return "none passed before it, this is the newest that passed"

    def _summary(self) -> str:
        """What differs first, and how much is the same."""
        if not self.pairs:
            return "Beside the last passed run"
        signs = Counter(pair.sign for pair in self.pairs)
        counts = ", ".join(f"{signs[sign]:,} {sign} {word}" for sign, word in _SIGNS if signs[sign])
        parts = [_first_difference(self.pairs), counts]
        parts += [f"run {view.row.id} was sent as text alone" for view in self._both if view.transcript.form == "text"]
        return " · ".join(parts)

    def _nothing_to_compare(self) -> tuple[str, str]:
        """Why there is nothing side by side, and what to do."""
        row, keys = self._here.row, "r looks again · esc goes back"
        what = f"“{clean_line(row.scenario, 60)}”" if row.scenario else "its scenario"
        if self._looking:
            return f"Looking for the last passed run of {what} …", ""
        if row.scenario_id is None:
            return (
                "There is no run to compare with.",
                "The server did not say which scenario this run is of, so no other run of it can be looked for.\n"
                "esc goes back",
            )
        if self._there is None:
            whose = f" with {clean_line(row.agent, 60)}" if row.agent else ""
            listed = any(number is not None for number in (row.agent_id, row.project_id, row.result_id))
            where = "the newest runs at the server" if listed else "the runs that were opened on this machine"
            return "No passed run to compare with.", f"Among {where}, none of {what}{whose} passed.\n{keys}"
        silent = [f"Run {view.row.id}: {view.transcript.note}" for view in self._both if not view.transcript.turns]
        return "There are no turns to compare.", "\n".join([*silent, keys])

    @property
    def _both(self) -> list[RunView]:
        return [self._here, *([self._there] if self._there else [])]

    # Keys

    def action_back(self) -> None:
        """To the run, where it was."""
        self.dismiss(None)

    def action_difference(self, step: int) -> None:
        """To the next difference, or the one before."""
        if self.query_one(TurnPairs).go_to_difference(step):
            self._at_end = 0
        elif self._at_end != step:
            self._at_end = step
            self.notify_once("No further difference below." if step > 0 else "No further difference above.")

    def action_fold(self) -> None:
        """Only what differs, or all."""
        self._only_differences = not self._only_differences
        self.query_one(TurnPairs).show_pairs(self.pairs, only_differences=self._only_differences)

    def action_refresh(self) -> None:
        """Look for it again."""
        self._looking, self.error, self._there, self.pairs = True, None, None, ()
        self._draw()
        self._load()

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self.error is not None:
            self.show_error(self.error)

    @on(TurnPairs.Opened)
    def open_turn(self, message: TurnPairs.Opened) -> None:
        """Go to the turn of this run, or the one before; unfold what is folded."""
        pairs = self.query_one(TurnPairs)
        if (row := pairs.cursor_row) is None or pairs.key_of(row) != message.key:
            return
        if row.folded:
            self.action_fold()
            return
        before = [pair.left for pair in self.pairs[: row.place + 1] if pair.left]
        turn = before[-1] if before else self._here.transcript.turns[0]
        self.dismiss(turn.n)  # type: ignore[arg-type] # whoever pushed it may want to know


def _first_difference(pairs: Sequence[Pair]) -> str:
    place = next((place for place, pair in enumerate(pairs) if pair.sign != "="), None)
    if place is None:
        return f"No difference in {count(len(pairs), 'turn')}"
    if (turn := pairs[place].left) is not None:
        return f"First differs at turn {turn.n}"
    before = pairs[place - 1].left if place else None
    return f"First differs after turn {before.n}" if before else "First differs before turn 1"
