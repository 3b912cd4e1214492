"""Jobs of any kind: their states, inputs and results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.secrets import shown_words
from cekura_tui.model.text import Prompt, clean_line

if TYPE_CHECKING:
    from cekura_tui.model.prompt_events import UpdateOutcome

MAX_RUNS = 3
MAX_PROMPT_BYTES = 200_000
DEFAULT_KIND = "improve_prompt"
"""The kind of a job for which no kind is given: Cekura proposes a prompt."""
BY_COMMAND, FROM_FILE = "improve_by_command", "prompt_from_file"
PROPOSING = (DEFAULT_KIND, BY_COMMAND, FROM_FILE)
"""The kinds of job that propose a prompt."""


class JobState(StrEnum):
    """The state of a job. Succeeded, no_issues and failed are final, but a failed job can be resumed."""

    DRAFT = "draft"
    LAUNCHING = "launching"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    NO_ISSUES = "no_issues"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    STOPPED = "stopped"
    LOST = "lost"
    FORGOTTEN = "forgotten"

    @property
    def final(self) -> bool:
        return self in (JobState.SUCCEEDED, JobState.NO_ISSUES, JobState.FAILED)

    @property
    def active(self) -> bool:
        """Whether the state will change without the user doing anything."""
        return self in (JobState.LAUNCHING, JobState.RUNNING)

    @property
    def needs_attention(self) -> bool:
        """Whether the user should look at the job: the job ended, or its result is unknown (lost, unconfirmed)."""
        return self.final or self in (JobState.LOST, JobState.UNCONFIRMED)

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


OPEN_LAUNCH = (JobState.LAUNCHING, JobState.UNCONFIRMED)
"""States of a job that the server has not confirmed yet."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The inputs of a launch: one to three runs of one agent, the prompt, and an optional focus. A kind of job with
    other inputs leaves these fields empty and has its inputs in `parameters`, as JSON."""

    run_ids: tuple[int, ...]
    prompt: Prompt
    agent_id: int | None
    agent_name: str = ""
    category_ids: tuple[int, ...] = ()
    workflow_metric_ids: tuple[int, ...] = ()
    prompt_source: str = ""
    kind: str = DEFAULT_KIND
    parameters: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as recorded. Times are Unix seconds; prompts are stored separately, by hash. `again_of`: number of the job
    that it relaunches. `took`: seconds that it ran, if its end was observed. `looked_at`: when the user saw the end.
    `since`: when it entered its state. `other_key`: another key launched it. Texts are cleaned; `sent` has the exact
    text of each field that cleaning changed. `update`: what became of the update of the agent's prompt; None if there
    was none, or the job was read within a transaction."""

    number: int
    state: JobState
    reason: str
    origin: str
    key_id: str
    profile: str
    run_ids: tuple[int, ...]
    agent_id: int | None
    agent_name: str
    category_ids: tuple[int, ...]
    workflow_metric_ids: tuple[int, ...]
    prompt_sha256: str
    prompt_source: str = ""
    progress_id: str | None = None
    last_status: str | None = None
    improved_sha256: str | None = None
    summary_of_changes: str | None = None
    error: str | None = None
    created_at: float = 0.0
    launched_at: float | None = None
    finished_at: float | None = None
    answered_at: float | None = None
    stale_since: float | None = None
    owner: str = ""
    again_of: int | None = None
    took: float | None = None
    looked_at: float | None = None
    since: float | None = None
    other_key: bool = False
    kind: str = DEFAULT_KIND
    parameters: Mapping[str, object] = field(default_factory=dict, hash=False)
    result: Mapping[str, object] | None = field(default=None, hash=False)
    sent: Mapping[str, str] = field(default_factory=dict, hash=False)
    update: UpdateOutcome | None = None

    @property
    def unread(self) -> bool:
        """Whether the job needs attention and the user has not looked at it yet."""
        return self.state.needs_attention and self.looked_at is None

    @property
    def proposes(self) -> bool:
        return self.kind in PROPOSING

    @property
    def is_local(self) -> bool:
        """Whether the job runs on this machine, not on the server."""
        return self.kind in (BY_COMMAND, FROM_FILE)

    @property
    def proposer(self) -> str:
        """Who proposes the prompt: "Cekura", the user's command, or a file; empty for a job that proposes none."""
        if not self.is_local:
            return "Cekura" if self.proposes else ""
        named = self.parameters.get("command") or self.parameters.get("file") or "a file"
        return shown_words(clean_line(str(named), 120))

    @property
    def written_lines(self) -> list[str]:
        """What a command wrote, if it proposed no prompt: the end of its standard error, and of its answer."""
        result, lines = self.result if self.is_local and self.improved_sha256 is None else None, list[str]()
        for name, title in (("errors", "standard error:"), ("answer", "standard output:")):
            if text := str((result or {}).get(name) or "").strip():
                lines += [title, *(f"  {line}" for line in text.splitlines()[-20:])]
        return lines

    @property
    def on_agent(self) -> bool:
        """Whether the agent has the prompt that the job proposed and the user staged."""
        return self.update is not None and self.update.state == "current"

    @property
    def has_result_page(self) -> bool:
        """Whether a page shows more than the job: a suggestion, or the calls of a test."""
        return self.improved_sha256 is not None or (not self.proposes and self.progress_id is not None)

    @property
    def resumable(self) -> bool:
        """Whether polling can be resumed: a server's job is stopped or lost, or failed after a launch with this key."""
        failed = self.state == JobState.FAILED and self.progress_id is not None and not self.other_key
        return not self.is_local and (failed or self.state in (JobState.STOPPED, JobState.LOST))

    @property
    def relaunchable(self) -> bool:
        """Whether the job can be launched again as a new job: it failed, or its result is unknown."""
        if self.kind == FROM_FILE:
            return False
        stopped = self.is_local and self.state == JobState.STOPPED
        return stopped or self.state in (JobState.UNCONFIRMED, JobState.LOST, JobState.FAILED)

    @property
    def ended_at(self) -> float | None:
        """When the job ended, or became lost or unconfirmed (Unix time); None if it did not, or the time is unknown."""
        return self.finished_at or (self.since if self.state.needs_attention else None)

    @property
    def agent(self) -> str:
        """The agent's name and id, as far as they are known."""
        return clean_line(self.agent_name) + (f" ({self.agent_id})" if self.agent_id is not None else "")

    def to_json(self) -> dict[str, Any]:
        """The JSON of a job without its prompts; `kind` and `proposer` are left out for the default kind."""
        update, fields = self.update, {name: getattr(self, name) for name in _JSON_FIELDS}
        job = {
            "job": self.number,
            "state": self.state,
            "state_since": _iso(self.since),
            **{name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()},
            **{name: text for name, text in self.sent.items() if name in fields},
            "launched_at": _iso(self.launched_at),
            "finished_at": _iso(self.finished_at),
            "update": update and {"state": update.state, "at": _iso(update.at), "job": update.job},
        }
        proposer = {"proposer": self.proposer} if self.is_local else {}
        return job if self.kind == DEFAULT_KIND else {"kind": self.kind, **proposer, **job}


