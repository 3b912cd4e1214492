"""A whole list of runs, newest first, page by page, in the shared budget."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, BadAnswer, NotFound, at_clock, retried
from cekura_tui.jobs.waiting import retry_delay
from cekura_tui.model.filter.match import Matcher, denied
from cekura_tui.model.run.listed_runs import PAGE, Layout
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.text import count
from cekura_tui.workspace.run_lists import Params, Pin, made_since, take_turn

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.polling import Budget


LONGEST_WAIT = 300.0
"""Seconds that a server may ask to wait, all in all for one page."""
_MOST_MISSING = 20
"""Pages in a row that are not there, after which the count of a list is not believed."""
_MOST_REPEATS = 3
"""Pages in a row without a run that was not seen before, after which no more are asked for."""


class IncompleteListError(BadAnswer):
    """The server gave fewer runs than it says that there are: a list of them would look like all, and is not."""

    title = "Incomplete list"

    def __init__(self, seen: int, total: int) -> None:
        super().__init__(
            f"The list is incomplete: the server reported {count(total, 'run')} and sent {seen:,}.",
            "Try again later, or narrow the filter.",
        )


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Runs a page, and what is called before each wait for the server, with its error and the seconds.

    A `patient` list waits as long as it takes for a server that is out of reach or fails. `filled` adds what this
    machine knows of a run to its row.
    """

    size: int = PAGE
    on_wait: Callable[[ApiError, float], None] = lambda error, seconds: None
    patient: bool = False
    filled: Callable[[RunRow], RunRow] = lambda row: row
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class MatchingPage:
    """What of a page passes the filter, and how many runs were read so far, of how many.

    `running` are the runs that have not ended, whether they pass or not: they may yet.
    """

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
    """The runs of a query page by page, newest first, filtered here by the terms that the server cannot filter.

    With `since` (Unix) those made from then on. Raises kinds of ApiError, also IncompleteListError.
    """
    passes, denies = Matcher(query.rest(now), now=now, notes=notes), denied(query.filter, now)
    filled = (options or ListOptions()).filled
    params, read, total = query.params(now, narrow=False), 0, 0
    if since is not None:
        params = made_since(params, since)
    async with aclosing(all_runs(client, params, budget, options)) as pages:
        async for page in pages:
            read += len(page.items)
            total = max(total, page.count, read)
            rows = [(run, filled(row_of(run))) for run in page.items]
            running = tuple(row for _, row in rows if not row.outcome.settled)
            matches = tuple(found for found in rows if passes(found[1]) and not denies(found[1]))
            yield MatchingPage(matches, read, total, running)
            if since is not None and rows and all(row.at is not None and row.at < since for _, row in rows):
                return  # the server takes no moment, or reads the day of it alone


async def all_runs(
    client: Client, params: Params, budget: Budget, options: ListOptions | None = None
) -> AsyncGenerator[ListPage[Run], None]:
    """Every run of a list once, newest first, as the list was when it was first asked for.

    A server that lists oldest first is read from its last page. Raises kinds of ApiError, also IncompleteListError
    where the server ends the list before it has given what it counts.
    """
    options, check, pin = options or ListOptions(), _CompletenessCheck(), Pin()
    first = await _page_with_retries(client, params, 1, budget, options)
    backwards = first.oldest_first and first.more
    yield ListPage(first.count, (), True) if backwards else check.unseen(first)
    if not first.more:
        check.verify(first.count)
        return
    # The server tells its time in whole seconds, and runs of the same second are on the first page already.
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
        # Without a pin the runs that were made since are on its pages, too, and may push the others down.
        items = tuple(run for run in page.items if newest is None or run.id <= newest)
        return replace(page, count=min(page.count, first.count), items=items)

    def shifted(count_now: int) -> range:
        """The pages before to which unread runs came since the last page, for so many that were read were deleted."""
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
            if missing >= _MOST_MISSING:
                raise
            if backwards:
                number -= 1
                continue
            # The list has become shorter, or there are more runs on a page than could be read of the first.
            page = ListPage((await page_of(1)).count, (), False)
        if backwards and missing and page.more:  # it promises the page that was not there
            raise IncompleteListError(len(check.ids), page.count)
        missing = 0
        for before in () if backwards else shifted(page.count):
            yield check.unseen(await page_of(before))
        last_count = page.count
        yield check.unseen(page)
        if check.repeats >= _MOST_REPEATS:
            check.verify(page.count)
        at_end = number == 1 if backwards else not page.more or (check.repeats and len(check.ids) >= page.count)
        if at_end:
            check.verify(page.count)
            return
        number += -1 if backwards else 1
    raise IncompleteListError(len(check.ids), first.count)


@dataclass(slots=True)
class _CompletenessCheck:
    """Which runs were seen, and whether the server can be believed that they are all.

    Pages that only repeat others are those of a list that has shifted, or of a server that knows no other page.
    """

    ids: set[int] = field(default_factory=set)
    repeats: int = 0
    """Pages in a row, up to now, that brought nothing new."""

    def unseen(self, page: ListPage[Run]) -> ListPage[Run]:
        """The page with those of its runs that were not seen before."""
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
    """One page; a request that may succeed later is repeated, after the time that the server asks for."""

    async def send(_: int) -> ListPage[Run]:
        await take_turn(budget, monotonic=options.monotonic, sleep=options.sleep)
        return await client.runs(params, number, options.size, once=True)

    return await retried(
        send,
        on_wait=options.on_wait,
        max_asked_wait=LONGEST_WAIT,
        backoff=(lambda failures: retry_delay(failures, None, random.random())) if options.patient else None,
        monotonic=options.monotonic,
        sleep=options.sleep,
    )


def wait_text(error: ApiError, seconds: float) -> str:
    """Why a list waits and until when, for a person."""
    return f"{error.message} Retrying at {at_clock(time.time(), seconds)}."
