"""The preview beside the list of jobs, with the proposed changes or the progress of the job under the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import OPEN_LAUNCH, Job, JobState
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.prose.lines import change_words
from cekura_tui.ui.jobs import words as job_words
from cekura_tui.ui.jobs.facts import Fact, named_facts, state_facts
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import JOB_MARKS, JOB_TONES
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.job_service import JobRecord
from cekura_tui.workspace.session import Session

MAX_CHANGES = 5
_EXCERPT = 240
"""Maximum length of an excerpt in characters."""
_MAX_SUMMARY_LINES = 12


class ChangeExcerpt(NamedTuple):
    """A change of the prompt: the place, the numbers of words, and one-line excerpts of the old and the new text."""

    place: str
    removed: int
    added: int
    old: str
    new: str


class ChangeSummary(NamedTuple):
    """The totals of a suggestion's changes, and excerpts of the first changes. `size` is the number of staged words, or
    of proposed words while none are staged. `problem` says why the changes could not be loaded, if so."""

    total: int = 0
    undecided: int = 0
    size: str = ""
    shown: tuple[ChangeExcerpt, ...] = ()
    problem: str = ""

    @property
    def words(self) -> str:
        """The totals as a text, such as "4 changes, 2 undecided · staged +36 −12 words"."""
        decided = f"{self.undecided:,} undecided" if self.undecided else "all decided"
        return f"{count(self.total, 'change')}, {decided} · {self.size}"


def excerpts(old: str, new: str) -> tuple[str, str]:
    """One line of the old and one of the new text. Both lines start shortly before the first difference."""
    old, new = clean_line(old, 4_000), clean_line(new, 4_000)
    differ = (n for n, (was, now) in enumerate(zip(old, new, strict=False)) if was != now)
    same = next(differ, min(len(old), len(new)))
    start = old.rfind(" ", 0, max(same - 24, 0)) + 1
    before = "… " if start else ""
    return clean_line(before + old[start:], _EXCERPT), clean_line(before + new[start:], _EXCERPT)


def preview_rows(job: Job, record: JobRecord | None, changes: ChangeSummary | None, state: AppState) -> list[Fact]:
    """The rows of the preview. `record` may be older than `job`. `record` and `changes` are None while loading."""
    rows = [*_headline(job, changes, state)]
    if job.state.active:
        rows += _progress(job, record, state)
    elif job.improved_sha256 is not None:
        rows += _summary(job)
        rows += _changes(changes)
    rows.append(Fact(("head", "job"), "head", "Job", ""))
    polled = "Status" if job.state.active else ""  # already shown as the last answer
    rows += named_facts("fact", [fact for fact in job_words.job_facts(job, state) if fact[0] != polled])
    if record is None:
        return rows
    if job.state in OPEN_LAUNCH:
        rows += named_facts("known", job_words.launch_facts(record, state))
    rows += named_facts("sent", record.sent)
    rows.append(Fact(("head", "states"), "head", "States", ""))
    for n, change in enumerate(record.changes):
        repeated = change.reason in (job.reason, job.error)
        words = f"{change.state.words}  {'' if repeated else clean_line(change.reason)}".strip()
        rows.append(Fact(("change", n), "fact", state.when(change.at), words))
    return rows


def _headline(job: Job, changes: ChangeSummary | None, state: AppState) -> Iterator[Fact]:
    if job.state == JobState.SUCCEEDED and changes is not None and not changes.problem:
        text = changes.words if changes.total else "The proposed prompt is the prompt that was sent."
        text += f" · {job.update.words(state.when)}" if job.update is not None else ""
        yield Fact("meaning", "text", "", text, JOB_TONES[job.state], f"{JOB_MARKS[job.state]} ")
        return
    yield from state_facts(job, state)


def _progress(job: Job, record: JobRecord | None, state: AppState) -> Iterator[Fact]:
    """The server's last answer and the time of the next poll, if the job runs and its record is loaded."""
    if record is None or job.state != JobState.RUNNING or job.is_local:
        return
    yield Fact(("head", "polls"), "head", "Polling", "")
    polls = record.polls
    answered = polls.last_at if polls is not None and job.stale_since is None else job.answered_at
    word = clean_line(job.last_status or "", 60)
    at = state.when(answered, seconds=True)
    answer = " at ".join(filter(None, (f"“{word}”" if word else "", at)))
    if state.workspace.unwritable or state.hints.warning:
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
        yield Fact("no-summary", "text", "", "No summary of the changes.", "dim")
    for n, line in enumerate(lines[:_MAX_SUMMARY_LINES]):
        yield Fact(("summary", n), "text", "", line, mark="• " if len(lines) > 1 else "")
    if len(lines) > _MAX_SUMMARY_LINES:
        yield Fact("more-summary", "text", "", f"… {len(lines) - _MAX_SUMMARY_LINES:,} more lines", "dim")


def _changes(changes: ChangeSummary | None) -> Iterator[Fact]:
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


async def read_changes(state: AppState, job: Job) -> ChangeSummary:
    async def ask(session: Session) -> ChangeSummary:
        opened = await session.suggestions.open(job.number)
        diff = opened.diff
        shown = tuple(
            ChangeExcerpt(clean_line(hunk.place, 80), hunk.removed, hunk.added, *excerpts(hunk.old, hunk.new))
            for hunk in diff.hunks[:MAX_CHANGES]
        )
        staged = opened.counts.counts
        size = f"staged {staged} words" if staged else f"{change_words(diff)} proposed"
        return ChangeSummary(len(diff.hunks), len(opened.undecided), size, shown)

    try:
        return await state.workspace.call(ask)
    except CekuraTuiError as error:
        return ChangeSummary(problem=clean(error.message))
