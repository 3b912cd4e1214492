"""Fetch run lists from the server, and cache each page for the next start."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from cekura_tui.api.errors import NotFound, Rejected, TooLarge
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, filled, row_of
from cekura_tui.model.scope import Scope
from cekura_tui.store.errors import StoreError

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.engine import JobEngine
    from cekura_tui.store.store import Store


T = TypeVar("T")


async def claim_request(
    budget: Budget,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Wait until the shared budget allows a background request, then claim that request."""
    while wait := budget.wait(monotonic()):
        await sleep(wait)
    # Nothing is awaited since the last check, so two waiters cannot claim the same slot.
    budget.take(monotonic())


async def whole_runs(
    client: Client, claim_request: Callable[[], Awaitable[None]], run_ids: Sequence[int], read: Callable[[Run], T]
) -> list[T]:
    """Fetch these runs in full, and return the result of `read` for each run that is not deleted. Raises ApiError.
    `claim_request` is awaited before each request. If an answer is too large, the runs are fetched in halves."""
    await claim_request()
    try:
        return [read(run) for run in await client.runs_by_id(run_ids)]
    except TooLarge:
        if len(run_ids) < 2:
            raise
    half = len(run_ids) // 2
    first = await whole_runs(client, claim_request, run_ids[:half], read)
    return first + await whole_runs(client, claim_request, run_ids[half:], read)


_log = logging.getLogger("cekura_tui.workspace")
Params = Mapping[str, str | int]


class Pin:
    """Limits the pages after the first to runs created up to a moment, so that pages do not shift. `holds` becomes
    False if the server rejects the limit or uses only its date; then the list is requested without the limit."""

    def __init__(self) -> None:
        self.holds = True

    async def page(
        self, ask: Callable[[Params], Awaitable[ListPage[Run]]], params: Params, until: float | None, least: int
    ) -> ListPage[Run]:
        """Request a page of the runs created up to `until` (Unix time; None: no limit) by calling `ask`. `least` is the
        server's count before the list was limited; a smaller count is a sign that the limit does not work."""
        if until is None or not self.holds:
            return await ask(params)
        if not least:
            return await ask(_created_until(params, until))
        pinned: ListPage[Run] | None = None
        try:
            pinned = await ask(_created_until(params, until))
            if pinned.count >= least:
                return pinned
        except (NotFound, Rejected):
            pass  # because of the pin, or the plain request fails, too
        try:
            plain = await ask(params)
        except NotFound:
            # The list became shorter; the pin is not the cause.
            if pinned is not None:
                return pinned
            raise
        if pinned is not None and plain.count <= pinned.count:
            return pinned
        self.holds = False
        return plain


def _created_until(params: Params, until: float) -> Params:
    own = params.get("created_at_to")
    if own is not None and datetime.fromisoformat(str(own)).timestamp() <= until:
        return params
    return {**params, "created_at_to": iso_moment(until)}


