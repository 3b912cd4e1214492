"""One dialog or page alone over an empty screen, with a real workspace, and its results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual import on
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from themed_app import ThemedApp
from waiting import eventually

from cekura_tui.ui.kit.app_screen import style_sheets
from cekura_tui.ui.messages import CopyRequested
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.copies import Copies
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace


class OneDialog(ThemedApp):
    """An app that opens the dialog. `answers` are the dialog's results, `copied` the texts sent to the clipboard."""

    CSS_PATH = style_sheets()

    def __init__(self, workspace: Workspace, dialog: Callable[[AppState], Screen[Any]]) -> None:
        super().__init__()
        self.animation_level = "none"
        self.state = AppState(self, workspace)
        self.answers: list[Any] = []
        self.copied: list[str] = []
        self._copies = Copies(self, workspace.setup.paths.copied)
        self._dialog = dialog

    def on_mount(self) -> None:
        self.ask()

    def ask(self) -> None:
        self.push_screen(self._dialog(self.state), self.answers.append)

    @on(CopyRequested)
    def copy_text(self, request: CopyRequested) -> None:
        """Copy as the real app does, and record the text."""
        self._copies.copy(request.text, request.what)
        self.copied.append(request.text)

    @property
    def dialog(self) -> Any:
        return self.screen


@asynccontextmanager
async def opened_dialog(
    setup: Setup, dialog: Callable[[AppState], Screen[Any]], *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[OneDialog, Pilot[None]]]:
    """Open the dialog in an app of its own; yields the app and its pilot."""
    workspace = Workspace(setup)
    workspace.start(lambda: None)
    app = OneDialog(workspace, dialog)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await eventually(lambda: len(app.screen_stack) > 1 and app.screen.is_mounted, "the dialog is open")
            yield app, pilot
    finally:
        await asyncio.to_thread(workspace.close)


async def answer(app: OneDialog, pilot: Pilot[None], *keys: str) -> Any:
    """Press keys that close the dialog, and return its result."""
    before = len(app.answers)
    await pilot.press(*keys)
    await eventually(lambda: len(app.answers) > before, f"an answer to {keys}")
    assert len(app.answers) == before + 1
    return app.answers[-1]


async def ask_again(app: OneDialog) -> None:
    """Open the dialog again."""
    app.ask()
    await eventually(lambda: app.screen.is_mounted, "the dialog is open again")


def burst(app: App[Any], *keys: str) -> None:
    """Send all keys before the app handles the first key."""
    for key in keys:
        app.simulate_key(key)
