"""Record the outcomes of launches, retrying for as long as the database cannot be written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cekura_tui.model.job import Job, JobState
from cekura_tui.store.errors import RestartNeeded, SentUnrecorded, StoreError
from cekura_tui.store.pending_answers import PendingAnswer

if TYPE_CHECKING:
    from cekura_tui.store.jobs import JobStore

TRIES, RETRY_DELAY, LATE_RETRY_DELAY = 10, 1.0, 5.0
"""Attempts to write before a failure is reported, seconds between the attempts, and seconds between later retries."""


class LaunchRecorder:
    """Records the outcomes of one account's launches. An outcome that the database rejects is saved to a file and
    retried in the background; `recorded` is called with each job that such a retry recorded."""

    def __init__(self, jobs: JobStore, recorded: Callable[[Job], object]) -> None:
        self._jobs, self._recorded = jobs, recorded
        self._later: set[asyncio.Task[None]] = set()
        self._closing = False
        self._unrecorded: dict[int, SentUnrecorded] = {}

    @property
    def unrecorded(self) -> list[SentUnrecorded]:
        return [launch for launch in self._unrecorded.values() if not launch.is_recorded]

    async def record(self, answer: PendingAnswer, sentence: str) -> Job:
        """Record the outcome of a launch, unless another process has recorded a later state; return the job. After
        `TRIES` failures, or if a restart is needed, raise SentUnrecorded with a message that begins with `sentence`,
        and retry in the background. While the program closes, fewer tries are made, none in the background."""
        over = self._closing
        for again in range(TRIES):
            try:
                return self._jobs.record_launch_answer(answer)
            except StoreError as error:
                saved = self._jobs.pending.save(answer)
                if over or again == TRIES - 1 or isinstance(error, RestartNeeded):
                    raise self._give_up(answer, f"{sentence} is not recorded yet. {error.message}", saved) from None
            over = await _interrupted(RETRY_DELAY)
        raise AssertionError("the last try returns or raises")

    def _give_up(self, answer: PendingAnswer, message: str, saved: Path | None) -> SentUnrecorded:
        error = SentUnrecorded(message, answer.number, answer.progress_id, saved)
        if answer.state != JobState.DRAFT:  # a refused launch has no job on the server
            self._unrecorded[answer.number] = error
        if not self._closing:
            task = asyncio.create_task(self._record_later(answer))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        return error

    async def _record_later(self, answer: PendingAnswer) -> None:
        over = False
        while not over:
            over = await _interrupted(LATE_RETRY_DELAY)
            with contextlib.suppress(StoreError):
                job = self._jobs.record_launch_answer(answer)
                self._unrecorded.pop(job.number, None)
                self._recorded(job)
                return

    async def close(self, launches: Iterable[asyncio.Task[Job]], seconds: float) -> None:
        """Wait up to `seconds` for launches in flight and cancel the rest; retry each pending write once."""
        self._closing = True
        late = (await asyncio.wait(tasks, timeout=seconds))[1] if (tasks := set(launches)) else set()
        for task in (*late, *self._later):
            task.cancel()
        await asyncio.gather(*late, *self._later, return_exceptions=True)


async def _interrupted(seconds: float) -> bool:
    """Sleep; return whether the task was cancelled meanwhile, which happens only when the program closes."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return True
    return False
