"""A dialog that saves a text to a file."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from cekura_tui.ui.dialogs.saving import SavingDialog
from cekura_tui.ui.widgets.typed_line import TypedLine
from cekura_tui.workspace.text_files import check_output, write_text


class SaveTextDialog(SavingDialog):
    """`what` is told of the text, `name` is proposed for its file."""

    def __init__(self, what: str, name: str, text: str) -> None:
        super().__init__()
        self._what, self._name_proposed, self._text = what, name, text

    def compose(self) -> ComposeResult:
        """The file's name."""
        with Vertical(classes="dialog"):
            yield Label(Content(f"Save {self._what}"), classes="dialog-title")
            yield TypedLine(self._name_proposed, id="save-file", select_on_focus=False, compact=True)
            yield Static(id="save-note")
            yield Label(Content("enter saves · esc goes back"), classes="dialog-hint")

    def write(self, name: str, *, force: bool) -> str:
        """Write the text with a line end at its end."""
        path = check_output(name, force=force)
        write_text(path, self._text, force=force)
        return f"Saved to {path.absolute()}."
