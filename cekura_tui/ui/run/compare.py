"""A screen that compares two runs turn by turn; by default, a run with the last passed run of its scenario."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise, zip_longest
from typing import ClassVar

from rich.cells import split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Static

from cekura_tui.evidence.turn_alignment import Pair, Piece, Sign, align, first_difference, pieces_of
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.run.verdict import pair_verdicts
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import STATE_WORDS, no_passed_run_words
from cekura_tui.model.text import capped, clean_line, count
from cekura_tui.model.transcript.timeline import have_hours, time_of
from cekura_tui.model.transcript.transcript import NAMES, Turn
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import keymap_in_use
from cekura_tui.ui.kit.lines import VERDICT_MARKS, Notice, OneLine
from cekura_tui.ui.kit.page import Page, error_action
from cekura_tui.ui.kit.pane import Pane, title_parts
from cekura_tui.ui.kit.strips import EDGES, LEAST, Line, RowState, StyledText, paragraphs, strips_of
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.run.turn_lines import BAR, SPEAKER_CELLS, SPEAKER_INKS
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

SIDE_BY_SIDE = 99
"""Minimum width in cells to show two calls side by side: a terminal of 100 columns without the scroll bar."""
FIRST, SECOND = "◀", "▶"
"""Signs of the first and of the second run."""
_MIDDLE = 5
"""Cells between two columns: a rule and a sign, with spaces around each."""
_BAR = f"{BAR} "
_LINES = 200
"""Maximum number of lines drawn of one turn."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """A row of the comparison: the pair of turns at `place` or, if `folded`, that many identical pairs from there."""

    place: int
    pair: Pair
    folded: int = 0

    @property
    def differs(self) -> bool:
        return not self.folded and self.pair.sign != "="


def rows_of(pairs: Sequence[Pair], *, only_differences: bool) -> list[PairRow]:
    """One row per pair. With `only_differences`, consecutive identical pairs share one row."""
    rows = [PairRow(place, pair) for place, pair in enumerate(pairs)]
    if not only_differences:
        return rows
    folded: list[PairRow] = []
    for differs, group in groupby(rows, key=lambda row: row.differs):
        some = list(group)
        folded += some if differs else [PairRow(some[0].place, some[0].pair, len(some))]
    return folded


class TurnPairs(VirtualList[PairRow]):
    row_height = None
    numbered = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("turn-pairs.open", "enter", "open", "Open turn", "the turn in its run, or the hidden turns", footer=2),
    )
    INKS: ClassVar[Mapping[str, str]] = {
        "turn-pairs--quiet": "color: $muted;",
        "turn-pairs--rule": "color: $focus;",
        "turn-pairs--caller": "color: $caller; text-style: bold;",
        "turn-pairs--agent": "color: $agent; text-style: bold;",
        "turn-pairs--tool": "color: $muted;",
        "turn-pairs--other": "color: $info; text-style: bold;",
        "turn-pairs--sign": "color: $warning; text-style: bold;",
        "turn-pairs--differs": "color: $warning; background: $warn-ground;",
    }

    _hours = False

    def show_pairs(self, pairs: Sequence[Pair], *, only_differences: bool = False, reset: bool = False) -> None:
        turns = (turn for pair in pairs for turn in (pair.left, pair.right) if turn)
        hours = have_hours(turns)
        if hours != self._hours:
            self._hours = hours
            self.redraw()
        held = self.cursor_row
        rows = rows_of(pairs, only_differences=only_differences)
        self.show_rows(rows, reset=reset)
        if rows and held is not None and not reset and self.index_of(self.key_of(held)) is None:
            # The cursor's row was folded with its neighbours, or unfolded.
            self.move_to(self.key_of([row for row in rows if row.place <= held.place][-1]))

    def go_to_difference(self, step: int) -> bool:
        """Go to the next (`step` 1) or previous (-1) difference; return whether there was a difference to go to."""
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
        return min(max(heights) if width >= SIDE_BY_SIDE else sum(heights), _LINES)

    def lines_of(self, row: PairRow, width: int, state: RowState) -> list[Line]:
        pair, sign = row.pair, Segment(row.pair.sign, self.style_of("turn-pairs--sign"))
        if row.folded:
            text = f"… {count(row.folded, 'identical turn')} hidden …"
            hidden: Line = [Segment(text, self.style_of("turn-pairs--quiet"))]
            return [
                self._across(hidden, Segment("="), (), width) if width >= SIDE_BY_SIDE else [Segment("   "), *hidden]
            ]
        if pair.sign == "=":
            sign = Segment("=", self.style_of("turn-pairs--quiet"))
        here, there = map(_whole_graphemes, pieces_of(pair))
        if width >= SIDE_BY_SIDE:
            return self._side_by_side(pair, sign, here, there, width)
        lines = [*self._stacked(pair.left, FIRST, here, width), *self._stacked(pair.right, SECOND, there, width)]
        return [[Segment(" "), sign if n == 0 else Segment(" "), *line] for n, line in enumerate(lines)]

    def render_line(self, y: int) -> Strip:
        """Draw line `y`. Below the last row, only the rule between the calls is drawn."""
        width = self._laid_out.width
        if y < len(self._shown) or width < SIDE_BY_SIDE:
            return super().render_line(y)
        return strips_of([self._across((), Segment(" "), (), width)], width, self.rich_style)[0]

    def rule_at(self, width: int) -> int | None:
        """The cell of the rule between the calls in a list of `width` cells; None if the calls are not side by side."""
        return 2 + self._half(width) if width >= SIDE_BY_SIDE else None

    def _side_by_side(
        self, pair: Pair, sign: Segment, here: Iterable[Piece], there: Iterable[Piece], width: int
    ) -> list[Line]:
        room = self._room(width)
        both = zip_longest(self._column(pair.left, here, room), self._column(pair.right, there, room), fillvalue=())
        return [
            self._across(left, sign if n == 0 else Segment(" "), right, width) for n, (left, right) in enumerate(both)
        ]

    def _across(self, left: Line, sign: Segment, right: Line, width: int) -> Line:
        gap = Segment(" " * (self._half(width) - Segment.get_line_length(list(left)) + 1))
        rule = Segment("│", self.style_of("turn-pairs--rule"))
        return [Segment(" "), *left, gap, rule, Segment(" "), sign, Segment(" "), *right]

    def _stacked(self, turn: Turn | None, mark: str, pieces: Iterable[Piece], width: int) -> list[Line]:
        quiet = self.style_of("turn-pairs--quiet")
        lines = self._column(turn, pieces, self._room(width))
        return [[Segment(f" {mark} " if n == 0 else "   ", quiet), *line] for n, line in enumerate(lines)]

    def _column(self, turn: Turn | None, pieces: Iterable[Piece], room: int) -> list[Line]:
        if turn is None:
            return []
        quiet = self.style_of("turn-pairs--quiet")
        ink = self.style_of(f"turn-pairs--{SPEAKER_INKS.get(turn.speaker, 'other')}")
        when = fit(time_of(turn, hours=self._hours), self._clock_cells())
        who = fit(NAMES.get(turn.speaker, turn.role or "other"), SPEAKER_CELLS)
        head = [Segment(f"{when} ", quiet), Segment(f"{who} ", ink)]
        indent, bar = Segment(" " * (len(when) + SPEAKER_CELLS + 2)), Segment(_BAR, ink)
        lines = _wrapped(pieces, room, self.style_of("turn-pairs--differs"))
        if len(lines) > _LINES:
            more = Segment(f"… {count(len(lines) - _LINES + 1, 'line')} more", quiet)
            lines = [*lines[: _LINES - 1], [more]]
        return [[*(head if n == 0 else [indent]), bar, *line] for n, line in enumerate(lines)]

    def _half(self, width: int) -> int:
        return (width - EDGES - _MIDDLE) // 2

    def _room(self, width: int) -> int:
        head = self._clock_cells() + 1 + SPEAKER_CELLS + 1 + len(_BAR)
        return max((self._half(width) if width >= SIDE_BY_SIDE else width - 2 - 3 - 1) - head, LEAST)

    def _clock_cells(self) -> int:
        return 8 if self._hours else 5


def _whole_graphemes(pieces: list[Piece]) -> list[Piece]:
    """Merge pieces that split a grapheme, because its parts would count as more cells than the whole grapheme."""
    text = "".join(piece for piece, _ in pieces)
    if text.isascii():
        return pieces
    others = [other for piece, other in pieces for _ in piece]
    begins = [begin for begin, _, _ in split_graphemes(text)[0]]
    signs = [(text[begin:end], any(others[begin:end])) for begin, end in pairwise([*begins, len(text)])]
    return [("".join(sign for sign, _ in group), other) for other, group in groupby(signs, key=lambda sign: sign[1])]


def _wrapped(pieces: Iterable[Piece], width: int, differs: Style) -> list[Line]:
    """Wrap pieces of text to `width` cells, with differing pieces in style `differs`."""
    lines: list[Line] = []
    for paragraph in paragraphs(pieces):
        styled = StyledText.joined((text, differs if other else None) for text, other in paragraph)
        lines += replace(styled, text=capped(styled.text)).wrapped(width)
    return lines


_SIGNS: Mapping[Sign, str] = {"=": "same", "~": "changed", "<": "only ◀", ">": "only ▶"}
_VERDICTS = {state: f"{VERDICT_MARKS[state]} {words}" for state, words in STATE_WORDS.items()}
_of_many = partial(Action, why_not=lambda screen: None if screen.neighbour else NOT_OFFERED)
_of_turns = partial(Action, why_not=lambda screen: None if screen.pairs else NOT_OFFERED)


class CompareScreen(Page):
    """Compares two runs. Returns the number of the first run's turn that the user chose, or None."""

    PLACE = "In a comparison of runs"
    PARTS = (TurnPairs,)
    AUTO_FOCUS = "TurnPairs"
    FIRST_READS = ("compare",)
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        _of_turns("compare.next", "n", lambda screen: screen.go_to_difference(1), "Next difference", footer=1),
        _of_turns("compare.previous", "N", lambda screen: screen.go_to_difference(-1), "Previous difference"),
        _of_turns("compare.fold", "z", lambda screen: screen.toggle_fold(), "Only differences", footer=3),
        _of_many("compare.next-pair", "right_square_bracket", lambda screen: screen.go(1), "Next pair", footer=5),
        _of_many("compare.previous-pair", "left_square_bracket", lambda screen: screen.go(-1), "Previous pair"),
        Action("compare.back", "escape", lambda screen: screen.dismiss(None), "Back", footer=4),
        Action("compare.refresh", "r", lambda screen: screen.reload(), "Reload"),
        error_action("compare"),
    )
    HELP = """\
# Compare runs
The first run is on the left (◀), the second on the right (▶): the other marked run, or the last run of the
scenario before it that passed and has a transcript. In a narrow terminal one is above the other.

`=` marks the same words, `~` changed words (in colour), `<` turns of the first run only, `>` turns of the second
run only. `{turn-pairs.open}` opens the first run at the turn. Verdicts that differ are above.
"""

    def __init__(
        self,
        state: AppState,
        here: RunView | int,
        other_id: int | None = None,
        neighbour: Callable[[int], tuple[int, int] | None] | None = None,
    ) -> None:
        """`here` is the first run or its id. Without `other_id`, the second run is the scenario's last passed run.
        `neighbour` returns the next (1) or previous (-1) pair of runs."""
        super().__init__(state)
        self.neighbour = neighbour
        self._run_id, self._other_id = here if isinstance(here, int) else here.row.id, other_id
        self._here = self._given = None if isinstance(here, int) else here
        self._there: RunView | None = None
        self.pairs: Sequence[Pair] = ()
        self._only_differences = False
        self._is_loading = True

    def body(self) -> ComposeResult:
        yield OneLine(id="compare-headline")
        yield Static(id="compare-differences")
        with Pane(id="compare"):
            yield TurnPairs(id="compare-pairs")
            yield Notice(id="compare-notice")

    def on_resize(self) -> None:
        self._draw_title()

    def on_mount(self) -> None:
        self._draw()
        self._load()

    @work(group="compare", exclusive=True)
    async def _load(self, *, reload: bool = False) -> None:
        there: RunView | None = None
        pairs: Sequence[Pair] = ()
        failed: CekuraTuiError | None = None
        try:
            if self._here is None:
                self._here = await self._load_run(self._run_id, reload)
                self._draw()
            there = await self._load_other(self._here, reload)
        except CekuraTuiError as error:
            failed = error
        here = self._here
        if here is not None and there is not None and here.transcript.turns and there.transcript.turns:
            pairs = await asyncio.to_thread(align, here.transcript.turns, there.transcript.turns)
        self._there, self.pairs, self._is_loading = there, pairs, False
        if self.is_unmounted:
            return
        self._draw(reset=True, error=failed)
        if failed is not None and failed.exit_status == Exit.KEY_REFUSED:
            self.show_error(failed)

    async def _load_run(self, run_id: int, reload: bool) -> RunView:
        view, fresh = await self.state.workspace.call(lambda session: session.known_run(run_id))
        if view is not None and fresh and not reload:
            return view
        return await self.state.workspace.call(lambda session: session.run(run_id))

    async def _load_other(self, here: RunView, reload: bool) -> RunView | None:
        if self._other_id is not None:
            return await self._load_run(self._other_id, reload)
        if here.row.scenario_id is None:
            return None
        return await self.state.workspace.call(lambda session: session.passed_before(here))

    # Drawing

    def _draw(self, *, reset: bool = False, error: CekuraTuiError | None = None) -> None:
        if self.is_unmounted:
            return
        pairs = self.query_one(TurnPairs)
        first, *counts = self._summary()
        parts = (f" · {some}" for some in counts)
        headline = Content.assemble((first, "bold"), *parts, (f"  {self._scenarios()}", "$muted"))
        self.query_one("#compare-headline", OneLine).show(headline)
        differences, text = self.query_one("#compare-differences", Static), self._other_differences()
        differences.update(Content(text))
        differences.display = bool(text)
        self._draw_title()
        pairs.show_pairs(self.pairs, only_differences=self._only_differences, reset=reset)
        self.show_state(pairs, loaded=bool(self.pairs), error=error, empty=self._nothing_to_compare())
        self.refresh_bindings()

    def _draw_title(self) -> None:
        pane, there = self.query_one(Pane), self._there
        edge = 0 if pane.is_folded else 1
        rule_at = self.query_one(TurnPairs).rule_at(self.size.width - 2 * edge - 1)
        if self._here is None:
            pane.set_title(Content.assemble(*title_parts(f"{FIRST} Run {self._run_id}", ())))
            return
        which = "This run" if self._other_id is None else "Run"
        here = self._run_title(FIRST, which, self._here, whole=rule_at is not None)
        if there is None:
            pane.set_title(here)
            return
        if self._other_id is None:
            last = "Last passed with transcript:" if there.transcript.turns else "Last passed run"
            which = last if there.row.id < self._run_id else "Newest passed run (none before)"
        passed = self._run_title(SECOND, which, there, whole=rule_at is not None)
        if rule_at is None or not self.pairs:
            pane.set_title(Content.assemble(here, (" │ ", "not bold $faint"), passed))
            return
        room = rule_at + edge - 3  # a title starts in the fourth cell of its frame
        here = here.truncate(room - 2, ellipsis=True)
        line = "─" * max(room - here.cell_length - 1, 0)
        pane.set_title(Content.assemble(here, (f" {line}┬─ ", "not bold $focus"), passed))

    def _run_title(self, mark: str, which: str, view: RunView, *, whole: bool) -> Content:
        row = view.row
        is_named = mark == SECOND and self._other_id is None and not row.is_reviewed  # the title says "passed"
        outcome = "" if is_named else row.chip
        times = (row.duration, self.state.when(row.at)) if whole else ()
        cached = f"cached {self.state.when(view.got_at)}" if view.cached else ""
        return Content.assemble(*title_parts(f"{mark} {which} {row.id}", (outcome, *times, cached)))

    def _scenarios(self) -> str:
        both = self._both
        if len({view.row.scenario_id for view in both}) < 2:
            return clean_line(both[0].row.scenario, 60) if both else ""
        marked = zip((FIRST, SECOND), both, strict=True)
        return "  ".join(f"{mark} {clean_line(view.row.scenario, 60)}" for mark, view in marked)

    def _other_differences(self) -> str:
        """The personality and the verdicts of both runs, where they differ; empty if they do not."""
        here, there = self._here, self._there
        if here is None or there is None:
            return ""
        people = [clean_line(view.row.personality, 40) or "unknown" for view in (here, there)]
        parts = [f"personality {FIRST} {people[0]} {SECOND} {people[1]}"] if people[0] != people[1] else []
        ended = all(view.row.outcome.kind != "running" for view in (here, there))
        for one in pair_verdicts(here.verdicts, there.verdicts) if ended else ():
            first, second = (_VERDICTS[of.state] if of else "? not judged" for of in (one.first, one.second))
            if first != second:
                parts.append(f"{clean_line(one.verdict.name, 60)} {FIRST} {first} {SECOND} {second}")
        return f"{count(len(parts), 'other difference')}: {' · '.join(parts)}" if parts else ""

    def _summary(self) -> list[str]:
        if not self.pairs:
            return ["Compare"]
        signs = Counter(pair.sign for pair in self.pairs)
        counts = (f"{signs[sign]:,} {sign} {word}" for sign, word in _SIGNS.items() if signs[sign])
        texts = (f"run {view.row.id} is text only" for view in self._both if view.transcript.form == "text")
        return [first_difference(self.pairs), *counts, *texts]

    def _nothing_to_compare(self) -> tuple[str, str]:
        if self._here is None or (self._is_loading and self._other_id is not None):
            return f"Loading run {self._other_id if self._here else self._run_id} …", ""
        row, keys = self._here.row, keymap_in_use().hint("{compare.refresh} reload · {compare.back} back")
        if self._is_loading:
            what = f"“{clean_line(row.scenario, 60)}”" if row.scenario else "its scenario"
            return f"Looking for the last passed run of {what} …", ""
        if row.scenario_id is None and self._there is None:
            back = keymap_in_use().hint("{compare.back} back")
            return "No run to compare with.", f"The server sent no scenario for this run.\n{back}"
        if self._there is None:
            return "No passed run to compare with.", f"{no_passed_run_words(row)}\n{keys}"
        silent = [f"Run {view.row.id}: {view.transcript.note}" for view in self._both if not view.transcript.turns]
        return "No turns to compare.", "\n".join([*silent, keys])

    @property
    def _both(self) -> list[RunView]:
        return [view for view in (self._here, self._there) if view is not None]

    # Keys

    def go_to_difference(self, step: int) -> None:
        if not self.query_one(TurnPairs).go_to_difference(step):
            self.notify_once("No more differences below." if step > 0 else "No more differences above.")

    def toggle_fold(self) -> None:
        self._only_differences = not self._only_differences
        self.query_one(TurnPairs).show_pairs(self.pairs, only_differences=self._only_differences)

    def go(self, step: int) -> None:
        """Compare the next (`step` 1) or the previous (-1) pair of runs."""
        pair = self.neighbour(step) if self.neighbour else None
        if pair is None:
            self.notify_once("No more runs to compare below." if step > 0 else "No more runs to compare above.")
            return
        (self._run_id, self._other_id), self._given = pair, None
        self.reload()

    def reload(self) -> None:
        self._is_loading, self._there, self.pairs = True, None, ()
        self._here = self._given
        self._draw()
        self._load(reload=True)

    @on(TurnPairs.Opened)
    def open_turn(self) -> None:
        """Close the screen and return the first run's turn in the row. A folded row is unfolded instead. If the row has
        no turn of the first run, return the turn before the row, or else the first turn."""
        if (row := self.query_one(TurnPairs).cursor_row) is None:
            return
        if row.folded:
            self.toggle_fold()
            return
        before = [pair.left for pair in self.pairs[: row.place + 1] if pair.left]
        turn = before[-1] if before else next(pair.left for pair in self.pairs if pair.left)
        self.dismiss(turn.n)  # type: ignore[arg-type] # the run screen goes to the turn
