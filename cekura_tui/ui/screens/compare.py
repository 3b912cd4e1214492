"""A run beside the last one of its scenario that passed: what was said otherwise, turn by turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.turn_alignment import Pair, Sign, align
from cekura_tui.model.view import RunView
from cekura_tui.ui.board import Board
from cekura_tui.ui.screens.page import Page
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.one_line import OneLine
from cekura_tui.ui.widgets.turn_pairs import HERE, THERE, TurnPairs

_SIGNS: tuple[tuple[Sign, str], ...] = (("=", "same"), ("~", "similar"), ("<", "only here"), (">", "only there"))


class CompareScreen(Page):
    """Leaves with the number of the turn of this run that was chosen, or None."""

    AUTO_FOCUS = "TurnPairs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="compare.back"),
        Binding("n", "difference(1)", "Next difference", id="compare.next"),
        Binding("N", "difference(-1)", "Previous", id="compare.previous"),
        Binding("s", "fold", "Only differences", id="compare.fold"),
        Binding("r", "refresh", "Look again", id="compare.refresh", show=False),
        Binding("enter", "whole_error", "Show error", id="compare.error", show=False),
    ]
    HELP = """\
# Beside a passed run
This run on the left, the last passed run of the same scenario on the right; one above the other where it is narrow.
Between them: `=` the same words, `~` said otherwise (what differs is underlined), `<` only here, `>` only there.
`n` and `N` go to the differences, `s` shows only them, `enter` opens this run at the turn.
"""

    def __init__(self, board: Board, view: RunView) -> None:
        super().__init__(board)
        self._here = view
        self._there: RunView | None = None
        self._pairs: Sequence[Pair] = ()
        self._only_differences = False
        self._looking = True
        self._error: CekuraTuiError | None = None
        self._at_end = 0
        """Where it has been told that there is no further difference: after the last (1), or before the first (-1)."""

    def body(self) -> ComposeResult:
        """Both runs, what differs, and the turns."""
        yield OneLine(id="compare-here")
        yield OneLine(id="compare-there")
        yield OneLine(id="compare-told", classes="pane-title")
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
                there = await self.board.workspace.call(lambda session: session.passed_before(here))
        except CekuraTuiError as error:
            failed = error
        if there is not None and here.transcript.turns and there.transcript.turns:
            pairs = await asyncio.to_thread(align, here.transcript.turns, there.transcript.turns)
        self._there, self._pairs, self._error, self._looking = there, pairs, failed, False
        if self.gone:
            return
        self._draw(reset=True)
        if failed is not None and failed.exit_status == Exit.KEY_REFUSED:
            self.tell_error(failed)

    # Drawing

    def _draw(self, *, reset: bool = False) -> None:
        pairs, notice, there = self.query_one(TurnPairs), self.query_one(Notice), self._there
        pairs.display, notice.display = bool(self._pairs), not self._pairs
        self.query_one("#compare-here", OneLine).show(self._headline(HERE, self._here))
        other = Text() if there is None else self._headline(THERE, there, self._which(there))
        self.query_one("#compare-there", OneLine).show(other)
        self.query_one("#compare-told", OneLine).show(Text(self._told()))
        pairs.show_pairs(self._pairs, only_differences=self._only_differences, reset=reset)
        if self._error is not None:
            notice.say_error(self._error)
        elif not self._pairs:
            notice.say(*self._why_not())
        elif not self.focused:
            pairs.focus()
        self.refresh_bindings()

    def _headline(self, mark: str, view: RunView, which: str = "") -> Text:
        row = view.row
        text = Text(f"{mark} Run {row.id} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
        text.append(f"{row.outcome.mark} {clean_line(row.outcome.text, 24)} ")
        if view.cached:
            text.append(f"cached, as of {self.board.when(view.got_at)} ", style="yellow")
        facts = (row.duration, self.board.when(row.at), which or row.scenario, "" if which else row.agent)
        return text.append("".join(f"· {clean_line(fact, 60)} " for fact in facts if fact), style="not bold")

    def _which(self, there: RunView) -> str:
        if there.row.id < self._here.row.id:
            return "the last passed run before it"
        return "none passed before it, this is the newest that passed"

    def _told(self) -> str:
        """What differs first, and how much is the same."""
        if not self._pairs:
            return "Beside the last passed run"
        signs = Counter(pair.sign for pair in self._pairs)
        counts = ", ".join(f"{signs[sign]:,} {sign} {word}" for sign, word in _SIGNS if signs[sign])
        parts = [_first_difference(self._pairs), counts]
        parts += [f"run {view.row.id} was sent as text alone" for view in self._both if view.transcript.form == "text"]
        return " · ".join(parts)

    def _why_not(self) -> tuple[str, str]:
        """Why there is nothing side by side, and what to do."""
        row, keys = self._here.row, "r looks again · esc goes back"
        what = f"“{clean_line(row.scenario, 60)}”"
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
            told = any(number is not None for number in (row.agent_id, row.project_id, row.result_id))
            where = "the newest runs at the server" if told else "the runs that were opened on this machine"
            return "No passed run to compare with.", f"Among {where}, none of {what}{whose} passed.\n{keys}"
        silent = [f"Run {view.row.id}: {view.transcript.note}" for view in self._both if not view.transcript.turns]
        return "There are no turns to compare.", "\n".join([*silent, keys])

    @property
    def _both(self) -> list[RunView]:
        return [self._here, *([self._there] if self._there else [])]

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without turns there is nothing to go through."""
        if action in ("difference", "fold"):
            return bool(self._pairs)
        if action == "whole_error":
            return self._error is not None
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """To the run, where it was."""
        self.dismiss(None)

    def action_difference(self, step: int) -> None:
        """To the next difference, or the one before."""
        if self.query_one(TurnPairs).go_to_difference(step):
            self._at_end = 0
        elif self._at_end != step:
            self._at_end = step
            self.tell("No further difference below." if step > 0 else "No further difference above.")

    def action_fold(self) -> None:
        """Only what differs, or all."""
        self._only_differences = not self._only_differences
        self.query_one(TurnPairs).show_pairs(self._pairs, only_differences=self._only_differences)

    def action_refresh(self) -> None:
        """Look for it again."""
        self._looking, self._error, self._there, self._pairs = True, None, None, ()
        self._draw()
        self._load()

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self._error is not None:
            self.tell_error(self._error)

    @on(TurnPairs.Opened)
    def open_turn(self, message: TurnPairs.Opened) -> None:
        """This run at the turn, or at the one before a turn that is only there; what is folded is unfolded."""
        pairs = self.query_one(TurnPairs)
        if (row := pairs.cursor_row) is None or pairs.key_of(row) != message.key:
            return
        if row.folded:
            self.action_fold()
            return
        before = [pair.left for pair in self._pairs[: row.place + 1] if pair.left]
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
