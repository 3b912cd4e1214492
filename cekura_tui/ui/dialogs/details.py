"""A dialog that shows something whole: an error, or all that is known of a job."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean
from cekura_tui.ui.dialogs.dialog import Dialog


class DetailsDialog(Dialog[None]):
    """A title, a text and named facts, to be read and closed."""

    def __init__(self, title: str, text: str, facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._title, self._text, self._facts = title, text, facts

    @classmethod
    def of_error(cls, error: CekuraTuiError) -> DetailsDialog:
        """An error, whole."""
        return cls(error.title, "\n\n".join(filter(None, (error.message, error.hint))), error.facts())

    def compose(self) -> ComposeResult:
        """Everything in one scrolling text."""
        text = Text(clean(self._text))
        for name, value in self._facts:
            text.append(f"\n\n{clean(name)}\n", style="bold")
            text.append(clean(value))
        with VerticalScroll(classes="dialog"):
            yield Label(Content(clean(self._title)), classes="dialog-title")
            yield Static(text)
            yield Label(Content("esc closes"), classes="dialog-hint")
