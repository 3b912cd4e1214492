"""Which runs a list holds: found by times and numbers at once, by what they are in columns, which are kept."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from cekura_tui.demo.columns import Columns
from cekura_tui.demo.corpus import PROJECT_IDS, RUN_BASES, Corpus
from cekura_tui.demo.library import agent_by_id
from cekura_tui.demo.query import RunQuery

MOST_KEPT = 1_000_000
"""Runs that are remembered for the next page, over all queries."""


class View(Sequence[int]):
    """Ids that are worked out when they are asked for: one page of a long list costs as much as one of a short one."""

    def __init__(self, length: int, item: Callable[[int], int]) -> None:
        self._length = length
        self._item = item

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> list[int]: ...
    def __getitem__(self, at: int | slice) -> int | list[int]:
        if isinstance(at, slice):
            return [self._item(index) for index in range(*at.indices(self._length))]
        return self._item(range(self._length)[at])


def turned(ids: Sequence[int]) -> Sequence[int]:
    """The same ids, the last one first."""
    return View(len(ids), lambda index: ids[-1 - index])


@dataclass
class _Kept:
    """The places of all runs up to one that fit a query whatever its times, oldest first."""

    upto: int = 0
    places: array[int] = field(default_factory=lambda: array("L"))


class Listing:
    """The run lists of a corpus. One thread at a time asks for what is not `plain`."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._columns = [Columns(corpus, project) for project in range(len(PROJECT_IDS))]
        self._kept: dict[tuple[int, RunQuery], _Kept] = {}

    def find(self, query: RunQuery) -> Sequence[int]:
        """The ids of the runs that fit, newest first."""
        projects = [index for index, known in enumerate(PROJECT_IDS) if query.project in (None, known)]
        if query.agent is not None:
            agent = agent_by_id(query.agent)
            projects = [index for index in projects if agent is not None and agent.project == index]
        few: Sequence[int] | None = None
        if query.result is not None:
            few = self._corpus.runs_of_result(query.result)
        elif query.ids is not None:
            few = sorted(query.ids, reverse=True)
        if few is not None:
            return [run_id for run_id in few if self._fits(run_id, query, projects)]
        return self._found(projects[0], query) if len(projects) == 1 else ()

    def _found(self, project: int, query: RunQuery) -> Sequence[int]:
        base, settled = RUN_BASES[project], self._corpus.settled(project)
        asked = self._corpus.places(project, query.since, query.until)
        if query.plain:
            return range(base + asked.stop - 1, base + asked.start - 1, -1)
        places = self._settled(project, replace(query, since=None, until=None), settled)
        low, high = bisect_left(places, asked.start), bisect_left(places, min(asked.stop, settled + 1))
        changing = range(asked.stop - 1, max(asked.start, settled + 1) - 1, -1)
        newest = [base + place for place in changing if self._fits(base + place, query, [project])]

        def item(index: int) -> int:
            return newest[index] if index < len(newest) else base + places[high - 1 - (index - len(newest))]

        return View(len(newest) + max(0, high - low), item)

    def _fits(self, run_id: int, query: RunQuery, projects: list[int]) -> bool:
        facts = self._corpus.facts(run_id)
        return facts is not None and facts.project in projects and query.fits(facts, self._corpus.script_of(facts))

    def _settled(self, project: int, query: RunQuery, last: int) -> Sequence[int]:
        """The places, up to `last` at least, of the runs that fit, oldest first; these never change any more."""
        kept = self._kept.pop((project, query), None) or _Kept()
        if kept.upto < last:
            kept.places.extend(self._columns[project].find(query, kept.upto, last))
            kept.upto = last
        self._kept[project, query] = kept
        while len(self._kept) > 1 and sum(len(one.places) for one in self._kept.values()) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept.places
