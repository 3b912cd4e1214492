"""`improve`: launch an improve-prompt job; with --wait, also wait until the job ends. Without a terminal, `cekura-tui
--demo` runs `show_demo_job`, which improves the prompt of the newest failed run."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import RUN, F, Options, json_option, number, path
from cekura_tui.cli.output import (
    print_error,
    print_message,
    printing,
    put,
    put_changes,
    put_json,
    warn_of_controls,
    warn_of_key,
)
from cekura_tui.cli.script import exit_of, mark_seen, run_script, state_line, wait_for_jobs
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError
from cekura_tui.model.job import MAX_RUNS, Draft, Job, JobState, Suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from cekura_tui.model.run.view import RunRow
    from cekura_tui.workspace.session import Session


def _focus(flag: str, name: str, kind: Callable[[str], int], what: str) -> Callable[[F], F]:
    return click.option(flag, name, type=kind, multiple=True, metavar="ID", help=f"Focus on this {what}; repeatable.")


@click.command()
@click.argument("run_ids", type=RUN, nargs=-1, metavar="RUN_ID...")
@click.option("--prompt-file", type=path, metavar="FILE", help="The prompt to improve (- for standard input).")
@click.option("--from-agent", is_flag=True, help="Improve the agent's current prompt.")
@_focus("--category", "categories", number("category"), "critical category")
@_focus("--workflow-metric", "metrics", number("metric"), "workflow metric")
@click.option("--unfinished", is_flag=True, help="Allow runs that have not finished.")
@click.option("--allow-key", is_flag=True, help="Allow a prompt that contains an API key.")
@click.option("--wait", is_flag=True, help="Wait for the suggestion.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="S",
    help="With --wait: stop waiting S seconds after the launch.",
)
@click.option("--out", type=path, metavar="FILE", help="With --wait: write the improved prompt to FILE.")
@click.option("--force", is_flag=True, help="Overwrite the file of --out.")
@json_option()
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
    unfinished: bool,
    allow_key: bool,
    wait: bool,
    timeout: float | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Propose a better prompt from one to three runs of one agent. May cost credits.

    Prints the job's number; with --wait, the summary and the changes. `jobs wait N` waits later.
    """
    from asyncio import CancelledError

    from cekura_tui.store.errors import NotOpened
    from cekura_tui.workspace.prompt_files import check_output, check_prompt, read_prompt_file, source_of

    if not run_ids:
        raise UsageError("No run given.", f"Give one to {MAX_RUNS} runs of one agent.")
    if len(set(run_ids)) > MAX_RUNS:
        raise UsageError(f"{len(set(run_ids))} runs given; a job takes up to {MAX_RUNS}.", "Leave some out.")
    if (prompt_file is None) == (not from_agent):
        raise UsageError("No prompt chosen.", "Use either --prompt-file FILE or --from-agent.")
    if (out is not None or timeout is not None) and not wait:
        raise UsageError("--out and --timeout need --wait.", "Add --wait.")
    if prompt_file == "-" and options.api_key_file == "-":
        raise UsageError("Can't read both the key and the prompt from standard input.", "Give one as a file.")
    if out == "-":
        raise UsageError("--out needs a file name.", "To print the improved prompt, use `jobs show ID --prompt`.")
    target = check_output(out, force=force) if out is not None else None
    given = read_prompt_file(prompt_file) if prompt_file is not None else None

    async def work(session: Session) -> Exit:
        source = "agent" if prompt_file is None else "-" if prompt_file == "-" else source_of(prompt_file)
        keys, typed = session.setup.known_keys(), None
        if given is not None and not allow_key:
            _refuse_key(keys.found_in(given))
        if given is not None and prompt_file == "-":
            typed = Draft(tuple(dict.fromkeys(run_ids)), given, None, "", categories, metrics, source)
        async with _saved_draft(session, typed) as saved:
            runs = await session.improvable(run_ids)
            if runs.unfinished and not unfinished:
                raise UsageError(runs.unfinished, "Try again later, or add --unfinished.")
            agent_name = runs.agent_name
            if given is None:
                agent, prompt = await session.agent_prompt(runs.agent_id)
                agent_name, prompt = agent.name, check_prompt(prompt, f"The prompt of {agent.name}")
                if not allow_key:
                    _refuse_key(keys.found_in(prompt))
            else:
                prompt = given
            draft = Draft(runs.run_ids, prompt, runs.agent_id, agent_name, categories, metrics, source)
            try:
                job = await session.engine.launch(draft, saved)
            except CancelledError:
                shows = f"To see the job's state, run `{options.command_line('jobs list')}`."
                print_message(f"Interrupted before the server's answer was recorded. {shows}")
                raise
        later = _wait_hint(options, job)
        if wait:
            job = await _wait(session, job, timeout, later)
            if job.state.active:
                print_message(f"Timed out. Job {job.number} still runs on the server. {later}")
            return await _write_and_print(options, session, job, target, as_json, force)
        # Report the state first, as printing the result may fail.
        print_message(f"{state_line(job)}. {later}" if job.state.active else state_line(job))
        done = await session.jobs.suggestion(job.number) if as_json else None
        with printing(_launched_note(job, later)):
            if done is not None:
                put_json(done.to_json())
            else:
                put(str(job.number))
        return Exit.DONE if job.state.active else Exit.NOT_SUCCEEDED

    try:
        ctx.exit(run_script(options, work))
    except NotOpened as error:
        raise NotOpened(f"Nothing was launched. {error.message}", error.hint) from None


