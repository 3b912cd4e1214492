"""The shapes of all JSON output, each declared once.

Dataclasses that are printed whole are shapes themselves: see `as_json`. `schema_of` gives the JSON Schema of a shape;
the tests check the output against these schemas. Import this module only for schemas, because it imports pydantic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict, is_typeddict  # pydantic refuses `typing.TypedDict` in Python 3.11

from cekura_tui.model.before_after import BeforeAfter
from cekura_tui.model.job import JobState
from cekura_tui.model.prompt_events import UpdateState, UseKind
from cekura_tui.model.run.groups import Grouping
from cekura_tui.model.run.outcome import Kind
from cekura_tui.model.run.verdict import Source, State, Verdict
from cekura_tui.model.scenario_test import LiveAnswer
from cekura_tui.model.transcript.timeline import Overlap, ResponseTime, Silence, TimedTurn
from cekura_tui.model.transcript.tool_call import Ending
from cekura_tui.model.transcript.transcript import Form, Speaker, Turn

_WHOLE = ConfigDict(extra="forbid", use_attribute_docstrings=True)
"""The default configuration of a shape: only the declared fields are allowed."""
_WITH_MORE = ConfigDict(extra="allow", use_attribute_docstrings=True)

Id = Annotated[int, Field(ge=0)]
Sure = Literal["sure", "likely", "maybe"]
"""How certain it is that a verdict cites a turn."""
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)$")]
"""A time in UTC, in ISO 8601 format."""


_OUTCOME = "The kind; for `error` the cause, such as `timeout`; for `running` the status; for `unknown` `no verdict`."
OutcomeText = Annotated[str, Field(description=_OUTCOME)]


class OutcomeJson(TypedDict):
    """How a run ended."""

    kind: Kind
    text: OutcomeText


class _ChecksJson(TypedDict):
    failed_checks: NotRequired[int | None]
    """How many checks failed; null if the run did not fail, or if unknown. Left out by `--no-checks`, as `failing`."""
    failing: NotRequired[list[str] | None]
    """The names of the failed checks; null if unknown."""


@with_config(_WITH_MORE)
class RunRowJson(_ChecksJson):
    """A run in a list: the server's row with every field as sent, plus the outcome and failed checks of the run."""

    id: Id
    outcome: OutcomeJson


@with_config(_WITH_MORE)
class RunJson(_ChecksJson):
    """A whole run: the server's object with every field as sent, plus outcome, failed checks, turns and verdicts."""

    id: Id
    outcome: OutcomeJson
    turns: list[Turn]
    verdicts: list[Verdict]
    """Sorted by state: `fail` (critical first), `review`, `pass`, `na`."""


class TranscriptJson(TypedDict):
    """The transcript of a run."""

    run: Id
    form: Form
    """The form in which the server sent the turns; `encrypted` and `empty` have no turns."""
    note: str
    """Why there are no turns, or which data is missing if only text was sent; empty if nothing is missing."""
    turns: list[Turn]


class RunExportJson(_ChecksJson):
    """A run of the list, exported to a file or copied; unknown values are null."""

    id: Id
    outcome: Kind
    outcome_text: OutcomeText
    status: str | None
    """The server's status, in lower case."""
    scenario: str | None
    personality: str | None
    agent: str | None
    agent_id: int | None
    duration: str | None
    """The duration as the server sent it, such as "02:14"."""
    seconds: int | None
    at: Time | None
    result_id: int | None
    mode: Literal["text", "voice"] | None
    reviewed: bool
    note: str
    """Your note; empty if there is none."""


class UpdateJson(TypedDict):
    """What became of the update of the agent's prompt, as far as this machine knows. `at`: since when the agent has the
    prompt, or when it was taken back, replaced by the update of `job`, or found changed."""

    state: UpdateState
    at: Time
    job: int | None


