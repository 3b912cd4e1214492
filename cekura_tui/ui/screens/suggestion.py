"""A suggestion: what the server says of it, the diff of the two prompts, and the text as it is staged."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import count
from cekura_tui.ui.board import Board
from cekura_tui.ui.screens.page import too_small
from cekura_tui.ui.screens.suggestion_ways import SuggestionWays
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.one_line import OneLine
from cekura_tui.ui.widgets.prose_diff import ProseDiffView
from cekura_tui.ui.widgets.staged_text import StagedText
from cekura_tui.ui.widgets.suggestion_words import headline, summary, told_of_hunks
from cekura_tui.ui.widgets.virtual_list import VirtualList
from cekura_tui.workspace.suggestions import Why

if TYPE_CHECKING:
    from cekura_tui.workspace.suggestions import Reading


class SuggestionScreen(SuggestionWays):
    """The outcome of one job that succeeded."""

    AUTO_FOCUS = "ProseDiffView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "change(1)", "Next", id="suggestion.next"),
        Binding("N", "change(-1)", "Prev", id="suggestion.previous", show=False),
        Binding("a", "accept", "Accept", id="suggestion.accept"),
        Binding("x", "reject", "Reject", id="suggestion.reject"),
        Binding("e", "edit", "Edit", id="suggestion.edit"),
        Binding("A", "accept_all", "Accept all", id="suggestion.accept-all", show=False),
        Binding("s", "staged", "Staged", id="suggestion.staged"),
        Binding("y", "hand_off", "Save, copy", id="suggestion.hand-off"),
        Binding("u", "undo", "Undo", id="suggestion.undo"),
        Binding("p", "put_on_agent", "Put on agent", id="suggestion.put-on-agent"),
        Binding("i", "try_again", "Try again", id="suggestion.try-again"),
        Binding("enter", "turn", "The turn behind it", id="suggestion.turn", show=False),
        Binding("enter", "whole_error", "Show error", id="suggestion.error", show=False),
        Binding("h", "history", "Prompt history", id="suggestion.history", show=False),
        Binding("d", "details", "Details", id="suggestion.details", show=False),
        Binding("tab", "app.focus_next", "Pane", id="suggestion.pane", show=False),
        Binding("r", "refresh", "Read anew", id="suggestion.refresh", show=False),
        Binding("escape", "app.pop_screen", "Back", id="suggestion.back"),
    ]
    HELP = """\
# Suggestion
`-` went, `+` came, `~` both; `→` and `←` moved. `n` and `N` go from change to change, `f` unfolds what is unchanged,
`w` shows the changes alone. `a` accepts the change under the cursor, `x` rejects it, `e` words it otherwise, `A`
accepts all, `u` takes the last step back. What is not accepted is not in the staged text, which `s` shows or hides.

