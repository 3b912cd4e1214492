"""A widget alone in an app, with the messages it posts, the texts it copies and its terminal screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import pyte
from quick_pilot import painted
from rich.console import Console, RenderableType
from textual._compositor import CompositorUpdate
from textual.app import ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from themed_app import ThemedApp

from cekura_tui.ui.kit.virtual_list import VirtualList

W = TypeVar("W", bound=Widget)
M = TypeVar("M", bound=Message)
_CONSOLE = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)


class WidgetApp(ThemedApp, Generic[W]):
    """An app that mounts the widget and calls `show` with it. With `paint`, every change is painted as in a
    terminal."""

    def __init__(self, widget: W, show: Callable[[W], object], *, paint: bool = False) -> None:
        super().__init__()
        if paint:
            painted.add(self)
        self.widget, self._show = widget, show
        self.messages: list[Message] = []
        self.copied: list[str] = []
        self.updates: list[CompositorUpdate] = []
        self._terminal: tuple[pyte.Screen, pyte.Stream, int] | None = None

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self._show(self.widget)
        if self.widget.can_focus:
            self.widget.focus()

    def post_message(self, message: Message) -> bool:
        self.messages.append(message)  # messages of the widget bubble up to the app
        return super().post_message(message)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Headless Textual discards updates, which would hide lines that it forgets to send.
        if isinstance(renderable, CompositorUpdate):
            self.updates.append(renderable)
        super()._display(screen, renderable)

    @property
    def terminal(self) -> pyte.Screen:
        """A terminal emulator that has received all updates so far."""
        if self._terminal is None:
            screen = pyte.Screen(*self.size)
            self._terminal = screen, pyte.Stream(screen), 0
        screen, stream, fed = self._terminal
        for update in self.updates[fed:]:
            stream.feed(update.render_segments(_CONSOLE).replace("\n", ""))
        self._terminal = screen, stream, len(self.updates)
        return screen

    def messages_of(self, kind: type[M]) -> list[M]:
        return [message for message in self.messages if isinstance(message, kind)]

    @property
    def opened(self) -> list[object]:
        """Keys of the rows that were opened."""
        return [message.key for message in self.messages_of(VirtualList.Opened)]


@asynccontextmanager
async def widget_app(
    widget: W,
    show: Callable[[W], object] = lambda _: None,
    *,
    size: tuple[int, int] = (80, 24),
    css: str = "",
    paint: bool = False,
) -> AsyncIterator[tuple[WidgetApp[W], Pilot[None]]]:
    """Mount and draw the widget in an app of its own; yields the app and its pilot."""
    app = WidgetApp(widget, show, paint=paint)
    app.CSS = css
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def screen(widget: Widget) -> list[str]:
    """Rendered lines of a widget."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