class JobJson(TypedDict):
    """A job as it is recorded on this machine."""

    kind: NotRequired[Annotated[str, Field(description="Left out of a job for which Cekura proposes a prompt.")]]
    proposer: NotRequired[Annotated[str, Field(description="The command or the file that proposes a prompt.")]]
    job: Annotated[int, Field(ge=1, description="The job's number.")]
    state: JobState
    state_since: Annotated[Time | None, Field(description="When the job entered its state.")]
    reason: Annotated[str, Field(description="Why the job is in its state; may be empty.")]
    profile: str
    run_ids: list[Id]
    agent_id: int | None
    agent_name: str
    category_ids: list[Id]
    workflow_metric_ids: list[Id]
    progress_id: Annotated[str | None, Field(description="The job's id on the server; of a command, its folder.")]
    last_status: Annotated[str | None, Field(description="The server's last status of the job.")]
    prompt_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    error: str | None
    again_of: Annotated[int | None, Field(description="The job that this job repeats.")]
    launched_at: Time | None
    finished_at: Time | None
    update: UpdateJson | None


class JobChangeJson(JobJson):
    """A job after a change, and when the change was noticed."""

    at: Time


class SuggestionJson(JobJson):
    """A job that proposes a prompt, and its suggestion."""

    improved_prompt: str | None
    summary_of_changes: str | None


class ChangeReasonJson(TypedDict):
    """A failed verdict, or an issue, that a change seems to be for. `turn` and `start` are of a turn of the call."""

    run: Id | None
    turn: Annotated[int | None, Field(ge=1)]
    start: float | None
    verdict: str
    text: str
    sure: Sure


class SuggestedChangeJson(TypedDict):
    """A change of a suggestion. `added` and `removed` count words; `note` says, for example, where moved text was;
    `edited` is the edited text, as typed. `suggestion split` makes `parts` changes of it, unless that is 0."""

    number: Annotated[int, Field(ge=1)]
    place: str
    kind: Literal["changed", "added", "removed", "moved", "wrapper", "layout"]
    old: str
    new: str
    added: int
    removed: int
    note: str
    decision: Literal["undecided", "accepted", "rejected", "edited"]
    edited: str | None
    parts: int
    reasons: list[ChangeReasonJson]


class SuggestedChangesJson(TypedDict):
    """The changes of a suggestion, with their numbers on the screen."""

    job: Id
    agent_id: int | None
    agent_name: str
    update: UpdateJson | None
    undecided: int
    changes: list[SuggestedChangeJson]


class ConflictJson(TypedDict):
    """A passage that was changed on the agent and by staged changes, in three versions."""

    number: Annotated[int, Field(ge=1)]
    place: str
    sent: str
    agent: str
    staged: str


class ConflictsJson(TypedDict):
    """Conflicts that a person must solve before the agent's prompt can be updated. In `merged`, each is between lines
    that begin with `<<<<<<<`, `=======` and `>>>>>>>`."""

    job: Id
    agent_id: int
    agent_name: str
    conflicts: list[ConflictJson]
    merged: str


class JobResultJson(JobJson):
    """A job that proposes no prompt, and its result."""

    kind: str  # type: ignore[misc] # required here
    result: Mapping[str, Any] | None
    test: NotRequired[TestJson]
    """Of a test whose runs the server sent: the calls before and after."""


class TestJson(TypedDict):
    """A test of an agent's prompt: what was launched, and the calls before and after."""

    jobs: list[int]
    """The numbers of the test's jobs, one for each launch."""
    results: list[str]
    """The ids of the new results on the server."""
    name: str
    agent_id: int
    tested_job: int | None
    """The job whose suggestion is tested."""
    before_update: bool
    """Whether the agent's prompt was tested before it was updated."""
    ended: bool
    """Whether all calls have ended and have verdicts."""
    ways: list[str]
    """How each launch calls the agent, as in `--way`."""
    calls: int
    credits: Annotated[float, Field(description="The estimated cost; 0 if unknown.")]
    live: LiveAnswer
    """Which prompt answers the calls: Cekura's record (`own`), a prompt that the user has published, maybe another
    prompt (`anyway`), or a record that the provider's sync overwrites."""
    live_text: str
    version_text: str
    """A sentence about the agent's version in the calls; empty if unknown."""
    comparison: BeforeAfter


