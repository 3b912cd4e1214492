"""The transcript of a run: a list of turns that can be searched, with marks on the turns that verdicts cite."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar

from cekura_tui.evidence.evidence import TurnMark
from cekura_tui.model.text import LONGEST_LINE
from cekura_tui.model.transcript.search import MatchNumber, TurnMatches
from cekura_tui.model.transcript.timeline import Call, sizes_of
from cekura_tui.model.transcript.tool_call import is_tool
from cekura_tui.model.transcript.transcript import TOOLS, Speaker, Turn
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.viewport import Heights, RowHeights
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.run.turn_lines import MOST_LINES, TurnLook, line_of, raw_line, turn_lines, values_from

ROLES: tuple[tuple[str, Callable[[Speaker], bool]], ...] = (
    ("", lambda speaker: True),
    ("without tools", lambda speaker: speaker not in TOOLS),
    ("caller only", lambda speaker: speaker == "testing"),
    ("agent only", lambda speaker: speaker == "main"),
    ("tools only", lambda speaker: speaker in TOOLS),
    ("others only", lambda speaker: speaker == "other"),
)
"""Choices of speakers that `t` cycles through: a label, and a function that says whether to show a speaker."""


class TranscriptView(VirtualList[Turn]):
    """The turns of one run, keyed by number; tool calls unfold. `moved` is called with the number of the turn under the
    cursor. The call is direct, because a message would arrive only after keys typed ahead."""

    row_height = None
    keeps_top = numbered = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "transcript.open",
            "enter",
            "open",
            "Show verdict",
            "the verdict that cites the turn; a tool call unfolds",
            footer=9,
        ),
        Action("transcript.raw", "X", "raw", "Raw turn", "show or hide the raw JSON of the turn"),
        Action("transcript.unfold-all", "z", "unfold_all", "Unfold all tools", "unfold or fold all tool calls"),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    INKS: ClassVar[Mapping[str, str]] = {
        "transcript--time": "color: $muted;",
        "transcript--caller": "color: $caller; text-style: bold;",
        "transcript--agent": "color: $agent; text-style: bold;",
        "transcript--tool": "color: $muted;",
        "transcript--other": "color: $info; text-style: bold;",
        "transcript--note": "color: $muted;",
        "transcript--evidence": "color: $muted;",
        "transcript--quoted-fail": "color: $text; background: $removed-word-ground;",
        "transcript--quoted-review": "color: $warning; background: $warn-ground;",
        "transcript--quoted-pass": "color: $text; background: $added-word-ground;",
        "transcript--quoted-na": "color: $muted; background: $panel;",
        "transcript--match": "color: $text; background: $selection;",
        "transcript--match-here": "color: $background; background: $warning; text-style: bold;",
    }

    def __init__(self, *, moved: Callable[[Hashable], None] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._moved = moved
        self._look = TurnLook()
        self.search_query = ""
        self._roles = 0
        self._sizes: Sequence[tuple[int, int]] = ()
        """(characters, line breaks) in the text of each shown turn; (0, 0) for tool turns."""

    def show_call(self, call: Call, *, reset: bool = False) -> None:
        """Show a call. With `reset`, the call is of another run, and folds, speakers and search are reset. If the
        cursor is on the last turn and the end of that turn is visible, the cursor moves to the last added turn."""
        following = not reset and self.at_bottom and self._cursor == len(self._rows) - 1 >= 0
        changed = reset or call.turns != self.turns
        if reset:
            self._look, self._roles, self.search_query = TurnLook(), 0, ""
            self._repaint()
        look = self._look
        before = look.call.timings, look.clock_cells, look.call.tools.answered
        look.call = call
        self._show(reset=reset)
        if not reset and before != (call.timings, look.clock_cells, call.tools.answered):
            self.redraw()
        if changed:
            self._refresh_search()
            if following:
                self.action_last()

    def show_marks(self, marks: Mapping[int, Sequence[TurnMark]]) -> None:
        if marks != self._look.marks:
            self._look.marks = marks
            self.redraw()

    @property
    def turns(self) -> Sequence[Turn]:
        return self._look.call.turns

    @property
    def at_bottom(self) -> bool:
        last = len(self._rows) - 1
        return last < 0 or (bool(self._shown) and self._shown[-1] == (last, self.viewport.measured_height(last) - 1))

    @property
    def roles(self) -> str:
        return ROLES[self._roles][0]

    def next_roles(self) -> None:
        """Go to the next choice in ROLES that hides some turns but not all. After the last choice, show all turns."""
        for choice in range(self._roles + 1, len(ROLES)):
            shown = sum(ROLES[choice][1](turn.speaker) for turn in self.turns)
            if 0 < shown < len(self.turns):
                break
        else:
            choice = 0
        self.show_roles(choice)

    def show_roles(self, choice: int) -> None:
        """Show the speakers of `ROLES[choice]`. If the cursor's turn is hidden, move to the nearest shown turn."""
        self._roles = choice
        n = self._cursor_key
        held, line, at = self.scroll_anchor()
        top = self._rows[held].n if self._rows else 0
        self._show()
        if self._rows and isinstance(n, int | float):
            self._put_cursor(self._nearest(n))
            index = self._nearest(top)
            self.viewport.hold(index, line if self._rows[index].n == top else 0, at)
            self.repaint_changes()
        self._refresh_search()

    def go_to(self, n: int) -> None:
        """Move the cursor to turn `n`. If that turn is hidden, first show all speakers."""
        if self.index_of(n) is None:
            self.show_roles(0)
        self.move_to(n)

    def redraw(self) -> None:
        """Redraw after the look or height of turns changed, without scrolling."""
        held = self.scroll_anchor()
        self._renderer.clear()
        self.viewport.heights = self._new_heights()
        if self._laid_out:
            self.viewport.hold(*held)
        self.repaint_changes(painted=True)
        self.refresh()

    def _show(self, *, reset: bool = False) -> None:
        passes = ROLES[self._roles][1]
        rows = self.turns if self._roles == 0 else [turn for turn in self.turns if passes(turn.speaker)]
        self.show_rows(rows, reset=reset)

    def _take(self, rows: Sequence[Turn]) -> None:
        self._sizes = self._look.call.sizes if rows is self.turns else sizes_of(rows)
        super()._take(rows)

    def key_of(self, row: Turn) -> int:
        return row.n

    def index_of(self, key: Hashable, near: int = 0) -> int | None:
        if not isinstance(key, int | float) or not self._rows:
            return None
        index = self._nearest(key)
        return index if self._rows[index].n == key else None

    def _nearest(self, n: float) -> int:
        """The index of turn `n` or, if turn `n` is hidden, of the nearest shown turn."""
        index = bisect_left(self._rows, n, key=self.key_of)
        around = range(max(index - 1, 0), min(index + 1, len(self._rows)))
        return min(around, key=lambda k: abs(self._rows[k].n - n))

    def _new_heights(self) -> Heights:
        width = self._laid_out.width
        if not width:
            return RowHeights([1] * len(self._rows))
        room = self._look.room(width)
        return RowHeights(
            [min(min(size, LONGEST_LINE * (ends + 1)) // room + ends + 1, MOST_LINES) for size, ends in self._sizes]
        )

    def lines_of(self, row: Turn, width: int, state: RowState) -> list[Line]:
        return turn_lines(row, self._look, width, self.style_of)

    def _repaint(self) -> None:
        self._renderer.clear()
        self.refresh()

    def _lay_out(self) -> None:
        """Adapt to the new size. At the first layout, scroll to the match of a search that began before it."""
        view, first = self.viewport, not self._laid_out
        super()._lay_out()
        if first and (match := self._look.current) is not None and (row := self.cursor_row) is not None:
            view.hold(self._cursor, line_of(row, match.start, self._look, self._laid_out.width), view.height // 2)
            self.repaint_changes(painted=True)

    def cursor_moved(self) -> None:
        if self._moved is not None:
            self._moved(self.cursor_key)
        else:
            super().cursor_moved()

    def action_open(self) -> None:
        """Fold or unfold a tool call or tool result; open any other turn."""
        if (row := self.cursor_row) is not None and is_tool(row):
            self._look.unfolded ^= {row.n}
            self._changed_height()
            self.viewport.reveal(self._cursor)
            self.repaint_changes(painted=True)
        else:
            super().action_open()

    def action_raw(self) -> None:
        if (row := self.cursor_row) is not None and not row.n % 1:  # a fraction has no turn
            self._look.raw ^= {row.n}
            self._changed_height()
            if row.n in self._look.raw:
                self._show_line(raw_line(row, self._look, self._laid_out.width))
            self.repaint_changes(painted=True)

    def action_unfold_all(self) -> None:
        tools = {turn.n for turn in self.turns if is_tool(turn)}
        self._look.unfolded = set() if tools <= self._look.unfolded else tools
        self.redraw()

    def _changed_height(self) -> None:
        self.viewport.heights.forget(self._cursor)
        self._repaint()
        self.viewport.place(*self.viewport.top)

    def _show_line(self, line: int) -> None:
        """Scroll to the cursor's turn. If the turn is taller than the screen, scroll to line `line` of the turn."""
        view = self.viewport
        if view.measured_height(self._cursor) <= view.height:
            view.reveal(self._cursor)
        elif (self._cursor, line) not in view.lines():
            view.hold(self._cursor, line, view.height // 3)

    @property
    def match_number(self) -> MatchNumber | None:
        """The number of the current match (0 if none is current) and the number of matches; None without a search."""
        if not self.search_query:
            return None
        found, here = self._look.found, self._look.current
        place = found.place_of(here) if here is not None else None
        return MatchNumber(0 if place is None else place + 1, len(found))

    def find(self, query: str, begin: int | None = None) -> None:
        """Search, and go to the first match from turn `begin`, or the cursor's, on. An empty query ends the search."""
        self.search_query, self._look.current = query, None
        self._search()
        if found := self._look.found:
            self._go_to_match(found.first_from(self._cursor_turn if begin is None else begin))

    def next_match(self, step: int) -> bool:
        """Go to the next (`step` 1) or previous (-1) match, wrapping around; return False if there are no matches."""
        found, here = self._look.found, self._look.current
        if not found:
            return False
        if here is not None and here.n == self._cursor_turn and (place := found.place_of(here)) is not None:
            place += step
        else:  # the cursor was moved: continue from there
            place = found.first_from(self._cursor_turn) - (step < 0)
        self._go_to_match(place)
        return True

    @property
    def _cursor_turn(self) -> float:
        return self._cursor_key if isinstance(self._cursor_key, int | float) else 0

    def _refresh_search(self) -> None:
        if self.search_query:
            self._search()

    def _search(self) -> None:
        look = self._look
        look.found = TurnMatches(self._rows, self.search_query, look.text_of)
        if look.current is not None and look.found.place_of(look.current) is None:
            look.current = None
        self._repaint()

    def _state_of(self, index: int, row: Turn) -> RowState:
        state, match = super()._state_of(index, row), self._look.current
        return state if match is None or match.n != row.n else state._replace(part=match)

    def _go_to_match(self, place: int) -> None:
        look = self._look
        look.current = match = look.found[place % len(look.found)]
        if (index := self.index_of(match.n)) is None:
            return
        self._put_cursor(index)
        turn = self._rows[index]
        if is_tool(turn) and match.end > values_from(turn) and turn.n not in look.unfolded:
            look.unfolded |= {turn.n}
            self._changed_height()
        if self._laid_out:
            self._show_line(line_of(turn, match.start, look, self._laid_out.width))
        self.repaint_changes()
