"""Show the details of a run alone in an app, and read every line that unfolding reveals."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import Any

from one_widget import WidgetApp, widget_app
from textual.pilot import Pilot

from cekura_tui.model.json_tree import TreeRow
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.run.details import RunDetails


def view(source: dict[str, Any]) -> RunView:
    return view_of(Run.exact({"id": 5} | source), 0.0)


class CountedDetails(RunDetails):
    """Run details that count in `drawn` how often a row is drawn."""

    drawn = 0

    def lines_of(self, row: TreeRow, width: int, state: RowState) -> list[Line]:
        self.drawn += 1
        return super().lines_of(row, width, state)


def details_of(
    source: dict[str, Any], *, size: tuple[int, int] = (80, 24)
) -> AbstractAsyncContextManager[tuple[WidgetApp[CountedDetails], Pilot[None]]]:
    """Open an app that shows only the details of a run."""
    return widget_app(CountedDetails(), lambda one: one.show_run(view(source)), size=size)


def found_on(details: RunDetails) -> list[str]:
    """Texts highlighted on screen as search matches."""
    strips = [details.render_line(y) for y in range(details.size.height)]
    ground = details.style_of("run-details--found").bgcolor
    return [part.text for strip in strips for part in strip if part.style and part.style.bgcolor == ground]


def everything(details: RunDetails, closed: Collection[object] = ()) -> list[str]:
    """Unfold every node except the paths in `closed`, then return all lines of the details from top to bottom."""
    while row := next((row for row in details.rows if row.kind in ("closed", "more") and row.path not in closed), None):
        details.move_to(row.key)
        details.action_unfold()
    details.action_first()
    seen: dict[tuple[object, int], str] = {}
    while True:
        for y, (shown, line) in enumerate(details._shown):
            seen[details.rows[shown].key, line] = details.render_line(y).text.rstrip()
        before = details.cursor_index, details.viewport.top
        details.action_page(1.0)
        if (details.cursor_index, details.viewport.top) == before:
            return list(seen.values())
