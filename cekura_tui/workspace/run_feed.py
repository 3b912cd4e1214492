"""Keep the run list on screen loaded and current: fetch its pages, and find new and changed runs."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cekura_tui.api.errors import ApiError, BadAnswer, Busy, KeyRefused, NotFound, Rejected, ServerFault, Unreachable
from cekura_tui.jobs.waiting import retry_delay, wait_for
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.filter.filter import set_times
from cekura_tui.model.run.listed_runs import UnloadedRun
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow
from cekura_tui.workspace.run_sweep import LOOK_BACK, RECHECK_AFTER, AskSession, RunSweep

if TYPE_CHECKING:
    from cekura_tui.model.run.paging import ListPage, PagedRuns


IN_FLIGHT = 3
"""Maximum number of page requests in flight at a time."""
FOCUSED, UNFOCUSED = 5.0, 30.0
"""Seconds between two requests for new and changed runs, with and without terminal focus."""
AT_ONCE = 50
"""Maximum number of runs re-read in one request."""
REPIN = 100
"""Number of newer runs above the loaded pages at which the list is reloaded, because one answer holds no more runs."""
CLOCK_LAG = 60.0
"""Maximum seconds by which a run's creation time may lag behind the server's clock."""
BACKGROUND = frozenset({"newer", "changing", "sweep", "total"})
"""Keys of the requests that do not count against `IN_FLIGHT`."""
_PAUSE_AFTER_SHIFTS = 5.0
"""Seconds without page requests after the server's count has changed repeatedly."""
IDLE = 3_600.0
"""Seconds to wait when nothing is due."""


class VisibleRange(NamedTuple):
    """The indexes of the first and last visible row and of the cursor, and the scroll direction (−1 or 1)."""

    first: int = 0
    last: int = 0
    cursor: int = 0
    step: int = 1


