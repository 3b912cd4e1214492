"""The run to compare another with: the last one of its scenario that passed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from cekura_tui.api.client import Client
from cekura_tui.api.errors import BadAnswer, ServerFault, Unreachable
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.view import RunRow, RunView, row_of
from cekura_tui.workspace.all_runs import IncompleteListError, all_runs
from cekura_tui.workspace.run_lists import Params, iso_moment

PAGES = 3
"""Pages of runs that are read in one search."""
TRIES = 3
"""Runs of those found that are read until one has a transcript to compare."""


async def last_passed(
    asked: RunRow,
    client: Client,
    budget: Budget,
    *,
    opened: Callable[[], list[tuple[RunRow, float]]],
    read: Callable[[int], Awaitable[RunView]],
    read_cached: Callable[[int], Awaitable[RunView | None]],
) -> RunView | None:
    """The last passed run before this one, else the newest passed one, read whole; None where there is none.

    One without a transcript is passed over if another has one. Where the server cannot be reached, the runs that were
    `opened` on this machine are searched. Requests wait for the shared budget. Raises kinds of ApiError.
    """
    scope = _scope_params(asked)
    if asked.scenario_id is None:
        return None

    async def among_opened() -> RunView | None:
        found = _nearest(asked, [row for row, _ in opened() if _fits(row, asked)], None)
        return None if found is None else await read_cached(found)

    if scope is None:
        return await among_opened()
    wanted: Params = {**scope, "scenario__id": asked.scenario_id, "success": "true"}
    search = _PassedSearch(asked, client, budget)
    try:
        if asked.at is not None:
            # The newest page of a scenario that is run every hour is far from a run of last week.
            await search.read({**wanted, "created_at_to": iso_moment(asked.at)})
        if search.found is None:
            await search.read(wanted)
    except (Unreachable, ServerFault) as error:
        if search.found is None:
            if (cached := await among_opened()) is None:
                message = f"{error.message} No run opened here passed this scenario."
                raise type(error)(message, error.hint, status=error.status) from None
            return cached
    first: RunView | None = None
    for number in sorted(search.candidates, key=lambda number: (number < asked.id, number), reverse=True)[:TRIES]:
        run = await read(number)
        if run.transcript.turns:
            return run
        first = first or run
    return first


class _PassedSearch:
    """Reads pages of lists until a run before the one asked about is found, or enough were read."""

    def __init__(self, asked: RunRow, client: Client, budget: Budget) -> None:
        self._asked, self._client, self._budget, self._left = asked, client, budget, PAGES
        self.found: int | None = None
        self.candidates: set[int] = set()
        """All passed runs that were found."""

    async def read(self, params: Params) -> None:
        """Read one list. Raises kinds of ApiError."""
        if not self._left:
            return
        try:
            async with aclosing(all_runs(self._client, params, self._budget)) as pages:
                async for page in pages:
                    rows = [row for row in map(row_of, page.items) if _fits(row, self._asked)]
                    self.found = _nearest(self._asked, rows, self.found)
                    self.candidates.update(row.id for row in rows)
                    # A list whose oldest runs come first begins with a page that holds nothing.
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
    """Servers may ignore a filter, so each row is checked."""
    same_agent = row.agent_id == asked.agent_id or row.agent_id is None or asked.agent_id is None
    return (
        row.id != asked.id
        and row.scenario_id == asked.scenario_id is not None
        and row.outcome.kind == "passed"
        and same_agent
    )


def _scope_params(row: RunRow) -> Params | None:
    for name, number in (("agent_id", row.agent_id), ("project_id", row.project_id), ("result_id", row.result_id)):
        if number is not None:
            return {name: number}
    return None
