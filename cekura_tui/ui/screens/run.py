"""One run: what was judged and what was said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.view import RunView
from cekura_tui.ui.board import Board
from cekura_tui.ui.screens.improving import Improving
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.transcript import Transcript
from cekura_tui.ui.widgets.verdicts import Verdicts


class RunScreen(Improving):
    """Shows one run of a list; `[` and `]` go to its neighbours. Leaves with the id of the run shown last."""

    AUTO_FOCUS = "Transcript"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="run.back"),
        Binding("i", "improve", "Improve", id="run.improve"),
        Binding("left_square_bracket", "go(-1)", "Previous", key_display="[", id="run.previous"),
        Binding("right_square_bracket", "go(1)", "Next", key_display="]", id="run.next"),
        Binding("tab", "app.focus_next", "Other pane", id="run.pane"),
        Binding("r", "refresh", "Refresh", id="run.refresh", show=False),
        Binding("enter", "whole_error", "Show error", id="run.error", show=False),
    ]
    HELP = """\
# Run
Verdicts, failing ones first, and the transcript. `tab` goes between them.
`i` has a better prompt proposed from this run.
"""

    def __init__(
        self, board: Board, run_id: int, beside: Callable[[int, int], Awaitable[int | None]] | None = None
    ) -> None:
        super().__init__(board)
        self._run_id = run_id
        self._at_end = False
        self._beside = beside
        """Tells the run so many rows below another in the list."""
        self._view: RunView | None = None
        self._error: CekuraTuiError | None = None

    def body(self) -> ComposeResult:
        """Headline, then verdicts and transcript."""
        yield Static(id="run-headline")
        with Horizontal(id="run-body"):
            with Vertical(id="run-verdicts"):
                yield Static(Text("Verdicts and details"), classes="pane-title")
                yield Verdicts(id="verdicts")
            with Vertical(id="run-transcript"):
                yield Static(id="transcript-title", classes="pane-title")
                yield Transcript(id="transcript")
                yield Notice(id="run-notice")

    def on_mount(self) -> None:
        """Fetch the run."""
        self._draw()
        self._load()

    @work(group="run", exclusive=True)
    async def _load(self) -> None:
        workspace, run_id = self.board.workspace, self._run_id
        try:
            if self._view is None and (cached := await workspace.call(lambda session: session.cached_run(run_id))):
                self._view = cached
                self._draw()
            self._view = await workspace.call(lambda session: session.run(run_id))
            self._error = None
        except CekuraTuiError as error:
            self._error = error
            if error.exit_status == 4:
                self.tell_error(error)
        self._draw()

    def _draw(self) -> None:
        view = self._view
        fresh = not self.query_one(Transcript).rows
        transcript, notice = self.query_one(Transcript), self.query_one(Notice)
        turns = view.transcript.turns if view else ()
        transcript.display, notice.display = bool(turns), not turns
        if view is not None:
            self.query_one(Verdicts).show_run(view)
            transcript.show_rows(turns, reset=fresh)
            notice.say(view.transcript.note or "This run has no transcript.")
        elif self._error is not None:
            notice.say_error(self._error)
        else:
            notice.say(f"Loading run {self._run_id} …")
        self._draw_headline()
        title = Text("Transcript", no_wrap=True, overflow="ellipsis", end="")
        if turns and view:
            title.append(f"  {count(len(turns), 'turn')}", style="not bold")
            if view.transcript.note:
                title.append(f"  {view.transcript.note}", style="not bold dim")
        self.query_one("#transcript-title", Static).update(title)
        if turns and not self.focused:
            transcript.focus()

    def _draw_headline(self) -> None:
        text = Text(f" Run {self._run_id} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
        if (view := self._view) is not None:
            row = view.row
            text.append(f" {row.outcome.mark} {row.outcome.text} ")
            if view.cached:
                state = "cached" if self._error is None else "unreachable"
                text.append(f" {state}, as of {self.board.when(view.got_at)}  ", style="yellow")
            facts = (row.scenario, row.personality, row.agent, row.duration, self.board.when(row.at))
            text.append(" · ".join(clean_line(fact, 60) for fact in facts if fact), style="not bold")
        self.query_one("#run-headline", Static).update(text)

    # Keys

    def action_back(self) -> None:
        """To the list, with the cursor on this run."""
        self.dismiss(self._run_id)  # type: ignore[arg-type] # whoever pushed it may want to know

    @work(group="neighbour", exclusive=True)
    async def action_go(self, step: int) -> None:
        """To the run above or below in the list."""
        if self._beside is None:
            return
        try:
            number = await self._beside(self._run_id, step)
        except CekuraTuiError as error:
            self.tell_error(error)
            return
        if number is None:
            if self._at_end:
                return  # it has been told
            self._at_end = True
            self.tell("That was the last run of the list." if step > 0 else "That was the first run of the list.")
            return
        self._run_id, self._at_end = number, False
        self._view = self._error = None
        self.query_one(Transcript).show_rows((), reset=True)
        self.query_one(Verdicts).show_rows((), reset=True)
        self._draw()
        self._load()

    def action_improve(self) -> None:
        """Improve from this run."""
        self.improve([self._run_id])

    def action_refresh(self) -> None:
        """Read it again."""
        self._load()

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self._error is not None and self._view is None:
            self.tell_error(self._error)
