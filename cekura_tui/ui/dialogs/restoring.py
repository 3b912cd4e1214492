"""Putting back the prompt that an agent had before it was written from here, after asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import App

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.prompt_use import PromptUse
from cekura_tui.model.prose_compare import compare
from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.text import clean_line, count, sha256
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.confirm import ConfirmDialog
from cekura_tui.workspace.placing import Drifted
from cekura_tui.workspace.read_only import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.workspace.placing import Written
    from cekura_tui.workspace.session import Session


def former_use(uses: Sequence[PromptUse], last: PromptUse | None, here: str) -> PromptUse | None:
    """What a restore would put back: of all that was replaced, what was last and is another text than the agent has.

    `uses` is the agent's history, newest first, `last` what its last write replaced, `here` the hash of what it has; an
    empty one stands for what was written last.
    """
    here = here or next((use.sha256 for use in uses if use.how == "written"), "")
    replaced = [*([last] if last else []), *(use for use in uses if use.how == "replaced")]
    return next((use for use in replaced if use.sha256 != here), None)


async def find_former(session: Session, agent_id: int, here: str = "") -> PromptUse | None:
    """What a restore would put back, on the session's loop; raises StoreError."""
    last = await session.history.last_replaced(agent_id)
    return former_use(await session.history.list(agent_id), last, here)


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
    name: str
    begun: Callable[[], None]

    async def ask(self, here: str = "") -> Written | None:
        """To be awaited in a worker; `here` is the hash of what the agent has, if that is known.

        None where somebody thought better of it. Raises what `AgentPrompts.restore` does, but for the Drifted that is
        asked about.
        """
        refuse_read_only(self.board.workspace.setup.read_only, "nothing was restored")
        call, name = self.board.workspace.call, clean_line(self.name, 60)
        former, change = await call(lambda session: self._look(session, here))
        if former is not None:
            what = (
                f"{name} (agent {self.agent_id}) had another prompt before: {former_words(former, self.board)}{change}."
            )
            kept = "What it has now is kept in its history and can be restored again."
            if not await self._sure(f"Restore the former prompt of {name}?", f"{what} {kept}", "Restore it"):
                return None
        self.begun()
        try:
            return await call(lambda session: session.agent_prompts.restore(self.agent_id))
        except Drifted as error:
            now, drift = error.now, error.message
        former, change = await call(lambda session: self._look(session, sha256(now)))
        back = f" What it had before: {former_words(former, self.board)}{change}." if former else ""
        has = f"It has {count(len(now.split()), 'word')} now, which are kept in its history."
        if not await self._sure(f"Replace what {name} has now?", f"{drift}\n\n{has}{back}", "Replace it"):
            return None
        return await call(lambda session: session.agent_prompts.restore(self.agent_id, over=now))

    async def _look(self, session: Session, here: str) -> tuple[PromptUse | None, str]:
        """What would come back, and in words how much that changes, if both texts are kept."""
        former = await find_former(session, self.agent_id, here)
        if former is None or not here:
            return former, ""
        try:
            now, then = await session.history.text(here), await session.history.text(former.sha256)
        except CekuraTuiError:
            return former, ""
        diff = await asyncio.to_thread(compare, now, then)
        return former, f". Putting it back: {change_words(diff)}"

    async def _sure(self, title: str, text: str, yes: str) -> bool:
        sure = await self.app.push_screen_wait(ConfirmDialog(title, text, yes))
        return bool(sure)
