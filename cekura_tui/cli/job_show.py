"""`jobs show`: state, history and suggestion of one job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.completion import complete_jobs
from cekura_tui.cli.options import JOB, current_options, json_option
from cekura_tui.cli.output import print_message, printing, put, put_changes, put_json, put_prompt, warn_of_key
from cekura_tui.cli.script import command, mark_seen, state_line
from cekura_tui.model.errors import UsageError

if TYPE_CHECKING:
    from cekura_tui.jobs.owner import Owner
    from cekura_tui.model.job import Job
    from cekura_tui.workspace.job_service import JobRecord
    from cekura_tui.workspace.session import Session


def _check_show(*, of_staged: bool, **given: bool) -> None:
    if sum(given[name] for name in ("as_diff", "as_prompt", "as_patch", "as_curl", "as_json")) > 1:
        raise click.UsageError("Use only one of --diff, --prompt, --patch, --curl and --json.")
    if of_staged and (given["as_prompt"] or given["as_curl"] or given["as_json"]):
        raise click.UsageError("Use --staged alone, or with --diff or --patch.")


@command("show", key=False, check=_check_show)
@click.argument("number", type=JOB, metavar="ID", shell_complete=complete_jobs)
@click.option("--diff", "as_diff", is_flag=True, help="Print the changes.")
@click.option(
    "--prompt", "as_prompt", is_flag=True, help="Print the improved prompt exactly; of a draft, its own prompt."
)
@click.option("--patch", "as_patch", is_flag=True, help="Print the changes as a patch for `git apply` or `patch -p1`.")
@click.option("--staged", "of_staged", is_flag=True, help="Print the staged prompt exactly, or its --diff or --patch.")
@click.option(
    "--curl", "as_curl", is_flag=True, help="Print the requests as curl commands; the last one launches a job."
)
@json_option()
async def show_job(
    session: Session,
    number: int,
    as_diff: bool,
    as_prompt: bool,
    as_patch: bool,
    of_staged: bool,
    as_curl: bool,
    as_json: bool,
) -> None:
    """Show one job: state, history and suggestion."""
    relaunches = [job for job in session.store.jobs.all() if job.again_of == number]
    done, record = await session.jobs.suggestion(number), await session.jobs.record(number)
    wanted = done.improved_prompt
    if as_prompt and done.job.state == "draft":
        wanted = done.prompt  # recovers a prompt that was typed but not launched
    if of_staged and wanted is not None:
        staged = session.store.stagings.staged(number)
        wanted = done.prompt if staged is None else staged
    lacks = (as_diff or as_prompt or as_patch or of_staged) and wanted is None
    with printing():
        if as_json:
            put_json(done.to_json())
        elif as_curl:
            for name in sorted(record.curls, key=lambda name: name == "launch"):
                put(record.curls[name])
        elif wanted is not None and as_patch:
            from cekura_tui.workspace.prompt_files import patch_of

            put_prompt(patch_of(done, wanted))
        elif wanted is not None and as_diff:
            if wanted != done.prompt:
                put_changes(done.prompt, wanted)
        elif wanted is not None and (as_prompt or of_staged):
            put_prompt(wanted)
        elif not lacks:
            _put_record(record, relaunches)
            if wanted is not None and wanted != done.prompt:
                put_changes(done.prompt, wanted)
    warn_of_key(session.setup.known_keys().found_in(done.improved_prompt or ""))
    if (as_diff or as_patch or of_staged) and wanted == done.prompt:
        print_message(f"No changes: the {'staged' if of_staged else 'improved'} prompt equals the sent prompt.")
    if not as_json:  # JSON is read by programs, which do not mark the job as seen
        await mark_seen(session, number)
    if lacks:
        raise UsageError(f"Job {number} has no suggestion ({done.job.state.words}).", f"See `jobs show {number}`.")


def _put_record(record: JobRecord, relaunches: Sequence[Job]) -> None:
    from cekura_tui.model.text import clean_line, clock_text

    put(state_line(record.job))
    for name, text in _facts(record, relaunches):
        if text:
            put(f"{name}: {clean_line(text, 500)}")
    put("history:")
    for change in record.changes:
        reason = f": {clean_line(change.reason, 300)}" if change.reason else ""
        put(f"  {clock_text(change.at, seconds=True)} {change.state.words}{reason}")
    put()
    if record.job.summary_of_changes:
        put(f"{record.job.summary_of_changes}\n")
    if record.job.result is not None:
        put_json(record.job.result)


def _facts(record: JobRecord, relaunches: Sequence[Job]) -> list[tuple[str, str]]:
    from cekura_tui.model.job import JobState
    from cekura_tui.model.text import clock_text

    job = record.job
    unconfirmed = job.state == JobState.UNCONFIRMED
    uncertain = unconfirmed or job.state == JobState.LOST
    open_launch = unconfirmed or job.state == JobState.LAUNCHING
    launched = clock_text(job.launched_at, seconds=open_launch) if job.launched_at else ""
    drop = f"to remove the job from this machine, run `{current_options().command_line(f'jobs forget {job.number}')}`"
    other_key = job.other_key and not job.state.final
    sent = [("runs", " ".join(map(str, job.run_ids))), ("agent", job.agent_name), ("prompt", _prompt(record))]
    if job.parameters and record.draft is not None:  # a job of another kind
        sent = [(name.lower(), text) for name, text in record.sent]
    return [
        *sent,
        ("key", f"launched with another key; `jobs resume {job.number}` polls with this key" if other_key else ""),
        ("repeats", f"job {job.again_of}" if job.again_of is not None else ""),
        ("relaunched", ", ".join(f"as job {one.number}" for one in reversed(relaunches))),
        ("sent" if open_launch else "launched", launched),
        ("sent by", _process(record.owner, record.owner_runs) if open_launch else ""),
        ("what to do", drop if unconfirmed else ""),
        ("finished", clock_text(job.finished_at) if job.finished_at else ""),
        (job.state.words, clock_text(job.since) if uncertain and job.since else ""),
        ("progress id", job.progress_id or ""),
        ("distinct answers", str(len(record.answers))),
    ]


def _prompt(record: JobRecord) -> str:
    from cekura_tui.workspace.job_service import DAMAGED

    if record.draft is None:
        return f"{DAMAGED}, sha256 {record.job.prompt_sha256}"
    source = f"{record.job.prompt_source or 'text'}, sha256 {record.job.prompt_sha256}"
    return source if record.draft.prompt else ""


def _process(owner: Owner | None, runs: bool | None) -> str:
    """Words for the process that sent a launch. `runs` is None if it is unknown whether the process still runs."""
    if owner is None:
        return "an unknown process"
    ending = {True: "still running", False: "ended", None: "maybe still running"}[runs]
    return f"process {owner.pid} on {owner.host}, {ending}"
