"""Feeds of runs in simulated time: on a session of a test, which notes what it is asked, and on a real one."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from run_server import RunServer
from simulated_time import NOON, SimulatedTime

from cekura_tui.api.errors import NotFound, Unreachable
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.parse import parse
from cekura_tui.model.run.listed_runs import UnloadedRun
from cekura_tui.model.run.paging import ListPage, PagedRuns
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope
from cekura_tui.workspace.run_feed import RunFeed, VisibleRange
from cekura_tui.workspace.session import Session

T = TypeVar("T")
QUERY = RunQuery(Scope("project", 1))
RUNNING = RunQuery(Scope("project", 1), parse("status:running").filter)
DOWN = Unreachable("The server did not answer.")


class Asked(NamedTuple):
    """A question: the time since the beginning, a page's number or "newer" or "now", and with what it was asked."""

    at: float
    what: Hashable
    about: Any


class Desk:
    """`faults` has what to answer instead, by what is asked for; what is in `held` waits for release."""

    def __init__(self, server: RunServer, clock: SimulatedTime) -> None:
        self.server, self._time, self._began = server, clock, clock.elapsed
        self.asked: list[Asked] = []
        self.cancelled: list[Hashable] = []
        self.faults: dict[Hashable, Exception] = {}
        self.down: Exception | None = None
        self.held: Callable[[Hashable], bool] = lambda what: False
        self._holds: list[asyncio.Event] = []
        self.going: list[Hashable] = []
        self.most = 0
        self.turns: set[Hashable] = set()

    @property
    def lists(self) -> Desk:
        """As a session has it."""
        return self

    async def page(
        self, query: RunQuery, number: int, until: float | None, *, least: int, budgeted: bool = False
    ) -> ListPage[RunRow]:
        """A page of a list."""
        if budgeted:
            self.turns.add(number)
        found = await self._answer(number, until, lambda: self.server.page(number, until))
        if found is None:
            raise NotFound("There is no such page.", status=404)
        return found

    async def total(self, scope: Scope) -> int:
        """How many runs there are in all."""
        return await self._answer("total", scope, lambda: len(self.server.by_id(range(1 << 20))))

    async def newer(self, query: RunQuery, since: float) -> ListPage[RunRow]:
        """The newest runs."""
        found = await self._answer("newer", since, lambda: self.server.page(1, since=since))
        assert found is not None
        return found

    async def reread(self, run_ids: Sequence[int]) -> tuple[RunRow, ...]:
        """How these are now."""
        return await self._answer("now", list(run_ids), lambda: self.server.by_id(run_ids))

    async def _answer(self, what: Hashable, about: object, answer: Callable[[], T]) -> T:
        self.asked.append(Asked(round(self._time.elapsed - self._began, 3), what, about))
        self.going.append(what)
        self.most = max(self.most, sum(isinstance(key, int) for key in self.going))
        try:
            if self.held(what):
                self._holds.append(hold := asyncio.Event())
                await hold.wait()
            for error in (self.down, self.faults.get(what)):
                if error is not None:
                    raise error
            self.server.now = max(self.server.now, self._time.wall)
            return answer()
        except asyncio.CancelledError:
            self.cancelled.append(what)
            raise
        finally:
            self.going.remove(what)

    def release(self) -> None:
        """Everything that is held is answered, and nothing is held any more."""
        self.held = lambda what: False
        for hold in self._holds:
            hold.set()
        self._holds.clear()


class FeedRoom:
    """A feed that is served."""

    def __init__(self, server: RunServer) -> None:
        self.server, self.time = server, SimulatedTime()
        self.desk = Desk(server, self.time)
        self.changes = 0
        self.feed = RunFeed(
            self._ask,
            self._changed,
            clock=self.time.clock,
            monotonic=self.time.monotonic,
            jitter=lambda: 0.5,
            pause=self.time.pause,
        )

    def _ask(self, ask: Callable[[Any], Awaitable[T]]) -> Awaitable[T]:
        return ask(self.desk)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def runs(self) -> PagedRuns:
        """The list, which was opened."""
        assert self.feed.runs is not None
        return self.feed.runs

    def shows(self, first: int, last: int) -> list[int | None]:
        """The ids of these rows; None for those that are not loaded."""
        return [None if isinstance(item, UnloadedRun) else item.id for item in self.runs.listed[first:last]]

    async def passes(self, seconds: float) -> None:
        """Let so much time go by."""
        await self.time.advance(seconds)

    async def looks(self, first: int, rows: int = 30, step: int = 1, wait: float = 0.2) -> None:
        """Scroll there, and stay so long."""
        self.feed.set_view(VisibleRange(first, first + rows - 1, first, step))
        await self.passes(wait)

    def clear(self) -> None:
        """Only what comes from now on is of interest."""
        self.desk.asked.clear()

    def pages(self) -> list[Hashable]:
        """The pages that were asked for, in order."""
        return [asked.what for asked in self.desk.asked if isinstance(asked.what, int)]

    def asked(self, what: Hashable) -> list[Asked]:
        """The questions of a kind."""
        return [asked for asked in self.desk.asked if asked.what == what]


def server_of(runs: int, **habits: Any) -> RunServer:
    """A server with so many runs, the last of which was made a while ago."""
    server = RunServer(now=NOON - 2.0 * runs - 500, **habits)
    server.add(runs, after=2.0)
    return server


@asynccontextmanager
async def feeding(server: RunServer, *, query: RunQuery | None = QUERY, live: bool = False) -> AsyncIterator[FeedRoom]:
    """A feed that lists from its beginning, with 30 rows on screen."""
    room = FeedRoom(server)
    room.feed.set_live(live)
    serving = asyncio.create_task(room.feed.run())
    try:
        room.feed.show(query)
        await room.looks(0)
        yield room
    finally:
        if not serving.done():
            serving.cancel()
        with contextlib.suppress(asyncio.CancelledError, CekuraTuiError):
            await serving


@asynccontextmanager
async def feeding_on(
    session: Session, query: RunQuery, *, now: float | None = None, live: bool = True
) -> AsyncIterator[tuple[RunFeed, SimulatedTime]]:
    """A feed of a real session, for which time only passes while no request is in flight.

    Its clock begins at `now` (Unix), or is the machine's. Not counted is what a sweep asks while the server fails.
    """
    asking: list[object] = []
    simulated = SimulatedTime(lambda: len(asking) > (feed.sweep is not None and feed.sweep.error is not None))

    async def ask(of: Callable[[Session], Awaitable[T]]) -> T:
        asking.append(of)
        try:
            return await of(session)
        finally:
            asking.remove(of)
            simulated.wake()

    feed = RunFeed(
        ask,
        simulated.wake,
        clock=time.time if now is None else lambda: now + simulated.clock() - NOON,
        monotonic=simulated.monotonic,
        jitter=lambda: 0.5,
        pause=simulated.pause,
        live=live,
    )
    serving = asyncio.create_task(feed.run())
    try:
        feed.show(query)
        feed.set_view(VisibleRange(0, 9, 0))
        await simulated.advance(0.01)
        yield feed, simulated
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
