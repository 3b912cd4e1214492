"""How the run list looks where a page or the whole server is missing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from scenes import Clock, fixed_clock
from scripted_server import Got, Reply, Reset, ScriptedServer, run_of
from textual.pilot import Pilot
from watching import sees, still

from cekura_tui.ui.app import CekuraApp
from cekura_tui.workspace.setup import make_setup
from cekura_tui.workspace.workspace import Workspace

AT_NOON = 1_787_054_400.0
LIST = "/test_framework/v1/runs/"
WIDE, SMALL = (120, 36), (80, 24)


def first_page(got: Got) -> Reply | Reset:
    """100 of 250 runs; the others cannot be had."""
    if got.query.get("page", "1") != "1":
        return Reply({"index": "being rebuilt"})  # any other fault would name the server's port
    rows = [
        run_of(number, created_at=f"2026-08-18T{(number - 151) // 10:02}:{(number - 151) % 10 * 6:02}:00Z")
        for number in range(250, 150, -1)
    ]
    return Reply({"count": 250, "next": "there is", "results": rows})


def app_at(url: str, clock: Clock) -> CekuraApp:
    """The app on this server."""
    env = {"CEKURA_TUI_HOME": os.environ["CEKURA_TUI_HOME"], "CEKURA_API_KEY": "key"}
    return CekuraApp(Workspace(make_setup(api_url=url, project_id=1, env=env)), clock=clock, live=False)


async def at_the_end(pilot: Pilot[Any]) -> None:
    await sees(pilot, "250 runs", "Books a table", "Run 250 not found")
    await pilot.press("G")
    await sees(pilot, "not loaded: The server's answer is not a list.", gone="Run 250 not found")
    await still(pilot)


async def without_the_server(pilot: Pilot[Any]) -> None:
    await sees(pilot, "250 runs", "Books a table", "unreachable since")
    await still(pilot)


def test_a_page_that_failed_says_so_in_its_place(snap_compare: Callable[..., bool], scripted: ScriptedServer) -> None:
    scripted.on("GET", LIST, first_page)
    with fixed_clock(Clock(AT_NOON)) as clock:
        app = app_at(scripted.url, clock)
        try:
            assert snap_compare(app, run_before=at_the_end, terminal_size=WIDE)
        finally:
            app.state.workspace.close()


def test_without_the_server_the_cached_list_is_shown_with_its_time(
    snap_compare: Callable[..., bool], scripted: ScriptedServer
) -> None:
    scripted.on("GET", LIST, first_page)
    with fixed_clock(Clock(AT_NOON)) as clock:
        asyncio.run(seen_once(scripted.url, clock))
        scripted.on("GET", LIST, Reset())
        clock.now += 3_600
        app = app_at(scripted.url, clock)
        try:
            assert snap_compare(app, run_before=without_the_server, terminal_size=SMALL)
        finally:
            app.state.workspace.close()


async def seen_once(url: str, clock: Clock) -> None:
    """See the list once, so that it is cached."""
    app = app_at(url, clock)
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await sees(pilot, "250 runs", "Books a table")
    finally:
        app.state.workspace.close()
