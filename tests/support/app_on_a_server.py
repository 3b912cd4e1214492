"""Open the app for a test, against a demo server that logs its requests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.demo.server import DemoServer
from cekura_tui.ui.app import CekuraApp
from cekura_tui.workspace.setup import Setup, make_setup
from cekura_tui.workspace.workspace import Workspace

EPOCH = 1_760_000_000.0
PROJECT = 4021
WIDE, SMALL = (120, 36), (80, 24)
LIST = "/test_framework/v1/runs/"
LAUNCH = "/test_framework/v1/runs/improve_prompt_bg/"


@dataclass(frozen=True)
class Served:
    """A demo server and its request log."""

    server: DemoServer
    log: list[dict[str, object]]

    def setup(self, *, key: str = "", project: int | None = PROJECT, read_only: bool = False) -> Setup:
        """Settings that connect to this server, by default with the server's own key."""
        return setup_of(self.server.url, key or self.server.key, project, read_only=read_only)

    def requests_to(self, path: str, method: str = "GET") -> list[dict[str, object]]:
        """Logged requests with this path and method."""
        return [entry for entry in list(self.log) if (entry["method"], entry["path"]) == (method, path)]


def setup_of(url: str, key: str | None, project: int | None = None, *, read_only: bool = False) -> Setup:
    """Settings that connect to a server with this key. If the key is None or empty, the user is signed out."""
    env = {"CEKURA_TUI_HOME": os.environ["CEKURA_TUI_HOME"], **({"CEKURA_API_KEY": key} if key else {})}
    return make_setup(api_url=url, project_id=project, read_only=read_only, env=env)


@asynccontextmanager
async def opened(
    setup: Setup, *, size: tuple[int, int] = WIDE, kind: type[CekuraApp] = CekuraApp, **options: Any
) -> AsyncIterator[Pilot[None]]:
    """Open an app of the class `kind` with these settings, and close the app as on a normal exit.

    `options` are arguments of the app. The run list is not live unless `live=True` is given, so that the number of
    requests does not depend on the duration of the test.
    """
    workspace = Workspace(setup)
    app = kind(workspace, **{"live": False, **options})
    try:
        async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
            yield pilot
    finally:
        await asyncio.to_thread(workspace.close)


async def on_run(pilot: Pilot[None], run_id: int) -> None:
    """Wait until the run list shows a run, and move the cursor to this run."""
    await sees(pilot, "as of", str(run_id))
    runs = pilot.app.screen.query_one("#runs")
    while runs.cursor_key != run_id:  # type: ignore[attr-defined]
        assert runs.cursor_key is not None  # type: ignore[attr-defined]
        await pilot.press("j")


async def launched(pilot: Pilot[None], run_id: int, state: str = "succeeded") -> None:
    """Launch a job with the agent's prompt from a run in the list, and wait until the job is in `state`."""
    await on_run(pilot, run_id)
    await pilot.press("i")
    await sees(pilot, "Improve the prompt", "Launch", "words,", gone="Loading")
    await pilot.press("ctrl+g")
    await eventually(lambda: pilot.app.state.jobs, "a job on the state")  # type: ignore[attr-defined]
    app_state = pilot.app.state  # type: ignore[attr-defined]
    await eventually(lambda: app_state.jobs[0].state == state, f"the job is {state}")


def no_crash(pilot: Pilot[None]) -> None:
    """Check that the app still runs and has raised no exception."""
    app = pilot.app
    assert app.is_running
    assert app._exception is None
