"""What a key opens, closes or changes is painted once: over a slow line, half a screen is what one waits for."""

from __future__ import annotations

from typing import Any

import pytest
from app_on_a_server import WIDE, Served
from painted_app import PaintingDriver, painted
from textual.pilot import Pilot
from watching import sees

from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.kit import app_screen
from cekura_tui.ui.run.screen import RunScreen
from cekura_tui.workspace.workspace import Workspace


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, what a screen shows first is waited for."""
    monkeypatch.setattr(app_screen, "READING", 10.0)
    monkeypatch.setattr(app_screen, "BUSY", 10.0)
    monkeypatch.setattr(app_screen, "OPENING", 10.0)


def screens_seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a terminal shows after each painting from now on, as text, each only where it is another than before."""
    found: list[str] = []
    flush = PaintingDriver.flush

    def look(driver: PaintingDriver) -> None:
        flush(driver)
        text = "\n".join(driver.screen.display)
        if text.strip() and (not found or found[-1] != text):
            found.append(text)

    monkeypatch.setattr(PaintingDriver, "flush", look)
    return found


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until nothing is due any more."""
    for _ in range(3):
        await pilot.pause()


async def test_screens_and_dialogs_are_painted_once_when_they_come_and_go(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(served.setup())
    async with painted(CekuraApp(workspace, live=False), WIDE) as pilot:
        await sees(pilot, "900240", "as of")
        await pilot.press("enter")  # read from the server, then cached
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
    workspace.close()


async def test_the_first_frame_is_whole(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(served.setup())
    app = CekuraApp(workspace, live=False)
    monkeypatch.setattr(app, "_start", lambda: None)  # what the server says comes later
    found = screens_seen(monkeypatch)
    async with painted(app, WIDE) as pilot:
        await sees(pilot, "Filter")
        await settled(pilot)
    assert len(found) == 1, "\n\n".join(found)
    workspace.close()


async def test_what_waits_for_a_painting_finds_everything_laid_out(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(served.setup())
    async with painted(CekuraApp(workspace, live=False), WIDE) as pilot:
        await sees(pilot, "900240", "as of")
        seen: list[int] = []
        drawn = RunScreen.drawn

        async def drawn_and_seen(screen: RunScreen) -> None:
            await drawn(screen)
            seen.append(screen.query_one("#transcript").size.height)

        monkeypatch.setattr(RunScreen, "drawn", drawn_and_seen)
        await pilot.press("enter")
        await sees(pilot, "Transcript")
        await settled(pilot)
        assert seen
        assert all(seen)
    workspace.close()


async def test_an_error_while_painting_ends_the_app_and_is_reported(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(served.setup())
    app = CekuraApp(workspace, live=False)

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    async def open_run() -> None:
        async with painted(app, WIDE) as pilot:
            await sees(pilot, "900240", "as of")
            monkeypatch.setattr(app_screen, "paint", fail)
            await pilot.press("enter")
            await settled(pilot)

    with pytest.raises(ZeroDivisionError):
        await open_run()
    workspace.close()
    assert "ZeroDivisionError" in app.crash
