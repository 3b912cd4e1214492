"""A dialog that saves a text to a file, and never over another without asking."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean
from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.workspace.text_files import AlreadyThere, check_output, write_text


class SaveTextDialog(Dialog[str]):
    """Answers with where the text is, in words, once it is there. `what` is told of it, `name` is proposed."""

    AUTO_FOCUS = "Input"

    def __init__(self, what: str, name: str, text: str) -> None:
        super().__init__()
        self._what, self._name_proposed, self._text = what, name, text
        self._overwrite = ""

    def compose(self) -> ComposeResult:
        """The file's name."""
        with Vertical(classes="dialog"):
            yield Label(Content(f"Save {self._what}"), classes="dialog-title")
            yield Input(self._name_proposed, id="save-file", select_on_focus=False, compact=True)
            yield Static(id="save-note")
            yield Label(Content("enter saves · esc goes back"), classes="dialog-hint")

    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal for ever."""
        self.query_one(Input).cursor_blink = False

    @on(Input.Changed)
    def renamed(self) -> None:
        """Another name: what was asked about the former one no longer holds."""
        self._overwrite = ""
        self._say("")

    @on(Input.Submitted)
    def save(self) -> None:
        """Write the file; one that exists is overwritten when asked for twice."""
        if not self.is_current:
            return  # enter was pressed twice in haste
        name = self.query_one(Input).value.strip()
        if not name:
            self._say("Type a file name.")
            return
        force = self._overwrite == name
        try:
            path = check_output(name, force=force)
            write_text(path, self._text, force=force)
        except AlreadyThere:
            self._overwrite = name
            self._say(f"{name} exists already. Enter once more overwrites it.")
        except CekuraTuiError as error:
            self._say(error.sentence())
        else:
            self.dismiss(f"Saved to {path.absolute()}.")

    def _say(self, text: str) -> None:
        self.query_one("#save-note", Static).update(Content(clean(text)))
