"""A dialog to show, hide, move and resize columns of the run list. The list behind the dialog updates immediately."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Label

from cekura_tui.model.column_fit import Cells
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import BUILT_IN_VIEWS
from cekura_tui.model.run.columns import ChosenColumn, RunColumns
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.dialog import Dialog, KeyHint, dialog_box
from cekura_tui.ui.kit.lists import Ink, SimpleList
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.strips import Line
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.runs.controller import RunsController
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.terminal.cells import fit

_NAME_CELLS = 16


class ColumnRow(NamedTuple):
    """A column, and its current width in cells; the width is 0 while the column is hidden or has no room."""

    column: ChosenColumn
    cells: int


def _line(row: ColumnRow, width: int, ink: Ink) -> Line:
    column, cells = row
    words = f"{cells} wide" if column.width else f"{cells} wide, automatic"
    if not column.shown:
        words = "hidden"
    elif not cells:
        words = "no notes, or no room" if column.name == "note" else "no room in this terminal"
    box, name = "[x]" if column.shown else "[ ]", fit(column.name, _NAME_CELLS)
    return [Segment(f" {box} {name}"), Segment(fit(words, width - _NAME_CELLS - 6), ink("dim"))]


class ColumnsDialog(Dialog[None]):
    """Edits the columns of the view named `view`. An empty `view` means all filters that are not views. `apply` draws
    the run list with the edited columns and returns their widths. `usual` are the columns after a reset."""

    PLACE = "In the dialog of columns"
    PARTS = (VirtualList,)
    AUTO_FOCUS = "#columns"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("columns.toggle", "space", lambda dialog: dialog.change(RunColumns.toggled), "Show or hide", footer=1),
        Action("columns.down", "shift+down", lambda dialog: dialog.change(RunColumns.moved, 1), "Move down", footer=2),
        Action("columns.up", "shift+up", lambda dialog: dialog.change(RunColumns.moved, -1), "Move up", footer=3),
        Action("columns.narrower", "less_than_sign,left", lambda dialog: dialog.widen(-1), "Narrower", footer=4),
        Action("columns.wider", "greater_than_sign,right", lambda dialog: dialog.widen(1), "Wider", footer=5),
        Action("columns.reset", "R", lambda dialog: dialog.reset(), "Reset", footer=6),
    )

    def __init__(
        self, view: str, columns: RunColumns, apply: Callable[[RunColumns], Cells], usual: RunColumns | None = None
    ) -> None:
        super().__init__()
        self._usual = usual or RunColumns()
        self._view, self._columns, self._apply = clean_line(view, 40), columns, apply

    def compose(self) -> ComposeResult:
        with dialog_box("Columns", id="choose-columns"):
            yield Label(Content(f"Of the view “{self._view}”" if self._view else "Of the run list"), id="columns-of")
            yield SimpleList(
                key=lambda row: row.column.name, line=_line, id="columns", opened=lambda _: self.action_give_up()
            )
            yield KeyHint(
                "{columns.toggle} show/hide · {columns.down} {columns.up} move · "
                "{columns.narrower} {columns.wider} size · {columns.reset} reset · {dialog.close} close"
            )

    def on_mount(self) -> None:
        self._columns_list.styles.height = len(self._columns.all)
        self._draw()

    def on_resize(self) -> None:
        """Redraw after the list got its new width, because the width decides which columns fit."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        cells = dict(self._apply(self._columns))
        self._columns_list.show_rows([ColumnRow(column, cells.get(column.name, 0)) for column in self._columns.all])

    @property
    def _columns_list(self) -> SimpleList[ColumnRow]:
        return self.query_one(SimpleList)

    def change(self, change: Callable[..., RunColumns], *values: int) -> None:
        """Change the column under the cursor: `change(columns, name, *values)` returns the new columns."""
        if (row := self._columns_list.cursor_row) is not None:
            self._columns = change(self._columns, row.column.name, *values)
            self._draw()

    def widen(self, step: int) -> None:
        """Widen the column under the cursor by `step` cells (narrow it if negative), unless it is not visible."""
        row = self._columns_list.cursor_row
        if row is not None and row.cells:
            self.change(RunColumns.sized, row.cells + step)

    def reset(self) -> None:
        self._columns = self._usual
        self._draw()


async def choose_columns(page: Page, controller: RunsController, runs: RunList) -> None:
    """Let the user edit the columns, and save them for the current view, or for all filters that are not views."""
    listing = controller.listing
    text = str(listing.filter)
    try:
        views = await page.state.workspace.do(lambda session: session.store.views.views())
    except CekuraTuiError as error:
        page.show_error(error)
        return
    view = next((view.name for view in (*BUILT_IN_VIEWS, *views) if view.filter == text), None)
    for_filter = "" if view is None else text

    def cells(columns: RunColumns) -> Cells:
        listing.choose_columns(for_filter, columns)
        controller.draw_now()
        return runs.cells

    await page.opening.ask(ColumnsDialog(view or "", listing.columns, cells, listing.usual_columns))
    chosen = listing.chosen_columns.get(for_filter, RunColumns())
    page.state.workspace.put(("choice of columns", for_filter), chosen.text if chosen.chosen else "")
