"""The history of an agent's prompts: each use of a prompt, and the events into which uses are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt, clean_line, word_total

UseKind = Literal["seen", "sent", "proposed", "staged", "written", "replaced"]
"""Read from the agent, sent with or proposed by a job, staged from a proposal, written to the agent, or overwritten."""


UpdateState = Literal["current", "taken_back", "replaced", "changed_elsewhere"]


@dataclass(frozen=True, slots=True)
class PromptUse:
    """One use of a prompt, most recently at `at` (Unix time); `job` is None for a use without a job. The prompt is
    stored separately, by hash. `words` is the prompt's word count, `first_line` its first non-blank line, cleaned."""

    agent_id: int
    sha256: str
    how: UseKind
    at: float
    job: int | None
    words: int
    first_line: str


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What became of a job's update of the agent's prompt, as far as this machine knows, and when (Unix time).
    `current`: the agent has it since `at`, without the latest decisions if `is_behind`. `taken_back`: an earlier prompt
    was restored. `replaced`: another update, of job `job` unless that was forgotten. `changed_elsewhere`: a different
    prompt was read."""

    state: UpdateState
    at: float
    job: int | None = None
    is_behind: bool = False

    def words(self, when: Callable[[float], str]) -> str:
        """The outcome in words, such as "on the agent since 10:13"; `when` formats a time."""
        match self.state:
            case "current":
                return f"on the agent since {when(self.at)}{', not as staged now' * self.is_behind}"
            case "taken_back":
                return f"taken back {when(self.at)}"
            case "changed_elsewhere":
                return f"changed elsewhere, seen {when(self.at)}"
        return f"replaced by job {self.job}" if self.job is not None else f"replaced {when(self.at)}"


def update_outcomes(
    uses: Iterable[tuple[str, UseKind, float, int | None]], sent: Mapping[int, str]
) -> dict[int, UpdateOutcome]:
    """What became of each job's updates, by job number. `uses` are all uses of one agent's prompts as (sha256, how, at,
    job), in the order in which they were recorded; `sent` are the hashes of the jobs' sent prompts."""
    found: dict[int, UpdateOutcome] = {}
    written: dict[int, set[str]] = {}
    has: dict[int, str] = {}
    """The hash of the job's text that the agent had last."""
    known: set[str] = set()
    is_without_job = False  # the last write
    for sha256, how, at, job in uses:
        if how not in ("seen", "written"):
            is_without_job = job is None if how == "replaced" else is_without_job
            known.add(sha256)
            continue
        if how == "written" and job is not None:
            written.setdefault(job, set()).add(sha256)
        for number, texts in written.items():
            before, is_sent = found.get(number), sha256 == sent.get(number)
            if sha256 in texts and not is_sent:
                if before is None or before.state != "current" or has[number] != sha256:
                    found[number] = UpdateOutcome("current", at)
                has[number] = sha256
            elif before is not None and before.state == "current":
                is_restore = is_without_job and sha256 in known  # also one that could not be verified
                is_restore |= is_sent and how == "written" and job == number
                end: UpdateState = "taken_back" if is_restore else "changed_elsewhere" if how == "seen" else "replaced"
                found[number] = UpdateOutcome(end, at, job if how == "written" else None)
        known.add(sha256)
    return found


def words_and_first_line(prompt: Prompt) -> tuple[int, str]:
    first = next((line for line in prompt[:_BEGINNING].splitlines() if line.strip()), "")
    return word_total(prompt), clean_line(first)


_BEGINNING = 10_000
"""Number of characters at the start of a prompt that are searched for its first non-blank line."""


_ONE_EVENT = 60
"""Seconds within which uses of one prompt are merged into one event."""
_IMPORTANCE: tuple[UseKind, ...] = ("seen", "staged", "replaced", "sent", "proposed", "written")
"""Kinds of use from least to most important; an event is named after its most important use."""


def events_of(uses: Sequence[PromptUse]) -> list[list[PromptUse]]:
    """Merge uses into events, both newest first; each event starts with its most important use. A use joins the
    previous event (in time) if both are of one prompt, and within _ONE_EVENT seconds or one of them a staging, but
    never as a second write. A `seen` or `replaced` use joins the latest event of its prompt, however old, unless it is
    the newest use of all and other events came in between."""
    events: list[list[PromptUse]] = []
    for use in reversed(uses):
        event = next((one for one in reversed(events) if one[0].sha256 == use.sha256), None)
        is_next = bool(events) and events[-1] is event
        says_more = use.how not in ("seen", "replaced") or (use is uses[0] and not is_next)
        if event is not None and is_next and "staged" in (use.how, event[0].how):
            says_more = False
        if event is None or (says_more and not (is_next and _is_same_event(event[0], use))):
            events.append([use])
        elif _IMPORTANCE.index(use.how) >= _IMPORTANCE.index(event[0].how):
            event.insert(0, use)
        else:
            event.append(use)
    return sorted(events, key=lambda event: uses.index(event[0]))


def _is_same_event(before: PromptUse, use: PromptUse) -> bool:
    """Whether a use within _ONE_EVENT seconds belongs to the event of `before`; a second write never does."""
    return use.at - before.at <= _ONE_EVENT and not before.how == use.how == "written"


def how_words(use: PromptUse, uses: Sequence[PromptUse]) -> str:
    """How a prompt was used, in words: "sent with job 4"; `uses` are all uses of the agent's prompts."""
    job = f"job {use.job}" if use.job is not None else "a job"
    if use.how == "written" and use.job is None:
        return _write_without_job(use, uses)
    if use.how == "replaced" and use.job is None:
        writes = (one for one in uses if one.how == "written" and 0 <= one.at - use.at <= _ONE_EVENT)
        is_restore = any(_write_without_job(one, uses) == "restored" for one in writes if one.job is None)
        return "before the restore" if is_restore else "before an update"
    return {
        "seen": "read from the agent",
        "sent": f"sent with {job}",
        "proposed": f"suggested by {job}",
        "staged": f"staged from {job}",
        "written": f"updated from {job}",
        "replaced": f"before {job}'s update",
    }[use.how]


def _write_without_job(use: PromptUse, uses: Sequence[PromptUse]) -> str:
    """Describe a write without a job: "restored" if the prompt was in use before, else "updated"."""
    earlier = any(one.sha256 == use.sha256 and one.at < use.at for one in uses)
    return "restored" if earlier else "updated"
