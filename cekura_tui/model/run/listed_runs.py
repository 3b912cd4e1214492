"""A snapshot of a run list, as far as its pages are loaded."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cekura_tui.model.run.view import RunRow


class UnloadedRun(NamedTuple):
    """A run whose page is not loaded. `place` counts from 0, the newest run on the pages. `why` says why the page or
    the run is missing; empty if the page was not requested yet or is on its way."""

    place: int
    why: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """Key of the row until the page is loaded."""
        return ("gap", self.place)


PAGE = 100
"""Rows requested per page."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Maps the server's pages to places in the list; place 0 is the newest run. `count` is the number of runs on all
    pages. `size` is the number of runs on a page: a server may send fewer than requested."""

    count: int
    oldest_first: bool = False
    size: int = PAGE

    @property
    def pages(self) -> int:
        return -(-self.count // self.size)

    def page_at(self, place: int) -> int:
        """Number (from 1) of the page with the run at a place."""
        return (self.count - 1 - place if self.oldest_first else place) // self.size + 1

    def span(self, page: int) -> range:
        """The places on a page."""
        first, end = (page - 1) * self.size, min(page * self.size, self.count)
        return range(self.count - end, self.count - first) if self.oldest_first else range(first, end)

    def pages_for(self, first: int, last: int, ahead: int = 0) -> list[int]:
        """The pages with places `first` to `last`, and with `ahead` the next page of newer (−1) or older (1) runs."""
        if not self.count:
            return []
        last = max(0, min(last, self.count - 1))
        ends = self.page_at(max(0, min(first, last))), self.page_at(last)
        pages = list(range(ends[0], ends[1] + 1)) if ends[0] <= ends[1] else list(range(ends[0], ends[1] - 1, -1))
        beyond = self.span(pages[-1]).stop if ahead > 0 else self.span(pages[0]).start - 1
        if ahead and 0 <= beyond < self.count:
            pages.append(self.page_at(beyond))
        return pages


class ListedRuns(Sequence["RunRow | UnloadedRun"]):
    """The rows of a run list at one moment: immutable, looked up lazily, and found by key."""

    __slots__ = ("_failed", "_head", "_layout", "_pages")

    def __init__(
        self,
        head: tuple[RunRow, ...],
        pages: Mapping[int, tuple[RunRow, ...]],
        layout: Layout,
        failed: Mapping[int, str],
    ) -> None:
        self._head, self._pages, self._layout, self._failed = head, pages, layout, failed

    def __len__(self) -> int:
        return len(self._head) + self._layout.count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index < len(self._head):
            return self._head[index]
        place = index - len(self._head)
        page = self._layout.page_at(place)
        rows, within = self._pages.get(page), place - self._layout.span(page).start
        if rows is not None and within < len(rows):
            return rows[within]
        return UnloadedRun(place, self._failed.get(page, "") if rows is None else "not sent by the server")

    @property
    def head(self) -> int:
        """Number of listed runs that are newer than the runs on the pages."""
        return len(self._head)

    @property
    def loaded(self) -> int:
        return len(self._head) + sum(map(len, self._pages.values()))

    def runs(self) -> Iterator[RunRow]:
        """The loaded rows, newest first."""
        yield from self._head
        for page in sorted(self._pages, reverse=self._layout.oldest_first):
            yield from self._pages[page]

    def place_of(self, key: Hashable) -> int | None:
        """Index of a loaded run by its id, or of an unloaded run by its key; None if no row has this key."""
        if isinstance(key, tuple):
            index = len(self._head) + key[1]
            return index if index < len(self) and isinstance(self[index], UnloadedRun) else None
        for index, row in enumerate(self._head):
            if row.id == key:
                return index
        for page, rows in self._pages.items():
            if not rows or not isinstance(key, int) or not rows[-1].id <= key <= rows[0].id:
                continue
            for within, row in enumerate(rows):
                if row.id == key:
                    return len(self._head) + self._layout.span(page).start + within
        return None
