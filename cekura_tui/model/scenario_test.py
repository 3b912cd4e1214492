"""The kind of job that tests an agent's prompt: it calls scenarios again, and follows the result until all calls end.

The ways to call an agent and their request bodies are from the vendor's OpenAPI file; which agent takes which way is
from the vendor's skills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import quote

from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.job_kind import ApiRequest, JobKind, LaunchSearch, Progress, ServerRequests
from cekura_tui.model.run.outcome import FINAL
from cekura_tui.model.scope import Agent
from cekura_tui.model.text import Prompt, clean_line, count

KIND_NAME = "scenario_test"
RESULTS = "/test_framework/v1/results/"
MAX_TIMES = 100
"""Maximum number of calls of each scenario in one launch; the API declares this limit for some of the ways."""
DEFAULT_TIMES = 4
"""Three of three after none of three proves little; four of four after none of four is just proof."""
LiveAnswer = Literal["own", "published", "anyway", "overwritten"]
"""Which prompt answers the calls: Cekura's own record; a provider's prompt that the user has published; a provider's
prompt that may be another one; or a record that the provider's sync overwrites."""


class Way(NamedTuple):
    """A way to call an agent. `path` is the last part of the operation's path, `agent` the body's field for the agent's
    id ("" for none), and `target` the field for the id of another, staging agent ("" for none). Scenarios are sent as
    objects if `objects`, and a launch has a name if `named`."""

    key: str
    label: str
    path: str
    target: str = ""
    agent: str = "agent_id"
    text: bool = False
    objects: bool = False
    named: bool = True


WAYS = {
    way.key: way
    for way in (
        Way("voice", "Telephone", "run_scenarios"),
        Way("sip", "SIP", "run_scenarios_sip", "sip_endpoint"),
        Way("vapi", "Vapi", "run_scenarios_vapi_webrtc", "vapi_assistant_id"),
        Way("retell", "Retell", "run_scenarios_retell_webrtc", "retell_agent_id"),
        Way("elevenlabs", "ElevenLabs", "run_scenarios_elevenlabs", "elevenlabs_agent_id"),
        Way("livekit", "LiveKit", "run_scenarios_livekit_v2", "livekit_data.agent_name", agent="agent", objects=True),
        Way("pipecat", "Pipecat", "run_scenarios_pipecat_v2", "pipecat_data.pipecat_agent_name", "", objects=True),
        Way("agora", "Agora", "run_scenarios_agora"),
        Way("chirp", "Websocket", "run_scenarios_chirp", "websocket_url"),
        Way(
            "websockets",
            "Websocket, a URL for each scenario",
            "run_scenarios_with_websockets",
            "scenarios.websocket_url",
            agent="agent",
            objects=True,
            named=False,
        ),
        Way("text", "Text", "run_scenarios_text", "websocket_url", text=True),
        Way("rerun", "Rerun of the result", "", agent="", named=False),
    )
}
_PROVIDER_WAYS = frozenset({"vapi", "retell", "elevenlabs", "livekit", "pipecat", "agora"})
_WAYS_OF_SETUP = {"number": ("voice",), "sip": ("sip",), "websocket": ("chirp", "websockets"), "chat": ("text",)}
"""The ways that a word of an agent's set-up allows."""
OWN_PROVIDERS = frozenset({"", "vocera", "cekura"})
"""Providers for which Cekura's record is the agent's prompt."""
RESTARTED_PROVIDERS = frozenset({"self_hosted", "custom", "livekit", "pipecat"})
"""Providers whose agents are programs of the user, which may read a prompt only when they start."""


def ways_of(agent: Agent, *, as_text: bool | None, run_type: str = "") -> tuple[Way, ...]:
    """The ways to call an agent like its former runs, the likeliest first; text comes last after voice runs, since text
    is no substitute for voice. Without a known way the result is empty."""
    allowed = [key for word, keys in _WAYS_OF_SETUP.items() if word in agent.setup for key in keys]
    if agent.provider in _PROVIDER_WAYS:
        allowed.append(agent.provider)
    if as_text:
        return (WAYS["text"],)
    if allowed:
        allowed = list(dict.fromkeys([*allowed, "text"]))
    said = run_type.lower().replace("_webrtc", "").replace("_v2", "")
    return tuple(sorted((WAYS[key] for key in allowed), key=lambda way: (way.text, way.key != said)))


def live_answer(agent: Agent) -> LiveAnswer | None:
    """Whether the calls use Cekura's record of the agent's prompt; None if only the user knows."""
    if agent.auto_sync:
        return "overwritten"
    return "own" if agent.provider in OWN_PROVIDERS else None


def provider_name(provider: str) -> str:
    if provider in ("self_hosted", "custom"):
        return "the self-hosted agent"
    return WAYS[provider].label if provider in WAYS else clean_line(provider.replace("_", " "), 40) or "the provider"


