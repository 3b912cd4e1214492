"""The demo's runs, each computed from its id on request. The clock alone decides the state of unfinished runs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from cekura_tui.demo.dialogue import DialogueTurn, Script, speak
from cekura_tui.demo.facts import NEWEST, UNJUDGED, Dice, Facts, Fate, Kind, fate_after, fate_of, roll, shape_of
from cekura_tui.demo.library import DemoAgent, agents_by_id, agents_of
from cekura_tui.demo.people import PERSONALITIES

BACKLOG = 1_000_000
"""Largest number of runs that have already arrived when a server starts on an old workspace."""
SLOWEST = 640.0
"""Seconds after its arrival within which every run ends; for a run that is running at the epoch, after the epoch."""

_QUEUED = (("in_queue", 2.0), ("pending", 4.0), ("scaling_up", 6.0))
_JUDGING = 10.0
_WAITED = {Kind.NO_ANSWER: 45.0, Kind.CANCELLED: 0.0}
_AGES = {"in_queue": 0.0, "pending": 2.0, "scaling_up": 4.0}
_SPOKEN = {"running": 0.3, "in_progress": 0.6, "evaluating": 1.0}
"""Share of a run's call that is already spoken at the epoch, by the run's status at the epoch."""


class Arrivals:
    """New runs of the first project, one every `every` seconds after `epoch`; `clock` returns Unix seconds."""

    def __init__(self, epoch: float, every: float, clock: Callable[[], float]) -> None:
        self._epoch = float(int(epoch))
        self._every, self._clock = every, clock
        self._begin = max(self._epoch, clock() - BACKLOG * every)

    def number(self, ago: float = 0.0) -> int:
        """Number of runs that had arrived `ago` seconds before now."""
        now = self._clock() - ago
        number = max(0, int((now - self._begin) / self._every))
        while number and self.at(number) > now:
            number -= 1
        while self.at(number + 1) <= now:
            number += 1
        return number

    def at(self, number: int) -> float:
        """Unix time at which run `number` (from 1) arrives."""
        return round(self._begin + number * self._every, 3)

    def progress(self, at: float, end: Fate, seconds: int | None) -> tuple[Fate, float | None]:
        """The present state of a run, and the seconds spoken so far, None while no call is running. The run arrived at
        the Unix time `at` and ends as `end`; `seconds` is the final length of the call."""
        age = self._clock() - at
        for word, until in _QUEUED:
            if age < until:
                return _still_running(end, word), None
        age -= _QUEUED[-1][1]
        call = _WAITED.get(end.kind, float(seconds or 0))
        if age < call:
            spoken = None if end.kind is Kind.NO_ANSWER else age
            return _still_running(end, "running" if age < call / 2 else "in_progress"), spoken
        return _still_running(end, "evaluating") if end.kind not in UNJUDGED and age < call + _JUDGING else end, None

    def arrived(self, first_status: str, seconds: int | None) -> float:
        """Arrival (Unix time) of a run with the status `first_status` at the epoch, and with a call of `seconds`."""
        if first_status in _AGES:
            return self._epoch - _AGES[first_status]
        return self._epoch - _QUEUED[-1][1] - _SPOKEN[first_status] * (seconds or 0)

    def first_are_over(self) -> bool:
        return self._clock() - self._epoch >= SLOWEST


def _still_running(end: Fate, status: str) -> Fate:
    return end._replace(kind=Kind.LIVE, status=status)


FIRST_PROJECT = 4021
SECOND_PROJECT = 4022
PROJECT_IDS = (FIRST_PROJECT, SECOND_PROJECT)
PROJECT_NAMES = ("Front desks", "Hospitality and grid")

# A project's n-th run, oldest first, has the id base + n.
RUN_BASES = (900_000, 800_000)
RESULT_BASES = (50_000, 40_000)
SECOND_RUNS = 60
BATCH = 6

_STEP = 1_500  # seconds between two runs, ± 15 minutes
_NEWEST_STEP, _NEWEST_SINCE = 60, 150  # between the newest runs, and since the last
_LAST_REFERENCE = 2_000  # place from the newest down to which a scenario's own settings are looked for


class ExtraRun(NamedTuple):
    """A test's changes to a run: `call` returns changed turns, `answer` changes the JSON, `seconds` is the length."""

    call: Callable[[list[DialogueTurn]], list[DialogueTurn]] | None = None
    answer: Callable[[dict[str, Any], Sequence[DialogueTurn]], None] | None = None
    seconds: int | None = None


class StartedRuns(Protocol):
    """Runs and results started through the API; their ids are above all others."""

    def facts(self, run_id: int) -> Facts | None: ...
    def results(self, project: int) -> list[int]: ...
    def runs_of_result(self, result_id: int) -> range | None: ...


