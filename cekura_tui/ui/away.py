"""Track whether the user is at the terminal, and report jobs that ended while the user was away."""

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


AWAY_AFTER = 120.0
"""Seconds without input after which the user counts as away, if the terminal does not report its focus."""


class Presence:
    """Decides whether the user is present, by the terminal's focus reports or, if there are none, by input. Times are
    seconds of one clock."""

    def __init__(self, now: float) -> None:
        self._acted_at = now
        self._left_at: float | None = None
        self._reports_focus = False

    def away_since(self, now: float) -> float | None:
        """When the user left; None while the user is present."""
        if self._left_at is not None:
            return self._left_at
        return self._acted_at if not self._reports_focus and now - self._acted_at > AWAY_AFTER else None

    def focus_lost(self, now: float) -> None:
        self._reports_focus = True
        self._left_at = now if self._left_at is None else self._left_at

    def record_activity(self, now: float, *, focused: bool = False) -> float | None:
        """Record input or a focus report (`focused`). Return when the user had left; None if the user was present."""
        since = self.away_since(now)
        self._acted_at, self._left_at, self._reports_focus = now, None, self._reports_focus or focused
        return since


_WITHOUT_RESULT = (
    (JobState.NO_ISSUES, "without issues"),
    (JobState.FAILED, "failed"),
    (JobState.LOST, "lost"),
    (JobState.UNCONFIRMED, "unconfirmed"),
)


def count_outcomes(jobs: Sequence[Job]) -> str:
    """Count jobs by outcome: "3 suggestions, 1 failed"."""
    from cekura_tui.model.job_kinds import KINDS  # not needed for the first frame

    results = Counter(KINDS[job.kind].result for job in jobs if job.state == JobState.SUCCEEDED)
    states = Counter(job.state for job in jobs)
    parts = [count(number, one, many) for (one, many), number in results.items()]
    parts += [f"{states[state]:,} {words}" for state, words in _WITHOUT_RESULT if states[state]]
    return ", ".join(parts)


def notification_text(jobs: Sequence[Job]) -> str:
    """The text of a notification: number, state and agent of a single job, or the outcomes of several jobs."""
    if len(jobs) != 1:
        return count_outcomes(jobs)
    (job,) = jobs
    return f"job {job.number} {job.state.words}" + (f", {clean_line(job.agent_name, 60)}" if job.agent_name else "")


def away_message(jobs: Sequence[Job]) -> str:
    """One line about jobs that ended while the user was away; "" if there are no jobs."""
    further = with_keys("{app.next-unread} opens the next finished job.")
    return f"While you were away: {count_outcomes(jobs)}. {further}" if jobs else ""


def next_unread(jobs: Iterable[Job]) -> Job | None:
    """The unread job that ended first; None if all jobs are read."""
    unread = [job for job in jobs if job.unread]
    return min(unread, key=lambda job: (ended_at(job), job.number), default=None)


def ended_at(job: Job) -> float:
    """Unix time when a job ended; if this is unknown, when the job was launched or, before a launch, created."""
    return job.ended_at or job.launched_at or job.created_at


def job_counts_text(jobs: Iterable[Job]) -> str:
    """Count running and unread jobs: "2 running · 1 new"; "" if no job is running or unread."""
    listed = list(jobs)
    running, unread = sum(job.state.active for job in listed), sum(job.unread for job in listed)
    return " · ".join([*([f"{running} running"] if running else []), *([f"{unread} new"] if unread else [])])


SERVER_PATIENCE = 5.0
"""Maximum seconds that the message about ended jobs waits for the server's answers."""


@dataclass
class _PendingMessage:
    """A message that waits for the last visit's time, the jobs and an answer about each running job. `running` maps
    such a job's number to the time of its last answer, None before the first."""

    running: dict[int, float | None] = field(default_factory=dict)
    visit_read: bool = False
    jobs_read: bool = False


