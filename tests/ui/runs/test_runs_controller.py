"""What the run list shows and when it is drawn, on a real workspace and without any widget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from app_on_a_server import LIST, setup_of
from scripted_server import Hold, Reply, ScriptedServer, run_of
from waiting import eventually

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import NoScope, Scope
from cekura_tui.ui.messages import RunsRead
from cekura_tui.ui.runs.controller import CALM, RunsController
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.ui.runs.outcomes import only_failures
from cekura_tui.workspace.workspace import Workspace

ONE, TWO = Scope("project", 1, "One"), Scope("project", 2, "Two")


class Timer:
    """A call that can be stopped."""

    def __init__(self, delay: float, call: Callable[[], None]) -> None:
        self.delay, self.called = delay, False
        self._call = call
        self.stop = asyncio.get_running_loop().call_later(delay, self._now).cancel

    def _now(self) -> None:
        self.called = True
        self._call()


class Screen:
    """A screen that notes what it is asked for."""

    def __init__(self) -> None:
        self.gone = self.waiting = False
        self.seen = True
        self.drawn = 0
        self.lists: list[bool] = []
        self.picks: list[NoScope | None] = []
        self.texts: list[str] = []
        self.messages: list[Any] = []
        self.timers: list[Timer] = []
        self.workers: list[tuple[str, asyncio.Task[None]]] = []

    def is_seen(self) -> bool:
        return self.seen

    def is_waiting(self) -> bool:
        return self.waiting

    def draw(self) -> None:
        self.drawn += 1

    def change_order(self, sort: Callable[[], None]) -> None:
        sort()

    def other_runs(self, *, same_scope: bool) -> None:
        self.lists.append(same_scope)

    def pick_scope(self, several: NoScope | None) -> None:
        self.picks.append(several)

    def notify_once(self, text: str, *, warning: bool = False) -> None:
        self.texts.append(text)

    def show_error(self, error: CekuraTuiError) -> None:
        self.texts.append(error.sentence())

    def post_message(self, message: Any) -> bool:
        self.messages.append(message)
        return True

    def run_worker(self, work: Callable[[], Any], *, group: str, exclusive: bool = False) -> object:
        for name, task in self.workers if exclusive else ():
            if name == group:
                task.cancel()
        self.workers.append((group, asyncio.create_task(work())))
        return None

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(timer := Timer(delay, callback))
        return timer


@asynccontextmanager
async def controlled(server: ScriptedServer, scope: Scope | None = ONE) -> AsyncIterator[tuple[RunsController, Screen]]:
    """A controller that is served and has been told to load."""
    workspace = Workspace(setup_of(server.url, "key"))
    workspace.start(lambda: None)
    state: Any = SimpleNamespace(workspace=workspace, clock=lambda: 1_787_054_400.0, away=lambda: False)
    screen = Screen()
    controller = RunsController(state, RunListing(scope, None), screen, live=False)
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
    """Every list has these runs."""
    server.on("GET", LIST, Reply({"count": len(runs), "next": None, "results": list(runs)}))


def ids(controller: RunsController) -> list[int]:
    return [row.id for row in controller.listing.rows if isinstance(row, RunRow)]


async def test_another_filter_lists_at_once_what_is_known_and_comes_back_with_its_scope(
    scripted: ScriptedServer,
) -> None:
    serve_list(scripted, run_of(2, evaluation_status="success"), run_of(1))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.fresh, "the list came")
        assert ids(controller) == [2, 1]
        await eventually(lambda: screen.messages, "the app is told")
        assert isinstance(screen.messages[0], RunsRead)
        assert [row.id for row in screen.messages[0].now] == [2, 1]
        drawn = screen.drawn
        controller.change_filter(controller.listing.toggle_failures())
        assert (ids(controller), screen.lists, screen.drawn) == ([1], [True], drawn + 1)
        await eventually(lambda: all(task.done() for name, task in screen.workers if name == "save-filter"), "saved")
        controller.list_scope(TWO)
        await eventually(lambda: controller.listing.fresh, "the other list came")
        assert not controller.listing.filter
        controller.list_scope(ONE)
        await eventually(lambda: only_failures(controller.listing.filter), "its filter is back")
        assert screen.lists == [True, False, False]


async def test_a_group_adds_to_the_filter_and_stepping_back_leads_to_the_groups(scripted: ScriptedServer) -> None:
    serve_list(scripted, run_of(2), run_of(1))
    async with controlled(scripted) as (controller, _):
        shown: list[str] = []
        controller.filter_by("status:failed")
        controller.open_group("By table", "scenario:~table", lambda: shown.append("groups"))
        assert str(controller.listing.filter) == "status:failed scenario:~table"
        controller.open_group("By table", "scenario:~table", lambda: shown.append("groups"))
        for _ in range(2):
            controller.step_back()
            assert str(controller.listing.filter) == "status:failed"
        assert shown == ["groups"]
        controller.open_group("Failed", "status:failed", lambda: shown.append("groups"))  # the same list
        for _ in range(2):
            controller.step_back()
        assert shown == ["groups"] * 2


async def test_nothing_is_drawn_or_asked_while_it_is_covered_and_all_is_once_it_is_seen_again(
    scripted: ScriptedServer,
) -> None:
    serve_list(scripted, run_of(1))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.fresh and screen.timers, "the list came")
        await eventually(
            lambda: screen.drawn and controller._redraw is None, "it is drawn, and nothing is left to draw"
        )
        screen.seen = False
        controller.visibility_changed()
        drawn, asked = screen.drawn, len(scripted.requests("GET", LIST))
        controller.feed.set_live(True)
        await asyncio.sleep(0.05)
        assert (screen.drawn, len(scripted.requests("GET", LIST))) == (drawn, asked)
        screen.seen = True
        controller.visibility_changed()
        assert screen.drawn == drawn + 1


async def test_what_changes_by_itself_is_drawn_calmly_but_at_once_where_rows_are_missing(
    scripted: ScriptedServer,
) -> None:
    serve_list(scripted, run_of(1))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.fresh, "it is loaded")
        await eventually(lambda: screen.timers and screen.timers[-1].called, "it is drawn")
        screen.timers.clear()
        controller.feed.refresh()
        await eventually(lambda: screen.timers, "it came again")
        assert 0.1 < screen.timers[0].delay <= CALM
        screen.waiting = True
        controller.feed.refresh()
        await eventually(lambda: len(screen.timers) > 1, "a person waits for it")
        assert screen.timers[-1].delay < 0.01


async def test_of_several_projects_a_person_picks_one(scripted: ScriptedServer) -> None:
    projects = [{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}]
    scripted.on("GET", "/user/v1/projects/", Reply(projects))
    serve_list(scripted, run_of(1))
    async with controlled(scripted, None) as (controller, screen):
        await eventually(lambda: screen.picks, "it is asked which")
        assert isinstance(controller.trouble, NoScope)
        assert screen.picks == [controller.trouble]
        controller.list_scope(TWO)
        await eventually(lambda: controller.listing.fresh, "its runs are listed")
        assert controller.trouble is None
        assert scripted.requests("GET", LIST)[-1].query["project_id"] == "2"


async def test_a_scope_given_by_number_gets_its_name_and_loading_all_of_a_whole_list_says_so(
    scripted: ScriptedServer,
) -> None:
    scripted.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}]))
    serve_list(scripted, run_of(1, evaluation_status="success"))
    async with controlled(scripted, Scope("project", 1)) as (controller, screen):
        await eventually(lambda: controller.listing.scope == ONE, "its name")
        await eventually(lambda: controller.listing.whole, "all of it")
        controller.load_all()
        assert screen.texts == ["All runs and their checks are loaded."]


async def test_the_checks_of_failed_runs_are_loaded_once_and_the_list_is_sorted_by_them_in_the_end(
    scripted: ScriptedServer,
) -> None:
    def whole(number: int) -> dict[str, object]:
        return run_of(
            number, evaluation={"metrics": [{"id": n, "name": "Tone", "passed": False} for n in range(number)]}
        )

    # One of them is gone by now.
    scripted.on("GET", f"{LIST}bulk/", Reply([whole(number) for number in range(1, 4)]))
    serve_list(scripted, *(run_of(number) for number in range(4, 0, -1)), run_of(0, evaluation_status="success"))
    async with controlled(scripted) as (controller, screen):
        await eventually(lambda: controller.listing.whole, "all of it")
        controller.sort_by("outcome")
        assert ids(controller) == [4, 3, 2, 1, 0]
        controller.load_all()
        assert controller.checks.note()[0] == "checks known for 0 of 4 failed · F stop"
        await eventually(lambda: not controller.checks.loading, "their checks")
        assert (ids(controller), controller.checks.note()) == ([3, 2, 1, 4, 0], ())
        controller.load_all()
        assert screen.texts == ["The failed checks of all runs are loaded.", "All runs and their checks are loaded."]
        assert len(scripted.requests("GET", f"{LIST}bulk/")) == 1


async def test_loading_checks_is_stopped_by_the_same_key(scripted: ScriptedServer) -> None:
    second = Hold(Reply([]))
    scripted.on("GET", f"{LIST}bulk/", Reply([]), second)
    serve_list(scripted, *(run_of(number) for number in range(60, 0, -1)))
    async with controlled(scripted) as (controller, _):
        await eventually(lambda: controller.listing.whole, "all of it")
        controller.load_all()
        await eventually(second.arrived.is_set, "the first are loaded, the next are asked for")
        controller.load_all()
        second.released.set()
        (worker,) = [task for name, task in controller._view.workers if name == "checks"]  # type: ignore[attr-defined]
        await worker
        assert len(scripted.requests("GET", f"{LIST}bulk/")) == 2
        assert len(controller.checks.unknown()) == 10
