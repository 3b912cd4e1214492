"""What keeps a run list on screen filled and fresh: which page to ask for when, and what changed meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable

from cekura_tui.jobs.waiting import wait_for
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.paged_runs import Gap, PagedRuns
from cekura_tui.model.run_query import RunQuery
from cekura_tui.model.view import RunRow
from cekura_tui.workspace.attempts import FOR_EVER, Attempts
from cekura_tui.workspace.page_asking import Ask, PageAsking
from cekura_tui.workspace.pages_in_view import SETTLED, PagesInView, View

__all__ = ["AT_ONCE", "FOCUSED", "IN_FLIGHT", "SETTLED", "UNFOCUSED", "Ask", "RunFeed", "View"]

IN_FLIGHT = 3
"""Pages that are asked for at once, at the most."""
FOCUSED, UNFOCUSED = 5.0, 30.0
"""Seconds between two looks for newer and changed runs while the terminal has the focus, and while it has not."""
AT_ONCE = 50
"""Runs that are asked about in one request."""
REPIN = 100
"""So many newer runs above the pages make the list be read anew: one answer holds no more of them."""
APART = 60.0
"""Seconds that the times of runs may be behind the server's own time, by which a list has its moment."""
BEFORE = 1_800.0
"""Seconds before a list's moment in which a run that was made may still come into it by its state."""
LIVE = frozenset({"newer", "changing"})


