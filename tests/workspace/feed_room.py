"""Run the `RunFeed` of a list in simulated time, with a fake session that records requests or with a real session."""

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


class Request(NamedTuple):
    """A recorded request. `at` is in seconds since the start of the test; `about` is the request's argument. `what` is
    the requested page number, or the kind of another request: "total", "newer" or "now"."""

    at: float
    what: Hashable
    about: Any


class FakeSession:
    """A fake session; its `lists` is the session itself. `faults` maps page numbers and kinds of requests to the errors
    that they raise; `down` is raised by every request. Requests for which `held` returns True wait for `release`."""

    def __init__(self, server: RunServer, clock: SimulatedTime) -> None:
        self.server, self._time, self._began = server, clock, clock.elapsed
        self.asked: list[Request] = []
        self.cancelled: list[Hashable] = []
        self.faults: dict[Hashable, Exception] = {}
        self.down: Exception | None = None
        self.held: Callable[[Hashable], bool] = lambda what: False
        self._holds: list[asyncio.Event] = []
        self.in_flight: list[Hashable] = []
        self.max_in_flight = 0
        self.budgeted_pages: set[Hashable] = set()

    @property
    def lists(self) -> FakeSession:
        return self

    async def page(
        self, query: RunQuery, number: int, until: float | None, *, least: int, budgeted: bool = False
    ) -> ListPage[RunRow]:
        if budgeted:
            self.budgeted_pages.add(number)
        found = await self._answer(number, until, lambda: self.server.page(number, until))
        if found is None:
            raise NotFound("There is no such page.", status=404)
        return found

    async def total(self, scope: Scope) -> int:
        return await self._answer("total", scope, lambda: len(self.server.by_id(range(1 << 20))))

    async def newer(self, query: RunQuery, since: float) -> ListPage[RunRow]:
        found = await self._answer("newer", since, lambda: self.server.page(1, since=since))
        assert found is not None
        return found

    async def reread(self, run_ids: Sequence[int]) -> tuple[RunRow, ...]:
        return await self._answer("now", list(run_ids), lambda: self.server.by_id(run_ids))

    async def _answer(self, what: Hashable, about: object, answer: Callable[[], T]) -> T:
        self.asked.append(Request(round(self._time.elapsed - self._began, 3), what, about))
        self.in_flight.append(what)
        self.max_in_flight = max(self.max_in_flight, sum(isinstance(key, int) for key in self.in_flight))
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
            self.in_flight.remove(what)

    def release(self) -> None:
        """Let all held requests continue, and hold no more requests."""
        self.held = lambda what: False
        for hold in self._holds:
            hold.set()
        self._holds.clear()


class FeedRoom:
    """A run feed on a fake session, in simulated time."""

    def __init__(self, server: RunServer) -> None:
        self.server, self.time = server, SimulatedTime()
        self.session = FakeSession(server, self.time)
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
        return ask(self.session)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def runs(self) -> PagedRuns:
        """The list that the feed shows; fails if no list is open."""
        assert self.feed.runs is not None
        return self.feed.runs

    def shows(self, first: int, last: int) -> list[int | None]:
        """The ids of the rows from index `first` to `last` (exclusive); None in place of a row that is not loaded."""
        return [None if isinstance(item, UnloadedRun) else item.id for item in self.runs.listed[first:last]]

    async def advance(self, seconds: float) -> None:
        await self.time.advance(seconds)

    async def scroll_to(self, first: int, rows: int = 30, step: int = 1, wait: float = 0.2) -> None:
        """Show `rows` rows from index `first` on, and let `wait` simulated seconds pass. `step` is the
        direction (1 or -1)."""
        self.feed.set_view(VisibleRange(first, first + rows - 1, first, step))
        await self.advance(wait)

    def clear(self) -> None:
        """Clear the list of recorded requests."""
        self.session.asked.clear()

    def pages(self) -> list[Hashable]:
        """The requested page numbers, in order."""
        return [asked.what for asked in self.session.asked if isinstance(asked.what, int)]

    def asked(self, what: Hashable) -> list[Request]:
        """The recorded requests for one page number or of one kind."""
        return [asked for asked in self.session.asked if asked.what == what]


def server_of(runs: int, **habits: Any) -> RunServer:
    """A server with this many runs, created two seconds apart; the newest is about eight minutes old."""
    server = RunServer(now=NOON - 2.0 * runs - 500, **habits)
    server.add(runs, after=2.0)
    return server


@asynccontextmanager
async def feeding(server: RunServer, *, query: RunQuery | None = QUERY, live: bool = False) -> AsyncIterator[FeedRoom]:
    """Run a feed that is scrolled to the top, with 30 rows on screen. If `query` is None, no list is open."""
    room = FeedRoom(server)
    room.feed.set_live(live)
    serving = asyncio.create_task(room.feed.run())
    try:
        room.feed.show(query)
        await room.scroll_to(0)
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
    """Run a feed on a real session. Simulated time advances only while no request is in flight.

    The feed's clock starts at `now` (Unix time), or is the real clock if `now` is None. While the feed's sweep has an
    error, time also advances during one request.
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
