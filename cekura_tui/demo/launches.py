"""Start scenarios: check the request, plan the calls, and derive the state of each call from the clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from heapq import heapreplace
from itertools import product
from math import ceil, inf
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cekura_tui.demo import answers
from cekura_tui.demo.corpus import RUN_BASES, Corpus
from cekura_tui.demo.dialogue import speak
from cekura_tui.demo.evaluation import rules_checked
from cekura_tui.demo.facts import UNJUDGED, Dice, Facts, Fate, Kind, Shape, Started, roll
from cekura_tui.demo.forms import REQUIRED, Reply, integers, not_found, read_fields, text_field, whole_number
from cekura_tui.demo.jobs import LAST_RESULT, LAST_RUN, StoredLaunch
from cekura_tui.demo.library import DemoAgent, Rule, agents, agents_by_id
from cekura_tui.demo.listing import Invalid, require
from cekura_tui.demo.people import PERSONALITIES
from cekura_tui.demo.workspace import DemoWorkspace

BALANCE = 1_500.0
_LIMIT, _MOST_CALLS = 10, 2_000


class Operation(NamedTuple):
    """An operation that starts scenarios. The agent needs the set-up word `needs`, with the value `value` if given. If
    `rows`, `scenarios` are objects, and fields may be null. `lacks` are fields that the operation does not have."""

    status: int = 200
    needs: str = ""
    value: str = ""
    required: tuple[str, ...] = ("scenarios",)
    rows: bool = False
    lacks: tuple[str, ...] = ()


_SETTINGS = ("personality_ids", "test_profile_ids", "personality_id", "test_profile_id", "tags", "folder_path")
_PROVIDER = "assistant_provider"
WAYS: Mapping[str, Operation] = {
    "": Operation(201, "contact_number"),
    "_text": Operation(201, lacks=("personality_id", "test_profile_id", "mode")),
    "_vapi_webrtc": Operation(200, _PROVIDER, "vapi", ("scenarios", "vapi_assistant_id"), lacks=_SETTINGS),
    "_retell_webrtc": Operation(200, _PROVIDER, "retell", lacks=_SETTINGS),
    "_elevenlabs": Operation(200, _PROVIDER, "elevenlabs"),
    "_sip": Operation(200, "sip_uri"),
    "_chirp": Operation(200, "websocket_url"),
    "_agora": Operation(200, _PROVIDER, "agora"),
    "_livekit_v2": Operation(200, _PROVIDER, "livekit", rows=True),
    "_pipecat_v2": Operation(200, _PROVIDER, "pipecat", rows=True),
    "_with_websockets": Operation(201, "websocket_url", "", ("scenarios", "frequency"), True, ("name", *_SETTINGS)),
}
"""The operations by the suffix of `run_scenarios`."""
_NUMBERS = {"agent_id", "agent", "project_id", "frequency", "concurrency_limit", "personality_id", "test_profile_id"}
_TEXTS = {
    *("name", "mode", "assistant_id", "vapi_assistant_id", "retell_agent_id", "elevenlabs_agent_id", "sip_endpoint"),
    *("websocket_url", "folder_path", "agent_number", "outbound_phone_number"),
}


class CallsForm(NamedTuple):
    """A checked launch. `people` are places in PERSONALITIES, and `callers` runs with the test profiles; None is the
    scenario's own. `mocks` None means all tools. `speed` is the server's at the launch."""

    agent: int
    way: str
    scenarios: tuple[int, ...]
    name: str = ""
    frequency: int = 1
    people: tuple[int | None, ...] = (None,)
    callers: tuple[int | None, ...] = (None,)
    mocks: tuple[str, ...] | None = None
    limit: int = _LIMIT
    speed: float = 1.0

    @property
    def calls(self) -> int:
        return len(self.scenarios) * self.frequency * len(self.people) * len(self.callers)


def read_form(fields: Mapping[str, object], suffix: str, corpus: Corpus) -> CallsForm:
    way, read = WAYS[suffix], dict[str, Any]()
    for name, value in fields.items():
        if name not in way.lacks and (value is not None or (name in _TEXTS and not way.rows)):
            read[name] = _value(name, value, way.rows)
            if name in ("personality_id", "test_profile_id"):
                read.setdefault(f"{name}s", (read[name],))
    for name in way.required:
        require(name in read, name, *REQUIRED)
    for name in ("tags", "folder_path"):
        require(not read.get(name), name, "This server starts only the scenarios of a list.")
    require(read["scenarios"], "scenarios", "This list may not be empty.")
    owners = {script.id: agent for agent in agents() for script in agent.scripts}
    unknown = [f'Invalid pk "{pk}" - object does not exist.' for pk in read["scenarios"] if pk not in owners]
    require(not unknown, "scenarios", *unknown)
    agent, scope = owners[read["scenarios"][0]], "agent" if way.rows else "agent_id"
    found = {owners[scenario].id for scenario in read["scenarios"]} | {read.get(scope, agent.id)}
    require(found == {agent.id}, "scenarios", "All scenarios must belong to the agent.")
    has = agent.provider if way.needs == _PROVIDER else agent.setup.get(way.needs)
    fits = not way.needs or (has and way.value in ("", has))
    require(fits, scope, f"The agent can't be called this way: {way.needs} is not {way.value or 'set'}.")
    known = {personality.id: place for place, personality in enumerate(PERSONALITIES)}
    people = tuple(known.get(one) for one in read.get("personality_ids", ())) or (None,)
    require(None not in people or not read.get("personality_ids"), "personality_ids", "Invalid personalities provided.")
    first = RUN_BASES[agent.project] - answers.FIRST_PROFILE
    callers = tuple(first + profile for profile in read.get("test_profile_ids", ()))
    are_known = all(corpus.facts(caller) and answers.profile_of(caller) for caller in callers)
    require(are_known, "test_profile_ids", "Invalid test profiles provided.")
    limit, name = min(_LIMIT, read.get("concurrency_limit", _LIMIT)), read.get("name", "")
    often, mocks = read.get("frequency", 1), read.get("mock_tool_names")
    return CallsForm(agent.id, suffix, read["scenarios"], name, often, people, callers or (None,), mocks, limit)


def _value(name: str, value: Any, rows: bool) -> object:
    if name in _TEXTS:
        is_mode = name != "mode" or value in ("same_number", "different_numbers")
        require(is_mode, name, f'"{value}" is not a valid choice.')
        return text_field({name: value}, name)
    if name in _NUMBERS:
        try:
            number = whole_number(value)
        except ValueError:
            raise Invalid({name: ["A valid integer is required."]}) from None
        require(number >= 1, name, "Ensure this value is greater than or equal to 1.")
        few = number <= 100 or name != "frequency" or not rows
        require(few, name, "Ensure this value is less than or equal to 100.")
        return number
    if name in ("tags", "mock_tool_names"):
        is_list = isinstance(value, list) and all(isinstance(word, str) for word in value)
        require(is_list, name, "Expected a list of strings.")
        return tuple(value)
    if name in ("scenarios", "personality_ids", "test_profile_ids"):
        if rows and name == "scenarios" and isinstance(value, list):
            value = [row.get("scenario") if isinstance(row, dict) else None for row in value]
        return integers(value, name)
    is_object = not name.endswith(("_data", "_headers")) or isinstance(value, dict)
    require(is_object, name, "Expected a dictionary of items.")
    return value


_MISSED = (
    *(Fate(Kind.ERRORED), Fate(Kind.NO_ANSWER, status="failed")),
    *(Fate(Kind.DROPPED, status="failed"), Fate(Kind.TIMEOUT, status="timeout")),
)
_OFTEN_MISSED = {5303: 3, 5501: 1}
"""One call in how many does not happen, by scenario, else one in 15."""
# The salts of these rolls are chosen so that a test of the newest failed runs shows something of everything: of the
# clinic's scenarios, two are fixed, one still fails, and one that passed before fails newly.


def _chance(rule: Rule, agent: DemoAgent, scenario: int, prompt: str, failed: frozenset[str]) -> float:
    """How probably the agent breaks a rule with this prompt; `failed` are the rules that the reference run broke."""
    draw = roll(scenario * 10_000 + rule.metric, 76) % 10
    usual = (0.97 if draw < 6 else 0.5 if draw < 8 else 0.1) if rule.key in failed else 0.5 if draw == 0 else 0.02
    if rule.strong in prompt:
        needs_second = roll(rule.metric, 46) % 5 == 0 or rule.strong in agent.prompt
        return min(usual, 0.9 if needs_second and rule.second not in prompt else 0.06)
    others = [other for other in agent.rules if other.key != rule.key]
    rival = others[roll(rule.metric, 80) % len(others)]
    # The strong sentence of one rule may make the agent forget another rule.
    return 0.9 if roll(rule.metric, 81) % 3 == 0 and rival.strong in prompt else usual


class LaunchedRuns:
    def __init__(self, workspace: DemoWorkspace) -> None:
        self._workspace = workspace
        self._corpus = workspace.corpus
        self._database = workspace.database
        self._known: dict[int, list[Facts]] = {}

    def _launches(self) -> Iterator[tuple[list[Facts], float | None]]:
        """The calls of all launches, newest launch first, each with the time at which the user ended the launch."""
        for result_id, ended in self._database.launch_ends():
            if result_id not in self._known:
                self._known[result_id] = self._planned(self._database.launch_of(result_id))
            yield self._known[result_id], ended

    def results(self, project: int) -> list[int]:
        return [calls[0].result_id for calls, _ in self._launches() if calls[0].project == project]

    def runs_of_result(self, result_id: int) -> range | None:
        for calls, _ in self._launches() if result_id > LAST_RESULT else ():
            if calls[0].result_id == result_id:
                return range(calls[-1].id, calls[0].id - 1, -1)
        return None

    def facts(self, run_id: int) -> Facts | None:
        for calls, ended in self._launches() if run_id > LAST_RUN else ():
            if calls[0].id <= run_id <= calls[-1].id:
                return _present(calls[run_id - calls[0].id], self._workspace.now(), ended)
        return None

    def start(self, form: CallsForm, noted: dict[str, object]) -> list[Facts]:
        """Store a launch and return its calls. Raises HTTPException if the credits do not suffice."""
        version = self._workspace.history(form.agent)[-1]
        # A voice platform answers with its own prompt, whatever the record says.
        prompt = agents_by_id()[form.agent].prompt if version.agent.at_platform else version.agent.prompt
        sent = json.dumps(form._replace(speed=self._workspace.speed))
        made = StoredLaunch(0, 0, form.calls, self._workspace.now(), version.id, sent, prompt)
        stored = self._database.start(made, self.price, BALANCE) if form.calls <= _MOST_CALLS else None
        if stored is None:
            raise HTTPException(402, "Insufficient credits to start these calls.")
        noted.update(calls=stored.calls, result_id=stored.id)  # tests compare the number with the announced one
        return next(calls for calls, _ in self._launches() if calls[0].result_id == stored.id)

    def price(self, stored: StoredLaunch, ended: float | None) -> float:
        """Credits for a launch: 5 for each started minute of voice, 0.5 for each message of the simulated caller in
        text, and 0.2 for each evaluated metric. Cancelled calls cost nothing."""
        total = 0.0
        for facts in [_present(call, inf, ended) for call in self._planned(stored)]:
            messages = sum(turn.who == "C" for turn in answers.turns_of(self._corpus, facts))
            total += 0.5 * messages if facts.as_text else 5 * ceil((facts.seconds or 0) / 60)
            if facts.fate.kind not in UNJUDGED:
                total += 0.2 * len(answers.run_whole(self._corpus, facts)["evaluation"]["metrics"])
        return round(total, 2)

    def _planned(self, stored: StoredLaunch) -> list[Facts]:
        """The calls of a launch as they will end."""
        form = CallsForm._make(tuple(one) if isinstance(one, list) else one for one in json.loads(stored.form))
        agent, speed, calls = agents_by_id()[form.agent], form.speed, list[Facts]()
        inbound, mocks = agent.setup["inbound"], agent.mocked if form.mocks is None else form.mocks
        lines = [stored.created] * form.limit  # a heap of the times at which each line is free
        each = product(form.scenarios, form.people, form.callers, range(form.frequency))
        for run_id, (scenario, person, caller, _) in enumerate(each, stored.first_run):
            place, script = next((n, one) for n, one in enumerate(agent.scripts) if one.id == scenario)
            own = self._corpus.reference(agent, scenario)
            personality, caller = own.personality if person is None else person, caller or own.id
            broken = frozenset(
                rule.key
                for rule in rules_checked(agent, script)
                if roll(run_id * 100_000 + rule.metric, 35) % 1000
                < 1000 * _chance(rule, agent, scenario, stored.prompt, self._corpus.broken(own))
            )
            end = Fate(Kind.FAILED, len(broken)) if broken else Fate(Kind.PASSED)
            if roll(run_id, 36) % _OFTEN_MISSED.get(scenario, 15) == 0:
                end, broken = _MISSED[run_id % len(_MISSED)], frozenset()
            spoken = speak(script, PERSONALITIES[personality], broken, Dice(caller))
            missed = {Kind.NO_ANSWER: 0, Kind.TIMEOUT: 600, Kind.DROPPED: 14 + roll(run_id, 7) % 25}
            lasts = missed.get(end.kind, ceil(max(turn.end for turn in spoken) + 0.5))
            # The agent dials an outbound call; an inbound call only needs a moment to connect.
            begins = lines[0] + (1 if inbound else 4 + roll(run_id, 38) % 8) / speed
            over = begins + (6 + roll(run_id, 37) % 19_000 / 1000) / speed
            times = (heapreplace(lines, over), begins, over, over + (0 if end.kind in UNJUDGED else 3 / speed))
            shape = Shape.STAMPED if roll(run_id, 2) % 4 == 0 else Shape.TURNS
            started = Started(form.name, form.way, mocks, stored.version, broken, *times)
            drawn = (run_id, agent.project, agent.id, stored.id, place, personality, end, shape)
            calls.append(
                Facts(*drawn, stored.created, lasts, form.way == "_text", end.kind, lasts, None, caller, started)
            )
        return calls


def _present(call: Facts, now: float, ended: float | None) -> Facts:
    """The state of a call at the Unix time `now`, if the user ended all calls at `ended`."""
    times, now = call.started, now if ended is None else min(now, ended)
    if times is None or now >= times.judged:
        return call
    if ended is not None:
        cancelled = Fate(Kind.CANCELLED, status="cancelled")
        return call._replace(fate=cancelled, end=Kind.CANCELLED, seconds=0, lasts=0)
    share = (now - times.begins) / (times.over - times.begins)
    early = "in_queue" if now < times.waits else "pending"
    word = early if share < 0 else "running" if share < 0.5 else "in_progress" if share < 1 else "evaluating"
    spoken = share * (call.lasts or 0) if 0 <= share < 1 and call.end is not Kind.NO_ANSWER else None
    return call._replace(fate=call.fate._replace(kind=Kind.LIVE, status=word), seconds=None, spoken=spoken)


_BEGUN = ("id", "scenario", "inbound_number", "outbound_dial")


class LaunchEndpoints:
    def __init__(self, workspace: DemoWorkspace) -> None:
        self._workspace = workspace
        self._corpus = workspace.corpus
        self._corpus.started = self._launched = LaunchedRuns(workspace)

    async def start(self, request: Request) -> Response:
        suffix = request.url.path.rstrip("/").rpartition("run_scenarios")[2]
        form = read_form(await read_fields(request), suffix, self._corpus)
        calls = self._launched.start(form, request.scope["noted"])
        runs = []
        for call in calls:
            row = answers.run_row(self._corpus, _present(call, call.at, None))
            run = {name: value for name, value in row.items() if name.startswith(_BEGUN)} | {"status": "pending"}
            number = agents_by_id()[call.agent_id].number
            runs.append(run | {"number": number, "test_profile_data": answers.profile_of(call.caller)})
        begun = {"id": calls[0].result_id, "agent": calls[0].agent_id, "status": "pending", "runs": runs}
        made = {"run_as_text": calls[0].as_text, "created_at": answers.iso(calls[0].at)}
        return Reply(begun | made, WAYS[suffix].status)

    async def rerun(self, request: Request) -> Response:
        """Call each scenario of a result once more, in the same way and with the same mocks."""
        found = map(self._corpus.facts, self._corpus.runs_of_result(request.path_params["id"])[::-1])
        if not (runs := [facts for facts in found if facts is not None]):
            return not_found()
        started, usual = runs[0].started, "_text" if runs[0].as_text else ""
        way, mocks = (usual, None) if started is None else (started.way, started.mocks)
        scenarios = tuple(dict.fromkeys(self._corpus.script_of(facts).id for facts in runs))
        form = CallsForm(runs[0].agent_id, way, scenarios, mocks=mocks)
        calls = self._launched.start(form, request.scope["noted"])
        return Reply(answers.result_row(self._corpus, calls[0].result_id))

    async def end_calls(self, request: Request) -> Response:
        if not self._corpus.runs_of_result(result_id := request.path_params["id"]):
            return not_found()
        self._workspace.database.end_launch(result_id, self._workspace.now(), self._launched.price)
        return Response()

    async def billing(self, request: Request) -> Response:
        spent, epoch = self._workspace.database.spent(), self._corpus.epoch
        texts = {"credits_remaining": BALANCE - spent, "credits_used": spent, "initial_balance": BALANCE}
        times = {"balance_expiry": epoch + 365 * 86_400, "created_at": epoch, "updated_at": self._workspace.now()}
        return Reply(
            {"organization": answers.ORGANIZATION_ID}
            | {name: f"{value:.2f}" for name, value in texts.items()}
            | {name: answers.iso(at) for name, at in times.items()}
        )
