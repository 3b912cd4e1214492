"""One window at a time asks the server about the jobs of all, and another goes on when it dies or hangs."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from subprocess import Popen

import pytest
from calling import call, ended, process
from one_job import Polls, lease_holder
from scripted_server import ScriptedServer
from terminal import Start
from waiting import until

from cekura_tui.jobs.waiting import interval

PASSED_ON_WITHIN = 15.0
"""Seconds from the death of the window that asks to the first question of another."""
SEEN_WITHIN = 5.0
"""Seconds from an answer about a job to the last window that shows it."""


@pytest.fixture
def polls(server: ScriptedServer, prompt_file: Path) -> Polls:
    """Job 1 runs, and no window is open."""
    assert call("improve", 5, "--prompt-file", prompt_file).status == 0
    return Polls(server)


@pytest.fixture
def wait_for_job() -> Iterator[Callable[[], Popen[bytes]]]:
    """`jobs wait 1` in a process of its own."""
    with ExitStack() as stack:

        def wait() -> Popen[bytes]:
            waiting = stack.enter_context(process("jobs", "wait", 1))
            stack.callback(waiting.kill)
            assert waiting.stderr is not None
            assert waiting.stderr.readline().startswith(b"job 1: running")
            return waiting

        yield wait


def test_when_the_window_that_polls_is_killed_another_takes_over(
    polls: Polls, wait_for_job: Callable[[], Popen[bytes]], start: Start, home: Path
) -> None:
    app = start().wait("1 run")
    app.until(lambda: polls.times, "the app asks")
    assert lease_holder(home) == app.process.pid
    waiting = wait_for_job()
    before = len(polls.times)
    app.kill()
    killed = time.monotonic()
    until(lambda: lease_holder(home) == waiting.pid, "the command line has the lease")
    until(lambda: len(polls.times) > before, "the command line asks")
    assert polls.times[-1] - killed <= PASSED_ON_WITHIN
    polls.finish()
    assert ended(waiting).status == 0


def test_when_the_window_that_polls_hangs_another_takes_over_and_stays_the_only_one(
    polls: Polls, wait_for_job: Callable[[], Popen[bytes]], start: Start, home: Path
) -> None:
    waiting = wait_for_job()
    app = start().wait("1 run")
    app.press("2").wait("Job 1", "1 running")
    polls.more(2)
    # Between two questions: one that was on its way when it hung would still arrive.
    assert lease_holder(home) == waiting.pid
    waiting.send_signal(signal.SIGSTOP)
    stopped, before = time.monotonic(), len(polls.times)
    app.until(lambda: len(polls.times) > before, "the app asks")
    assert polls.times[before] - stopped <= PASSED_ON_WITHIN
    assert lease_holder(home) == app.process.pid

    waiting.send_signal(signal.SIGCONT)
    polls.more(2)
    assert lease_holder(home) == app.process.pid
    one_window = interval(age=0, spread=0)
    assert all(later - earlier >= one_window for earlier, later in pairwise(polls.times)), polls.times

    done = polls.finish()
    app.wait("Job 1", "1 succeeded")
    assert ended(waiting).status == 0
    assert time.monotonic() - done <= SEEN_WITHIN
