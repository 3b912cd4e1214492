"""A suggestion: what was changed and why, then the diff of the two prompts."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Suggestion
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.hand_off import HandOffDialog
from cekura_tui.ui.screens.page import Page
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.prose_diff import ProseDiffView


class SuggestionScreen(Page):
    """The outcome of one job that succeeded."""

    AUTO_FOCUS = "ProseDiffView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="suggestion.back"),
        Binding("y", "hand_off", "Save, copy", id="suggestion.hand-off"),
        Binding("d", "details", "Details", id="suggestion.details"),
        Binding("r", "refresh", "Retry", id="suggestion.refresh", show=False),
        Binding("tab", "app.focus_next", "Summary", id="suggestion.pane"),
    ]
    HELP = """\
# Suggestion
Removed words are struck through, added ones underlined. `n` and `N` go from change to change,
`y` saves the improved prompt to a file, exactly, or copies it; `d` shows all that is known of the job.
"""

    def __init__(self, board: Board, number: int) -> None:
        super().__init__(board)
        self.number = number
        self._suggestion: Suggestion | None = None

    def body(self) -> ComposeResult:
        """Headline, summary, diff."""
        yield Static(id="suggestion-headline")
        with VerticalScroll(id="summary"):
            yield Static(id="summary-text")
        yield ProseDiffView(id="diff")
        yield Notice(id="suggestion-notice")

    def on_mount(self) -> None:
        """Read the texts."""
        self._headline("")
        self.query_one(Notice).say("Comparing …")
        self.query_one(ProseDiffView).display = False
        self._load()

    def _headline(self, told: str) -> None:
        text = Text(f" Suggestion of job {self.number} ", style="bold", no_wrap=True, overflow="ellipsis", end="")
        self.query_one("#suggestion-headline", Static).update(text.append(told, style="not bold"))

    @work(group="suggestion", exclusive=True)
    async def _load(self) -> None:
        try:
            done, diff = await self.board.workspace.call(lambda session: session.jobs.comparison(self.number))
        except CekuraTuiError as error:
            if not self.gone:
                self.query_one(Notice).say_error(error)
            return
        if self.gone:
            return
        notice, view = self.query_one(Notice), self.query_one(ProseDiffView)
        self._suggestion = done
        runs = ", ".join(map(str, done.job.run_ids))
        changes = count(diff.changes, "change")
        self._headline(
            f"· {changes} · +{diff.added_words} −{diff.removed_words} words · from run {runs} · "
            f"{clean_line(done.job.agent_name, 40)}"
        )
        summary = clean(done.job.summary_of_changes or "The server sent no summary.")
        self.query_one("#summary-text", Static).update(Text(summary))
        if diff.is_same:
            notice.say("No change.", "The proposal is the prompt that was sent, word for word.")
            return
        view.show_diff(diff)
        notice.display, view.display = False, True
        view.focus()

    def action_refresh(self) -> None:
        """Read them again."""
        if self._suggestion is None:
            self._load()

    def action_details(self) -> None:
        """All that is known of its job."""
        from cekura_tui.ui.screens.job import JobScreen

        self.app.push_screen(JobScreen(self.board, self.number))

    @work(group="hand-off", exclusive=True)
    async def action_hand_off(self) -> None:
        """Save or copy the improved prompt."""
        if self._suggestion is None or self._suggestion.improved_prompt is None:
            return
        told = await self.app.push_screen_wait(HandOffDialog(self.number, self._suggestion.improved_prompt))
        if told:
            self.tell(told)
