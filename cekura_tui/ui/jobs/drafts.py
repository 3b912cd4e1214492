"""Saves drafts of the improve dialog in the background, even after the dialog was closed."""

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
class DraftSlot:
    """A place for one draft. `job` is the draft that the next save overwrites; None if no draft was saved yet."""

    job: Job | None = None


class DraftSaver:
    """Saves the edits of each prompt source to a draft of that source, so that the sources do not overwrite each
    other.

    If another window has changed a draft, the store saves a new draft, which is overwritten from then on. Drafts are
    read and written in order, and only on the background loop.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.slot, self._draft = DraftSlot(), DraftSlot()
        self._saved: Draft | None = None
        self._saving: Future[None] | None = None

    def adopt(self, job: Job) -> None:
        """Make `job` the draft that is overwritten when the user edits the source "draft"."""
        self._draft = DraftSlot(job)

    def switch_to(self, source: str) -> None:
        """Save another prompt source from now on. The source "draft" has the existing draft; other sources
        get a new draft."""
        self.slot = self._draft if source == "draft" else DraftSlot()

    def is_saved(self, draft: Draft) -> bool:
        return draft == self._saved

    @property
    def has_started(self) -> bool:
        return self._saving is not None

    @property
    def is_saving(self) -> bool:
        return self._saving is not None and not self._saving.done()

    def save(self, draft: Draft) -> None:
        slot = self._draft = self.slot
        self._saved = draft

        async def save(session: Session) -> None:
            saved = False
            try:
                slot.job = session.store.jobs.save_draft(draft, time.time(), slot.job)
                saved = slot.job.state == JobState.DRAFT  # else another window has launched it
            finally:
                if not saved and self._saved is draft:
                    self._saved = None  # the next save retries

        self._saving = self._workspace.send(save)

    async def outcome(self, draft: Draft) -> str:
        """Wait for the current save, and return a sentence that says whether the save succeeded, to append to a
        message. Returns "" if the saved draft is not `draft`."""
        try:
            await self.wait_saved()
        except CekuraTuiError:
            return " Can't save the draft either: keep this dialog open."
        return " Draft saved." if self.is_saved(draft) else ""

    async def wait_saved(self) -> None:
        """Wait for the current save, if any; raises CekuraTuiError if the save failed."""
        if self._saving is not None:
            await asyncio.shield(asyncio.wrap_future(self._saving))

    async def reattach(self, draft: Draft) -> None:
        """After a refused launch, find the saved draft that was restored, and overwrite that draft from now on."""
        slot = self.slot
        with contextlib.suppress(CekuraTuiError):
            latest = await self._workspace.call(lambda session: session.jobs.draft(draft.agent_id, draft.run_ids))
            if latest is not None and latest[0] == draft:
                slot.job = latest[1]
