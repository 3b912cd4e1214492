"""Runs that somebody may open next, read ahead and kept in memory for a while."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable

from cekura_tui.jobs.schedule import Budget
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.view import RunView
from cekura_tui.workspace.turn import take_turn

MOST = 8
MOST_BYTES = 16 * 2**20
FRESH = 60.0
"""Seconds in which a run that is kept is not asked for again."""
_log = logging.getLogger("cekura_tui.workspace")


class RunsAhead:
    """Of one session, on its loop. At most 8 runs are kept, and 16 MB of what was sent of them; the oldest leaves.

    A run that goes on is not kept: it would be shown as it was.
    """

    def __init__(
        self,
        read: Callable[[int], Awaitable[RunView]],
        budget: Budget,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read, self._budget = read, budget
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep
        self._kept: dict[int, tuple[RunView, float, int]] = {}
        self._wish: int | None = None
        self._reading: asyncio.Task[None] | None = None

    def get(self, run_id: int) -> RunView | None:
        """A run that is kept; its `got_at` says as of when."""
        kept = self._kept.get(run_id)
        return kept[0] if kept else None

    def fresh(self, run_id: int) -> RunView | None:
        """A run that is kept and was read within the last 60 seconds."""
        return self.get(run_id) if self._fresh(run_id) else None

    async def fetch(self, run_id: int) -> None:
        """Have a run here, in its turn; errors are only logged. One is read at a time, and of those that are wished for
        meanwhile only the last. Returns when nothing is left to be read."""
        self._wish = run_id
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._fulfil())
        # Whoever no longer waits does not stop it: another may be waiting for it.
        await asyncio.wait({self._reading})

    def keep(self, view: RunView, size: int | None = None) -> None:
        """Keep a run that was just read by whomever; `size` are the bytes of its JSON, where they are known."""
        number = view.row.id
        if (kept := self._kept.get(number)) is not None and kept[0] is view:
            return
        self._kept.pop(number, None)
        if view.cached or not view.row.outcome.settled:
            return
        size = len(json.dumps(view.source, ensure_ascii=True)) if size is None else size
        if size > MOST_BYTES:
            return
        self._kept[number] = view, self._clock(), size
        while len(self._kept) > MOST or sum(kept[2] for kept in self._kept.values()) > MOST_BYTES:
            del self._kept[next(iter(self._kept))]

    async def close(self) -> None:
        """Read no more."""
        self._wish = None
        if self._reading is not None:
            self._reading.cancel()
            # However it ended: the job engine is closed after this.
            await asyncio.wait({self._reading})

    async def _fulfil(self) -> None:
        while (number := self._wish) is not None:
            if not self._fresh(number):
                await take_turn(self._budget, monotonic=self._monotonic, sleep=self._sleep)
                # Another may be wished for by now, and this one no longer.
                number = self._wish
                if number is not None and not self._fresh(number):
                    await self._bring(number)
            if self._wish == number:
                self._wish = None

    async def _bring(self, number: int) -> None:
        try:
            view = await self._read(number)
            _ = view.timeline, view.call  # it is to be shown at once
            self.keep(view)
        except CekuraTuiError as error:
            _log.info("run %d was not read ahead: %s", number, error.message)

    def _fresh(self, number: int) -> bool:
        kept = self._kept.get(number)
        return kept is not None and 0 <= self._clock() - kept[1] < FRESH
