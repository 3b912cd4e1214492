"""Finds the run to compare another with: the last one of the same scenario and agent that passed."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cekura_tui.api.errors import BadAnswer, ServerFault, Unreachable
from cekura_tui.model.view import RunRow, RunView, row_of
from cekura_tui.workspace.all_runs import CutOff, Params, all_runs

if TYPE_CHECKING:
    from cekura_tui.workspace.session import Session

PAGES = 3
"""Pages of runs that are looked at in one search."""
TRIES = 3
"""Runs of those found that are read until one has a transcript to compare."""


async def last_passed(session: Session, view: RunView) -> RunView | None:
    """The last passed run before this one, else the newest passed one, read whole; None where there is none.

    One without a transcript is passed over if another has one.

    Where the server cannot be reached it is looked for among the runs that were opened on this machine. Asks in the
    shared budget. Raises kinds of ApiError.
    """
    asked = view.row
    scope = _scope(asked)
    if asked.scenario_id is None:
        return None
    if scope is None:
        return await _opened(session, asked)
    wanted: Params = {**scope, "scenario__id": asked.scenario_id, "success": "true"}
    search = _Search(session, asked)
    try:
        if asked.at is not None:
            # The newest page of a scenario that is run every hour is far from a run of last week.
            await search.look({**wanted, "created_at_to": _iso(asked.at)})
        if search.found is None:
            await search.look(wanted)
    except (Unreachable, ServerFault) as error:
        if search.found is None:
            if (kept := await _opened(session, asked)) is None:
                raise type(error)(
                    f"{error.message} Among the runs that were opened here, none of this scenario passed.",
                    error.hint,
                    status=error.status,
                ) from None
            return kept
    first: RunView | None = None
    for number in sorted(search.seen, key=lambda number: (number < asked.id, number), reverse=True)[:TRIES]:
        run = await session.run(number)
        if run.transcript.turns:
            return run
        first = first or run
    return first


class _Search:
    """Looks at the pages of lists until it has found a run before the one asked about, or has looked at enough."""

    def __init__(self, session: Session, asked: RunRow) -> None:
        self._session, self._asked, self._left = session, asked, PAGES
        self.found: int | None = None
        self.seen: set[int] = set()
        """All that would do."""

    async def look(self, params: Params) -> None:
        """Look through one list. Raises kinds of ApiError."""
        if not self._left:
            return
        try:
            async with aclosing(all_runs(self._session.client, params, self._session.budget)) as pages:
                async for page in pages:
                    rows = [row for row in map(row_of, page.items) if _answers(row, self._asked)]
                    self.found = _better(self._asked, rows, self.found)
                    self.seen.update(row.id for row in rows)
                    # One that reads the oldest runs last begins with a page that holds nothing.
                    self._left -= bool(page.items)
                    if not self._left or (self.found is not None and self.found < self._asked.id):
                        return
        except CutOff:
            return  # what came of the list was looked at
        except BadAnswer:
            if self.found is None:
                raise


def _better(asked: RunRow, rows: list[RunRow], found: int | None) -> int | None:
    """The newest run before the one asked about, else the newest of all; ids rise with time."""
    ids = [row.id for row in rows] + ([] if found is None else [found])
    return max((number for number in ids if number < asked.id), default=max(ids, default=None))


def _answers(row: RunRow, asked: RunRow) -> bool:
    """Servers may pass over a filter, so each row is looked at."""
    same_agent = row.agent_id == asked.agent_id or row.agent_id is None or asked.agent_id is None
    return (
        row.id != asked.id
        and row.scenario_id == asked.scenario_id is not None
        and row.outcome.kind == "passed"
        and same_agent
    )


async def _opened(session: Session, asked: RunRow) -> RunView | None:
    rows = [row for row, _ in session.store.runs.opened_rows() if _answers(row, asked)]
    found = _better(asked, rows, None)
    return None if found is None else await session.cached_run(found)


def _scope(row: RunRow) -> Params | None:
    """A list needs one of these."""
    for name, number in (("agent_id", row.agent_id), ("project_id", row.project_id), ("result_id", row.result_id)):
        if number is not None:
            return {name: number}
    return None


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
