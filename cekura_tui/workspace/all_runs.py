"""Read a whole list of runs, newest first, page by page, within the shared request budget."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, BadAnswer, NotFound, clock_time, retried
from cekura_tui.jobs.waiting import retry_delay
from cekura_tui.model.filter.match import Matcher, contradiction_test, undecided_test
from cekura_tui.model.run.listed_runs import PAGE, Layout
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.text import count
from cekura_tui.workspace.run_lists import Params, Pin, claim_request, created_since

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.polling import Budget


class IncompleteListError(BadAnswer):
    """The server sent fewer runs than it counted. A partial list must not be mistaken for the whole list."""

    title = "Incomplete list"

    def __init__(self, seen: int, total: int) -> None:
        sent = f"the server reported {count(total, 'run')} and sent {seen:,}"
        super().__init__(f"The list is incomplete: {sent}.", "Try again later, or narrow the filter.")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How to read a list, `size` runs per page. `on_wait(error, seconds)` is called before each wait for the server. If
    `patient`, an unreachable or failing server is retried forever. `filled` completes rows from the cache.
    `load_whole` fetches runs in full, by id, if the filter needs their failed checks; returns an error or None."""

    size: int = PAGE
    on_wait: Callable[[ApiError, float], None] = lambda error, seconds: None
    patient: bool = False
    load_whole: Callable[[Sequence[int]], Awaitable[ApiError | None]] | None = None
    filled: Callable[[Iterable[RunRow]], Sequence[RunRow]] = tuple
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class MatchingPage:
    """The runs of a page that pass the filter (`matches`); `read` of `total` runs were read so far. `running` are all
    unfinished runs of the page, whether or not a run passes the filter now, because a run may pass later."""

    matches: tuple[tuple[Run, RunRow], ...]
    read: int
    total: int
    running: tuple[RunRow, ...] = ()


async def matching_runs(
    client: Client,
    budget: Budget,
    query: RunQuery,
    notes: Mapping[int, str],
    now: float,
    options: ListOptions | None = None,
    *,
    since: float | None = None,
) -> AsyncGenerator[MatchingPage, None]:
    """Yield the runs of a query page by page, newest first, with the filters that the server lacks applied here; if
    `since` (Unix time) is given, only runs created since then. Raises ApiError and IncompleteListError."""
    passes, denies = Matcher(query.rest(now), now=now, notes=notes), contradiction_test(query.filter, now)
    options = options or ListOptions()
    undecided = undecided_test(query.rest(now), now, notes)
    params, read, total = query.params(now, narrow=False), 0, 0
    if since is not None:
        params = created_since(params, since)
    async with aclosing(all_runs(client, params, budget, options)) as pages:
        async for page in pages:
            read += len(page.items)
            total = max(total, page.count, read)
            known = options.filled(map(row_of, page.items))
            ids = [row.id for row in known if undecided(row) and not denies(row)]
            if ids and options.load_whole is not None:
                if (error := await options.load_whole(ids)) is not None:
                    raise error
                known = options.filled(known)
            rows = list(zip(page.items, known, strict=True))
            running = tuple(row for _, row in rows if not row.outcome.settled)
            matches = tuple(found for found in rows if passes(found[1]) and not denies(found[1]))
            yield MatchingPage(matches, read, total, running)
            if since is not None and rows and all(row.at is not None and row.at < since for _, row in rows):
                return  # the server ignores the start time, or uses only its date