class RunFeed:
    """Loads one list at a time, and keeps the list current. `run` does the work until cancelled. Used on one loop.
    Requests are sent to the session with `ask`, and `changed` is called after every change."""

    def __init__(
        self,
        ask: AskSession,
        changed: Callable[[], None],
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        pause: Callable[[asyncio.Event, float], Awaitable[None]] = wait_for,
        live: bool = True,
    ) -> None:
        self._ask, self._changed = ask, changed
        self._clock, self._monotonic, self._pause = clock, monotonic, pause
        self.attempts = Attempts(self._ended, clock=clock, monotonic=monotonic, jitter=jitter)
        self.query: RunQuery | None = None
        self.runs: PagedRuns | None = None
        self.unfiltered: tuple[PagedRuns, float | None] | None = None
        """`runs` and `got_at` (None: to reload) of the scope's list without a filter, kept while a filter is set."""
        self.sweep: RunSweep | None = None
        """Checks all runs of the scope if the server's list may leave out matching runs; None for any other list."""
        self.total: int | None = None
        """The number of runs in the scope, regardless of the filter; None until known."""
        self.opened = 0
        """How many times a list was opened or reloaded."""
        self.got_at: float | None = None
        """The Unix time of the server's last answer about this list; None before the first answer."""
        self.live = live
        self.focused = True
        self.hidden = False
        """Whether another screen covers the list. If so, only a reload of the list is requested."""
        self.loading_all = False
        self.flood = False
        """Whether there are more new runs than one answer holds."""
        self._visible = VisiblePages()
        self._wanted_pages: set[int] = set()
        self._asked_about_at: dict[int, float] = {}
        self._reopen = False
        self._times: list[float] = []
        """What the filter's days and times of day meant when the list was switched to."""
        self._shifted_at = self._paused_until = float("-inf")
        self._next_newer = self._next_changing = self._next_total = float("-inf")
        self._wake = asyncio.Event()

    @property
    def _in_flight(self) -> list[Hashable]:
        return [key for key in self.attempts.running if key not in BACKGROUND]

    # Requests

    def show(self, query: RunQuery | None) -> None:
        """Switch to the list of this query; None shows no list. The list without a filter keeps its pages."""
        self.attempts.reset()
        former, rows = self.query, tuple(self.runs.rows()) if self.runs is not None else ()
        if former is None or query is None or former.scope.text != query.scope.text:
            self.unfiltered = self.total = None
        elif self.runs is not None and not former.filter:
            self.unfiltered, self.total = (self.runs, None if self._reopen else self.got_at), self.runs.count
            self._next_total = self._monotonic() + RECHECK_AFTER
        self.query, self.runs, self.got_at = query, None, None
        if query is not None and not query.filter and self.unfiltered is not None:
            self.runs, self.got_at = self.unfiltered
            self.runs.change(rows)
        self._times = set_times(query.filter, self._clock()) if query is not None else []
        if self.sweep is not None:
            self.sweep.close()
        self.sweep = None
        if query is not None and query.needs_sweep:
            self.sweep = RunSweep(self._ask, query, self._clock, self._sweep_failed)
        self.loading_all = self.flood = False
        self._reopen = self.runs is not None and self.got_at is None
        self._next_newer = self._next_changing = float("-inf")
        self._visible.reset()
        self._asked_about_at = {}
        self._drop_requests()
        self._wake.set()

    def refresh(self) -> None:
        """Reload the list, including new runs. The current rows stay until the answer arrives."""
        self.attempts.retry_now()
        self._reopen, self.total = self.query is not None, None
        self.unfiltered = self.unfiltered and (self.unfiltered[0], None)
        if self.sweep is not None:
            self.attempts.cancel("sweep")
            self.sweep.restart()
        self._wake.set()

    def set_view(self, view: VisibleRange) -> None:
        if view != self._visible.view:
            self._visible.set_view(view, self._monotonic())
            if self.runs is not None:
                self._visible.update(self.runs, self._monotonic())
            self._wake.set()

    def load_more(self) -> None:
        """Request the unloaded page nearest to the newest run, even if the page is not visible."""
        if self.runs is not None and not self.runs.full and (page := self.runs.next_missing()) is not None:
            self._wanted_pages.add(page)
            self._wake.set()

    def load_all(self, on: bool) -> None:
        if self.sweep is not None:
            self.sweep.on = on
        else:
            self.loading_all = on and self.query is not None
        self._wake.set()

    def set_live(self, live: bool) -> None:
        self.live = live
        self._wake.set()

    def set_focused(self, focused: bool) -> None:
        self.focused = focused
        self._wake.set()

    def set_hidden(self, hidden: bool) -> None:
        """Set whether another screen covers the list; if so, only a reload is requested, not even the first page."""
        self.hidden = hidden
        self._wake.set()

    def change(self, rows: Sequence[RunRow]) -> None:
        if self.runs is not None:
            self.runs.change(rows)
        if self.sweep is not None:
            self.sweep.change(rows)

    def complete(self, whole: RunSweep, notes: Mapping[int, str]) -> None:
        """Take over all runs of this list from a finished sweep of the same query. `notes` maps run ids to notes."""
        if self.sweep is not None and not self.sweep.all_checked:
            self.attempts.cancel("sweep")
            self.sweep.take(whole)
        elif self.sweep is None and self.runs is not None:
            self.runs.complete(whole.matching(notes))
        self._ended()

    async def row_at(self, index: int) -> RunRow | None:
        """The row at an index, fetched if not loaded; None if there is no row. Raises the error of a failed request."""
        runs = self.runs
        if runs is None or not 0 <= index < len(runs.listed):
            return None
        found = runs.listed[index]
        if isinstance(found, UnloadedRun):
            if self.attempts.server_pause(self._monotonic()) and self.attempts.error is not None:
                raise self.attempts.error
            number = runs.layout.page_at(found.place)
            try:
                await self._get(runs, number)
            except CekuraTuiError as error:
                if runs is self.runs:
                    self.attempts.record_failure(number, error, isolated=True)
                raise
            finally:
                self._ended()
            found = runs.listed[index] if index < len(runs.listed) else None
        return found if isinstance(found, RunRow) else None

    # Serving

    async def run(self) -> None:
        try:
            while True:
                self._wake.clear()
                wait = self._serve(self._monotonic())
                await self._pause(self._wake, max(0.0, wait))
                if self.attempts.broken is not None:
                    raise self.attempts.broken
        finally:
            self.attempts.cancel(*self.attempts.running)

    def _ended(self) -> None:
        self._wake.set()
        self._changed()

    def _serve(self, now: float) -> float:
        """Start all requests that are due; returns the seconds until the next request may be due."""
        if self.query is None or self.attempts.stopped or (self.hidden and not self._reopen):
            return IDLE
        if quiet := self.attempts.server_pause(now):
            return quiet
        if self.live and set_times(self.query.filter, self._clock()) != self._times:
            self.show(self.query)  # another day: the list of the former day must not get runs of this day
        opening = IDLE
        if self.runs is None or self._reopen:
            if not self.attempts.delay_of("open", now):
                self.attempts.cancel(*self._in_flight[IN_FLIGHT - 1 :])
            self.attempts.start("open", self._open, now)
            opening = self.attempts.delay_of("open", now)
        if self.runs is None or self.hidden:
            return opening
        of_list = self._serve_pages(self.runs, now), self._serve_live(self.runs, now)
        return min(opening, *of_list, self._serve_sweep(now), self._serve_total(now))

    def _serve_total(self, now: float) -> float:
        assert self.query is not None
        if not self.query.filter or (self.total is not None and not self.live):
            return IDLE
        if self.total is not None and now < self._next_total:
            return self._next_total - now
        self.attempts.start("total", self._get_total, now, isolated=True)
        return self.attempts.delay_of("total", now)

    async def _get_total(self) -> None:
        query = self.query
        assert query is not None
        total = await self._ask(lambda session: session.lists.total(query.scope))
        if query is self.query:
            self.total, self._next_total = total, self._monotonic() + RECHECK_AFTER

    # Pages

    async def _open(self) -> None:
        """Open the list. On a reload, fetch the visible pages before the old list is replaced, so that no row moves."""
        from cekura_tui.model.run.paging import PagedRuns  # not needed for the first frame

        # Keep the visible rows until all their pages are reloaded, but after a failure do not wait for all of them.
        strict, view = not self.attempts.has_failed("open"), self._visible.view
        runs = PagedRuns(await self._fetch(1, None), self._clock())
        wanted = [] if runs.newest_page is None else [runs.newest_page]
        if self.runs is not None:
            moved = runs.count - self.runs.count
            wanted += runs.layout.pages_for(view.first + moved, view.last + moved)
            wanted += runs.layout.pages_for(view.cursor + moved, view.cursor + moved)
        for number in dict.fromkeys(wanted):
            if runs.missing([number]):
                try:
                    await self._get(runs, number)
                except (ServerFault, Rejected, BadAnswer, NotFound):
                    continue  # the list shows the error in its place
                except Unreachable:
                    if strict:
                        raise
        self._drop_requests()
        if self.sweep is not None and self.runs is not None:
            self.sweep.add(self.runs.rows())
        self._reopen = self.flood = False
        whole = self.runs is not None and self.runs.next_missing() is None
        self.loading_all |= self.sweep is None and whole and runs.next_missing() is not None
        self.runs, self.got_at = runs, self._clock()
        self.opened += 1
        self._next_newer = self._next_changing = self._monotonic() + self._interval
        self._visible.update(runs, self._monotonic())

    async def _get(self, runs: PagedRuns, number: int, *, budgeted: bool = False) -> None:
        """Fetch a page into `runs`, or truncate the list past its end; other errors are recorded there and raised."""
        shifts = runs.shifts
        try:
            page = await self._fetch(number, runs, budgeted=budgeted)
        except CekuraTuiError as error:
            if not isinstance(error, NotFound) or number == 1:
                runs.fail(number, error.message)
                raise
            runs.no_such_page(number)
        else:
            runs.put(number, page, self._visible.visible(runs))
        if runs.shifts > shifts:
            # Shifted pages are requested again, endlessly if the server's count changes every time.
            now = self._monotonic()
            if now < self._shifted_at + _PAUSE_AFTER_SHIFTS:
                self._paused_until = now + _PAUSE_AFTER_SHIFTS
            self._shifted_at = now
        if runs is self.runs:
            self.got_at = self._clock()

    async def _fetch(self, number: int, runs: PagedRuns | None, *, budgeted: bool = False) -> ListPage[RunRow]:
        query = self.query
        assert query is not None
        until, least = (runs.pin, runs.reported_count) if runs is not None else (None, 0)
        return await self._ask(lambda session: session.lists.page(query, number, until, least=least, budgeted=budgeted))

    def _drop_requests(self) -> None:
        """Cancel the requests for the previous list, except the request of the sweep."""
        self.attempts.cancel(*(key for key in self.attempts.running if key != "sweep"))
        self._visible.restart()
        self._wanted_pages.clear()

    def _serve_pages(self, runs: PagedRuns, now: float) -> float:
        if self._paused_until > now:
            return self._paused_until - now
        visible, attempts = self._visible.update(runs, now), self.attempts
        prefetched = self._visible.prefetch(runs, now)
        on = runs.next_missing() if self.loading_all and not runs.full else None
        if self.loading_all and on is None:
            self.loading_all = False
            self._changed()
        # The newest page is needed to detect new runs.
        newest = {runs.newest_page or 0} if self.live else set[int]()
        self._wanted_pages = set(runs.missing(self._wanted_pages | newest))
        behind = [] if on is None else [on]
        still = {"open", *visible, *prefetched, *self._wanted_pages, *behind}
        attempts.cancel(*(key for key in self._in_flight if key not in still))
        settled = [page for page in visible if self._visible.settled_at(page) <= now]
        wanted = list(dict.fromkeys(runs.missing([*settled, *prefetched, *sorted(self._wanted_pages), *behind])))
        for page in wanted:
            if len(self._in_flight) < IN_FLIGHT:
                get = partial(self._get, runs, page, budgeted=page == on and page not in visible)
                attempts.start(page, get, now, isolated=True)
        waits = [self._visible.settled_at(page) - now for page in visible]
        waits += [attempts.delay_of(page, now) for page in wanted]
        # Requests already due wait for a running task, whose end wakes the feed.
        return min((wait for wait in waits if wait > 0), default=IDLE)

    def _serve_sweep(self, now: float) -> float:
        sweep = self.sweep
        if sweep is None or (sweep.all_checked and not self.live):
            return IDLE
        if wait := sweep.wait():
            return wait
        self.attempts.start("sweep", sweep.step, now, isolated=True)
        return self.attempts.delay_of("sweep", now)

    def _sweep_failed(self, sweep: RunSweep, error: ApiError) -> None:
        """Record that a request of the sweep failed and will be retried."""
        if sweep is self.sweep and "sweep" in self.attempts.running:
            sweep.error = error
            if isinstance(error, Busy):
                self.attempts.record_failure("sweep", error)
            self._ended()

    # Newer and changed runs

    @property
    def _interval(self) -> float:
        return FOCUSED if self.focused else UNFOCUSED

    def _serve_live(self, runs: PagedRuns, now: float) -> float:
        if not self.live:
            return IDLE
        if now >= self._next_newer:
            self._next_newer = now + self._interval
            self.attempts.start("newer", lambda: self._get_newer(runs), now)
        if now >= self._next_changing:
            self._next_changing = now + self._interval
            if asked := self._due_runs(runs):
                self.attempts.start("changing", lambda: self._reread(runs, asked), now, isolated=True)
        # When the terminal regains the focus, shorten a wait that began without it.
        self._next_newer = min(self._next_newer, now + self._interval)
        self._next_changing = min(self._next_changing, now + self._interval)
        return min(self._next_newer, self._next_changing) - now

    async def _get_newer(self, runs: PagedRuns) -> None:
        query = self.query
        assert query is not None
        since = runs.pin - (LOOK_BACK if query.has_changing_terms else CLOCK_LAG)
        page = await self._ask(lambda session: session.lists.newer(query, since))
        # If a newest-first answer reaches a known run, it holds all newer ones; else some may be missing in between.
        missed = page.oldest_first or not any(runs.knows(row.id) for row in page.items[-1:])
        self.flood = page.more and (self.flood or missed)
        runs.add_newer(page.items)
        self.got_at = self._clock()
        if (self.flood or runs.newer >= REPIN) and not self._visible.view.first:
            self._reopen = True

    def _due_runs(self, runs: PagedRuns) -> list[int]:
        """Up to `AT_ONCE` unfinished runs to re-read, least recently re-read first, then nearest to the cursor."""
        ids = runs.unsettled(self._visible.view.cursor)
        if self.sweep is not None:
            ids = list(dict.fromkeys([*ids, *(row.id for row in self.sweep.rows if not row.outcome.settled)]))
        self._asked_about_at = {number: self._asked_about_at.get(number, float("-inf")) for number in ids}
        return sorted(ids, key=self._asked_about_at.__getitem__)[:AT_ONCE]

    async def _reread(self, runs: PagedRuns, asked: list[int]) -> None:
        self._asked_about_at |= dict.fromkeys(asked, self._monotonic())
        self.change(await self._ask(lambda session: session.lists.reread(asked)))
        self.got_at = self._clock()