def iso_moment(at: float) -> str:
    """Format a Unix time for the API."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def created_since(params: Params, since: float) -> dict[str, str | int]:
    """Limit list parameters to runs created since a Unix time; a later limit in `params` is kept."""
    own = params.get("created_at_from")
    # Keep the filter's own start if it is later: a list of today must not include yesterday.
    if own is not None and datetime.fromisoformat(str(own)).timestamp() >= since:
        return dict(params)
    return {**params, "created_at_from": iso_moment(since)}


class RunLists:
    """Requests pages of run lists, each page once: the caller decides when to retry. Requests raise ApiError."""

    def __init__(
        self, store: Store, client: Client, engine: JobEngine, budget: Budget, clock: Callable[[], float]
    ) -> None:
        self._store, self._client, self._engine, self._budget, self._clock = store, client, engine, budget, clock
        self._pin = Pin()
        self._whole: dict[int, RunRow] | None = None
        """Rows of runs read in full, by run id, the run read last at the end; None until needed."""
        self._cached_newest: dict[str, tuple[RunRow, ...]] = {}
        """The rows that `newer` cached last, by list, so that unchanged rows are not written again."""

    async def page(
        self, query: RunQuery, number: int = 1, until: float | None = None, *, least: int = 0, budgeted: bool = False
    ) -> ListPage[RunRow]:
        """Request a page of the runs created up to `until` (Unix time); None means now. With `budgeted`, wait for the
        shared budget first. `least` is the server's count of runs at the time `until`."""
        if budgeted:
            await claim_request(self._budget)
        # A relative term such as "until:30m" must mean the same time for every page.
        params = query.params(self._clock() if until is None else until)
        least = least if number > 1 else 0
        got = await self._pin.page(lambda asked: self._client.runs(asked, number), params, until, least)
        page = self._as_rows(got)
        # The first page of a reloaded list replaces the cached one.
        self._cache(query, page.count, page.items, first=number == 1 and until is None)
        return page

    async def total(self, scope: Scope) -> int:
        """The number of runs in a scope; waits for the shared budget."""
        await claim_request(self._budget)
        return (await self._client.runs(scope.params, page_size=1)).count

    async def newer(self, query: RunQuery, since: float) -> ListPage[RunRow]:
        """A page of the list's newest runs, created since a Unix time; waits for the shared budget."""
        await claim_request(self._budget)
        got = await self._client.runs(created_since(query.params(self._clock()), since))
        page = self._as_rows(got)
        if page.items and self._cached_newest.get(query.key) != page.items:
            self._cached_newest[query.key] = page.items
            self._cache(query, None, page.items, first=False)
        return page

    async def reread(self, run_ids: Sequence[int]) -> tuple[RunRow, ...]:
        """Fetch these runs in full and cache their rows, within the shared budget; deleted runs are left out."""
        rows = tuple(await whole_runs(self._client, lambda: claim_request(self._budget), run_ids, row_of))
        self.save_whole(rows)
        return rows

    def remember_whole(self, rows: Sequence[RunRow]) -> None:
        """Remember the rows of runs read in full, because these rows have more fields than list rows."""
        whole = self._whole_by_id()
        for row in rows:
            whole.pop(row.id, None)
            whole[row.id] = row
        while len(whole) > 5_000:
            del whole[next(iter(whole))]

    def save_whole(self, rows: Sequence[RunRow]) -> None:
        """Remember the rows of runs read in full, and cache the rows for the next start."""
        self.remember_whole(rows)
        try:
            self._store.runs.save_whole(rows, self._clock())
        except StoreError as error:
            _log.warning("runs were not cached: %s", error.message)

    def filled(self, rows: Iterable[RunRow]) -> list[RunRow]:
        """List rows, completed from the full runs that were read before, unless a run has changed since."""
        whole = self._whole_by_id()
        found = [filled(row, whole[row.id]) if row.id in whole else row for row in rows]
        if missing := [row.id for row in found if row.lacks_checks]:
            with contextlib.suppress(StoreError):
                saved = self._store.runs.whole_rows(missing)
                found = [filled(row, saved[row.id]) if row.lacks_checks and row.id in saved else row for row in found]
        return found

    def whole_rows(self, run_ids: Sequence[int]) -> tuple[RunRow, ...]:
        """The remembered rows of these runs; runs not yet read in full are left out."""
        whole = self._whole_by_id()
        return tuple(whole[number] for number in run_ids if number in whole)

    def _whole_by_id(self) -> dict[int, RunRow]:
        if self._whole is None:
            self._whole = {}
            with contextlib.suppress(StoreError):
                self._whole = {row.id: row for row, _ in reversed(self._store.runs.opened_rows())}
        return self._whole

    def cached(self, query: RunQuery) -> tuple[tuple[RunRow, float], ...]:
        """All cached runs of the query's scope, listed or opened, newest first, and when each run was fetched."""
        scope = query.scope
        found = {row.id: (row, at) for row, at in self._store.runs.cached_rows(scope.text)}
        for row, at in self._store.runs.opened_rows():
            # A list row may be newer than a run that was opened while running.
            if row.owner(scope.kind) == scope.id and (row.id not in found or at >= found[row.id][1]):
                found[row.id] = row, at
        return tuple(found[number] for number in sorted(found, reverse=True))

    def _as_rows(self, got: ListPage[Run]) -> ListPage[RunRow]:
        self._engine.resume_polling()  # the server accepts the key, so jobs can be polled again
        rows = tuple(self.filled(map(row_of, got.items)))
        return ListPage(got.count, rows, got.more, got.oldest_first, got.at)

    def _cache(self, query: RunQuery, count: int | None, rows: Sequence[RunRow], *, first: bool) -> None:
        try:
            if count is None:
                seen = self._store.runs.cached_list(query.key)
                known = {row.id for row in seen.rows} if seen else set()
                count = (seen.count if seen else 0) + sum(row.id not in known for row in rows)
            self._store.runs.save_rows(query.key, count, rows, self._clock(), first=first)
        except StoreError as error:
            _log.warning("runs were not cached: %s", error.message)
