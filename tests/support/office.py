"""A server whose jobs end, and whose runs come, when the test says so; and what the app says of it."""

from __future__ import annotations

import asyncio
import time

from app_on_a_server import setup_of
from scripted_server import LAUNCH, PROGRESS, Got, Reply, ScriptedServer, run_of
from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.model.job import Draft, Job
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import Prompt
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace

PROMPT = "Be kind."
DONE: dict[str, object] = {
    "status": "completed",
    "output": {"improved_prompt": "Be kinder.", "summary_of_changes": "K"},
}
FAILED: dict[str, object] = {"status": "failed", "error": "The model gave up."}


class JobServer:
    """A server whose jobs end, and whose runs come, when the test says so."""

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
        return Reply(self.ends.get(got.query["progress_id"], {"status": "running"}))

    def fails(self, *numbers: int) -> None:
        """These runs come and have failed."""
        self.runs = [run_of(number) for number in numbers] + self.runs

    @property
    def setup(self) -> Setup:
        return setup_of(self.server.url, "key", 1)

    async def before(self, jobs: int, *, end: bool = False) -> None:
        """Somebody has been here, has seen the runs and launched jobs, which have ended where `end` is set."""
        workspace = Workspace(self.setup)
        workspace.start(lambda: None)
        await workspace.call(lambda session: session.lists.page(RunQuery(Scope("project", 1))))
        for _ in range(jobs):
            await launch(workspace)
        if end:
            await ended(workspace, jobs)
        await workspace.call(lambda session: session.jobs.note_visit())
        await asyncio.to_thread(workspace.close)


async def launch(workspace: Workspace) -> Job:
    draft = Draft((130,), Prompt(PROMPT), 7, "Agent 7")
    return await workspace.call(lambda session: session.jobs.launch(draft))


async def ended(workspace: Workspace, count: int) -> None:
    """Wait until so many jobs have ended."""
    end = time.monotonic() + 20
    while sum(job.state.final for job in await workspace.call(lambda session: session.jobs.all())) < count:
        assert time.monotonic() < end, f"never happened: {count} jobs ended"
        await asyncio.sleep(0.02)


async def away_reported(pilot: Pilot[None]) -> None:
    """Wait until the line was shown, if there was anything to show."""
    away = pilot.app.news.away  # type: ignore[attr-defined]
    await eventually(lambda: away._summary is None, "what happened meanwhile is known")
    await pilot.pause()


def toasts(pilot: Pilot[None]) -> list[str]:
    """What the corner of the screen tells at the moment."""
    return [toast.message for toast in pilot.app._notifications]


def lines(pilot: Pilot[None]) -> list[str]:
    return [text for text in toasts(pilot) if text.startswith("While you were away")]


async def reports(pilot: Pilot[None], line: str) -> None:
    """Wait for the line, and see that it is the only one."""
    await eventually(lambda: lines(pilot), "the line")
    assert lines(pilot) == [line]
    await sees(pilot, "While you were away")


def states(pilot: Pilot[None]) -> list[str]:
    return [job.state.value for job in pilot.app.state.jobs]  # type: ignore[attr-defined]