class RunFeed:
    """One list at a time. `run` serves it until it is cancelled; `changed` is called whenever something differs.

    Lives on the loop that it is used on; what it asks is asked of the session through `ask`.
    """

    def __init__(
        self,
        ask: Ask,
        changed: Callable[[], None],
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        spread: Callable[[], float] = random.random,
        pause: Callable[[asyncio.Event, float], Awaitable[None]] = wait_for,
    ) -> None:
        self._ask, self._changed = ask, changed
        self._clock, self._monotonic, self._pause = clock, monotonic, pause
        self._pages = PageAsking(ask, clock, monotonic)
        self._attempts = Attempts(self._ended, clock=clock, monotonic=monotonic, spread=spread)
        self.query: RunQuery | None = None
        self.runs: PagedRuns | None = None
        self.opened = 0
        """How often a list was opened, or read anew, by an answer."""
        self.got_at: float | None = None
        """When (Unix) the server last told anything of this list."""
        self.live = True
        self.focused = True
        self.asleep = False
        """Nobody sees the list: nothing is asked, but to read it anew."""
        self.reading_on = False
        self.flood = False
        """More runs are newer than one answer holds."""
        self._sight = PagesInView()
        self._extra: set[int] = set()
        self._asked_at: dict[int, float] = {}
        self._reopen = False
        self._newer_at = self._changing_at = float("-inf")
        self._wake = asyncio.Event()

    @property
    def error(self) -> CekuraTuiError | None:
        """Why nothing is told at the moment."""
        return self._attempts.error

    @property
    def silent_since(self) -> float | None:
        """Since when (Unix) nothing is told."""
        return self._attempts.silent_since

    @property
    def busy_until(self) -> float | None:
        """Until when (Unix) the server asked to be left alone."""
        return self._attempts.busy_until

    @property
    def loading(self) -> bool:
        """Whether pages are on their way."""
        return bool(self._on_way)

    @property
    def _on_way(self) -> list[Hashable]:
        return [key for key in self._attempts.going if key not in LIVE]

    # Wishes

    def show(self, query: RunQuery | None) -> None:
        """List this from now on; None lists nothing."""
        self._attempts.forget()
        self.query, self.runs, self.got_at = query, None, None
        self.reading_on = self.flood = self._reopen = False
        self._sight.view = View()
        self._asked_at = {}
        self._anew()
        self._wake.set()

    def refresh(self) -> None:
        """Read the list anew, as of now; what is there stays until that has come."""
        self._attempts.forgive()
        self._reopen = self.query is not None
        self._wake.set()

    def look(self, view: View) -> None:
        """This is looked at now."""
        if view != self._sight.view:
            self._sight.look(view, self._monotonic())
            if self.runs is not None:
                self._sight.note(self.runs, self._monotonic())
            self._wake.set()

    def read_more(self) -> None:
        """The next page of the newest runs that is not loaded is wanted, wherever one looks."""
        if self.runs is not None and not self.runs.full and (page := self.runs.next_missing()) is not None:
            self._extra.add(page)
            self._wake.set()

    def read_on(self, on: bool) -> None:
        """Load page after page until all are, or not any more."""
        self.reading_on = on and self.query is not None
        self._wake.set()

    def wake(self) -> None:
        """Something that decides what to ask has changed: `live`, `focused` or `asleep`."""
        self._wake.set()

    async def row_at(self, index: int) -> RunRow | None:
        """The run at an index, asked for where it is not loaded; None where there is none. Raises what asking does."""
        runs = self.runs
        if runs is None or not 0 <= index < len(runs.listed):
            return None
        found = runs.listed[index]
        if isinstance(found, Gap):
            if self._attempts.quiet(self._monotonic()) and self.error is not None:
                raise self.error
            number = runs.layout.page_at(found.place)
            try:
                await self._get(runs, number)
            except CekuraTuiError as error:
                if runs is self.runs:
                    self._attempts.failed(number, error, apart=True)
                raise
            finally:
                self._ended()
            found = runs.listed[index] if index < len(runs.listed) else None
        return found if isinstance(found, RunRow) else None

    # Serving

    async def run(self) -> None:
        """Serve the list, until this is cancelled."""
        try:
            while True:
                self._wake.clear()
                wait = self._serve(self._monotonic())
                await self._pause(self._wake, max(0.0, wait))
                if self._attempts.broken is not None:
                    raise self._attempts.broken
        finally:
            self._attempts.cancel_all()

    def _ended(self) -> None:
        self._wake.set()
        self._changed()

    def _serve(self, now: float) -> float:
        """Begin whatever is due; returns seconds until there may be more to do."""
        if self.query is None or self._attempts.stopped or (self.asleep and not self._reopen):
            return FOR_EVER
        if quiet := self._attempts.quiet(now):
            return quiet
        opening = FOR_EVER
        if self.runs is None or self._reopen:
            if not self._attempts.wait("open", now):
                self._attempts.cancel(*self._on_way[IN_FLIGHT - 1 :])
            self._attempts.begin("open", self._open, now)
            opening = self._attempts.wait("open", now)
        if self.runs is None or self.asleep:
            return opening
        return min(opening, self._serve_pages(self.runs, now), self._serve_live(self.runs, now))

    # Pages

    async def _open(self) -> None:
        assert self.query is not None
        runs = await self._pages.open(self.query, self.runs, self._sight.view)
        self._anew()
        self._reopen = self.flood = False
        self.runs, self.got_at = runs, self._clock()
        self.opened += 1
        self._newer_at = self._changing_at = self._monotonic() + self._every
        self._sight.note(runs, self._monotonic())

    async def _get(self, runs: PagedRuns, number: int, *, in_turn: bool = False) -> None:
        assert self.query is not None
        await self._pages.page(self.query, runs, number, keep=lambda: self._sight.visible(runs), in_turn=in_turn)
        if runs is self.runs:
            self.got_at = self._clock()

    def _anew(self) -> None:
        """Nothing that was asked of the list before is wanted any more."""
        self._attempts.cancel_all()
        self._sight.forget()
        self._extra.clear()

    def _serve_pages(self, runs: PagedRuns, now: float) -> float:
        if self._pages.calm_until > now:
            return self._pages.calm_until - now
        visible, attempts = self._sight.note(runs, now), self._attempts
        ahead = self._sight.ahead(runs, now)
        on = runs.next_missing() if self.reading_on and not runs.full else None
        if self.reading_on and on is None:
            self.reading_on = False
            self._changed()
        # Without the newest page nobody could tell what is new.
        self._extra = set(runs.missing({*self._extra, runs.newest_page or 0} if self.live else self._extra))
        behind = [] if on is None else [on]
        still = {"open", *visible, *ahead, *self._extra, *behind}
        attempts.cancel(*(key for key in self._on_way if key not in still))
        settled = [page for page in visible if self._sight.settles(page) <= now]
        wanted = list(dict.fromkeys(runs.missing([*settled, *ahead, *sorted(self._extra), *behind])))
        for page in wanted:
            if len(self._on_way) < IN_FLIGHT:
                self._begin_page(runs, page, now, in_turn=page == on and page not in visible)
        waits = [self._sight.settles(page) - now for page in visible]
        return _soonest([*waits, *(attempts.wait(page, now) for page in wanted)])

    def _begin_page(self, runs: PagedRuns, number: int, now: float, *, in_turn: bool) -> None:
        self._attempts.begin(number, lambda: self._get(runs, number, in_turn=in_turn), now, apart=True)

    # Newer and changed runs

    @property
    def _every(self) -> float:
        return FOCUSED if self.focused else UNFOCUSED

    def _serve_live(self, runs: PagedRuns, now: float) -> float:
        if not self.live:
            return FOR_EVER
        if now >= self._newer_at:
            self._newer_at = now + self._every
            self._attempts.begin("newer", lambda: self._newer(runs), now)
        if now >= self._changing_at:
            self._changing_at = now + self._every
            if asked := self._due(runs):
                self._attempts.begin("changing", lambda: self._changing(runs, asked), now, apart=True)
        # A terminal that has the focus again is not kept waiting as long as one without it.
        self._newer_at = min(self._newer_at, now + self._every)
        self._changing_at = min(self._changing_at, now + self._every)
        return min(self._newer_at, self._changing_at) - now

    async def _newer(self, runs: PagedRuns) -> None:
        query = self.query
        assert query is not None
        since = runs.pin - (BEFORE if query.shifting else APART)
        page = await self._ask(lambda session: session.lists.newer(query, since))
        # Newest first, what is newer than a known run is all there; else something is between, or not told.
        missed = page.oldest_first or not any(runs.knows(row.id) for row in page.rows[-1:])
        self.flood = page.more and (self.flood or missed)
        runs.add_newer(page.rows)
        self.got_at = self._clock()
        if (self.flood or runs.newer >= REPIN) and not self._sight.view.first:
            self._reopen = True

    def _due(self, runs: PagedRuns) -> list[int]:
        """The runs that may have changed and were asked about longest ago, then those nearest to the cursor."""
        ids = runs.unsettled(self._sight.view.cursor)
        self._asked_at = {number: self._asked_at.get(number, float("-inf")) for number in ids}
        return sorted(ids, key=self._asked_at.__getitem__)[:AT_ONCE]

    async def _changing(self, runs: PagedRuns, asked: list[int]) -> None:
        self._asked_at |= dict.fromkeys(asked, self._monotonic())
        runs.change(await self._ask(lambda session: session.lists.now(asked)))
        self.got_at = self._clock()


def _soonest(waits: Iterable[float]) -> float:
    """What is due already waits for something that ends, which wakes whoever waits here."""
    return min((wait for wait in waits if wait > 0), default=FOR_EVER)
