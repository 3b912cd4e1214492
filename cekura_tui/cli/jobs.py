"""`jobs list`, `jobs show` and `jobs wait`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import JOB, Options
from cekura_tui.cli.output import put, put_json, put_prompt, put_table, say
from cekura_tui.cli.script import exit_of, run_script, state_line, wait_for_jobs
from cekura_tui.model.errors import UsageError

if TYPE_CHECKING:
    from cekura_tui.model.job import Job, Suggestion
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
        return await session.jobs(drafts=drafts)

    found = run_script(options, work)
    if as_json:
        for job in found:
            put_json(job.to_json())
        return
    if not found:
        say("No jobs yet. `improve` launches one.")
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
                clean_line(job.error or job.reason or job.last_status or "", 60),
            )
            for job in found
        ),
    )


@jobs.command("show")
@click.argument("number", type=JOB, metavar="ID")
@click.option("--diff", "as_diff", is_flag=True, help="What the proposal changes.")
@click.option("--prompt", "as_prompt", is_flag=True, help="The improved prompt, or a draft's own, exactly.")
@click.option("--json", "as_json", is_flag=True, help="One object.")
@click.pass_obj
def show_job(options: Options, number: int, as_diff: bool, as_prompt: bool, as_json: bool) -> None:
    """Show one job: its state, and what it brought."""
    if as_diff + as_prompt + as_json > 1:
        raise click.UsageError("Give one of --diff, --prompt and --json.")

    async def work(session: Session) -> Suggestion:
        return await session.suggestion(number)

    done = run_script(options, work)
    if as_json:
        put_json(done.to_json())
        return
    if not (as_diff or as_prompt):
        _put_facts(done.job)
    if as_prompt and done.job.state == "draft":
        put_prompt(done.prompt)  # what was typed and not launched can be got out
    elif done.improved_prompt is None:
        if as_diff or as_prompt:
            raise UsageError(f"Job {number} has no suggestion: it is {done.job.state.words}.", "See `jobs show`.")
    elif as_prompt:
        put_prompt(done.improved_prompt)
    else:
        from cekura_tui.model.prose_diff import diff
        from cekura_tui.model.prose_text import as_text

        put(as_text(diff(done.prompt, done.improved_prompt)))


def _put_facts(job: Job) -> None:
    from cekura_tui.model.times import clock_text

    put(state_line(job))
    facts = (
        ("runs", " ".join(map(str, job.run_ids))),
        ("agent", job.agent_name),
        ("prompt", f"{job.prompt_source or 'text'}, sha256 {job.prompt_sha256}"),
        ("launched", clock_text(job.launched_at) if job.launched_at else ""),
        ("finished", clock_text(job.finished_at) if job.finished_at else ""),
        ("progress id", job.progress_id or ""),
    )
    for name, text in facts:
        if text:
            put(f"{name}: {text}")
    put()
    if job.summary_of_changes:
        put(f"{job.summary_of_changes}\n")


@jobs.command("wait")
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="S", help="Wait so many seconds at the most.")
@click.pass_obj
@click.pass_context
def wait_jobs(ctx: click.Context, options: Options, numbers: tuple[int, ...], timeout: float | None) -> None:
    """Wait until jobs have ended. Leaves with 0, 3 where one found no issues, or 1."""

    async def work(session: Session) -> list[Job]:
        return await wait_for_jobs(session, numbers, timeout)

    ended = run_script(options, work, follow=frozenset(numbers))
    if any(job.state.going for job in ended):
        say("Not finished in time; what runs goes on.")
    ctx.exit(exit_of(ended))
