"""Go through all runs of a query, and load some of these runs in full."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from cekura_tui.jobs.polling import AT_ONCE, load_time
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow, filled
from cekura_tui.model.text import count

if TYPE_CHECKING:
    from cekura_tui.api.errors import ApiError
    from cekura_tui.model.run.groups import Finding
    from cekura_tui.workspace.all_runs import MatchingPage
    from cekura_tui.workspace.session import Session

T = TypeVar("T")

LOOK_BACK = 1_800.0
"""Seconds to look back, since a run created earlier may still enter a list when the run's state changes."""
RECHECK_AFTER = 30.0
"""Seconds between two checks for runs created or finished in the meantime."""


class AskSession(Protocol):
    """Calls an async function with the session, as `Workspace.call` does."""

    def __call__(self, ask: Callable[[Session], Awaitable[T]], /) -> Awaitable[T]: ...


@dataclass(eq=False, slots=True)
class _Pass:
    """One pass over the pages of all runs, or only of the runs created since the Unix time `since`. `pages` may be used
    on the session's loop only; None until the first page is requested."""

    since: float | None
    pages: AsyncGenerator[MatchingPage, None] | None = None


class RunSweep:
    """Checks all runs in a query's scope, a page per `step`, within the shared budget; for one task at a time. `waits`
    gets each error that is retried; if `patient`, an unreachable or failing server is retried forever."""

    def __init__(
        self,
        ask: AskSession,
        query: RunQuery,
        clock: Callable[[], float] = time.time,
        waits: Callable[[RunSweep, ApiError], None] = lambda sweep, error: None,
        *,
        patient: bool = True,
    ) -> None:
        self.query = query
        self._ask, self._clock, self._waits, self._patient = ask, clock, waits, patient
        self.on = True
        """Whether the user lets the sweep run."""
        self.all_checked = False
        """Whether all runs were checked, since the last restart if any."""
        self.checked_before = False
        """Whether all runs were checked before a restart."""
        self.read = self.total = 0
        """How many of `total` runs were checked in the first pass."""
        self.error: CekuraTuiError | None = None
        """The error of the last request; None if the last request succeeded."""
        self.retry_at: float | None = None
        """Unix time of the retry of the last request that failed."""
        self._found: dict[int, RunRow] = {}
        self._rows: Sequence[RunRow] | None = ()
        self._seen: set[int] = set()
        self._pass: _Pass | None = None
        self._asked: asyncio.Future[MatchingPage | None] | None = None
        self._began = float("-inf")

    @property
    def rows(self) -> Sequence[RunRow]:
        """Matching runs, and running runs that may match later, newest first; the same object until a row changes."""
        if self._rows is None:
            self._rows = tuple(sorted(self._found.values(), key=lambda row: row.id, reverse=True))
        return self._rows

    def matching(self, notes: Mapping[int, str]) -> list[RunRow]:
        """The rows that match the query now. `notes` maps run ids to notes."""
        now = self._clock()
        passes = Matcher(self.query.rest(now), now=now, notes=notes)
        return [row for row in self.rows if passes(row)]

    def joined(self, rows: Sequence[RunRow]) -> Sequence[RunRow]:
        """Merge `rows` with the sweep's, newest first; a row that lacks fields is completed from the sweep's row."""
        # Avoid sorting up to tens of thousands of rows: nearly all are in `_found` by the end of a pass.
        others = {row.id: row for row in rows if self._found.get(row.id) != row}
        if not others:
            return self.rows
        found = (row for row in self.rows if row.id not in others)
        for number, row in others.items():
            whole = self._found.get(number)
            if whole is not None and whole.whole and not row.whole:
                others[number] = filled(row, whole)
        return sorted((*others.values(), *found), key=lambda row: row.id, reverse=True)

    @property
    def running(self) -> bool:
        """Whether the sweep is on and has runs left to check."""
        return self.on and not self.all_checked

    def add(self, rows: Iterable[RunRow]) -> None:
        """Add rows of the list to the rows found; any row that the first pass does not find is removed at its end."""
        self._found = {row.id: row for row in rows} | self._found
        self._rows = None

    def begin_with(self, rows: Iterable[RunRow], read: int, total: int, *, complete: bool) -> None:
        """Take over the `rows` of a list that has loaded `read` of `total` runs, if `complete` all of them."""
        listed = {row.id: row for row in rows}
        self._found, self._rows = listed if complete else self._found | listed, None
        if complete:
            self.close()
            self.all_checked, self._began = True, self._clock()
            self.read = self.total = len(listed)
        else:
            self.read = max(self.read, read)
            self.total = max(self.total, self.read, total)

    def take(self, whole: RunSweep) -> None:
        """Take over everything that a finished sweep of the same query has found."""
        self.begin_with(whole.rows, 0, 0, complete=True)
        self._began = whole._began

    def change(self, rows: Iterable[RunRow]) -> None:
        changed = {row.id: row for row in rows if self._found.get(row.id, row) != row}
        if changed:
            self._found |= changed
            self._rows = None

    def restart(self) -> None:
        """Check all runs again. The rows found so far stay until all runs are checked."""
        self.checked_before |= self.all_checked
        self.all_checked, self.read, self.on = False, 0, True
        self.close()

    def close(self) -> None:
        """Cancel the running request and end the pass."""
        if self._asked is not None:
            self._asked.cancel()
        self._pass = self._asked = None

    def wait(self) -> float:
        if not self.all_checked:
            return 0.0 if self.on else float("inf")
        return 0.0 if self._pass is not None else max(0.0, self._began + RECHECK_AFTER - self._clock())

    async def step(self) -> None:
        """Check the next page; raises ApiError. The step after an error starts again from the first page. If a step is
        cancelled, the next step uses the page that was already requested."""
        if self._asked is None:
            if self._pass is None:
                self._pass = _Pass(self._began - LOOK_BACK if self.all_checked else None)
                self._began, self._seen = self._clock(), set()
            loop, context = asyncio.get_running_loop(), copy_context()  # the session's own is empty: no timer starts

            def on_wait(error: ApiError, seconds: float) -> None:
                self.retry_at = self._clock() + seconds
                loop.call_soon_threadsafe(self._waits, self, error, context=context)

            self._asked = asyncio.ensure_future(self._ask(partial(self._next, self._pass, on_wait)))
            # Retrieve its exception: no step may be waiting when it fails.
            self._asked.add_done_callback(lambda asked: None if asked.cancelled() else asked.exception())
        try:
            page = await asyncio.shield(self._asked)
        except CekuraTuiError as error:
            self._pass, self._asked, self.error = None, None, error
            raise
        self._asked = self.error = None
        if page is not None:
            self._put(page)
            return
        if not self.all_checked:
            # A run found earlier but not in this pass was deleted or no longer matches.
            for number in self._found.keys() - self._seen:
                del self._found[number]
                self._rows = None
        self.all_checked, self._pass = True, None

    async def _next(
        self, one: _Pass, on_wait: Callable[[ApiError, float], None], session: Session
    ) -> MatchingPage | None:
        """Fetch a pass's next page, None after the last; changes only the pass, as a cancelled call may still run."""
        if one.pages is None:
            one.pages = session.matching_runs(self.query, on_wait, self._clock(), one.since, patient=self._patient)
        return await anext(one.pages, None)

    def _put(self, page: MatchingPage) -> None:
        rows = {row.id: row for row in (*page.running, *(row for _, row in page.matches))}
        self._seen |= rows.keys()
        if not self.all_checked:
            self.read, self.total = max(self.read, page.read), page.total
        if any(self._found.get(number) != row for number, row in rows.items()):
            self._found |= rows
            self._rows = None


