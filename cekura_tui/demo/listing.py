"""Find the runs that match a request. Properties of ended runs are cached, so 100,000 runs take milliseconds."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from math import inf, isfinite
from typing import Any, Generic, TypeVar

from cekura_tui.demo.corpus import PROJECT_IDS, RUN_BASES, Corpus
from cekura_tui.demo.facts import success_of
from cekura_tui.demo.library import agents
from cekura_tui.demo.people import PERSONALITIES

T = TypeVar("T")
V = TypeVar("V", bound=Hashable)

Check = Callable[[Any], bool]

STATUSES = frozenset(
    (
        *("running", "completed", "failed", "pending", "in_progress"),
        *("evaluating", "in_queue", "timeout", "cancelled", "scaling_up"),
    )
)

_UNSUPPORTED = (
    *("created_at_range", "duration_range", "metrics", "ql", "success_rate"),
    *("assistant_id", "call_ended_reason", "call_ended_reason__icontains", "call_ended_reason__in", "call_id"),
    *("call_id__icontains", "id__contains", "provider_call_id", "provider_call_id__icontains", "tags"),
)
"""Filters of the API that the demo server rejects: no client uses them, or the API does not declare their values."""


class Invalid(Exception):
    """The request is invalid and is answered with status 400. `errors` has an entry for each invalid field."""

    def __init__(self, errors: Mapping[str, object]) -> None:
        super().__init__(str(dict(errors)))
        self.errors = dict(errors)


def require(holds: object, name: str, *texts: str) -> None:
    """Raise Invalid for the field `name` with these texts, unless `holds` is true."""
    if not holds:
        raise Invalid({name: list(texts)})


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A scope (`project`, `agents`, `result`) and filters; a field that is None does not filter. As in SQL, a run of
    unknown length matches no filter by length, and a run of unknown success no filter by success."""

    project: int | None = None
    result: int | None = None
    agents: frozenset[int] | None = None
    statuses: frozenset[str] | None = None
    success: bool | None = None
    shortest: float | None = None
    longest: float | None = None
    since: float | None = None
    until: float | None = None
    scenarios: frozenset[int] | None = None
    personalities: frozenset[int] | None = None
    ids: frozenset[int] | None = None
    as_text: bool | None = None
    search: str | None = None

    @property
    def plain(self) -> bool:
        """Whether the query can be answered without filtering all runs of a project."""
        few = self.ids is not None or self.result is not None
        scope = ListQuery(project=self.project, result=self.result, ids=self.ids, since=self.since, until=self.until)
        return few or self == scope

    def checks(self) -> Iterator[tuple[str, Check]]:
        """Each filtered column of `PropertyColumns`, with a check of its values; fast and selective checks first."""
        if self.as_text is not None:
            yield "as_text", self.as_text.__eq__
        if self.statuses is not None or self.success is not None:
            statuses = STATUSES if self.statuses is None else self.statuses
            yield "fate", lambda fate: fate.status in statuses and self.success in (None, success_of(fate))
        for name, ids in (("agent", self.agents), ("personality", self.personalities), ("scenario", self.scenarios)):
            if ids is not None:
                yield name, ids.__contains__
        if self.shortest is not None or self.longest is not None:
            yield "seconds", self.lasts

    def lasts(self, seconds: int | None) -> bool:
        longest = inf if self.longest is None else self.longest
        return seconds is not None and (self.shortest or 0) <= seconds <= longest

    def names(self, scenario: int) -> bool:
        return not self.search or self.search.casefold() in _names()[scenario].casefold()

    def numbers(self, run_id: int) -> bool:
        return not self.search or self.search in str(run_id)


@cache
def _names() -> dict[int, str]:
    return {script.id: script.name for agent in agents() for script in agent.scripts}


def refuse_filters(given: Mapping[str, str], *names: str) -> None:
    """Raise Invalid if the request uses one of the filters `names`, which this server does not have."""
    if unserved := [name for name in names if given.get(name)]:
        raise Invalid({name: ["This server does not filter by this parameter."] for name in unserved})


