"""A job of whatever kind: its states, what is sent, what came back, and how long it may still take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from cekura_tui.model.text import Prompt, clean_line, count, span_text

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import JobJson, JobResultJson, SuggestionJson

How = Literal["seen", "sent", "proposed", "staged", "written", "replaced"]
"""Seen at the agent; sent with a job; proposed by one; staged from a proposal; written to the agent; or what stood
there before a write."""


@dataclass(frozen=True, slots=True)
class PromptUse:
    """One use of a prompt, last at `at` (Unix time), with or by `job` where it was one's.

    The text is kept apart, by its hash; `words` counts it, `first_line` is the first line that is not blank, cleaned.
    """

    agent_id: int
    sha256: str
    how: How
    at: float
    job: int | None
    words: int
    first_line: str


def words_and_first_line(prompt: Prompt) -> tuple[int, str]:
    """What a history shows of a prompt's text."""
    first = next((line for line in prompt.splitlines() if line.strip()), "")
    return len(prompt.split()), clean_line(first)


MAX_RUNS = 3
MAX_PROMPT_BYTES = 200_000
DEFAULT_KIND = "improve_prompt"
"""The name of the kind that a job is of where nothing else is said."""


class JobState(StrEnum):
    """Where a job is. Only succeeded, no_issues and failed are final; these never change, but see `Job.resumable`."""

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
        """Whether a job in this state has ended."""
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
    """What is to be sent: one to three runs of one agent, the prompt, and an optional focus.

    A kind that needs other things leaves out what it does not know and has them in `parameters`, as JSON.
    """

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
class ApiRequest:
    """A request about a job: its path at the server, with `body` sent as JSON and `params` as the query."""

    method: str
    path: str
    body: Mapping[str, object] | None = None
    params: Mapping[str, str | int] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What one answer about a job says: where it is, and its result once it has ended.

    A result is what its kind brings: a prompt that goes into the history of the agent, a summary, an error, or JSON in
    `result`; the store keeps whatever of it is there.
    """

    end: Literal["succeeded", "no_issues", "failed"] | None
    status: str
    improved_prompt: Prompt | None = None
    summary_of_changes: str | None = None
    error: str | None = None
    result: Mapping[str, object] | None = None

    @property
    def state(self) -> JobState:
        """The state that this answer puts its job in."""
        return JobState(self.end) if self.end else JobState.RUNNING


@dataclass(frozen=True, slots=True)
class JobKind:
    """All in which one kind of job differs from another, so that nothing else need know any kind.

    `name` is its name in the database, `noun` what its jobs are called in a sentence. `launch` is the request for a
    draft, `id_field` the field of its answer by whose value `progress` asks how far the job is. `read_progress` reads
    an answer to that, parsed, and says whether its word is final; the texts at the paths `exact` came to it as they
    were sent, all others cleaned. `screen` names the screen that shows a result, empty for the job's own page.

    `result` is what one job that succeeded brings, and what several bring; `meanings` says of a final state what it
    means. `sent` are names and texts of what a job was sent with, `content` is the same in short: "runs and prompt".
    `empty_end` says what is wrong with a last word (a job's `status` at the server) that came without a result; a job
    of which nothing else is heard fails by that. None where a result may still come.
    """

    name: str
    noun: str
    launch: Callable[[Draft], ApiRequest]
    id_field: str
    progress: Callable[[str], ApiRequest]
    read_progress: Callable[[object], Progress]
    result: tuple[str, str]
    meanings: Mapping[JobState, str]
    sent: Callable[[Job, Draft], Sequence[tuple[str, str]]]
    content: Callable[[Job], str]
    exact: tuple[tuple[str, ...], ...] = ()
    screen: str = ""
    empty_end: Callable[[str], str | None] = lambda status: None

    def read(self, payload: object, raw: str) -> Progress:
        """What an answer says by `payload`; its texts are as they came in the `raw` JSON, where that says the same."""
        shown = self.read_progress(payload)
        try:
            sent = self.read_progress(json.loads(raw))
        except (ValueError, RecursionError):
            return shown
        if sent.end != shown.end:
            return shown
        return replace(shown, status=sent.status, summary_of_changes=sent.summary_of_changes, error=sent.error)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is recorded. Times are Unix seconds; prompts are kept apart, by hash.

    `again_of` is the unconfirmed job that this one repeats, `took` how many seconds it ran where its end was
    watched, `looked_at` when somebody looked at its end, `since` when it came into its state, `other_key` tells that it
    was launched with another key. Its texts are cleaned; `sent` has those by name that came otherwise, as they came.
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
    since: float | None = None
    other_key: bool = False
    kind: str = DEFAULT_KIND
    parameters: Mapping[str, object] = field(default_factory=dict, hash=False)
    result: Mapping[str, object] | None = field(default=None, hash=False)
    sent: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def unread(self) -> bool:
        """Whether nobody has looked yet at how it ended."""
        return self.state.wants_a_look and self.looked_at is None

    @property
    def ended_empty(self) -> bool:
        """Whether it failed because the server's last word came without a result: no failure was reported."""
        return self.state == JobState.FAILED and self.error is None and self.progress_id is not None

    @property
    def resumable(self) -> bool:
        """Whether the server can be asked about it again: it is asked no more, and has reported no end."""
        return self.state in (JobState.STOPPED, JobState.LOST) or (self.ended_empty and not self.other_key)

    @property
    def ended_at(self) -> float | None:
        """When it ended, or nobody knew any more what became of it."""
        return self.finished_at or (self.since if self.state.wants_a_look else None)

    @property
    def agent(self) -> str:
        """Its agent's name and id, as far as they are known."""
        return clean_line(self.agent_name) + (f" ({self.agent_id})" if self.agent_id is not None else "")

    def to_json(self) -> JobJson:
        """The shape that scripts get, without the texts; it names the kind where that is not the first one."""
        job: JobJson = {
            "job": self.number,
            "state": self.state,
            "state_since": _iso(self.since),
            "reason": self.sent.get("reason", self.reason),
            "profile": self.profile,
            "run_ids": list(self.run_ids),
            "agent_id": self.agent_id,
            "agent_name": self.agent_name,
            "category_ids": list(self.category_ids),
            "workflow_metric_ids": list(self.workflow_metric_ids),
            "progress_id": self.progress_id,
            "last_status": self.sent.get("last_status", self.last_status),
            "prompt_sha256": self.prompt_sha256,
            "error": self.sent.get("error", self.error),
            "again_of": self.again_of,
            "launched_at": _iso(self.launched_at),
            "finished_at": _iso(self.finished_at),
        }
        return job if self.kind == DEFAULT_KIND else {"kind": self.kind, **job}


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

    def to_json(self) -> SuggestionJson | JobResultJson:
        """The shape that `jobs show --json` prints: the job and what it brought, by its kind."""
        job = self.job
        if job.kind != DEFAULT_KIND:
            return {**job.to_json(), "kind": job.kind, "result": job.result}
        return {
            **job.to_json(),
            "improved_prompt": self.improved_prompt,
            "summary_of_changes": job.sent.get("summary_of_changes", job.summary_of_changes),
        }


def _iso(moment: float | None) -> str | None:
    """Unix time as ISO 8601 in UTC."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


LEAST = 3
"""Jobs below which nothing is said: one or two tell little of the next."""
_SLACK = 1.25


@dataclass(frozen=True, slots=True)
class Usual:
    """How long jobs took, in seconds: the middle half of them `low` to `high`."""

    low: float
    median: float
    high: float
    jobs: int

    def left(self, elapsed: float) -> str:
        """What to expect of a job that has run for so many seconds, by 5 seconds in the first minute, then by minutes.

        It changes only where `span_text(elapsed)` does, so a list is not drawn more often for it.
        """
        whole = max(0, int(elapsed))
        step = 5 if whole < 60 else 60
        rounded = whole // step * step
        if rounded >= self.median:
            return "any moment" if rounded < max(self.high, _SLACK * self.median) else "longer than usual"
        # Halfway through the step that the elapsed time stands in.
        left = self.median - rounded - step / 2
        if left >= 57.5:
            return f"about {span_text(60 * max(1, round(left / 60)))} left"
        return f"about {5 * max(1, round(left / 5))} s left" if step == 5 else "less than a minute left"

    def part(self, elapsed: float) -> float:
        """How much of the usual time a job has had: 0.5 at half of it, 1 from the median on."""
        return min(max(elapsed, 0.0) / self.median, 1.0) if self.median > 0 else 1.0

    @property
    def words(self) -> str:
        """Spread and median: "30 to 55 s, median 42 s of 17 jobs"."""
        low, median, high = (span_text(max(1, round(seconds))) for seconds in (self.low, self.median, self.high))
        amount, _, unit = low.partition(" ")
        spread = low if low == high else f"{amount if high.split(' ')[1:] == [unit] else low} to {high}"
        return f"{spread}, median {median} of {count(self.jobs, 'job')}"


def usual(durations: Sequence[float]) -> Usual | None:
    """What is usual, of how many seconds jobs took in any order; nothing where there are too few."""
    ordered = sorted(durations)
    if len(ordered) < LEAST:
        return None
    return Usual(_quantile(ordered, 0.25), _quantile(ordered, 0.5), _quantile(ordered, 0.75), len(ordered))


def _quantile(ordered: Sequence[float], part: float) -> float:
    """The value below which this part of them lies, between two of them if need be."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
