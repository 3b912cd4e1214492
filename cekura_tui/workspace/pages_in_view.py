"""Which pages of a run list are on screen, since when, and which one is next where one moves."""

from __future__ import annotations

from dataclasses import dataclass

from cekura_tui.model.paged_runs import PagedRuns

SETTLED = 0.15
"""Seconds that a page is in view, and nobody leaps on, before it is asked for."""


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: the first and last index on screen, the cursor's, and the way one moves (−1 or 1)."""

    first: int = 0
    last: int = 0
    cursor: int = 0
    step: int = 1


class PagesInView:
    """A view over a list that changes; times are monotonic."""

    def __init__(self) -> None:
        self.view = View()
        self._since: dict[int, float] = {}
        self._leapt_at = float("-inf")

    def look(self, view: View, now: float) -> None:
        """This is looked at from now on; whoever goes by screens flies over what is on each."""
        if 2 * abs(view.first - self.view.first) >= self.view.last - self.view.first > 0:
            self._leapt_at = now
        self.view = view

    def visible(self, runs: PagedRuns, ahead: int = 0) -> list[int]:
        """The pages on screen, and `ahead` (−1, 0 or 1) the one after them in that direction."""
        head = runs.listed.head
        first, last = self.view.first - head, self.view.last - head
        return runs.layout.near(first, last, ahead) if last >= 0 else []

    def note(self, runs: PagedRuns, now: float) -> list[int]:
        """Note what is in view now, and return it: what has just come into view is so from now on."""
        pages = self.visible(runs)
        if self._since.keys() != set(pages):
            self._since = {page: self._since.get(page, now) for page in pages}
            runs.look_at(pages)
        return pages

    def settles(self, page: int) -> float:
        """When a page that is in view has been so for long enough to be asked for."""
        return max(self._since[page], self._leapt_at) + SETTLED

    def ahead(self, runs: PagedRuns, now: float) -> list[int]:
        """The page that is next, once everything on screen has been so for long enough."""
        pages = self.visible(runs)
        if any(self.settles(page) > now for page in pages):
            return []
        return self.visible(runs, self.view.step)[len(pages) :]

    def forget(self) -> None:
        """Another list is looked at."""
        self._since.clear()
