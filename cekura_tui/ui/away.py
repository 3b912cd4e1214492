"""Whether the user is at the terminal, and a message about jobs that ended while the user was away."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual import events

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.state import AppState

if TYPE_CHECKING:
    from textual.app import App

    from cekura_tui.workspace.session import Session


IDLE = 120.0
"""Seconds without input after which the user is away, if the terminal does not report its focus."""


class Presence:
    """Whether the user is there, by the terminal's focus reports, else by input. Times are seconds of one clock."""

    def __init__(self, now: float) -> None:
        self._acted_at = now
        self._left_at: float | None = None
        self._reports_focus = False

    def away_since(self, now: float) -> float | None:
        """When the user left; None while the user is there."""
        if self._left_at is not None:
            return self._left_at
        return self._acted_at if not self._reports_focus and now - self._acted_at > IDLE else None

    def focus_lost(self, now: float) -> None:
        self._reports_focus = True
        self._left_at = now if self._left_at is None else self._left_at

    def active(self, now: float, *, focused: bool = False) -> float | None:
        """Note input, or that the terminal got the focus; return when the user had left, or None."""
        since = self.away_since(now)
        self._acted_at, self._left_at, self._reports_focus = now, None, self._reports_focus or focused
        return since


_WITHOUT_RESULT = (
    (JobState.NO_ISSUES, "without issues"),
    (JobState.FAILED, "failed"),
    (JobState.LOST, "lost"),
    (JobState.UNCONFIRMED, "unconfirmed"),
)


def what_ended(jobs: Sequence[Job]) -> str:
    """How jobs ended, as "3 suggestions, 1 failed"."""
    from cekura_tui.model.job_kinds import KINDS  # no job ends before the first frame

    results = Counter(KINDS[job.kind].result for job in jobs if job.state == JobState.SUCCEEDED)
    states = Counter(job.state for job in jobs)
    parts = [count(number, one, many) for (one, many), number in results.items()]
    parts += [f"{states[state]:,} {words}" for state, words in _WITHOUT_RESULT if states[state]]
    return ", ".join(parts)


def ended_words(jobs: Sequence[Job]) -> str:
    """The same for a notification; a single job with its number and agent."""
    if len(jobs) != 1:
        return what_ended(jobs)
    (job,) = jobs
    return f"job {job.number} {job.state.words}" + (f", {clean_line(job.agent_name, 60)}" if job.agent_name else "")


def away_message(jobs: Sequence[Job]) -> str:
    """One line about the jobs that ended meanwhile; empty if none did."""
    further = with_keys("{app.next-unread} opens the next finished job.")
    return f"While you were away: {what_ended(jobs)}. {further}" if jobs else ""


def next_unread(jobs: Iterable[Job]) -> Job | None:
    """The unread job that ended first."""
    unread = [job for job in jobs if job.unread]
    return min(unread, key=lambda job: (ended_at(job), job.number), default=None)


def ended_at(job: Job) -> float:
    """When a job ended or became uncertain, in Unix time; if unknown, when it was launched."""
    return job.ended_at or job.launched_at or job.created_at


def counts_words(jobs: Iterable[Job]) -> str:
    """How many jobs run and how many are unread, as "2 running · 1 new"; empty if none."""
    listed = list(jobs)
    going, unread = sum(job.state.active for job in listed), sum(job.unread for job in listed)
    return " · ".join([*([f"{going} running"] if going else []), *([f"{unread} new"] if unread else [])])


PATIENCE = 5.0
"""Seconds that the message waits for the server, at most."""
LONG = 60.0
"""Seconds of absence after which the run list is read again."""


@dataclass
class _AwaySummary:
    """What the message waits for. `going` are running jobs by number, with the time of their last answer."""

    going: dict[int, float | None] = field(default_factory=dict)
    visit_read: bool = False
    jobs: bool = False


