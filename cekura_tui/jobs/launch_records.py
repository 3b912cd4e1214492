"""Record the outcomes of launches, however long the database cannot be written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.model.job import Job, JobState
from cekura_tui.store.errors import SentUnrecorded, StoreError
from cekura_tui.store.pending_answers import PendingAnswer

if TYPE_CHECKING:
    from cekura_tui.store.jobs import JobStore

TRIES, BETWEEN, LATER = 10, 1.0, 5.0
"""Tries of a write before it is reported, the seconds between them, and between later tries."""


class LaunchRecorder:
    """Records the outcomes of one account's launches; `recorded` is called with each job that was recorded late.

    What the database does not take is saved in a file, and tried again while the program runs.
    """

    def __init__(self, jobs: JobStore, recorded: Callable[[Job], object]) -> None:
        self._jobs, self._recorded = jobs, recorded
        self._later: set[asyncio.Task[None]] = set()
        self._closing = False
        self._unrecorded: dict[int, SentUnrecorded] = {}

    @property
    def unrecorded(self) -> list[SentUnrecorded]:
        return [launch for launch in self._unrecorded.values() if not launch.is_recorded]

    async def record(self, answer: PendingAnswer, sentence: str) -> Job:
        """Record the outcome of a launch, unless another window has recorded a later state.

        After `TRIES`, raises SentUnrecorded, which begins with the `sentence`, and goes on trying in the background.
        """
        over = self._closing
        for again in range(TRIES):
            try:
                return self._jobs.record_launch_answer(answer)
            except StoreError as error:
                saved = self._jobs.save_pending_answer(answer)
                if over or again == TRIES - 1:
                    raise self._give_up(answer, f"{sentence} is not recorded yet. {error.message}", saved) from None
            over = await _interrupted(BETWEEN)
        raise AssertionError("the last try returns or raises")

    def _give_up(self, answer: PendingAnswer, message: str, saved: Path | None) -> SentUnrecorded:
        error = SentUnrecorded(message, answer.number, answer.progress_id, saved)
        if answer.state != JobState.DRAFT:  # nothing is lost with a refusal
            self._unrecorded[answer.number] = error
        if not self._closing:
            task = asyncio.create_task(self._record_later(answer))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        return error

    async def _record_later(self, answer: PendingAnswer) -> None:
        over = False
        while not over:
            over = await _interrupted(LATER)
            with contextlib.suppress(StoreError):
                job = self._jobs.record_launch_answer(answer)
                self._unrecorded.pop(job.number, None)
                self._recorded(job)
                return

    async def close(self, flying: Iterable[asyncio.Task[Job]], seconds: float) -> None:
        """Wait `seconds` for launches in flight, then cancel them; each pending write is tried once more."""
        self._closing = True
        late = (await asyncio.wait(tasks, timeout=seconds))[1] if (tasks := set(flying)) else set()
        for task in (*late, *self._later):
            task.cancel()
        await asyncio.gather(*late, *self._later, return_exceptions=True)


async def _interrupted(seconds: float) -> bool:
    """Wait; returns whether the task was cancelled because the program is closing."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return True
    return False
