"""Find the run to compare another run with: the last passed run of the same scenario."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from cekura_tui.api.client import Client
from cekura_tui.api.errors import BadAnswer, NotSent, ServerFault, Unreachable
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.run.view import RunRow, RunView, row_of
from cekura_tui.workspace.all_runs import IncompleteListError, all_runs
from cekura_tui.workspace.run_lists import Params, iso_moment

MAX_PAGES = 3
"""Maximum pages of runs read in one search."""


async def last_passed(
    target: RunRow,
    client: Client,
    budget: Budget,
    *,
    opened: Callable[[], list[tuple[RunRow, float]]],
    read: Callable[[int], Awaitable[RunView]],
    read_cached: Callable[[int], Awaitable[RunView | None]],
) -> RunView | None:
    """The scenario's last passed run before `target`, else its newest, else None; with a transcript if possible. If the
    server is unreachable or failing, the `opened` runs are searched. Raises ApiError."""
    scope = _scope_params(target)
    if target.scenario_id is None:
        return None

    async def search_opened() -> RunView | None:
        found = _nearest(target, [row for row, _ in opened() if _is_match(row, target)], None)
        return None if found is None else await read_cached(found)

    if scope is None:
        return await search_opened()
    wanted: Params = {**scope, "scenario__id": target.scenario_id, "success": "true"}
    search = _PassedSearch(target, client, budget)
    try:
        if target.at is not None:
            # In a scenario that runs hourly, a run of last week is many pages down.
            await search.read({**wanted, "created_at_to": iso_moment(target.at)})
        if search.found is None:
            await search.read(wanted)
    except (Unreachable, ServerFault, NotSent) as error:
        if search.found is None:
            if (cached := await search_opened()) is None:
                message = f"{error.message} No run opened here passed this scenario."
                raise type(error)(message, error.hint, status=error.status) from None
            return cached
    first: RunView | None = None
    for number in sorted(search.candidates, key=lambda number: (number < target.id, number), reverse=True)[:3]:
        run = await read(number)
        if run.transcript.turns:
            return run
        first = first or run
    return first


class _PassedSearch:
    """Reads pages of lists until a passed run before the target is found, or the page limit is reached."""

    def __init__(self, target: RunRow, client: Client, budget: Budget) -> None:
        self._target, self._client, self._budget, self._left = target, client, budget, MAX_PAGES
        self.found: int | None = None
        self.candidates: set[int] = set()
        """Ids of all passed runs found so far."""

    async def read(self, params: Params) -> None:
        """Search one list for passed runs. Raises ApiError."""
        if not self._left:
            return
        try:
            async with aclosing(all_runs(self._client, params, self._budget)) as pages:
                async for page in pages:
                    rows = [row for row in map(row_of, page.items) if _is_match(row, self._target)]
                    self.found = _nearest(self._target, rows, self.found)
                    self.candidates.update(row.id for row in rows)
                    # A list that the server sorts oldest first starts with an empty page.
                    self._left -= bool(page.items)
                    if not self._left or (self.found is not None and self.found < self._target.id):
                        return
        except IncompleteListError:
            return  # use the runs that arrived
        except BadAnswer:
            if self.found is None:
                raise


def _nearest(target: RunRow, rows: list[RunRow], found: int | None) -> int | None:
    """The id of the newest run before the target, else the newest of all; None without runs. Ids rise with time."""
    ids = [row.id for row in rows] + ([] if found is None else [found])
    return max((number for number in ids if number < target.id), default=max(ids, default=None))


def _is_match(row: RunRow, target: RunRow) -> bool:
    """Whether a row is another passed run of the target's scenario and agent. The filters in the request are not
    enough, because a server may ignore filters. An unknown agent is accepted."""
    same_agent = row.agent_id == target.agent_id or row.agent_id is None or target.agent_id is None
    same_scenario = row.scenario_id == target.scenario_id is not None
    return row.id != target.id and same_scenario and same_agent and row.outcome.kind == "passed"


def _scope_params(row: RunRow) -> Params | None:
    scopes = {"agent_id": row.agent_id, "project_id": row.project_id, "result_id": row.result_id}
    return next(({name: number} for name, number in scopes.items() if number is not None), None)
