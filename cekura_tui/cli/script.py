"""Run commands, each on a session opened for it (`command`), and wait for jobs."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cekura_tui.cli.options import Options
from cekura_tui.cli.output import print_error, print_message
from cekura_tui.model.errors import Exit
from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.config.credentials import ApiKey
    from cekura_tui.model.job import Job
    from cekura_tui.workspace.session import Session
    from cekura_tui.workspace.setup import Setup

T = TypeVar("T")


class RestartWithKey(Exception):
    """Raised by a command's work so that the work is restarted with another key."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__()
        self.key = key


class SignalReceived(Exception):
    """Raised when SIGTERM or SIGHUP ends the command, after the work was recorded and the session closed."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


def command(
    name: str,
    group: click.Group | None = None,
    *,
    key: bool = True,
    check: Callable[..., None] | None = None,
    cls: type[click.Command] = click.Command,
) -> Callable[[Callable[..., Awaitable[Exit | None]]], click.Command]:
    """Make a click command from a coroutine function that gets an open session and the parameters, and returns the exit
    status, None for 0. With `key=False` it also runs without a key. `check` validates parameters before the session."""

    def made(work: Callable[..., Awaitable[Exit | None]]) -> click.Command:
        @functools.wraps(work)
        def run(**given: Any) -> None:
            context = click.get_current_context()
            if check is not None:
                check(**given)
            status = run_script(context.obj, lambda session: work(session, **given), needs_key=key)
            context.exit(status or Exit.DONE)

        return (click if group is None else group).command(name, cls=cls)(run)

    return made


def run_script(
    options: Options, work: Callable[[Session], Awaitable[T]], *, needs_key: bool = True, given: Setup | None = None
) -> T:
    """Open a session, await `work` on it, close the session, and return the result of `work`.

    Commands of `on_job_done` that still run are awaited at the end, after an interruption for at most a second. If
    `work` raises RestartWithKey, a new session with that key is opened and `work` starts again. `given` is the setup,
    if the caller has already made one.
    """
    import asyncio

    setup = given or options.setup()
    if setup.no_key is not None:
        if needs_key and given is None:
            raise setup.no_key
        setup = setup.without_key()

    async def script() -> T:
        nonlocal setup
        from cekura_tui.workspace.log_file import log_to
        from cekura_tui.workspace.session import Session

        log_to(setup.paths)
        hook = None
        if setup.settings.on_job_done:
            from cekura_tui.workspace.hook import JobHook

            hook = JobHook(setup.settings.on_job_done, print_message)
        patience = None
        try:
            while True:
                session = Session.open(setup, ended=hook.ended if hook else lambda done: None)
                _print_notice(session)
                try:
                    done = await work(session)
                    if setup.offline and setup.no_key is not None:
                        print_message(f"{setup.no_key.sentence()}\nShowing what is saved on this machine.")
                    return done
                except RestartWithKey as other:
                    setup = setup.with_key(other.key)
                finally:
                    _print_notice(session)  # reading may have found damage
                    await session.close()
                    _report_unrecorded(session, options)
        except asyncio.CancelledError:
            patience = 1.0
            raise
        finally:
            if hook is not None:
                await hook.close(patience)

    return asyncio.run(_until_signal(script()))


def _print_notice(session: Session) -> None:
    if notice := session.store.database.notice:
        session.store.database.notice = ""
        print_message(notice)


def _report_unrecorded(session: Session, options: Options) -> None:
    """Print how to recover launches that could not be recorded. The caller prints an error that is being raised."""
    for launch in session.engine.unrecorded:
        launch.hint = launch.hint_at_end(options.command_line)
        if launch is not sys.exception():
            print_error(launch)


async def _until_signal(work: Coroutine[object, object, T]) -> T:
    """Await `work`. SIGTERM or SIGHUP cancels `work` as ctrl+c does; SignalReceived is raised once `work` has ended."""
    import asyncio

    task = asyncio.ensure_future(work)
    got: list[int] = []

    def end(number: int) -> None:
        got.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            continue  # ignored by nohup
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if got:
            raise SignalReceived(got[0]) from None
        raise


async def wait_for_jobs(session: Session, numbers: Sequence[int], within: float | None) -> list[Job]:
    """Poll jobs until all have ended or, if given, `within` seconds have passed; print each change of state. Raises
    KeyRefused, KeyMissing for a job that needs another key, RestartNeeded if the database can no longer be used."""
    reported: dict[int, str] = {}
    trouble = ""
    end = None if within is None else time.monotonic() + within
    session.engine.start()
    while True:
        session.store.jobs.version()
        jobs = [await session.jobs.pollable(number) for number in numbers]
        for job in jobs:
            line = state_line(job)
            if reported.get(job.number) != line:
                reported[job.number] = line
                print_message(line)
        left = 1.0 if end is None else end - time.monotonic()
        if left <= 0 or not any(job.state.active for job in jobs):
            return jobs
        if session.engine.paused is not None:
            raise session.engine.paused
        if (found := session.engine.trouble) and found.message != trouble:
            trouble = found.message
            if found.exit_status == Exit.RESTART_NEEDED:
                raise found
            print_message(found.sentence())
        await session.engine.wait_for_change(min(1.0, left))


async def mark_seen(session: Session, number: int) -> None:
    """Mark a job's end as seen by the user; if that fails, the job stays new."""
    from cekura_tui.store.errors import StoreError

    with contextlib.suppress(StoreError):
        session.store.jobs.mark_seen(number, time.time())


def state_line(job: Job) -> str:
    from cekura_tui.model.scenario_test import calls_words

    status, is_active = clean_line(job.last_status or "", 40), job.state.active
    says = f"the server says “{status}”" if is_active and status.lower() not in ("", job.state.words) else ""
    more = clean_line(job.error or job.reason, 200) or calls_words(job) or says
    trouble = "no answer from the server" if job.stale_since else ""
    note = "launched with another key" if job.other_key else trouble
    by = f" ({job.proposer})" if job.is_local else ""
    more = (f": {more}" if more else "") + (f" ({note})" if note and is_active else "")
    return f"job {job.number}{by}: {job.state.words}{more}"


def exit_of(jobs: Sequence[Job]) -> Exit:
    from cekura_tui.model.job import JobState

    states = {job.state for job in jobs}
    if states - {JobState.SUCCEEDED, JobState.NO_ISSUES}:
        return Exit.NOT_SUCCEEDED
    return Exit.NO_ISSUES if JobState.NO_ISSUES in states else Exit.DONE
