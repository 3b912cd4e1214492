"""One question for all who ask the same at the same time.

Runs that somebody may open next, read ahead and kept in memory for a while.

Whole runs that were opened: they are written to the store a moment after they are shown, and read from it.

The evidence of a run's verdicts, found in small steps: whoever scrolls meanwhile does not wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterator
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
    waiting: int = 0


class SingleFlight(Generic[T]):
    """On one loop. What is being read is given up only when nobody waits for it any more."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, _Read[T]] = {}

    def reading(self, key: Hashable) -> bool:
        """Whether somebody is reading this."""
        return key in self._reads

    async def get(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `read` returns or raises, which is called unless somebody is reading this already."""
        shared = self._reads.get(key)
        if shared is None:
            shared = self._reads[key] = _Read(asyncio.create_task(read()))
            # It may go wrong when nobody waits for it any more.
            shared.task.add_done_callback(lambda task: None if task.cancelled() else task.exception())
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                shared.task.cancel()
                del self._reads[key]


MOST = 8
MOST_BYTES = 16 * 2**20
FRESH = 60.0
"""Seconds in which a run that is kept is not asked for again."""
_log = logging.getLogger("cekura_tui.workspace")


class RunPrefetch:
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


SOON = 0.3
"""Seconds. A long run takes as long to write as to show, and whoever waits for it is to see it first."""


class OpenedRuns:
    """Of one session, on its loop. What is written is kept in memory, too, by its size."""

    def __init__(self, store: RunStore, ahead: RunPrefetch) -> None:
        self._store, self._ahead = store, ahead
        self._unwritten: dict[int, tuple[Run, RunView]] = {}
        self._soon: asyncio.TimerHandle | None = None
        self._read_last: RunView | None = None
        """The run that was read from the store last."""

    def keep(self, run: Run, view: RunView) -> None:
        """Keep a run that the server told just now."""
        self._unwritten[view.row.id] = run, view
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON, self.write)

    def write(self) -> None:
        """Write what is not written yet; what cannot be written is only logged, for the server has it."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        unwritten, self._unwritten = self._unwritten, {}
        for number, (run, view) in unwritten.items():
            size = None
            try:
                size = self._store.keep_opened(run, view.got_at)
            except StoreError as error:
                _log.warning("run %d was not cached: %s", number, error.message)
            self._ahead.keep(view, size)

    def fresh(self, run_id: int) -> RunView | None:
        """A run that was told a moment ago and cannot have changed since."""
        if run_id in self._unwritten:
            view = self._unwritten[run_id][1]
            return view if view.row.outcome.settled else None
        return self._ahead.fresh(run_id)

    def cached(self, run_id: int) -> RunView | None:
        """A run as it was got last."""
        self.write()
        at, last = self._store.opened_at(run_id), self._read_last
        if at is not None and last is not None and (last.row.id, last.got_at) == (run_id, at):
            return last  # what was looked at in the list is often opened next
        if at is None or (found := self._store.opened(run_id)) is None:
            return None
        self._read_last = view = ready(view_of(found[0], found[1], cached=True))
        return view


def ready(view: RunView) -> RunView:
    """With all that is worked out of it on the way, for which the screens' loop has no time."""
    _ = view.timeline, view.call
    return view


Found = tuple[tuple[Verdict, tuple[Evidence, ...]], ...]
"""Each verdict of a run that applied, in order, and the turns that it speaks of."""
"""Runs whose evidence is kept."""
_STEP = 0.004
"""Seconds of work after which others have their turn."""
_REST = 0.008
"""Seconds of that turn: whoever reads meanwhile has most of the time."""
_LONG = 500
"""Turns from which on the run is drawn first."""
_DRAWN = 0.1
"""Seconds for that."""


class RunEvidence:
    """Of one session, on its loop."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[RunView, Found]] = {}

    async def find(self, view: RunView) -> Found:
        """The evidence of all verdicts of a run, or as it was found for the same run before."""
        number = view.row.id
        kept = self._kept.pop(number, None)
        if kept is None or kept[0].verdicts != view.verdicts or kept[0].transcript != view.transcript:
            kept = view, await _found(view)
        self._kept[number] = kept
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return kept[1]


async def _found(view: RunView) -> Found:
    told: list[tuple[Verdict, tuple[Evidence, ...]]] = []
    if len(view.transcript.turns) >= _LONG:
        await asyncio.sleep(_DRAWN)
    finder = EvidenceFinder(view.transcript.turns)
    until = time.monotonic() + _STEP
    with _no_search_for_garbage():
        for _ in finder.read():
            until = await _rest(until)
        for verdict in view.verdicts:
            if verdict.state != "na":
                steps, found = finder.find(verdict.reasons), None
                while found is None:
                    try:
                        next(steps)
                    except StopIteration as done:
                        found = done.value
                    until = await _rest(until)
                told.append((verdict, found))
    return tuple(told)


@contextlib.contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Python would look for garbage among the words of a long call again and again, for a tenth of a second in which no
    key is answered, and find none. What there is otherwise waits some seconds."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


async def _rest(until: float) -> float:
    """A rest, when a step of work was done; until when the next one goes on."""
    if time.monotonic() < until:
        return until
    await asyncio.sleep(_REST)
    return time.monotonic() + _STEP
