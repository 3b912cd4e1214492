"""An improve-prompt job: its states, what was sent and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cekura_tui.model.text import Prompt

MAX_RUNS = 3
MAX_PROMPT_BYTES = 200_000


class JobState(StrEnum):
    """Where a job is. Only succeeded, no_issues and failed are final, and these never change."""

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
        """Whether this state never changes."""
        return self in (JobState.SUCCEEDED, JobState.NO_ISSUES, JobState.FAILED)

    @property
    def going(self) -> bool:
        """Whether something is still to come without anybody doing anything."""
        return self in (JobState.LAUNCHING, JobState.RUNNING)

    @property
    def wants_a_look(self) -> bool:
        """Whether a person should look at it once: it ended, or what became of it is not known."""
        return self.final or self in (JobState.LOST, JobState.UNCONFIRMED)

    @property
    def words(self) -> str:
        """The state as it is shown."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent: one to three runs of one agent, the prompt, and an optional focus."""

    run_ids: tuple[int, ...]
    prompt: Prompt
    agent_id: int | None
    agent_name: str = ""
    category_ids: tuple[int, ...] = ()
    workflow_metric_ids: tuple[int, ...] = ()
    prompt_source: str = ""

    def body(self) -> dict[str, object]:
        """The JSON that launches the job; what was not chosen is left out."""
        body: dict[str, object] = {"run_ids": list(self.run_ids), "prompt": self.prompt}
        if self.agent_id is not None:
            body["agent"] = self.agent_id
        if self.category_ids:
            body["category_ids"] = list(self.category_ids)
        if self.workflow_metric_ids:
            body["workflow_metric_ids"] = list(self.workflow_metric_ids)
        return body


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is recorded. Times are Unix seconds; prompts are kept apart, by hash.

    `again_of` is the unconfirmed job that this one repeats, `took` how many seconds it went on where its end was
    watched, `looked_at` when somebody looked at its end, `other_key` tells that it was launched with another key.
    """

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
    other_key: bool = False

    @property
    def unread(self) -> bool:
        """Whether nobody has looked yet at how it ended."""
        return self.state.wants_a_look and self.looked_at is None

    def to_json(self) -> dict[str, object]:
        """The shape that scripts get, without the texts."""
        return {
            "job": self.number,
            "state": self.state.value,
            "reason": self.reason,
            "profile": self.profile,
            "run_ids": list(self.run_ids),
            "agent_id": self.agent_id,
            "agent_name": self.agent_name,
            "category_ids": list(self.category_ids),
            "workflow_metric_ids": list(self.workflow_metric_ids),
            "progress_id": self.progress_id,
            "last_status": self.last_status,
            "prompt_sha256": self.prompt_sha256,
            "error": self.error,
            "again_of": self.again_of,
            "launched_at": _iso(self.launched_at),
            "finished_at": _iso(self.finished_at),
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A finished job with its texts: what was sent and what came back, exactly."""

    job: Job
    prompt: Prompt
    improved_prompt: Prompt | None

    @property
    def unchanged(self) -> bool:
        """Whether the proposal is the prompt that was sent."""
        return self.improved_prompt == self.prompt

    def to_json(self) -> dict[str, object]:
        """The shape that `jobs show --json` prints."""
        texts = {"improved_prompt": self.improved_prompt, "summary_of_changes": self.job.summary_of_changes}
        return self.job.to_json() | texts


def _iso(moment: float | None) -> str | None:
    """Unix time as ISO 8601 in UTC."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
