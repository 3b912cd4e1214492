"""Check every run of a scope for matches that the server's list may leave out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from cekura_tui.model.errors import CekuraTuiError
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
            options = ListOptions(on_wait=on_wait, patient=True, filled=session.lists.filled)
            one.pages = matching_runs(
                session.client, session.budget, self._query, notes, self._clock(), options, since=one.since
            )
        return await anext(one.pages, None)

    def _put(self, page: MatchingPage) -> None:
        rows = {row.id: row for row in (*page.running, *(row for _, row in page.matches))}
        self._seen |= rows.keys()
        if not self.all_checked:
            self.read, self.total = page.read, page.total
        if any(self._found.get(number) != row for number, row in rows.items()):
            self._found |= rows
            self._rows = None
