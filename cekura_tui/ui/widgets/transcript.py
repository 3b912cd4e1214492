"""What was said in a run, turn by turn: a list of any number of turns, searched, and with the verdicts on them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from cekura_tui.model.timeline import Timing
from cekura_tui.model.tool_call import ToolCalls
from cekura_tui.model.turn import TOOLS, Speaker, Turn
from cekura_tui.model.turn_marks import TurnMark
from cekura_tui.model.turn_search import At, Match, find_in_turns
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_heights import Heights, RowHeights
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.turn_lines import Look, are_long, is_tool, line_of, text_shown, turn_lines
from cekura_tui.ui.widgets.virtual_list import VirtualList

ROLES: tuple[tuple[str, Callable[[Speaker], bool]], ...] = (
    ("", lambda speaker: True),
    ("without tools", lambda speaker: speaker not in TOOLS),
    ("caller only", lambda speaker: speaker == "testing"),
    ("agent only", lambda speaker: speaker == "main"),
    ("tools only", lambda speaker: speaker in TOOLS),
    ("others only", lambda speaker: speaker == "other"),
)
"""What `t` goes through: in words, and who is shown."""


class Transcript(VirtualList[Turn]):
    """The turns of one run, keyed by their number."""

    row_height = None
    keeps_top = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "raw", "Raw turn", id="transcript.raw", show=False),
        Binding("X", "unfold_all", "All tools", id="transcript.unfold-all", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "transcript--time",
        "transcript--caller",
        "transcript--agent",
        "transcript--tool",
        "transcript--other",
        "transcript--note",
        "transcript--evidence",
        "transcript--quoted",
        "transcript--match",
        "transcript--match-here",
    } | TONE_CLASSES
    DEFAULT_CSS = f"""
    Transcript {{
        & > .virtual-list--cursor {{ background: $primary 25%; }}
        & > .virtual-list--cursor-blurred {{ background: $foreground 8%; }}
        & > .transcript--time {{ color: $text-muted; }}
        & > .transcript--caller {{ color: $text-accent; text-style: bold; }}
        & > .transcript--agent {{ color: $text-primary; text-style: bold; }}
        & > .transcript--tool {{ color: $text-muted; }}
        & > .transcript--other {{ color: $text-warning; }}
        & > .transcript--note {{ color: $text-muted; text-style: italic; }}
        & > .transcript--evidence {{ color: $warning; text-style: italic; }}
        & > .transcript--quoted {{ text-style: underline; }}
        & > .transcript--match {{ text-style: reverse; }}
        & > .transcript--match-here {{ color: $warning; text-style: bold reverse; }}
        {TONE_CSS}
    }}
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, id=id, classes=classes)
        self._look = Look()
        self._all: Sequence[Turn] = ()
        self._roles = 0
        self._sizes: list[tuple[int, int]] = []
        """Of each row that is shown the characters and the line ends of its text; a tool's are none."""
        self._asked = ""
        self._found: list[Match] = []

    # What is shown

    def show_turns(self, turns: Sequence[Turn], timings: Mapping[int, Timing], *, reset: bool = False) -> None:
        """Show a run's turns, with `reset` another run's. Growing ones are followed from the bottom."""
        following = not reset and self.at_bottom and self._cursor == len(self._rows) - 1 >= 0
        grown = len(turns) > len(self._all)
        hours = are_long(turns)
        anew = (timings, hours) != (self._look.timings, self._look.hours)
        self._look.timings, self._look.hours, self._look.tools = timings, hours, ToolCalls(turns)
        if reset:
            self._look.unfolded, self._look.raw, self._look.marks, self._roles = set(), set(), {}, 0
            self._asked, self._found, self._look.matches, self._look.current = "", [], {}, None
        self._all = turns
        self._show(reset=reset)
        if anew and not reset:
            self.redraw()
        if self._asked:
            self._search()
        if following and grown:
            self.action_last()

    def show_marks(self, marks: Mapping[int, Sequence[TurnMark]]) -> None:
        """These verdicts speak of these turns."""
        if marks != self._look.marks:
            self._look.marks = marks
            self.redraw()

    @property
    def turns(self) -> Sequence[Turn]:
        """All turns, those of hidden roles too."""
        return self._all

    @property
    def at_bottom(self) -> bool:
        """Whether the last line of the last turn is on screen."""
        return not self._rows or (bool(self._shown) and self._shown[-1] == self._last_line())

    @property
    def roles(self) -> str:
        """Which roles are shown, in words; empty for all."""
        return ROLES[self._roles][0]

    def next_roles(self) -> None:
        """Show other roles: the next choice that leaves something to see, after the last one all again."""
        choices = [*range(self._roles + 1, len(ROLES)), 0]
        self.show_roles(next(k for k in choices if k == 0 or self._differs(k)))

    def show_roles(self, choice: int) -> None:
        """Show the roles of `ROLES[choice]`."""
        self._roles = choice
        self._show()
        if self._asked:
            self._search()

    def go_to(self, n: int) -> None:
        """Put the cursor on a turn; one whose role is hidden brings all roles back."""
        if self.index_of(n) is None:
            self.show_roles(0)
        self.move_to(n)

    def _differs(self, choice: int) -> bool:
        shown = sum(ROLES[choice][1](turn.speaker) for turn in self._all)
        return 0 < shown < len(self._all)

    def _show(self, *, reset: bool = False) -> None:
        passes = ROLES[self._roles][1]
        rows = self._all if self._roles == 0 else [turn for turn in self._all if passes(turn.speaker)]
        self.show_rows(rows, reset=reset)

    def _last_line(self) -> tuple[int, int]:
        last = len(self._rows) - 1
        return last, self._view.exact(last) - 1

    # Rows

    def _take(self, rows: Sequence[Turn]) -> None:
        self._sizes = [(0, 0) if is_tool(turn) else (len(turn.text), turn.text.count("\n")) for turn in rows]
        super()._take(rows)

    def key_of(self, row: Turn) -> int:
        return row.n

    def _new_heights(self) -> Heights:
        width = self._laid_out.width
        if not width:
            return RowHeights([1] * len(self._rows))
        # The widest and the narrowest text are a few cells apart: one guess does for all.
        room = max(self._look.room(self._rows[0], width), 1) if self._rows else 1
        return RowHeights([1 + size // room + lines for size, lines in self._sizes])

    def lines_of(self, row: Turn, width: int, state: RowState) -> list[Line]:
        return turn_lines(row, self._look, width, self.ink)

    # Folds

    def action_open(self) -> None:
        """Unfold a call of a tool, or fold it; on what was said it is told like in any list."""
        row = self.cursor_row
        if row is not None and is_tool(row):
            self._turn_over(self._look.unfolded, row.n)
        else:
            super().action_open()

    def action_raw(self) -> None:
        """Show or hide the turn as the server sent it."""
        if self.cursor_row is not None:
            self._turn_over(self._look.raw, self.cursor_row.n)

    def action_unfold_all(self) -> None:
        """Unfold all calls of tools, or fold them if all are."""
        tools = {turn.n for turn in self._all if is_tool(turn)}
        self._look.unfolded = set() if tools <= self._look.unfolded else tools
        self.redraw()

    def _turn_over(self, of: set[int], n: int) -> None:
        of ^= {n}
        self._changed_height(n)

    def _changed_height(self, n: int) -> None:
        self._strips.clear()
        if (index := self.index_of(n, near=self._cursor)) is not None:
            self._view.heights.forget(index)
            self._view.place(*self._view.top)
            self._commit(None)
            self.refresh()

    # Search

    @property
    def asked(self) -> str:
        """What is searched, or empty."""
        return self._asked

    @property
    def at(self) -> At | None:
        """Which match one is at; None where nothing is searched."""
        if not self._asked:
            return None
        here = self._look.current
        place = bisect_left(self._found, here) + 1 if here is not None else 0
        return At(place, len(self._found))

    def find(self, asked: str, begin: int | None = None) -> None:
        """Search, and go to the first match from a turn on, the cursor's if none is named; empty ends the search."""
        self._asked = asked
        self._search()
        self._look.current = None
        if self._found:
            key = begin if begin is not None else self._cursor_key if isinstance(self._cursor_key, int) else 0
            place = bisect_left(self._found, (key, 0, 0))
            self._go_to_match(place % len(self._found))
        self._repaint()

    def next_match(self, step: int) -> bool:
        """Go to the next match, or with -1 the one before; from the last on to the first. False where there is none."""
        if not self._found:
            return False
        here = self._look.current
        key = self._cursor_key if isinstance(self._cursor_key, int) else 0
        if here is not None and here[0] == key:
            place = bisect_left(self._found, here) + step
        else:  # the cursor was moved away: on from there
            place = bisect_left(self._found, (key, 0, 0)) - (step < 0)
        self._go_to_match(place % len(self._found))
        self._repaint()
        return True

    def _search(self) -> None:
        shown: Iterable[Turn] = self._rows
        self._found = find_in_turns(shown, self._asked, text_shown)
        matches: dict[int, list[tuple[int, int]]] = {}
        for n, start, end in self._found:
            matches.setdefault(n, []).append((start, end))
        self._look.matches = matches
        self._repaint()

    def _go_to_match(self, place: int) -> None:
        match = self._found[place]
        self._look.current = match
        self.move_to(match.n)
        turn = self.cursor_row
        if turn is None:
            return
        if is_tool(turn) and turn.n not in self._look.unfolded:
            self._turn_over(self._look.unfolded, turn.n)
        line = line_of(turn, match.start, self._look, self._laid_out.width)
        if (self._cursor, line) not in self._shown:
            before = self._picture()
            self._view.hold(self._cursor, line, self._laid_out.height // 3)
            self._commit(before)

    def _repaint(self) -> None:
        """Other styles on the same lines."""
        self._strips.clear()
        self.refresh()
