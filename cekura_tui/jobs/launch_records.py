"""What came of a launch, recorded however long the database cannot be written."""

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
"""How often, and how many seconds apart, a write is tried before it is reported; and how far apart after that."""


class LaunchRecorder:
    """Records what came of the launches of one account; `recorded` is called with each job that was recorded late.

    What the database does not take is kept in a file of its own, and tried again for as long as the program runs.
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
        """Record what came of a launch, unless another window has found out more.

        Raises SentUnrecorded, which begins with the `sentence`, after `TRIES`; it is tried further in the background.
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
        raise AssertionError("it was recorded, or that was refused")

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
        """Wait a moment for launches in flight, then cancel them; each write that is left has one more try."""
        self._closing = True
        late = (await asyncio.wait(tasks, timeout=seconds))[1] if (tasks := set(flying)) else set()
        for task in (*late, *self._later):
            task.cancel()
        await asyncio.gather(*late, *self._later, return_exceptions=True)


async def _interrupted(seconds: float) -> bool:
    """Wait; returns whether the program is being closed, so that there is but one more try."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return True
    return False
