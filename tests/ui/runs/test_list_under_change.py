"""In a run list that changes all the time, only keys move the cursor."""

from __future__ import annotations

import itertools

import pytest
from app_on_a_server import LIST, opened, setup_of
from run_list import list_of, rows_of
from scripted_server import Got, Reply, ScriptedServer, run_of
from watching import sees

from cekura_tui.workspace import run_feed

FIRST, LAST = 1_000, 1_299


class BusyServer:
    """Serves 300 runs and changes the status of every other run at each request; raise `newest` to add runs."""

    def __init__(self, server: ScriptedServer) -> None:
        self.newest = LAST
        self._states = itertools.cycle(("running", "evaluating", "in_queue"))
        server.on("GET", LIST, self._answer)
        server.on("GET", f"{LIST}bulk/", self._answer)

    def _run(self, number: int) -> dict[str, object]:
        minute, second = divmod(number - FIRST, 60)
        made = {"created_at": f"2026-11-25T{10 + minute:02}:{second:02}:00Z"}
        state = {} if number % 2 else {"status": next(self._states), "evaluation_status": None}
        return run_of(number, **made, **state)

    def _answer(self, got: Got) -> Reply:
        if "run_ids" in got.query:
            return Reply([self._run(int(number)) for number in got.query["run_ids"].split(",")])
        only_new, page = "created_at_from" in got.query, int(got.query.get("page", 1))
        numbers = range(self.newest, LAST, -1) if only_new else range(LAST, FIRST - 1, -1)
        rows = [self._run(number) for number in numbers[(page - 1) * 100 : page * 100]]
        return Reply({"count": len(numbers), "next": "more" if page * 100 < len(numbers) else None, "results": rows})


async def test_new_runs_appear_at_the_top_or_wait_and_only_keys_move_the_cursor(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As often as the shared request budget allows: 5 requests a second.
    monkeypatch.setattr(run_feed, "FOCUSED", 0.2)
    server = BusyServer(scripted)
    async with opened(setup_of(scripted.url, "key", 1), live=True) as pilot:
        await sees(pilot, "300 runs", "live", str(LAST))
        await pilot.press("j")
        server.newest += 3
        await sees(pilot, "303 runs", str(LAST + 3), gone="new ↑")
        runs = list_of(pilot)
        assert (runs.at_top, runs.cursor_key) == (True, LAST - 1)
        assert [row.id for row in rows_of(pilot)[:4]] == [LAST + 3, LAST + 2, LAST + 1, LAST]
        await pilot.press("L")
        await sees(pilot, "paused, as of")
        server.newest += 2
        await pilot.press("L")
        await sees(pilot, "305 runs", "live")
        await pilot.press(*("j" * 60))
        top, key = runs.shown_range, runs.cursor_key
        server.newest += 12
        await sees(pilot, "12 new ↑")
        assert (runs.shown_range, runs.cursor_key) == (top, key)
        await pilot.press("g")
        await sees(pilot, "317 runs", str(LAST + 17), gone="new ↑")
        assert runs.cursor_key == LAST + 17
        await pilot.press(*("j" * 60))
        server.newest += 3
        await sees(pilot, "3 new ↑")
        runs.action_first()
        pilot.app.screen.draw()  # type: ignore[attr-defined] # a redraw comes before the message of the key
        await sees(pilot, "320 runs", str(LAST + 20), gone="new ↑")
        assert runs.cursor_key == LAST + 20
