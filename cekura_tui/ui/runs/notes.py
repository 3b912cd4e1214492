"""Edits and saves notes on runs. Notes are stored only on this machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import Future
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean, clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.dialog import ConfirmDialog, Dialog, DialogNote, KeyHint, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.runs.controller import RunsController
from cekura_tui.workspace.notes_and_views import LONGEST_NOTE

AUTOSAVE = 0.5
"""Seconds between a change of the typed text and the saving of the text as a draft."""
_ANY_SPACE = re.compile(r"\s+")


class NoteInput(TypedLine):
    """The input for a note. Text that is too long for a note is accepted, so that the user can shorten the text."""

    longest = 2 * LONGEST_NOTE

    def entered(self, value: str) -> bool:
        if isinstance(self.screen, NoteDialog):
            self.screen.submit()
        return True

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.replace(_ANY_SPACE.sub(" ", clean(event.text)), *sorted(self.selection))


class NoteDialog(Dialog[str]):
    """Edits the note on a run and returns the new note, "" to remove it, or None. `autosave` receives the draft, ""
    if none is needed any more. `typed` is a text that could not be saved, and `problem` says why."""

    PLACE = "In the note dialog"
    PARTS = (NoteInput,)
    AUTO_FOCUS = "NoteInput"
    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("note.save", "ctrl+g", lambda dialog: dialog.submit(), "Save"),)

    def __init__(
        self,
        run_id: int,
        text: str,
        *,
        autosave: Callable[[str], None] = lambda text: None,
        typed: str | None = None,
        problem: str = "",
    ) -> None:
        super().__init__()
        self._run_id, self.before = run_id, clean_line(text, None)
        self._typed, self._problem = self.before if typed is None else clean_line(typed, None), problem
        self._autosave = autosave
        self._saving = Debounce(self, AUTOSAVE, self.save_typed, postponed=False)
        self._draft = "" if typed is None else self._typed
        """The draft as last saved; "" if there is none."""
        self._own = {""}
        """All drafts that this dialog saved."""

    def compose(self) -> ComposeResult:
        with dialog_box(f"Note on run {self._run_id}"):
            placeholder = "Only on this machine. An empty note is removed."
            yield NoteInput(self._typed, placeholder=placeholder, id="note", select_on_focus=False, compact=True)
            yield DialogNote(id="note-message")
            yield KeyHint("enter save · {dialog.close} cancel")

    def on_mount(self) -> None:
        self.report(self._problem)

    def report(self, text: str) -> None:
        if not self.is_unmounted:
            self.query_one(DialogNote).show(text, failed=True)

    def show_stored(self, note: str, draft: str) -> None:
        """Show the saved draft. If there is no draft, or the draft is the stored note, show the stored note. Text that
        the user typed meanwhile comes before the draft, or replaces the stored note."""
        if self.is_unmounted:
            return
        line, typed = self.query_one(NoteInput), None if self._note == self.before else self._note
        draft = "" if draft == note or draft in self._own else clean_line(draft, None)
        self.before = clean_line(note, None)
        line.value = self._typed = " | ".join(filter(None, (typed, draft))) or (self.before if typed is None else "")
        line.cursor_position = len(line.value)
        if draft:
            self._draft = draft
            self.report(with_keys("Typed earlier, not saved. Press enter to save, {dialog.close} to discard."))

    @property
    def _note(self) -> str:
        return clean_line(self.query_one(NoteInput).value, None)

    @on(Input.Changed)
    def typed(self) -> None:
        if self._note != self._typed:
            self._typed = self._note
            self.report("")
            self._saving.start()

    def _put_draft(self, text: str) -> None:
        if text != self._draft:
            self._draft = text
            self._own.add(text)
            self._autosave(text)

    def submit(self) -> None:
        if (over := len(self._note) - LONGEST_NOTE) > 0:
            self.report(f"{over:,} characters too long: a note has at most {LONGEST_NOTE:,}.")
        else:
            if self._note == self.before:
                self._put_draft("")
            self.dismiss(self._note)

    def save_typed(self) -> None:
        """Save the typed text as a draft. If the text is the stored note, delete the draft."""
        if not self.is_unmounted:
            self._put_draft("" if self._note == self.before else self._note)

    def action_give_up(self) -> None:
        """Close the dialog. If the note was changed, ask before the change is discarded."""
        if self._note == self.before:
            self._discard()
        else:
            ConfirmDialog("Discard the change of the note?", self._note, "Discard").ask(self.app, self._discard)

    def _discard(self) -> None:
        self._put_draft("")
        self.dismiss(None)


class NoteWriter:
    """Opens the note dialog over the run list (`page`), saves the note that it returns, then calls `changed`."""

    def __init__(self, page: Page, controller: RunsController, changed: Callable[[], None]) -> None:
        self._page, self._controller, self._workspace = page, controller, page.state.workspace
        self._changed = changed

    async def write(self, run_id: int) -> None:
        """Let the user edit the note on a run. A draft is kept until the note is saved or discarded."""
        dialog = await self._ask(run_id, self._controller.listing.notes.get(run_id, ""))
        self._page.run_worker(self._look_up(run_id, dialog), group="note-look-up", exclusive=True)

    async def _ask(self, run_id: int, former: str, typed: str | None = None, problem: str = "") -> NoteDialog:
        def autosave(text: str) -> None:
            self._workspace.put(("typed note", run_id), text)

        def answered(text: str | None) -> None:
            if text is not None and text != dialog.before:
                self._page.run_worker(self._save(run_id, dialog.before, text), group="note")

        dialog = NoteDialog(run_id, former, autosave=autosave, typed=typed, problem=problem)
        await self._page.app.push_screen(dialog, answered)
        dialog.set_focus(dialog.query_one(NoteInput))
        return dialog

    async def _look_up(self, run_id: int, dialog: NoteDialog) -> None:
        """Load the stored note, which another window may have changed, and the draft, which a crash may have left."""
        listing, latest = self._controller.listing, self._workspace.unsaved.latest
        before = listing.notes
        note, draft = latest(("note", run_id), None), latest(("typed note", run_id), None)
        try:
            notes = await self._workspace.do(lambda session: session.store.notes.all())
            saved = await self._workspace.do(lambda session: session.store.notes.draft(run_id))
        except CekuraTuiError as error:
            dialog.report(error.sentence())
        else:
            if listing.notes is before:  # else a note was saved meanwhile, perhaps after the notes were read
                listing.notes = notes
            if draft is None:
                draft = saved if note is None else ""  # an unsaved note replaces the saved draft
            dialog.show_stored(notes.get(run_id, "") if note is None else note, draft)

    async def _save(self, run_id: int, former: str, text: str) -> None:
        listing = self._controller.listing
        saved: Future[None] = self._workspace.save(("note", run_id), text)
        self._workspace.unsaved.drop(("typed note", run_id))
        try:
            await asyncio.wrap_future(saved)
        except CekuraTuiError as error:
            await self._ask(run_id, former, text, error.sentence())
            return
        others = {number: note for number, note in listing.notes.items() if number != run_id}
        listing.notes = {**others, run_id: text} if text else others
        if any(term.key == "note" for term in listing.filter.terms):
            self._controller.load()  # other runs may match now
        self._controller.visibility_changed()  # redraws the list if the user sees it
        self._changed()