def live_words(answer: LiveAnswer, provider: str) -> str:
    """A sentence that says which prompt answered the calls of a test."""
    name = provider_name(provider)
    begin = name[:1].upper() + name[1:]
    return {
        "own": "The calls use Cekura's own record of the prompt.",
        "published": f"The prompt was published at {name}, as the user said.",
        "anyway": f"{begin} may use another prompt: the user tested anyway.",
        "overwritten": f"{begin} syncs its own prompt to Cekura, so the calls may not use this prompt.",
    }[answer]


def next_words(agent: Agent) -> str:
    """A sentence, after the update of an agent's prompt at Cekura, about the prompt that the next calls use."""
    if (answer := live_answer(agent)) is not None:
        return live_words(answer, agent.provider)
    restart = " and restart the agent" if agent.provider in RESTARTED_PROVIDERS else ""
    return f"Calls use the prompt at {provider_name(agent.provider)}: publish it there, too{restart}, then test."


class LaunchSettings(NamedTuple):
    """One launch of a test, as kept in the job's parameters. The launches of one test share the random id `test`.
    `mocks` are the names of the mocked tools; None leaves the field out, and Cekura mocks every tool. `limit` is the
    maximum number of calls at once. `result` is the result that a rerun repeats. `former` are ids of runs to compare
    with. `job` is the job whose suggestion is tested, or with `before`, is put on the agent after the test. `prompt` is
    the hash of the agent's prompt at the launch."""

    test: str
    name: str
    agent: int
    way: str
    scenarios: tuple[int, ...]
    names: tuple[str, ...]
    times: int = DEFAULT_TIMES
    mocks: tuple[str, ...] | None = None
    limit: int | None = None
    target: str = ""
    result: int | None = None
    former: tuple[int, ...] = ()
    job: int | None = None
    before: bool = False
    prompt: str = ""
    provider: str = ""
    live: LiveAnswer = "own"
    calls: int = 0
    credits: float = 0.0

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> Self:
        """Read a job's parameters."""
        given: dict[str, Any] = {name: parameters[name] for name in cls._fields if name in parameters}
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        return cls(**given)

    def to_json(self) -> dict[str, object]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()}


def launch_request(draft: Draft) -> ApiRequest:
    """The request that starts the calls; settings that the user did not choose are left out, so that each scenario's
    own caller is used and nothing is multiplied."""
    launch = LaunchSettings.of(draft.parameters)
    way = WAYS[launch.way]
    if way.key == "rerun":
        return ApiRequest("POST", f"{RESULTS}{launch.result}/rerun/")
    place, _, inner = way.target.rpartition(".")
    given = {inner: launch.target} if launch.target else {}
    scenarios: list[object] = list(launch.scenarios)
    if way.objects:
        scenarios = [{"scenario": number, **(given if place == "scenarios" else {})} for number in launch.scenarios]
    body: dict[str, object] = {"scenarios": scenarios, "frequency": launch.times}
    body |= {way.agent: launch.agent} if way.agent else {}
    body |= {"name": launch.name} if way.named else {}
    body |= {"mock_tool_names": list(launch.mocks)} if launch.mocks is not None else {}
    body |= {"concurrency_limit": launch.limit} if launch.limit is not None and way.key != "websockets" else {}
    if given and place != "scenarios":
        body |= {place: given} if place else given
    return ApiRequest("POST", f"/test_framework/v1/scenarios/{way.path}/", body)


class Counts(NamedTuple):
    """The calls of a result by the server's count; `passed` is older than a person's review."""

    total: int
    ended: int
    passed: int
    status: str

    @property
    def words(self) -> str:
        return f"{self.ended} of {count(self.total, 'call')} ended"


def counts_of(job: Job) -> Counts | None:
    """The counts in the last answer about a job; None if no answer had counts."""
    result = job.result or {}
    whole = [result.get(name) for name in ("total", "ended", "passed")]
    if not all(isinstance(number, int) for number in whole):
        return None
    total, ended, passed = whole
    return Counts(total, ended, passed, str(result.get("status") or ""))  # type: ignore[arg-type]


def calls_words(job: Job) -> str:
    """How many calls of a running test have ended: "4 of 8 calls ended"; empty for any other job."""
    counts = counts_of(job) if job.kind == KIND_NAME and job.state.active else None
    return counts.words if counts is not None and counts.total else ""


