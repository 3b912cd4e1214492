"""Run the app and a server through seven simulated days of twenty jobs each, within minutes of real time."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from scripted_server import HTML_502, LAUNCH, PROGRESS, Got, Reply, ScriptedServer, run_of
from simulated_time import SimulatedTime
from textual.pilot import Pilot
from textual.timer import Timer
from textual.widget import Widget
from waiting import eventually

from cekura_tui.jobs.engine import JobEngine
from cekura_tui.jobs.polling import WINDOW, Budget
from cekura_tui.jobs.waiting import DAY, HOUR, MINUTE
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.ui.app import CekuraApp
from cekura_tui.workspace import job_service, session
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup
from cekura_tui.workspace.workspace import Workspace

DAYS = 7
JOBS_PER_DAY = 20
LAUNCH_INTERVAL = 70 * MINUTE
"""Seconds between two launches."""
_DURATIONS = (5, 8, 25, 12, 20, 30, 30, 40, 15, 300, 10, 60, 25, 90, 8, 20, 35, 6, 120, 30)
_PROMPT = "You book tables at a restaurant. Never promise a table by the window; ask for a number to call back.\n" * 30


def is_long_job(number: int) -> bool:
    """Whether the job runs for two hours and has new data in every answer (one job every other day)."""
    day, n = divmod(number - 1, JOBS_PER_DAY)
    return n == 2 and day % 2 == 0


def duration_of(number: int) -> float:
    """Seconds from the launch of a job to its final answer."""
    return 2 * HOUR if is_long_job(number) else _DURATIONS[(number - 1) % JOBS_PER_DAY]


def end_of(number: int) -> JobState:
    return {1: JobState.FAILED, 2: JobState.NO_ISSUES}.get(number % 5, JobState.SUCCEEDED)


def draft_of(number: int) -> Draft:
    """Draft of the job with this number: one of six prompts, about 3,000 characters long."""
    agent = number % 6
    return Draft((number,), Prompt(f"{_PROMPT}You are agent {agent}.\n"), agent, f"Agent {agent}")


def improved(number: int) -> str:
    """The prompt that job `number` proposes if it succeeds."""
    return f"{_PROMPT}You are agent {number % 6}.\nOffer another time where none is left ({number}).\n"


class WeekServer:
    """A server that stores no jobs: its answer to a poll depends only on the progress id and the simulated time."""

    def __init__(self, scripted: ScriptedServer, time: SimulatedTime) -> None:
        self.url, self._scripted, self._time = scripted.url, scripted, time
        self._begins = time.wall
        runs = [run_of(number) for number in range(30, 0, -1)]
        scripted.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}]))
        scripted.on("GET", "/test_framework/v1/runs/", Reply({"count": 30, "next": None, "results": runs}))
        scripted.on("POST", LAUNCH, self._launch)
        scripted.on("GET", PROGRESS, self._progress)

    def forget(self) -> int:
        """Clear the request log, so that the log does not count as a leak; returns the number of requests."""
        asked = len(self._scripted.seen)
        self._scripted.seen.clear()
        return asked

    def _launch(self, got: Got) -> Reply:
        (number,) = got.json()["run_ids"]
        return Reply({"progress_id": f"{number} {self._time.wall}"})

    def _progress(self, got: Got) -> Reply:
        name, launched = got.query["progress_id"].split()
        number, age = int(name), self._time.wall - float(launched)
        # The server fails for half an hour while the long job runs.
        if 4 * HOUR <= (self._time.wall - self._begins) % DAY < 4.5 * HOUR:
            return Reply(HTML_502, 502)
        if age >= duration_of(number):
            return Reply(_ending(number))
        news = {"seconds": age} if is_long_job(number) else {}
        return Reply({"status": "in_queue" if age < 3 else "running", "output": None, "error": None, **news})


def _ending(number: int) -> dict[str, object]:
    match end_of(number):
        case JobState.SUCCEEDED:
            output = {"improved_prompt": improved(number), "summary_of_changes": "- Offers another time."}
            return {"status": "completed", "output": output, "error": None}
        case JobState.NO_ISSUES:
            return {"status": "completed", "output": None, "error": "No issues found in these runs."}
    return {"status": "failed", "output": None, "error": "The transcripts could not be read."}


@dataclass(frozen=True)
class Evening:
    """Measurements at the end of a day, when no job runs; `live_objects` counts the objects per class name."""

    jobs: int
    requests: int
    open_files: int
    tasks: int
    live_objects: Counter[str]
    database_bytes: int


@dataclass
class Week:
    """The app and its server, with the measurements of each evening."""

    pilot: Pilot[None]
    workspace: Workspace
    server: WeekServer
    time: SimulatedTime
    jobs_viewed: int = 1
    """Number of jobs that the user opens each evening."""
    evenings: list[Evening] = field(default_factory=list)

    @property
    def app(self) -> Any:
        return self.pilot.app

    async def run_day(self) -> Evening:
        """Simulate one day: launch the day's jobs, wait until all jobs have ended, view some of the jobs, and measure.
        Returns the measurements of the evening."""
        first = len(self.evenings) * JOBS_PER_DAY + 1
        await self.workspace.call(lambda session: self._work(session, first))
        await eventually(lambda: all(job.state.final for job in self.app.state.jobs), "the app knows how all ended")
        await self._view_jobs()
        self.evenings.append(await self._measure())
        return self.evenings[-1]

    async def _work(self, session: Session, first: int) -> None:
        self.time.busy = lambda: session.engine.in_flight > 0
        dawn = self.time.elapsed
        for n in range(JOBS_PER_DAY):
            await self.time.advance(dawn + 10 * MINUTE + n * LAUNCH_INTERVAL - self.time.elapsed)
            await session.engine.launch(draft_of(first + n))
        await self.time.advance(dawn + DAY - self.time.elapsed)

    async def _view_jobs(self) -> None:
        """Open `jobs_viewed` jobs from the top of the list, one after another, then return to the runs. Waits until the
        screens of the jobs are garbage-collected."""
        await self.pilot.press("2")
        await eventually(lambda: self.app.current_mode == "jobs", "the jobs are shown")
        shown: list[weakref.ref[Any]] = []
        for _ in range(self.jobs_viewed):
            await self.pilot.press("enter")
            await eventually(lambda: len(self.app.screen_stack) == 2, "a job is shown")
            shown.append(weakref.ref(self.app.screen))
            await self.pilot.pause()
            await self.pilot.press("escape")
            await eventually(lambda: len(self.app.screen_stack) == 1, "the jobs are shown again")
            await self.pilot.press("j")
        await self.pilot.press("g")  # the newest job succeeds; a job below may have no changes
        await eventually(lambda: self.app.screen._changes, "two prompts were compared, and are kept from then on")
        await self.pilot.press("1")
        await self.pilot.pause()
        await eventually(lambda: self._are_collected(shown), "nothing holds the jobs that were shown")

    def _are_collected(self, shown: list[weakref.ref[Any]]) -> bool:
        # A Textual signal keeps its last subscriber alive until it publishes again, a timer until it fires.
        self.app.state.jobs_changed.publish(self.app.state.jobs)
        self.app.state.data_changed.publish(None)
        gc.collect()
        return not any(screen() for screen in shown)

    async def _measure(self) -> Evening:
        async def tasks_there(_: Session) -> int:
            return len(asyncio.all_tasks())

        tasks = len(asyncio.all_tasks()) + await self.workspace.call(tasks_there)
        path = self.workspace.setup.paths.database
        size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
        return Evening(len(self.app.state.jobs), self.server.forget(), open_files(), tasks, count_objects(), size)


def open_files() -> int:
    """Number of open file descriptors of this process."""
    return len(os.listdir("/dev/fd")) - 1


def count_objects() -> Counter[str]:
    """Count live widgets, timers and instances of the program's classes, by class name."""
    gc.unfreeze()  # count objects that the app froze while idle, and collect the unreferenced ones
    gc.collect()
    kinds = Counter(type(thing) for thing in gc.get_objects())
    ours = [kind for kind in kinds if kind.__module__.startswith("cekura_tui.") or issubclass(kind, Widget | Timer)]
    return Counter({f"{kind.__module__}.{kind.__qualname__}": kinds[kind] for kind in ours})


