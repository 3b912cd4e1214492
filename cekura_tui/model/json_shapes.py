"""The shapes of all JSON that scripts get, each declared once.

Dataclasses that are printed whole are shapes themselves, see `as_json`. `schema_of` gives the JSON Schema of a shape,
against which the tests check what is printed. Nothing here is loaded for anything else, for it needs pydantic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict, is_typeddict  # that of `typing` has no schema in Python 3.11

from cekura_tui.model.job import JobState
from cekura_tui.model.prompt_events import How as PromptHow
from cekura_tui.model.run.groups import How
from cekura_tui.model.run.outcome import Kind
from cekura_tui.model.run.verdict import Source, State, Verdict
from cekura_tui.model.transcript.timeline import Overlap, ResponseTime, Silence, TimedTurn
from cekura_tui.model.transcript.tool_call import Ending
from cekura_tui.model.transcript.transcript import Form, Speaker, Turn

_WHOLE = ConfigDict(extra="forbid", use_attribute_docstrings=True)
"""The configuration of every shape that names no other."""
_WITH_MORE = ConfigDict(extra="allow", use_attribute_docstrings=True)

Id = Annotated[int, Field(ge=0)]
Sure = Literal["sure", "likely", "maybe"]
"""How sure it is that a verdict cites a turn."""
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)$")]
"""ISO 8601 in UTC."""


class OutcomeJson(TypedDict):
    """How a run ended."""

    kind: Kind
    text: str
    """The same in a few words."""


@with_config(_WITH_MORE)
class RunRowJson(TypedDict):
    """A run of a list: the server's row with every field as sent, and how the run ended."""

    id: Id
    outcome: OutcomeJson


@with_config(_WITH_MORE)
class RunJson(TypedDict):
    """A whole run: the server's object with every field as sent, and what was found in it."""

    id: Id
    outcome: OutcomeJson
    turns: list[Turn]
    verdicts: list[Verdict]
    """Failing ones first."""


class TranscriptJson(TypedDict):
    """What was said in a run."""

    run: Id
    form: Form
    """Where the turns come from; `encrypted` and `empty` have none."""
    note: str
    """Why there are no turns, or what the text lacks; else empty."""
    turns: list[Turn]


class RunExportJson(TypedDict):
    """A run as the list shows it, in a file or copied; what is not known is null."""

    id: Id
    outcome: Kind
    outcome_text: str
    status: str | None
    """The server's word."""
    scenario: str | None
    personality: str | None
    agent: str | None
    agent_id: int | None
    duration: str | None
    """As the server words it, such as "02:14"."""
    seconds: int | None
    at: Time | None
    result_id: int | None
    mode: Literal["text", "voice"] | None
    reviewed: bool
    failing: list[str]
    """The failed checks that the list reports."""
    note: str
    """Yours; empty where there is none."""


class JobJson(TypedDict):
    """A job as it is recorded on this machine."""

    kind: NotRequired[Annotated[str, Field(description="Left out of a job that improves a prompt.")]]
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
    progress_id: Annotated[str | None, Field(description="The job's id on the server.")]
    last_status: Annotated[str | None, Field(description="The server's last status of the job.")]
    prompt_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    error: str | None
    again_of: Annotated[int | None, Field(description="The job that this job repeats.")]
    launched_at: Time | None
    finished_at: Time | None


class JobChangeJson(JobJson):
    """A job that changed, and when."""

    at: Time


class SuggestionJson(JobJson):
    """A job that improves a prompt, and its suggestion."""

    improved_prompt: str | None
    summary_of_changes: str | None


class JobResultJson(JobJson):
    """A job of another kind, and its result."""

    kind: str  # type: ignore[misc] # it is there, of these
    result: Mapping[str, Any] | None


class CheckJson(TypedDict):
    """One thing that the doctor checked."""

    group: Literal["terminal", "files", "server", "versions"]
    name: str
    status: Literal["ok", "warning", "failure"]
    found: str
    advice: list[str]
    """What to do, in lines; empty where all is well."""


class DoctorJson(TypedDict):
    """What the doctor found."""

    version: str
    """Of cekura-tui."""
    failures: Annotated[int, Field(ge=0)]
    """With any, the exit status is 1."""
    warnings: Annotated[int, Field(ge=0)]
    checks: list[CheckJson]


class KeySourceJson(TypedDict):
    """A place where a key is looked for."""

    place: str
    used: bool
    why_not: str
    """Why the key there is not used; empty where it is."""


