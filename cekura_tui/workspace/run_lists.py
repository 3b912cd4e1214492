"""Lists of runs as the server has them, each page cached for the next start; and turns of background requests."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.listing import ListPage, RunPage
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.store.errors import StoreError
from cekura_tui.store.runs import SeenRuns

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.engine import JobEngine
    from cekura_tui.store.store import Store


async def take_turn(
    budget: Budget,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Wait until a background request may be made, and take it; the budget is shared, also with who waits here."""
    while wait := budget.wait(monotonic()):
        await sleep(wait)
    # Nothing is awaited between the last look and this, so no two waiters take the same turn.
    budget.take(monotonic())


_log = logging.getLogger("cekura_tui.workspace")


class RunLists:
    """Asks once for each page; whoever asks decides when to try again. Raises kinds of ApiError."""

    def __init__(
        self, store: Store, client: Client, engine: JobEngine, budget: Budget, clock: Callable[[], float]
    ) -> None:
        self._store, self._client, self._engine, self._budget, self._clock = store, client, engine, budget, clock
        self._cached_newest: dict[str, tuple[RunRow, ...]] = {}
        """The newer runs of each list that were cached last: the same again need no writing."""

    async def page(
        self, query: RunQuery, number: int = 1, until: float | None = None, *, in_turn: bool = False
    ) -> RunPage:
        """One page of a list, of runs made up to `until` (Unix); with `in_turn` it waits for the shared budget."""
        if in_turn:
            await take_turn(self._budget)
        got = await self._client.runs(self._params(query, until), number, once=True)
        page = RunPage(number, got.count, self._rows(got), got.more, got.oldest_first, got.at)
        # The page of a list that is listed anew, and of the newest runs of it, begins what is cached.
        self._cache(query, page.count, page.rows, first=number == 1 and until is None)
        return page

    async def newer(self, query: RunQuery, since: float) -> RunPage:
        """The newest runs of a list that were made since a moment (Unix), in the shared budget."""
        await take_turn(self._budget)
        params = self._params(query, None)
        own = params.get("created_at_from")
        # The filter's own moment stands where it is the later one: a list of today does not fill up with yesterday.
        if own is None or datetime.fromisoformat(str(own)).timestamp() < since:
            params["created_at_from"] = _iso(since)
        got = await self._client.runs(params, once=True)
        rows = self._rows(got)
        if rows and self._cached_newest.get(query.key) != rows:
            self._cached_newest[query.key] = rows
            self._cache(query, None, rows, first=False)
        return RunPage(1, got.count, rows, got.more, got.oldest_first, got.at)

    async def current(self, run_ids: Sequence[int]) -> tuple[RunRow, ...]:
        """How these runs are now, in the shared budget; those that are gone are left out."""
        await take_turn(self._budget)
        rows = tuple(row_of(run) for run in await self._client.runs_by_id(run_ids, once=True))
        try:
            self._store.runs.change_rows(rows, self._clock())
        except StoreError as error:
            _log.warning("runs were not cached: %s", error.message)
        return rows

    async def cached(self, query: RunQuery) -> SeenRuns | None:
        """A list as it was last seen on this machine, or None where it never was."""
        return self._store.runs.seen(query.key)

    async def known(self, query: RunQuery) -> tuple[tuple[RunRow, float], ...]:
        """Every run of the scope that is cached, of any list of it or opened, newest first, and when it was got."""
        found = {row.id: (row, at) for row, at in self._store.runs.known(query.scope.text)}
        for row, at in self._store.runs.opened_rows():
            # A list may be newer than a run that was opened while it was running.
            if _of_scope(row, query) and (row.id not in found or at >= found[row.id][1]):
                found[row.id] = row, at
        return tuple(found[number] for number in sorted(found, reverse=True))

    def _params(self, query: RunQuery, until: float | None) -> dict[str, str | int]:
        # "until:30m" is the same moment for every page of a list.
        params = query.params(self._clock() if until is None else until)
        if until is not None and "created_at_to" not in params:
            params["created_at_to"] = _iso(until)
        return params

    def _rows(self, got: ListPage[Run]) -> tuple[RunRow, ...]:
        self._engine.resume_polling()  # the server takes the key, so jobs may be asked about again
        return tuple(row_of(run) for run in got.items)

    def _cache(self, query: RunQuery, count: int | None, rows: Sequence[RunRow], *, first: bool) -> None:
        try:
            if count is None:
                seen = self._store.runs.seen(query.key)
                known = {row.id for row in seen.rows} if seen else set()
                count = (seen.count if seen else 0) + sum(row.id not in known for row in rows)
            self._store.runs.keep_rows(query.key, count, rows, self._clock(), first=first)
        except StoreError as error:
            _log.warning("runs were not cached: %s", error.message)


def _of_scope(row: RunRow, query: RunQuery) -> bool:
    scope = query.scope
    owner = {"project": row.project_id, "agent": row.agent_id, "result": row.result_id}[scope.kind]
    return owner == scope.id


def _iso(at: float) -> str:
    """A moment as the API takes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
