"""Whether somebody is at the terminal, and what happened while nobody was, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.view import RunRow

IDLE = 120.0
"""Seconds without a key or the mouse after which nobody is there, where the terminal does not tell its focus."""


class Presence:
    """Whether somebody is there: by the terminal's word, else by keys and mouse. Times are seconds of one clock."""

    def __init__(self, now: float) -> None:
        self._acted_at = now
        self._left_at: float | None = None
        self._told = False

    def away_since(self, now: float) -> float | None:
        """Since when nobody is there, or None where somebody is."""
        if self._left_at is not None:
            return self._left_at
        return self._acted_at if not self._told and now - self._acted_at > IDLE else None

    def left(self, now: float) -> None:
        """The terminal says that it lost the focus."""
        self._told = True
        self._left_at = now if self._left_at is None else self._left_at

    def back(self, now: float, *, told: bool = False) -> float | None:
        """Somebody acts, or the terminal `told` that it has the focus; returns since when nobody was there."""
        since = self.away_since(now)
        self._acted_at, self._left_at, self._told = now, None, self._told or told
        return since


@dataclass(frozen=True, slots=True)
class NewFailures:
    """Runs of a list that failed since it was read before; `more` tells that there may be others beyond those read."""

    count: int = 0
    more: bool = False


def new_failures(before: Sequence[RunRow] | None, now: Sequence[RunRow], *, whole: bool) -> NewFailures:
    """Compare a list as it was with its newest runs as they are, `whole` where these are all of it.

    Without a list of before there is nothing to compare. A run that was going on before and has failed is new.
    """
    if before is None:
        return NewFailures()
    settled = {row.id for row in before if row.outcome.settled}
    oldest = min((row.id for row in before), default=0)
    fresh = [row for row in now if row.id >= oldest and row.id not in settled]
    failed = sum(row.outcome.kind in ("failed", "error") for row in fresh)
    reached = whole or bool({row.id for row in before} & {row.id for row in now})
    return NewFailures(failed, more=failed > 0 and not reached)


_ENDS = (
    (JobState.SUCCEEDED, "suggestion", "suggestions"),
    (JobState.NO_ISSUES, "without issues", "without issues"),
    (JobState.FAILED, "failed", "failed"),
    (JobState.LOST, "lost", "lost"),
    (JobState.UNCONFIRMED, "unconfirmed", "unconfirmed"),
)


def what_ended(jobs: Iterable[Job]) -> str:
    """How jobs ended, as "3 suggestions, 1 failed"."""
    states = [job.state for job in jobs]
    return ", ".join(count(states.count(state), one, many) for state, one, many in _ENDS if state in states)


def told_of(jobs: Sequence[Job]) -> str:
    """The same for somebody who is elsewhere; a single job with its number and agent."""
    if len(jobs) != 1:
        return what_ended(jobs)
    (job,) = jobs
    return f"job {job.number} {job.state.words}" + (f", {clean_line(job.agent_name, 60)}" if job.agent_name else "")


def away_line(jobs: Sequence[Job], failures: NewFailures) -> str:
    """What happened meanwhile, in one line; empty where nothing did."""
    parts = [what_ended(jobs)] if jobs else []
    if failures.count:
        least = "at least " if failures.more else ""
        parts.append(f"{least}{count(failures.count, 'new failure')} in this view")
    further = " U goes to the next." if jobs else ""
    return f"While you were away: {', '.join(parts)}.{further}" if parts else ""


def next_unread(jobs: Iterable[Job]) -> Job | None:
    """The job that ended longest ago of those that nobody has looked at."""
    unread = [job for job in jobs if job.unread]
    return min(unread, key=lambda job: (ended_at(job), job.number), default=None)


def ended_at(job: Job) -> float:
    """When a job ended, in Unix time; of one that only became uncertain, when it was launched."""
    return job.finished_at or job.launched_at or job.created_at


def in_short(jobs: Iterable[Job]) -> str:
    """How many jobs run and how many nobody has looked at, as "2 running · 1 new"; empty where none does."""
    listed = list(jobs)
    going, unread = sum(job.state.going for job in listed), sum(job.unread for job in listed)
    return " · ".join([*([f"{going} running"] if going else []), *([f"{unread} new"] if unread else [])])
