"""`improve`: launch a job that proposes a prompt; with --wait, also wait until the job ends. `review`: make a
suggestion of a prompt from a file. Without a terminal, `cekura-tui --demo` runs `show_demo_job`, which improves the
prompt of the newest failed run."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import AGENT, RUN, SECONDS, F, current_options, json_option, number, path
from cekura_tui.cli.output import (
    print_error,
    print_message,
    printing,
    put,
    put_changes,
    put_json,
    put_prompt,
    warn_of_controls,
    warn_of_key,
)
from cekura_tui.cli.script import command, exit_of, mark_seen, run_script, state_line, wait_for_jobs
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError
from cekura_tui.model.job import BY_COMMAND, FROM_FILE, MAX_RUNS, Draft, Job, JobState, Suggestion
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import Prompt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from cekura_tui.model.run.view import RunRow
    from cekura_tui.workspace.session import Improvable, Session


_CONFIGURED = "\0"
"""The command given by `--command` alone, which no argument can be."""


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
@click.option(
    "--command", "given", is_flag=False, flag_value=_CONFIGURED, metavar="[CMD]", help="Have CMD propose the prompt."
)
@click.option("--print-input", is_flag=True, help="Print the text that the command would read, and run nothing.")
@click.option("--wait", is_flag=True, help="Wait for the suggestion.")
@click.option("--timeout", type=SECONDS, metavar="S", help="With --wait: stop waiting S seconds after the launch.")
@click.option("--out", type=path, metavar="FILE", help="With --wait: write the improved prompt to FILE.")
@click.option("--force", is_flag=True, help="Overwrite the file of --out.")
@json_option()
def improve(
    run_ids: tuple[int, ...],
    prompt_file: str | None,
    from_agent: bool,
    categories: tuple[int, ...],
    metrics: tuple[int, ...],
    unfinished: bool,
    allow_key: bool,
    given: str | None,
    print_input: bool,
    wait: bool,
    timeout: float | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Propose a better prompt from one to three runs of one agent. May cost credits.

    Prints the job's number; with --wait, the summary and the changes. `jobs wait N` waits later. With --command, CMD
    proposes the prompt, by default the command in the settings: it reads one text and prints the whole new prompt.
    """
    from asyncio import CancelledError

    from cekura_tui.api.errors import NotOffered
    from cekura_tui.store.errors import NotOpened
    from cekura_tui.workspace.prompt_files import check_output, read_prompt_file

    if not run_ids:
        raise UsageError("No run given.", f"Give one to {MAX_RUNS} runs of one agent.")
    if (prompt_file is None) == (not from_agent):
        raise UsageError("No prompt chosen.", "Use either --prompt-file FILE or --from-agent.")
    if (out is not None or timeout is not None) and not wait:
        raise UsageError("--out and --timeout need --wait.", "Add --wait.")
    if print_input and (wait or as_json):
        raise UsageError("--print-input launches no job.", "Leave out --wait and --json.")
    if prompt_file == "-" and current_options().api_key_file == "-":
        raise UsageError("Can't read both the key and the prompt from standard input.", "Give one as a file.")
    if out == "-":
        raise UsageError("--out needs a file name.", "To print the improved prompt, use `jobs show ID --prompt`.")
    target = check_output(out, force=force) if out is not None else None
    prompt = read_prompt_file(prompt_file) if prompt_file is not None else None

    async def work(session: Session) -> Exit:
        typed, text, program = None, "", given
        if program is not None and not print_input:
            program = session.improve_command() if program == _CONFIGURED else program
            session.check_command(program)
        _refuse_key(session, prompt or "", allow_key)
        if prompt is not None and prompt_file == "-" and not print_input:
            typed = Draft(tuple(dict.fromkeys(run_ids)), prompt, None, "", categories, metrics, "-")
        async with _saved_draft(session, typed) as saved:
            runs = await session.improvable(run_ids)
            if runs.unfinished and not unfinished:
                raise UsageError(runs.unfinished, "Try again later, or add --unfinished.")
            draft = await _draft(session, runs, prompt, prompt_file, allow_key)
            draft = replace(draft, category_ids=categories, workflow_metric_ids=metrics)
            if program is not None or print_input:
                draft = replace(draft, kind=BY_COMMAND, parameters={"command": program})
                text, left_out = await session.improve_text(draft, runs)
                if left_out:
                    print_message(left_out)
                _refuse_key(session, text, allow_key, "text for the command")
            if print_input:
                put_prompt(Prompt(text))
                return Exit.DONE
            try:
                job = await session.engine.launch(session.prepared(draft, text), saved)
            except CancelledError:
                shows = f"To see the job's state, run `{current_options().command_line('jobs list')}`."
                print_message(f"Interrupted before the answer to the launch was recorded. {shows}")
                raise
            except NotOffered as error:
                error.hint += " Or have a program of yours propose the prompt, as in --command 'llm -m gpt-5'."
                raise
        runs_on = f"Job {job.number} still runs {KINDS[job.kind].place}. {_wait_hint(job)}"
        if wait:
            try:
                (job,) = await wait_for_jobs(session, [job.number], timeout)
            except CancelledError:
                print_message(runs_on)
                raise
            if job.state.active:
                print_message(f"Timed out. {runs_on}")
            return await _write_and_print(session, job, target, as_json, force)
        # Report the state first, as printing the result may fail.
        print_message(f"{state_line(job)}. {_wait_hint(job)}" if job.state.active else state_line(job))
        done = await session.jobs.suggestion(job.number)
        with printing(_launched_note(job)):
            if as_json:
                put_json(done.to_json())
            else:
                put(str(job.number))
        return Exit.DONE if job.state.active else Exit.NOT_SUCCEEDED

    try:
        click.get_current_context().exit(run_script(current_options(), work))
    except NotOpened as error:
        raise NotOpened(f"Nothing was launched. {error.message}", error.hint) from None