def _refuse_key(whose: str) -> None:
    """Raise UsageError if the prompt contains a key. `whose` describes the key; it is empty if there is no key."""
    if whose:
        raise UsageError(
            f"The prompt contains {whose}; nothing was sent or saved.",
            "Remove the key, or add --allow-key to send and save the prompt as it is.",
        )


@contextlib.asynccontextmanager
async def _saved_draft(session: Session, typed: Draft | None) -> AsyncIterator[Job | None]:
    """Save a typed prompt as a draft, so that it is not lost if the launch in the block fails; errors name the draft.
    Yields the draft, None if no prompt was typed or the draft could not be saved."""
    from asyncio import CancelledError

    from cekura_tui.store.errors import StoreError

    saved = None
    if typed is not None:
        with contextlib.suppress(StoreError):
            saved = session.store.jobs.save_draft(typed, time.time())
    try:
        yield saved
    except (CekuraTuiError, CancelledError) as error:
        draft = False
        with contextlib.suppress(CekuraTuiError):
            draft = saved is not None and (await session.jobs.get(saved.number)).state == JobState.DRAFT
        saved_note = f"Draft saved as job {saved.number}." if saved is not None else ""
        if draft and isinstance(error, CancelledError):
            print_message(saved_note)
        elif draft and isinstance(error, CekuraTuiError) and saved_note not in error.hint:
            error.hint = f"{error.hint} {saved_note}".strip()
        raise


async def show_demo_job(session: Session) -> Exit:
    """Print the newest failed run, improve its agent's prompt, and print the suggestion."""
    from cekura_tui.model.run.words import verdict_text

    row = await _newest_failed(session)
    view = await session.run(row.id)
    put(f"Run {row.id}: {row.scenario} ({row.personality}), {row.agent}: {row.outcome.mark} {row.judged}\n")
    for verdict in view.verdicts:
        text = verdict_text(verdict)
        put(text if verdict.state == "fail" else text.split("\n")[0])
    runs = await session.improvable([row.id])
    agent, prompt = await session.agent_prompt(runs.agent_id)
    job = await session.engine.launch(Draft(runs.run_ids, prompt, runs.agent_id, agent.name, prompt_source="agent"))
    (job,) = await wait_for_jobs(session, [job.number], None)
    put(f"\nJob {job.number}: {job.state.words}{': ' + reason if (reason := job.error or job.reason) else ''}")
    done = await session.jobs.suggestion(job.number)
    if done.improved_prompt is not None:
        put()
    _put_changes(done)
    return Exit.DONE


async def _newest_failed(session: Session) -> RunRow:
    from cekura_tui.model.run.query import RunQuery
    from cekura_tui.model.run.view import row_of
    from cekura_tui.workspace.all_runs import all_runs

    params = RunQuery(await session.scope()).params(time.time())
    async with contextlib.aclosing(all_runs(session.client, params, session.budget)) as pages:
        async for page in pages:
            for run in page.items:
                if (row := row_of(run)).outcome.kind == "failed":
                    return row
    raise UsageError("No failed run found.")


async def _wait(session: Session, job: Job, within: float | None, later: str) -> Job:
    """Wait for a job, at most `within` seconds; return the job. If interrupted, print that it runs, and `later`."""
    from asyncio import CancelledError

    try:
        (job,) = await wait_for_jobs(session, [job.number], within)
    except CancelledError:
        print_message(f"Job {job.number} still runs on the server. {later}")
        raise
    return job


async def _write_and_print(
    options: Options, session: Session, job: Job, target: Path | None, as_json: bool, force: bool
) -> Exit:
    """Write the improved prompt to the file `target`, if given, print the suggestion, and return the exit status. If
    the file cannot be written, the suggestion is printed nevertheless."""
    done = await session.jobs.suggestion(job.number)
    status = exit_of([job])
    if done.improved_prompt is not None and target is not None:
        from cekura_tui.workspace.prompt_files import PromptFileDrifted, write_suggestion

        try:
            more = write_suggestion(target, done.improved_prompt, done, force=force)
            print_message(f"Saved the improved prompt to {target}. {more}".rstrip())
            warn_of_controls(done.improved_prompt)
        except UsageError as error:
            print_error(error)
            if isinstance(error, PromptFileDrifted):
                print_message(f"Changes in the file since:\n{error.drift().rstrip()}")
            shows = options.command_line(f"jobs show {job.number} --prompt")
            print_message(
                f"To print the improved prompt, run `{shows}`; for its changes, use --patch instead of --prompt."
            )
            status = error.exit_status
    warn_of_key(session.setup.known_keys().found_in(done.improved_prompt or ""))
    with printing(_launched_note(job, _wait_hint(options, job))):
        if as_json:
            put_json(done.to_json())
        else:
            _put_changes(done)
    await mark_seen(session, job.number)
    return status


def _put_changes(done: Suggestion) -> None:
    if done.improved_prompt is not None:
        if done.job.summary_of_changes:
            put(f"{done.job.summary_of_changes}\n")
        if done.unchanged:
            put("No changes: the improved prompt equals the sent prompt.")
        else:
            put_changes(done.prompt, done.improved_prompt)


def _wait_hint(options: Options, job: Job) -> str:
    return f"To wait for the job, run `{options.command_line(f'jobs wait {job.number}')}`."


def _launched_note(job: Job, later: str) -> str:
    """A message that the job was launched. Later errors include it, so that users do not launch the job again. `later`
    says how to wait for a job that still runs."""
    if job.state.active:
        return f"Job {job.number} launched. It runs on the server. {later}"
    return f"Job {job.number} launched, now {job.state.words}."
