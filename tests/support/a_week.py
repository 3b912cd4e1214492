"""Seven days of twenty jobs a day in moments: the app without a terminal, on a server that goes by simulated time."""

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
A_DAY = 20
EVERY = 70 * MINUTE
"""Between two launches."""
_LASTS = (5, 8, 25, 12, 20, 30, 30, 40, 15, 300, 10, 60, 25, 90, 8, 20, 35, 6, 120, 30)
_PROMPT = "You book tables at a restaurant. Never promise a table by the window; ask for a number to call back.\n" * 30


def talks(number: int) -> bool:
    """Whether this is the job of every other day that goes on for hours and answers with something new each time."""
    day, n = divmod(number - 1, A_DAY)
    return n == 2 and day % 2 == 0


def lasts(number: int) -> float:
    """How many seconds a job goes on."""
    return 2 * HOUR if talks(number) else _LASTS[(number - 1) % A_DAY]


def end_of(number: int) -> JobState:
    """How a job of this number ends."""
    return {1: JobState.FAILED, 2: JobState.NO_ISSUES}.get(number % 5, JobState.SUCCEEDED)


def draft_of(number: int) -> Draft:
    """What the job of this number is launched with: one of six prompts, of about 3,000 characters."""
    agent = number % 6
    return Draft((number,), Prompt(f"{_PROMPT}You are agent {agent}.\n"), agent, f"Agent {agent}")


def improved(number: int) -> str:
    """The proposal of a job that succeeds."""
    return f"{_PROMPT}You are agent {number % 6}.\nOffer another time where none is left ({number}).\n"


class WeekServer:
    """A server whose answers follow from the time alone, and which keeps nothing."""

    def __init__(self, scripted: ScriptedServer, time: SimulatedTime) -> None:
        self.url, self._scripted, self._time = scripted.url, scripted, time
        self._begins = time.wall
        runs = [run_of(number) for number in range(30, 0, -1)]
        scripted.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}]))
        scripted.on("GET", "/test_framework/v1/runs/", Reply({"count": 30, "next": None, "results": runs}))
        scripted.on("POST", LAUNCH, self._launch)
        scripted.on("GET", PROGRESS, self._progress)

    def forget(self) -> int:
        """Forget the requests that came, so that they are not what grows; returns how many there were."""
        asked = len(self._scripted.seen)
        self._scripted.seen.clear()
        return asked

    def _launch(self, got: Got) -> Reply:
        (number,) = got.json()["run_ids"]
        return Reply({"progress_id": f"{number} {self._time.wall}"})

    def _progress(self, got: Got) -> Reply:
        name, launched = got.query["progress_id"].split()
        number, age = int(name), self._time.wall - float(launched)
        # While the long job goes on, nothing is heard of it for half an hour.
        if 4 * HOUR <= (self._time.wall - self._begins) % DAY < 4.5 * HOUR:
            return Reply(HTML_502, 502)
        if age >= lasts(number):
            return Reply(_ending(number))
        talk = {"seconds": age} if talks(number) else {}
        return Reply({"status": "in_queue" if age < 3 else "running", "output": None, "error": None, **talk})


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
    """What there is at the end of a day, when nothing runs. `things` are the live objects of a kind, by its name."""

    jobs: int
    asked: int
    open_files: int
    tasks: int
    things: Counter[str]
    database_bytes: int


@dataclass
class Week:
    """The app that lives through it."""

    pilot: Pilot[None]
    workspace: Workspace
    server: WeekServer
    time: SimulatedTime
    looks: int = 1
    """How many jobs somebody looks at in the evening."""
    evenings: list[Evening] = field(default_factory=list)

    @property
    def app(self) -> Any:
        return self.pilot.app

    async def live(self) -> Evening:
        """One day: its jobs are launched and end, and in the evening somebody looks at what came."""
        first = len(self.evenings) * A_DAY + 1
        await self.workspace.call(lambda session: self._work(session, first))
        await eventually(lambda: all(job.state.final for job in self.app.state.jobs), "the app knows how all ended")
        await self._look()
        self.evenings.append(await self._measure())
        return self.evenings[-1]

    async def _work(self, session: Session, first: int) -> None:
        self.time.busy = lambda: session.engine.in_flight > 0
        dawn = self.time.elapsed
        for n in range(A_DAY):
            await self.time.passes(dawn + 10 * MINUTE + n * EVERY - self.time.elapsed)
            await session.engine.launch(draft_of(first + n))
        await self.time.passes(dawn + DAY - self.time.elapsed)

    async def _look(self) -> None:
        """To the jobs, into one after the other from the top on, and back."""
        await self.pilot.press("2")
        await eventually(lambda: self.app.current_mode == "jobs", "the jobs are shown")
        shown: list[weakref.ref[Any]] = []
        for _ in range(self.looks):
            await self.pilot.press("enter")
            await eventually(lambda: len(self.app.screen_stack) == 2, "a job is shown")
            shown.append(weakref.ref(self.app.screen))
            await self.pilot.pause()
            await self.pilot.press("escape")
            await eventually(lambda: len(self.app.screen_stack) == 1, "the jobs are shown again")
            await self.pilot.press("j")
        await eventually(lambda: self.app.screen._changes, "two prompts were compared, and are kept from then on")
        await self.pilot.press("1")
        await self.pilot.pause()
        await eventually(lambda: self._let_go(shown), "nothing holds the jobs that were shown")

    def _let_go(self, shown: list[weakref.ref[Any]]) -> bool:
        # A signal of Textual holds who listened to it last until it is given once more, a timer until it has fired.
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
        return Evening(len(self.app.state.jobs), self.server.forget(), open_files(), tasks, census(), size)


def open_files() -> int:
    """How many files, sockets and pipes this process holds open."""
    return len(os.listdir("/dev/fd")) - 1


def census() -> Counter[str]:
    """The live objects of our own kinds, and widgets and timers, by kind."""
    gc.unfreeze()  # what the app put aside in a pause is counted, too, and found if nobody holds it any more
    gc.collect()
    kinds = Counter(type(thing) for thing in gc.get_objects())
    ours = [kind for kind in kinds if kind.__module__.startswith("cekura_tui.") or issubclass(kind, Widget | Timer)]
    return Counter({f"{kind.__module__}.{kind.__qualname__}": kinds[kind] for kind in ours})


@contextmanager
def simulated(time: SimulatedTime) -> Iterator[None]:
    """Whatever engine is made, and whatever is written down, goes by this time.

    The run list goes by real seconds, and takes its turns from the budget of the engine: there is room for all.
    """
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
async def a_week(home: Path, scripted: ScriptedServer, *, looks: int = 1) -> AsyncIterator[Week]:
    """The app, opened in the first night, with a directory of its own."""
    time = SimulatedTime()
    server = WeekServer(scripted, time)
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": "key"}
    with simulated(time):
        workspace = Workspace(make_setup(api_url=server.url, project_id=1, env=env))
        app = CekuraApp(workspace, clock=time.clock)
        try:
            # A toast stays for real seconds, in which days go by here.
            async with app.run_test(size=(120, 36), notifications=False) as pilot:
                await eventually(lambda: workspace.started, "the background runs")
                yield Week(pilot, workspace, server, time, looks)
        finally:
            await asyncio.to_thread(workspace.close)