def _refuse_key(session: Session, text: str, allow_key: bool, name: str = "prompt") -> None:
    """Raise UsageError if a text contains a key, unless the user allows that."""
    if not allow_key and (whose := session.setup.known_keys().found_in(text)):
        hint = "Remove the key, or add --allow-key."
        raise UsageError(f"The {name} contains {whose}; nothing was sent or saved.", hint)


def _check_review(file: str, run_ids: tuple[int, ...], agent_id: int | None, original: str | None, **_: object) -> None:
    if bool(run_ids) == (agent_id is not None):
        raise UsageError("No agent chosen.", "Use either --run ID, up to three times, or --agent ID.")
    if [file, original, current_options().api_key_file].count("-") > 1:
        raise UsageError("Standard input can be read only once.", "Give the key or the other prompt as a file.")


@command("review", check=_check_review)
@click.argument("file", type=path, metavar="FILE")
@click.option("--run", "run_ids", type=RUN, multiple=True, metavar="ID", help="A run with reasons; up to three times.")
@click.option("--agent", "agent_id", type=AGENT, metavar="ID", help="The agent that the prompt is for.")
@click.option("--original", type=path, metavar="FILE", help="The former prompt; by default, the agent's current one.")
@click.option("--allow-key", is_flag=True, help="Allow a prompt that contains an API key.")
@json_option()
async def review(
    session: Session,
    file: str,
    run_ids: tuple[int, ...],
    agent_id: int | None,
    original: str | None,
    allow_key: bool,
    as_json: bool,
) -> Exit:
    """Make a suggestion of the prompt in FILE (- for standard input), to decide on its changes.

    Prints the changes; `suggestion` decides on them. Nothing is sent to the server. Exits with 3 if the prompts are
    equal.
    """
    from cekura_tui.prose.compare import compare
    from cekura_tui.prose.lines import change_words
    from cekura_tui.workspace.prompt_files import read_prompt_file
    from cekura_tui.workspace.session import Improvable

    proposed, former = read_prompt_file(file), None if original is None else read_prompt_file(original)
    _refuse_key(session, proposed, allow_key)
    runs = await session.improvable(run_ids) if run_ids else Improvable((), agent_id, "")
    draft = await _draft(session, runs, former, original, allow_key)
    name = "standard input" if file == "-" else file
    draft = replace(draft, kind=FROM_FILE, parameters={"file": name})
    job = await session.engine.launch(session.prepared(draft, proposed))
    (job,) = await wait_for_jobs(session, [job.number], None)
    if job.state == JobState.SUCCEEDED:
        how = current_options().command_line(f"suggestion show {job.number}")
        print_message(f"{change_words(compare(draft.prompt, proposed))}. To decide on them, run `{how}`.")
    return await _write_and_print(session, job, None, as_json, False)


