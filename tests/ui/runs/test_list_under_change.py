"""A run list of which much changes every second: what one looks at stays, and is drawn twice a second at the most."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import quick_pilot
from app_on_a_server import opened, setup_of
from scripted_server import Got, Reply, ScriptedServer, run_of
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.runs import controller as run_serving
from cekura_tui.ui.runs.list import RunList
from cekura_tui.workspace import run_feed

RUNS = "/test_framework/v1/runs/"
FIRST, LAST = 1_000, 1_299


class BusyPlace:
    """Runs of which forty are in another state whenever they are asked for, and new ones come as the test says."""

    def __init__(self, server: ScriptedServer) -> None:
        self.url = server.url
        self.newest = LAST
        self.bulk = 0
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
            self.bulk += 1
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


def runs_of(pilot: Pilot[None]) -> RunList:
    return pilot.app.screen.query_one(RunList)


@contextmanager
def painted(runs: RunList) -> Iterator[list[float]]:
    """When the list was painted meanwhile."""
    moments: list[float] = []
    paint = runs.render_lines

    def painting(*args: object) -> object:
        moments.append(time.monotonic())
        return paint(*args)  # type: ignore[arg-type]

    runs.render_lines = painting  # type: ignore[method-assign, assignment]
    try:
        yield moments
    finally:
        del runs.render_lines  # type: ignore[method-assign]


@pytest.mark.long
async def test_while_forty_rows_a_second_change_only_keys_move_the_cursor(place: BusyPlace) -> None:
    async with opened(setup_of(place.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", str(LAST))
        runs = runs_of(pilot)
        expected, former = LAST, place.bulk
        for n in range(60):
            assert runs.cursor_key == expected
            place.newest += 1
            key = "k" if n % 5 == 4 else "j"
            await pilot.press(key)
            expected += 1 if key == "k" else -1
            assert runs.cursor_key == expected
            await asyncio.sleep(0.03)
            assert runs.cursor_key == expected
        await eventually(lambda: place.bulk >= former + 4, "answers with changed rows")
        assert runs.cursor_key == expected


@pytest.mark.long
async def test_what_changes_by_itself_is_painted_twice_a_second_at_the_most(place: BusyPlace) -> None:
    async with opened(setup_of(place.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", str(LAST))
        await pilot.press(*("j" * 40))
        await sees(pilot, str(LAST - 40))
        quick_pilot.painted.add(pilot.app)
        runs, former, before = runs_of(pilot), place.bulk, screen_text(pilot.app)
        began = time.monotonic()
        with painted(runs) as moments:
            while place.bulk < former + 12:
                place.newest += 1
                await asyncio.sleep(0.05)
        took = time.monotonic() - began
        assert screen_text(pilot.app) != before
        # Several parts of the list may be painted at once.
        starts = [after for before, after in itertools.pairwise([0.0, *moments]) if after - before > 0.1]
        assert 1 < len(starts) <= took / run_serving.CALM + 1


async def test_new_runs_wait_below_the_top_and_come_in_with_g(place: BusyPlace) -> None:
    async with opened(setup_of(place.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", str(LAST))
        await pilot.press(*("j" * 60))
        runs = runs_of(pilot)
        top, key = runs.shown_range, runs.cursor_key
        place.newest += 12
        await sees(pilot, "12 new ↑")
        assert (runs.shown_range, runs.cursor_key) == (top, key)
        await pilot.press("g")
        await sees(pilot, "312 runs", str(LAST + 12), gone="new ↑")
        assert runs.cursor_key == LAST + 12


async def test_at_the_top_new_runs_come_in_by_themselves_and_the_cursor_keeps_its_run(place: BusyPlace) -> None:
    async with opened(setup_of(place.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", str(LAST))
        await pilot.press("j")
        place.newest += 3
        await sees(pilot, "303 runs", str(LAST + 3), gone="new ↑")
        runs = runs_of(pilot)
        assert runs.at_top
        assert runs.cursor_key == LAST - 1
        assert [row.id for row in runs.rows[:4] if isinstance(row, RunRow)] == [LAST + 3, LAST + 2, LAST + 1, LAST]


async def test_with_l_off_nothing_is_asked_and_on_again_it_catches_up(place: BusyPlace) -> None:
    async with opened(setup_of(place.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", "live")
        await pilot.press("L")
        await sees(pilot, "paused, as of")
        await asyncio.sleep(0.3)  # what was on its way has come
        former = place.bulk
        place.newest += 2
        await asyncio.sleep(1.0)
        assert place.bulk == former
        await pilot.press("L")
        await sees(pilot, "302 runs", "live")