@contextmanager
def simulated(time: SimulatedTime) -> Iterator[None]:
    """Make every new job engine and every recorded timestamp use the simulated time. The run list still polls in real
    time. The run list and the jobs share a request budget, which is made too large to be used up."""
    defaults: Any = JobEngine.__init__.__kwdefaults__
    simulated = {
        "clock": time.clock,
        "monotonic": time.monotonic,
        "pause": time.pause,
        "jitter": random.Random(0).random,
    }
    wall = SimpleNamespace(time=time.clock)
    with (
        patch.dict(defaults, simulated),
        patch.object(Budget.__init__, "__defaults__", (1_000_000, WINDOW)),
        patch.object(session, "time", wall),
        patch.object(job_service, "time", wall),
    ):
        yield


@asynccontextmanager
async def a_week(home: Path, scripted: ScriptedServer, *, jobs_viewed: int = 1) -> AsyncIterator[Week]:
    """Open the app at the start of the week, with `home` as its data directory."""
    time = SimulatedTime()
    server = WeekServer(scripted, time)
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": "key"}
    with simulated(time):
        workspace = Workspace(make_setup(api_url=server.url, project_id=1, env=env))
        app = CekuraApp(workspace, clock=time.clock)
        try:
            # A toast stays for seconds of real time, in which simulated days pass.
            async with app.run_test(size=(120, 36), notifications=False) as pilot:
                await eventually(lambda: workspace.started, "the background runs")
                yield Week(pilot, workspace, server, time, jobs_viewed)
        finally:
            await asyncio.to_thread(workspace.close)
