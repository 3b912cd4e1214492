"""Beside the list of jobs: what the job under the cursor brought, or how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cekura_tui.jobs.polling import PollTimes
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.ui.jobs import words as job_words
from cekura_tui.ui.jobs.facts import Fact, named_facts, read_record, state_facts
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import JOB_MARKS, JOB_TONES
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.job_service import JobRecord
from cekura_tui.workspace.session import Session

MOST_CHANGES = 5
"""Changes that are shown."""
_PASSAGE = 240
"""Characters of a passage that are shown."""
_LEAD = 24
"""Characters that stay before the first difference."""
_SUMMARY = 12
"""Lines of a summary that are shown."""


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change of a suggestion: where, how many words, and the passage before and after, each as one short line."""

    place: str
    removed: int
    added: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class FirstChanges:
    """How much a suggestion changes, and its first changes; `problem` is why these cannot be shown."""

    total: int = 0
    undecided: int = 0
    removed: int = 0
    added: int = 0
    shown: tuple[ShownChange, ...] = ()
    problem: str = ""

    @property
    def words(self) -> str:
        """ "4 changes, 2 undecided · +36 −12 words"."""
        decided = f"{self.undecided:,} undecided" if self.undecided else "all decided"
        return f"{count(self.total, 'change')}, {decided} · +{self.added:,} −{self.removed:,} words"


def excerpts(old: str, new: str) -> tuple[str, str]:
    """Both versions of a passage as one line each, from shortly before the first difference."""
    old, new = clean_line(old, 4_000), clean_line(new, 4_000)
    differ = (n for n, (was, now) in enumerate(zip(old, new, strict=False)) if was != now)
    same = next(differ, min(len(old), len(new)))
    start = old.rfind(" ", 0, max(same - _LEAD, 0)) + 1
    before = "… " if start else ""
    return clean_line(before + old[start:], _PASSAGE), clean_line(before + new[start:], _PASSAGE)


@dataclass(frozen=True, slots=True)
class KnownOfJob:
    """What was read of a job: its record, whether the process that launched it still runs, and when it is polled."""

    record: JobRecord
    owner_runs: bool | None
    polls: PollTimes | None = None


def preview_rows(job: Job, known: KnownOfJob | None, changes: FirstChanges | None, state: AppState) -> list[Fact]:
    """What is shown of a job; `known` may be a little older than the job, or still be loading."""
    rows = [*_headline(job, changes, state)]
    if job.state.active:
        rows += _progress(job, known, state)
    elif job.improved_sha256 is not None:
        rows += _summary(job)
        rows += _changes(changes)
    rows.append(Fact(("head", "job"), "head", "Job", ""))
    polled = "Status" if job.state.active else ""  # the last answer says that
    rows += named_facts("fact", [fact for fact in job_words.job_facts(job, state) if fact[0] != polled])
    if known is None:
        return rows
    record = known.record
    if job.state in job_words.OPEN_LAUNCH:
        rows += named_facts("known", job_words.launch_facts(record, known.owner_runs, state))
    rows += named_facts("sent", record.sent)
    rows.append(Fact(("head", "states"), "head", "States", ""))
    for n, change in enumerate(record.changes):
        repeated = change.reason in (job.reason, job.error)
        words = f"{change.state.words}  {'' if repeated else clean_line(change.reason)}".strip()
        rows.append(Fact(("change", n), "fact", state.when(change.at), words))
    return rows


def _headline(job: Job, changes: FirstChanges | None, state: AppState) -> Iterator[Fact]:
    if job.state == JobState.SUCCEEDED and changes is not None and not changes.problem:
        text = changes.words if changes.total else "The proposed prompt is the prompt that was sent."
        yield Fact("meaning", "text", "", text, JOB_TONES[job.state], f"{JOB_MARKS[job.state]} ")
        return
    yield from state_facts(job, state)


def _progress(job: Job, known: KnownOfJob | None, state: AppState) -> Iterator[Fact]:
    """The last answer of the server, and when it is asked next."""
    if known is None or job.state != JobState.RUNNING:
        return
    yield Fact(("head", "polls"), "head", "Polling", "")
    polls = known.polls
    answered = polls.last_at if polls is not None and job.stale_since is None else job.answered_at
    word = clean_line(job.last_status or "", 60)
    at = state.when(answered, seconds=True)
    answer = " at ".join(filter(None, (f"“{word}”" if word else "", at)))
    if state.workspace.unwritable:
        next_at = "none: nothing can be saved here"
    elif polls is None:
        next_at = "by another window of this app"
    else:
        next_at = "now" if polls.next_at is None else state.when(polls.next_at, seconds=True)
    named = (("Last answer", answer or "none yet"), ("Next poll", next_at))
    yield from named_facts("poll", [(name, text) for name, text in named if text])


def _summary(job: Job) -> Iterator[Fact]:
    lines = job_words.summary_lines(job)
    yield Fact(("head", "summary"), "head", "Summary", "")
    if not lines:
        yield Fact("no-summary", "text", "", "The server sent no summary.", "dim")
    for n, line in enumerate(lines[:_SUMMARY]):
        yield Fact(("summary", n), "text", "", line, mark="• " if len(lines) > 1 else "")
    if len(lines) > _SUMMARY:
        yield Fact("more-summary", "text", "", f"… {len(lines) - _SUMMARY:,} more lines", "dim")


def _changes(changes: FirstChanges | None) -> Iterator[Fact]:
    if changes is None or not (changes.shown or changes.problem):
        return
    yield Fact(("head", "changes"), "head", "Changes", "")
    if changes.problem:
        yield Fact("problem", "text", "", changes.problem, "warn", "! ")
    for n, change in enumerate(changes.shown, 1):
        size = f" · +{change.added:,} −{change.removed:,}" if change.added or change.removed else ""
        yield Fact(("change-head", n), "text", "", f"{change.place}{size}", "strong", f"{n} ")
        if change.old:
            yield Fact(("old", n), "text", "", change.old, "removed", "  − ")
        if change.new:
            yield Fact(("new", n), "text", "", change.new, "added", "  + ")
    if (more := changes.total - len(changes.shown)) > 0:
        opens = with_keys("{job-list.open} opens all")
        yield Fact("more", "text", "", f"{count(more, 'more change', 'more changes')} · {opens}", "dim")


async def read_known(state: AppState, job: Job) -> KnownOfJob:
    record, owner_runs = await read_record(state, job.number)
    return KnownOfJob(record, owner_runs, await read_polls(state, job) if job.state == JobState.RUNNING else None)


async def read_polls(state: AppState, job: Job) -> PollTimes | None:
    """When a running job was polled last, and is polled next; None where another window does that."""
    return await state.workspace.do(lambda session: session.engine.poll_times(job.number))


async def read_changes(state: AppState, job: Job) -> FirstChanges:
    async def ask(session: Session) -> FirstChanges:
        opened = await session.suggestions.open(job.number)
        diff, choices = opened.diff, opened.choices
        shown = tuple(
            ShownChange(clean_line(hunk.place, 80), hunk.removed, hunk.added, *excerpts(hunk.old, hunk.new))
            for hunk in diff.hunks[:MOST_CHANGES]
        )
        undecided = sum(hunk.number not in choices and hunk.kind != "wrapper" for hunk in diff.hunks)
        return FirstChanges(len(diff.hunks), undecided, diff.removed_words, diff.added_words, shown)

    try:
        return await state.workspace.call(ask)
    except CekuraTuiError as error:
        return FirstChanges(problem=clean(error.message))
