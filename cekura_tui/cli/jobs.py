"""The group `jobs` and its commands; `show` is in `job_show`."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.completion import offer_jobs
from cekura_tui.cli.job_show import show_job
from cekura_tui.cli.options import JOB, Options, current_options, json_option
from cekura_tui.cli.output import complain, is_unread, print_message, printing, put, put_json, put_table
from cekura_tui.cli.script import OtherKey, command, exit_of, run_script, state_line, wait_for_jobs
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError

if TYPE_CHECKING:
    from cekura_tui.model.job import Job
    from cekura_tui.workspace.session import Session


FIRST_ANSWER = 10.0
"""Seconds that `jobs resume` waits for an answer."""
TICK = 1.0
"""Seconds between two looks at whether there is still a reader."""


@click.group()
def jobs() -> None:
    """List, follow and forget jobs launched from this machine."""


@command("wait", jobs)
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=offer_jobs)
@click.option("--timeout", "within", type=click.FloatRange(min=0), metavar="S", help="Stop waiting after S seconds.")
@json_option("per job at the end")
async def wait_jobs(session: Session, numbers: tuple[int, ...], within: float | None, as_json: bool) -> Exit:
    """Wait until jobs end. Exits with 0 (all succeeded), 3 (one found no issues) or 1."""
    ended = await wait_for_jobs(session, tuple(dict.fromkeys(numbers)), within)
    with printing():
        for job in ended if as_json else ():
            put_json((await session.jobs.suggestion(job.number)).to_json())
    if any(job.state.active for job in ended):
        print_message("Timed out. Unfinished jobs still run on the server.")
    return exit_of(ended)


@command("resume", jobs)
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=offer_jobs)
async def resume_jobs(session: Session, numbers: tuple[int, ...]) -> Exit:
    """Poll stopped, lost or failed jobs again.

    Also polls jobs launched with another key. Waits a moment for the first answers; exits with 0 if the jobs run or
    have ended, else with 1.
    """
    numbers = tuple(dict.fromkeys(numbers))
    for number in numbers:
        await session.jobs.resumable(number)
    status, since, asked, options = Exit.DONE, time.time(), [], current_options()
    session.engine.start()
    for number in numbers:
        try:
            asked.append((await session.jobs.resume(number)).number)
        except CekuraTuiError as error:
            complain(error)
            status = max(status, error.exit_status)
    end = time.monotonic() + FIRST_ANSWER
    while asked:
        if session.engine.paused is not None:
            raise session.engine.paused
        late = time.monotonic() >= end
        for number in asked[:]:
            job = await session.jobs.get(number)
            if came := _came(job, since):
                print_message(state_line(job))
            elif late:
                print_message(
                    f"{state_line(job)}. No answer yet. To wait, run `{options.again(f'jobs wait {number}')}`."
                )
            if came or late:
                asked.remove(number)
                if not (job.state.active or job.state.final):
                    status = max(status, Exit.NOT_SUCCEEDED)
        if asked:
            await session.engine.news(max(0.0, min(1.0, end - time.monotonic())))
    return status


def _came(job: Job, since: float) -> bool:
    """Whether a job ended, was answered, or its server stopped answering since then."""
    last_sign = max(job.answered_at or 0.0, job.stale_since or 0.0)
    return not job.state.active or last_sign >= since


@command("list", jobs, key=False)
@click.option("--drafts", is_flag=True, help="Include drafts.")
@json_option("per line")
async def list_jobs(session: Session, drafts: bool, as_json: bool) -> None:
    """List jobs, newest first."""
    found = session.store.jobs.all(drafts=drafts)
    if session.store.jobs.unreadable is not None:
        complain(session.store.jobs.unreadable)
    elif not found and not as_json:
        print_message("No jobs yet. Launch one with `improve`.")
    if as_json:
        for job in found:
            put_json(job.to_json())
    if as_json or not found:
        return
    from cekura_tui.model.text import clean_line, clock_text

    put_table(
        ("JOB", "STATE", "RUNS", "AGENT", "LAUNCHED", "LAST ANSWER"),
        (
            (
                str(job.number),
                job.state.words,
                clean_line(_about(job), 40),
                clean_line(job.agent_name, 30),
                clock_text(job.launched_at) if job.launched_at else "",
                clean_line(_last_message(job), 60),
            )
            for job in found
        ),
    )


def _about(job: Job) -> str:
    """The runs that were sent, or what another kind of job sends."""
    from cekura_tui.model.job_kinds import KINDS

    return KINDS[job.kind].content(job) if job.parameters else " ".join(map(str, job.run_ids))


def _last_message(job: Job) -> str:
    if job.other_key and not job.state.final:
        return "launched with another key"
    brought = job.summary_of_changes if job.result is not None else None  # of a prompt it is long
    message = job.error or job.reason or brought or job.last_status or ""
    if job.state in ("lost", "unconfirmed") and job.since is not None:
        from cekura_tui.model.text import clock_text

        return f"since {clock_text(job.since)}: {message}"
    return message


@command("adopt", jobs, key=False)
@click.argument("job_number", type=JOB, metavar="ID", shell_complete=offer_jobs)
@click.argument("progress_id", metavar="PROGRESS_ID")
async def adopt_job(session: Session, job_number: int, progress_id: str) -> None:
    """Record the server's id of a job by hand.

    For a launch that the server accepted and whose answer could not be recorded: the error message has the
    PROGRESS_ID. Nothing is sent; the job is polled from now on.
    """
    job = await session.jobs.adopt(job_number, progress_id)
    again = current_options().again(f"jobs wait {job.number}")
    print_message(f"{state_line(job)}{f'. To wait for the job, run `{again}`.' if job.state.active else ''}")


@command("forget", jobs, key=False)
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=offer_jobs)
@click.option("--force", is_flag=True, help="Include running jobs and damaged records.")
async def forget_jobs(session: Session, numbers: tuple[int, ...], force: bool) -> None:
    """Remove jobs from this machine, with their prompts and answers. The server keeps them."""
    from cekura_tui.model.job import JobState
    from cekura_tui.store.job_reading import UnreadableJob

    numbers = tuple(dict.fromkeys(numbers))
    for number in numbers:
        try:
            job = await session.jobs.forgettable(number)
        except UnreadableJob:
            if not force:
                raise
            continue
        if job.state == JobState.RUNNING and not force:
            raise UsageError(
                f"Job {number} still runs on the server; its result would never show up here.",
                "To forget the job anyway, add --force.",
            )
    for number in numbers:
        await session.jobs.forget(number)
        print_message(f"job {number}: forgotten")


# Watch


@jobs.command("watch")
@json_option("per line")
@click.pass_obj
def watch_jobs(options: Options, as_json: bool) -> None:
    """Follow all jobs, one line per change.

    Starts with the unfinished jobs and includes jobs launched later. Ends when interrupted, or when the output is
    closed.
    """

    run_script(options, _Watch(as_json).go_on)


class _Watch:
    """The jobs and errors that were reported last."""

    _session: Session

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._reported: dict[int, Job] = {}
        self._started = False
        self._complaint: str | None = None
        self._refused = False

    async def go_on(self, session: Session) -> None:
        """Report changes until standard output is closed (BrokenPipeError), or raise OtherKey to go on with a newer
        key."""
        session.jobs.need_records()
        self._session = session
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
        """Report every job that changed; returns whether the jobs could be read."""
        from cekura_tui.store.errors import StoreError

        try:
            jobs = {job.number: job for job in reversed(self._session.store.jobs.all())}
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
            if changed and (self._started or job.state.active):
                self._put(job)
        if not self._started and not any(job.state.active for job in jobs.values()):
            print_message("No unfinished jobs. Waiting for the next launch.")
        self._started = True
        return True

    async def _left(self, number: int) -> Job:
        """A job that left the list: it is a draft again, was forgotten, or cannot be read any more."""
        from cekura_tui.model.job import JobState
        from cekura_tui.store.job_reading import UnreadableJob

        try:
            return await self._session.jobs.get(number)
        except UnreadableJob:
            return self._reported[number]
        except UsageError:
            return replace(self._reported[number], state=JobState.FORGOTTEN, reason="", error=None)

    def _take_up_key(self) -> None:
        """Raise OtherKey for a key saved elsewhere, if this one is refused or has no jobs to poll."""
        engine = self._session.engine
        if (engine.paused is not None or engine.idle) and (key := self._session.setup.signed_in_since()):
            print_message("Signed in with another key. Watching with the new key.")
            raise OtherKey(key)

    def _seen(self, job: Job) -> object:
        return job.to_json() if self._as_json else state_line(job)

    def _put(self, job: Job) -> None:
        if self._as_json:
            from datetime import UTC, datetime

            put_json({**job.to_json(), "at": datetime.now(UTC).isoformat(timespec="seconds")})
        else:
            put(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {state_line(job)}")

    def _complain(self) -> None:
        """Report once why jobs are not polled, recorded or read."""
        engine = self._session.engine
        if trouble := engine.trouble or self._session.store.jobs.unreadable:
            self._complain_once(trouble)
        if engine.paused is not None and not self._refused:
            complain(engine.paused)
            print_message("Still watching. Polling resumes when the server accepts a key.")
        self._refused = engine.paused is not None

    def _complain_once(self, error: CekuraTuiError) -> None:
        if self._complaint != error.sentence():
            self._complaint = error.sentence()
            complain(error)


jobs.add_command(show_job)
