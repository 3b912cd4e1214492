"""Save the improve dialog's drafts in the background, even after the dialog has closed."""

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
    """The saved draft that the next save overwrites; `job` is None until there is one."""

    job: Job | None = None


class DraftSaver:
    """Saves each prompt source to its own draft, so that editing or launching one does not overwrite another.

    If another window has changed a draft, the store saves a new one, which is used from then on. Drafts are read and
    written in order, on the background loop only.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.slot, self._draft = DraftSlot(), DraftSlot()
        self._saved: Draft | None = None
        self._saving: Future[None] | None = None

    def adopt(self, job: Job) -> None:
        """Overwrite this saved draft when the user edits the "draft" source."""
        self._draft = DraftSlot(job)

    def switch_to(self, source: str) -> None:
        """Save another prompt source from now on: "draft" to its existing draft, any other to a new one."""
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
        """Wait for the save and return a sentence about it, to append to a message; "" if this draft was not saved."""
        try:
            await self.wait_saved()
        except CekuraTuiError:
            return " Can't save the draft either: keep this dialog open."
        return " Draft saved." if self.is_saved(draft) else ""

    async def wait_saved(self) -> None:
        """Wait for the current save; raises its error."""
        if self._saving is not None:
            await asyncio.shield(asyncio.wrap_future(self._saving))

    async def reattach(self, draft: Draft) -> None:
        """Find the draft that was restored after a refused launch, and overwrite it from now on."""
        slot = self.slot
        with contextlib.suppress(CekuraTuiError):
            latest = await self._workspace.call(lambda session: session.jobs.draft(draft.agent_id, draft.run_ids))
            if latest is not None and latest[0] == draft:
                slot.job = latest[1]
