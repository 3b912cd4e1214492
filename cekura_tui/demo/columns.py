"""What filters ask of runs that have ended, kept in columns: a hundred thousand runs are told apart in milliseconds."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from cekura_tui.demo.corpus import RUN_BASES, Corpus
from cekura_tui.demo.facts import success_of
from cekura_tui.demo.library import agents
from cekura_tui.demo.people import PERSONALITIES
from cekura_tui.demo.query import RunQuery

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

    def find(self, query: RunQuery, after: int, last: int) -> Iterable[int]:
        """The places above `after` up to `last` whose runs fit, oldest first; times are not looked at."""
        checks = self._checks(query, last)
        for first in range(after + 1, last + 1, _STRETCH):
            places: Iterable[int] = range(first, min(first + _STRETCH, last + 1))
            for check in checks:
                places = check(places)
            yield from places
            time.sleep(0)

    def _checks(self, query: RunQuery, last: int) -> list[Narrow]:
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

    def _searched(self, query: RunQuery, last: int) -> Narrow:
        by_name = self._scripts.only(lambda scenario: query.names(self._names[scenario]), last)
        if not (query.search or "").isdecimal():
            return by_name

        def search(places: Iterable[int]) -> list[int]:
            places = list(places)
            named = set(by_name(places))
            return [place for place in places if place in named or query.numbers(self._base + place)]

        return search
