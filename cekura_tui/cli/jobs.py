"""`jobs` and its commands."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.completion import complete_jobs
from cekura_tui.cli.options import JOB, SECONDS, Options, current_options, json_option
from cekura_tui.cli.output import (
    ask,
    can_ask,
    is_output_closed,
    print_error,
    print_message,
    printing,
    put,
    put_changes,
    put_json,
    put_prompt,
    put_table,
    warn_of_key,
)
from cekura_tui.cli.script import RestartWithKey, command, exit_of, mark_seen, run_script, state_line, wait_for_jobs
from cekura_tui.cli.test import follow, put_test, status_of, test_of
from cekura_tui.model.before_after import summary_words
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError
from cekura_tui.model.job import OPEN_LAUNCH, Job, JobState
from cekura_tui.model.job_kind import WAITING, WORKING
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.scenario_test import KIND_NAME, calls_words
from cekura_tui.model.text import clean_line, clock_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cekura_tui.jobs.owner import Owner
    from cekura_tui.model.job import Suggestion
    from cekura_tui.workspace.job_service import JobRecord
    from cekura_tui.workspace.scenario_tests import PromptTest
    from cekura_tui.workspace.session import Session


ANSWER_TIMEOUT = 10.0
"""Seconds that `jobs resume` waits for the first answers."""
TICK = 1.0
"""Seconds between two checks of whether standard output is still read."""


@click.group()
def jobs() -> None:
    """List, follow, stop and forget jobs launched from this machine."""


@command("wait", jobs)
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=complete_jobs)
@click.option("--timeout", "within", type=SECONDS, metavar="S", help="Stop waiting after S seconds.")
@json_option("per job at the end")
async def wait_jobs(session: Session, numbers: tuple[int, ...], within: float | None, as_json: bool) -> Exit:
    """Wait until jobs end. Exits with 0 (all succeeded), 3 (one found no issues) or 1.

    A test succeeds if at least 80 % of the calls of each scenario pass, and exits with 3 if no call took place.
    """
    start = time.monotonic()
    ended = await wait_for_jobs(session, tuple(dict.fromkeys(numbers)), within)
    statuses = {exit_of(ended)}
    for job in ended:
        if job.kind == KIND_NAME and job.state.final:
            done = await follow(session, [job.number], within and max(0.0, start + within - time.monotonic()))
            statuses.add(Exit.NOT_SUCCEEDED if (status := status_of(done)) == Exit.NOT_ENDED else status)
            print_message(f"job {job.number}: {summary_words(done.comparison)}")
    with printing():
        for job in ended if as_json else ():
            put_json(_as_json(await session.jobs.suggestion(job.number), await test_of(session, job)))
    if any(job.state.active for job in ended):
        print_message("Timed out. Unfinished jobs still run.")
    return Exit.NOT_SUCCEEDED if Exit.NOT_SUCCEEDED in statuses else max(statuses)


def _as_json(done: Suggestion, test: PromptTest | None) -> dict[str, object]:
    return done.to_json() | ({"test": test.to_json()} if test is not None else {})


@command("resume", jobs)
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=complete_jobs)
async def resume_jobs(session: Session, numbers: tuple[int, ...]) -> Exit:
    """Poll stopped, lost or failed jobs again.

    Also polls jobs launched with another key. Waits briefly for the first answers; exits with 0 if the jobs run or
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
            print_error(error)
            status = max(status, error.exit_status)
    end = time.monotonic() + ANSWER_TIMEOUT
    while asked:
        if session.engine.paused is not None:
            raise session.engine.paused
        late = time.monotonic() >= end
        for number in asked[:]:
            job = await session.jobs.get(number)
            news = not job.state.active or max(job.answered_at or 0.0, job.stale_since or 0.0) >= since
            if news:
                print_message(state_line(job))
            elif late:
                how = options.command_line(f"jobs wait {number}")
                print_message(f"{state_line(job)}. No answer yet. To wait, run `{how}`.")
            if news or late:
                asked.remove(number)
                if not (job.state.active or job.state.final):
                    status = max(status, Exit.NOT_SUCCEEDED)
        if asked:
            await session.engine.wait_for_change(max(0.0, min(1.0, end - time.monotonic())))
    return status


