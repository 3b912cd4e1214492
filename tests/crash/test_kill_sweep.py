"""kill -9 at slightly different moments around each step of a job: nothing is lost or sent twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from calling import call
from examples import nightly
from one_job import ACCEPTED, DONE, IMPROVED, PROMPT, RUN, launches, recorded, state
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, Reset, ScriptedServer, run_of, serve_runs
from terminal import Start
from waiting import until

DELAYS = [step * 0.04 / 11 for step in range(12)]
"""Seconds from the answer to the kill; no condition can name the moments in between."""
pytestmark = pytest.mark.parametrize("delays", [pytest.param(DELAYS[::5], id="few"), nightly(DELAYS, name="many")])


Sweep = Callable[[str, str, Reply | Reset], Iterator[Path]]


@pytest.fixture
def sweep(server: ScriptedServer, start: Start, tmp_path: Path, prompt_file: Path, delays: Sequence[float]) -> Sweep:
    """A function that starts a launch in several new config directories, one after the other. It kills the program
    shortly after the server answers the given request, and then yields the directory."""

    def around(method: str, path: str, reply: Reply | Reset) -> Iterator[Path]:
        for number, delay in enumerate(delays):
            home = tmp_path / f"home-{number}"
            server.seen.clear()
            hold = Hold(reply)
            server.on(method, path, hold)
            program = start("--config-dir", str(home), "improve", "5", "--prompt-file", str(prompt_file), "--wait")
            until(hold.arrived.is_set, "the request is there")
            hold.released.set()
            time.sleep(delay)
            program.kill()
            yield home

    return around


def assert_job_survived(home: Path, server: ScriptedServer) -> None:
    """Assert that a fresh start finds the job with its prompt, and finishes the job unless it is unconfirmed."""
    server.on("GET", PROGRESS, DONE)
    status = call("--config-dir", home, "jobs", "wait", 1).status
    job = recorded(home)
    assert job.prompt == PROMPT
    assert (job.state, status, job.improved) in [("unconfirmed", 1, None), ("succeeded", 0, IMPROVED)]
    assert launches(server) in ([], [PROMPT])


def test_a_kill_around_the_launch_leaves_no_unrecorded_job_on_the_server(server: ScriptedServer, sweep: Sweep) -> None:
    for home in sweep("GET", RUN, Reply(run_of(5))):
        serve_runs(server, run_of(5))
        if launches(server) or state(home):
            assert_job_survived(home, server)


def test_a_kill_after_the_server_accepted_a_job_leaves_the_job_recorded(server: ScriptedServer, sweep: Sweep) -> None:
    for home in sweep("POST", LAUNCH, ACCEPTED):
        assert_job_survived(home, server)
        assert launches(server) == [PROMPT]


def test_a_kill_around_the_arrival_of_a_suggestion_does_not_lose_the_suggestion(
    server: ScriptedServer, sweep: Sweep
) -> None:
    for home in sweep("GET", PROGRESS, DONE):
        assert state(home) in ("running", "succeeded")
        assert_job_survived(home, server)
        assert launches(server) == [PROMPT]