class WhileAway:
    """Tracks the user's absence, and then shows which jobs ended. `reload_runs` reloads the run list."""

    def __init__(self, app: App[None], app_state: AppState, reload_runs: Callable[[], None]) -> None:
        self._app, self._state, self._reload_runs = app, app_state, reload_runs
        self._presence = Presence(app_state.clock())
        self._unread: frozenset[int] = frozenset()
        self._seen: frozenset[int] = frozenset()
        """The unread jobs that have been reported to the user."""
        self._recorded: frozenset[int] | None = None
        """The unread jobs of the last recorded visit."""
        self._summary: _AwaySummary | None = None

    @property
    def away(self) -> bool:
        return self._presence.away_since(self._state.clock()) is not None

    # Coming and going

    def begin(self) -> None:
        """Report jobs that ended before this workspace was entered."""
        self._unread = self._seen = frozenset()
        self._recorded = None
        going = {job.number: job.answered_at for job in self._state.jobs if job.state.active and not job.other_key}
        summary = self._wait(_AwaySummary(going))
        self._app.run_worker(self._read_last_visit(summary), group="while-away", exclusive=True)

    async def _read_last_visit(self, summary: _AwaySummary) -> None:
        """Read which ends were reported already: those before the last recorded visit."""

        async def ask(session: Session) -> tuple[float | None, list[Job]]:
            return session.store.last_visit(), session.store.jobs.all()

        try:
            looked_at, jobs = await self._state.workspace.call(ask)
        except CekuraTuiError:
            self._summary = None  # `JobsReader` reports why
            return
        old = (job for job in jobs if job.unread and job.number not in summary.going)
        self._seen |= {job.number for job in old if looked_at is None or ended_at(job) <= looked_at}
        summary.visit_read = True
        self._check()

    def input_seen(self, event: events.InputEvent) -> None:
        """Note a key or the mouse; a pointer moving over a terminal without focus does not count."""
        if isinstance(event, events.Key | events.MouseDown) or not self.away:
            self.back()

    def blur(self) -> None:
        self._presence.focus_lost(self._state.clock())
        if self._summary is None:
            self._record_visit()

    def leaving(self) -> None:
        """Record the visit of a user who quits."""
        if not self.away and self._summary is None:
            self._record_visit()

    def back(self, *, focused: bool = False) -> None:
        """Note that the user acts, or that the terminal got the focus."""
        now = self._state.clock()
        since = self._presence.active(now, focused=focused)
        if self._summary is not None:
            self._check()
        elif since is None:
            self._seen = self._unread
        else:
            if now - since > LONG:
                self._reload_runs()
            self._wait(_AwaySummary(visit_read=True, jobs=True))
            self._check()

    # What is read

    def jobs_read(self, jobs: Sequence[Job]) -> None:
        self._unread = frozenset(job.number for job in jobs if job.unread)
        if self._summary is not None:
            self._summary.jobs = True
            self._check()

    def withholds(self, number: int) -> bool:
        """Whether the message will report the end of this job."""
        return self._summary is not None and number in self._summary.going

    def reported(self, numbers: Collection[int]) -> None:
        """Note that the ends of these jobs were reported."""
        if self._summary is not None and not self.away:
            self._seen |= frozenset(numbers)

    # The line

    def _wait(self, summary: _AwaySummary) -> _AwaySummary:
        def give_up() -> None:
            summary.going.clear()
            self._check()

        self._summary = summary
        self._app.set_timer(PATIENCE, give_up)
        return summary

    def _check(self) -> None:
        """Show the message once everything is known and the user is there."""
        summary = self._summary
        if summary is None or not (summary.visit_read and summary.jobs) or self.away:
            return
        running = [job for job in self._state.jobs if job.state.active and job.stale_since is None]
        if any(job.number in summary.going and job.answered_at == summary.going[job.number] for job in running):
            return  # the server has not answered about these yet
        self._summary = None
        news = [job for job in self._state.jobs if job.unread and job.number not in self._seen]
        if line := away_message(news):
            self._app.notify(line, timeout=10, markup=False)
        self._record_visit()

    def _record_visit(self) -> None:
        """Record a visit, unless the same jobs are unread as at the last one."""
        self._seen = self._unread
        if self._recorded == self._unread:
            return
        self._recorded = self._unread
        with contextlib.suppress(CekuraTuiError):
            self._state.workspace.send(lambda session: session.jobs.note_visit())
