"""A dialog that asks yes or no."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Label, Static

from cekura_tui.model.text import clean
from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.page import LEAST, too_small


class ConfirmDialog(Dialog[bool]):
    """Answers True for yes, but not where the question is not seen whole; enter alone says no."""

    AUTO_FOCUS = "#no"
    deaf = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "say(True)", "Yes", id="confirm.yes"),
        Binding("n", "say(False)", "No", id="confirm.no"),
    ]

    def __init__(self, title: str, text: str, yes: str) -> None:
        super().__init__()
        self._title, self._text, self._yes = title, text, yes

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical(classes="dialog"):
            yield Label(Content(clean(self._title)), classes="dialog-title")
            yield Static(Content(clean(self._text)))
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content(self._yes), variant="warning", id="yes", compact=True)
                yield Button(Content("Cancel"), id="no", compact=True)
            yield Label(Content("y yes · n no · esc closes"), classes="dialog-hint")

    @on(Button.Pressed)
    def answer(self, event: Button.Pressed) -> None:
        """A button was pressed."""
        self.action_say(event.button.id == "yes")

    def action_say(self, answer: bool) -> None:
        """A letter was pressed."""
        if answer and too_small(self.app.size):
            needed = f"{LEAST.width} × {LEAST.height}"
            self.notify(f"Yes needs a terminal of {needed}; nothing was done.", severity="warning", markup=False)
            return
        self.dismiss(answer)
