"""A dialog that hands the improved prompt over: to a file, exactly, or to the clipboard."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import Prompt, clean, has_controls
from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.workspace.prompt_files import write_prompt
from cekura_tui.workspace.text_files import AlreadyThere, check_output


class HandOffDialog(Dialog[str]):
    """Answers with what was done, in words."""

    AUTO_FOCUS = "Input"

    def __init__(self, number: int, prompt: Prompt) -> None:
        super().__init__()
        self._number, self._prompt = number, prompt
        self._overwrite = ""

    def compose(self) -> ComposeResult:
        """The file's name and the two ways."""
        with Vertical(classes="dialog"):
            yield Label(Content("Save the improved prompt"), classes="dialog-title")
            yield Input(f"improved-prompt-{self._number}.md", id="file", compact=True)
            yield Static(id="hand-off-note")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Save"), id="save", variant="primary", compact=True)
                yield Button(Content("Copy to the clipboard"), id="copy", compact=True)
            yield Label(Content("enter saves · tab to copy · esc closes"), classes="dialog-hint")

    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal for ever."""
        self.query_one(Input).cursor_blink = False

    @on(Input.Changed)
    def renamed(self) -> None:
        """Another name: what was asked about the old one no longer holds."""
        self._overwrite = ""
        self._say("")

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def save(self) -> None:
        """Write the file; one that exists is overwritten when asked for twice."""
        name = self.query_one(Input).value.strip()
        if not name:
            self._say("Type a file name.")
            return
        force = self._overwrite == name
        try:
            path = check_output(name, force=force)
            write_prompt(path, self._prompt, force=force)
        except CekuraTuiError as error:
            if isinstance(error, AlreadyThere):
                self._overwrite = name
                self._say(f"{name} exists already. Save once more to overwrite it.")
            else:
                self._say(error.sentence())
            return
        note = " It holds control characters." if has_controls(self._prompt) else ""
        self.dismiss(f"Saved to {path.absolute()}.{note}")

    @on(Button.Pressed, "#copy")
    def copy(self) -> None:
        """Ask the terminal to copy it."""
        try:
            self.app.copy_to_clipboard(self._prompt)
        except UnicodeEncodeError:
            self._say("This prompt holds half a character, which no clipboard takes. Save it to a file.")
            return
        self.dismiss("Sent to the terminal's clipboard; whether it took it, only pasting tells.")

    def _say(self, text: str) -> None:
        self.query_one("#hand-off-note", Static).update(Content(clean(text)))
