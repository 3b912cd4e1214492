"""A simulated list of runs with the quirks of real servers, for code that reads a list page by page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cekura_tui.model.run.listed_runs import UnloadedRun
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.paging import ListPage, PagedRuns
from cekura_tui.model.run.view import RunRow

BEGAN = 1_787_054_400.0
FIRST_ID = 900_001
RUNNING, PASSED = Outcome("running", "in progress"), Outcome("passed", "passed")


def row(number: int, at: float | None = None, outcome: Outcome = PASSED, **fields: object) -> RunRow:
    listed = RunRow(number, "Books a table", "Calm caller", 7, "Agent 7", outcome, "01:00", at)
    return listed._replace(**fields)  # type: ignore[arg-type] # any field of a row


def keys(runs: PagedRuns) -> list[object]:
    """Key of each position in a list: the run's id, or the key of a placeholder."""
    return [item.key if isinstance(item, UnloadedRun) else item.id for item in runs.listed]


@dataclass
class RunServer:
    """A list of runs, oldest first, whose ids grow with time. `size` is the number of runs on a page. The times of runs
    are `lag` seconds behind the server's clock `now`. `off` is added to the count that the server reports."""

    size: int = 100
    oldest_first: bool = False
    lag: float = 0.0
    off: int = 0
    now: float = BEGAN + 0.7
    runs: list[RunRow] = field(default_factory=list)

    def add(self, runs: int = 1, after: float = 1.0, outcome: Outcome = PASSED) -> None:
        """Create runs, each `after` seconds after the previous one."""
        for _ in range(runs):
            self.now += after
            self.runs.append(row(FIRST_ID + len(self.runs), self.now - self.lag, outcome))

    def finish(self, number: int) -> None:
        """End a run as passed."""
        at = number - FIRST_ID
        self.runs[at] = self.runs[at]._replace(outcome=PASSED)

    def listed(self, until: float | None = None, since: float | None = None) -> list[RunRow]:
        """Runs created from `since` to `until`, both inclusive, newest first."""
        low, high = float("-inf") if since is None else since, float("inf") if until is None else until
        return [run for run in reversed(self.runs) if run.at is not None and low <= run.at <= high]

    def page(self, number: int, until: float | None = None, since: float | None = None) -> ListPage[RunRow] | None:
        """Page `number` (from 1) of the list; None if there is no such page."""
        found = self.listed(until, since)
        found = found[::-1] if self.oldest_first else found
        rows = found[(number - 1) * self.size : number * self.size]
        if not rows and number > 1:
            return None
        newest_first = tuple(sorted(rows, key=lambda run: run.id, reverse=True))
        turned = self.oldest_first and len(rows) > 1
        more = number * self.size < len(found)
        # The Date header has whole seconds only.
        return ListPage(max(0, len(found) + self.off), newest_first, more, turned, float(int(self.now)))

    def by_id(self, numbers: Iterable[int]) -> tuple[RunRow, ...]:
        """Current rows of these runs; unknown ids are left out."""
        wanted = set(numbers)
        return tuple(run for run in self.runs if run.id in wanted)