class CheckJson(TypedDict):
    """One check of `doctor`."""

    group: Literal["terminal", "files", "server", "versions"]
    name: str
    status: Literal["ok", "warning", "failure"]
    found: str
    advice: list[str]
    """What to do, one line each; empty if the check is ok."""


class DoctorJson(TypedDict):
    """The checks of `doctor`, and the numbers of failures and warnings."""

    version: str
    """The version of cekura-tui."""
    failures: Annotated[int, Field(ge=0)]
    """The number of failures; if it is above 0, the exit status is 1."""
    warnings: Annotated[int, Field(ge=0)]
    checks: list[CheckJson]


class KeySourceJson(TypedDict):
    """A place where a key is looked for."""

    place: str
    used: bool
    why_not: str
    """Why no key from this place is used; empty if a key from this place is used."""


class ProjectJson(TypedDict):
    """A project that the key can access."""

    id: Id
    name: str


class AuthStatusJson(TypedDict):
    """Which key is used, and which projects the key can access."""

    server: str
    profile: str
    key_from: str | None
    """Where the key is from, such as the full path of a file; never the key itself."""
    looked_in: list[KeySourceJson]
    """The places where a key is looked for, in the order in which they are tried."""
    profiles: list[str]
    projects: list[ProjectJson]
    error: str | None
    """Why there is no key, or why the server sent no projects; null if there was no error."""


class SettingJson(TypedDict):
    """One setting, or one entry of a table such as `keys`."""

    name: str
    value: str | int | bool | None
    """Null if not set."""
    origin: str
    """Where the value is from: a flag, a variable, a file with its line, or `default`."""


class SettingProblemJson(TypedDict):
    """A wrong entry of config.toml."""

    line: int | None
    text: str
    """A message that says what was expected."""


class SettingsJson(TypedDict):
    """All settings, and the wrong entries of config.toml."""

    path: str
    settings: list[SettingJson]
    problems: list[SettingProblemJson]


class RunAtJson(TypedDict):
    """The id of a run, and when the run was made."""

    run: Id
    at: Time | None


class GroupJson(TypedDict):
    """Runs that share a failed check, scenario, personality or result."""

    section: str
    """The section of a group by verdict, "Failed checks" or "Ended with an error"; empty for other groups."""
    title: str
    """The failed check, scenario, personality or result."""
    detail: str
    """The failure, how many runs failed, or the personality, depending on how runs are grouped."""
    runs: int
    failed: int
    errors: int
    share: Annotated[
        float, Field(ge=0, le=1, description="The group's part of all failed runs or, in its section, errors.")
    ]
    newest: RunAtJson | None
    """The group's newest run that has ended; null if none has."""
    failing: bool | None
    """Whether a run failed after the last passed run (by verdict: of the same scenarios); null if the filter leaves out
    other outcomes."""
    failing_since: RunAtJson | None
    """The first failed run after the last passed run; null unless `failing`."""
    last_failed: RunAtJson | None
    """The newest failed run; null without one."""
    outcomes: list[Kind]
    """The latest outcomes of a pair (scenario and personality), the newest last; empty for other groups."""
    run_ids: list[Id]
    """The ids of the group's runs, newest first."""
    filter: str
    """A filter that lists the group's runs; a filter by id lists only the newest 100 runs."""


class GroupsJson(TypedDict):
    """Runs in groups, most failures first."""

    by: Grouping
    runs: int
    """How many runs were grouped."""
    complete: bool
    """Whether all matching runs were grouped; false if `--limit` was reached."""
    failed: int
    errors: int
    reasons_missing: int
    """When grouped by verdict, the number of failed runs that could not be read whole for the reasons; else 0."""
    groups: list[GroupJson]
    """Sorted by failures, most first. By verdict, a failed run is in one group for each of its failed checks."""


class ComparedRunJson(TypedDict):
    """One of the two compared runs."""

    run: Id
    outcome: OutcomeJson
    scenario: str
    personality: str
    agent: str
    seconds: int | None
    at: Time | None
    cached: bool
    """Whether the cached run was compared because the server could not be reached."""
    note: str
    """Why there are no turns, or which data is missing if only text was sent; empty if nothing is missing."""


