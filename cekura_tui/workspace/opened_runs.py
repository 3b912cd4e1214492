"""Fetch, prefetch, cache and store full runs, each fetched once for concurrent callers, and find their evidence."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cekura_tui.evidence.evidence import EvidenceFinder, Findings
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.store.errors import StoreError
from cekura_tui.store.runs import RunStore
from cekura_tui.workspace.run_lists import claim_request

T = TypeVar("T")


@dataclass(slots=True)
class _Read(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class SingleFlight(Generic[T]):
    """Shares a read among concurrent callers on one loop; the read is cancelled if all its callers are cancelled."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, _Read[T]] = {}

    def reading(self, key: Hashable) -> bool:
        return key in self._reads

    async def get(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Join the running read of this key, or start one by calling `read`; return its result or raise its error."""
        shared = self._reads.get(key)
        if shared is None:
            shared = self._reads[key] = _Read(asyncio.create_task(read()))
            # Retrieve its exception: it may fail without a caller.
            shared.task.add_done_callback(lambda task: None if task.cancelled() else task.exception())
        shared.waiters += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiters -= 1
            if not shared.waiters:
                shared.task.cancel()
                del self._reads[key]


MAX_CACHED = 8
MAX_CACHED_BYTES = 16 * 2**20
FRESH = 60.0
"""Seconds during which a cached run is not fetched again."""
_log = logging.getLogger("cekura_tui.workspace")


class RunPrefetch:
    """Prefetches runs on the session's loop, and caches the finished runs read last: at most 8, and 16 MB of JSON."""

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
        """A cached run that was read less than FRESH seconds ago; None if there is no such run."""
        cached = self._cached.get(run_id)
        return cached[0] if cached is not None and 0 <= self._clock() - cached[1] < FRESH else None

    async def fetch(self, run_id: int) -> None:
        """Prefetch a run when the budget allows, unless another is requested meanwhile; errors are only logged."""
        self._requested = run_id
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_requested())
        # Unlike awaiting it directly, cancelling this caller does not stop a read that another waits for.
        await asyncio.wait({self._reading})

    def add(self, view: RunView, size: int | None = None) -> None:
        """Cache a run just read, of `size` bytes as JSON, unless it is unfinished, too large or from the store."""
        number = view.row.id
        if (cached := self._cached.get(number)) is not None and cached[0] is view:
            return
        self._cached.pop(number, None)
        if view.cached or not view.row.outcome.settled:
            return
        size = len(json.dumps(view.source, ensure_ascii=True)) if size is None else size
        if size > MAX_CACHED_BYTES:
            return
        self._cached[number] = view, self._clock(), size
        while len(self._cached) > MAX_CACHED or sum(cached[2] for cached in self._cached.values()) > MAX_CACHED_BYTES:
            del self._cached[next(iter(self._cached))]

    async def close(self) -> None:
        self._requested = None
        if self._reading is not None:
            self._reading.cancel()
            # Ignore its outcome, so that the rest of the session is closed, too.
            await asyncio.wait({self._reading})

    async def _read_requested(self) -> None:
        while (number := self._requested) is not None:
            if self.fresh(number) is None:
                await claim_request(self._budget, monotonic=self._monotonic, sleep=self._sleep)
                # By now another run may be requested instead.
                number = self._requested
                if number is not None and self.fresh(number) is None:
                    await self._prefetch(number)
            if self._requested == number:
                self._requested = None

    async def _prefetch(self, number: int) -> None:
        try:
            self.add(precompute(await self._read(number)))
        except CekuraTuiError as error:
            _log.info("run %d was not prefetched: %s", number, error.message)


WRITE_DELAY = 0.3
"""Seconds until an opened run is written to the store, which takes as long as showing it: first show the run."""


class OpenedRuns:
    """The session's opened runs, cached in memory and written to the store after a delay. Used on its loop."""

    def __init__(self, store: RunStore, prefetch: RunPrefetch) -> None:
        self._store, self._prefetch = store, prefetch
        self._unwritten: dict[int, tuple[Run, RunView]] = {}
        self._write_timer: asyncio.TimerHandle | None = None
        self._last_read: RunView | None = None

    def add(self, run: Run, view: RunView) -> None:
        """Cache a run that the server has just sent."""
        self._unwritten[view.row.id] = run, view
        if self._write_timer is None:
            self._write_timer = asyncio.get_running_loop().call_later(WRITE_DELAY, self.write)

    def write(self) -> None:
        """Write unwritten runs to the store; errors are only logged."""
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
            self._prefetch.add(view, size)

    def fresh(self, run_id: int) -> RunView | None:
        """A finished run that is not yet written to the store, or was read less than FRESH seconds ago; else None."""
        if run_id in self._unwritten:
            view = self._unwritten[run_id][1]
            return view if view.row.outcome.settled else None
        return self._prefetch.fresh(run_id)

    def cached(self, run_id: int) -> RunView | None:
        """A run from the store, as last fetched; None if the run is not stored."""
        self.write()
        at, last = self._store.opened_at(run_id), self._last_read
        if at is not None and last is not None and (last.row.id, last.got_at) == (run_id, at):
            return last  # a run previewed in the list is often opened next
        if at is None or (found := self._store.opened(run_id)) is None:
            return None
        self._last_read = view = precompute(view_of(found[0], found[1], cached=True))
        return view


def precompute(view: RunView) -> RunView:
    """Compute the timeline and the call of a view now, so that the UI loop does not have to; returns the view."""
    _ = view.timeline, view.call
    return view


VerdictEvidence = tuple[tuple[Verdict, Findings], ...]
"""The review and the applicable verdicts of a run, in order, each with the turns to which it refers."""
MAX_EXPLAINED = 400_000
"""Maximum number of characters of a run's explanations to search for evidence, which takes some seconds."""


class RunEvidence:
    def __init__(self) -> None:
        self._cached: dict[int, tuple[RunView, VerdictEvidence]] = {}

    async def find(self, view: RunView) -> VerdictEvidence:
        """The evidence for the applicable verdicts of a run, cached until the run changes."""
        number = view.row.id
        cached = self._cached.pop(number, None)
        if cached is None or cached[0].judgements != view.judgements or cached[0].transcript != view.transcript:
            cached = view, await _find_evidence(view)
        self._cached[number] = cached
        while len(self._cached) > MAX_CACHED:
            del self._cached[next(iter(self._cached))]
        return cached[1]


async def _find_evidence(view: RunView) -> VerdictEvidence:
    if len(view.transcript.turns) >= 500:
        await asyncio.sleep(0.1)  # draw a long run first
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_evidence_of, view, stop)
    finally:
        stop.set()


def _evidence_of(view: RunView, stop: threading.Event) -> VerdictEvidence:
    """Find evidence for applicable verdicts in a thread, until `stop` or MAX_EXPLAINED characters of explanations."""
    all_found: list[tuple[Verdict, Findings]] = []
    finder, left = EvidenceFinder(view.transcript.turns), MAX_EXPLAINED
    for verdict in view.judgements:
        if left <= 0 or stop.is_set():
            break  # the review and failing verdicts come first
        left -= sum(map(len, verdict.reasons))
        if verdict.state != "na":
            all_found.append((verdict, finder.find(verdict.reasons)))
    return tuple(all_found)