class RunLoad:
    """Loads the `wanted` runs of a list in full, one request at a time within the shared budget. `source` returns the
    list; if `source` is a query, a sweep lists its runs first. Unless `fresh`, cached findings are used."""

    def __init__(
        self,
        ask: AskSession,
        source: RunQuery | Callable[[], Sequence[RunRow]],
        wanted: Callable[[RunRow], bool],
        *,
        clock: Callable[[], float] = time.time,
        patient: bool = True,
        fresh: bool = True,
    ) -> None:
        self._ask, self._wanted, self._fresh, self._clock = ask, wanted, fresh, clock
        self.sweep: RunSweep | None = None
        if isinstance(source, RunQuery):
            sweep = self.sweep = RunSweep(ask, source, clock, self._retry, patient=patient)
            self.rows: Callable[[], Sequence[RunRow]] = lambda: sweep.rows
        else:
            self.rows = source
        self.changed: Callable[[], None] = lambda: None
        """Called before and after each request."""
        self.on = False
        """Whether the load is running; if set to False, it ends after the request in flight."""
        self.error: CekuraTuiError | None = None
        """Why the load ended early, or why a request is being retried; None if requests succeed."""
        self.retry_at: float | None = None
        """Unix time at which the request that `error` is about is retried."""
        self.findings: dict[int, tuple[Finding, ...] | None] = {}
        """Why the runs loaded in full have failed, by run id; None for a run missing from the server's answer."""
        self.last: tuple[RunRow, ...] = ()
        """The rows of the runs loaded in full by the last request."""
        self._ids: tuple[Sequence[RunRow], list[int]] = ((), [])

    @property
    def ids(self) -> list[int]:
        """The ids of the wanted runs, newest first."""
        if (rows := self.rows()) is not self._ids[0]:
            self._ids = rows, [row.id for row in rows if self._wanted(row)]
        return self._ids[1]

    @property
    def missing(self) -> list[int]:
        """The ids of the wanted runs that are not loaded in full."""
        return [number for number in self.ids if number not in self.findings]

    def progress(self, *, whole: bool) -> str:
        """How much is loaded, such as "200 of 240 runs" and, if `whole` runs are needed, "checks of 50 of 71 failed
        runs"; empty if everything is loaded, or was loaded before a restart."""
        if self.sweep is not None and not (self.sweep.all_checked or self.sweep.checked_before):
            return f"{self.sweep.read:,} of {count(self.sweep.total, 'run')}"
        missing, failed = len(self.missing), len(self.ids)
        return f"checks of {failed - missing:,} of {count(failed, 'failed run')}" if whole and missing else ""

    def time_left(self, *, whole: bool) -> str:
        """About how long it takes to load what is missing, such as "3 s"."""
        missing, unread = len(self.missing) if whole else 0, 0
        if (sweep := self.sweep) is not None:
            missing, unread = missing * sweep.total // max(sweep.read, 1), sweep.total - sweep.read
        return load_time(missing, unread)

    async def run(self) -> bool:
        """Load runs that are missing, new or finished meanwhile; whether all are loaded. `error` keeps an error."""
        self.on, self.error, complete = True, None, False
        loop, context = asyncio.get_running_loop(), copy_context()  # requests run on the session's loop

        def on_wait(error: ApiError, seconds: float) -> None:
            self.error, self.retry_at = error, self._clock() + seconds
            loop.call_soon_threadsafe(lambda: self.changed(), context=context)

        try:
            while self.on and not complete:
                self.changed()
                if self.sweep is not None and not self.sweep.wait():
                    await self.sweep.step()
                elif missing := self.missing[:AT_ONCE]:
                    found, self.last = await self._ask(partial(self._load, missing, on_wait))
                    self.findings |= found
                else:
                    complete = True
                self.error = None
        except CekuraTuiError as error:
            self.error = error
        # Not in a `finally`: a cancelled task was replaced by another, which is still loading.
        self.on = False
        self.changed()
        return complete

    async def _load(
        self, ids: Sequence[int], on_wait: Callable[[ApiError, float], None], session: Session
    ) -> tuple[dict[int, tuple[Finding, ...] | None], tuple[RunRow, ...]]:
        found, failure = await session.findings.all(ids, on_wait, fresh=self._fresh)
        if failure is not None:
            raise failure
        return found, session.lists.whole_rows(ids)

    def _retry(self, sweep: RunSweep, error: ApiError) -> None:
        self.error, self.retry_at = error, sweep.retry_at
        self.changed()