def read_result(payload: object) -> Progress:
    """Read a result. Counts may be texts. A result that ended without a completed call is a failure; the verdicts of
    the calls are read from the runs."""
    answer = payload if isinstance(payload, dict) else {}
    status = clean_line(str(answer.get("status") or ""), 40).lower()
    total, ended, passed = (whole(answer.get(f"{name}_runs_count")) for name in ("total", "completed", "success"))
    runs = answer.get("runs")
    total = max(total, ended, len(runs) if isinstance(runs, dict | list) else 0)
    result = {"status": status, "total": total, "ended": ended, "passed": passed}
    if status not in FINAL:
        return Progress(None, status, result=result)
    if status == "completed" or (status == "cancelled" and ended):
        summary = f"{count(total, 'call')} ended" if status == "completed" else f"cancelled after {ended} of {total}"
        return Progress("succeeded", status, summary_of_changes=summary, result=result)
    why = {"timeout": "The calls took too long.", "cancelled": "The calls were cancelled before one was made."}
    error = why.get(status, "Cekura could not make the calls.")
    return Progress("failed", status, error=error, result=result)


def whole(value: object) -> int:
    """A count that may be sent as a text; 0 if missing or invalid."""
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str):
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return max(0, int(text)) if isinstance(text, int | float) and not isinstance(text, bool) and text < 1e9 else 0


# A launch without an answer

_SKEW = 120.0
"""Seconds by which the server's clock may be behind this machine's."""
_LATE = 600.0
"""Seconds after a launch within which its result is made."""


def search_launch(job: Job) -> LaunchSearch | None:
    """How to look for the result of a launch whose answer was lost: by its name, or for a launch without a name, by
    agent, time and scenarios."""
    from cekura_tui.model.run.run import moment_of

    launch, at = LaunchSettings.of(job.parameters), job.launched_at
    if at is None:
        return None
    way = WAYS[launch.way]
    params: dict[str, str | int] = {"agent_id": launch.agent, "page": 1, "page_size": 100}
    if way.named:
        params["search"] = launch.name

    def read(payload: object) -> list[str]:
        rows = payload.get("results") if isinstance(payload, dict) else payload
        found = []
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, dict) or not isinstance(row.get("id"), int | str):
                continue
            made = moment_of(row.get("created_at"))
            if made is not None and not at - _SKEW <= made <= at + _LATE:
                continue
            if row.get("name") == launch.name if way.named else _may_be(row, launch):
                found.append(str(row["id"]))
        return found

    return LaunchSearch(ApiRequest("GET", RESULTS, params=params), read)


def _may_be(row: Mapping[str, object], launch: LaunchSettings) -> bool:
    """Whether a result may be of a launch: it calls exactly its scenarios, or lists none. A rerun is a new result."""
    listed = row.get("scenarios")
    entries = listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ()
    ids = {str(one.get("id") if isinstance(one, dict) else one) for one in entries}
    return str(row["id"]) != str(launch.result) and (not ids or ids == set(map(str, launch.scenarios)))


# Words

_MEANINGS = {
    JobState.SUCCEEDED: "All calls ended. {job-list.open} compares before and after.",
    JobState.FAILED: "The calls could not be made. {job.again} launches the test again, which is billed again.",
}


def _sent_facts(job: Job, draft: Draft) -> list[tuple[str, str]]:
    launch = LaunchSettings.of(draft.parameters)
    way = WAYS[launch.way]
    mocks = "every tool" if launch.mocks is None else ", ".join(launch.mocks) or "none"
    return [
        ("Test", launch.name),
        ("Agent", job.agent),
        ("Scenarios", ", ".join(clean_line(name, 60) for name in launch.names)),
        ("Calls", f"{launch.calls}, {launch.times} of each scenario" if way.key != "rerun" else str(launch.calls)),
        ("Called by", way.label),
        ("Mocked tools", mocks),
        ("Live", live_words(launch.live, launch.provider)),
    ]


def _content(job: Job) -> str:
    launch = LaunchSettings.of(job.parameters)
    return f"{count(launch.calls, 'call')}: {launch.name}"


def test_words(job: Job, when: Callable[[float | None], str]) -> str:
    """How a test went: "tested 14:05: 2 fixed · 1 still failing"; `when` formats a time."""
    if job.state.active:
        return ": ".join(filter(None, ("being tested", calls_words(job))))
    found = job.summary_of_changes if job.state == JobState.SUCCEEDED else job.state.words
    kind = "tested before its update" if job.parameters.get("before") else "tested"
    return f"{kind} {when(job.ended_at)}: {clean_line(found or '', 100)}"


def launch_draft(launch: LaunchSettings, agent: Agent) -> Draft:
    """The draft of one launch. The tested prompt is the agent's, so the draft has no prompt."""
    return Draft((), Prompt(""), agent.id, agent.name, kind=KIND_NAME, parameters=launch.to_json())


SCENARIO_TEST = JobKind(
    name=KIND_NAME,
    noun="test calls in this way",
    server=ServerRequests(
        launch=launch_request,
        id_field="id or result_id",
        progress=lambda result: ApiRequest("GET", f"{RESULTS}{quote(result, safe='')}/"),
        search=search_launch,
    ),
    read_progress=read_result,
    result=("test result", "test results"),
    meanings=_MEANINGS,
    sent=_sent_facts,
    content=_content,
    screen="test",
)
