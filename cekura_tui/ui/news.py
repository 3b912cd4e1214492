"""Report ended jobs, on screen and through the terminal, and errors that prevent polling."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from textual.app import App
from textual.notifications import SeverityLevel
from textual.timer import Timer

from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.ui.away import WhileAway, job_counts_text, next_unread, notification_text
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import JOB_MARKS
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.notifications import Title, notification, write_between_frames
from cekura_tui.ui.terminal.textual_private import drop_toasts

NOTIFY_INTERVAL = 5.0
"""Minimum seconds between two notifications through the terminal."""


_SUCCESSES = (JobState.SUCCEEDED, JobState.NO_ISSUES)
_MAX_NAMED = 4
"""Maximum number of jobs that a message names."""


def end_message(ended: Sequence[Job], first: Job | None) -> str:
    """A toast's text on ended jobs, successes first, and what `U` opens. `first` is the unread job that ended first."""
    words = {JobState.NO_ISSUES: "found no issues"}
    ordered = sorted(ended, key=lambda job: job.state not in _SUCCESSES)
    texts = [f"job {job.number} {words.get(job.state, job.state.words)}" for job in ordered[:_MAX_NAMED]]
    message = f"{JOB_MARKS[ordered[0].state]} {', '.join(texts).capitalize()}"
    more = f" and {len(ended) - _MAX_NAMED:,} more" if len(ended) > _MAX_NAMED else ""
    what = "the next finished job"
    if first is not None and [job.number for job in ended] == [first.number]:
        what = f"the {KINDS[first.kind].result[0]}" if first.has_result_page else "the details"
    return f"{message}{more} · {with_keys('{app.next-unread}')} opens {what}"


class News:
    """Puts newly read jobs into the state, and reports ended jobs."""

    def __init__(self, app: App[None], state: AppState, reload_runs: Callable[[], None]) -> None:
        self._app, self._state = app, state
        self.away = WhileAway(app, state, reload_runs)
        self._known: dict[int, JobState] | None = None
        self._trouble = ""
        self._unsent: dict[int, Job] = {}
        self._sending: Timer | None = None
        self._sent_at = -NOTIFY_INTERVAL
        self._title: Title | None = None

    @property
    def former_title(self) -> str:
        """The control sequence that restores the terminal's title at exit; "" if the title was never set."""
        return self._title.restore_sequence if self._title else ""

    def begin(self) -> None:
        """Enter a workspace; `away` reports the jobs that ended earlier."""
        self._known = None
        self._unsent.clear()
        self.away.begin()
        self._show_title()

    def jobs_read(self, jobs: Sequence[Job]) -> None:
        """Put the jobs into the state, and report in one message which jobs ended since the last read. If the user is
        away, also notify the user through the terminal."""
        ended = self._ended(jobs)
        self._state.put_jobs(jobs)
        if fresh := [job for job in ended if not self.away.will_report(job.number)]:
            self._toast(fresh)
        if ended and self.away.away:
            self._unsent |= {job.number: job for job in ended}
            if self._sending is None:
                wait = self._sent_at + NOTIFY_INTERVAL - time.monotonic()
                self._sending = self._app.set_timer(max(wait, 0.01), self._send)
        self.away.jobs_read(jobs)
        self._show_title()

    def _ended(self, jobs: Sequence[Job]) -> list[Job]:
        before = {job.number: job.state for job in self._state.jobs} if self._known is None else self._known
        # At the first read, an unknown job may have ended long ago; later, it is new.
        new = [job for job in jobs if job.number in before or self._known is not None]
        self._known = {job.number: job.state for job in jobs}
        return [job for job in new if job.unread and before.get(job.number) != job.state]

    def _toast(self, ended: Sequence[Job]) -> None:
        well = any(job.state in _SUCCESSES for job in ended)
        severity: SeverityLevel = "information" if well else "warning"
        message = self._state.end_message = end_message(ended, next_unread(self._state.jobs))
        self._app.notify(message, severity=severity, markup=False, timeout=8)
        self.away.already_reported({job.number for job in ended})

    def _send(self) -> None:
        """Send one notification about all jobs that ended since the last notification, unless the user is back."""
        self._sending = None
        ended = list(self._unsent.values())
        self._unsent.clear()
        if ended and self.away.away:
            wanted = self._state.workspace.setup.settings.notify
            self._sent_at = time.monotonic()
            write_between_frames(self._app, notification(wanted, "cekura-tui", notification_text(ended), os.environ))

    def _show_title(self) -> None:
        if not self._state.workspace.setup.settings.title:
            return
        if self._title is None:
            self._title = Title(lambda text: write_between_frames(self._app, text))
        self._title.show(job_counts_text(self._state.jobs) or "cekura-tui")

    def report_trouble(self, error: CekuraTuiError | None) -> None:
        """Warn why jobs can't be polled, unless the last warning said the same. `error` is None if jobs can be polled.
        A warning to restart the program stays on screen."""
        text = error.sentence() if error else ""
        if error and error.exit_status == Exit.RESTART_NEEDED:
            self._state.hints.warning = text
            self._state.hints.changed()
        elif text and text != self._trouble:
            self._warn(text, error.title if error else "")
        self._trouble = text

    def report_not_saved(self) -> None:
        """Show what is not saved yet, until it is saved."""
        if (text := self._state.workspace.unsaved.sentence) != (former := self._state.not_saved):
            drop_toasts(self._app, lambda toast: former != "" and toast.message.startswith(former))
            self._state.not_saved = text
            if text:
                self._warn(text, seconds=1e6)

    def report_notices(self) -> None:
        notices = self._state.workspace.notices
        while notices:
            self._warn(notices.popleft(), seconds=30)

    def _warn(self, text: str, title: str = "", seconds: float = 15) -> None:
        self._app.notify(text, title=title, severity="warning", markup=False, timeout=seconds)
