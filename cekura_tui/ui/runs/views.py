"""A dialog in which the user applies, saves and deletes views, which are named filters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import BUILT_IN_VIEWS, SavedView
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.dialog import ConfirmDialog, Dialog, DialogNote, KeyHint, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lists import Ink, SimpleList
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.strips import Line
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.runs.controller import RunsController
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

_NAME_CELLS = 26


class ViewsDialog(Dialog[str]):
    """A dialog of views. Returns the filter of the chosen view, or None. `current` is the filter in effect."""

    PLACE = "In the dialog of views"
    PARTS = (VirtualList,)
    AUTO_FOCUS = "#views"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("views.save", "w", lambda dialog: dialog.name_filter(), "Save filter", footer=1),
        Action("views.forget", "D", lambda dialog: dialog.delete(), "Delete", footer=2),
        Action("views.undo", "u", lambda dialog: dialog.restore(), "Undo", footer=3),
    )

    def __init__(self, state: AppState, current: str, views: Sequence[SavedView]) -> None:
        super().__init__()
        self._state, self._current = state, current
        self._own = {view.name: view for view in views if not view.built_in}
        self._deleted: list[SavedView] = []

    def compose(self) -> ComposeResult:
        with dialog_box("Views", classes="views"):
            yield SimpleList(key=lambda view: (view.name, view.built_in), line=self._line, id="views")
            with Vertical(id="view-naming"):
                yield Static(Content(f"Save {clean_line(self._current)} as"), id="view-of")
                yield TypedLine(id="view-name", compact=True)
            yield DialogNote(id="views-note")
            yield KeyHint(_KEYS, id="views-keys")

    def on_mount(self) -> None:
        self.query_one("#view-naming").display = False
        self._draw()
        for view in self._views.rows:
            if view.filter == self._current:
                self._views.move_to((view.name, view.built_in), scroll=False)

    @property
    def _views(self) -> SimpleList[SavedView]:
        return self.query_one(SimpleList)

    def _line(self, view: SavedView, width: int, ink: Ink) -> Line:
        """The name and the filter of a view. A dot marks a view whose filter is in effect."""
        name = Segment(("● " if view.filter == self._current else "  ") + fit(view.name, _NAME_CELLS) + "  ")
        return [name, Segment(fit(view.filter, width - _NAME_CELLS - 4), ink("dim"))]

    def _draw(self, name: str = "") -> None:
        """List the built-in views, then the user's views by name. Move the cursor to the view `name`, if given."""
        own = sorted(self._own.values(), key=lambda view: (view.name.casefold(), view.name))
        self._views.show_rows([*BUILT_IN_VIEWS, *own])
        self._views.move_to((name, False))

    def _show_message(self, text: str, *, failed: bool = False, done: bool = False) -> None:
        self.query_one(DialogNote).show(clean_line(text), failed=failed, done=done)

    @on(SimpleList.Opened)
    def choose(self) -> None:
        if (view := self._views.cursor_row) is not None:
            self.dismiss(view.filter)

    @property
    def _naming(self) -> bool:
        return bool(self.query_one("#view-naming").display)

    def _show_naming(self, naming: bool) -> None:
        self.query_one("#view-naming").display = naming
        self.query_one("#views-keys", KeyHint).show(_NAMING_KEYS if naming else _KEYS)
        self.set_focus(self.query_one(Input) if naming else self._views)

    def name_filter(self) -> None:
        if not self._current:
            how = with_keys("Press {runs.filter} in the run list to type one.")
            self._show_message(f"No filter to save. {how}", failed=True)
        else:
            self._show_message("")
            self._show_naming(True)

    def action_give_up(self) -> None:
        if self._naming:
            self._show_message("")
            self._show_naming(False)
        else:
            super().action_give_up()

    @on(Input.Changed)
    def renamed(self) -> None:
        if self._naming:
            self._show_message("")

    @on(Input.Submitted)
    async def save(self, event: Input.Submitted) -> None:
        """Save the current filter under the typed name. If a view has that name, ask before the view is replaced."""
        name = clean_line(event.value, None)
        there = next((own for own in self._own if own.casefold() == name.casefold()), None)
        if there is not None:
            text = f"The view has the filter {self._own[there].filter}."
            question = ConfirmDialog(f"Replace the view “{there}”?", text, "Replace the view")
            question.ask(self.app, lambda: self.run_worker(self._save_as(there), group="view"))
        else:
            await self._save_as(name)

    async def _save_as(self, name: str) -> None:
        if await self._store(view := SavedView(name, self._current)):
            self._deleted = [deleted for deleted in self._deleted if deleted.name != view.name]
            self.query_one(Input).value = ""
            self._show_naming(False)
            self._show_message(f"Saved as “{view.name}”.", done=True)

    async def _store(self, view: SavedView, failed: str = "") -> bool:
        if stored := await self._save(view.name, view.filter, failed):
            self._own[view.name] = view
            self._draw(view.name)
        return stored

    async def delete(self) -> None:
        view = self._views.cursor_row
        if view is not None and view.built_in:
            self._show_message(f"“{view.name}” is built in and can't be deleted.", failed=True)
        elif view is not None and await self._save(view.name, None, f"Can't delete “{view.name}”. "):
            del self._own[view.name]
            self._deleted.append(view)
            self._draw()
            self._show_message(f"Deleted “{view.name}”. {with_keys('Press {views.undo} to undo.')}", done=True)

    async def restore(self) -> None:
        view = self._deleted[-1] if self._deleted else None
        if view is None:
            self._show_message("Nothing to undo.", failed=True)
        elif await self._store(view, f"Can't restore “{view.name}”. "):
            self._deleted.pop()
            self._show_message(f"Restored “{view.name}”.", done=True)

    async def _save(self, name: str, text: str | None, failed: str) -> bool:
        """Save a view, or delete the view if `text` is None, even if the dialog closes meanwhile. If that fails, show
        `failed` and the error. Returns True if the view is saved and the dialog is still open."""
        try:
            await asyncio.shield(self._state.workspace.call(lambda session: session.saved_views.save(name, text)))
        except CekuraTuiError as error:
            self._show_message(failed + error.sentence(), failed=True)
            return False
        return not self.is_unmounted


_KEYS = (
    "{list.open} apply · {views.save} save filter · {views.forget} delete · {views.undo} undo · {dialog.close} close"
)
_NAMING_KEYS = "enter save · {dialog.close} back"


async def choose_view(page: Page, controller: RunsController) -> None:
    """Open the dialog of views, and list the runs that match the view chosen there."""
    try:
        views = await page.state.workspace.do(lambda session: session.store.views.views())
    except CekuraTuiError as error:
        page.show_error(error)
        return
    chosen = await page.opening.ask(ViewsDialog(page.state, str(controller.listing.filter), views))
    if chosen is not None:
        controller.filter_by(chosen)
