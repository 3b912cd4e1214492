"""A server on which a test ends jobs and adds runs, and the app's notifications about ended jobs and new runs."""

from __future__ import annotations

import asyncio
import json
import time

from app_on_a_server import setup_of
from scripted_server import LAUNCH, PROGRESS, Got, Reply, ScriptedServer, run_of
from seeded_jobs import DONE as DONE
from seeded_jobs import RUNNING, seeded_jobs
from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, Job
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import Prompt
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace


class JobServer:
    """A server on which a test ends jobs and adds runs. The progress id of job 1 is "p1" if the job was launched, and
    "p-1" if the job was seeded."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.ends: dict[str, dict[str, object]] = {}
        self.runs = [run_of(number, evaluation_status="success") for number in range(130, 100, -1)]
        self._launched = 0
        server.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}]))
        server.on("GET", "/test_framework/v1/runs/", self._page)
        server.on("POST", LAUNCH, lambda _: self._launch())
        server.on("GET", PROGRESS, self._progress)

    def _page(self, got: Got) -> Reply:
        end = 100 * int(got.query.get("page", 1))
        more = "there is" if end < len(self.runs) else None
        return Reply({"count": len(self.runs), "next": more, "results": self.runs[end - 100 : end]})

    def _launch(self) -> Reply:
        self._launched += 1
        return Reply({"progress_id": f"p{self._launched}"})

    def _progress(self, got: Got) -> Reply:
        return Reply(self.ends.get(got.query["progress_id"], RUNNING))

    def add_failed(self, *numbers: int) -> None:
        """Add failed runs with these ids at the top of the list."""
        self.runs = [run_of(number) for number in numbers] + self.runs

    @property
    def setup(self) -> Setup:
        return setup_of(self.server.url, "key", 1)

    def seed_running(self, jobs: int) -> None:
        """Save this many running jobs in the database."""
        with seeded_jobs(self.setup, "key") as seeded:
            for _ in range(jobs):
                seeded.running()

    def end_jobs(self, ends: dict[str, dict[str, object]]) -> None:
        """End jobs with these answers, by progress id. The answers are also recorded in the database, as another
        process would record them."""
        self.ends = ends
        with seeded_jobs(self.setup, "key") as seeded:
            for name, answer in ends.items():
                number = int(name.removeprefix("p-"))
                seeded.jobs.record_answer(number, read_progress(answer), json.dumps(answer), time.time())

    async def record_visit(self) -> None:
        """Record that the user has just left the app after seeing all runs."""
        workspace = Workspace(self.setup)
        workspace.start(lambda: None)
        await workspace.call(lambda session: session.lists.page(RunQuery(Scope("project", 1))))
        await workspace.call(lambda session: session.jobs.note_visit())
        await asyncio.to_thread(workspace.close)


async def launch(workspace: Workspace) -> Job:
    draft = Draft((130,), Prompt("Be kind."), 7, "Agent 7")
    return await workspace.call(lambda session: session.engine.launch(draft))


async def away_reported(pilot: Pilot[None]) -> None:
    """Wait until the report about the user's absence is shown, or until the app knows that there is nothing to
    report."""
    away = pilot.app.news.away  # type: ignore[attr-defined]
    await eventually(lambda: away._pending is None, "what happened meanwhile is known")
    await pilot.pause()


def toasts(pilot: Pilot[None]) -> list[str]:
    """Texts of the toasts on screen."""
    return [toast.message for toast in pilot.app._notifications]


def away_reports(pilot: Pilot[None]) -> list[str]:
    """Texts of the toasts about the user's absence."""
    return [text for text in toasts(pilot) if text.startswith("While you were away")]


async def sees_away_report(pilot: Pilot[None], line: str) -> None:
    """Wait for a report about the user's absence, and check that `line` is the only report."""
    await eventually(lambda: away_reports(pilot), "the line")
    assert away_reports(pilot) == [line]
    await sees(pilot, "While you were away")


def states(pilot: Pilot[None]) -> list[str]:
    return [job.state.value for job in pilot.app.state.jobs]  # type: ignore[attr-defined]
