"""`jobs`: its list and its commands; `jobs forget` is here too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cekura_tui.cli.following import resume_jobs, wait_jobs
from cekura_tui.cli.job_show import show_job
from cekura_tui.cli.job_watch import watch_jobs
from cekura_tui.cli.options import JOB, Options
from cekura_tui.cli.output import complain, put_json, put_table, say
from cekura_tui.cli.script import run_script
from cekura_tui.model.errors import UsageError

if TYPE_CHECKING:
    from cekura_tui.model.job import Job
    from cekura_tui.workspace.session import Session


@click.group()
def jobs() -> None:
    """Improve-prompt jobs that were launched from this machine."""


@jobs.command("list")
@click.option("--drafts", is_flag=True, help="Drafts too.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.pass_obj
def list_jobs(options: Options, drafts: bool, as_json: bool) -> None:
    """List jobs, newest first, as they were last heard of."""

    async def work(session: Session) -> list[Job]:
        found = await session.jobs.all(drafts=drafts)
        if session.jobs.unreadable is not None:
            complain(session.jobs.unreadable)
        elif not found and not as_json:
            say("No jobs yet. `improve` launches one.")
        return found

    found = run_script(options, work)
    if as_json:
        for job in found:
            put_json(job.to_json())
        return
    if not found:
        return
    from cekura_tui.model.text import clean_line
    from cekura_tui.model.times import clock_text

    put_table(
        ("JOB", "STATE", "RUNS", "AGENT", "LAUNCHED", "LAST ANSWER"),
        (
            (
                str(job.number),
                job.state.words,
                " ".join(map(str, job.run_ids)),
                clean_line(job.agent_name, 30),
                clock_text(job.launched_at) if job.launched_at else "",
                clean_line(_last_heard(job), 60),
            )
            for job in found
        ),
    )


def _last_heard(job: Job) -> str:
    if job.other_key and not job.state.final:
        return "launched with another key"
    return job.error or job.reason or job.last_status or ""


@jobs.command("forget")
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...")
@click.option("--force", is_flag=True, help="Running ones too, and what cannot be read.")
@click.pass_obj
def forget_jobs(options: Options, numbers: tuple[int, ...], force: bool) -> None:
    """Drop jobs from this machine, with their prompts and answers. At the server they stay."""

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
                    f"Job {number} is running: it goes on at the server, and its result would not be seen here.",
                    "Give --force to forget it all the same.",
                )
        for number in wanted:
            await session.jobs.forget(number)
            say(f"job {number}: forgotten")

    run_script(options, work)


for command in (show_job, wait_jobs, watch_jobs, resume_jobs):
    jobs.add_command(command)