class ComparedTurnJson(TypedDict):
    """One turn of a compared run."""

    n: Annotated[int, Field(ge=1)]
    speaker: Speaker
    role: str
    start: float | None
    text: str
    """The compared text; for a tool call or result, the tool's name and values."""
    differs: list[tuple[int, int]]
    """Spans of `text` that differ in a changed turn, as [start, end) in characters."""


class TurnPairJson(TypedDict):
    """Two matching turns, or one turn that only one run has."""

    sign: Literal["same", "changed", "first", "second"]
    """`first` or `second`: only this run has the turn. `changed`: both runs have the turn, with different words."""
    first: ComparedTurnJson | None
    second: ComparedTurnJson | None


class VerdictPairJson(TypedDict):
    """One check in both runs."""

    source: Source
    id: int | None
    name: str
    first: State | None
    """The state of the check in the first run; null if the first run has no such verdict."""
    second: State | None
    """The state of the check in the second run; null if the second run has no such verdict."""


class CompareJson(TypedDict):
    """Two runs, turn by turn."""

    first: ComparedRunJson
    second: ComparedRunJson
    chosen: Literal["given", "last_passed", "newest_passed"]
    """How `second` was chosen: by its id, as the last run before `first` that passed and has a transcript, or else as
    the newest passed run."""
    verdicts: list[VerdictPairJson]
    turns: list[TurnPairJson]


class ToolCallJson(TypedDict):
    """A tool call, and how it ended."""

    turn: int
    name: str
    ending: Ending
    result: int | None
    """The number of the turn with the call's result; null if there is no result."""
    seconds: float | None
    """Seconds from the call to its result; null if unknown."""


class CitedTurnJson(TypedDict):
    """A turn cited as evidence for a verdict."""

    turn: int
    start: float | None
    verdict: str
    state: State
    sure: Literal["sure", "likely", "maybe", "closest"]
    why: str


class MissingQuotesJson(TypedDict):
    """Quotes of a verdict's explanation that no turn contains."""

    verdict: str
    state: State
    quotes: list[str]


class TimelineJson(TypedDict):
    """Who speaks when in a call."""

    run: Id
    length: float
    """The length of the call in seconds."""
    note: str
    """Which times are unknown; empty if all times are known."""
    median_answer: float | None
    turns: list[TimedTurn]
    """Sorted by start; turns without a valid start are left out."""
    gaps: list[Silence]
    overlaps: list[Overlap]
    answers: list[ResponseTime]
    tools: list[ToolCallJson]
    evidence: list[CitedTurnJson]
    missing_quotes: list[MissingQuotesJson]


HeardKind = Literal["caller", "agent", "sound", "other", "silence", "answer", "overlap", "difference"]


class HeardJson(TypedDict):
    """What a recording shows from `start` to `end`, in seconds."""

    start: float
    end: float | None
    kind: HeardKind
    """Who speaks, or else: `answer` is the time until the agent answers, `difference` a turn heard at another time."""
    turn: int | None
    """Null if the transcript has no turn for the speech."""
    words: str


class SpeechJson(TypedDict):
    """Who speaks when in the recording of a run."""

    run: Id
    length: float
    note: str
    """What is not certain about the channels; empty if nothing is."""
    median_answer: float | None
    median_answer_by_transcript: float | None
    heard: list[HeardJson]


class ColumnJson(TypedDict):
    """A column of the run list."""

    name: str
    shown: bool
    width: int | None
    """The width in cells; null for an automatic width."""


class ViewJson(TypedDict):
    """A named filter."""

    name: str
    filter: str
    built_in: bool
    columns: list[ColumnJson]
    """The columns chosen for this filter, in order; empty for the default columns."""


class NoteJson(TypedDict):
    """Your note on a run."""

    run: Id
    note: str


class HitJson(TypedDict):
    """A turn that matches the search, and its run."""

    run: Id
    outcome: OutcomeJson
    scenario: str
    at: Time | None
    turn: Annotated[int, Field(ge=1)]
    speaker: Literal["caller", "agent", "tool", "other"]
    """The word that a search puts before a colon to search only what this side said."""
    start: float | None
    """Seconds from the start of the call."""
    text: str
    """The whole turn; of a tool call, with its name, arguments and result."""
    snippet: str
    """The part of the turn around the longest word of the search."""
    matches: list[tuple[int, int]]
    """Spans of `snippet` that match, as [start, end) in characters."""


