"""Loads all matching runs, and why the failed ones failed, for the groups screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cekura_tui.jobs.polling import BUDGET, WINDOW
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.run.groups import Finding, Grouping
from cekura_tui.model.run.listed_runs import PAGE
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import count
from cekura_tui.workspace.run_findings import AT_ONCE
from cekura_tui.workspace.run_sweep import RunSweep

if TYPE_CHECKING:
    from cekura_tui.ui.kit.page import Page
    from cekura_tui.ui.runs.listing import RunListing


class GroupsLoad:
    """Loads the runs that the list has not loaded, then the reasons of failed runs, one request at a time within the
    shared budget. `changed` is called before and after each request. Runs as a worker of the list's page, so that the
    load continues while the groups screen is closed."""

    def __init__(self, page: Page, listing: RunListing) -> None:
        self._page, self._listing, self.query = page, listing, listing.query
        self._sweep = RunSweep(page.state.workspace.call, self.query, page.state.clock, self._request_failed)
        self.findings: dict[int, tuple[Finding, ...]] = {}
        self.changed: Callable[[], None] = lambda: None
        self.on = False
        """Whether the load is running; if set to False, it ends after the request in flight."""
        self.error: CekuraTuiError | None = None
        """Why the load ended early, or why a request is being retried; None if requests succeed."""
        self._failed: tuple[Sequence[RunRow], list[int]] = ((), [])

    def open(self) -> None:
        """Add the rows of the list, and load what is missing."""
        listing, sweep, rows = self._listing, self._sweep, self._listing.loaded_rows()
        if listing.all_loaded:
            sweep.complete(rows)
        else:
            sweep.add(rows)
            sweep.change(rows)
            sweep.read = max(sweep.read, listing.loaded)
            sweep.total = max(sweep.total, sweep.read, listing.count or 0)
        self.start()

    def start(self) -> None:
        """Load what is missing, and runs created or finished since the last load."""
        if not self.on:
            self._page.start_worker(self._run, "groups", exclusive=True)

    def reload(self) -> None:
        """Load all runs again. The rows so far stay until all runs are loaded."""
        self._sweep.restart()
        self.start()

    def rows(self) -> Sequence[RunRow]:
        now = self._page.state.clock()
        passes = Matcher(self.query.rest(now), now=now, notes=self._listing.notes)
        return [row for row in self._sweep.rows if passes(row)]

    def progress(self, by: Grouping) -> str:
        """How much of what a grouping needs is loaded, such as "200 of 240 runs"; empty if everything is loaded."""
        if not self._sweep.all_checked:
            return f"{self._sweep.read:,} of {count(self._sweep.total, 'run')}"
        if by != "verdict" or not (missing := len(self._without_findings())):
            return ""
        failed = len(self._failed[1])
        return f"checks of {failed - missing:,} of {count(failed, 'failed run')}"

    def seconds_left(self, by: Grouping) -> float:
        """Estimate how long it takes to load what a grouping needs."""
        read, total = max(self._sweep.read, 1), self._sweep.total
        failed = len(self._without_findings()) * total / read if by == "verdict" else 0
        return ((total - read) / PAGE + failed / AT_ONCE) * WINDOW / BUDGET

    def _without_findings(self) -> list[int]:
        """The ids of the loaded failed runs whose reasons are not loaded, newest first."""
        if (rows := self._sweep.rows) is not self._failed[0]:
            self._failed = rows, [row.id for row in rows if row.outcome.kind == "failed"]
        return [number for number in self._failed[1] if number not in self.findings]

    async def _run(self) -> None:
        self.on, self.error = True, None
        try:
            while self.on:
                self.changed()
                if not self._sweep.wait():
                    await self._sweep.step()
                elif missing := self._without_findings()[:AT_ONCE]:
                    found, error = await self._page.state.workspace.call(lambda session: session.findings.all(missing))
                    self.findings |= found
                    if error is not None:
                        raise error
                else:
                    break
                self.error = None
        except CekuraTuiError as error:
            self.error = error
        # Not in a `finally`: a cancelled worker was replaced by another, which is still loading.
        self.on = False
        self.changed()

    def _request_failed(self, sweep: RunSweep, error: CekuraTuiError) -> None:
        self.error = error
        self.changed()
