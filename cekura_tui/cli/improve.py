"""`improve`: launch an improve-prompt job, and wait for it where that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import RUN, Options, number
from cekura_tui.cli.output import put, put_json, say, warn_of_controls
from cekura_tui.cli.script import exit_of, run_script, state_line, wait_for_jobs
from cekura_tui.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cekura_tui.model.job import Job
    from cekura_tui.workspace.session import Session


@click.command()
@click.argument("run_ids", type=RUN, nargs=-1, metavar="RUN_ID...")
@click.option("--prompt-file", metavar="FILE", help="The prompt to improve; - is standard input.")
@click.option("--from-agent", is_flag=True, help="Improve the prompt that the agent has now.")
@click.option(
    "--category", "categories", type=number("category"), multiple=True, metavar="ID", help="Focus on it; repeatable."
)
@click.option(
    "--workflow-metric", "metrics", type=number("metric"), multiple=True, metavar="ID", help="Focus on it; repeatable."
)
@click.option("--wait", is_flag=True, help="Wait for the result.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="S", help="Wait so many seconds at the most.")
@click.option("--out", metavar="FILE", help="Write the improved prompt there, exactly.")
@click.option("--force", is_flag=True, help="Overwrite that file.")
@click.option("--json", "as_json", is_flag=True, help="One object.")
@click.pass_obj
@click.pass_context
def improve(
    ctx: click.Context,
    options: Options,
    run_ids: tuple[int, ...],
    prompt_file: str | None,
    from_agent: bool,
    categories: tuple[int, ...],
    metrics: tuple[int, ...],
    wait: bool,
    timeout: float | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Propose a better prompt from one to three runs of one agent. May cost credits.

    Prints the job's number and leaves; with --wait, the summary and the changes. `jobs wait N` goes on later.
    """
    from asyncio import CancelledError

    from cekura_tui.model.job import MAX_RUNS, Draft
    from cekura_tui.model.text import clean_line
    from cekura_tui.workspace.prompt_files import check_output, check_prompt, read_prompt_file

    if not run_ids:
        raise UsageError("No run was named.", f"Name one to {MAX_RUNS} runs of one agent.")
    if len(set(run_ids)) > MAX_RUNS:
        raise UsageError(f"{len(set(run_ids))} runs were named; a job takes up to {MAX_RUNS}.", "Leave some out.")
    if (prompt_file is None) == (not from_agent):
        raise UsageError("Say which prompt to improve.", "Give --prompt-file FILE or --from-agent, one of them.")
    if (out is not None or timeout is not None) and not wait:
        raise UsageError("--out and --timeout wait for the result.", "Give --wait with them.")
    if prompt_file == "-" and options.api_key_file == "-":
        raise UsageError("Standard input cannot be both the key and the prompt.", "Give one of them as a file.")
    target = check_output(out, force=force) if out is not None else None
    given = read_prompt_file(prompt_file) if prompt_file is not None else None

    async def work(session: Session) -> Exit:
        runs = await session.improvable(run_ids)
        agent_name, source = runs.agent_name, clean_line(prompt_file or "agent")
        if given is None:
            agent, prompt = await session.agent_prompt(runs.agent_id)
            agent_name, prompt = agent.name, check_prompt(prompt, f"The prompt of {agent.name}")
        else:
            prompt = given
        draft = Draft(runs.run_ids, prompt, runs.agent_id, agent_name, categories, metrics, source)
        try:
            job = await session.jobs.launch(draft)
        except CancelledError:
            say(
                f"The server's answer was not waited for. `{options.again('jobs list')}` shows what came of the launch."
            )
            raise
        later = f"`{options.again(f'jobs wait {job.number}')}` waits for it."
        if wait:
            job = await _wait(session, job, timeout, later)
            await _hand_over(session, job, target, as_json, force)
            if job.state.going:
                say(f"Not finished in time; the job goes on. {later}")
            return exit_of([job])
        if as_json:
            put_json((await session.jobs.suggestion(job.number)).to_json())
        else:
            put(str(job.number))
        say(f"{state_line(job)}. {later}" if job.state.going else state_line(job))
        return Exit.DONE if job.state.going else Exit.NOT_SUCCEEDED

    ctx.exit(run_script(options, work))


async def _wait(session: Session, job: Job, within: float | None, later: str) -> Job:
    """Wait for a launched job; who breaks this off is told that the job goes on."""
    from asyncio import CancelledError

    try:
        (job,) = await wait_for_jobs(session, [job.number], within)
    except CancelledError:
        say(f"The job goes on. {later}")
        raise
    return job


async def _hand_over(session: Session, job: Job, target: Path | None, as_json: bool, force: bool) -> None:
    """Print and write what a job brought, if it brought something; printed first, for writing may fail."""
    done = await session.jobs.suggestion(job.number)
    await session.jobs.look(job.number)
    if as_json:
        put_json(done.to_json())
    elif done.improved_prompt is not None:
        from cekura_tui.model.prose_diff import diff
        from cekura_tui.model.prose_text import as_text

        if done.job.summary_of_changes:
            put(f"{done.job.summary_of_changes}\n")
        put("No change: the proposal is the prompt that was sent." if done.unchanged else "")
        put(as_text(diff(done.prompt, done.improved_prompt)))
    if done.improved_prompt is not None and target is not None:
        from cekura_tui.workspace.prompt_files import write_prompt

        write_prompt(target, done.improved_prompt, force=force)
        say(f"The improved prompt is in {target}.")
        warn_of_controls(done.improved_prompt)
