"""A run list that changes all the time, in which only keys move the cursor."""

from __future__ import annotations

import itertools

import pytest
from app_on_a_server import opened, setup_of
from run_list import list_of, rows_of
from scripted_server import Got, Reply, ScriptedServer, run_of
from watching import sees

from cekura_tui.workspace import run_feed

RUNS = "/test_framework/v1/runs/"
FIRST, LAST = 1_000, 1_299


class BusyPlace:
    """300 runs, half of them in another state at every request; `newest` adds new ones."""

    def __init__(self, server: ScriptedServer) -> None:
        self.url = server.url
        self.newest = LAST
        self._states = itertools.count()
        server.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}]))
        server.on("GET", RUNS, self._answer)
        server.on("GET", f"{RUNS}bulk/", self._answer)

    def _run(self, number: int) -> dict[str, object]:
        made = {"created_at": f"2026-11-25T{10 + (number - FIRST) // 60:02}:{(number - FIRST) % 60:02}:00Z"}
        if number % 2:
            return run_of(number, **made)
        status = ("running", "evaluating", "in_queue")[next(self._states) % 3]
        return run_of(number, status=status, evaluation_status=None, **made)

    def _answer(self, got: Got) -> Reply:
        if "run_ids" in got.query:
            return Reply([self._run(int(number)) for number in got.query["run_ids"].split(",")])
        if "created_at_from" in got.query:
            numbers = list(range(self.newest, LAST, -1))
            return Reply({"count": len(numbers), "next": None, "results": [self._run(n) for n in numbers]})
        numbers = list(range(LAST, FIRST - 1, -1))
        page = int(got.query.get("page", 1))
        wanted = numbers[(page - 1) * 100 : page * 100]
        more = "there is" if page * 100 < len(numbers) else None
        return Reply({"count": len(numbers), "next": more, "results": [self._run(n) for n in wanted]})


@pytest.fixture
def place(scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> BusyPlace:
    # Five answers a second with up to fifty runs each, which is all that the shared budget gives.
    monkeypatch.setattr(run_feed, "FOCUSED", 0.2)
    return BusyPlace(scripted)


async def test_new_runs_wait_below_the_top_and_come_in_with_g(place: BusyPlace) -> None:
    async with opened(setup_of(place.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", str(LAST))
        await pilot.press(*("j" * 60))
        runs = list_of(pilot)
        top, key = runs.shown_range, runs.cursor_key
        place.newest += 12
        await sees(pilot, "12 new ↑")
        assert (runs.shown_range, runs.cursor_key) == (top, key)
        await pilot.press("g")
        await sees(pilot, "312 runs", str(LAST + 12), gone="new ↑")
        assert runs.cursor_key == LAST + 12
        await pilot.press(*("j" * 60))
        place.newest += 3
        await sees(pilot, "3 new ↑")
        runs.action_first()
        pilot.app.screen.draw()  # type: ignore[attr-defined] # a change is drawn before the screen handles the key
        await sees(pilot, "315 runs", str(LAST + 15), gone="new ↑")
        assert runs.cursor_key == LAST + 15


async def test_at_the_top_new_runs_come_in_and_the_cursor_keeps_its_run_until_paused(place: BusyPlace) -> None:
    async with opened(setup_of(place.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", "live", str(LAST))
        await pilot.press("j")
        place.newest += 3
        await sees(pilot, "303 runs", str(LAST + 3), gone="new ↑")
        runs = list_of(pilot)
        assert runs.at_top
        assert runs.cursor_key == LAST - 1
        assert [row.id for row in rows_of(pilot)[:4]] == [LAST + 3, LAST + 2, LAST + 1, LAST]
        await pilot.press("L")
        await sees(pilot, "paused, as of")
        place.newest += 2
        await pilot.press("L")
        await sees(pilot, "305 runs", "live")
