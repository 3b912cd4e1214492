"""The shapes of all JSON that scripts get, each declared once.

What prints them makes values of these types, which mypy checks; `schema_of` gives the JSON Schema of one. Nothing here
is loaded for anything else, for it needs pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict  # that of `typing` has no schema in Python 3.11

from cekura_tui.model.job import JobState
from cekura_tui.model.run.outcome import Kind
from cekura_tui.model.run.verdict import Source, State
from cekura_tui.model.transcript.transcript import Form, Speaker

_WHOLE = ConfigDict(extra="forbid", use_attribute_docstrings=True)
_WITH_MORE = ConfigDict(extra="allow", use_attribute_docstrings=True)

Id = Annotated[int, Field(ge=0)]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)$")]
"""ISO 8601 in UTC."""


@with_config(_WHOLE)
class OutcomeJson(TypedDict):
    """How a run ended."""

    kind: Kind
    text: str
    """The same in a few words."""


@with_config(_WHOLE)
class AlignmentJson(TypedDict):
    """Whether one part of the expected outcome was met."""

    outcome: str
    prompt_part: str
    aligned: bool | None
    """Null where that was not sent."""


@with_config(_WHOLE)
class VerdictJson(TypedDict):
    """One judgement of a run."""

    source: Source
    id: int | None
    name: str | None
    """Null where none was sent."""
    state: State
    score: float | None
    """In the metric's scale, or 0 to 100 of the expected outcome; null where there is none, and where the one that was
    sent says otherwise than the state."""
    raw_value: Any
    """What was sent in the place of a number, or beside it, as it came: the enum or value, else the score."""
    threshold: str | None
    """In the server's words."""
    explanation: list[str]
    alignments: list[AlignmentJson]
    """The parts of the expected outcome."""
    priority: str | None
    """The server's word for the weight."""
    deviation: float | str | None
    """Of a critical category; else null."""
    wrongly_marked: bool | None
    """Of a critical category: whether a person marked it as wrong; null where not sent."""


@with_config(_WHOLE)
class TurnJson(TypedDict):
    """One turn of a call."""

    n: Annotated[int, Field(ge=1)]
    speaker: Speaker
    """`testing` is the simulated caller, `main` the agent under test."""
    role: str
    """The server's word for the speaker."""
    start: float | None
    """Seconds from the start of the call."""
    end: float | None
    text: str
    tool: dict[str, Any] | None
    """What was sent of a call of a tool or of its result."""


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
    turns: list[TurnJson]
    verdicts: list[VerdictJson]
    """Failing ones first."""


@with_config(_WHOLE)
class TranscriptJson(TypedDict):
    """What was said in a run."""

    run: Id
    form: Form
    """Where the turns come from; `encrypted` and `empty` have none."""
    note: str
    """Why there are no turns, or what the text lacks; else empty."""
    turns: list[TurnJson]


@with_config(_WHOLE)
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


@with_config(_WHOLE)
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


@with_config(_WHOLE)
class JobChangeJson(JobJson):
    """A job that changed, and when."""

    at: Time


@with_config(_WHOLE)
class SuggestionJson(JobJson):
    """A job that improves a prompt, and its suggestion."""

    improved_prompt: str | None
    summary_of_changes: str | None


@with_config(_WHOLE)
class JobResultJson(JobJson):
    """A job of another kind, and its result."""

    kind: str  # type: ignore[misc] # it is there, of these
    result: Mapping[str, Any] | None


@with_config(_WHOLE)
class CheckJson(TypedDict):
    """One thing that the doctor checked."""

    group: Literal["terminal", "files", "server", "versions"]
    name: str
    status: Literal["ok", "warning", "failure"]
    found: str
    advice: list[str]
    """What to do, in lines; empty where all is well."""


@with_config(_WHOLE)
class DoctorJson(TypedDict):
    """What the doctor found."""

    version: str
    """Of cekura-tui."""
    failures: Annotated[int, Field(ge=0)]
    """With any, the exit status is 1."""
    warnings: Annotated[int, Field(ge=0)]
    checks: list[CheckJson]


@with_config(_WHOLE)
class KeySourceJson(TypedDict):
    """A place where a key is looked for."""

    place: str
    used: bool
    why_not: str
    """Why the key there is not used; empty where it is."""


@with_config(_WHOLE)
class ProjectJson(TypedDict):
    """A project that the key may see."""

    id: Id
    name: str


@with_config(_WHOLE)
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


@with_config(_WHOLE)
class SettingJson(TypedDict):
    """One setting, or one entry of a table such as `keys`."""

    name: str
    value: str | int | bool | None
    """Null where it is not set."""
    origin: str
    """A flag, a variable, a file with its line, or `default`."""


@with_config(_WHOLE)
class SettingProblemJson(TypedDict):
    """A wrong entry of config.toml."""

    line: int | None
    text: str
    """What was expected."""


@with_config(_WHOLE)
class SettingsJson(TypedDict):
    """All settings, and what is wrong in config.toml."""

    path: str
    settings: list[SettingJson]
    problems: list[SettingProblemJson]


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
    "doctor": ("`doctor --json`", DoctorJson),
    "auth-status": ("`auth status --json`", AuthStatusJson),
    "config-show": ("`config show --json`", SettingsJson),
}
"""What prints each shape, by the name of its schema."""


class _Untitled(GenerateJsonSchema):
    """Without a title of each property that only says its name again."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a shape."""
    where, shape = SHAPES[name]
    schema = TypeAdapter(shape).json_schema(mode="serialization", schema_generator=_Untitled)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": f"cekura-tui: {where}", **schema}