def read_query(given: Mapping[str, str]) -> ListQuery:
    refuse_filters(given, *_UNSUPPORTED)
    ids = intersect(numbers(given, "id__in"), numbers(given, "id"))
    results = intersect(single(given, "result_id"), single(given, "result__id"))
    if results is not None and not results:
        ids = frozenset()
    agents = intersect(single(given, "agent_id"), single(given, "result__agent_id"))
    scenarios = intersect(numbers(given, "scenario__id__in"), single(given, "scenario__id"))
    people = intersect(numbers(given, "personality__id__in"), single(given, "personality__id"))
    return ListQuery(
        project=number(given, "project_id"),
        result=min(results, default=0) if results is not None else None,
        agents=intersect(agents, numbers(given, "result__agent_id__in")),
        statuses=intersect(statuses(given, "status__in"), statuses(given, "status")),
        success=boolean(given, "success"),
        shortest=decimal(given, "duration__gte"),
        longest=decimal(given, "duration__lte"),
        since=max(moments(given, "timestamp__gte", "created_at_from"), default=None),
        until=min(moments(given, "timestamp__lte", "created_at_to"), default=None),
        scenarios=intersect(scenarios, numbers(given, "scenarios")),
        personalities=intersect(people, numbers(given, "personalities")),
        ids=ids,
        as_text=boolean(given, "result__run_as_text"),
        search=given.get("search") or None,
    )


def intersect(one: frozenset[T] | None, other: frozenset[T] | None) -> frozenset[T] | None:
    """Intersect two filters on the same property; None is no filter."""
    return one & other if one is not None and other is not None else one if other is None else other


def number(given: Mapping[str, str], name: str) -> int | None:
    return _read(given, name, int, "Enter a whole number.")


def single(given: Mapping[str, str], name: str) -> frozenset[int] | None:
    value = number(given, name)
    return None if value is None else frozenset((value,))


def numbers(given: Mapping[str, str], name: str) -> frozenset[int] | None:
    return _read(given, name, lambda text: frozenset(map(int, text.split(","))), "Enter a whole number.")


def words(given: Mapping[str, str], name: str) -> frozenset[str] | None:
    return frozenset(part.strip() for part in given[name].split(",")) if given.get(name) else None


def statuses(given: Mapping[str, str], name: str) -> frozenset[str] | None:
    wanted = words(given, name)
    if unknown := sorted((wanted or STATUSES) - STATUSES):
        raise Invalid({name: [f"Select a valid choice. {unknown[0]} is not one of the available choices."]})
    return wanted


def decimal(given: Mapping[str, str], name: str) -> float | None:
    value = _read(given, name, float, "Enter a number.")
    require(value is None or isfinite(value), name, "Enter a number.")
    return value


def boolean(given: Mapping[str, str], name: str) -> bool | None:
    known = {"true": True, "1": True, "false": False, "0": False}
    return _read(given, name, lambda text: known[text.lower()], "Must be a valid boolean.")


def moments(given: Mapping[str, str], *names: str) -> list[float]:
    read = (_read(given, name, _moment, "Enter a valid date/time.") for name in names)
    return [at for at in read if at is not None]


def _moment(text: str) -> float:
    # An unescaped plus arrives as a space: "…T10:00:00+02:00".
    when = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _read(given: Mapping[str, str], name: str, convert: Callable[[str], T], wrong: str) -> T | None:
    try:
        return convert(given[name]) if given.get(name) else None
    except (ValueError, KeyError):
        raise Invalid({name: [wrong]}) from None


Narrow = Callable[[Iterable[int]], list[int]]

_COMPUTE_CHUNK = 500
"""Number of runs to compute before yielding to other threads."""
_FILTER_CHUNK = 10_000
"""Number of runs to filter before yielding to other threads."""


class PropertyColumn(Generic[V]):
    """One property of all runs, by place (see `Corpus`), in two bytes per run; `of` computes it on first use."""

    def __init__(self, of: Callable[[int], V]) -> None:
        self._of = of
        self._codes: dict[V, int] = {}
        self._values = array("H")

    def only(self, wanted: Callable[[V], bool], last: int) -> Narrow:
        """Make a filter for places up to `last`. The filter keeps the places whose property passes `wanted`."""
        self._grow(last)
        values, fits = self._values, [wanted(value) for value in self._codes]
        return lambda places: [place for place in places if fits[values[place - 1]]]

    def _grow(self, last: int) -> None:
        codes, of = self._codes, self._of
        while (done := len(self._values)) < last:
            places = range(done + 1, min(done + _COMPUTE_CHUNK, last) + 1)
            self._values.extend([codes.setdefault(of(place), len(codes)) for place in places])
            time.sleep(0)


