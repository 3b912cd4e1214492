"""Several windows and commands share one profile: only one of them polls, and all show the same state of a job."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from itertools import pairwise
from pathlib import Path
from subprocess import Popen

import pytest
from calling import call, ended, process
from forked import state_of
from fronts import BY_COMMAND, Front
from one_job import DONE, PROMPT, Polls, held_launch, launches, listed, state
from scripted_server import PROGRESS, ScriptedServer
from terminal import Start
from waiting import until

from cekura_tui.jobs.waiting import interval

SEEN_WITHIN = 5.0
"""Maximum seconds from an answer about a job until all windows show it."""


@BY_COMMAND
def test_only_the_launching_window_handles_a_launch_and_all_windows_show_its_end(
    server: ScriptedServer, front: Front, start: Start, home: Path
) -> None:
    hold, polls = held_launch(server), Polls(server, home)
    front.launch()
    until(hold.arrived.is_set, "the server has the launch")
    window = start().wait("1 run")
    window.press("2").wait("Job 1", "1 launching")
    waiting = process("jobs", "wait", 1)
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == b"job 1: launching\n"
    assert [job["state"] for job in listed()] == ["launching"]
    window.settle()
    assert launches(server) == [PROMPT]

    hold.released.set()
    front.wait_until_running()
    window.wait("Job 1", "1 running")

    done = polls.finish()
    front.wait_until_succeeded()
    window.wait("Job 1", "1 succeeded")
    waited = ended(waiting)
    assert time.monotonic() - done <= SEEN_WITHIN
    assert waited.status == 0
    assert waited.err.splitlines()[-1] == "job 1: succeeded"
    assert launches(server) == [PROMPT]


def test_a_choice_can_be_undone_in_another_window_after_its_own_window_quit(
    server: ScriptedServer, start: Start, prompt_file: Path
) -> None:
    server.on("GET", PROGRESS, DONE)
    assert call("improve", 5, "--prompt-file", prompt_file, "--wait").status == 0
    one, two = (start().wait("1 run") for _ in range(2))
    for window in (one, two):
        window.press("2")
        window.wait("Job 1", "1 succeeded").press("enter")
        window.wait("Suggestion of job 1", "2 of 2 undecided")
    one.press("a")
    two.wait("Another window or command changed the staged prompt.", "✓1")
    two.press("u").wait("Nothing to undo.")
    one.quit()
    two.press("u").wait("Undone: change 1 is undecided.")


def test_a_launch_is_kept_while_its_process_is_suspended_and_answered_later(
    server: ScriptedServer, home: Path, prompt_file: Path
) -> None:
    hold = held_launch(server)
    launching = process("improve", 5, "--prompt-file", prompt_file)
    until(hold.arrived.is_set, "the server has the launch")
    launching.send_signal(signal.SIGSTOP)
    hold.released.set()
    assert [job["state"] for job in listed()] == ["launching"]
    launching.send_signal(signal.SIGCONT)
    assert ended(launching).out == "1\n"
    assert (state(home), launches(server)) == ("running", [PROMPT])


TAKEOVER_WITHIN = 15.0
"""Maximum seconds from the end of the polling process to the first poll by another process."""


@pytest.fixture
def polls(server: ScriptedServer, prompt_file: Path, home: Path) -> Polls:
    """Launch job 1 and record its polls; no window is open."""
    assert call("improve", 5, "--prompt-file", prompt_file).status == 0
    return Polls(server, home)


@pytest.fixture
def wait_for_job() -> Iterator[Callable[[], Popen[bytes]]]:
    """A function that starts `jobs wait 1` as a process."""
    with ExitStack() as stack:

        def wait() -> Popen[bytes]:
            waiting = stack.enter_context(process("jobs", "wait", 1))
            stack.callback(waiting.kill)
            assert waiting.stderr is not None
            assert waiting.stderr.readline().startswith(b"job 1: running")
            return waiting

        yield wait


def test_another_process_takes_over_polling_if_the_polling_window_is_killed(
    polls: Polls, wait_for_job: Callable[[], Popen[bytes]], start: Start, home: Path
) -> None:
    app = start().wait("1 run")
    app.until(lambda: polls.times, "the app asks")
    waiting = wait_for_job()
    before = len(polls.times)
    app.kill()
    killed = time.monotonic()
    until(lambda: len(polls.times) > before, "the command line asks")
    assert polls.times[-1] - killed <= TAKEOVER_WITHIN
    polls.finish()
    assert ended(waiting).status == 0


def suspended(process: Popen[bytes], home: Path) -> bool:
    """Suspend a process, unless it would block every other writer because it is writing to the database."""
    process.send_signal(signal.SIGSTOP)
    until(lambda: state_of(process.pid) == "T", "it is stopped")
    with closing(sqlite3.connect(home / "cekura.db", timeout=0)) as sql, suppress(sqlite3.OperationalError):
        sql.execute("BEGIN IMMEDIATE")
        return True
    process.send_signal(signal.SIGCONT)
    return False


def test_a_window_takes_over_polling_from_a_hung_process_and_then_polls_alone(
    polls: Polls, wait_for_job: Callable[[], Popen[bytes]], start: Start, home: Path
) -> None:
    waiting = wait_for_job()
    app = start().wait("1 run")
    app.press("2").wait("Job 1", "1 running")
    polls.more(2)
    until(lambda: suspended(waiting, home), "it is suspended between two writes")
    stopped, before = time.monotonic(), len(polls.times)
    app.until(lambda: len(polls.times) > before, "the app asks")
    assert polls.times[before] - stopped <= TAKEOVER_WITHIN

    waiting.send_signal(signal.SIGCONT)
    polls.more(2)
    one_window = interval(age=0, jitter=0)
    assert all(later - earlier >= one_window for earlier, later in pairwise(polls.claims)), polls.claims

    done = polls.finish()
    app.wait("Job 1", "1 succeeded")
    assert ended(waiting).status == 0
    assert time.monotonic() - done <= SEEN_WITHIN