async def _draft(session: Session, runs: Improvable, given: Prompt | None, file: str | None, allow_key: bool) -> Draft:
    """A draft with the prompt `given` from a file, else with the agent's current prompt. Raises UsageError."""
    from cekura_tui.workspace.prompt_files import check_prompt, source_of

    prompt, agent_name = given, runs.agent_name
    if prompt is None or not runs.views:
        agent, current = await session.agent_prompt(runs.agent_id)
        agent_name, prompt = agent.name, prompt or check_prompt(current, f"The prompt of {agent.name}")
    _refuse_key(session, prompt, allow_key)
    source = "agent" if file is None else "-" if file == "-" else source_of(file)
    return Draft(runs.run_ids, prompt, runs.agent_id, agent_name, prompt_source=source)


@contextlib.asynccontextmanager
async def _saved_draft(session: Session, typed: Draft | None) -> AsyncIterator[Job | None]:
    """Save a typed prompt as a draft, so that it is not lost if the launch in the block fails; errors name the draft.
    Yields the draft, None if no prompt was typed or the draft could not be saved."""
    from asyncio import CancelledError

    from cekura_tui.store.errors import StoreError

    saved = None
    with contextlib.suppress(StoreError):
        saved = session.store.jobs.save_draft(typed, time.time()) if typed is not None else None
    try:
        yield saved
    except (CekuraTuiError, CancelledError) as error:
        note = ""
        with contextlib.suppress(CekuraTuiError):
            if saved is not None and (await session.jobs.get(saved.number)).state == JobState.DRAFT:
                note = f"Draft saved as job {saved.number}."
        if isinstance(error, CekuraTuiError):
            error.hint = error.hint if note in error.hint else f"{error.hint} {note}".strip()
        elif note:
            print_message(note)
        raise


async def show_demo_job(session: Session) -> Exit:
    from cekura_tui.model.run.words import verdict_text

    row = await _newest_failed(session)
    view = await session.run(row.id)
    put(f"Run {row.id}: {row.scenario} ({row.personality}), {row.agent}: {row.outcome.mark} {row.judged}\n")
    for verdict in view.verdicts:
        text = verdict_text(verdict)
        put(text if verdict.state == "fail" else text.split("\n")[0])
    job = await session.engine.launch(await _draft(session, await session.improvable([row.id]), None, None, True))
    (job,) = await wait_for_jobs(session, [job.number], None)
    put(f"\nJob {job.number}: {job.state.words}{': ' + reason if (reason := job.error or job.reason) else ''}\n")
    _put_changes(await session.jobs.suggestion(job.number))
    return Exit.DONE


async def _newest_failed(session: Session) -> RunRow:
    from cekura_tui.cli.runs import read_filter
    from cekura_tui.model.run.query import RunQuery

    failed = RunQuery(await session.scope(), read_filter(["outcome:failed"]))
    async with contextlib.aclosing(session.matching_runs(failed, lambda error, wait: None)) as pages:
        async for page in pages:
            for _, row in page.matches:
                return row
    raise UsageError("No failed run found.")


async def _write_and_print(session: Session, job: Job, target: Path | None, as_json: bool, force: bool) -> Exit:
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
            shows = current_options().command_line(f"jobs show {job.number} --prompt")
            print_message(f"To print the improved prompt, run `{shows}`; to print a patch, use --patch instead.")
            status = error.exit_status
    for line in done.job.written_lines:
        print_message(line)
    warn_of_key(session.setup.known_keys().found_in(done.improved_prompt or ""))
    with printing(_launched_note(job)):
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


def _wait_hint(job: Job) -> str:
    return f"To wait for the job, run `{current_options().command_line(f'jobs wait {job.number}')}`."


def _launched_note(job: Job) -> str:
    """A message that the job was launched. Later errors include it, so that users do not launch the job again."""
    if job.state.active:
        return f"Job {job.number} launched. It runs {KINDS[job.kind].place}. {_wait_hint(job)}"
    return f"Job {job.number} launched, now {job.state.words}."
