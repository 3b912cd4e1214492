"""The run list with a page that failed to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app_on_a_server import LIST, WIDE, setup_of
from scenes import Clock, fixed_clock
from scripted_server import Got, Reply, ScriptedServer, run_of
from textual.pilot import Pilot
from watching import sees, still

from cekura_tui.ui.app import CekuraApp
from cekura_tui.workspace.workspace import Workspace

AT_NOON = 1_787_054_400.0


def first_page(got: Got) -> Reply:
    """Serve the first 100 of 250 runs; requests for other pages fail."""
    if got.query.get("page", "1") != "1":
        return Reply({"index": "being rebuilt"})  # other errors would show the server's port, which varies
    rows = [
        run_of(number, created_at=f"2026-08-18T{(number - 151) // 10:02}:{(number - 151) % 10 * 6:02}:00Z")
        for number in range(250, 150, -1)
    ]
    return Reply({"count": 250, "next": "there is", "results": rows})


async def at_the_end(pilot: Pilot[Any]) -> None:
    await sees(pilot, "250 runs", "Books a table", "Run 250 not found")
    await pilot.press("G")
    await sees(pilot, "not loaded: The server's answer is not a list.", gone="Run 250 not found")
    await still(pilot)


def test_rows_of_a_failed_page_show_the_error(snap_compare: Callable[..., bool], scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, first_page)
    with fixed_clock(Clock(AT_NOON)) as clock:
        workspace = Workspace(setup_of(scripted.url, "key", 1))
        app = CekuraApp(workspace, clock=clock, live=False)
        try:
            assert snap_compare(app, run_before=at_the_end, terminal_size=WIDE)
        finally:
            workspace.close()
