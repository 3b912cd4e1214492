"""Loads all matching runs, and why the failed ones failed, for the groups screen."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.run.groups import Finding, Grouping
from cekura_tui.model.run.listed_runs import PAGE
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import count
from cekura_tui.workspace.run_findings import AT_ONCE
from cekura_tui.workspace.run_sweep import RunSweep

if TYPE_CHECKING:
    from cekura_tui.ui.runs.listing import RunListing
    from cekura_tui.workspace.workspace import Workspace

INTERVAL = 0.2
"""Seconds between two requests in the shared budget."""


class GroupsLoad:
    """Loads the runs of one query page by page, then the reasons of failed runs, one request at a time within the
    shared budget. `changed` is called after each request. A load that was stopped or closed continues where it ended.
    """

    def __init__(
        self, workspace: Workspace, query: RunQuery, notes: Mapping[int, str], clock: Callable[[], float] = time.time
    ) -> None:
        self.query, self._notes, self._clock, self._workspace = query, notes, clock, workspace
        self.findings: dict[int, tuple[Finding, ...]] = {}
        self.on = False
        """Whether the load is running."""
        self.error: CekuraTuiError | None = None
        """Why the load ended early, or why a request is being retried; None if requests succeed."""
        self.changed: Callable[[], None] = lambda: None
        self.sweep = RunSweep(workspace.call, query, clock, self._waits)
        self.known = self.total = 0
        self._failed: list[int] = []
        """The ids of all failed runs, newest first; empty until all runs are loaded."""
        self._pace = INTERVAL

    def add(self, listing: RunListing) -> None:
        """Add the rows of the list. If the list has all its runs, no other run is loaded."""
        rows = listing.loaded_rows()
        if listing.all_loaded:
            self.sweep.complete(rows)
        else:
            self.sweep.add(rows)
            self.sweep.change(rows)
        self.known, self.total = listing.loaded, listing.count or listing.loaded

    def rows(self) -> Sequence[RunRow]:
        """The matching runs loaded so far."""
        now = self._clock()
        rest = self.query.rest(now)
        if not rest:
            return self.sweep.rows
        passes = Matcher(rest, now=now, notes=self._notes)
        return [row for row in self.sweep.rows if passes(row)]

    # What is missing

    def progress(self, by: Grouping) -> str:
        """How much of what a grouping needs is loaded, such as "200 of 240 runs"; empty if everything is loaded."""
        sweep = self.sweep
        if not sweep.all_checked:
            total = max(sweep.total, self.total)
            return f"{min(max(sweep.read, self.known), total):,} of {count(total, 'run')}"
        if by != "verdict" or not (missing := len(self.without_findings())):
            return ""
        return f"checks of {len(self._failed) - missing:,} of {count(len(self._failed), 'failed run')}"

    def without_findings(self) -> list[int]:
        """The ids of failed runs whose reasons are not loaded; empty until all runs are loaded."""
        return [number for number in self._failed if number not in self.findings]

    def seconds_left(self, by: Grouping) -> float:
        """Estimate how long it takes to load what a grouping needs."""
        sweep, requests = self.sweep, 0.0
        failed = float(len(self.without_findings()))
        if not sweep.all_checked:
            read, total = max(sweep.read, self.known), max(sweep.total, self.total)
            requests = (total - sweep.read) / PAGE
            seen = sum(row.outcome.kind == "failed" and row.id not in self.findings for row in sweep.rows)
            failed = seen * total / max(read, 1)
        return (requests + (failed / AT_ONCE if by == "verdict" else 0)) * max(self._pace, INTERVAL)

    # Loading

    async def run(self) -> None:
        """Load what is missing until `stop` is called. Runs created or finished since the last load are loaded, too."""
        self.on, self.error = True, None
        self.changed()
        try:
            await self._add_cached()
            while self.on and not self.sweep.wait():
                await self._timed(self.sweep.step())
                self.error = None
                self.changed()
            if self.sweep.all_checked:
                self._failed = self._failed_ids()
                await self._add_cached()
            while self.on and (missing := self.without_findings()[:AT_ONCE]):
                await self._timed(self._fetch(missing))
                self.changed()
        except CekuraTuiError as error:
            self.error = error
        # Not in a `finally`: a cancelled load was replaced by another, which is running.
        self.on = False
        self.changed()

    def reload(self) -> None:
        """Make the next `run` load all runs again. The rows so far stay until all runs are loaded."""
        if self.sweep.all_checked:
            self.sweep.restart()
            self.known = 0

    def stop(self) -> None:
        """End the load after the request in flight."""
        self.on = False

    def close(self) -> None:
        """End the load, and cancel the request in flight."""
        self.on = False
        self.sweep.close()

    def _failed_ids(self) -> list[int]:
        failed = [row for row in self.rows() if row.outcome.kind == "failed"]
        return [row.id for row in sorted(failed, key=lambda row: (row.at or 0.0, row.id), reverse=True)]

    async def _add_cached(self) -> None:
        missing = [number for number in self._failed_ids() if number not in self.findings]
        if missing:
            self.findings |= await self._workspace.do(lambda session: session.findings.cached(missing))
            self.changed()

    async def _fetch(self, ids: Sequence[int]) -> None:
        found, error = await self._workspace.call(
            lambda session: session.findings.all(ids, lambda error, seconds: None)
        )
        self.findings |= found
        if error is not None:
            raise error

    async def _timed(self, request: Awaitable[None]) -> None:
        began = time.monotonic()
        await request
        self._pace += (time.monotonic() - began - self._pace) / 5

    def _waits(self, sweep: RunSweep, error: CekuraTuiError) -> None:
        self.error = error
        self.changed()
