"""The prompts that an agent had, was sent or was proposed, as far as this machine met them."""

from __future__ import annotations

from cekura_tui.model.prompt_use import How, PromptUse
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store

Uses = list[PromptUse]


class PromptHistory:
    """Of one session, on its loop. Methods raise StoreError."""

    def __init__(self, store: Store) -> None:
        self._uses = store.prompt_uses

    async def list(self, agent_id: int) -> Uses:
        """The uses of an agent's prompts, newest first."""
        return self._uses.all(agent_id)

    async def text(self, sha256: str) -> Prompt:
        """The prompt of a use, exactly; raises StoreError where it was forgotten meanwhile."""
        return self._uses.text(sha256)

    async def note(self, agent_id: int, prompt: Prompt, how: How, at: float, job: int | None = None) -> None:
        """Keep a prompt and how it was used, at `at` in Unix time; it is on the disk when this returns."""
        self._uses.note(agent_id, prompt, how, at, job)

    async def forget(self, use: PromptUse) -> None:
        """Drop a use from the history, and its text unless a job or another use needs it."""
        self._uses.forget(use)