class PromptUseJson(TypedDict):
    """One use of a prompt."""

    how: UseKind
    at: Time | None
    job: int | None


class PromptEventJson(TypedDict):
    """An event in the history of an agent's prompt."""

    n: Annotated[int, Field(ge=1, description="1 is the newest.")]
    at: Time | None
    how: UseKind
    text: str
    """The event in words."""
    job: int | None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    words: int
    first_line: str
    current: bool | None
    """Whether the agent has this prompt now; null without `--current`."""
    uses: list[PromptUseJson]
    """The uses of the prompt that are merged in this event."""


for _shape in [one for one in vars().values() if is_typeddict(one)]:
    if not hasattr(_shape, "__pydantic_config__"):
        with_config(_WHOLE)(_shape)

SHAPES: dict[str, tuple[str, Any]] = {
    "runs-list": ("a line of `runs list --json`", RunRowJson),
    "runs-show": ("`runs show ID --json`", RunJson),
    "transcript": ("`runs show ID --transcript --json`, and what `y` copies and saves", TranscriptJson),
    "runs-export": ("a line of a .jsonl file that `w` writes, and of the JSON lines that `y` copies", RunExportJson),
    "jobs-list": ("a line of `jobs list --json`", JobJson),
    "jobs-show": ("`jobs show ID --json`, `on_job_done`, and what `y` copies", SuggestionJson | JobResultJson),
    "jobs-wait": ("a line of `jobs wait ID... --json`", SuggestionJson | JobResultJson),
    "jobs-watch": ("a line of `jobs watch --json`", JobChangeJson),
    "improve": ("`improve ID... --json`, and `review FILE --json`", SuggestionJson),
    "suggestion-show": ("`suggestion show JOB --json`", SuggestedChangesJson),
    "suggestion-update": ("`suggestion update JOB` if there are conflicts", ConflictsJson),
    "timeline": ("`runs show ID --timeline --json`", TimelineJson),
    "speech": ("`runs audio ID --speech --json`", SpeechJson),
    "groups": ("`groups --json`", GroupsJson),
    "compare": ("`compare ID --json`", CompareJson),
    "test": ("`test ... --wait --json`", TestJson),
    "search": ("a line of `search WORDS... --json`", HitJson),
    "views": ("`views show NAME --json`, and a line of `views list --json`", ViewJson),
    "notes": ("`notes show ID --json`, and a line of `notes list --json`", NoteJson),
    "prompts-history": ("a line of `prompts history ID --json`", PromptEventJson),
    "doctor": ("`doctor --json`", DoctorJson),
    "auth-status": ("`auth status --json`", AuthStatusJson),
    "config-show": ("`config show --json`", SettingsJson),
}
"""Name of a schema → (what prints the JSON, shape)."""


_PRINTED = "Alignment|BeforeAfter|CheckChange|Overlap|ScenarioLine|Side|Silence|TimedTurn|Turn|Verdict"
"""Dataclasses that are printed whole."""


class _Schema(GenerateJsonSchema):
    """Makes JSON Schemas without titles of properties, which would only repeat the names. Dataclasses are printed
    whole, so their fields are required, without defaults; their schemas are named like other shapes, such as
    `TurnJson`."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field["type"] == "dataclass-field" or super().field_is_required(field, total)

    def default_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def get_defs_ref(self, core_mode_ref: Any) -> Any:
        core_ref, mode = core_mode_ref
        name = re.sub(rf"\.({_PRINTED}):", r".\1Json:", core_ref)
        core_mode_ref = name.replace(".ResponseTime:", ".AnswerJson:"), mode
        return super().get_defs_ref(core_mode_ref)


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a shape in `SHAPES`."""
    where, shape = SHAPES[name]
    schema = TypeAdapter(shape).json_schema(mode="serialization", schema_generator=_Schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": f"cekura-tui: {where}", **schema}