class Corpus:
    """All runs and results, dated back from `epoch` (Unix seconds). With `arrivals`, unfinished runs progress and new
    runs start; without, unfinished runs end once `are_over` returns True, if given. `extra_runs` has changes by run id;
    `started` has the runs started through the API. A run's place is its number in its project, from the oldest (1)."""

    def __init__(
        self,
        runs: int,
        epoch: float,
        arrivals: Arrivals | None = None,
        extra_runs: Mapping[int, ExtraRun] = MappingProxyType({}),
        are_over: Callable[[], bool] | None = None,
    ) -> None:
        self.epoch, self.extra_runs = epoch, extra_runs
        self.started: StartedRuns | None = None
        self._first = (runs, SECOND_RUNS)
        self._arrivals = arrivals
        self._are_over = are_over if arrivals is None else arrivals.first_are_over
        self._references = cache(self._references_of)

    def count(self, project: int) -> int:
        first = self._first[project]
        return first if project or self._arrivals is None else first + self._arrivals.number()

    def settled(self, project: int) -> int:
        """The highest place up to which the runs of a project no longer change."""
        first = self._first[project]
        if self._are_over is not None and not self._are_over():
            return max(0, first - len(NEWEST))
        return first if project or self._arrivals is None else first + self._arrivals.number(ago=SLOWEST)

    def result_ids(self, project: int) -> Sequence[int]:
        """Ids of a project's results, newest first."""
        first = [] if self.started is None else self.started.results(project)
        return [*first, *self._own_results(project)] if first else self._own_results(project)

    def _own_results(self, project: int) -> range:
        base = RESULT_BASES[project]
        return range(base + (self.count(project) + BATCH - 1) // BATCH, base, -1)

    def at(self, project: int, place: int) -> float:
        """Creation time of a run in Unix seconds, strictly increasing with the place."""
        rank = self._first[project] - place
        if rank < 0 and self._arrivals is not None:
            return self._arrivals.at(-rank)
        throw = roll(RUN_BASES[project] + place, 5)
        if rank < len(NEWEST):
            return float(int(self.epoch) - rank * _NEWEST_STEP - _NEWEST_SINCE - throw % 30)
        return float(int(self.epoch) - rank * _STEP - 60 - throw % 900)

    def places(self, project: int, since: float | None, until: float | None) -> range:
        """Places of the runs created from `since` to `until` (Unix times, inclusive), oldest first."""
        every, made = range(1, self.count(project) + 1), partial(self.at, project)
        low = 0 if since is None else bisect_left(every, since, key=made)
        high = len(every) if until is None else bisect_right(every, until, key=made)
        return every[low:high]

    def runs_of_result(self, result_id: int) -> range:
        """Ids of a result's runs, newest first; empty for an unknown result."""
        if self.started is not None and (runs := self.started.runs_of_result(result_id)) is not None:
            return runs
        for project, base in enumerate(RESULT_BASES):
            if result_id in self._own_results(project):
                last = min((result_id - base) * BATCH, self.count(project))
                return range(RUN_BASES[project] + last, RUN_BASES[project] + (result_id - base - 1) * BATCH, -1)
        return range(0)

    def reference(self, agent: DemoAgent, scenario: int) -> Facts:
        """A scenario's run for its own settings: the newest that failed its checks before the epoch, else the newest,
        so that a test is comparable with the failed run that a user picks from the top."""
        place = self._references(agent.project).get(scenario, self._first[agent.project])
        facts = self.facts(RUN_BASES[agent.project] + place)
        assert facts is not None
        return facts

    def _references_of(self, project: int) -> dict[int, int]:
        found: dict[int, int] = {}
        newest = self._first[project]
        for failed in (True, False):
            for place in range(newest, max(0, newest - _LAST_REFERENCE), -1):
                kind = fate_of(RUN_BASES[project] + place, newest - place).kind
                if kind in (Kind.FAILED, Kind.REVIEWED_FAILURE) or not failed:
                    found.setdefault(self.scenario(project, place), place)
        return found

    def agent_of(self, facts: Facts) -> DemoAgent:
        return agents_by_id()[facts.agent_id]

    def script_of(self, facts: Facts) -> Script:
        return self.agent_of(facts).scripts[facts.script]

    def batch_at(self, project: int, place: int) -> tuple[DemoAgent, bool]:
        return _batch_of(_result_at(project, place))

    def end(self, project: int, place: int) -> Fate:
        """How a run ends. In a frozen corpus, a running run has the kind `Kind.LIVE`: it never ends."""
        run_id = RUN_BASES[project] + place
        fate = fate_of(run_id, self._first[project] - place)
        return fate if fate.kind is not Kind.LIVE or self._are_over is None else fate_after(run_id, fate.status)

    def script(self, project: int, place: int) -> int:
        """Index of a run's script among its agent's scripts."""
        agent, fate = self.batch_at(project, place)[0], self.end(project, place)
        if fate.foreign:
            return len(agent.scripts) - 1
        chosen = roll(RUN_BASES[project] + place, 3)
        if fate.failed < 3:
            return chosen % len(agent.scripts)
        rich = [index for index, script in enumerate(agent.scripts) if len(script.rules) + 1 >= fate.failed]
        return rich[chosen % len(rich)]

    def scenario(self, project: int, place: int) -> int:
        return self.batch_at(project, place)[0].scripts[self.script(project, place)].id

    def personality(self, project: int, place: int) -> int:
        """Index of a run's caller in PERSONALITIES."""
        return roll(RUN_BASES[project] + place, 4) % len(PERSONALITIES)

    def final_seconds(self, project: int, place: int) -> int | None:
        """Length of a run's call in seconds, once the run has ended; None if the run never ends."""
        run_id, fate = RUN_BASES[project] + place, self.end(project, place)
        if (extra := self.extra_runs.get(run_id)) is not None and extra.seconds is not None:
            return extra.seconds
        if fate.kind is Kind.LIVE:
            return None
        if fate.kind in (Kind.NO_ANSWER, Kind.CANCELLED):
            return 0
        if fate.kind is Kind.TIMEOUT:
            return 600
        if fate.kind is Kind.DROPPED:
            return 14 + roll(run_id, 7) % 25
        return round(self.usual_seconds(project, place) * (0.9 + roll(run_id, 7) % 45 / 100))

    def usual_seconds(self, project: int, place: int) -> float:
        return _usual_seconds(self.batch_at(project, place)[0].id, self.script(project, place))

    def facts(self, run_id: int) -> Facts | None:
        """The properties and present state of a run; None for an unknown run."""
        if self.started is not None and (started := self.started.facts(run_id)) is not None:
            return started
        project = next((n for n, base in enumerate(RUN_BASES) if base < run_id <= base + self.count(n)), None)
        if project is None:
            return None
        place = run_id - RUN_BASES[project]
        agent, as_text = self.batch_at(project, place)
        end = self.end(project, place)
        seconds = self.final_seconds(project, place)
        fate, spoken = self._now(project, place, end, seconds)
        return Facts(
            id=run_id,
            project=project,
            agent_id=agent.id,
            result_id=_result_at(project, place),
            script=self.script(project, place),
            personality=self.personality(project, place),
            fate=fate,
            shape=shape_of(run_id, end),
            at=self.at(project, place),
            seconds=None if fate.kind is Kind.LIVE else seconds,
            as_text=as_text,
            end=end.kind,
            lasts=seconds,
            spoken=spoken,
            caller=run_id,
        )

    def _now(self, project: int, place: int, end: Fate, seconds: int | None) -> tuple[Fate, float | None]:
        rank = self._first[project] - place
        if rank < 0 and self._arrivals is not None:
            return self._arrivals.progress(self.at(project, place), end, seconds)
        first = fate_of(RUN_BASES[project] + place, rank)
        if first.kind is not Kind.LIVE:
            return end, None
        if self._arrivals is not None:
            return self._arrivals.progress(self._arrivals.arrived(first.status, seconds), end, seconds)
        if self._are_over is not None and self._are_over():
            return end, None
        lasts = self.usual_seconds(project, place) if seconds is None else seconds
        spoken = _SPOKEN[first.status] * lasts if first.status in ("running", "in_progress") else None
        return _still_running(end, first.status), spoken

    def broken(self, facts: Facts) -> frozenset[str]:
        if facts.started is not None:
            return facts.started.broken
        if not facts.fate.failed:
            return frozenset()
        script = self.script_of(facts)
        dice = Dice(facts.id)
        keys = [*dice.shuffle(script.rules)]
        # The rule "turns" (no interrupting) is broken by the times of turns, so it needs no line in the script.
        keys.insert(len(keys) if dice.below(3) else min(1, len(keys)), "turns")
        return frozenset(keys[: facts.fate.failed])


def _result_at(project: int, place: int) -> int:
    return RESULT_BASES[project] + (place + BATCH - 1) // BATCH


@lru_cache(maxsize=64)  # runs are read in order, and neighbours share a batch
def _batch_of(result_id: int) -> tuple[DemoAgent, bool]:
    """Agent of a result, and whether its runs are text runs."""
    as_text = roll(result_id, 6) % 8 == 0
    choice = agents_of(0 if result_id > RESULT_BASES[0] else 1)
    # Neighbouring batches differ, so that a page of runs shows several agents.
    return choice[(result_id + roll(result_id // len(choice)) % 2) % len(choice)], as_text


@cache
def _usual_seconds(agent_id: int, script: int) -> float:
    return speak(agents_by_id()[agent_id].scripts[script], PERSONALITIES[0], frozenset(), Dice(script))[-1].end