class ProjectJson(TypedDict):
    """A project that the key may see."""

    id: Id
    name: str


class AuthStatusJson(TypedDict):
    """Which key is used, and what the server says to it."""

    server: str
    profile: str
    key_from: str | None
    """Where the key is from, such as the full path of a file; never the key."""
    looked_in: list[KeySourceJson]
    """In this order."""
    profiles: list[str]
    projects: list[ProjectJson]
    error: str | None
    """Why there is no key, or what the server answered instead of the projects."""


class SettingJson(TypedDict):
    """One setting, or one entry of a table such as `keys`."""

    name: str
    value: str | int | bool | None
    """Null where it is not set."""
    origin: str
    """A flag, a variable, a file with its line, or `default`."""


class SettingProblemJson(TypedDict):
    """A wrong entry of config.toml."""

    line: int | None
    text: str
    """What was expected."""


class SettingsJson(TypedDict):
    """All settings, and what is wrong in config.toml."""

    path: str
    settings: list[SettingJson]
    problems: list[SettingProblemJson]


class RunAtJson(TypedDict):
    """A run, and when it was made."""

    run: Id
    at: Time | None


class GroupJson(TypedDict):
    """Some runs that have something in common."""

    section: str
    """Of groups by verdict "Failed checks" or "Did not run properly"; else empty."""
    title: str
    """The failed check, scenario, personality or result."""
    detail: str
    """What was wrong, how many failed, or the personality of a pair."""
    runs: int
    failed: int
    errors: int
    share: Annotated[float, Field(ge=0, le=1, description="The part of the section's runs that are in this group.")]
    newest: RunAtJson
    failing_since: RunAtJson | None
    """The oldest run of an unbroken row of failures, of a pair; null where it does not fail or that is not known."""
    outcomes: list[Kind]
    """The last outcomes of a pair, the newest last; empty of other groups."""
    run_ids: list[Id]
    """Newest first."""
    filter: str
    """Lists its runs; by their ids the newest 100 of them."""


class GroupsJson(TypedDict):
    """Runs in groups: what fails most, and since when."""

    by: How
    runs: int
    """How many runs were grouped."""
    complete: bool
    """Whether these are all runs that match; false where `--limit` was reached."""
    failed: int
    errors: int
    reasons_missing: int
    """Failed runs, grouped by verdict, of which the server did not say why they failed."""
    groups: list[GroupJson]
    """Most failures first. By verdict a run is in a group for each of its failed checks."""


class ComparedRunJson(TypedDict):
    """One of two runs that are compared."""

    run: Id
    outcome: OutcomeJson
    scenario: str
    personality: str
    agent: str
    seconds: int | None
    at: Time | None
    cached: bool
    """Whether the server could not be reached, so that this is the run as it was cached."""
    note: str
    """Why there are no turns, or what the text lacks; else empty."""


class ComparedTurnJson(TypedDict):
    """One turn of a run that is compared."""

    n: Annotated[int, Field(ge=1)]
    speaker: Speaker
    role: str
    start: float | None
    text: str
    """As it is compared; of a tool its name and values."""
    differs: list[tuple[int, int]]
    """Where words of a changed turn differ: characters of `text`, from and to before."""


class TurnPairJson(TypedDict):
    """A turn of each run, or of one alone."""

    sign: Literal["same", "changed", "first", "second"]
    """`first` and `second` are turns of that run only."""
    first: ComparedTurnJson | None
    second: ComparedTurnJson | None


class VerdictPairJson(TypedDict):
    """One check in both runs."""

    source: Source
    id: int | None
    name: str
    first: State | None
    """Null where the run has no such verdict."""
    second: State | None


class CompareJson(TypedDict):
    """Two runs, turn by turn."""

    first: ComparedRunJson
    second: ComparedRunJson
    chosen: Literal["given", "last_passed", "newest_passed"]
    """Which run the second is; `newest_passed` where none passed before the first."""
    verdicts: list[VerdictPairJson]
    turns: list[TurnPairJson]


class ToolCallJson(TypedDict):
    """A call of a tool, and how it ended."""

    turn: int
    name: str
    ending: Ending
    result: int | None
    """The turn of its result."""
    seconds: float | None
    """Until the result."""


class CitedTurnJson(TypedDict):
    """A turn that is evidence of a verdict."""

    turn: int
    start: float | None
    verdict: str
    state: State
    sure: Sure
    why: str


