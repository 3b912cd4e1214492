"""The controller of the run list, with a real workspace and a fake screen that records calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from app_on_a_server import LIST, Served, setup_of
from scripted_server import Reply, ScriptedServer

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.ui.runs.controller import RunsController
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.workspace.workspace import Workspace

ONE, TWO = Scope("project", 1, "One"), Scope("project", 2, "Two")


class Screen:
    """Fake screen that records the controller's calls."""

    def __init__(self, state: Any) -> None:
        self.state = state
        self.is_unmounted = self.waiting = False
        self.seen = self.is_active = True
        self.drawn = 0
        self.lists: list[bool] = []
        self.picks: list[NoScope | None] = []
        self.texts: list[str] = []
        self.workers: list[tuple[str, asyncio.Task[None]]] = []

    def draw(self) -> None:
        self.drawn += 1

    def notify_once(self, text: str, *, warning: bool = False) -> None:
        self.texts.append(text)

    def show_error(self, error: CekuraTuiError) -> None:
        self.texts.append(error.sentence())

    def start_worker(
        self, work: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = False
    ) -> object:
        for name, task in self.workers if exclusive else ():
            if name == group:
                task.cancel()
        self.workers.append((group, asyncio.create_task(work())))
        return None

    def set_timer(self, delay: float, callback: Callable[[], None]) -> SimpleNamespace:
        return SimpleNamespace(stop=asyncio.get_running_loop().call_later(delay, callback).cancel)


@asynccontextmanager
async def controlled(
    server: ScriptedServer | Served, scope: Scope | None = ONE
) -> AsyncIterator[tuple[RunsController, Screen]]:
    """Start a controller that lists the runs of a server; yields the controller and its fake screen. If `scope` is
    None, no project or agent has been chosen yet."""
    workspace = Workspace(setup_of(server.url, "key") if isinstance(server, ScriptedServer) else server.setup())
    workspace.start(lambda: None)
    state: Any = SimpleNamespace(workspace=workspace, clock=lambda: 1_787_054_400.0, away=lambda: False)
    screen: Any = Screen(state)
    controller = RunsController(
        screen,
        RunListing(scope, None),
        draw=screen.draw,
        change_order=lambda sort: sort(),
        is_seen=lambda: screen.seen,
        is_waiting=lambda: screen.waiting,
        listing_replaced=screen.lists.append,
        pick_scope=screen.picks.append,
        open_groups=list,
        live=False,
    )
    try:
        controller.start()
        controller.load()
        yield controller, screen
    finally:
        for _, task in screen.workers:
            task.cancel()
        await asyncio.gather(*(task for _, task in screen.workers), return_exceptions=True)
        await asyncio.to_thread(workspace.close)


def serve_list(server: ScriptedServer, *runs: dict[str, object]) -> None:
    """Answer every request for the run list with these runs."""
    server.on("GET", LIST, Reply({"count": len(runs), "next": None, "results": list(runs)}))


def ids(controller: RunsController) -> list[int]:
    return [row.id for row in controller.listing.rows if isinstance(row, RunRow)]
