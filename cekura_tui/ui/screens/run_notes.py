"""Notes on the runs that are listed."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.ui.screens.run_serving import ServedRuns
from cekura_tui.ui.widgets.run_list import RunList


class NotedRuns(ServedRuns):
    """A list of runs on which a person can note something."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "note", "Note", id="runs.note", show=False)]

    @work(group="note", exclusive=True)
    async def action_note(self) -> None:
        """Note something on the run under the cursor; what was typed stays until it is stored or given up."""
        from cekura_tui.ui.dialogs.note import NoteDialog

        run_id, workspace = self.query_one(RunList).cursor_id, self.board.workspace
        if run_id is None:
            return

        def keep(text: str) -> None:
            workspace.send(lambda session: session.shelf.note(run_id, text))

        typed: str | None = None
        told = ""
        try:
            # Another window may have written one since.
            self.listing.notes = await workspace.call(lambda session: session.shelf.notes())
        except CekuraTuiError as error:
            told = error.sentence()
        former = self.listing.notes.get(run_id, "")
        while True:
            typed = await self.app.push_screen_wait(NoteDialog(run_id, former, keep=keep, typed=typed, told=told))
            if typed is None or typed == former:
                break
            text = typed
            try:
                await workspace.call(lambda session: session.shelf.note(run_id, text))  # noqa: B023 - awaited here
            except CekuraTuiError as error:
                told = error.sentence()
                continue
            others = {number: note for number, note in self.listing.notes.items() if number != run_id}
            self.listing.notes = {**others, run_id: text} if text else others
            if any(term.key == "note" for term in self.listing.filter.terms):
                self.load()  # other runs pass now
            break
        self.draw_now()
