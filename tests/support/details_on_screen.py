"""The details of a run in an app of their own: what is on the screen, and all that can be brought there."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from themed_app import ThemedApp

from cekura_tui.model.run.details import DetailRow
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.run.details import RunDetails


def view(source: dict[str, Any]) -> RunView:
    return view_of(Run.exact({"id": 5} | source), 0.0)


class CountedDetails(RunDetails):
    """Counts the rows that were drawn."""

    drawn = 0

    def lines_of(self, row: DetailRow, width: int, state: RowState) -> list[Line]:
        self.drawn += 1
        return super().lines_of(row, width, state)


class DetailsApp(ThemedApp):
    def __init__(self, source: dict[str, Any]) -> None:
        super().__init__()
        self.source = source
        self.details = CountedDetails()
        self.opened: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.details

    def on_mount(self) -> None:
        self.details.show_run(view(self.source))
        self.details.focus()

    def on_virtual_list_opened(self, message: VirtualList.Opened) -> None:
        self.opened.append(message.key)


def screen(details: RunDetails) -> list[str]:
    return [details.render_line(y).text.rstrip() for y in range(details.size.height)]


def found_on(details: RunDetails) -> list[str]:
    """The pieces of the screen that are marked as found."""
    strips = [details.render_line(y) for y in range(details.size.height)]
    ground = details.style_of("run-details--found").bgcolor
    return [part.text for strip in strips for part in strip if part.style and part.style.bgcolor == ground]


def everything(details: RunDetails) -> list[str]:
    """All lines that are there to be read, by opening whatever is closed on the way down."""
    seen: dict[tuple[object, int], str] = {}
    details.action_first()
    while True:
        row, index = details.cursor_row, details.cursor_index
        if row is not None and row.kind in ("closed", "more"):
            details.action_unfold()
            continue
        for y, (shown, line) in enumerate(details._shown):
            seen[details.rows[shown].key, line] = details.render_line(y).text.rstrip()
        top = details.viewport.top
        details.action_move(1)
        if (details.cursor_index, details.viewport.top) == (index, top):
            return list(seen.values())
