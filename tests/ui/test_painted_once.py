"""Opening or closing a screen paints once, so that nothing is sent twice over a slow connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from app_on_a_server import WIDE, Served
from painted_app import PaintingDriver, painted
from textual.pilot import Pilot
from watching import sees

from cekura_tui.model.run.view import RunView
from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.kit import app_screen
from cekura_tui.ui.run.loader import RunLoader
from cekura_tui.workspace.workspace import Workspace


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a screen's first contents, however busy the machine is."""
    for wait in ("FIRST_READ", "BUSY", "OPENING"):
        monkeypatch.setattr(app_screen, wait, 10.0)


@pytest.fixture
def app(served: Served) -> Iterator[CekuraApp]:
    workspace = Workspace(served.setup())
    yield CekuraApp(workspace, live=False)
    workspace.close()


def screens_seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the terminal's text after each painting that changes the text; the returned list grows."""
    found: list[str] = []
    flush = PaintingDriver.flush

    def record(driver: PaintingDriver) -> None:
        flush(driver)
        text = "\n".join(driver.screen.display)
        if text.strip() and (not found or found[-1] != text):
            found.append(text)

    monkeypatch.setattr(PaintingDriver, "flush", record)
    return found


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until nothing is pending."""
    for _ in range(3):
        await pilot.pause()


async def test_opening_and_closing_screens_and_dialogs_paints_once(
    app: CekuraApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights, find = list[int](), RunLoader._find_evidence

    async def seen_and_found(loader: RunLoader, view: RunView) -> None:
        drawn = asyncio.Event()
        loader._screen.call_after_refresh(drawn.set)
        await drawn.wait()
        heights.append(loader._screen.query_one("#transcript").size.height)
        await find(loader, view)

    monkeypatch.setattr(RunLoader, "_find_evidence", seen_and_found)
    async with painted(app, WIDE) as pilot:
        await sees(pilot, "900240", "as of")
        await pilot.press("enter")  # loaded from the server, then cached
        await sees(pilot, "Transcript")
        await settled(pilot)
        await pilot.press("escape")
        await sees(pilot, "900239", "Transcript · 5 turns")  # the preview, too
        await settled(pilot)
        found = screens_seen(monkeypatch)
        for key in ("enter", "escape", "2", "1", "question_mark", "escape", "colon", "escape", "slash", "escape"):
            found.clear()
            await pilot.press(key)
            await settled(pilot)
            assert len(found) == 1, "\n\n".join([key, *found])
        assert heights
        assert all(heights), "callbacks of a repaint find everything laid out"


async def test_the_first_frame_is_painted_once_and_complete(app: CekuraApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_start", lambda: None)  # no answer of the server yet
    found = screens_seen(monkeypatch)
    async with painted(app, WIDE) as pilot:
        await sees(pilot, "Filter")
        await settled(pilot)
    assert len(found) == 1, "\n\n".join(found)


async def test_an_error_while_painting_ends_the_app_and_is_reported(
    app: CekuraApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_run() -> None:
        async with painted(app, WIDE) as pilot:
            await sees(pilot, "900240", "as of")
            monkeypatch.setattr(app_screen, "paint", Mock(side_effect=ZeroDivisionError))
            await pilot.press("enter")
            await settled(pilot)

    with pytest.raises(ZeroDivisionError):
        await open_run()
    assert "ZeroDivisionError" in app.crash
