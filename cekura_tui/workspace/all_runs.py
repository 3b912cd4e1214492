"""A whole list of runs, newest first, page by page, in the shared budget; and the run to compare another with."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, BadAnswer, Busy, NotFound, ServerFault, Unreachable, at_clock, next_try
from cekura_tui.jobs.waiting import retry_delay
from cekura_tui.model.filter.match import Matcher, denied
from cekura_tui.model.run.paging import PAGE, Layout, ListPage
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, RunView, row_of
from cekura_tui.model.text import count
from cekura_tui.workspace.run_lists import Params, Pin, iso_moment, made_since, take_turn

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.polling import Budget
    from cekura_tui.workspace.session import Session


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

    A `patient` list waits as long as it takes for a server that is out of reach or fails. `completed` adds what this
    machine knows of a run to its row.
    """

    size: int = PAGE
    on_wait: Callable[[ApiError, float], None] = lambda error, seconds: None
    patient: bool = False
    completed: Callable[[RunRow], RunRow] = lambda row: row
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
    completed = (options or ListOptions()).completed
    params, read, total = query.params(now, narrow=False), 0, 0
    if since is not None:
        params = made_since(params, since)
    async with aclosing(all_runs(client, params, budget, options)) as pages:
        async for page in pages:
            read += len(page.items)
            total = max(total, page.count, read)
            rows = [(run, completed(row_of(run))) for run in page.items]
            running = tuple(row for _, row in rows if not row.outcome.settled)
            matches = tuple(found for found in rows if passes(found[1]) and not denies(found[1]))
            yield MatchingPage(matches, read, total, running)
            if since is not None and rows and all(row.at is not None and row.at < since for _, row in rows):
                return  # the server takes no moment, or reads the day of it alone


async def all_runs(
    client: Client, params: Params, budget: Budget, options: ListOptions | None = None
) -> AsyncGenerator[ListPage[Run], None]:
    """Every run of a list once, newest first, as the list was when it was first asked for.

    Raises kinds of ApiError, also IncompleteListError where the server ends the list before it has given what it
    counts. A server that lists oldest first is read from its last page; of its first answer only the count is told at
    first.
    """
    options, check, pin = options or ListOptions(), _CompletenessCheck(), Pin()
    first = await _page_with_retries(client, params, 1, budget, options)
    backwards = first.oldest_first and first.more
    yield ListPage(first.count, (), True) if backwards else check.unseen(first)
    if not first.more:
        check.verify(first.count)
        return
    until, missing = _moment(first), 0
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
            # The list has become shorter, or there are more runs on a page than could be read of the first.
            missing += 1
            if not backwards:
                count_now = (await page_of(1)).count
                for before in shifted(count_now):
                    yield check.unseen(await page_of(before))
                check.verify(count_now)
                return
            if missing >= _MOST_MISSING:
                raise
        else:
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
        return ListPage(page.count, items, page.more, page.oldest_first, page.at)

    def verify(self, total: int) -> None:
        """Raise IncompleteListError if there are more than were seen."""
        if len(self.ids) < total:
            raise IncompleteListError(len(self.ids), total)


async def _page_with_retries(
    client: Client, params: Params, number: int, budget: Budget, options: ListOptions
) -> ListPage[Run]:
    """One page; what may pass by itself is waited for, and a server that says how long is believed."""
    tries, began, waited = 0, options.monotonic(), 0.0
    while True:
        await take_turn(budget, monotonic=options.monotonic, sleep=options.sleep)
        try:
            return await client.runs(params, number, options.size, once=True)
        except ApiError as error:
            tries += 1
            asked_to_wait = error.retry_after if isinstance(error, Busy) else None
            if asked_to_wait is not None and waited + asked_to_wait <= LONGEST_WAIT:
                # Being asked to wait is no failure, so the next failure is the first.
                wait: float | None = max(asked_to_wait, 0.1)
                tries, began, waited = 0, options.monotonic() + asked_to_wait, waited + max(asked_to_wait, 1.0)
            else:
                wait = next_try(error, tries, options.monotonic() - began, random.random())
                if wait is None and options.patient and isinstance(error, Unreachable | Busy | ServerFault):
                    wait = retry_delay(tries, None, random.random())
            if wait is None:
                raise
            options.on_wait(error, wait)
        await options.sleep(wait)