async def all_runs(
    client: Client, params: Params, budget: Budget, options: ListOptions | None = None
) -> AsyncGenerator[ListPage[Run], None]:
    """Yield a list page by page, newest first, each run once, without runs created after the first request.

    If the server lists oldest first, the pages are read from the last page backwards, after an empty page with the
    count. Raises ApiError, and IncompleteListError if the list ends before the server's count is reached.
    """
    options, check, pin = options or ListOptions(), _CompletenessCheck(), Pin()
    first = await _page_with_retries(client, params, 1, budget, options)
    backwards = first.oldest_first and first.more
    yield ListPage(first.count, (), True) if backwards else check.without_seen(first)
    if not first.more:
        check.verify(first.count)
        return
    # The server's time is in whole seconds, and the first page may hold later runs of the same second.
    until = None if first.at is None else max([first.at, *(run.at for run in first.items if run.at)])
    missing = 0
    newest = max(run.id for run in first.items) if first.items and not backwards else None

    async def page_of(number: int) -> ListPage[Run]:
        page = await pin.page(
            lambda asked: _page_with_retries(client, asked, number, budget, options), params, until, first.count
        )
        pin.holds = pin.holds and page.count <= first.count
        if pin.holds:
            return page
        # Without a pin, pages also contain runs created since, which push the others down.
        items = tuple(run for run in page.items if newest is None or run.id <= newest)
        return replace(page, count=min(page.count, first.count), items=items)

    def shifted_pages(count_now: int) -> range:
        """Earlier pages to read again, since deletions moved unread runs there; `count_now` is the server's count."""
        size = len(first.items) or PAGE
        back = -(-(last_count - count_now) // size)
        return range(max(1, number - back), min(number, -(-count_now // size) + 1))

    last_count = first.count
    number = max(1, Layout(first.count, True, len(first.items)).pages) if backwards else 2
    while number >= 1:
        try:
            page = await page_of(number)
        except NotFound:
            missing += 1
            if missing >= 20:
                raise
            if backwards:
                number -= 1
                continue
            # The list became shorter, or its pages hold more runs than the first one suggested.
            page = ListPage((await page_of(1)).count, (), False)
        if backwards and missing and page.more:  # contradicts the missing next page
            raise IncompleteListError(len(check.ids), page.count)
        missing = 0
        for before in () if backwards else shifted_pages(page.count):
            yield check.without_seen(await page_of(before))
        last_count = page.count
        yield check.without_seen(page)
        if check.repeats >= 3:  # the server sends no new runs
            check.verify(page.count)
        at_end = number == 1 if backwards else not page.more or (check.repeats and len(check.ids) >= page.count)
        if at_end:
            check.verify(page.count)
            return
        number += -1 if backwards else 1
    raise IncompleteListError(len(check.ids), first.count)


@dataclass(slots=True)
class _CompletenessCheck:
    """Tracks the runs seen, to detect a list that ends early. Pages with only repeated runs come from a list that has
    shifted, or from a server that ignores the page number."""

    ids: set[int] = field(default_factory=set)
    repeats: int = 0
    """The number of pages without a new run since the last page with a new run."""

    def without_seen(self, page: ListPage[Run]) -> ListPage[Run]:
        items = tuple({run.id: run for run in page.items if run.id not in self.ids}.values())
        self.ids.update(run.id for run in items)
        self.repeats = 0 if items else self.repeats + 1
        return replace(page, items=items)

    def verify(self, total: int) -> None:
        if len(self.ids) < total:
            raise IncompleteListError(len(self.ids), total)


async def _page_with_retries(
    client: Client, params: Params, number: int, budget: Budget, options: ListOptions
) -> ListPage[Run]:
    """Fetch page `number` within the budget. Temporary failures are retried after the time the server asks for."""

    async def send(_: int) -> ListPage[Run]:
        await claim_request(budget, monotonic=options.monotonic, sleep=options.sleep)
        return await client.runs(params, number, options.size)

    return await retried(
        send,
        on_wait=options.on_wait,
        max_asked_wait=300.0,
        backoff=(lambda failures: retry_delay(failures, None, random.random())) if options.patient else None,
        monotonic=options.monotonic,
        sleep=options.sleep,
    )


def wait_text(error: ApiError, seconds: float) -> str:
    """A message for the user: the error that makes a list wait, and the time of the retry."""
    return f"{error.message} Retrying at {clock_time(time.time(), seconds)}."
