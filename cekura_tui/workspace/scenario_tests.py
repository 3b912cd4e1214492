"""Tests of an agent's prompt: plan and launch calls of scenarios, follow them, and compare before and after."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from cekura_tui.api.errors import ApiError, KeyRefused, NotFound
from cekura_tui.jobs.polling import AT_ONCE, Budget
from cekura_tui.model.as_json import to_json
from cekura_tui.model.before_after import (
    BeforeAfter,
    CalledRun,
    called_run,
    compare,
    summary_words,
    to_markdown,
    version_of,
)
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.run.run import Run, moment_of
from cekura_tui.model.run.view import view_of
from cekura_tui.model.scenario_test import (
    DEFAULT_TIMES,
    KIND_NAME,
    MAX_TIMES,
    RESTARTED_PROVIDERS,
    WAYS,
    LaunchSettings,
    LiveAnswer,
    Way,
    launch_draft,
    live_answer,
    live_words,
    ways_of,
)
from cekura_tui.model.scope import Agent, Scenario
from cekura_tui.model.text import clean_line, clock_text, count, sha256
from cekura_tui.store.errors import StoreError
from cekura_tui.workspace.run_lists import claim_request, whole_runs
from cekura_tui.workspace.setup import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.api.client import Client
    from cekura_tui.jobs.engine import JobEngine
    from cekura_tui.store.store import Store
    from cekura_tui.workspace.job_service import JobService

PAGES_OF_FORMER, PAGES_OF_RESULT = 2, 100
"""Maximum pages of the scenarios' former runs, and of a result's runs, that are read for one plan or comparison."""
POOLED = 20
"""Maximum number of former runs of a scenario to compare with, besides the chosen runs."""
NO_WAY_HINT = "The agent's record at Cekura names no telephone number, SIP address, websocket or provider to call by."
VOICE_MINUTE, TEXT_MESSAGE, METRIC = 5.0, 0.5, 0.2
"""Credits for a minute of a voice call, a message of the simulated caller in a text call, and an evaluated metric."""


@dataclass(frozen=True, slots=True)
class PlannedScenario:
    """A scenario that can be called again. `chosen` are the runs that the user chose, newest first; `pooled` are other
    runs with the same settings and version. `failed` says whether a chosen run did not pass. `mocks` are the tools
    that were mocked, None if unknown. `notes` are sentences that the user should read before the launch."""

    id: int
    name: str
    chosen: tuple[CalledRun, ...]
    pooled: tuple[CalledRun, ...]
    failed: bool
    as_text: bool
    mocks: tuple[str, ...] | None
    notes: tuple[str, ...]

    @property
    def former(self) -> tuple[CalledRun, ...]:
        return (*self.chosen, *self.pooled)

    @property
    def former_words(self) -> str:
        """The former calls in words: "1 of 3 passed"."""
        judged = [run for run in self.former if run.state in ("passed", "failed")]
        return f"{sum(run.state == 'passed' for run in judged)} of {len(judged)} passed"

    def credits(self, *, text: bool) -> float:
        """Estimated credits for one call: the mean of the former calls, at the vendor's prices, by started minutes."""
        costs = [
            (TEXT_MESSAGE * run.messages if text else VOICE_MINUTE * ceil((run.seconds or 0.0) / 60))
            + METRIC * run.metrics
            for run in self.former
            if run.seconds or run.messages
        ]
        return sum(costs) / len(costs) if costs else 0.0


@dataclass(frozen=True, slots=True)
class ScenarioPlan:
    """The possible test of an agent. `ways` are the ways to call the scenarios that were not called as text. `live` is
    the known or remembered answer, None if the user must give one; `asks_live` says whether the user can change it, and
    `asks_restart` whether the agent reads its prompt only when it starts. `drift` says that the record has another
    prompt than the one put there. `rerun` is a result to call again if no way fits."""

    agent: Agent
    scenarios: tuple[PlannedScenario, ...]
    ways: tuple[Way, ...]
    live: LiveAnswer | None
    asks_live: bool
    asks_restart: bool
    drift: str
    notes: tuple[str, ...]
    credits_left: float | None
    job: int | None
    before: bool
    name: str
    rerun: int | None = None

    @property
    def failing(self) -> tuple[int, ...]:
        return tuple(one.id for one in self.scenarios if one.failed) or tuple(one.id for one in self.scenarios)


