"""Drafts: what is being typed is saved in the background, whatever becomes of the dialog."""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import Future
from dataclasses import dataclass

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.workspace import Workspace


@dataclass(eq=False, slots=True)
class DraftPlace:
    """Where a text is saved: the draft as this window read or wrote it last, if there is one."""

    job: Job | None = None


class DraftKeeper:
    """Saves each prompt source to its own draft, so that neither typing into one nor launching it overwrites another.
    If another window wrote to the same draft, the store makes a new one, which is used from then on.

    Drafts are read and written on the background loop only, in order.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.here, self._draft = DraftPlace(), DraftPlace()
        self._saved: Draft | None = None
        self._saving: Future[None] | None = None

    def take_up(self, job: Job) -> None:
        self._draft = DraftPlace(job)

    def turn_to(self, source: str) -> None:
        """Save the text of another source from now on: a draft in its place, others in a new one."""
        self.here = self._draft if source == "draft" else DraftPlace()

    def has(self, draft: Draft) -> bool:
        return draft == self._saved

    @property
    def has_saved(self) -> bool:
        return self._saving is not None

    @property
    def busy(self) -> bool:
        return self._saving is not None and not self._saving.done()

    def save(self, draft: Draft) -> None:
        """Begin to save a draft; the saving continues when the dialog closes."""
        place = self._draft = self.here
        self._saved = draft

        async def save(session: Session) -> None:
            saved = False
            try:
                place.job = session.store.jobs.save_draft(draft, time.time(), place.job)
                saved = place.job.state == JobState.DRAFT  # else another window launched the very same
            finally:
                if not saved and self._saved is draft:
                    self._saved = None  # the next save retries

        self._saving = self._workspace.send(save)

    async def in_words(self, draft: Draft) -> str:
        """What became of saving this draft, as a sentence; empty where there was nothing to save."""
        try:
            await self.wait_saved()
        except CekuraTuiError:
            return " Can't save the draft either: keep this dialog open."
        return " Draft saved." if self.has(draft) else ""

    async def wait_saved(self) -> None:
        """Wait until the draft is saved; raises what went wrong."""
        if self._saving is not None:
            await asyncio.shield(asyncio.wrap_future(self._saving))

    async def find_again(self, draft: Draft) -> None:
        """Save on into the draft that a refused launch of this text has become."""
        place = self.here
        with contextlib.suppress(CekuraTuiError):
            latest = await self._workspace.call(lambda session: session.jobs.draft(draft.agent_id, draft.run_ids))
            if latest is not None and latest[0] == draft:
                place.job = latest[1]