class TimelineJson(TypedDict):
    """Who speaks when in a call."""

    run: Id
    length: float
    """Seconds."""
    note: str
    """Which times were not sent; else empty."""
    median_answer: float | None
    turns: list[TimedTurn]
    """By start; turns without a time are not among them."""
    gaps: list[Silence]
    overlaps: list[Overlap]
    answers: list[ResponseTime]
    tools: list[ToolCallJson]
    evidence: list[CitedTurnJson]


class ColumnJson(TypedDict):
    """A column of the run list."""

    name: str
    shown: bool
    width: int | None
    """In cells; null where it is as wide as there is room."""


class ViewJson(TypedDict):
    """A filter with a name."""

    name: str
    filter: str
    built_in: bool
    columns: list[ColumnJson]
    """The columns chosen for this filter, in their order; empty for the default ones."""


class NoteJson(TypedDict):
    """Your note on a run."""

    run: Id
    note: str


class HitJson(TypedDict):
    """A turn of a cached run in which the words were found."""

    run: Id
    scenario: str
    at: Time | None
    turn: Annotated[int, Field(ge=1)]
    speaker: Speaker
    start: float | None
    """Seconds from the start of the call."""
    snippet: str
    matches: list[tuple[int, int]]
    """Characters of `snippet`, from and to before."""


class PromptUseJson(TypedDict):
    """One use of a prompt."""

    how: PromptHow
    at: Time | None
    job: int | None


class PromptEventJson(TypedDict):
    """What happened to an agent's prompt."""

    n: Annotated[int, Field(ge=1, description="1 is the newest.")]
    at: Time | None
    how: PromptHow
    text: str
    """The same in words."""
    job: int | None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    words: int
    first_line: str
    current: bool | None
    """Whether the agent has this prompt now; null without `--current`."""
    uses: list[PromptUseJson]
    """All uses of this text that are this event."""


for _shape in [one for one in vars().values() if is_typeddict(one)]:
    if not hasattr(_shape, "__pydantic_config__"):
        with_config(_WHOLE)(_shape)

SHAPES: dict[str, tuple[str, Any]] = {
    "runs-list": ("a line of `runs list --json`", RunRowJson),
    "runs-show": ("`runs show ID --json`", RunJson),
    "transcript": ("`runs show ID --transcript --json`, and what `y` copies and saves", TranscriptJson),
    "runs-export": ("a line of a .jsonl file that `e` writes, and of the JSON lines that `y` copies", RunExportJson),
    "jobs-list": ("a line of `jobs list --json`", JobJson),
    "jobs-show": ("`jobs show ID --json`, `on_job_done`, and what `y` copies", SuggestionJson | JobResultJson),
    "jobs-wait": ("a line of `jobs wait ID... --json`", SuggestionJson | JobResultJson),
    "jobs-watch": ("a line of `jobs watch --json`", JobChangeJson),
    "improve": ("`improve ID... --json`", SuggestionJson),
    "timeline": ("`runs show ID --timeline --json`", TimelineJson),
    "groups": ("`groups --json`", GroupsJson),
    "compare": ("`compare ID --json`", CompareJson),
    "search": ("a line of `search WORDS... --json`", HitJson),
    "views": ("`views show NAME --json`, and a line of `views list --json`", ViewJson),
    "notes": ("`notes show ID --json`, and a line of `notes list --json`", NoteJson),
    "prompts-history": ("a line of `prompts history ID --json`", PromptEventJson),
    "doctor": ("`doctor --json`", DoctorJson),
    "auth-status": ("`auth status --json`", AuthStatusJson),
    "config-show": ("`config show --json`", SettingsJson),
}
"""What prints each shape, by the name of its schema."""


class _Schema(GenerateJsonSchema):
    """Without a title of each property that only says its name again.

    A dataclass is printed whole, so its fields are all required and need no default; it bears the name of its shape.
    """

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field["type"] == "dataclass-field" or super().field_is_required(field, total)

    def default_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def get_defs_ref(self, core_mode_ref: Any) -> Any:
        core_ref, mode = core_mode_ref
        name = re.sub(r"\.(Alignment|Overlap|Silence|TimedTurn|Turn|Verdict):", r".\1Json:", core_ref)
        core_mode_ref = name.replace(".ResponseTime:", ".AnswerJson:"), mode
        return super().get_defs_ref(core_mode_ref)


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a shape."""
    where, shape = SHAPES[name]
    schema = TypeAdapter(shape).json_schema(mode="serialization", schema_generator=_Schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": f"cekura-tui: {where}", **schema}
