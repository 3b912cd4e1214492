"""Saves drafts of the improve dialog in the background, even after the dialog was closed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.store.unsaved import MOMENT
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.workspace import Workspace


@dataclass(eq=False, slots=True)
class DraftSlot:
    """A place for one draft. `job` is the draft that the next save overwrites; None if no draft was saved yet."""

    job: Job | None = None
    key: int = field(default_factory=time.time_ns)


class DraftSaver:
    """Saves each prompt source to its own draft, so that none overwrites another. If another window has changed a
    draft, the store saves a new draft, which is overwritten from then on."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.slot, self._draft = DraftSlot(), DraftSlot()
        self._latest: Draft | None = None
        self._saving: Future[bool] | None = None

    def adopt(self, job: Job, *, at_once: bool = False) -> None:
        """Make `job` the draft that is overwritten when the user edits the source "draft", or any if `at_once`."""
        self._draft = DraftSlot(job)
        self.slot = self._draft if at_once else self.slot

    def switch_to(self, source: str) -> None:
        """Save another prompt source from now on: "draft" in the existing draft, any other source in a new draft."""
        self.slot = self._draft if source == "draft" else DraftSlot()

    def is_saved(self, draft: Draft) -> bool:
        """Whether a draft is saved or being saved."""
        saving = self._saving
        failed = saving is None or (saving.done() and (saving.exception() is not None or not saving.result()))
        return draft == self._latest and not failed

    @property
    def has_started(self) -> bool:
        return self._saving is not None

    def save(self, draft: Draft) -> None:
        slot = self._draft = self.slot

        async def save(session: Session) -> bool:
            slot.job = session.store.jobs.save_draft(draft, time.time(), slot.job)
            return slot.job.state == JobState.DRAFT  # else another window has launched it

        over = slot.job and (slot.job.number, slot.job.prompt_sha256)
        self._latest = draft
        self._saving = self._workspace.put(("draft", slot.key), (draft, over), save)

    async def saved_soon(self) -> bool:
        """Wait a moment for the current save, if any; return False if it failed or is still retried."""
        done, pending = await asyncio.to_thread(wait, [self._saving] if self._saving else [], MOMENT)
        return not pending and all(saved.exception() is None for saved in done)

    async def launch(self, draft: Draft) -> Job:
        """Launch the draft, in place of the saved draft. A draft that is not saved yet needs no saving any more."""
        slot = self.slot

        async def launch(session: Session) -> Job:
            self._workspace.unsaved.drop(("draft", slot.key))
            return await session.engine.launch(draft, slot.job)

        return await asyncio.shield(asyncio.wrap_future(self._workspace.send(launch)))

    async def reattach(self, draft: Draft) -> None:
        """After a refused launch, find the saved draft that was restored, and overwrite that draft from now on."""
        slot = self.slot
        with contextlib.suppress(CekuraTuiError):
            latest = await self._workspace.call(lambda session: session.jobs.draft(draft.agent_id, draft.run_ids))
            if latest is not None and latest[0] == draft:
                slot.job = latest[1]
