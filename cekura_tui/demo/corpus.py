"""The embedded workspace's runs: every row is worked out from its id when it is asked for, and none is kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from cekura_tui.demo.chance import Dice, roll
from cekura_tui.demo.dialogue import speak
from cekura_tui.demo.facts import Facts, Fate, Kind, Shape, fate_of, shape_of
from cekura_tui.demo.library import Agent, agents_of
from cekura_tui.demo.people import PERSONALITIES
from cekura_tui.demo.query import RunQuery
from cekura_tui.demo.script import Script

FIRST_PROJECT = 4021
SECOND_PROJECT = 4022
PROJECT_IDS = (FIRST_PROJECT, SECOND_PROJECT)
PROJECT_NAMES = ("Front desks", "Hospitality and grid")

# Runs of a project have the ids base + 1 up to base + number; the newest has the highest id.
RUN_BASES = (900_000, 800_000)
RESULT_BASES = (50_000, 40_000)
SECOND_RUNS = 60
BATCH = 6

LONG_RUN = 900_060
"""A run of the first project with a transcript of LONG_TURNS turns (there when the project has at least 60 runs)."""
LONG_TURNS = 3_000
_LONG_SECONDS = 12_600
_LONG_AGENT = 1203

SEED = 20260818
_STEP = 1_500  # seconds between two runs, give or take a quarter of an hour


class Corpus:
    """All runs and results; `epoch` (unix seconds) is the time that they count back from."""

    def __init__(self, runs: int, epoch: float, seed: int = SEED) -> None:
        self.counts = (runs, SECOND_RUNS)
        self.epoch = epoch
        self.seed = seed
        self._found: dict[RunQuery, Sequence[int]] = {}
        # A search goes through the runs in order, and the runs of one batch share these.
        self._batch = lru_cache(maxsize=64)(self._batch_of)

    def project_of(self, run_id: int) -> int | None:
        """0 or 1, or None if there is no such run."""
        for project, base in enumerate(RUN_BASES):
            if base < run_id <= base + self.counts[project]:
                return project
        return None

    def run_ids(self, project: int) -> range:
        """Newest first."""
        base = RUN_BASES[project]
        return range(base + self.counts[project], base, -1)

    def result_ids(self, project: int) -> range:
        """Newest first."""
        base = RESULT_BASES[project]
        return range(base + (self.counts[project] + BATCH - 1) // BATCH, base, -1)

    def runs_of_result(self, result_id: int) -> range:
        """The runs of one batch, newest first; empty if there is no such result."""
        for project, base in enumerate(RESULT_BASES):
            if result_id in self.result_ids(project):
                last = min((result_id - base) * BATCH, self.counts[project])
                return range(RUN_BASES[project] + last, RUN_BASES[project] + (result_id - base - 1) * BATCH, -1)
        return range(0)

    def agent_of_result(self, result_id: int) -> Agent:
        return self._batch(result_id)[0]

    def _batch_of(self, result_id: int) -> tuple[Agent, bool]:
        """The agent of a batch, and whether it was run as text."""
        as_text = roll(self.seed, result_id, 6) % 8 == 0
        project = 0 if result_id > RESULT_BASES[0] else 1
        if LONG_RUN in self.runs_of_result(result_id):
            return next(agent for agent in agents_of(0) if agent.id == _LONG_AGENT), False
        choice = agents_of(project)
        # Neighbours differ, so that one page of runs shows several agents.
        return choice[(result_id + roll(self.seed, result_id // len(choice)) % 2) % len(choice)], as_text

    def agent_of(self, facts: Facts) -> Agent:
        return self.agent_of_result(facts.result_id)

    def script_of(self, facts: Facts) -> Script:
        return self.agent_of(facts).scripts[facts.script]

    def facts(self, run_id: int) -> Facts | None:
        """What is decided about a run, or None if there is no such run."""
        project = self.project_of(run_id)
        if project is None:
            return None
        place = run_id - RUN_BASES[project]
        rank = self.counts[project] - place
        result_id = RESULT_BASES[project] + (place + BATCH - 1) // BATCH
        agent, as_text = self._batch(result_id)
        fate = self._fate(run_id, rank)
        script = self._script(run_id, agent, fate)
        personality = roll(self.seed, run_id, 4) % len(PERSONALITIES)
        return Facts(
            id=run_id,
            project=project,
            agent_id=agent.id,
            result_id=result_id,
            script=script,
            personality=personality,
            fate=fate,
            shape=Shape.TURNS if run_id == LONG_RUN else shape_of(self.seed, run_id, fate),
            at=float(int(self.epoch) - rank * _STEP - 60 - roll(self.seed, run_id, 5) % 900),
            seconds=self._seconds(run_id, agent, script, fate),
            as_text=as_text,
        )

    def _fate(self, run_id: int, rank: int) -> Fate:
        return Fate(Kind.FAILED, 1) if run_id == LONG_RUN else fate_of(self.seed, run_id, rank)

    def _script(self, run_id: int, agent: Agent, fate: Fate) -> int:
        if run_id == LONG_RUN:
            return 0
        if fate.foreign:
            return len(agent.scripts) - 1
        chosen = roll(self.seed, run_id, 3)
        if fate.failed < 3:
            return chosen % len(agent.scripts)
        rich = [index for index, script in enumerate(agent.scripts) if len(script.rules) + 1 >= fate.failed]
        return rich[chosen % len(rich)]

    def _seconds(self, run_id: int, agent: Agent, script: int, fate: Fate) -> int | None:
        if run_id == LONG_RUN:
            return _LONG_SECONDS
        if fate.kind is Kind.LIVE:
            return None
        if fate.kind in (Kind.NO_ANSWER, Kind.CANCELLED):
            return 0
        if fate.kind is Kind.TIMEOUT:
            return 600
        if fate.kind is Kind.DROPPED:
            return 14 + roll(self.seed, run_id, 7) % 25
        return round(usual_seconds(agent.id, script) * (0.9 + roll(self.seed, run_id, 7) % 45 / 100))

    def broken(self, facts: Facts) -> frozenset[str]:
        """The rules that the agent breaks in this run."""
        if not facts.fate.failed:
            return frozenset()
        if facts.id == LONG_RUN:
            return frozenset(("readback",))
        script = self.script_of(facts)
        dice = Dice(self.seed, facts.id)
        keys = [*dice.shuffle(script.rules)]
        # Talking over the caller can happen in every call; a call in which it happens says so in its times.
        keys.insert(len(keys) if dice.below(3) else min(1, len(keys)), "turns")
        return frozenset(keys[: facts.fate.failed])

    def find(self, query: RunQuery) -> Sequence[int]:
        """The ids of the runs that fit, newest first. Without filters no run is looked at."""
        if query not in self._found:
            ids = self._candidates(query)
            if query.filters:
                ids = [run_id for run_id in ids if self._fits(run_id, query)]
            if isinstance(ids, range):
                return ids
            if len(self._found) >= 16:
                self._found.pop(next(iter(self._found)))
            self._found[query] = ids
        return self._found[query]

    def _candidates(self, query: RunQuery) -> Sequence[int]:
        """The runs of the narrowest scope that was asked for."""
        if query.result is not None:
            return self.runs_of_result(query.result)
        projects = [index for index, known in enumerate(PROJECT_IDS) if query.project in (None, known)]
        if query.agent is not None:
            batches = [result_id for project in projects for result_id in self.result_ids(project)]
            mine = [result_id for result_id in batches if self.agent_of_result(result_id).id == query.agent]
            return [run_id for result_id in mine for run_id in self.runs_of_result(result_id)]
        return self.run_ids(projects[0]) if len(projects) == 1 else ()

    def _fits(self, run_id: int, query: RunQuery) -> bool:
        if query.statuses is not None and (project := self.project_of(run_id)) is not None:
            # Most runs are out by their status, which is known before anything else.
            rank = RUN_BASES[project] + self.counts[project] - run_id
            if self._fate(run_id, rank).status not in query.statuses:
                return False
        facts = self.facts(run_id)
        if facts is None or query.project not in (None, PROJECT_IDS[facts.project]):
            return False
        return query.fits(facts, self.script_of(facts))


@cache
def usual_seconds(agent_id: int, script: int) -> float:
    """How long a call of this scenario takes when nothing goes wrong."""
    agent = next(agent for project in (0, 1) for agent in agents_of(project) if agent.id == agent_id)
    return speak(agent.scripts[script], PERSONALITIES[0], frozenset(), Dice(SEED, script))[-1].end
