"""`jobs watch`: a line for every change of a job, for logs and screen readers."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import Options
from cekura_tui.cli.output import complain, is_unread, print_message, put, put_json
from cekura_tui.cli.script import OtherKey, SilenceCheck, run_script, state_line
from cekura_tui.model.errors import CekuraTuiError, UsageError

if TYPE_CHECKING:
    from cekura_tui.model.job import Job
    from cekura_tui.model.json_shapes import JobChangeJson
    from cekura_tui.workspace.session import Session

TICK = 1.0
"""Seconds between two looks at whether there is still a reader."""


@click.command("watch")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def watch_jobs(options: Options, as_json: bool) -> None:
    """Follow all jobs, one line per change.

    Starts with the unfinished jobs and includes jobs launched later. Ends when interrupted, or when the output is
    closed.
    """

    run_script(options, _Watch(as_json).go_on)


class _Watch:
    """The jobs as they were told of last, and what was complained of."""

    _session: Session
    _silence_check: SilenceCheck

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._reported: dict[int, Job] = {}
        self._started = False
        self._complaint: str | None = None
        self._refused = False

    async def go_on(self, session: Session) -> None:
        """Tell of changes for ever; raises BrokenPipeError once nobody reads, and OtherKey where one takes the place of
        this session's."""
        session.jobs.need_records()
        self._session, self._silence_check = session, SilenceCheck(session)
        session.engine.start()
        if session.setup.key_is_saved:
            session.jobs.take_over(lost=self._refused)
        news = True
        while not is_unread():
            if news:
                news = not await self._look()
            self._complain()
            self._take_up_key()
            news |= await self._session.engine.news(TICK)
        raise BrokenPipeError

    async def _look(self) -> bool:
        """Tell of every job that is another than before; returns whether the jobs could be read."""
        from cekura_tui.store.errors import StoreError

        try:
            jobs = {job.number: job for job in reversed(await self._session.jobs.all())}
            for number in self._reported.keys() - jobs.keys():
                jobs[number] = await self._left(number)
        except StoreError as error:
            self._complain_once(error)
            return False
        for job in jobs.values():
            before = self._reported.get(job.number)
            self._reported[job.number] = job
            changed = before is None or self._seen(before) != self._seen(job)
            # What had ended before anybody watched is no news.
            if changed and (self._started or job.state.going):
                self._put(job)
        if not self._started and not any(job.state.going for job in jobs.values()):
            print_message("No unfinished jobs. Waiting for the next launch.")
        self._started = True
        return True

    async def _left(self, number: int) -> Job:
        """A job that is in the list no more: it is a draft again, or was forgotten, or cannot be read any more."""
        from cekura_tui.model.job import JobState
        from cekura_tui.store.job_reading import UnreadableJob

        try:
            return await self._session.jobs.get(number)
        except UnreadableJob:
            return self._reported[number]
        except UsageError:
            return replace(self._reported[number], state=JobState.FORGOTTEN, reason="", error=None)

    def _take_up_key(self) -> None:
        """Go on with a key that was signed in with elsewhere, where this one is refused or has nothing to ask about."""
        from cekura_tui.store.errors import StoreError

        engine = self._session.engine
        with contextlib.suppress(StoreError):
            if self._silence_check.ask(self._reported.values()) and engine.paused is not None:
                engine.resume_polling()  # the process that asks hears of jobs again
        if (engine.paused is not None or engine.idle) and (key := self._session.setup.signed_in_since()):
            print_message("Signed in with another key. Watching with the new key.")
            raise OtherKey(key)

    def _seen(self, job: Job) -> object:
        """What a reader sees of a job."""
        return job.to_json() if self._as_json else state_line(job)

    def _put(self, job: Job) -> None:
        if self._as_json:
            from datetime import UTC, datetime

            change: JobChangeJson = {**job.to_json(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
            put_json(change)
        else:
            put(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {state_line(job)}")

    def _complain(self) -> None:
        """Say once why nothing is asked, or recorded, or what cannot be read, at the moment."""
        engine = self._session.engine
        if trouble := engine.trouble or self._session.jobs.unreadable:
            self._complain_once(trouble)
        if engine.paused is not None and not self._refused:
            complain(engine.paused)
            print_message("Still watching. Polling resumes when the server accepts a key.")
        self._refused = engine.paused is not None

    def _complain_once(self, error: CekuraTuiError) -> None:
        if self._complaint != error.sentence():
            self._complaint = error.sentence()
            complain(error)
