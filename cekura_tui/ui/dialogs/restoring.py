"""Putting back the prompt that an agent had before it was written from here, after asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import App

from cekura_tui.model.prompt_use import PromptUse
from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.confirm import ConfirmDialog
from cekura_tui.workspace.read_only import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.workspace.placing import Written


def change_words(diff: ProseDiff) -> str:
    """How many words a change takes and brings: "6 words go, 14 come"."""
    if not diff.removed_words and not diff.added_words:
        return "white space alone changes" if diff.hunks else "nothing changes"
    return f"{count(diff.removed_words, 'word')} go{'es' if diff.removed_words == 1 else ''}, {diff.added_words:,} come"


def former_words(use: PromptUse, board: Board) -> str:
    """How much it is and when it was replaced: "812 words, Mon 14:05"."""
    return f"{count(use.words, 'word')}, {board.when(use.at)}"


@dataclass(frozen=True, slots=True)
class Restoring:
    """Asks whether an agent is to have its former prompt back, and has that done.

    `begun` is called when somebody has said yes, before anything is sent.
    """

    app: App[object]
    board: Board
    agent_id: int
    begun: Callable[[], None]

    async def ask(self) -> Written | None:
        """To be awaited in a worker. None where somebody thought better of it; raises what `AgentPrompts.look_back` and
        `restore` do."""
        refuse_read_only(self.board.workspace.setup.read_only, "nothing was restored")
        call = self.board.workspace.call
        former = await call(lambda session: session.agent_prompts.look_back(self.agent_id))
        name = clean_line(former.agent.name, 60)
        what = f"{name} (agent {self.agent_id}) had another prompt before: {former_words(former.use, self.board)}."
        kept = "What it has now is kept in its history and can be restored again."
        told = [*former.warnings, f"{what} Putting it back: {change_words(former.change)}.", kept]
        question = ConfirmDialog(f"Restore the former prompt of {name}?", "\n".join(told), "Restore it")
        if not await self.app.push_screen_wait(question):
            return None
        self.begun()
        return await call(lambda session: session.agent_prompts.restore(former))
