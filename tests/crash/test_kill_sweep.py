"""kill -9 a little later each time, around each step of a job: wherever it strikes, nothing is lost or sent twice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from calling import call
from examples import nightly
from one_job import DONE, IMPROVED, PROMPT, RUN, TAKEN, launches, recorded, state
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, Reset, ScriptedServer, run_of, serve_runs
from terminal import Start
from waiting import until

DELAYS = [step * 0.04 / 11 for step in range(12)]
"""Seconds from the answer to the kill: this is about time, for no condition names the moments in between."""
pytestmark = pytest.mark.parametrize("delays", [pytest.param(DELAYS[::5], id="few"), nightly(DELAYS, name="many")])


class Sweep:
    """Launches again and again, each time in a new config directory, and kills around one answer of the server's."""

    def __init__(self, server: ScriptedServer, start: Start, directory: Path, delays: Sequence[float]) -> None:
        self._server, self._start, self._directory, self._delays = server, start, directory, delays
        self._file = directory / "prompt.md"
        self._file.write_bytes(PROMPT.encode())

    def around(self, method: str, path: str, reply: Reply | Reset) -> Iterator[Path]:
        """Directories in which the program was killed a little after this answer was on its way."""
        for number, delay in enumerate(self._delays):
            home = self._directory / f"home-{number}"
            self._server.seen.clear()
            hold = Hold(reply)
            self._server.on(method, path, hold)
            command = ("--config-dir", home, "improve", 5, "--prompt-file", self._file, "--wait")
            program = self._start(*map(str, command))
            until(hold.arrived.is_set, "the request is there")
            hold.released.set()
            time.sleep(delay)
            program.kill()
            yield home


@pytest.fixture
def sweep(server: ScriptedServer, start: Start, tmp_path: Path, delays: Sequence[float]) -> Sweep:
    return Sweep(server, start, tmp_path, delays)


def goes_on(home: Path, server: ScriptedServer) -> None:
    """A fresh start finds the job with its prompt, and brings one that runs to its end."""
    server.on("GET", PROGRESS, DONE)
    status = call("--config-dir", home, "jobs", "wait", 1).status
    job = recorded(home)
    assert job is not None
    assert job.prompt == PROMPT
    assert (job.state, status, job.improved) in [("unconfirmed", 1, None), ("succeeded", 0, IMPROVED)]
    assert launches(server) in ([], [PROMPT])


def test_killed_at_any_moment_before_the_launch_the_server_has_no_unrecorded_job(
    server: ScriptedServer, sweep: Sweep
) -> None:
    for home in sweep.around("GET", RUN, Reply(run_of(5))):
        serve_runs(server, run_of(5))
        if launches(server) or state(home):
            goes_on(home, server)


def test_killed_at_any_moment_after_the_server_took_a_job_it_is_recorded(server: ScriptedServer, sweep: Sweep) -> None:
    for home in sweep.around("POST", LAUNCH, TAKEN):
        goes_on(home, server)
        assert launches(server) == [PROMPT]


def test_killed_at_any_moment_around_a_result_the_suggestion_is_not_lost(server: ScriptedServer, sweep: Sweep) -> None:
    for home in sweep.around("GET", PROGRESS, DONE):
        assert state(home) in ("running", "succeeded")
        goes_on(home, server)
        assert launches(server) == [PROMPT]
