"""What this machine keeps beside the runs: notes, views, filters, and why runs failed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from cekura_tui.api.client import Client
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.filter import GIVEN_VIEWS, SavedView
from cekura_tui.model.run.groups import Finding, findings_of
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.model.run.view import row_of
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store
from cekura_tui.workspace.run_lists import take_turn

LONGEST_NOTE, LONGEST_NAME, LONGEST_FILTER = 4_000, 60, 2_000
"""Characters of what a person types."""
AT_ONCE = 25
"""Runs whose findings are asked for in one request."""
_log = logging.getLogger("cekura_tui.workspace")


class Shelf:
    """Of one session, on its loop. Methods raise StoreError, and UsageError for a text that is too long.

    A filter is given and told as text.
    """

    def __init__(
        self,
        store: Store,
        client: Client,
        budget: Budget,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._client, self._budget = store, client, budget
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep

    # Notes

    async def notes(self) -> dict[int, str]:
        """Every note of this account, by the id of its run."""
        return self._store.notes.all()

    async def note(self, run_id: int, text: str) -> None:
        """Write the note of a run, as it was typed; one of nothing but white space removes it."""
        self._store.notes.put(run_id, _bounded("note", text, LONGEST_NOTE) if text.strip() else "", self._clock())

    # Filters

    async def views(self) -> list[SavedView]:
        """The views that somebody saved, by name; the given ones are not among them."""
        return self._store.views.views()

    async def save_view(self, name: str, text: str) -> None:
        """Save a filter with a name, in place of what had this name."""
        name = name.strip()
        if not name:
            raise UsageError("A view needs a name.", "Type one.")
        if any(view.name.casefold() == name.casefold() for view in GIVEN_VIEWS):
            raise UsageError(f"{clean_line(name)} is a given view, which cannot be changed.", "Take another name.")
        name, text = _bounded("name", name, LONGEST_NAME), _bounded("filter", text, LONGEST_FILTER)
        self._store.views.save(name, text, self._clock())

    async def forget_view(self, name: str) -> None:
        """Forget a view that somebody saved."""
        self._store.views.forget(name)

    async def used(self) -> list[str]:
        """Filters that were used, each once, newest first."""
        return self._store.views.used()

    async def use(self, text: str) -> None:
        """A filter is used; none at all is not remembered."""
        if text:
            self._store.views.use(_bounded("filter", text, LONGEST_FILTER), self._clock())

    async def left(self, scope: Scope) -> str:
        """The filter that the list of a scope was left with, or empty."""
        return self._store.views.left(scope.text)

    async def leave(self, scope: Scope, text: str) -> None:
        """The list of a scope is left with this filter; an empty one is none."""
        self._store.views.leave(scope.text, _bounded("filter", text, LONGEST_FILTER))

    # Findings

    async def findings(self, ids: Sequence[int]) -> dict[int, tuple[Finding, ...]]:
        """Why these runs failed, of those of which this machine knows it."""
        return self._store.findings.known(ids)

    async def find_out(self, ids: Sequence[int]) -> dict[int, tuple[Finding, ...]]:
        """Ask the server once why the first 25 of these runs failed, when it is this request's turn.

        One that the server leaves out, or that has not ended, has no findings. Raises kinds of ApiError.
        """
        wanted = tuple(dict.fromkeys(ids))[:AT_ONCE]
        if not wanted:
            return {}
        await take_turn(self._budget, monotonic=self._monotonic, sleep=self._sleep)
        runs = {run.id: run for run in await self._client.runs_by_id(wanted, once=True)}
        found = {number: findings_of(read_verdicts(runs[number])) if number in runs else () for number in wanted}
        # What goes on may yet fail, so what is found of it now is not kept as the last word.
        going_on = {number for number, run in runs.items() if not row_of(run).outcome.settled}
        try:
            kept = {number: some for number, some in found.items() if number not in going_on}
            self._store.findings.keep(kept, self._clock())
        except StoreError as error:
            _log.warning("findings were not kept: %s", error.message)
        return found


def _bounded(what: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise UsageError(f"That {what} is of {len(text):,} characters; {limit:,} are kept.", "Shorten it.")
    return text