class WhileAway:
    """Tracks the user's absence, and shows on return which jobs ended; after a long one, `reload_runs` is called."""

    def __init__(self, app: App[None], app_state: AppState, reload_runs: Callable[[], None]) -> None:
        self._app, self._state, self._reload_runs = app, app_state, reload_runs
        self._presence = Presence(app_state.clock())
        self._unread: frozenset[int] = frozenset()
        self._seen: frozenset[int] = frozenset()
        """Numbers of the unread jobs that were already reported to the user."""
        self._recorded: frozenset[int] | None = None
        """Numbers of the jobs that were unread at the last recorded visit; None if no visit has been recorded yet."""
        self._pending: _PendingMessage | None = None

    @property
    def away(self) -> bool:
        return self._presence.away_since(self._state.clock()) is not None

    def begin(self) -> None:
        """Enter a workspace and report the jobs that ended since the last recorded visit."""
        self._unread = self._seen = frozenset()
        self._recorded = None
        running = {job.number: job.answered_at for job in self._state.jobs if job.state.active and not job.other_key}
        pending = self._wait(_PendingMessage(running))
        self._app.run_worker(self._read_last_visit(pending), group="while-away", exclusive=True)

    async def _read_last_visit(self, pending: _PendingMessage) -> None:
        """Treat unread jobs as reported if they ended before the last recorded visit, or if there was no visit. Jobs
        that were running at `begin` are excluded, because the message reports how they end."""

        async def ask(session: Session) -> tuple[float | None, list[Job]]:
            return session.store.last_visit(), session.store.jobs.all()

        try:
            looked_at, jobs = await self._state.workspace.call(ask)
        except CekuraTuiError:
            self._pending = None  # `JobsReader` reports the error
            return
        old = (job for job in jobs if job.unread and job.number not in pending.running)
        self._seen |= {job.number for job in old if looked_at is None or ended_at(job) <= looked_at}
        pending.visit_read = True
        self._show_when_ready()

    def handle_input(self, event: events.InputEvent) -> None:
        """Record a key or mouse event; mouse movement alone does not end an absence."""
        if isinstance(event, events.Key | events.MouseDown) or not self.away:
            self.user_active()

    def blur(self) -> None:
        self._presence.focus_lost(self._state.clock())
        if self._pending is None:
            self._record_visit()

    def user_quits(self) -> None:
        """Record a visit, unless the user is away or a message is pending."""
        if not self.away and self._pending is None:
            self._record_visit()

    def user_active(self, *, focused: bool = False) -> None:
        """Record that the user is active, and report the jobs that ended during an absence. After more than a minute,
        also reload the runs."""
        now = self._state.clock()
        since = self._presence.record_activity(now, focused=focused)
        if self._pending is not None:
            self._show_when_ready()
        elif since is None:
            self._seen = self._unread
        else:
            if now - since > 60:
                self._reload_runs()
            self._wait(_PendingMessage(visit_read=True, jobs_read=True))
            self._show_when_ready()

    def jobs_read(self, jobs: Sequence[Job]) -> None:
        self._unread = frozenset(job.number for job in jobs if job.unread)
        if self._pending is not None:
            self._pending.jobs_read = True
            self._show_when_ready()

    def will_report(self, number: int) -> bool:
        """Whether the pending message will report the end of this job."""
        return self._pending is not None and number in self._pending.running

    def already_reported(self, numbers: Collection[int]) -> None:
        """Leave these jobs out of the pending message, because a toast has just reported them to a present user."""
        if self._pending is not None and not self.away:
            self._seen |= frozenset(numbers)

    def _wait(self, pending: _PendingMessage) -> _PendingMessage:
        def give_up() -> None:
            pending.running.clear()
            self._show_when_ready()

        self._pending = pending
        self._app.set_timer(SERVER_PATIENCE, give_up)
        return pending

    def _show_when_ready(self) -> None:
        """Show the message once all data for it has arrived and the user is present."""
        pending = self._pending
        if pending is None or not (pending.visit_read and pending.jobs_read) or self.away:
            return
        running = [job for job in self._state.jobs if job.state.active and job.stale_since is None]
        if any(job.number in pending.running and job.answered_at == pending.running[job.number] for job in running):
            return  # the server has not answered about this job yet
        self._pending = None
        news = [job for job in self._state.jobs if job.unread and job.number not in self._seen]
        if line := away_message(news):
            self._app.notify(line, timeout=10, markup=False)
        self._record_visit()

    def _record_visit(self) -> None:
        """Treat all unread jobs as reported; record a visit if the unread jobs changed since the last visit."""
        self._seen = self._unread
        if self._recorded == self._unread:
            return
        self._recorded = self._unread
        with contextlib.suppress(CekuraTuiError):
            self._state.workspace.send(lambda session: session.jobs.note_visit())