@dataclass(frozen=True, slots=True)
class LaunchChoice:
    """The user's choice: `way` of calls not made as text, `limit` of calls at once, `target` a staging agent's id."""

    scenarios: tuple[int, ...]
    live: LiveAnswer
    way: str
    times: int = DEFAULT_TIMES
    limit: int | None = None
    target: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PromptTest:
    """A test as far as it got: its jobs, the settings of its first launch, and the calls before and after. `version` is
    a sentence about the agent's version, `window` the Unix time until when calls wait for the agent to dial, if any."""

    jobs: tuple[Job, ...]
    settings: LaunchSettings
    comparison: BeforeAfter
    version: str
    window: float | None
    is_final: bool
    got_at: float

    @property
    def live(self) -> str:
        """Which prompt the calls tested, and whether it was live."""
        own = self.settings
        return "Tests the prompt before its update. " * own.before + live_words(own.live, own.provider)

    def to_json(self) -> dict[str, object]:
        """The test as JSON, in the shape `TestJson`."""
        own, made = self.settings, (job for job in self.jobs if job.state != JobState.DRAFT)
        launches = [LaunchSettings.of(job.parameters) for job in made]
        return {
            "jobs": [job.number for job in self.jobs],
            "results": [job.progress_id for job in self.jobs if job.progress_id],
            "name": own.name,
            "agent_id": own.agent,
            "tested_job": own.job,
            "before_update": own.before,
            "ended": self.is_final,
            "ways": [one.way for one in launches],
            "calls": sum(one.calls for one in launches),
            "credits": round(sum(one.credits for one in launches), 1),
            "live": own.live,
            "live_text": self.live,
            "version_text": self.version,
            "comparison": to_json(self.comparison),
        }

    @property
    def failing_runs(self) -> tuple[int, ...]:
        """Runs to improve from: a failed call of each scenario that does not pass, newest first."""
        failed = (
            [run.id for run in line.after.runs if run.state == "failed"]
            for line in self.comparison.lines
            if line.became not in ("fixed", "improved", "still passing")
        )
        return tuple(max(ids) for ids in failed if ids)


def planned_launches(plan: ScenarioPlan, choice: LaunchChoice) -> list[LaunchSettings]:
    """One launch for each set of scenarios with equal settings. Raises UsageError for a choice that can't be called."""
    if choice.way not in {way.key for way in plan.ways}:
        raise UsageError(f"{plan.agent.name} can't be called {choice.way and 'that way'}".rstrip() + ".", NO_WAY_HINT)
    chosen = [one for one in plan.scenarios if one.id in choice.scenarios or choice.way == "rerun"]
    if not chosen:
        raise UsageError("No scenario chosen.", "Choose at least one.")
    if not 1 <= choice.times <= MAX_TIMES:
        raise UsageError(f"Each scenario can be called 1 to {MAX_TIMES} times.")
    way = WAYS[choice.way]
    if choice.target and not way.target:
        raise UsageError(f"Calls by {way.label} take no other agent's id.", "Leave the id out.")
    sets: dict[tuple[str, tuple[str, ...] | None], list[PlannedScenario]] = defaultdict(list)
    for one in chosen:
        sets["text" if one.as_text and way.key != "rerun" else way.key, one.mocks].append(one)
    if way.key == "rerun":
        sets = defaultdict(list, {(way.key, None): chosen})
    token, launches = secrets.token_hex(4), []
    for n, ((key, mocks), scenarios) in enumerate(sets.items(), 1):
        times = 1 if key == "rerun" else choice.times
        each = [cost for one in scenarios if (cost := one.credits(text=WAYS[key].text))]  # unknown: as the others
        launches.append(
            LaunchSettings(
                test=token,
                name=clean_line(choice.name or plan.name, 120) + (f" ({n} of {len(sets)})" if len(sets) > 1 else ""),
                agent=plan.agent.id,
                way=key,
                scenarios=tuple(one.id for one in scenarios),
                names=tuple(one.name for one in scenarios),
                times=times,
                mocks=mocks,
                limit=choice.limit,
                target=(choice.target or (plan.agent.assistant_id if key == "vapi" else "")) if key == way.key else "",
                result=plan.rerun if key == "rerun" else None,
                former=tuple(run.id for one in scenarios for run in one.former),
                job=plan.job,
                before=plan.before,
                prompt=sha256(plan.agent.prompt or ""),
                provider=plan.agent.provider,
                live=choice.live,
                calls=times * len(scenarios),
                credits=round(sum(each) / max(1, len(each)) * times * len(scenarios), 1),
            )
        )
    return launches


