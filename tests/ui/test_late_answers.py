"""An answer that arrives while its page or dialog is being removed is dropped without an error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from app_on_a_server import Served, opened
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static
from waiting import eventually
from watching import sees

from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.page import Page


class _Waiting(Static):
    """A widget that updates its child when an answer arrives, which happens just after the child was removed."""

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self._seen, self.answer = seen, asyncio.Event()

    def compose(self) -> ComposeResult:
        yield _Child()

    def on_mount(self) -> None:
        self.run_worker(self._draw())

    async def _draw(self) -> None:
        self._seen.append("asked")
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self._seen.append("cancelled")
            raise
        self.query_one(_Child).update("the answer")


class _Child(Static):
    def on_mount(self) -> None:
        self._answer = cast("_Waiting", self.parent).answer

    def on_unmount(self) -> None:
        self._answer.set()


class _Page(Page):
    seen: list[str]

    def body(self) -> Iterable[Widget]:
        yield _Waiting(self.seen)


class _Dialog(Dialog[None]):
    seen: list[str]

    def compose(self) -> ComposeResult:
        yield _Waiting(self.seen)


async def test_an_answer_that_arrives_while_a_screen_is_removed_is_dropped(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        app: Any = pilot.app
        await sees(pilot, "900240")
        for screen in (_Page(app.state), _Dialog()):
            screen.seen = seen = list[str]()
            await app.push_screen(screen)
            await eventually(lambda seen=seen: seen == ["asked"], "the widget waits for its answer")  # type: ignore[misc]
            await app.pop_screen()
            await sees(pilot, "900240")
            await eventually(lambda seen=seen: seen == ["asked", "cancelled"], f"{screen} is removed")  # type: ignore[misc]
