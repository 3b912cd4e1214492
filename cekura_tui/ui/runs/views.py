"""A dialog of views: filters with a name, to apply, save and delete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.filter.filter import GIVEN_VIEWS, SavedView
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

if TYPE_CHECKING:
    from cekura_tui.ui.kit.page import Page
    from cekura_tui.ui.runs.controller import RunsController
    from cekura_tui.workspace.session import Session

LONGEST_NAME = 60
_NAME_CELLS = 26


class ViewList(VirtualList[SavedView]):
    """A view a line; a dot marks the one that is applied now."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    current = ""
    _has_size = False

    def on_resize(self) -> None:
        """Scroll to the first view once: a cursor moved before the first layout scrolled its row to the top."""
        super().on_resize()
        if not self._has_size:
            self._has_size = True
            key = self.cursor_key
            self.action_first()
            self.move_to(key)

    def key_of(self, row: SavedView) -> Hashable:
        """Its name, and whether it is built in."""
        return (row.name, row.given)

    def lines_of(self, row: SavedView, width: int, state: RowState) -> Sequence[Line]:
        """The name, then the filter in muted."""
        name = Segment(("● " if row.filter == self.current else "  ") + fit(row.name, _NAME_CELLS) + "  ")
        return [[name, Segment(fit(row.filter, width - _NAME_CELLS - 4), self.style_of("tone--dim"))]]


