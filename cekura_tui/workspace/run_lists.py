"""Lists of runs as the server has them, each page cached for the next start; and turns of background requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
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


MOST_WHOLE = 5_000
"""Rows of runs that were read whole that are remembered."""


async def whole_runs(
    client: Client, take_turn: Callable[[], Awaitable[None]], run_ids: Sequence[int], read: Callable[[Run], T]
) -> list[T]:
    """What `read` makes of these whole runs; deleted ones are left out.

    Long calls are asked for in parts, each in its turn and forgotten before the next. Raises kinds of ApiError.
    """
    await take_turn()
    try:
        return [read(run) for run in await client.runs_by_id(run_ids, once=True)]
    except TooLarge:
        if len(run_ids) < 2:
            raise
    half = len(run_ids) // 2
    first = await whole_runs(client, take_turn, run_ids[:half], read)
    return first + await whole_runs(client, take_turn, run_ids[half:], read)


_log = logging.getLogger("cekura_tui.workspace")
Params = Mapping[str, str | int]


class Pin:
    """The moment (Unix) up to which the runs of a list were made, so that its pages do not shift.

    A server may refuse it, or read the day of it alone and leave out the runs of that day: the list is then asked for
    without it. Either shows in the pages after the first, which is asked for before there is a pin.
    """

    def __init__(self) -> None:
        self.holds = True

    async def page(
        self, ask: Callable[[Params], Awaitable[ListPage[Run]]], params: Params, until: float | None, least: int
    ) -> ListPage[Run]:
        """A page of the runs made up to `until`, of which the server counted `least` before it was pinned."""
        if until is None or not self.holds:
            return await ask(params)
        if not least:
            return await ask(_made_until(params, until))
        pinned: ListPage[Run] | None = None
        try:
            pinned = await ask(_made_until(params, until))
            if pinned.count >= least:
                return pinned
        except (NotFound, Rejected):
            pass  # for the pin, or else what follows says why
        try:
            plain = await ask(params)
        except NotFound:
            # The list has become shorter; that is no fault of the pin.
            if pinned is not None:
                return pinned
            raise
        if pinned is not None and plain.count <= pinned.count:
            return pinned
        self.holds = False
        return plain


def _made_until(params: Params, until: float) -> Params:
    own = params.get("created_at_to")
    if own is not None and datetime.fromisoformat(str(own)).timestamp() <= until:
        return params
    return {**params, "created_at_to": iso_moment(until)}


def iso_moment(at: float) -> str:
    """A moment (Unix) as the API takes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def made_since(params: Params, since: float) -> dict[str, str | int]:
    """The same runs, made since a moment (Unix)."""
    own = params.get("created_at_from")
    # The filter's own moment stands where it is the later one: a list of today does not fill up with yesterday.
    if own is not None and datetime.fromisoformat(str(own)).timestamp() >= since:
        return dict(params)
    return {**params, "created_at_from": iso_moment(since)}


class RunLists:
    """Requests each page once; the caller decides when to retry. Raises kinds of ApiError."""

    def __init__(
        self, store: Store, client: Client, engine: JobEngine, budget: Budget, clock: Callable[[], float]
    ) -> None:
        self._store, self._client, self._engine, self._budget, self._clock = store, client, engine, budget, clock
        self._pin = Pin()
        self._whole: dict[int, RunRow] | None = None
        """Rows of runs that were read whole, the latest last; None until one is needed."""
        self._cached_newest: dict[str, tuple[RunRow, ...]] = {}
        """The newer runs of each list that were cached last: the same again need no writing."""

    async def page(
        self,
        query: RunQuery,
        number: int = 1,
        until: float | None = None,
        *,
        least: int = 0,
        in_turn: bool = False,
    ) -> ListPage[RunRow]:
        """One page of a list, of runs made up to `until` (Unix); with `in_turn` it waits for the shared budget.

        `least` is how many runs the server said that there were at that moment.
        """
        if in_turn:
            await take_turn(self._budget)
        # "until:30m" is the same moment for every page of a list.
        params = query.params(self._clock() if until is None else until)
        got = await self._pin.page(
            lambda asked: self._client.runs(asked, number, once=True), params, until, least if number > 1 else 0
        )
        page = self._as_rows(got)
        # The first page of a reloaded list replaces the cached one.
        self._cache(query, page.count, page.items, first=number == 1 and until is None)
        return page

    async def total(self, scope: Scope) -> int:
        """How many runs a scope has, in the shared budget."""
        await take_turn(self._budget)
        return (await self._client.runs(scope.params, page_size=1, once=True)).count

    async def newer(self, query: RunQuery, since: float) -> ListPage[RunRow]:
        """The newest runs of a list that were made since a moment (Unix), in the shared budget."""
        await take_turn(self._budget)
        got = await self._client.runs(made_since(query.params(self._clock()), since), once=True)
        page = self._as_rows(got)
        if page.items and self._cached_newest.get(query.key) != page.items:
            self._cached_newest[query.key] = page.items
            self._cache(query, None, page.items, first=False)
        return page

    async def reread(self, run_ids: Sequence[int]) -> tuple[RunRow, ...]:
        """Read these runs whole and cache their rows, in the shared budget; deleted runs are left out."""
        rows = tuple(await whole_runs(self._client, lambda: take_turn(self._budget), run_ids, row_of))
        self.keep_whole(rows)
        return rows

    def note_whole(self, rows: Sequence[RunRow]) -> None:
        """Remember rows of runs that were read whole: those of lists say less."""
        whole = self._whole_by_id()
        for row in rows:
            whole.pop(row.id, None)
            whole[row.id] = row
        while len(whole) > MOST_WHOLE:
            del whole[next(iter(whole))]

    def keep_whole(self, rows: Sequence[RunRow]) -> None:
        """Remember them, for the next start too."""
        self.note_whole(rows)
        try:
            self._store.runs.change_rows(rows, self._clock())
        except StoreError as error:
            _log.warning("runs were not cached: %s", error.message)

    def filled(self, row: RunRow) -> RunRow:
        """A row of a list with what the whole run says, where it was read."""
        whole = self._whole_by_id().get(row.id)
        return row if whole is None else filled(row, whole)

    def whole_rows(self, run_ids: Sequence[int]) -> tuple[RunRow, ...]:
        """The rows of those of these runs that were read whole."""
        whole = self._whole_by_id()
        return tuple(whole[number] for number in run_ids if number in whole)

    def _whole_by_id(self) -> dict[int, RunRow]:
        if self._whole is None:
            self._whole = {}
            with contextlib.suppress(StoreError):
                self._whole = {row.id: row for row, _ in reversed(self._store.runs.opened_rows())}
        return self._whole

    def known(self, query: RunQuery) -> tuple[tuple[RunRow, float], ...]:
        """Every run of the scope that is cached, of any list of it or opened, newest first, and when it was got."""
        scope = query.scope
        found = {row.id: (row, at) for row, at in self._store.runs.cached_rows(scope.text)}
        for row, at in self._store.runs.opened_rows():
            owners = {"project": row.project_id, "agent": row.agent_id, "result": row.result_id}
            # A list may be newer than a run that was opened while it was running.
            if owners[scope.kind] == scope.id and (row.id not in found or at >= found[row.id][1]):
                found[row.id] = row, at
        return tuple(found[number] for number in sorted(found, reverse=True))

    def _as_rows(self, got: ListPage[Run]) -> ListPage[RunRow]:
        self._engine.resume_polling()  # the server takes the key, so jobs may be asked about again
        rows = tuple(self.filled(row_of(run)) for run in got.items)
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
