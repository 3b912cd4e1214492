"""Save jobs in the database before the app opens, in the state that a test needs."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

from app_on_a_server import WIDE, opened
from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.jobs.owner import this_process
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.jobs import JobStore
from cekura_tui.store.store import Store
from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.jobs.list import JobList
from cekura_tui.ui.messages import OpenJobDetails
from cekura_tui.workspace.setup import Setup

KEY = "key-of-the-test"
DRAFT = Draft((102,), Prompt("Be kind to the caller."), 7, "Front desk", (9,), (5, 6), "agent, edited")
RUNNING = {"status": "running", "output": None, "error": None}
DONE = {"status": "completed", "output": {"improved_prompt": "Be kinder.", "summary_of_changes": "Kinder."}}
FAILED = {"status": "failed", "error": "The model gave up."}


class SeededJobs:
    """Saves jobs in the state that a test needs; `ago` is the number of seconds since the launch of a job."""

    def __init__(self, jobs: JobStore) -> None:
        self.jobs = jobs

    def launching(self, ago: float = 300.0, owner: str = "") -> Job:
        return self.jobs.begin_launch(DRAFT, time.time() - ago, owner or this_process())

    def running(self, *answers: dict[str, Any], ago: float = 300.0) -> Job:
        """Save a launched job that received these answers, one second apart."""
        job = self.launching(ago)
        at = time.time() - ago
        self.jobs.record_progress_id(job.number, f"p-{job.number}", json.dumps({"progress_id": "p"}), at)
        for n, answer in enumerate(answers, 1):
            self.jobs.record_answer(job.number, read_progress(answer), json.dumps(answer), at + n)
        found = self.jobs.get(job.number)
        assert found is not None
        return found

    def ended(self, answer: dict[str, Any], *, took: float, ago: float = 900.0) -> Job:
        """Save a job that was launched `ago` seconds ago and ended with `answer` after `took` seconds."""
        job, at = self.running(RUNNING, ago=ago), time.time() - ago + took
        # A failure that the server has just confirmed is not polled again during a test.
        for moment in (at, time.time()) if answer == FAILED else (at,):
            job = self.jobs.record_answer(job.number, read_progress(answer), json.dumps(answer), moment)
        return job

    def succeeded(self, draft: Draft, answer: dict[str, Any], ago: float = 300.0) -> Job:
        """Save a job that was launched `ago` seconds ago and succeeded with `answer` 40 seconds later."""
        job, at = self.jobs.begin_launch(draft, time.time() - ago, this_process()), time.time() - ago + 40
        self.jobs.record_progress_id(job.number, f"p-{job.number}", json.dumps({"progress_id": "p"}), at - 39)
        return self.jobs.record_answer(job.number, read_progress(answer), json.dumps(answer), at)

    def watched(self, took: float) -> None:
        """Save a job that was polled without a gap and succeeded `took` seconds after its launch."""
        job, at = self.running(ago=20_000), time.time() - 20_000
        self.jobs.record_answer(job.number, read_progress(RUNNING), json.dumps(RUNNING), at + took - 5)
        self.jobs.record_answer(job.number, read_progress(DONE), json.dumps(DONE), at + took)

    def put(self, job: Job, state: JobState, reason: str, raw: str = "") -> Job:
        return self.jobs.record_state(job.number, state, reason, time.time() - 200, raw, only_from=(job.state,))

    def unconfirmed(self, owner: str = "", raw: str = "") -> Job:
        return self.put(self.launching(owner=owner), JobState.UNCONFIRMED, "The connection broke.", raw)

    def lost(self) -> Job:
        return self.put(self.running(), JobState.LOST, "Nobody knows this id.", '{"detail": "Not found."}')


@contextmanager
def stored(setup: Setup, key: str = KEY) -> Iterator[Store]:
    """Open the local database for an API key of a server."""
    with closing(Store(setup.paths.database, setup.origin, key, setup.profile)) as store:
        yield store


@contextmanager
def seeded_jobs(setup: Setup, key: str = KEY) -> Iterator[SeededJobs]:
    """Open the local database to seed jobs for an API key."""
    with stored(setup, key) as store:
        yield SeededJobs(store.jobs)


class JobsFirstApp(CekuraApp):
    """An app that starts on the job list and loads no runs."""

    def _load(self) -> None:
        self.jobs_reader.read()
        self.switch_mode("jobs")


@asynccontextmanager
async def opened_jobs(
    setup: Setup, *shown: str, size: tuple[int, int] = WIDE, **options: Any
) -> AsyncIterator[tuple[Pilot[None], JobList]]:
    """Open the app on its job list, and wait until it shows all texts in `shown`."""
    async with opened(setup, size=size, kind=JobsFirstApp, **options) as pilot:
        await eventually(lambda: pilot.app.current_mode == "jobs", "the list of jobs is on top")
        await sees(pilot, " job", *shown)
        yield pilot, pilot.app.screen.query_one(JobList)


@asynccontextmanager
async def opened_job(setup: Setup, number: int, *shown: str, **options: Any) -> AsyncIterator[Pilot[None]]:
    """Open the app on the details of a job, above the job list, and wait until it shows all texts in `shown`."""
    async with opened_jobs(setup, **options) as (pilot, _):
        pilot.app.state.ask(OpenJobDetails(number))  # type: ignore[attr-defined]
        await sees(pilot, f" Job {number} ", "Sent", *shown)
        yield pilot


async def on_jobs(pilot: Pilot[None], *shown: str) -> JobList:
    """Wait for the empty run list, switch to the jobs, and wait until all texts in `shown` are on the screen."""
    await sees(pilot, "No runs here yet.")
    await pilot.press("2")
    await sees(pilot, *shown)
    return pilot.app.screen.query_one(JobList)


async def on_job(pilot: Pilot[None], number: int, *shown: str) -> None:
    """Switch to the jobs and open the details of job `number`."""
    listed = await on_jobs(pilot)
    await eventually(lambda: listed.index_of(number) is not None, f"job {number} in the list")
    listed.move_to(number)
    await pilot.press("d")
    await sees(pilot, f" Job {number} ", "Sent", *shown)


def app_state_of(pilot: Pilot[None]) -> Any:
    return pilot.app.state  # type: ignore[attr-defined]