@command("stop", jobs)
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=complete_jobs)
@click.option("--yes", is_flag=True, help="Do not ask.")
async def stop_jobs(session: Session, numbers: tuple[int, ...], yes: bool) -> Exit:
    """End commands that run on this machine, or stop polling jobs, which continue on the server."""
    found = [await session.jobs.get(number) for number in dict.fromkeys(numbers)]
    if (commands := [f"“{job.proposer}”" for job in found if job.is_local]) and not yes:
        if not can_ask():
            raise UsageError(f"Nothing was stopped. This would end {', '.join(commands)}.", "To do so, add --yes.")
        if await ask(f"End {', '.join(commands)}? [y/N]: ") not in ("y", "yes"):
            return Exit.NOT_SUCCEEDED
    stopped = [(await session.jobs.stop(job.number)).number for job in found]
    await wait_for_jobs(session, stopped, ANSWER_TIMEOUT)
    return Exit.DONE


@command("list", jobs, key=False)
@click.option("--drafts", is_flag=True, help="Include drafts.")
@json_option("per line")
async def list_jobs(session: Session, drafts: bool, as_json: bool) -> None:
    """List jobs, newest first."""
    found = session.store.jobs.all(drafts=drafts)
    if session.store.jobs.unreadable is not None:
        print_error(session.store.jobs.unreadable)
    elif not found and not as_json:
        print_message("No jobs of this profile and server yet. Launch one with `improve`.")
    if as_json:
        for job in found:
            put_json(job.to_json())
    elif found:
        put_table(("JOB", "STATE", "RUNS", "AGENT", "PROPOSED BY", "LAUNCHED", "RESULT"), map(_row, found))


def _row(job: Job) -> tuple[str, ...]:
    about = " ".join(map(str, job.run_ids)) if job.proposes else KINDS[job.kind].content(job)
    agent, proposer = clean_line(job.agent_name, 30), clean_line(job.proposer, 30)
    launched = clock_text(job.launched_at) if job.launched_at else ""
    message = clean_line(_last_message(job), 60)
    return str(job.number), job.state.words, clean_line(about, 40), agent, proposer, launched, message


def _last_message(job: Job) -> str:
    if job.other_key and not job.state.final:
        return "launched with another key"
    if job.update is not None:
        return job.update.words(clock_text)
    # The summary of a prompt's changes is too long.
    brought = None if job.proposes else job.summary_of_changes
    status = "" if job.state.final or (job.last_status or "").lower() in WAITING | WORKING else job.last_status
    message = job.error or job.reason or brought or calls_words(job) or status or ""
    if job.state in ("lost", "unconfirmed") and job.since is not None:
        return f"since {clock_text(job.since)}: {message}"
    return message


@command("adopt", jobs, key=False)
@click.argument("job_number", type=JOB, metavar="ID", shell_complete=complete_jobs)
@click.argument("progress_id", metavar="PROGRESS_ID")
async def adopt_job(session: Session, job_number: int, progress_id: str) -> None:
    """Record the server's id of a job by hand.

    For a launch that the server accepted, but whose answer could not be recorded; the error message shows the
    PROGRESS_ID. Nothing is sent; the job is polled from now on.
    """
    job = await session.jobs.adopt(job_number, progress_id)
    again = current_options().command_line(f"jobs wait {job.number}")
    print_message(f"{state_line(job)}{f'. To wait for the job, run `{again}`.' if job.state.active else ''}")


@command("forget", jobs, key=False)
@click.argument("numbers", type=JOB, nargs=-1, required=True, metavar="ID...", shell_complete=complete_jobs)
@click.option("--force", is_flag=True, help="Include running jobs and damaged records.")
async def forget_jobs(session: Session, numbers: tuple[int, ...], force: bool) -> None:
    """Remove jobs from this machine, with their prompts and answers. The server keeps them."""
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
                f"Job {number} still runs {KINDS[job.kind].place}; its result would never show up here.",
                "To forget the job anyway, add --force.",
            )
    for number in numbers:
        await session.jobs.forget(number)
        print_message(f"job {number}: forgotten")


def _check_show(*, number: int, of_staged: bool, **forms: bool) -> None:
    if sum(forms.values()) > 1:
        raise click.UsageError("Use only one of --diff, --prompt, --patch, --curl, --markdown and --json.")
    if of_staged and any(forms[name] for name in forms.keys() - {"diff", "patch"}):
        raise click.UsageError("Use --staged alone, or with --diff or --patch.")