class Attempts:
    """Running tasks and failures by request key. `ended` is called after each task, unless the task was cancelled."""

    def __init__(
        self,
        ended: Callable[[], None],
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._ended = ended
        self._clock, self._monotonic, self._jitter = clock, monotonic, jitter
        self.error: CekuraTuiError | None = None
        """The error with which requests fail at the moment; None while requests succeed."""
        self.failing_since: float | None = None
        """The Unix time when requests began to fail; None while requests succeed."""
        self.busy_until: float | None = None
        """The Unix time when the pause requested by the server ends; None if the server has not requested a pause."""
        self.broken: Exception | None = None
        """An exception caused by a bug, for `RunFeed.run` to raise; None if there is none."""
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}
        self._failing: dict[Hashable, tuple[int, float]] = {}
        """The number of consecutive failures and the monotonic time of the next retry, by request key."""
        self._pause_until = float("-inf")

    # Starting and cancelling

    def start(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, None]], now: float, *, isolated: bool = False
    ) -> None:
        """Start a task for a request key, unless that key's task is running or must wait. `now` is monotonic. If an
        `isolated` task gets an error answer, the server as a whole is not considered failing."""
        if self.delay_of(key, now) <= 0:
            self._tasks[key] = asyncio.get_running_loop().create_task(self._do(key, work, isolated))

    def cancel(self, *keys: Hashable) -> None:
        """Cancel the tasks of these keys, except the calling task."""
        for key in keys:
            if (task := self._tasks.get(key)) is not None and task is not asyncio.current_task():
                task.cancel()
                del self._tasks[key]

    def retry_now(self) -> None:
        """Allow failed requests to be retried at once, even after the server refused the API key."""
        self._failing.clear()
        if self.stopped:
            self.error = self.failing_since = None

    def reset(self) -> None:
        """Cancel all tasks and clear all failures, to show another list."""
        self.cancel(*self._tasks)
        self._failing.clear()
        if not self.server_pause(self._monotonic()):
            self.error = self.failing_since = self.busy_until = None

    # State

    @property
    def running(self) -> list[Hashable]:
        return list(self._tasks)

    @property
    def stopped(self) -> bool:
        """Whether the server refused the API key, or nothing can be sent, so that only the user can resume requests."""
        return self.error is not None and self.error.exit_status in (Exit.KEY_REFUSED, Exit.RESTART_NEEDED)

    def server_pause(self, now: float) -> float:
        """Seconds left of the pause that the server asked for; 0 if there is no pause."""
        return max(0.0, self._pause_until - now)

    def delay_of(self, key: Hashable, now: float) -> float:
        """Seconds until the request with this key may start; IDLE if the request is already running."""
        if key in self._tasks:
            return IDLE
        _, retry_at = self._failing.get(key, (0, now))
        return max(self.server_pause(now), retry_at - now)

    def has_failed(self, key: Hashable) -> bool:
        return key in self._failing

    async def _do(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, None]], isolated: bool) -> None:
        try:
            await work()
        except CekuraTuiError as error:
            self.record_failure(key, error, isolated=isolated)
        except Exception as error:  # `run` raises it again, and its worker reports it
            self.broken = error
        else:
            if self._failing.pop(key, None) and not isolated:
                self._failing.clear()  # the server works again, so retry all other requests
            self.error = self.failing_since = self.busy_until = None
        finally:
            # A cancelled task ends here, too; another one may have replaced it already.
            if self._tasks.get(key) is asyncio.current_task():
                del self._tasks[key]
        self._ended()

    def record_failure(self, key: Hashable, error: CekuraTuiError, *, isolated: bool = False) -> None:
        """Record a failed request, the time of the retry, and whether the server as a whole is failing."""
        now, times = self._monotonic(), self._failing.get(key, (0, 0.0))[0] + 1
        wait = retry_delay(times, error.retry_after if isinstance(error, ApiError) else None, self._jitter())
        self._failing[key] = times, now + wait
        if isinstance(error, Busy) and wait > self.server_pause(now):
            # It concerns the whole server: request nothing until then.
            self._pause_until, self.busy_until = now + wait, self._clock() + wait
        if isinstance(error, Busy | KeyRefused):
            self.cancel(*self._tasks)
        elif isolated and isinstance(error, ServerFault | Rejected | BadAnswer | NotFound):
            return
        if not self.stopped:
            self.error = error
        if self.failing_since is None:
            self.failing_since = self._clock()


