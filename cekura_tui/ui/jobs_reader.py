"""Reload the jobs after a change in the background, at most once a second, and pass the jobs to `News`."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

from textual.app import App
from textual.worker import Worker

from cekura_tui.model.errors import CekuraTuiError, KeyMissing
from cekura_tui.model.job import Job
from cekura_tui.ui.messages import BackgroundChanged, WorkspaceChanged
from cekura_tui.ui.news import News
from cekura_tui.ui.state import AppState

READ_INTERVAL = 1.0
"""Minimum seconds between two reads of the jobs."""


class JobsReader:
    def __init__(self, app: App[None], state: AppState, news: News) -> None:
        self._app, self._state, self._news = app, state, news
        state.mark_read = self.mark_read
        self._marking: set[int] = set()
        """Numbers of opened jobs that the store has not recorded as read yet."""
        self._is_queued = self._reading_soon = False
        self._key_changes = 0
        self._read_at = 0.0

    def background_changed(self) -> None:
        """Post `BackgroundChanged` unless such a message is queued already; called on the background loop."""
        if not self._is_queued:
            self._is_queued = True
            self._app.post_message(BackgroundChanged())

    def read_soon(self) -> None:
        """Publish the change now, and read the jobs as soon as `READ_INTERVAL` allows."""
        self._is_queued = False
        self._state.data_changed.publish(None)
        if not self._reading_soon:
            self._reading_soon = True
            wait = self._read_at + READ_INTERVAL - time.monotonic()
            self._app.set_timer(max(wait, 0.01), self.read)

    def read(self) -> None:
        # Not a coroutine object, which would never be awaited if a second call cancels the worker before it starts.
        _: Worker[None] = self._app.run_worker(self._read, group="jobs", exclusive=True)

    async def _read(self) -> None:
        self._reading_soon = False
        self._read_at = time.monotonic()
        workspace = self._state.workspace
        try:
            jobs, durations, trouble = await workspace.call(lambda session: session.jobs.overview())
        except KeyMissing:
            return  # the sign-in screen reports it
        except CekuraTuiError as error:
            self._news.report_trouble(error)
            return
        if self._key_changes != workspace.key_changes:
            self._key_changes = workspace.key_changes
            self._app.post_message(WorkspaceChanged())
            return
        self._state.put_durations(durations)
        self._news.report_notices()
        now = self._state.clock()
        self._news.jobs_read(
            [replace(job, looked_at=now) if job.unread and job.number in self._marking else job for job in jobs]
        )
        self._news.report_trouble(trouble)

    def mark_read(self, job: Job) -> None:
        self._state.put_job(replace(job, looked_at=self._state.clock()))
        self._marking.add(job.number)
        self._app.run_worker(self._record_read(job.number), group="look")

    async def _record_read(self, number: int) -> None:
        with contextlib.suppress(CekuraTuiError):  # the job stays unread; `_read` reports the error
            await self._state.workspace.do(lambda session: session.store.jobs.mark_seen(number, time.time()))
        self._marking.discard(number)
        self.read()