`enter` goes to the turn that a change seems to answer, `esc` comes back. `tab` goes to the summary and the issues.
`y` saves the staged prompt, a patch, or copies; `p` puts it on the agent; `i` has it improved once more.
`h` shows the prompts that the agent had, `d` all that is known of the job.
"""

    def __init__(self, board: Board, number: int) -> None:
        super().__init__(board, number)
        self._error: CekuraTuiError | None = None

    def body(self) -> ComposeResult:
        """Headline and summary, then the diff, and the staged text where there is room or it is wished for."""
        yield OneLine(id="suggestion-headline")
        with VerticalScroll(id="summary"):
            yield Static(id="summary-text")
        yield ProseDiffView(id="diff")
        yield OneLine(id="staged-title", classes="pane-title")
        yield StagedText(id="staged")
        yield Notice(id="suggestion-notice")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.draw()

    def on_screen_resume(self) -> None:
        """Here, or back from something else: another window may have chosen meanwhile."""
        self._load()

    @work(group="suggestion", exclusive=True)
    async def _load(self) -> None:
        try:
            reading = await self.board.workspace.call(lambda session: session.suggestions.read(self.number))
        except CekuraTuiError as error:
            self._error = error
            if self.reading is not None and not self.gone:
                self.tell(f"It could not be read anew. {error.sentence()}", warning=True)
            self.draw()
            return
        first, self.reading, self._error = self.reading is None, reading, None
        if first:
            self._typed.update(reading.typed)
        self.draw()
        if first and not self.gone:
            (self.query_one(ProseDiffView) if self.has_changes else self.query_one("#summary")).focus()
            self._ask_why(reading)

    @work(group="why", exclusive=True)
    async def _ask_why(self, reading: Reading) -> None:
        """What the runs tell takes longer; nobody waits for it to choose."""
        try:
            self.why = await self.board.workspace.call(lambda session: session.suggestions.why(reading))
        except CekuraTuiError as error:
            self.why = Why(problems=(f"What the runs tell could not be read: {error.message}",))
        self.draw()

    def draw(self) -> None:
        """Everything that is known."""
        if self.gone:
            return
        reading, notice = self.reading, self.query_one(Notice)
        self.query_one("#suggestion-headline", OneLine).show(headline(self.number, reading))
        self.set_class(self.has_changes, "-changes")
        self.set_class(reading is not None, "-read")
        if reading is not None:
            text, shown = summary(reading.done, reading.diff, self.why), self.query_one("#summary-text", Static)
            if shown.content != text:
                shown.update(text)
            self.query_one(ProseDiffView).show_diff(
                reading.diff, reading.choices, told_of_hunks(reading.diff, self.why)
            )
            self._draw_staged()
            notice.say("No change.", "The proposal is the prompt that was sent, word for word.")
        elif self._error is not None:
            notice.say_error(self._error)
        else:
            notice.say("Comparing …")
        self.refresh_bindings()

    @on(ProseDiffView.HunkMoved)
    def _draw_staged(self) -> None:
        """The staged text, at the change under the cursor."""
        if (reading := self.reading) is None:
            return
        hunk = self.hunk
        title = Text(" Staged ", no_wrap=True, overflow="ellipsis", end="")
        told = [count(len(reading.staged.split()), "word")] + ([f"at change {hunk.number}"] if hunk else [])
        title.append(f" {' · '.join(told)}", style="not bold")
        self.query_one("#staged-title", OneLine).show(title)
        self.query_one(StagedText).show(reading.diff, reading.choices, hunk.number if hunk else None)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something here."""
        if action in ("change", "staged", "turn"):
            return self.has_changes
        if action == "whole_error":
            return self._error is not None and self.reading is None
        return super().check_action(action, parameters)

    def action_change(self, step: int) -> None:
        """To the next or previous change, from wherever the focus is."""
        self.query_one(ProseDiffView).action_change(step)

    def action_staged(self) -> None:
        """Where there is room for both, show or hide the staged text; else it and the diff change places."""
        if self.has_class("-tall"):
            self.toggle_class("-unstaged")
        else:
            self.toggle_class("-staged")
        self._focus_shown()

    def _focus_shown(self) -> None:
        alone = self.has_class("-staged") and not self.has_class("-tall")
        (self.query_one(StagedText) if alone else self.query_one(ProseDiffView)).focus()

    def watch_focused(self, former: Widget | None, now: Widget | None) -> None:
        """Of the diff and the staged text one may have no room any more; the other has the focus then."""
        super().watch_focused(former, now)
        left = isinstance(former, ProseDiffView | StagedText) and not former.display
        if left and self.has_changes and not too_small(self.app.size):
            self.call_after_refresh(self._focus_shown)

    def on_resize(self) -> None:
        """What had the focus may have no room any more."""
        if self.has_changes and self.focused is None:
            self.call_after_refresh(self._focus_shown)

    @on(VirtualList.Opened)
    def opened(self, message: VirtualList.Opened) -> None:
        """Enter on a change goes to the turn behind it; what is unchanged is unfolded."""
        view = self.query_one(ProseDiffView)
        if message.list is view and view.hunk is None:
            view.action_fold()
        else:
            self.action_turn()

    def action_refresh(self) -> None:
        """Read it again, and what the runs tell."""
        self._load()
        if self.reading is not None:
            self._ask_why(self.reading)

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self._error is not None:
            self.tell_error(self._error)
