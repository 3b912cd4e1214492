"""An answer that comes while a page or a dialog is being removed finds nothing to draw on, and does no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from app_on_a_server import Served, opened
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static
from waiting import eventually
from watching import sees

from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.state import AppState


class _Waiting(Static):
    """Its answer comes in the moment in which its own child is gone and itself is not yet."""

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self._seen, self._answer = seen, asyncio.Event()

    def compose(self) -> ComposeResult:
        yield _Released(self._answer)

    def on_mount(self) -> None:
        self.run_worker(self._draw())

    async def _draw(self) -> None:
        self._seen.append("asked")
        try:
            await self._answer.wait()
        except asyncio.CancelledError:
            self._seen.append("cancelled")
            raise
        self.query_one(_Released).update("the answer")


class _Released(Static):
    def __init__(self, answer: asyncio.Event) -> None:
        super().__init__()
        self._answer = answer

    def on_unmount(self) -> None:
        self._answer.set()


class _Page(Page):
    def __init__(self, state: AppState, seen: list[str]) -> None:
        super().__init__(state)
        self._seen = seen

    def body(self) -> Iterable[Widget]:
        yield _Waiting(self._seen)


class _Dialog(Dialog[None]):
    def __init__(self, _: AppState, seen: list[str]) -> None:
        super().__init__()
        self._seen = seen

    def compose(self) -> ComposeResult:
        yield _Waiting(self._seen)


async def test_an_answer_that_comes_while_a_screen_is_removed_is_dropped(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        app: Any = pilot.app
        await sees(pilot, "900240")
        for kind in (_Page, _Dialog):
            seen: list[str] = []
            await app.push_screen(kind(app.state, seen))
            await eventually(lambda seen=seen: seen == ["asked"], "the widget waits for its answer")  # type: ignore[misc]
            await app.pop_screen()
            await sees(pilot, "900240")
            await eventually(lambda seen=seen: seen == ["asked", "cancelled"], f"{kind} is removed")  # type: ignore[misc]