@command("show", jobs, key=False, check=_check_show)
@click.argument("number", type=JOB, metavar="ID", shell_complete=complete_jobs)
@click.option("--diff", is_flag=True, help="Print the changes.")
@click.option("--prompt", is_flag=True, help="Print the improved prompt exactly; of a draft, its own.")
@click.option("--patch", is_flag=True, help="Print the changes as a patch for `git apply` or `patch -p1`.")
@click.option("--staged", "of_staged", is_flag=True, help="Print the staged prompt exactly, or its --diff or --patch.")
@click.option("--curl", is_flag=True, help="Print the requests as curl commands; the last launches a job.")
@click.option("--markdown", is_flag=True, help="Print a test as Markdown for a pull request.")
@json_option()
async def show_job(session: Session, number: int, of_staged: bool, **forms: bool) -> None:
    """Show one job: state, history and suggestion; of a test, the calls before and after."""
    form = next((name for name, given in forms.items() if given), "")
    relaunches = [job for job in session.store.jobs.all() if job.again_of == number]
    done, record = await session.jobs.suggestion(number), await session.jobs.record(number)
    wanted = done.improved_prompt
    if form == "prompt" and done.job.state == "draft":
        wanted = done.prompt  # recovers a prompt that was typed but not launched
    if of_staged and wanted is not None:
        staged = session.store.stagings.staged(number)
        wanted = done.prompt if staged is None else staged
    lacks = (of_staged or form in ("diff", "prompt", "patch")) and wanted is None
    test = None
    if form == "markdown":
        test = await session.tests.report(number)
    elif not lacks and form != "curl":
        test = await test_of(session, done.job)
    if form == "curl" and not record.curls:
        raise UsageError(f"Job {number} sent no requests.", f"See `jobs show {number}`.")
    with printing():
        if form == "as_json":
            put_json(_as_json(done, test))
        elif form == "markdown" and test is not None:
            await put_test(session, test, markdown=True)
        elif form == "curl":
            for name in sorted(record.curls, key=lambda name: name == "launch"):
                put(record.curls[name])
        elif wanted is not None and form == "patch":
            from cekura_tui.workspace.prompt_files import patch_of

            put_prompt(patch_of(done, wanted))
        elif wanted is not None and form == "diff":
            if wanted != done.prompt:
                put_changes(done.prompt, wanted)
        elif wanted is not None and (of_staged or form == "prompt"):
            put_prompt(wanted)
        elif not lacks:
            _put_record(record, relaunches)
            if test is not None:
                await put_test(session, test)
            elif done.job.summary_of_changes:
                put(f"{done.job.summary_of_changes}\n")
            if wanted is not None and wanted != done.prompt:
                put_changes(done.prompt, wanted)
    warn_of_key(session.setup.known_keys().found_in(done.improved_prompt or ""))
    if (of_staged or form in ("diff", "patch")) and wanted == done.prompt:
        print_message(f"No changes: the {'staged' if of_staged else 'improved'} prompt equals the sent prompt.")
    if form != "as_json":  # JSON is read by programs, which do not mark the job as seen
        await mark_seen(session, number)
    if lacks:
        raise UsageError(f"Job {number} has no suggestion ({done.job.state.words}).", f"See `jobs show {number}`.")


def _put_record(record: JobRecord, relaunches: Sequence[Job]) -> None:
    put(state_line(record.job))
    for name, text in _facts(record, relaunches):
        if text:
            put(f"{name}: {clean_line(text, 500)}")
    put("history:")
    for change in record.changes:
        reason = f": {clean_line(change.reason, 300)}" if change.reason else ""
        put(f"  {clock_text(change.at, seconds=True)} {change.state.words}{reason}")
    for line in record.job.written_lines:
        put(line)
    put()


def _facts(record: JobRecord, relaunches: Sequence[Job]) -> list[tuple[str, str]]:
    job = record.job
    unconfirmed = job.state == JobState.UNCONFIRMED
    uncertain = unconfirmed or job.state == JobState.LOST
    open_launch = job.state in OPEN_LAUNCH
    launched = clock_text(job.launched_at, seconds=open_launch) if job.launched_at else ""
    drop = f"to remove the job from this machine, run `{current_options().command_line(f'jobs forget {job.number}')}`"
    other_key = job.other_key and not job.state.final
    sent = [("runs", " ".join(map(str, job.run_ids))), ("agent", job.agent_name)]
    sent += [("proposed by", job.proposer), ("prompt", _prompt(record))]
    if not job.proposes and record.draft is not None:  # a job of another kind
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
        ("update", job.update.words(clock_text) if job.update is not None else ""),
        (job.state.words, clock_text(job.since) if uncertain and job.since else ""),
        ("progress id" if KINDS[job.kind].server else "folder", job.progress_id or ""),
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


