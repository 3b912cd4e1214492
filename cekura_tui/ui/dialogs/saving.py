"""The base of the dialogs that save a text to a file, and never over another without asking."""

from __future__ import annotations

from textual import on
from textual.content import Content
from textual.widgets import Input, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean
from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.workspace.text_files import AlreadyThere


class SavingDialog(Dialog[str]):
    """Answers with where the text is, in words, once it is there. Its Input is the name, `#save-note` what is said."""

    AUTO_FOCUS = "Input"

    def __init__(self) -> None:
        super().__init__()
        self._overwrite = ""

    def write(self, name: str, *, force: bool) -> str:
        """Write it and return where it is, in words; raises CekuraTuiError, AlreadyThere only without `force`."""
        raise NotImplementedError

    def about(self, name: str) -> str:
        """What is to be told of a name before anything is written to it."""
        return ""

    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal for ever."""
        self.query_one(Input).cursor_blink = False

    @property
    def file_name(self) -> str:
        """The name as it stands."""
        return self.query_one(Input).value.strip()

    @on(Input.Changed)
    def renamed(self) -> None:
        """Another name: what was asked about the former one no longer holds."""
        self._overwrite = ""
        self.say(self.about(self.file_name))

    @on(Input.Submitted)
    def save(self) -> None:
        """Write the file; one that exists is overwritten when asked for twice."""
        if not self.is_current:
            return  # enter was pressed twice in haste
        name = self.file_name
        if not name:
            self.say("Type a file name.")
            return
        try:
            told = self.write(name, force=self._overwrite == name)
        except AlreadyThere:
            self._overwrite = name
            self.say(f"{name} exists already. Enter once more overwrites it.")
        except CekuraTuiError as error:
            self.not_saved(error)
        else:
            self.dismiss(told)

    def not_saved(self, error: CekuraTuiError) -> None:
        """Tell why it could not be written."""
        self.say(error.sentence())

    def say(self, text: str) -> None:
        """A sentence below the name."""
        self.query_one("#save-note", Static).update(Content(clean(text)))
