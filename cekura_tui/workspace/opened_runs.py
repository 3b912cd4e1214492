"""Whole runs: read once for all who ask at the same time, prefetched, cached and stored; and their evidence."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cekura_tui.evidence.evidence import Evidence, EvidenceFinder
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.store.errors import StoreError
from cekura_tui.store.runs import RunStore
from cekura_tui.workspace.run_lists import take_turn

T = TypeVar("T")


@dataclass(slots=True)
class _Read(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class SingleFlight(Generic[T]):
    """Shares a read among callers on one loop; it is cancelled when its last caller is."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, _Read[T]] = {}

    def reading(self, key: Hashable) -> bool:
        return key in self._reads

    async def get(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `read` returns or raises; it is called unless a read of this key is running."""
        shared = self._reads.get(key)
        if shared is None:
            shared = self._reads[key] = _Read(asyncio.create_task(read()))
            # Its error is read here, for it may fail without a caller.
            shared.task.add_done_callback(lambda task: None if task.cancelled() else task.exception())
        shared.waiters += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiters -= 1
            if not shared.waiters:
                shared.task.cancel()
                del self._reads[key]


MOST = 8
MOST_BYTES = 16 * 2**20
FRESH = 60.0
"""Seconds in which a cached run is not asked for again."""
_log = logging.getLogger("cekura_tui.workspace")


class RunPrefetch:
    """Caches at most 8 runs, and 16 MB of their JSON, on the session's loop; the oldest goes. Runs that still run are
    not cached."""

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
        self._cached: dict[int, tuple[RunView, float, int]] = {}
        self._requested: int | None = None
        self._reading: asyncio.Task[None] | None = None

    def fresh(self, run_id: int) -> RunView | None:
        """A cached run that was read within the last 60 seconds."""
        cached = self._cached.get(run_id)
        return cached[0] if cached is not None and 0 <= self._clock() - cached[1] < FRESH else None

    async def fetch(self, run_id: int) -> None:
        """Prefetch a run in its turn; one is read at a time, and of those requested meanwhile only the last. Errors are
        logged."""
        self._requested = run_id
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_requested())
        # A cancelled caller does not stop it: another may be waiting for it.
        await asyncio.wait({self._reading})

    def keep(self, view: RunView, size: int | None = None) -> None:
        """Cache a run that was just read; `size` are the bytes of its JSON, if known."""
        number = view.row.id
        if (cached := self._cached.get(number)) is not None and cached[0] is view:
            return
        self._cached.pop(number, None)
        if view.cached or not view.row.outcome.settled:
            return
        size = len(json.dumps(view.source, ensure_ascii=True)) if size is None else size
        if size > MOST_BYTES:
            return
        self._cached[number] = view, self._clock(), size
        while len(self._cached) > MOST or sum(cached[2] for cached in self._cached.values()) > MOST_BYTES:
            del self._cached[next(iter(self._cached))]

    async def close(self) -> None:
        self._requested = None
        if self._reading is not None:
            self._reading.cancel()
            # However it ended: the job engine is closed after this.
            await asyncio.wait({self._reading})

    async def _read_requested(self) -> None:
        while (number := self._requested) is not None:
            if self.fresh(number) is None:
                await take_turn(self._budget, monotonic=self._monotonic, sleep=self._sleep)
                # Another may be requested by now instead of this one.
                number = self._requested
                if number is not None and self.fresh(number) is None:
                    await self._prefetch(number)
            if self._requested == number:
                self._requested = None

    async def _prefetch(self, number: int) -> None:
        try:
            self.keep(ready(await self._read(number)))
        except CekuraTuiError as error:
            _log.info("run %d was not prefetched: %s", number, error.message)


WRITE_DELAY = 0.3
"""Seconds. A long run takes as long to write as to show, and is shown first."""


class OpenedRuns:
    """Of one session, on its loop. What is written is cached in memory, too, by its size."""

    def __init__(self, store: RunStore, prefetch: RunPrefetch) -> None:
        self._store, self._prefetch = store, prefetch
        self._unwritten: dict[int, tuple[Run, RunView]] = {}
        self._write_timer: asyncio.TimerHandle | None = None
        self._last_read: RunView | None = None
        """The run that was read from the store last."""

    def keep(self, run: Run, view: RunView) -> None:
        """Cache a run that the server just sent."""
        self._unwritten[view.row.id] = run, view
        if self._write_timer is None:
            self._write_timer = asyncio.get_running_loop().call_later(WRITE_DELAY, self.write)

    def write(self) -> None:
        """Write unwritten runs; errors are only logged."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        unwritten, self._unwritten = self._unwritten, {}
        for number, (run, view) in unwritten.items():
            size = None
            try:
                size = self._store.save_opened(run, view.got_at)
            except StoreError as error:
                _log.warning("run %d was not cached: %s", number, error.message)
            self._prefetch.keep(view, size)

    def fresh(self, run_id: int) -> RunView | None:
        """A run that was read a moment ago and cannot have changed since."""
        if run_id in self._unwritten:
            view = self._unwritten[run_id][1]
            return view if view.row.outcome.settled else None
        return self._prefetch.fresh(run_id)

    def cached(self, run_id: int) -> RunView | None:
        """A run as it was got last."""
        self.write()
        at, last = self._store.opened_at(run_id), self._last_read
        if at is not None and last is not None and (last.row.id, last.got_at) == (run_id, at):
            return last  # what was looked at in the list is often opened next
        if at is None or (found := self._store.opened(run_id)) is None:
            return None
        self._last_read = view = ready(view_of(found[0], found[1], cached=True))
        return view


def ready(view: RunView) -> RunView:
    """The view with its timeline and call computed, for which the screens' loop has no time."""
    _ = view.timeline, view.call
    return view


Found = tuple[tuple[Verdict, tuple[Evidence, ...]], ...]
"""Each verdict of a run that applied, in order, and the turns that it speaks of."""
_LONG = 500
"""Turns from which on a run is drawn before its evidence is looked for."""
_DRAWN = 0.1
"""Seconds for that."""
MOST_EXPLAINED = 400_000
"""Characters of a run's explanations that are searched for turns, some seconds' work; later verdicts get none."""


class RunEvidence:
    def __init__(self) -> None:
        self._cached: dict[int, tuple[RunView, Found]] = {}

    async def find(self, view: RunView) -> Found:
        """The evidence of all verdicts of a run, cached for the same run."""
        number = view.row.id
        cached = self._cached.pop(number, None)
        if cached is None or cached[0].verdicts != view.verdicts or cached[0].transcript != view.transcript:
            cached = view, await _find_evidence(view)
        self._cached[number] = cached
        while len(self._cached) > MOST:
            del self._cached[next(iter(self._cached))]
        return cached[1]


async def _find_evidence(view: RunView) -> Found:
    if len(view.transcript.turns) >= _LONG:
        await asyncio.sleep(_DRAWN)
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_evidence_of, view, stop)
    finally:
        stop.set()


def _evidence_of(view: RunView, stop: threading.Event) -> Found:
    """Find the evidence of all verdicts, in a thread; once `stop` is set, of no more."""
    all_found: list[tuple[Verdict, tuple[Evidence, ...]]] = []
    finder, left = EvidenceFinder(view.transcript.turns), MOST_EXPLAINED
    for verdict in view.verdicts:
        if left <= 0 or stop.is_set():
            break  # failing verdicts come first
        left -= sum(map(len, verdict.reasons))
        if verdict.state != "na":
            all_found.append((verdict, finder.find(verdict.reasons)))
    return tuple(all_found)