class PropertyColumns:
    """The properties by which the ended runs of a project can be filtered."""

    def __init__(self, corpus: Corpus, project: int) -> None:
        self._base = RUN_BASES[project]
        self._columns: dict[str, PropertyColumn[Any]] = {
            "agent": PropertyColumn(lambda place: corpus.batch_at(project, place)[0].id),
            "as_text": PropertyColumn(lambda place: corpus.batch_at(project, place)[1]),
            "fate": PropertyColumn(partial(corpus.end, project)),
            "personality": PropertyColumn(lambda place: PERSONALITIES[corpus.personality(project, place)].id),
            "scenario": PropertyColumn(partial(corpus.scenario, project)),
            "seconds": PropertyColumn(partial(corpus.final_seconds, project)),
        }

    def find(self, query: ListQuery, after: int, last: int) -> Iterable[int]:
        """Places of the runs that match the query, apart from its times, above `after` up to `last`, oldest first."""
        checks = [self._columns[name].only(check, last) for name, check in query.checks()]
        if query.search:
            by_name = self._columns["scenario"].only(query.names, last)

            def search(places: Iterable[int]) -> list[int]:
                places = list(places)
                named = set(by_name(places))
                return [place for place in places if place in named or query.numbers(self._base + place)]

            checks.append(search if query.search.isdecimal() else by_name)
        for first in range(after + 1, last + 1, _FILTER_CHUNK):
            places: Iterable[int] = range(first, min(first + _FILTER_CHUNK, last + 1))
            for check in checks:
                places = check(places)
            yield from places
            time.sleep(0)


MAX_CACHED_IDS = 1_000_000
"""Limit of cached run ids over all queries."""


@dataclass
class _Settled:
    """Cached ids of the runs that match a query, apart from its times, up to the place `upto`, oldest first."""

    upto: int = 0
    ids: array[int] = field(default_factory=lambda: array("L"))


class CorpusListing:
    """The run lists of a corpus. Queries that are not `plain` must not run in several threads at once."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._columns = [PropertyColumns(corpus, project) for project in range(len(PROJECT_IDS))]
        self._lists: dict[tuple[int, ListQuery], _Settled] = {}

    def find(self, query: ListQuery) -> Sequence[int]:
        """Ids of the matching runs, newest first; none if neither a result, ids nor exactly one project is selected."""
        projects = [index for index, known in enumerate(PROJECT_IDS) if query.project in (None, known)]
        if query.agents is not None:
            homes = {agent.project for agent in agents() if agent.id in query.agents}
            projects = [index for index in projects if index in homes]
        few: Sequence[int] | None = None
        if query.result is not None:
            few = self._corpus.runs_of_result(query.result)
        elif query.ids is not None:
            few = sorted(query.ids, reverse=True)
        if few is not None:
            return [run_id for run_id in few if self._fits(run_id, query, projects)]
        if len(projects) != 1:
            return ()
        started = [] if self._corpus.started is None else self._corpus.started.results(projects[0])
        runs = [run_id for result_id in started for run_id in self._corpus.runs_of_result(result_id)]
        first = [run_id for run_id in runs if self._fits(run_id, query, projects)]
        found = self._found(projects[0], query)
        return array("L", [*first, *found]) if first else found

    def _found(self, project: int, query: ListQuery) -> Sequence[int]:
        base, settled = RUN_BASES[project], self._corpus.settled(project)
        asked = self._corpus.places(project, query.since, query.until)
        if query.plain:
            return range(base + asked.stop - 1, base + asked.start - 1, -1)
        ids = self._settled(project, replace(query, since=None, until=None), settled)
        low, high = bisect_left(ids, base + asked.start), bisect_left(ids, base + min(asked.stop, settled + 1))
        changing = range(base + asked.stop - 1, base + max(asked.start, settled + 1) - 1, -1)
        newest = array("L", [run_id for run_id in changing if self._fits(run_id, query, [project])])
        return newest + ids[low:high][::-1]

    def _fits(self, run_id: int, query: ListQuery, projects: list[int]) -> bool:
        facts = self._corpus.facts(run_id)
        if facts is None or facts.project not in projects:
            return False
        scenario = self._corpus.script_of(facts).id
        values = {
            "agent": facts.agent_id,
            "as_text": facts.as_text,
            "fate": facts.fate,
            "personality": PERSONALITIES[facts.personality].id,
            "scenario": scenario,
            "seconds": facts.seconds,
        }
        return (
            query.result in (None, facts.result_id)
            and (query.ids is None or run_id in query.ids)
            and (query.since is None or facts.at >= query.since)
            and (query.until is None or facts.at <= query.until)
            and all(check(values[name]) for name, check in query.checks())
            and (query.names(scenario) or query.numbers(run_id))
        )

    def _settled(self, project: int, query: ListQuery, last: int) -> array[int]:
        """Ids of matching runs that no longer change, oldest first, up to the place `last` or, if cached, beyond."""
        found = self._lists.pop((project, query), None) or _Settled()
        if found.upto < last:
            places = self._columns[project].find(query, found.upto, last)
            found.ids.extend(RUN_BASES[project] + place for place in places)
            found.upto = last
        self._lists[project, query] = found
        while len(self._lists) > 1 and sum(len(one.ids) for one in self._lists.values()) > MAX_CACHED_IDS:
            del self._lists[next(iter(self._lists))]
        return found.ids
