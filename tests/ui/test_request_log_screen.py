"""The log of requests on the screen: what was asked, live, and copied without anything secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from app_on_a_server import LIST, SMALL, opened
from kept_jobs import KEY
from quick_pilot import paintings
from scripted_server import Reply, ScriptedServer
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees, still

from cekura_tui.ui import request_log
from cekura_tui.ui.request_log import RequestList, RequestLogScreen
from cekura_tui.workspace.setup import Setup


async def opened_log(pilot: Pilot[None]) -> RequestList:
    """The log, opened by its command."""
    await sees(pilot, "No runs")
    await pilot.press(":", *"request log", "enter")
    await sees(pilot, "Request log", "Requests · ")
    return pilot.app.screen.query_one(RequestList)


async def test_the_newest_request_comes_first_and_the_cursor_stays_on_its_own(
    quiet: Setup, scripted: ScriptedServer
) -> None:
    scripted.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}]))
    async with opened(quiet, size=SMALL) as pilot:
        listed = await opened_log(pilot)
        await sees(pilot, "GET", "200", " ms", LIST, "log/cekura-tui.log")
        key = listed.cursor_key
        workspace = pilot.app.state.workspace  # type: ignore[attr-defined]
        await workspace.call(lambda session: session.client.probe("GET", "/x/"))
        await sees(pilot, "! ", "404", "/x/", "1 failed")
        assert [row.number for row in listed.rows] == sorted((row.number for row in listed.rows), reverse=True)
        assert listed.cursor_key == key
        await pilot.press("escape")
        await workspace.sign_in("another-key-0123456789")
        numbers = [one.number for one in workspace.requests()]
        assert numbers == list(range(1, len(numbers) + 1)), "the log survives another key"


async def test_a_log_that_does_not_change_is_not_painted(quiet: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "REFRESH", 0.02)
    async with opened(quiet) as pilot:
        await opened_log(pilot)
        await still(pilot)
        workspace: Any = pilot.app.state.workspace  # type: ignore[attr-defined]
        requests = Mock(side_effect=workspace.requests)
        monkeypatch.setattr(workspace, "requests", requests)
        before = paintings.get(pilot.app)
        await eventually(lambda: requests.call_count > 2, "the log is looked at again")
        await pilot.pause()
        assert paintings.get(pilot.app) == before


async def test_a_request_is_shown_whole_and_saved_without_key_and_values(quiet: Setup, tmp_path: Path) -> None:
    saved = tmp_path / "requests.txt"
    async with opened(quiet) as pilot:
        listed = await opened_log(pilot)
        listed.move_to(next(row.number for row in listed.rows if row.path == LIST))
        await pilot.press("enter")
        await sees(pilot, "GET /test_framework/v1/runs/", "project_id", "page_size", "attempt")
        await pilot.press("escape", "y")
        await sees(pilot, "this request", "save all to a file")
        await pilot.press("G", "enter")
        await sees(pilot, "Save the requests")
        pilot.app.screen.query_one(Input).value = str(saved)
        await pilot.press("enter")
        await sees(pilot, "Saved to")
        await pilot.press("escape")
        await sees(pilot, "No runs")
        assert not isinstance(pilot.app.screen, RequestLogScreen)
    text, log = saved.read_text(), quiet.paths.log.read_text()
    assert f"Z GET {LIST}?project_id&page&page_size 200, " in text
    assert f"INFO cekura_tui.api GET {LIST}?project_id" in log
    assert KEY not in text + log