def cost_words(launches: Sequence[LaunchSettings], left: float | None) -> str:
    """The cost of a test: "16 calls · about 48 credits, estimated; 1,204 left"."""
    calls, credits_ = sum(one.calls for one in launches), sum(one.credits for one in launches)
    price = f"about {credits_:,.0f} credits, estimated" if credits_ >= 1 else "cost unknown"
    return f"{count(calls, 'call')} · {price}" + (f"; {left:,.0f} left" if left is not None else "")


class ScenarioTests:
    """Tests of one account's agents, used on the session's loop."""

    def __init__(
        self,
        store: Store,
        client: Client,
        engine: JobEngine,
        jobs: JobService,
        budget: Budget,
        *,
        read_only: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._client, self._engine, self._jobs = store, client, engine, jobs
        self._claim = partial(claim_request, budget)
        self._read_only, self._clock = read_only, clock
        self._called: dict[int, CalledRun] = {}
        """Ended runs by id, which are not requested again."""
        self._versions: dict[tuple[int, str, frozenset[str]], list[frozenset[str]]] = {}
        """The ids of an agent's versions with a prompt, by agent, prompt and the versions that calls used."""

    # Planning

    async def plan(
        self,
        run_ids: Iterable[int] = (),
        *,
        result: int | None = None,
        job: int | None = None,
        before: bool = False,
        also_passed: bool = False,
    ) -> ScenarioPlan:
        """Plan a test of the scenarios of runs, of a result, or of an improve-prompt job's runs; with `also_passed`,
        also of their results' other scenarios. Raises ApiError, and UsageError for several agents or no scenario."""
        wanted = list(dict.fromkeys(run_ids))
        improved = None if job is None else await self._jobs.get(job)
        if improved is not None and improved.kind == KIND_NAME:
            raise UsageError(f"Job {job} is a test.", "Choose the job whose suggestion to test.")
        if improved is not None:
            wanted = wanted or list(improved.run_ids)
            for one in () if before else self.all_tests():
                settings = LaunchSettings.of(one.parameters)
                if settings.job == job and settings.before and one.progress_id:  # calls of the replaced prompt
                    wanted += [run.id for run in await self._listed({"result_id": one.progress_id})]
        if result is not None:
            wanted += [run.id for run in await self._listed({"result_id": result})]
            if not wanted:
                raise NotFound(f"Result {result} has no runs, or is not visible to this key.", status=404)
        runs = await self._load(wanted)
        if also_passed and result is None:
            results = {run.result_id for run in runs if run.result_id is not None}
            others = [run.id for number in sorted(results) for run in await self._listed({"result_id": number})]
            runs += await self._load([number for number in others if number not in wanted])
        if missing := set(wanted) - {run.id for run in runs}:
            raise NotFound(f"Run {min(missing)} not found, or not visible to this key.", "See `runs list`.", status=404)
        agents = {run.agent_id for run in runs}
        if len(agents) > 1:
            raise UsageError("The runs belong to different agents.", "Choose runs of one agent only.")
        agent_id = next(iter(agents), None)
        with_scenario = [run for run in runs if run.scenario is not None]
        if agent_id is None or not with_scenario:
            raise UsageError("The server named no agent and scenario for these runs, so they can't be called again.")
        agent, (own, notes), credits_left = await asyncio.gather(
            self._client.agent(agent_id), self._own_scenarios(agent_id), self._client.credits_left()
        )
        if improved is not None:
            _check_prompt_of(improved, agent, before)
        running = [job.number for job in self.all_tests() if job.state.active and job.agent_id == agent_id]
        notes += [f"Job {number} still tests this agent." for number in running]
        planned = await self._planned(with_scenario, own, agent_id)
        gone = {run.scenario: run.scenario_name for run in with_scenario if own and run.scenario not in own}
        notes += [f"Scenario {number} ({name}) no longer exists." for number, name in gone.items()]
        if not planned:
            raise UsageError("None of the scenarios exists any more.", "Choose other runs.")
        spoken = [run for run in with_scenario if not is_text(run)]
        shown = (spoken or with_scenario)[0]
        ways = ways_of(agent, as_text=is_text(shown), run_type=dict(shown.settings)["way"])
        results_of = {run.result_id for run in runs}
        rerun = next(iter(results_of)) if not ways and len(results_of) == 1 else None
        if rerun is not None:
            if result is None:  # a rerun calls all scenarios of the result
                return await self.plan(result=rerun, job=job, before=before)
            ways = (WAYS["rerun"],)
        drift = self._drift(agent)
        live = "overwritten" if drift and agent.auto_sync else live_answer(agent)
        name = f"{agent.name}: prompt test {time.strftime('%d %b %H:%M:%S', time.localtime(self._clock()))}"
        return ScenarioPlan(
            agent,
            tuple(planned),
            ways,
            live or self._remembered(agent),
            asks_live=live is None,
            asks_restart=agent.provider in RESTARTED_PROVIDERS,
            drift=drift,
            notes=tuple(notes),
            credits_left=credits_left,
            job=job,
            before=before,
            name=name,
            rerun=rerun,
        )

    async def _listed(self, params: Mapping[str, str | int]) -> list[Run]:
        found: list[Run] = []
        for page in range(1, (PAGES_OF_RESULT if "result_id" in params else PAGES_OF_FORMER) + 1):
            got = await self._client.runs(params, page)
            found += got.items
            if not got.more:
                break
        return found

    async def _load(self, run_ids: Sequence[int]) -> list[CalledRun]:
        """Whole runs in the order of their ids; ended runs are read once. Runs that the server lacks are left out."""
        missing = [number for number in dict.fromkeys(run_ids) if number not in self._called]
        found = dict[int, CalledRun]()
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            read = await whole_runs(self._client, self._claim, some, lambda run: view_of(run, self._clock()))
            called = await asyncio.to_thread(lambda views: [called_run(view) for view in views], read)
            found |= {run.id: run for run in called}
        judged = {number: run for number, run in found.items() if run.state != "waiting" and run.why != "not judged"}
        self._called |= judged
        found |= self._called
        return [found[number] for number in dict.fromkeys(run_ids) if number in found]

    async def _own_scenarios(self, agent_id: int) -> tuple[dict[int, Scenario], list[str]]:
        """The agent's scenarios by id; empty, with a note, if the server does not list them all."""
        found: dict[int, Scenario] = {}
        try:
            for page in range(1, 11):
                got = await self._client.scenarios(agent_id, page)
                found |= {one.id: one for one in got.items}
                if not got.more:
                    return found, []
        except KeyRefused:
            raise
        except ApiError as error:
            return {}, [f"Can't check the scenarios: {error.message}"]
        return {}, []

    async def _planned(
        self, runs: Sequence[CalledRun], own: Mapping[int, Scenario], agent_id: int
    ) -> list[PlannedScenario]:
        chosen: dict[int, list[CalledRun]] = defaultdict(list)
        for run in runs:
            if run.scenario is not None and (not own or run.scenario in own):
                chosen[run.scenario] = sorted([*chosen[run.scenario], run], key=lambda run: -run.id)
        pooled = await self._pooled(chosen, agent_id)
        return [
            PlannedScenario(
                number,
                own[number].name if number in own else of[0].scenario_name,
                tuple(of),
                tuple(pooled.get(number, ())),
                failed=any(run.state == "failed" for run in of) or not any(run.state == "passed" for run in of),
                as_text=is_text(of[0]),
                mocks=tuple(json.loads(sent)) if (sent := dict(of[0].settings)["mocks"]) else None,
                notes=tuple(_scenario_notes(of, own.get(number))),
            )
            for number, of in chosen.items()
        ]

    async def _pooled(self, chosen: Mapping[int, Sequence[CalledRun]], agent_id: int) -> dict[int, Sequence[CalledRun]]:
        """Other ended runs of each scenario with the settings and the version of its newest chosen run."""
        if not chosen:
            return {}
        known = {run.id for of in chosen.values() for run in of}
        wanted: dict[int, list[int]] = defaultdict(list)
        for row in await self._listed({"agent_id": agent_id, "scenario__id__in": ",".join(map(str, chosen))}):
            number, version = row.scenario, version_of(row.source.get("agent_version"))
            if number is None or number not in chosen or row.id in known or len(wanted[number]) >= POOLED:
                continue
            if version in ("", chosen[number][0].version):
                wanted[number].append(row.id)
        loaded = await self._load([number for ids in wanted.values() for number in ids])
        models = {number: of[0] for number, of in chosen.items() if of[0].version}
        loaded = [
            run
            for run in loaded
            if run.scenario in models and run.state != "waiting" and run.version == models[run.scenario].version
        ]
        lines = (await asyncio.to_thread(compare, loaded, [*models.values()], dict.fromkeys(models, ""))).lines
        return {line.scenario: line.before.runs for line in lines if line.scenario is not None and not line.differs}

    def _drift(self, agent: Agent) -> str:
        """A sentence if the record does not have the prompt that was last put there from this machine; else ""."""
        written = next((use for use in self._store.prompt_uses.writes(agent.id) if use.how == "written"), None)
        if written is None or agent.prompt is None or written.sha256 == sha256(agent.prompt):
            return ""
        at = clock_text(written.at)
        return f"The agent no longer has the prompt written {at}: another change or a sync replaced that prompt."

    def _remembered(self, agent: Agent) -> LiveAnswer | None:
        """The user's last answer for this agent, unless it has another provider or another prompt since."""
        launches = (LaunchSettings.of(job.parameters) for job in self.all_tests())
        last = next((one for one in launches if one.agent == agent.id), None)
        if last is None or (last.provider, last.prompt) != (agent.provider, sha256(agent.prompt or "")):
            return None
        return "published" if last.live == "published" else None

    # Launching

    async def launch(self, plan: ScenarioPlan, choice: LaunchChoice) -> list[Job]:
        """Launch the calls, each launch once; every launch is saved as a draft before the first is sent. Raises the
        errors of `JobEngine.launch`; launches that were not sent stay drafts if another one was sent."""
        launches = planned_launches(plan, choice)
        drafts = [launch_draft(one, plan.agent) for one in launches]
        refuse_read_only(self._read_only, "nothing was launched")
        saved = [self._store.jobs.save_draft(draft, self._clock()) for draft in drafts]
        jobs = list[Job]()
        for draft, over in zip(drafts, saved, strict=True):
            try:
                jobs.append(await self._engine.launch(draft, over))
            except CekuraTuiError as error:
                if jobs:
                    made = ", ".join(str(job.number) for job in jobs)
                    error.hint = f"{error.hint} {len(jobs)} of {len(drafts)} launches were made (job {made}).".strip()
                    raise
                error.hint = error.hint.replace(f"Draft saved as job {over.number}.", "").strip()
                for one in saved:  # the choice is still on the screen or the command line
                    if (known := self._store.jobs.get(one.number)) and known.state == JobState.DRAFT:
                        self._engine.forget(one.number)
                raise
        return jobs

    async def end_calls(self, number: int) -> None:
        """End the calls of a test that have not ended. Raises UsageError if no calls run, and ApiError."""
        refuse_read_only(self._read_only, "no call was ended")
        job = await self._jobs.pollable(number)
        if job.state not in (JobState.RUNNING, JobState.STOPPED) or job.progress_id is None:
            raise UsageError(f"Job {number} has no calls to end ({job.state.words}).")
        await self._client.end_calls(job.progress_id)
        await self._engine.resume(number)

    # Following and comparing

    def all_tests(self) -> list[Job]:
        """All launched tests, newest first."""
        return [job for job in self._store.jobs.all() if job.kind == KIND_NAME]

    async def report(self, number: int, *, fresh: bool = False) -> PromptTest:
        """A test, by the number of one of its jobs: its calls so far, compared with the former ones. If `fresh`, ended
        runs are read again, as they may have been reviewed. Raises ApiError; UsageError for a job that is no test."""
        if fresh:
            self._called.clear()
            self._versions.clear()
        job = await self._jobs.get(number)
        if job.kind != KIND_NAME:
            raise UsageError(f"Job {number} is no test.", "See `jobs list`.")
        settings = LaunchSettings.of(job.parameters)
        listed = self._store.jobs.all(drafts=True)  # a draft is a part of the test that could not be launched
        jobs = [one for one in listed if one.parameters.get("test") == settings.test]
        jobs = sorted(jobs, key=lambda one: one.number) or [job]
        launches = [LaunchSettings.of(one.parameters) for one in jobs]
        results = [one.progress_id for one in jobs if one.progress_id]
        called = {run.id: run for one in results for run in await self._listed({"result_id": one})}
        views = [view_of(run, self._clock()) for run in called.values() if run.id not in self._called]
        # Whole runs are requested of ended calls only; a running call has no settings to compare yet.
        running = [view for view in views if view.row.outcome.kind == "running"]
        waiting = {view.row.id: replace(called_run(view), settings=()) for view in running}
        names = {number: name for one in launches for number, name in zip(one.scenarios, one.names, strict=True)}
        former = await self._load([number for one in launches for number in one.former if number not in called])
        after = [*await self._load([number for number in called if number not in waiting]), *waiting.values()]
        comparison = await asyncio.to_thread(compare, former, after, names)
        is_final = all(not one.state.active for one in jobs) and not any(run.state == "waiting" for run in after)
        if is_final and after:
            self._summarise(jobs, comparison)
        closings = (moment_of(view.source.get("outbound_dial_window_closes_at")) for view in running)
        window = max((moment for moment in closings if moment is not None), default=None)
        version = await self._version_words(settings, comparison, after)
        return PromptTest(
            tuple(jobs), launches[0], comparison, version, window, is_final and bool(after), self._clock()
        )

    async def markdown(self, test: PromptTest, dashboard: str) -> str:
        """The comparison as Markdown for a pull request, with links to the results on the dashboard."""
        own, changed = test.settings, ""
        if own.job is not None and not own.before:
            with contextlib.suppress(CekuraTuiError):  # the job is forgotten, or of another server
                changed = (await self._jobs.get(own.job)).summary_of_changes or ""
        projects = {run.project_id for line in test.comparison.lines for run in line.after.runs}
        links = [
            (f"Result {job.progress_id}", f"{dashboard.rstrip('/')}/{project}/results/{job.progress_id}")
            for project in projects - {None}
            for job in test.jobs
            if job.progress_id
        ]
        return to_markdown(
            test.comparison, title=own.name, changed=changed, live=test.live, version=test.version, links=links
        )

    def _summarise(self, jobs: Iterable[Job], comparison: BeforeAfter) -> None:
        words = summary_words(comparison)
        with contextlib.suppress(StoreError):
            for job in jobs:
                if job.state.final and job.summary_of_changes != words:
                    self._store.jobs.set_summary(job.number, words)

    async def _version_words(
        self, settings: LaunchSettings, comparison: BeforeAfter, after: Sequence[CalledRun]
    ) -> str:
        """A sentence that compares the agent's version of the calls with the version that has the tested prompt."""
        versions = {run.version for run in after if run.version}
        if not versions:
            return "The server names no agent version for these calls." if after else ""
        if not settings.before and comparison.version == "equal":
            return "Same agent version before and after: nothing was changed."
        key = settings.agent, settings.prompt, frozenset(versions)
        try:
            known = [] if key in self._versions else await self._client.agent_versions(settings.agent)
        except ApiError:
            return ""
        found = [one.ids for one in known if one.prompt is not None and sha256(one.prompt) == settings.prompt]
        if not (with_prompt := self._versions.setdefault(key, found)):
            return "The agent's history at Cekura does not have the tested prompt."
        if any(versions <= ids for ids in with_prompt):
            return "The calls used the agent version that has the tested prompt."
        return f"The calls used version {clean_line(', '.join(sorted(versions)), 60)}, which has another prompt."


def is_text(run: CalledRun) -> bool:
    return run.shown.get("way") == "text"


def _check_prompt_of(job: Job, agent: Agent, before: bool) -> None:
    """Raise UsageError if the agent never got the prompt of a job or, with `before`, has it already."""
    state = "taken_back" if job.update is None else job.update.state
    has = state == "current" or sha256(agent.prompt or "") == job.improved_sha256
    if before and has:
        raise UsageError(f"The agent already has the prompt of job {job.number}.", "Test without --before.")
    if not (before or has) and state == "taken_back":
        why = f"The agent does not have the prompt of job {job.number}."
        raise UsageError(why, "Update the agent's prompt first, or test the current prompt with --before.")


def _scenario_notes(runs: Iterable[CalledRun], own: Scenario | None) -> Iterator[str]:
    former = dict.fromkeys(run.shown["personality"] for run in runs if dict(run.settings)["personality"])
    if own is not None and own.personality and former and own.personality not in former:
        yield f"now called by {own.personality}, before by {', '.join(former)}: not comparable"
