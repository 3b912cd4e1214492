"""Go through all runs of a list: check for matches that the server's list may leave out, or load the transcripts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow, filled

if TYPE_CHECKING:
    from cekura_tui.api.errors import ApiError
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
    """Checks all runs in the scope of one query, a page per `step`, within the shared budget. One task at a time may
    use a sweep. `waits` is called with each error that is retried."""

    def __init__(
        self,
        ask: AskSession,
        query: RunQuery,
        clock: Callable[[], float] = time.time,
        waits: Callable[[RunSweep, ApiError], None] = lambda sweep, error: None,
    ) -> None:
        self._ask, self._query, self._clock, self._waits = ask, query, clock, waits
        self.on = True
        """Whether the user lets the sweep run."""
        self.all_checked = False
        """Whether all runs were checked at least once."""
        self.read = self.total = 0
        """How many of `total` runs were checked in the first pass."""
        self.error: CekuraTuiError | None = None
        """The error of the last request; None if the last request succeeded."""
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

    def joined(self, rows: Sequence[RunRow]) -> Sequence[RunRow]:
        """Merge `rows` of the list with the rows that the sweep found, newest first. A row of the list that lacks
        fields is completed from the sweep's full row."""
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

    def complete(self, rows: Iterable[RunRow]) -> None:
        """Take `rows` as the result of a first pass that ended now."""
        self.close()
        self._found, self._rows = {row.id: row for row in rows}, None
        self.all_checked, self._began = True, self._clock()
        self.read = self.total = len(self._found)

    def change(self, rows: Iterable[RunRow]) -> None:
        changed = {row.id: row for row in rows if self._found.get(row.id, row) != row}
        if changed:
            self._found |= changed
            self._rows = None

    def restart(self) -> None:
        """Check all runs again. The rows found so far stay until all runs are checked."""
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

            def on_wait(error: ApiError, _: float) -> None:
                loop.call_soon_threadsafe(self._waits, self, error, context=context)

            self._asked = asyncio.ensure_future(self._ask(partial(self._next, self._pass, on_wait)))
            # Retrieve its exception: no step may be waiting when it fails.
            self._asked.add_done_callback(lambda asked: None if asked.cancelled() else asked.exception())
        try:
            page = await asyncio.shield(self._asked)
        except CekuraTuiError as error:
            self._pass, self._asked, self.error = None, None, error
            if not self.all_checked:
                self.read = 0
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
        """Fetch the next page of a pass on the session's loop; None after the last page. A cancelled call may still
        run, so this method changes nothing but the pass."""
        from cekura_tui.workspace.all_runs import ListOptions, matching_runs  # not needed for the first frame

        if one.pages is None:
            notes = session.store.notes.all()

            async def load_whole(ids: Sequence[int]) -> ApiError | None:
                return (await session.findings.all(ids, on_wait, fresh=True))[1]

            lists = session.lists
            options = ListOptions(on_wait=on_wait, patient=True, filled=lists.filled, load_whole=load_whole)
            one.pages = matching_runs(
                session.client, session.budget, self._query, notes, self._clock(), options, since=one.since
            )
        return await anext(one.pages, None)

    def _put(self, page: MatchingPage) -> None:
        rows = {row.id: row for row in (*page.running, *(row for _, row in page.matches))}
        self._seen |= rows.keys()
        if not self.all_checked:
            self.read, self.total = max(self.read, page.read), page.total
        if any(self._found.get(number) != row for number, row in rows.items()):
            self._found |= rows
            self._rows = None


class TranscriptLoad:
    """Loads the transcripts of a list's runs, newest first, within the shared budget, so that they can be searched.
    Used on the session's loop; other threads may read the attributes."""

    def __init__(self, session: Session, query: RunQuery) -> None:
        self._session, self.query = session, query
        self.covered: frozenset[int] = frozenset()
        """Ids of the runs of the list whose transcripts are cached."""
        self.loaded: tuple[int, ...] = ()
        """Ids of the runs loaded by this object, in the order of loading."""
        self.total: int | None = None
        """The number of runs of the list, at most; None until the server has answered."""
        self.problem = ""
        """Why the load waits for the server or has ended early; empty otherwise."""
        self.complete = False
        """Whether all runs of the list were gone through."""
        self._listed: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def look_up(self) -> None:
        """Find out which transcripts are cached."""
        matching = await self._session.searchable_runs(self.query)
        self.covered = frozenset({*matching, *self._session.store.transcript_search.searchable(self._listed)})

    def words(self, total: int) -> str:
        """What it takes to list `total` runs and to load the missing transcripts, at most."""
        from cekura_tui.workspace.run_findings import load_words  # not needed for the first frame

        return load_words(max(0, total - len(self.covered)), total)

    async def pages(self, begin: Callable[[], None] = lambda: None) -> AsyncGenerator[list[int], None]:
        """Load the missing transcripts page by page, and yield the ids of each page's matching runs. `begin` is called
        before transcripts of a page are requested. Raises CekuraTuiError."""
        from cekura_tui.workspace.all_runs import ListOptions, matching_runs  # not needed for the first frame

        session, store = self._session, self._session.store
        if store.database.unwritable:
            raise UsageError("Can't load transcripts: the database is read-only.", store.database.unwritable)
        known, matched = await session.searchable_runs(None), 0
        options = ListOptions(on_wait=self._wait, filled=session.lists.filled)
        runs = matching_runs(session.client, session.budget, self.query, store.notes.all(), time.time(), options)
        async with aclosing(runs) as pages:
            async for page in pages:
                rows = [row for _, row in page.matches]
                matched += len(rows)
                self.total = matched + page.total - page.read
                begin()
                missing = [row.id for row in rows if not _is_current(known.get(row.id), row)]
                _, error = await session.findings.all(missing, self._wait, fresh=True)
                if error is not None:
                    raise error
                ids = [row.id for row in rows]
                self._listed.update(ids)
                self.covered |= store.transcript_search.searchable(ids)
                self.loaded += tuple(missing)
                self.problem = ""
                yield ids
        self.complete = True

    def start(self) -> None:
        """Load the transcripts in the background, until `stop` or the end of the session."""
        if not self.running:
            self.problem = ""
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async with aclosing(self.pages()) as pages:
                async for _ in pages:
                    pass
        except CekuraTuiError as error:
            self.problem = error.sentence()

    def _wait(self, error: ApiError, seconds: float) -> None:
        from cekura_tui.workspace.all_runs import wait_text

        self.problem = wait_text(error, seconds)


def _is_current(cached: RunRow | None, row: RunRow) -> bool:
    """Whether a cached run had ended when it was read, and has the same outcome since."""
    return cached is not None and row.outcome.settled and cached.outcome.kind == row.outcome.kind