def wait_text(error: ApiError, seconds: float) -> str:
    """Why a list is waited for, and until when, for a person."""
    return f"{error.message} Retrying at {at_clock(time.time(), seconds)}."


def _moment(first: ListPage[Run]) -> float | None:
    """When (Unix) a list was as its first answer says, by the server's time."""
    # The server tells its time in whole seconds, and runs of the same second are on the first page already.
    return None if first.at is None else max([first.at, *(run.at for run in first.items if run.at)])


PAGES = 3
"""Pages of runs that are read in one search."""
TRIES = 3
"""Runs of those found that are read until one has a transcript to compare."""


async def last_passed(session: Session, view: RunView) -> RunView | None:
    """The last passed run before this one, else the newest passed one, read whole; None where there is none.

    One without a transcript is passed over if another has one.

    Where the server cannot be reached it is looked for among the runs that were opened on this machine. Asks in the
    shared budget. Raises kinds of ApiError.
    """
    asked = view.row
    scope = _scope_params(asked)
    if asked.scenario_id is None:
        return None
    if scope is None:
        return await _last_passed_opened(session, asked)
    wanted: Params = {**scope, "scenario__id": asked.scenario_id, "success": "true"}
    search = _PassedSearch(session, asked)
    try:
        if asked.at is not None:
            # The newest page of a scenario that is run every hour is far from a run of last week.
            await search.read({**wanted, "created_at_to": iso_moment(asked.at)})
        if search.found is None:
            await search.read(wanted)
    except (Unreachable, ServerFault) as error:
        if search.found is None:
            if (cached := await _last_passed_opened(session, asked)) is None:
                raise type(error)(
                    f"{error.message} No run opened here passed this scenario.",
                    error.hint,
                    status=error.status,
                ) from None
            return cached
    first: RunView | None = None
    for number in sorted(search.candidates, key=lambda number: (number < asked.id, number), reverse=True)[:TRIES]:
        run = await session.run(number)
        if run.transcript.turns:
            return run
        first = first or run
    return first


class _PassedSearch:
    """Reads pages of lists until a run before the one asked about is found, or enough were read."""

    def __init__(self, session: Session, asked: RunRow) -> None:
        self._session, self._asked, self._left = session, asked, PAGES
        self.found: int | None = None
        self.candidates: set[int] = set()
        """All passed runs that were found."""

    async def read(self, params: Params) -> None:
        """Read one list. Raises kinds of ApiError."""
        if not self._left:
            return
        try:
            async with aclosing(all_runs(self._session.client, params, self._session.budget)) as pages:
                async for page in pages:
                    rows = [row for row in map(row_of, page.items) if _fits(row, self._asked)]
                    self.found = _nearest(self._asked, rows, self.found)
                    self.candidates.update(row.id for row in rows)
                    # One that reads the oldest runs last begins with a page that holds nothing.
                    self._left -= bool(page.items)
                    if not self._left or (self.found is not None and self.found < self._asked.id):
                        return
        except IncompleteListError:
            return  # what came of the list was read
        except BadAnswer:
            if self.found is None:
                raise


def _nearest(asked: RunRow, rows: list[RunRow], found: int | None) -> int | None:
    """The newest run before the one asked about, else the newest of all; ids rise with time."""
    ids = [row.id for row in rows] + ([] if found is None else [found])
    return max((number for number in ids if number < asked.id), default=max(ids, default=None))


def _fits(row: RunRow, asked: RunRow) -> bool:
    """Servers may pass over a filter, so each row is looked at."""
    same_agent = row.agent_id == asked.agent_id or row.agent_id is None or asked.agent_id is None
    return (
        row.id != asked.id
        and row.scenario_id == asked.scenario_id is not None
        and row.outcome.kind == "passed"
        and same_agent
    )


async def _last_passed_opened(session: Session, asked: RunRow) -> RunView | None:
    rows = [row for row, _ in session.store.runs.opened_rows() if _fits(row, asked)]
    found = _nearest(asked, rows, None)
    return None if found is None else await session.cached_run(found)


def _scope_params(row: RunRow) -> Params | None:
    """A list needs one of these."""
    for name, number in (("agent_id", row.agent_id), ("project_id", row.project_id), ("result_id", row.result_id)):
        if number is not None:
            return {name: number}
    return None
