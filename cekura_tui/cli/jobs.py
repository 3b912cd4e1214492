"""The group `jobs`, and its commands `list`, `wait`, `resume`, `adopt` and `forget`.

`jobs show` is in `job_show`, `jobs watch` in `job_watch`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.completion import offer_jobs
from cekura_tui.cli.job_show import show_job
from cekura_tui.cli.job_watch import watch_jobs
from cekura_tui.cli.options import JOB, Options
from cekura_tui.cli.output import complain, print_message, printing, put_json, put_table
from cekura_tui.cli.script import exit_of, run_script, state_line, wait_for_jobs
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError

if TYPE_CHECKING:
    from cekura_tui.model.job import Job
    from cekura_tui.workspace.session import Session


FIRST_ANSWER = 10.0
"""Seconds that `jobs resume` waits for an answer."""


@click.command("wait")
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=offer_jobs)
@click.option("--timeout", type=click.FloatRange(min=0), metavar="S", help="Stop waiting after S seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per job at the end.")
@click.pass_obj
@click.pass_context
def wait_jobs(
    ctx: click.Context, options: Options, numbers: tuple[int, ...], timeout: float | None, as_json: bool
) -> None:
    """Wait until jobs end. Exits with 0 (all succeeded), 3 (one found no issues) or 1."""
    wanted = tuple(dict.fromkeys(numbers))

    async def work(session: Session) -> list[Job]:
        jobs = await wait_for_jobs(session, wanted, timeout)
        with printing():
            for job in jobs if as_json else ():
                put_json((await session.jobs.suggestion(job.number)).to_json())
        return jobs

    ended = run_script(options, work)
    if any(job.state.going for job in ended):
        print_message("Timed out. Unfinished jobs still run on the server.")
    ctx.exit(exit_of(ended))


@click.command("resume")
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=offer_jobs)
@click.option("--force", is_flag=True, help="Take the answers even if they are about another job.")
@click.pass_obj
@click.pass_context
def resume_jobs(ctx: click.Context, options: Options, numbers: tuple[int, ...], force: bool) -> None:
    """Poll stopped, lost or failed jobs again.

    Also polls jobs launched with another key. Waits a moment for the first answers; exits with 0 if the jobs run or
    have ended, else with 1.
    """
    wanted = tuple(dict.fromkeys(numbers))

    async def work(session: Session) -> Exit:
        for number in wanted:
            await session.jobs.resumable(number)
        return await _resume(session, wanted, options, accept=force)

    ctx.exit(run_script(options, work))


async def _resume(session: Session, numbers: tuple[int, ...], options: Options, *, accept: bool) -> Exit:
    """Ask about jobs, each of them whatever came of the others; tells how each is, and returns the worst status."""
    status, since, asked = Exit.DONE, time.time(), []
    session.engine.start()
    for number in numbers:
        try:
            asked.append((await session.jobs.resume(number, accept=accept)).number)
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
                if job.mismatched:
                    print_message(f"To take the answer anyway, run `{options.again(f'jobs resume {number} --force')}`.")
            elif late:
                print_message(
                    f"{state_line(job)}. No answer yet. To wait, run `{options.again(f'jobs wait {number}')}`."
                )
            if came or late:
                asked.remove(number)
                if not (job.state.going or job.state.final):
                    status = max(status, Exit.NOT_SUCCEEDED)
        if asked:
            await session.engine.news(max(0.0, min(1.0, end - time.monotonic())))
    return status


def _came(job: Job, since: float) -> bool:
    """Whether something was heard of a job since then: an answer, its end, or that the server does not answer."""
    last_sign = max(job.answered_at or 0.0, job.stale_since or 0.0)
    return not job.state.going or last_sign >= since


@click.group()
def jobs() -> None:
    """List, follow and forget jobs launched from this machine."""


@jobs.command("list")
@click.option("--drafts", is_flag=True, help="Include drafts.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def list_jobs(options: Options, drafts: bool, as_json: bool) -> None:
    """List jobs, newest first."""

    async def work(session: Session) -> list[Job]:
        found = await session.jobs.all(drafts=drafts)
        if session.jobs.unreadable is not None:
            complain(session.jobs.unreadable)
        elif not found and not as_json:
            print_message("No jobs yet. Launch one with `improve`.")
        return found

    found = run_script(options, work, needs_key=False)
    if as_json:
        for job in found:
            put_json(job.to_json())
        return
    if not found:
        return
    from cekura_tui.model.text import clean_line, clock_text

    put_table(
        ("JOB", "STATE", "RUNS", "AGENT", "LAUNCHED", "LAST ANSWER"),
        (
            (
                str(job.number),
                job.state.words,
                " ".join(map(str, job.run_ids)),
                clean_line(job.agent_name, 30),
                clock_text(job.launched_at) if job.launched_at else "",
                clean_line(_last_message(job), 60),
            )
            for job in found
        ),
    )


def _last_message(job: Job) -> str:
    if job.other_key and not job.state.final:
        return "launched with another key"
    message = job.error or job.reason or job.last_status or ""
    if job.state in ("lost", "unconfirmed") and job.since is not None:
        from cekura_tui.model.text import clock_text

        return f"since {clock_text(job.since)}: {message}"
    return message


@jobs.command("adopt")
@click.argument("job_number", type=JOB, metavar="ID", shell_complete=offer_jobs)
@click.argument("progress_id", metavar="PROGRESS_ID")
@click.pass_obj
def adopt_job(options: Options, job_number: int, progress_id: str) -> None:
    """Record the server's id of a job by hand.

    For a launch that the server accepted and whose answer could not be recorded: the error message has the
    PROGRESS_ID. Nothing is sent; the job is polled from now on.
    """

    async def work(session: Session) -> Job:
        return await session.jobs.adopt(job_number, progress_id)

    job = run_script(options, work, needs_key=False)
    wait = f". To wait for the job, run `{options.again(f'jobs wait {job.number}')}`." if job.state.going else ""
    print_message(f"{state_line(job)}{wait}")


@jobs.command("forget")
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=offer_jobs)
@click.option("--force", is_flag=True, help="Include running jobs and damaged records.")
@click.pass_obj
def forget_jobs(options: Options, numbers: tuple[int, ...], force: bool) -> None:
    """Remove jobs from this machine, with their prompts and answers. The server keeps them."""

    async def work(session: Session) -> None:
        from cekura_tui.model.job import JobState
        from cekura_tui.store.job_reading import UnreadableJob

        wanted = tuple(dict.fromkeys(numbers))
        for number in wanted:
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
        for number in wanted:
            await session.jobs.forget(number)
            print_message(f"job {number}: forgotten")

    run_script(options, work, needs_key=False)


for command in (show_job, wait_jobs, watch_jobs, resume_jobs):
    jobs.add_command(command)
