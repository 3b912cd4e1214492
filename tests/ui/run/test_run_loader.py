"""Loading and polling a run without widgets: its requests and how often it draws."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from app_on_a_server import setup_of
from run_pages import KEY, call, path_of, running, serve
from scripted_server import Hold, Reply, Reset, ScriptedServer
from waiting import PATIENCE, eventually

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.ui.run import loader as run_loader
from cekura_tui.ui.run.loader import RunLoader
from cekura_tui.workspace.workspace import Workspace


class Shown:
    """A fake page. `drawn_of` has the number of turns at each drawing, None before the run is loaded."""

    is_current, is_unmounted = True, False
    cancels = True
    """Whether starting work cancels earlier work of the same group."""

    def __init__(self, workspace: Workspace) -> None:
        self.state = SimpleNamespace(workspace=workspace)
        self.loader: RunLoader | None = None
        self.drawn_of: list[int | None] = []
        self.errors: list[CekuraTuiError] = []
        self.work: dict[str, asyncio.Task[None]] = {}

    def run_worker(self, work: Callable[[], Coroutine[Any, Any, None]], *, group: str, **_: bool) -> asyncio.Task[None]:
        if group in self.work and self.cancels:
            self.work[group].cancel()
        self.work[group] = asyncio.create_task(work())
        return self.work[group]

    def call_after_refresh(self, then: Callable[[], None]) -> None:
        assert self.drawn_of
        then()

    def draw(self) -> None:
        view = self.loader.view if self.loader else None
        self.drawn_of.append(None if view is None else len(view.transcript.turns))

    def draw_headline(self) -> None:
        pass

    def show_evidence(self, marks: object) -> None:
        pass

    def show_error(self, error: CekuraTuiError) -> None:
        self.errors.append(error)


@asynccontextmanager
async def loading(server: ScriptedServer, run_id: int, **options: Any) -> AsyncIterator[tuple[RunLoader, Shown]]:
    workspace = Workspace(setup_of(server.url, KEY, 1))
    page: Any = Shown(workspace)
    workspace.start(lambda: None)
    loader = page.loader = RunLoader(page, run_id, **options)
    loader.load()
    try:
        yield loader, page
    finally:
        loader.pause()
        for task in page.work.values():
            task.cancel()
        await asyncio.gather(*page.work.values(), return_exceptions=True)
        await asyncio.to_thread(workspace.close)


@pytest.fixture(autouse=True)
def fast_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll unfinished runs every 50 ms."""
    monkeypatch.setattr(run_loader, "POLL_INTERVAL", 0.05)


def asked(server: ScriptedServer, number: int = 5) -> int:
    return len(server.requests("GET", path_of(number)))


async def test_a_late_answer_is_dropped_if_another_run_is_shown_by_then(scripted: ScriptedServer) -> None:
    serve(scripted, call(5), call(4))
    hold = Hold(Reply(call(5)))
    scripted.on("GET", path_of(5), hold)
    async with loading(scripted, 5) as (loader, shown):
        await eventually(hold.arrived.is_set, "run 5 is asked for")
        shown.cancels, late = False, shown.work["run"]
        loader.arrived.clear()
        loader.show(4)
        await eventually(lambda: loader.view is not None and loader.evidence is not None, "run 4")
        hold.released.set()
        await late
        assert loader.view is not None
        assert loader.view.row.id == loader.run_id == 4


async def test_the_next_run_is_prefetched_and_shown_with_its_evidence_without_a_request(
    scripted: ScriptedServer,
) -> None:
    serve(scripted, call(5), call(4), call(3))

    async def neighbour_of(run_id: int, step: int) -> int | None:
        return run_id - step

    async with loading(scripted, 5, neighbour_of=neighbour_of) as (loader, shown):
        await eventually(lambda: asked(scripted, 4), "run 4 is prefetched")
        await shown.work["prefetch"]
        assert (asked(scripted, 3), shown.drawn_of) == (0, [None, 6])
        shown.drawn_of.clear()
        loader.show(4)
        await eventually(lambda: loader.evidence is not None, "run 4")
        assert loader.evidence is not None
        cited = {key[2]: [one.n for one in evidence.turns] for key, evidence in loader.evidence.items()}
        assert cited == {"Right time": [3, 4], "Tone": [], "Greeting": []}
        assert (asked(scripted, 5), asked(scripted, 4), shown.drawn_of) == (1, 1, [6])


async def test_polling_stops_if_the_api_key_is_refused_but_not_after_other_errors(scripted: ScriptedServer) -> None:
    scripted.on("GET", path_of(5), Reply({"detail": "no"}, 401))
    async with loading(scripted, 5) as (loader, shown):
        await eventually(lambda: shown.errors, "the key is refused")
        await shown.work["run"]
        assert (loader._timer, loader.failures, len(shown.errors), loader.view) == (None, 1, 1, None)
        assert asked(scripted) == 1
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 503), Reply({"detail": "no"}, 503), Reply(call(5)))
        loader.load(reload=True)
        await eventually(lambda: loader.view is not None, "the run")
        assert (loader.error, loader.failures) == (None, 0)


async def test_polling_backs_off_while_the_server_does_not_answer(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_loader, "POLL_INTERVAL", 300.0)  # the test triggers the polls itself
    monkeypatch.setattr(run_loader, "MAX_POLL_INTERVAL", 6_000.0)
    serve(scripted, running(5, 2))
    waits = []
    async with loading(scripted, 5) as (loader, _):
        await eventually(lambda: loader._timer, "the run")
        scripted.on("GET", path_of(5), Reset())
        for failures in (1, 2, 3):
            loader.load(background=True)
            await eventually(lambda failures=failures: loader.failures == failures, "the server does not answer")
            assert (loader.error, loader.view and loader.view.cached) == (None, True)
            assert loader._timer is not None
            waits.append(loader._timer.when() - asyncio.get_running_loop().time())
    assert waits == pytest.approx([600, 1_200, 2_400], abs=PATIENCE)
