"""Drafts: what is being typed is kept in the background, whatever becomes of the dialog."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future
from typing import TYPE_CHECKING

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Draft, Job

if TYPE_CHECKING:
    from cekura_tui.workspace.session import Session
    from cekura_tui.workspace.workspace import Workspace

SOURCES = {
    "agent": "the agent's current prompt",
    "file": "a file",
    "last": "the one launched last",
    "draft": "your draft",
}
"""Where a prompt may come from, and how that is worded."""


class DraftKeeper:
    """Each source of a prompt has a draft of its own, so that launching one never takes another's text away.

    The numbers of drafts are read and written on the background loop alone, one after the other.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._numbers: dict[str, int] = {}
        self._kept: Draft | None = None
        self._saving: Future[None] | None = None

    def take_up(self, source: str, job: Job) -> None:
        """This draft was there before."""
        self._numbers[source] = job.number

    def has(self, draft: Draft) -> bool:
        """Whether this is what was kept last."""
        return draft == self._kept

    def keep(self, source: str, draft: Draft) -> None:
        """Begin to keep a draft; it goes on when the dialog is left."""
        if draft == self._kept:
            return
        self._kept = draft

        async def save(session: Session) -> None:
            try:
                number = (await session.jobs.save_draft(draft, self._numbers.get(source))).number
            except CekuraTuiError:
                self._kept = None  # it is not, and the next time is another try
                raise
            self._numbers[source] = self._numbers["draft"] = number

        self._saving = self._workspace.send(save)

    async def in_words(self, draft: Draft) -> str:
        """What became of keeping this draft, as a sentence; empty where there was nothing to keep."""
        try:
            await self.kept()
        except CekuraTuiError:
            return " The draft cannot be kept either, so leave this open."
        return " The draft is kept." if self.has(draft) else ""

    async def kept(self) -> None:
        """Wait until it is kept; raises what went wrong."""
        if self._saving is not None:
            await asyncio.shield(asyncio.wrap_future(self._saving))

    async def launch(self, source: str, draft: Draft) -> Job:
        """Launch it; its kept draft becomes the job, and is a draft again where the launch was refused."""

        async def launch(session: Session) -> Job:
            try:
                return await session.jobs.launch(draft, self._numbers.get(source))
            except CekuraTuiError:
                with contextlib.suppress(CekuraTuiError):
                    latest = await session.jobs.draft(draft.agent_id, draft.run_ids)
                    if latest is not None and latest[0] == draft:
                        self._numbers[source] = latest[1].number
                raise

        return await asyncio.shield(asyncio.wrap_future(self._workspace.send(launch)))
