"""What loads a run, without any screen: what it knows, when it asks again, and what it says of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from app_on_a_server import setup_of
from run_pages import KEY, call, path_of, running, serve
from scripted_server import Hold, Reply, Reset, ScriptedServer, serve_runs
from waiting import PATIENCE, eventually

from cekura_tui.evidence.evidence import TurnMark
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.ui.run import loader as run_loader
from cekura_tui.ui.run.loader import RunLoader
from cekura_tui.workspace.workspace import Workspace


class Shown:
    """In place of a screen: `drawn_of` are the turns of each drawing, None where nothing was known."""

    is_current, gone = True, False
    cancels = True
    """Whether work ends when other work takes its place, or goes on to its own end."""

    def __init__(self) -> None:
        self.loader: RunLoader | None = None
        self.drawn_of: list[int | None] = []
        self.marks: Mapping[int, Sequence[TurnMark]] = {}
        self.errors: list[CekuraTuiError] = []
        self.work: dict[str, asyncio.Task[None]] = {}

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> asyncio.Task[None]:
        if group in self.work and self.cancels:
            self.work[group].cancel()
        self.work[group] = asyncio.create_task(work())
        return self.work[group]

    async def end(self) -> None:
        for task in self.work.values():
            task.cancel()
        await asyncio.gather(*self.work.values(), return_exceptions=True)

    async def drawn(self) -> None:
        assert self.drawn_of

    def draw(self) -> None:
        view = self.loader.view if self.loader else None
        self.drawn_of.append(None if view is None else len(view.transcript.turns))

    def draw_headline(self) -> None:
        pass

    def show_evidence(self, marks: Mapping[int, Sequence[TurnMark]]) -> None:
        self.marks = marks

    def show_error(self, error: CekuraTuiError) -> None:
        self.errors.append(error)


@asynccontextmanager
async def loading(server: ScriptedServer, run_id: int, **options: Any) -> AsyncIterator[tuple[RunLoader, Shown]]:
    """A run that is being loaded."""
    workspace, shown = Workspace(setup_of(server.url, KEY, 1)), Shown()
    workspace.start(lambda: None)
    loader = shown.loader = RunLoader(workspace, shown, shown.start, run_id, **options)
    loader.load()
    try:
        yield loader, shown
    finally:
        loader.pause()
        await shown.end()
        await asyncio.to_thread(workspace.close)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is running is loaded again at once."""
    monkeypatch.setattr(run_loader, "REPOLL", 0.05)


def asked(server: ScriptedServer, number: int = 5) -> int:
    return len(server.requests("GET", path_of(number)))


async def test_a_run_is_shown_when_it_is_there_and_then_the_turns_its_verdicts_cite(scripted: ScriptedServer) -> None:
    serve(scripted, call(5))
    async with loading(scripted, 5) as (loader, shown):
        await eventually(lambda: shown.marks, "marks")
        assert shown.drawn_of == [None, 6]
        assert sorted(shown.marks) == [3, 4]
        assert loader.evidence is not None
        cited = {key[2]: [one.n for one in evidence] for key, evidence in loader.evidence.items()}
        assert cited == {"Right time": [3, 4], "Tone": [], "Greeting": []}
        assert loader.arrived.is_set()
        assert not loader.is_running


async def test_a_run_that_is_running_is_asked_for_until_it_has_ended(scripted: ScriptedServer) -> None:
    serve(scripted, running(5, 2))
    async with loading(scripted, 5) as (_, shown):
        await eventually(lambda: asked(scripted) >= 3, "the run is loaded again")
        assert shown.drawn_of == [None, 2]  # nothing changed in it
        serve_runs(scripted, call(5))
        await eventually(lambda: shown.drawn_of[-1] == 6, "the run has ended")
        before = asked(scripted)
        await asyncio.sleep(0.3)  # nothing is to happen: there is no condition to wait for
        assert asked(scripted) == before


async def test_while_nobody_looks_or_follows_it_nothing_is_asked(scripted: ScriptedServer) -> None:
    serve(scripted, running(5, 2))
    async with loading(scripted, 5) as (loader, shown):
        await eventually(lambda: asked(scripted) >= 2, "the run is loaded again")
        for stop, resume in (
            (loader.pause, loader.resume),
            (lambda: loader.follow(False), lambda: loader.follow(True)),
        ):
            shown.is_current = False
            stop()
            await asyncio.sleep(0.2)
            before = asked(scripted)
            await asyncio.sleep(0.2)
            assert asked(scripted) == before
            shown.is_current = True
            resume()
            await eventually(lambda before=before: asked(scripted) >= before + 2, "the run is loaded again")


async def test_a_late_answer_is_not_taken_for_the_run_that_came_in_its_place(scripted: ScriptedServer) -> None:
    serve(scripted, call(5), call(4))
    hold = Hold(Reply(call(5)))
    scripted.on("GET", path_of(5), hold)
    async with loading(scripted, 5) as (loader, shown):
        await eventually(hold.arrived.is_set, "run 5 is asked for")
        shown.cancels, late = False, shown.work["run"]
        loader.leave()
        assert not loader.arrived.is_set()
        loader.show(4)
        await eventually(lambda: loader.view is not None and loader.evidence is not None, "run 4")
        hold.released.set()
        await late
        assert loader.view is not None
        assert loader.view.row.id == loader.run_id == 4


async def test_the_next_run_of_the_list_is_fetched_ahead_and_shown_without_asking(scripted: ScriptedServer) -> None:
    serve(scripted, call(5), call(4))

    async def neighbour_of(run_id: int, step: int) -> int | None:
        return 4 if (run_id, step) == (5, 1) else None

    async with loading(scripted, 5, neighbour_of=neighbour_of) as (loader, shown):
        await eventually(lambda: asked(scripted, 4), "run 4 is fetched ahead")
        await asyncio.sleep(0.2)
        shown.drawn_of.clear()
        loader.show(4)
        await eventually(lambda: loader.evidence is not None, "run 4")
        assert shown.drawn_of == [6]
        assert (asked(scripted, 5), asked(scripted, 4)) == (1, 1)


async def test_a_server_that_refuses_is_not_asked_again_one_that_fails_is(scripted: ScriptedServer) -> None:
    serve(scripted, call(5))
    scripted.on("GET", path_of(5), Reply({"detail": "no"}, 401))
    async with loading(scripted, 5) as (loader, shown):
        await eventually(lambda: shown.errors, "the key is refused")
        before = asked(scripted)
        await asyncio.sleep(0.3)
        assert asked(scripted) == before
        assert (loader.failures, len(shown.errors), loader.view) == (1, 1, None)
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 503), Reply({"detail": "no"}, 503), Reply(call(5)))
        loader.load(reload=True)
        await eventually(lambda: loader.view is not None, "the run")
        assert (loader.error, loader.failures) == (None, 0)


async def test_a_server_that_cannot_be_reached_is_asked_ever_later_while_a_cached_run_is_shown(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_loader, "REPOLL", 300.0)  # the test itself loads the run sooner
    monkeypatch.setattr(run_loader, "LONGEST_REPOLL", 6_000.0)
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