@jobs.command("watch")
@json_option("per line")
@click.pass_obj
def watch_jobs(options: Options, as_json: bool) -> None:
    """Follow all jobs, one line per change.

    Starts with the unfinished jobs and includes jobs launched later. Ends when interrupted, or when the output is
    closed.
    """
    run_script(options, _Watch(as_json).watch)


class _Watch:
    """Prints changes of jobs, and each error once, until standard output is closed."""

    _session: Session

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._reported: dict[int, Job] = {}
        self._started = False
        self._last_error: str | None = None
        self._refused = False

    async def watch(self, session: Session) -> None:
        """Print changes until standard output is closed (BrokenPipeError) or another key was saved (RestartWithKey)."""
        session.jobs.require_writable()
        self._session = session
        session.engine.start()
        if session.setup.key_is_saved:
            session.jobs.take_over(lost=self._refused)
        news = True
        while not is_output_closed():
            if news:
                news = not await self._print_changes()
            self._print_errors()
            self._switch_key()
            news |= await self._session.engine.wait_for_change(TICK)
        raise BrokenPipeError

    async def _print_changes(self) -> bool:
        """Print every job that changed; return whether the jobs could be read. The first call prints every
        unfinished job."""
        from cekura_tui.store.errors import StoreError

        try:
            jobs = {job.number: job for job in reversed(self._session.store.jobs.all())}
            for number in self._reported.keys() - jobs.keys():
                jobs[number] = await self._unlisted(number)
        except StoreError as error:
            self._print_once(error)
            return False
        for job in jobs.values():
            before = self._reported.get(job.number)
            self._reported[job.number] = job
            changed = before is None or self._printed_form(before) != self._printed_form(job)
            # Jobs that had ended before the first look are not news.
            if changed and (self._started or job.state.active):
                self._put(job)
        if not self._started and not any(job.state.active for job in jobs.values()):
            print_message("No unfinished jobs. Waiting for the next launch.")
        self._started = True
        return True

    async def _unlisted(self, number: int) -> Job:
        """A job that is no longer listed: it is a draft again, is forgotten, or cannot be read. A job that cannot be
        read is returned as last printed."""
        from cekura_tui.store.job_reading import UnreadableJob

        try:
            return await self._session.jobs.get(number)
        except UnreadableJob:
            return self._reported[number]
        except UsageError:
            return replace(self._reported[number], state=JobState.FORGOTTEN, reason="", error=None)

    def _switch_key(self) -> None:
        """Raise RestartWithKey if another process saved a new key. The exception is raised only if the server refuses
        the present key, or if there are no jobs to poll."""
        engine = self._session.engine
        if (engine.paused is not None or engine.idle) and (key := self._session.setup.newly_saved_key()):
            print_message("Signed in with another key. Watching with the new key.")
            raise RestartWithKey(key)

    def _printed_form(self, job: Job) -> object:
        return job.to_json() if self._as_json else state_line(job)

    def _put(self, job: Job) -> None:
        if self._as_json:
            from datetime import UTC, datetime

            put_json({**job.to_json(), "at": datetime.now(UTC).isoformat(timespec="seconds")})
        else:
            put(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {state_line(job)}")

    def _print_errors(self) -> None:
        """Print each error of polling, recording or reading jobs once, and also a refusal of the key."""
        engine = self._session.engine
        if trouble := engine.trouble or self._session.store.jobs.unreadable:
            self._print_once(trouble)
        if engine.paused is not None and not self._refused:
            print_error(engine.paused)
            print_message("Still watching. Polling resumes when the server accepts a key.")
        self._refused = engine.paused is not None

    def _print_once(self, error: CekuraTuiError) -> None:
        if error.exit_status == Exit.RESTART_NEEDED:
            raise error
        if self._last_error != error.sentence():
            self._last_error = error.sentence()
            print_error(error)