class VisiblePages:
    """Tracks which pages of a changing list are visible, and since when (monotonic time)."""

    def __init__(self) -> None:
        self.view = VisibleRange()
        self._since: dict[int, float] = {}
        self._jumped_at = float("-inf")

    def set_view(self, view: VisibleRange, now: float) -> None:
        if 2 * abs(view.first - self.view.first) >= self.view.last - self.view.first > 0:
            self._jumped_at = now
        self.view = view

    def visible(self, runs: PagedRuns, beyond: int = 0) -> list[int]:
        """The numbers of the pages on screen; with `beyond` (−1 or 1), also the next page in that direction."""
        head = runs.listed.head
        first, last = self.view.first - head, self.view.last - head
        return runs.layout.pages_for(first, last, beyond) if last >= 0 else []

    def update(self, runs: PagedRuns, now: float) -> list[int]:
        """Record which pages are visible now, and return their numbers; `now` is monotonic."""
        pages = self.visible(runs)
        if self._since.keys() != set(pages):
            self._since = {page: self._since.get(page, now) for page in pages}
            runs.mark_viewed(pages)
        return pages

    def settled_at(self, page: int) -> float:
        """The monotonic time at which a visible page will have been visible long enough to be fetched."""
        return max(self._since[page], self._jumped_at) + 0.15

    def prefetch(self, runs: PagedRuns, now: float) -> list[int]:
        """The next page in scroll direction, if all visible pages have settled; otherwise empty."""
        pages = self.visible(runs)
        if any(self.settled_at(page) > now for page in pages):
            return []
        return self.visible(runs, self.view.step)[len(pages) :]

    def restart(self) -> None:
        """Count all visible pages as newly visible."""
        self._since.clear()

    def reset(self) -> None:
        """Start at the top of another list."""
        self.view = VisibleRange()
        self.restart()
