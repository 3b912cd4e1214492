"""The log of requests on the screen: what was asked, live, and copied without anything secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_on_a_server import LIST, SMALL, WIDE, opened, setup_of
from quick_pilot import paintings
from scripted_server import Reply, ScriptedServer
from textual.pilot import Pilot
from textual.widgets import Input
from watching import sees, still

from cekura_tui.ui.request_log import REFRESH, RequestList, RequestLogScreen
from cekura_tui.workspace.setup import Setup

KEY = "ck_test_0123456789"


@pytest.fixture
def asked(scripted: ScriptedServer) -> Setup:
    """The settings of somebody whose server has no runs."""
    scripted.on("GET", LIST, Reply({"count": 0, "next": None, "previous": None, "results": []}))
    scripted.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": "One"}]))
    return setup_of(scripted.url, KEY, 1)


async def request_log(pilot: Pilot[None]) -> RequestList:
    """The log, opened by its command."""
    await sees(pilot, "No runs")
    await pilot.press(":", *"request log", "enter")
    await sees(pilot, "Request log", "Requests · ")
    return pilot.app.screen.query_one(RequestList)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_last_request_comes_first_with_its_status_and_time(asked: Setup, size: tuple[int, int]) -> None:
    async with opened(asked, size=size) as pilot:
        listed = await request_log(pilot)
        await sees(pilot, "GET", "200", " ms", "/test_framework/v1/runs/", "log/cekura-tui.log")
        assert [row.number for row in listed.rows] == sorted((row.number for row in listed.rows), reverse=True)


async def test_a_new_request_appears_and_the_cursor_stays_on_its_own(asked: Setup) -> None:
    async with opened(asked) as pilot:
        listed = await request_log(pilot)
        key = listed.cursor_key
        workspace = pilot.app.state.workspace  # type: ignore[attr-defined]
        await workspace.call(lambda session: session.client.probe("GET", "/x/"))
        await sees(pilot, "! ", "404", "/x/", "1 failed")
        assert listed.cursor_key == key


async def test_a_log_that_does_not_change_is_not_painted(asked: Setup) -> None:
    async with opened(asked) as pilot:
        await request_log(pilot)
        await still(pilot)
        before = paintings.get(pilot.app)
        await pilot.pause(2.2 * REFRESH)
        assert paintings.get(pilot.app) == before


async def test_enter_shows_all_that_is_known_and_esc_comes_back(asked: Setup) -> None:
    async with opened(asked) as pilot:
        listed = await request_log(pilot)
        listed.move_to(next(row.number for row in listed.rows if row.path == LIST))
        await pilot.press("enter")
        await sees(pilot, "GET /test_framework/v1/runs/", "project_id", "page_size", "attempt")
        await pilot.press("escape", "escape")
        await sees(pilot, "No runs")
        assert not isinstance(pilot.app.screen, RequestLogScreen)


async def test_what_is_saved_has_a_line_for_each_request_without_key_and_values(asked: Setup, tmp_path: Path) -> None:
    saved = tmp_path / "requests.txt"
    async with opened(asked) as pilot:
        await request_log(pilot)
        await pilot.press("y")
        await sees(pilot, "this request", "save all to a file")
        await pilot.press("G", "enter")
        await sees(pilot, "Save the requests")
        pilot.app.screen.query_one(Input).value = str(saved)
        await pilot.press("enter")
        await sees(pilot, "Saved to")
    text = saved.read_text()
    assert f"Z GET {LIST}?project_id&page&page_size 200, " in text
    assert KEY not in text


async def test_the_log_file_has_the_requests_and_not_the_key(asked: Setup) -> None:
    async with opened(asked) as pilot:
        await sees(pilot, "No runs")
    text = asked.paths.log.read_text()
    assert f"INFO cekura_tui.api GET {LIST}?project_id" in text
    assert KEY not in text


async def test_the_log_survives_another_key(asked: Setup) -> None:
    async with opened(asked) as pilot:
        await sees(pilot, "No runs")
        workspace = pilot.app.state.workspace  # type: ignore[attr-defined]
        before = len(workspace.requests())
        await workspace.sign_in("another-key-0123456789")
        numbers = [one.number for one in workspace.requests()]
        assert len(numbers) > before
        assert numbers == list(range(1, len(numbers) + 1))