class ViewsDialog(Dialog[str]):
    """Answers with the filter of the chosen view; `current` is the filter applied now."""

    AUTO_FOCUS = "ViewList"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("views.save", "s", "name", "Save filter", footer=1),
        Action("views.forget", "x", "delete", "Delete", footer=2),
        Action("views.undo", "u", "restore", "Undo", footer=3),
    )

    def __init__(self, state: AppState, current: str, views: Sequence[SavedView]) -> None:
        super().__init__()
        self._state, self._current = state, current
        self._own = {view.name: view for view in views if not view.given}
        self._deleted: list[SavedView] = []
        self._replaces = ""

    def compose(self) -> ComposeResult:
        """The views, and under them a line for a name."""
        with Vertical(classes="dialog views") as box:
            box.border_title = Content("Views")
            yield ViewList(id="views")
            with Vertical(id="view-naming"):
                yield Static(Content(f"Save {clean_line(self._current)} as"), id="view-of")
                yield TypedLine(id="view-name", compact=True)
            yield DialogNote(id="views-note")
            yield KeyHint(_KEYS, id="views-keys")

    def on_mount(self) -> None:
        """Show them; the cursor is on the one applied now."""
        self.query_one(Input).cursor_blink = False
        self.query_one("#view-naming").display = False
        views = self.query_one(ViewList)
        views.current = self._current
        self._draw()
        for view in views.rows:
            if view.filter == self._current:
                views.move_to(views.key_of(view))

    def _draw(self, name: str = "") -> None:
        """Built-in views, then the user's by name; the cursor goes to the user's view of this name."""
        views = self.query_one(ViewList)
        own = sorted(self._own.values(), key=lambda view: (view.name.casefold(), view.name))
        views.show_rows([*GIVEN_VIEWS, *own])
        views.move_to((name, False))

    def _show_message(self, text: str, *, failed: bool = False, done: bool = False) -> None:
        self.query_one(DialogNote).show(clean_line(text), failed=failed, done=done)

    @on(ViewList.Opened)
    def choose(self) -> None:
        """Enter on one."""
        if (view := self.query_one(ViewList).cursor_row) is not None:
            self.dismiss(view.filter)

    # Saving

    @property
    def _naming(self) -> bool:
        return bool(self.query_one("#view-naming").display)

    def _show_naming(self, naming: bool) -> None:
        self._replaces = ""
        self.query_one("#view-naming").display = naming
        self.query_one("#views-keys", KeyHint).show(_NAMING_KEYS if naming else _KEYS)
        self.set_focus(self.query_one(Input) if naming else self.query_one(ViewList))

    def action_name(self) -> None:
        """Ask for a name."""
        if not self._current:
            how = with_keys("Press {runs.filter} in the run list to type one.")
            self._show_message(f"No filter to save. {how}", failed=True)
        else:
            self._show_message("")
            self._show_naming(True)

    def action_give_up(self) -> None:
        """Close the name line, or the dialog."""
        if self._naming:
            self._show_message("")
            self._show_naming(False)
        else:
            super().action_give_up()

    @on(Input.Changed)
    def renamed(self) -> None:
        """Another name: the message about the former one is void."""
        if self._naming:
            self._replaces = ""
            self._show_message("")

    @on(Input.Submitted)
    def save(self, event: Input.Submitted) -> None:
        """Save the current filter under a valid name; a second enter replaces a view of that name."""
        name = clean_line(event.value, len(event.value) + 1)
        wrong = _wrong_with(name)
        there = next((own for own in self._own if own.casefold() == name.casefold()), None)
        if wrong:
            self._show_message(wrong, failed=True)
        elif there is not None and self._replaces != there:
            self._replaces = there
            self._show_message(
                f"“{there}” already exists: {self._own[there].filter}. Press enter again to replace.", failed=True
            )
        else:
            self._save(SavedView(there or name, self._current))

    @work(group="save-view")
    async def _save(self, view: SavedView) -> None:
        try:
            await self._ask(lambda session: session.saved_views.save(view.name, view.filter))
        except CekuraTuiError as error:
            self._show_message(error.sentence(), failed=True)
            return
        self._own[view.name] = view
        self._deleted = [deleted for deleted in self._deleted if deleted.name != view.name]
        self.query_one(Input).value = ""
        self._draw(view.name)
        self._show_naming(False)
        self._show_message(f"Saved as “{view.name}”.", done=True)

    # Deleting

    def action_delete(self) -> None:
        """Delete the user's view under the cursor."""
        view = self.query_one(ViewList).cursor_row
        if view is None:
            return
        if view.given:
            self._show_message(f"“{view.name}” is built in and can't be deleted.", failed=True)
            return
        del self._own[view.name]
        self._deleted.append(view)
        self._draw()
        self._show_message(f"Deleted “{view.name}”. {with_keys('Press {views.undo} to undo.')}", done=True)
        self._delete(view)

    @work(group="delete-view")
    async def _delete(self, view: SavedView) -> None:
        try:
            await self._ask(lambda session: session.saved_views.delete(view.name))
        except CekuraTuiError as error:
            self._own.setdefault(view.name, view)
            self._deleted = [deleted for deleted in self._deleted if deleted is not view]
            self._draw(view.name)
            self._show_message(f"Can't delete “{view.name}”. {error.sentence()}", failed=True)

    def action_restore(self) -> None:
        """Restore the view deleted last."""
        if not self._deleted:
            self._show_message("Nothing to undo.", failed=True)
            return
        view = self._deleted.pop()
        self._own[view.name] = view
        self._draw(view.name)
        self._show_message(f"Restored “{view.name}”.", done=True)
        self._restore(view)

    @work(group="restore-view")
    async def _restore(self, view: SavedView) -> None:
        try:
            await self._ask(lambda session: session.saved_views.save(view.name, view.filter))
        except CekuraTuiError as error:
            self._own.pop(view.name, None)
            self._deleted.append(view)
            self._draw()
            self._show_message(f"Can't restore “{view.name}”. {error.sentence()}", failed=True)

    async def _ask(self, what: Callable[[Session], Awaitable[None]]) -> None:
        """Ask the session; closing the dialog does not cancel it."""
        await asyncio.shield(self._state.workspace.call(what))


def _wrong_with(name: str) -> str:
    """Why a view cannot have this name, in a sentence; empty if it can."""
    if not name:
        return "Type a name."
    if len(name) > LONGEST_NAME:
        return f"A name has at most {LONGEST_NAME} characters, not {len(name)}."
    if any(view.name.casefold() == name.casefold() for view in GIVEN_VIEWS):
        return f"“{name}” is a built-in view. Choose another name."
    return ""


_KEYS = (
    "{list.open} apply · {views.save} save filter · {views.forget} delete · {views.undo} undo · {dialog.close} close"
)
_NAMING_KEYS = "enter save · {dialog.close} back"


async def choose_view(page: Page, controller: RunsController) -> None:
    """Have a person choose a filter by its name, or give the one in effect a name."""
    try:
        views = await page.state.workspace.call(lambda session: session.saved_views.all())
    except CekuraTuiError as error:
        page.show_error(error)
        return
    chosen = await page.opening.ask(ViewsDialog(page.state, str(controller.listing.filter), views))
    if chosen is not None:
        controller.filter_by(chosen)
