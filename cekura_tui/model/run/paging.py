"""A run list at one moment: the pages loaded so far, and the runs made after this moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from cekura_tui.model.run.listed_runs import PAGE, Layout, ListedRuns
from cekura_tui.model.run.view import RunRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """A page, newest first by time. `count` is the server's total; `more`: another page follows; `oldest_first`: the
    server lists so. `at` is the server's clock (Unix time) when it answered, None if unknown."""

    count: int
    items: tuple[T, ...]
    more: bool = False
    oldest_first: bool = False
    at: float | None = None


MAX_PAGES = 250
"""Maximum number of pages kept in memory; the least recently viewed page is dropped first."""


class PagedRuns:
    """The runs of a query that existed at `pin` (Unix time of the server), loaded page by page, and newer runs. Sends
    no requests: `put`, `fail`, `add_newer` and `change` read in answers, and `listed` is a snapshot of the rows."""

    def __init__(self, first: ListPage[RunRow], got_at: float, max_pages: int = MAX_PAGES) -> None:
        made = [row.at for row in first.items if row.at is not None]
        self.pin = max([got_at if first.at is None else first.at, *made])
        """Runs made after this Unix time are not on the pages; ahead of the server's clock if a run's time is."""
        size = (len(first.items) or PAGE) if first.more else max(PAGE, len(first.items))
        self.layout = Layout(max(first.count, len(first.items)), first.oldest_first, size)
        self.shifts = 0
        """How often all pages were discarded because they no longer fitted the server's count, order or page size."""
        self._measured, self._directed = first.more, False
        self.reported_count = first.count
        self._max_pages = max_pages
        self._pages: dict[int, tuple[RunRow, ...]] = {}
        """Rows by page number, from the least to the most recently viewed page."""
        self._page_of: dict[int, int] = {}
        """The page of each loaded run, by run id."""
        self._failed: dict[int, str] = {}
        self._head: tuple[RunRow, ...] = ()
        self._waiting: dict[int, RunRow] = {}
        self._listed: ListedRuns | None = None
        self.put(1, first)

    # Reading

    @property
    def listed(self) -> ListedRuns:
        """A snapshot of the rows; the same object until something changes."""
        if self._listed is None:
            self._listed = ListedRuns(self._head, dict(self._pages), self.layout, dict(self._failed))
        return self._listed

    @property
    def count(self) -> int:
        """Number of listed runs, without waiting runs."""
        return len(self._head) + self.layout.count

    @property
    def waiting(self) -> int:
        """Number of newer runs that are known and not listed yet."""
        return len(self._waiting)

    @property
    def newer(self) -> int:
        """Number of known runs made after `pin`."""
        return len(self._head) + len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether loading another page would drop a page."""
        return len(self._pages) >= self._max_pages

    @property
    def newest_page(self) -> int | None:
        """The page with the newest runs as of `pin`; None if there are no runs."""
        return self.layout.page_at(0) if self.layout.count else None

    def missing(self, pages: Iterable[int]) -> list[int]:
        """The pages among `pages` that exist and are not loaded."""
        return [page for page in pages if page not in self._pages and 1 <= page <= self.layout.pages]

    def next_missing(self) -> int | None:
        """The unloaded page nearest to the newest run; None if all pages are loaded."""
        pages = range(self.layout.pages, 0, -1) if self.layout.oldest_first else range(1, self.layout.pages + 1)
        return next((page for page in pages if page not in self._pages), None)

    def knows(self, run_id: int) -> bool:
        return run_id in self._page_of or run_id in self._waiting or any(row.id == run_id for row in self._head)

    def rows(self) -> Iterator[RunRow]:
        """Every known row, including waiting ones."""
        yield from self._waiting.values()
        yield from self.listed.runs()

    def unsettled(self, near: int) -> list[int]:
        """Ids of loaded runs that may still change, sorted by distance from the index `near`."""
        found = [(abs(index - near), row.id) for index, row in enumerate(self._head) if not row.outcome.settled]
        for number, page in self._pages.items():
            start = len(self._head) + self.layout.span(number).start
            found += [(abs(start + n - near), row.id) for n, row in enumerate(page) if not row.outcome.settled]
        return [number for _, number in sorted(found)]

    # Updating

    def put(self, number: int, page: ListPage[RunRow], keep: Collection[int] = ()) -> None:
        """Store a page under the server's page number (from 1), and correct the layout if the page contradicts it. If
        there are too many pages, other pages are dropped, pages in `keep` and the newest page last."""
        self._listed = None
        self._failed.pop(number, None)
        self._drop(number)
        self._correct_layout(number, page)
        if room := len(self.layout.span(number)):
            # A run already on another page was moved by a shift that the count did not show: keep it there.
            fresh = {row.id: row for row in page.items if row.id not in self._page_of}
            rows = tuple(fresh.values())[:room]
            self._pages[number] = rows
            self._page_of.update((row.id, number) for row in rows)
            # Newer runs that are older than a run on this page have moved onto the pages.
            newest = max((row.id for row in page.items), default=-1)
            self._head = tuple(row for row in self._head if row.id > newest)
            self._waiting = {run_id: row for run_id, row in self._waiting.items() if run_id > newest}
        # The newest page shows which runs are new: drop it last.
        held = {*keep, self.newest_page}
        others = sorted((other for other in self._pages if other != number), key=lambda other: other in held)
        for other in others[: max(0, len(self._pages) - self._max_pages)]:
            self._drop(other)

    def complete(self, rows: Iterable[RunRow]) -> None:
        """Fill the missing pages, if `rows` (newest first) without newer runs are exactly the runs of the pages."""
        newest = max((row.id for row in self._pages.get(self.newest_page or 0, ())), default=-1)
        whole = tuple(row for row in rows if row.id <= newest)
        spans = {number: self.layout.span(number) for number in range(1, self.layout.pages + 1)}
        pages = {number: whole[span.start : span.stop] for number, span in spans.items()}
        known = all(
            [row.id for row in pages[number]] == [row.id for row in held] for number, held in self._pages.items()
        )
        if known and len(whole) == self.layout.count and len(pages) <= self._max_pages:
            self._page_of = {row.id: number for number, page in pages.items() for row in page}
            self._pages, self._failed, self._listed = pages | self._pages, {}, None

    def _drop(self, number: int) -> None:
        for row in self._pages.pop(number, ()):
            del self._page_of[row.id]

    def _correct_layout(self, number: int, page: ListPage[RunRow]) -> None:
        """Correct what page `number` contradicts; a new order, page size or total discards all pages."""
        received, size = len(page.items), self.layout.size
        if received > 1 and not self._directed:  # one run alone shows no order
            self._directed = True
            if page.oldest_first != self.layout.oldest_first:
                self._discard_pages(replace(self.layout, oldest_first=page.oldest_first))
        if page.more and (received > size or (received and received != size and not self._measured)):
            self._discard_pages(replace(self.layout, size=received))
        self._measured = self._measured or page.more
        start = (number - 1) * self.layout.size
        end = start + received
        if page.count != self.reported_count and page.count >= end:
            self.reported_count = page.count
            self._discard_pages(replace(self.layout, count=page.count))
        if not page.more and (received or start < self.layout.count):
            self._truncate(end)
        elif page.more and start + self.layout.size >= self.layout.count:
            self._truncate(start + self.layout.size + 1)

    def _discard_pages(self, layout: Layout) -> None:
        """Change the layout, and discard all pages: in the new layout, a page has other runs."""
        self.shifts += bool(self._pages)
        self.layout = layout
        self._pages.clear()
        self._page_of.clear()
        self._failed.clear()

    def _truncate(self, count: int) -> None:
        self.layout = replace(self.layout, count=count)
        for number in [number for number in self._pages if number > self.layout.pages]:
            self._drop(number)
        self._failed = {number: why for number, why in self._failed.items() if number <= self.layout.pages}

    def no_such_page(self, number: int) -> None:
        """End the list before a page that the server does not have."""
        self._listed = None
        self._truncate(min((number - 1) * self.layout.size, self.layout.count))

    def fail(self, number: int, why: str) -> None:
        if self._failed.get(number) != why and self.missing([number]):
            self._failed[number] = why
            self._listed = None

    def mark_viewed(self, pages: Iterable[int]) -> None:
        """Mark pages as just viewed, so that other pages are dropped first."""
        for number in pages:
            if (rows := self._pages.pop(number, None)) is not None:
                self._pages[number] = rows

    def add_newer(self, rows: Iterable[RunRow]) -> None:
        """Update known runs; new runs wait until `show_waiting`, and are ignored without the newest page."""
        rows = tuple(rows)
        self.change(rows)
        oldest = -1
        if (top := self.newest_page) is not None:
            # Only the newest page shows which runs are new to the list.
            if (newest := self._pages.get(top)) is None:
                return
            # A run newer than the last one of the newest page, but not on it, has since entered the list.
            oldest = newest[-1].id if newest and self.layout.count > len(newest) else -1
        self._waiting.update((row.id, row) for row in rows if row.id > oldest and not self.knows(row.id))

    def show_waiting(self) -> None:
        if self._waiting:
            head = (*self._waiting.values(), *self._head)
            self._head = tuple(sorted(head, key=lambda row: row.id, reverse=True))
            self._waiting.clear()
            self._listed = None

    def change(self, rows: Iterable[RunRow]) -> bool:
        """Replace the rows of known runs; return whether any listed row changed."""
        now = {row.id: row for row in rows}
        self._waiting.update((number, row) for number, row in now.items() if number in self._waiting)
        changed = False
        if (head := _changed(self._head, now)) is not None:
            self._head, changed = head, True
        for number in {self._page_of[run_id] for run_id in now if run_id in self._page_of}:
            if (fresh := _changed(self._pages[number], now)) is not None:
                self._pages[number], changed = fresh, True
        if changed:
            self._listed = None
        return changed


def _changed(rows: tuple[RunRow, ...], now: Mapping[int, RunRow]) -> tuple[RunRow, ...] | None:
    """The rows, replaced by the rows in `now` (by run id); None if no row differs."""
    fresh = tuple(now.get(row.id, row) for row in rows)
    return None if fresh == rows else fresh
