"""What filters ask of runs that have ended, kept in columns: a hundred thousand runs are told apart in milliseconds.

Which runs a list holds: found by times and numbers at once, by what they are in columns, which are kept.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar, overload

from cekura_tui.demo.corpus import PROJECT_IDS, RUN_BASES, Corpus
from cekura_tui.demo.facts import success_of
from cekura_tui.demo.library import agent_by_id, agents
from cekura_tui.demo.people import PERSONALITIES
from cekura_tui.demo.query import ListQuery

V = TypeVar("V", bound=Hashable)
Narrow = Callable[[Iterable[int]], list[int]]

_BREATH = 500
"""Runs that are worked out before other threads get their turn."""
_STRETCH = 10_000
"""Runs that are told apart before other threads get their turn."""


class Column(Generic[V]):
    """One property of the runs at places 1, 2, …, worked out by `of` when it is first needed; two bytes a run."""

    def __init__(self, of: Callable[[int], V]) -> None:
        self._of = of
        self._codes: dict[V, int] = {}
        self._values = array("H")

    def only(self, wanted: Callable[[V], bool], last: int) -> Narrow:
        """What picks, of places up to `last`, those whose property is wanted."""
        self._grow(last)
        values, fits = self._values, [wanted(value) for value in self._codes]
        return lambda places: [place for place in places if fits[values[place - 1]]]

    def _grow(self, last: int) -> None:
        codes, of = self._codes, self._of
        while (done := len(self._values)) < last:
            places = range(done + 1, min(done + _BREATH, last) + 1)
            self._values.extend([codes.setdefault(of(place), len(codes)) for place in places])
            time.sleep(0)


class Columns:
    """The columns of one project."""

    def __init__(self, corpus: Corpus, project: int) -> None:
        def script(place: int) -> int:
            return corpus.batch_at(project, place)[0].scripts[corpus.script(project, place)].id

        def fate(place: int) -> tuple[str, bool | None]:
            end = corpus.end(project, place)
            return end.status, success_of(end)

        self._base = RUN_BASES[project]
        self._names = {one.id: one.name for agent in agents() for one in agent.scripts}
        self._fates = Column(fate)
        self._lengths = Column(lambda place: corpus.final_seconds(project, place))
        self._scripts = Column(script)
        self._people = Column(lambda place: PERSONALITIES[corpus.personality(project, place)].id)
        self._agents = Column(lambda place: corpus.batch_at(project, place)[0].id)
        self._modes = Column(lambda place: corpus.batch_at(project, place)[1])

    def find(self, query: ListQuery, after: int, last: int) -> Iterable[int]:
        """The places above `after` up to `last` whose runs fit, oldest first; times are not looked at."""
        checks = self._checks(query, last)
        for first in range(after + 1, last + 1, _STRETCH):
            places: Iterable[int] = range(first, min(first + _STRETCH, last + 1))
            for check in checks:
                places = check(places)
            yield from places
            time.sleep(0)

    def _checks(self, query: ListQuery, last: int) -> list[Narrow]:
        statuses, success, scenarios, people = query.statuses, query.success, query.scenarios, query.personalities
        checks: list[Narrow] = []
        # What leaves the fewest and is known the soonest comes first.
        if query.agent is not None:
            checks.append(self._agents.only(lambda agent: agent == query.agent, last))
        if query.as_text is not None:
            checks.append(self._modes.only(lambda as_text: as_text is query.as_text, last))
        if statuses is not None or success is not None:
            checks.append(
                self._fates.only(
                    lambda fate: (statuses is None or fate[0] in statuses) and success in (None, fate[1]), last
                )
            )
        if people is not None:
            checks.append(self._people.only(lambda person: person in people, last))
        if scenarios is not None:
            checks.append(self._scripts.only(lambda scenario: scenario in scenarios, last))
        if query.shortest is not None or query.longest is not None:
            checks.append(self._lengths.only(query.lasts, last))
        if query.search:
            checks.append(self._searched(query, last))
        return checks

    def _searched(self, query: ListQuery, last: int) -> Narrow:
        by_name = self._scripts.only(lambda scenario: query.names(self._names[scenario]), last)
        if not (query.search or "").isdecimal():
            return by_name

        def search(places: Iterable[int]) -> list[int]:
            places = list(places)
            named = set(by_name(places))
            return [place for place in places if place in named or query.numbers(self._base + place)]

        return search


MOST_KEPT = 1_000_000
"""Runs that are remembered for the next page, over all queries."""


class LazyIds(Sequence[int]):
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
    return LazyIds(len(ids), lambda index: ids[-1 - index])


@dataclass
class _Kept:
    """The places of all runs up to one that fit a query whatever its times, oldest first."""

    upto: int = 0
    places: array[int] = field(default_factory=lambda: array("L"))


class CorpusListing:
    """The run lists of a corpus. One thread at a time asks for what is not `plain`."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._columns = [Columns(corpus, project) for project in range(len(PROJECT_IDS))]
        self._kept: dict[tuple[int, ListQuery], _Kept] = {}

    def find(self, query: ListQuery) -> Sequence[int]:
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

    def _found(self, project: int, query: ListQuery) -> Sequence[int]:
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

        return LazyIds(len(newest) + max(0, high - low), item)

    def _fits(self, run_id: int, query: ListQuery, projects: list[int]) -> bool:
        facts = self._corpus.facts(run_id)
        return facts is not None and facts.project in projects and query.fits(facts, self._corpus.script_of(facts))

    def _settled(self, project: int, query: ListQuery, last: int) -> Sequence[int]:
        """The places, up to `last` at least, of the runs that fit, oldest first; these never change any more."""
        kept = self._kept.pop((project, query), None) or _Kept()
        if kept.upto < last:
            kept.places.extend(self._columns[project].find(query, kept.upto, last))
            kept.upto = last
        self._kept[project, query] = kept
        while len(self._kept) > 1 and sum(len(one.places) for one in self._kept.values()) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept.places
