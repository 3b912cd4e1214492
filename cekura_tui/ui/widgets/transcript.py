"""What was said in a run, turn by turn: a list of any number of turns, searched, and with the verdicts on them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from cekura_tui.model.call import Call
from cekura_tui.model.tool_call import is_tool
from cekura_tui.model.turn import Turn
from cekura_tui.model.turn_search import At, Found
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.signs import TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.turn_lines import line_of, raw_line, values_from
from cekura_tui.ui.widgets.turn_rows import TurnRows


class Transcript(TurnRows):
    """A list of turns in which tool calls unfold, turns show as they were sent, and words are found."""

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
        & > .transcript--agent {{ color: $text-secondary; text-style: bold; }}
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

    _asked = ""

    # Folds

    def action_open(self) -> None:
        """Unfold a call of a tool, or fold it; on what was said it is told like in any list."""
        row = self.cursor_row
        if row is not None and is_tool(row):
            self._look.unfolded ^= {row.n}
            self._changed_height()
            self._view.reveal(self._cursor)
            self._commit(None)
        else:
            super().action_open()

    def action_raw(self) -> None:
        """Show or hide the turn as the server sent it."""
        row = self.cursor_row
        if row is not None:
            self._look.raw ^= {row.n}
            self._changed_height()
            if row.n in self._look.raw:
                self._show_line(raw_line(row, self._look, self._laid_out.width))
            self._commit(None)

    def action_unfold_all(self) -> None:
        """Unfold all calls of tools, or fold them if all are."""
        tools = {turn.n for turn in self.turns if is_tool(turn)}
        self._look.unfolded = set() if tools <= self._look.unfolded else tools
        self.redraw()

    def _changed_height(self) -> None:
        """Of the cursor's turn."""
        self._view.heights.forget(self._cursor)
        self._repaint()
        self._view.place(*self._view.top)

    def _show_line(self, line: int) -> None:
        """Show the cursor's turn whole, or if it is higher than the screen, this line of it."""
        view = self._view
        if view.exact(self._cursor) <= view.height:
            view.reveal(self._cursor)
        elif (self._cursor, line) not in view.lines():
            view.hold(self._cursor, line, view.height // 3)

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
        found, here = self._look.found, self._look.current
        place = found.place_of(here) if here is not None else None
        return At(0 if place is None else place + 1, len(found))

    def find(self, asked: str, begin: int | None = None) -> None:
        """Search, and go to the first match from a turn on, the cursor's if none is named; empty ends the search."""
        self._asked, self._look.current = asked, None
        self._search()
        if found := self._look.found:
            self._go_to_match(found.first_from(self._from if begin is None else begin))

    def next_match(self, step: int) -> bool:
        """Go to the next match, or with -1 the one before; from the last on to the first. False where there is none."""
        found, here = self._look.found, self._look.current
        if not found:
            return False
        if here is not None and here.n == self._from and (place := found.place_of(here)) is not None:
            place += step
        else:  # the cursor was moved away: on from there
            place = found.first_from(self._from) - (step < 0)
        self._go_to_match(place)
        return True

    @property
    def _from(self) -> int:
        return self._cursor_key if isinstance(self._cursor_key, int) else 0

    def _search(self) -> None:
        look = self._look
        look.found = Found(self._rows, self._asked, look.text_of)
        if look.current is not None and look.found.place_of(look.current) is None:
            look.current = None
        self._repaint()

    def _state_of(self, index: int, row: Turn) -> RowState:
        state, match = super()._state_of(index, row), self._look.current
        return state if match is None or match.n != row.n else replace(state, part=match)

    def _go_to_match(self, place: int) -> None:
        look, before = self._look, self._picture()
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
        self._commit(before)

    def show_call(self, call: Call, *, reset: bool = False) -> None:
        """Show a call; in another one nothing is searched."""
        if reset:
            self._asked = ""
        super().show_call(call, reset=reset)

    def _others_shown(self) -> None:
        if self._asked:
            self._search()
