"""Two prompts of an agent, as a diff."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.prompt_use import PromptUse
from cekura_tui.model.prose_compare import compare
from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.board import Board
from cekura_tui.ui.screens.page import Page
from cekura_tui.ui.widgets.notice import Notice
from cekura_tui.ui.widgets.one_line import OneLine
from cekura_tui.ui.widgets.prompt_use_list import how_words
from cekura_tui.ui.widgets.prose_diff import ProseDiffView


@dataclass(frozen=True, slots=True)
class Compared:
    """Two uses of an agent's prompts: what changed from `old` to `new` is shown."""

    agent_name: str
    old: PromptUse
    new: PromptUse


class PromptDiffScreen(Page):
    """What one prompt of an agent changes of another."""

    AUTO_FOCUS = "ProseDiffView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="prompt-diff.back"),
        Binding("r", "refresh", "Retry", id="prompt-diff.refresh", show=False),
        Binding("enter", "whole_error", "Show error", id="prompt-diff.error", show=False),
    ]
    HELP = """\
# Two prompts
What went from the first and what came with the second. `n` and `N` go from change to change.
"""

    def __init__(self, board: Board, compared: Compared) -> None:
        super().__init__(board)
        self._compared = compared
        self._error: CekuraTuiError | None = None

    def body(self) -> ComposeResult:
        """Which two, and the diff."""
        yield OneLine(id="prompt-diff-headline")
        yield OneLine(id="prompt-diff-old", classes="pane-title")
        yield OneLine(id="prompt-diff-new", classes="pane-title")
        yield ProseDiffView(id="prompt-diff")
        yield Notice(id="prompt-diff-notice")

    def on_mount(self) -> None:
        """Compare them."""
        self._headline("")
        for name, mark, use in (("old", "−", self._compared.old), ("new", "+", self._compared.new)):
            told = f"{mark} {how_words(use)} · {self.board.when(use.at)} · {count(use.words, 'word')}"
            self.query_one(f"#prompt-diff-{name}", OneLine).show(Text(told))
        self.action_refresh()

    def _headline(self, told: str) -> None:
        text = Text(f" Prompts of {clean_line(self._compared.agent_name, 40)} ", style="bold", end="")
        self.query_one("#prompt-diff-headline", OneLine).show(text.append(told, style="not bold"))

    def action_refresh(self) -> None:
        """Compare them once more."""
        self._error = None
        self.query_one(ProseDiffView).display = False
        self.query_one(Notice).display = True
        self.query_one(Notice).say("Comparing …")
        self._load()

    @work(group="prompt-diff", exclusive=True)
    async def _load(self) -> None:
        call = self.board.workspace.call
        try:
            old = await call(lambda session: session.history.text(self._compared.old.sha256))
            new = await call(lambda session: session.history.text(self._compared.new.sha256))
        except CekuraTuiError as error:
            self._error = error
            if not self.gone:
                self.query_one(Notice).say_error(error)
            return
        diff = await asyncio.to_thread(compare, old, new)
        if not self.gone:
            self._show(diff)

    def _show(self, diff: ProseDiff) -> None:
        notice, view = self.query_one(Notice), self.query_one(ProseDiffView)
        if diff.is_same:
            notice.say("No change.", "Both are the same, to the byte.\nesc goes back")
            return
        changes = count(len(diff.worded), "change")
        words = f"+{diff.added_words:,} −{diff.removed_words:,} words"
        self._headline("".join(f"· {part} " for part in (changes, words, diff.coarse) if part))
        view.show_diff(diff)
        notice.display, view.display = False, True
        view.focus()

    def action_whole_error(self) -> None:
        """The whole of the error that is shown."""
        if self._error is not None:
            self.tell_error(self._error)
