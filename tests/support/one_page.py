"""A page alone in an app with a real workspace; no runs are loaded and no jobs are polled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from themed_app import ThemedApp
from waiting import eventually

from cekura_tui.ui.kit.app_screen import style_sheets
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import Request
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.workspace import Workspace


class PageApp(ThemedApp):
    """An app that opens the page. `requests` are the page's requests to the app. When the page closes, its result is
    added to `left`."""

    CSS_PATH = style_sheets()

    def __init__(self, workspace: Workspace, page: Callable[[AppState], Page]) -> None:
        super().__init__()
        self.animation_level = "none"
        self.state = AppState(self, workspace)
        self.requests: list[Request] = []
        self.state.ask = self.requests.append
        self.left: list[Any] = []
        self._page = page

    def on_mount(self) -> None:
        self.push_screen(self._page(self.state), self.left.append)


@asynccontextmanager
async def page_app(
    setup: Setup, page: Callable[[AppState], Page], *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[PageApp, Pilot[None]]]:
    """Open the page in an app of its own, yield the app and its pilot, and fail if the app crashes."""
    workspace = Workspace(setup)
    workspace.start(lambda: None)
    app = PageApp(workspace, page)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await eventually(lambda: isinstance(app.screen, Page) and app.screen.is_mounted, "the page is open")
            yield app, pilot
            assert app.is_running
            assert app._exception is None
    finally:
        await asyncio.to_thread(workspace.close)
