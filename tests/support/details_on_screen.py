"""The details of a run alone in an app, and everything that can be reached in them by keys."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from one_widget import WidgetApp, widget_app
from textual.pilot import Pilot

from cekura_tui.model.run.details import DetailRow
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.run.details import RunDetails


def view(source: dict[str, Any]) -> RunView:
    return view_of(Run.exact({"id": 5} | source), 0.0)


class CountedDetails(RunDetails):
    """Counts the rows that were drawn."""

    drawn = 0

    def lines_of(self, row: DetailRow, width: int, state: RowState) -> list[Line]:
        self.drawn += 1
        return super().lines_of(row, width, state)


def details_of(
    source: dict[str, Any], *, size: tuple[int, int] = (80, 24)
) -> AbstractAsyncContextManager[tuple[WidgetApp[CountedDetails], Pilot[None]]]:
    """The details of a run alone in an app."""
    return widget_app(CountedDetails(), lambda one: one.show_run(view(source)), size=size)


def found_on(details: RunDetails) -> list[str]:
    """The highlighted matches on screen."""
    strips = [details.render_line(y) for y in range(details.size.height)]
    ground = details.style_of("run-details--found").bgcolor
    return [part.text for strip in strips for part in strip if part.style and part.style.bgcolor == ground]


def everything(details: RunDetails) -> list[str]:
    """All lines, with every closed node opened on the way down."""
    seen: dict[tuple[object, int], str] = {}
    details.action_first()
    while True:
        row, index = details.cursor_row, details.cursor_index
        if row is not None and row.kind in ("closed", "more"):
            details.action_unfold()
            continue
        for y, (shown, line) in enumerate(details._shown):
            if (details.rows[shown].key, line) not in seen:
                seen[details.rows[shown].key, line] = details.render_line(y).text.rstrip()
        top = details.viewport.top
        details.action_move(1)
        if (details.cursor_index, details.viewport.top) == (index, top):
            return list(seen.values())
