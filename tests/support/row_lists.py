"""Lists of made-up rows, in an app of their own: what is painted, what is told, and how many rows are looked at."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pyte
from quick_pilot import painted
from rich.console import Console, RenderableType
from rich.segment import Segment
from textual._compositor import CompositorUpdate
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from themed_app import ThemedApp

from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList

SIZE = (40, 10)


@dataclass(frozen=True)
class Row:
    """A row of `height` lines."""

    id: int
    text: str = ""
    height: int = 1


def rows(*ids: int, height: int = 1) -> list[Row]:
    """Rows of these ids."""
    return [Row(n, f"run {n}", height) for n in ids]


class Even(VirtualList[Row]):
    """Rows of one line, which can be marked; `painted` are the lines of the screen that were drawn, as they were."""

    BINDINGS = [("space", "toggle_mark", "Mark"), ("V", "mark_range", "Mark up to here")]  # noqa: RUF012 - Textual's way
    marking = True

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[int] = []

    def key_of(self, row: Row) -> Hashable:
        return row.id

    def lines_of(self, row: Row, width: int, state: RowState) -> list[Line]:
        mark = "●" if state.marked else " "
        return [[Segment(f"{mark} {row.text} {line}")] for line in range(row.height)]

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


class Uneven(Even):
    """Rows of differing heights."""

    row_height = None


class ListApp(ThemedApp):
    """A list and nothing else. `messages` is what it told, `terminal` what was sent of it, `copied` what was copied."""

    def __init__(self, shown: Even, first: Sequence[Row], size: tuple[int, int] = SIZE) -> None:
        super().__init__()
        painted.add(self)
        self.list = shown
        self.first = first
        self.messages: list[Message] = []
        self.copied: list[str] = []
        self.terminal = pyte.Screen(*size)
        self._stream = pyte.Stream(self.terminal)
        self._console = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.show_rows(self.first)
        self.list.focus()

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        self.messages.append(message)

    on_virtual_list_opened = on_virtual_list_marked = on_virtual_list_near_end = on_virtual_list_moved
    on_virtual_list_in_view = on_virtual_list_moved

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Without a terminal Textual throws this away, and with it every line that it forgot to send.
        if isinstance(renderable, CompositorUpdate):
            self._stream.feed(renderable.render_segments(self._console).replace("\n", ""))
        super()._display(screen, renderable)

    def messages_of(self, kind: type[Message]) -> list[Any]:
        """What was told of one kind."""
        return [message for message in self.messages if isinstance(message, kind)]


def screen(shown: VirtualList[Any]) -> list[str]:
    """The lines of a list as they are now."""
    return [shown.render_line(y).text.strip() for y in range(shown.size.height)]


class Lazy(Sequence[Row]):
    """Rows with the ids `first`, `first + 1`, …, made when they are looked at; `looks` counts how often one was."""

    def __init__(self, first: int, count: int) -> None:
        self.first, self.count, self.looks = first, count, 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        if not 0 <= index < self.count:
            raise IndexError(index)
        return rows(self.first + index)[0]

    def place_of(self, key: Hashable) -> int | None:
        """The index of an id."""
        index = key - self.first if isinstance(key, int) else -1
        return index if 0 <= index < self.count else None
