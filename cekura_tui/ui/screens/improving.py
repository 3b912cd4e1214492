"""What screens with runs share: improving the prompt from some of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import MAX_RUNS, Job, JobState
from cekura_tui.model.text import count
from cekura_tui.ui.screens.page import Page

if TYPE_CHECKING:
    from cekura_tui.ui.dialogs.prompt_sources import GivenPrompt


class Improving(Page):
    """A page from which `i` launches a job."""

    opening: asyncio.Event | None = None
    """Set when the dialog that was asked for last is there, or is not coming: keys wait for that."""

    def improve(self, run_ids: Sequence[int], given: GivenPrompt | None = None) -> None:
        """Open the dialog for these runs, perhaps with a prompt to begin with, or say why they do not go together."""
        if len(run_ids) > MAX_RUNS:
            marked = count(len(run_ids), "run")
            self.tell_error(
                UsageError(f"{marked} are marked; a job takes up to {MAX_RUNS}.", "Unmark some with space.")
            )
        elif run_ids:
            self.opening = asyncio.Event()
            self._improve(tuple(run_ids), given, self.opening)

    @work(group="improve", exclusive=True)
    async def _improve(self, run_ids: tuple[int, ...], given: GivenPrompt | None, opening: asyncio.Event) -> None:
        workspace = self.board.workspace
        try:
            runs = await workspace.call(lambda session: session.improvable(run_ids))
        except CekuraTuiError as error:
            self.tell_error(error)
        else:
            from cekura_tui.ui.dialogs.improve import ImproveDialog

            self.app.push_screen(ImproveDialog(self.board, runs, given), self._launched)
        finally:
            opening.set()

    def _launched(self, job: Job | None) -> None:
        if job is None:
            return
        if job.state == JobState.UNCONFIRMED:
            self.tell(f"Job {job.number} is unconfirmed: {job.reason}", warning=True)
        else:
            # The board has it at once: whoever leaves now is told that it goes on.
            self.board.put_new(job)
            self.tell(f"Job {job.number} launched; it goes on by itself.")
        self.improved(job)

    def improved(self, job: Job) -> None:
        """A job was launched from here."""