_JSON_FIELDS = (
    *("reason", "profile", "run_ids", "agent_id", "agent_name", "category_ids", "workflow_metric_ids", "progress_id"),
    *("last_status", "prompt_sha256", "error", "again_of"),
)


class Suggestion(NamedTuple):
    """A job with its exact prompts; `sent` is None if it is damaged, `improved_prompt` None without a suggestion."""

    job: Job
    sent: Prompt | None
    improved_prompt: Prompt | None

    @property
    def prompt(self) -> Prompt:
        """The prompt that was sent; raises CekuraTuiError if it is damaged."""
        if self.sent is None:
            better = f"To print the improved prompt, run `jobs show {self.job.number} --prompt`."
            why = f"The prompt sent with job {self.job.number} is damaged, so changes can't be shown."
            raise CekuraTuiError(why, better if self.improved_prompt is not None else "", title="Damaged prompt")
        return self.sent

    @property
    def unchanged(self) -> bool:
        """Whether the proposal equals the prompt that was sent."""
        return self.improved_prompt == self.sent

    def to_json(self) -> dict[str, Any]:
        """The JSON of `jobs show --json`: the job with the result fields of its kind."""
        job = self.job
        if not job.proposes:
            return {**job.to_json(), "kind": job.kind, "result": job.result}
        return {
            **job.to_json(),
            "improved_prompt": self.improved_prompt,
            "summary_of_changes": job.sent.get("summary_of_changes", job.summary_of_changes),
        }


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
