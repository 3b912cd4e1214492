"""Notes on the runs that are listed."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.ui.dialogs.note import NoteDialog, NoteInput
from cekura_tui.ui.screens.run_serving import ServedRuns
from cekura_tui.ui.widgets.run_list import RunList


class NotedRuns(ServedRuns):
    """A list of runs on which a person can note something."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "note", "Note", id="runs.note", show=False)]

    async def action_note(self) -> None:
        """Note something on the run under the cursor; what was typed stays until it is stored or given up."""
        run_id = self.query_one(RunList).cursor_id
        if run_id is not None:
            self._look_up(run_id, await self._ask(run_id, self.listing.notes.get(run_id, "")))

    async def _ask(self, run_id: int, former: str, typed: str | None = None, told: str = "") -> NoteDialog:
        workspace = self.board.workspace

        def keep(text: str) -> None:
            workspace.send(lambda session: session.shelf.note(run_id, text))

        def answered(text: str | None) -> None:
            if text is not None and text != dialog.before:
                self._store(run_id, dialog.before, text)

        dialog = NoteDialog(run_id, former, keep=keep, typed=typed, told=told)
        await self.app.push_screen(dialog, answered)
        dialog.set_focus(dialog.query_one(NoteInput))
        return dialog

    @work(group="note-look-up", exclusive=True)
    async def _look_up(self, run_id: int, dialog: NoteDialog) -> None:
        """Another window may have written one since."""
        try:
            self.listing.notes = await self.board.workspace.call(lambda session: session.shelf.notes())
        except CekuraTuiError as error:
            dialog.tell(error.sentence())
        else:
            dialog.was(self.listing.notes.get(run_id, ""))

    @work(group="note")
    async def _store(self, run_id: int, former: str, text: str) -> None:
        try:
            await self.board.workspace.call(lambda session: session.shelf.note(run_id, text))
        except CekuraTuiError as error:
            await self._ask(run_id, former, text, error.sentence())
            return
        others = {number: note for number, note in self.listing.notes.items() if number != run_id}
        self.listing.notes = {**others, run_id: text} if text else others
        if any(term.key == "note" for term in self.listing.filter.terms):
            self.load()  # other runs pass now
        self.draw_now()
