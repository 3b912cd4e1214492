"""A dialog that offers texts to copy or save, and a dialog and an input that ask for a file name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.details import web_link
from cekura_tui.model.text import clean_line
from cekura_tui.ui.kit.dialog import ConfirmDialog, Dialog, DialogNote, KeyHint, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lists import SimpleList
from cekura_tui.ui.messages import CopyRequested
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.prompt_files import AlreadyThere, check_output, write_text


class Write(Protocol):
    """Writes a file and returns a message, or raises CekuraTuiError: AlreadyThere if it exists, unless `force`."""

    def __call__(self, name: str, *, force: bool) -> str: ...


def write_lines(text: str, name: str, *, force: bool) -> str:
    """Write a text to a file, with a newline at its end; return a message with the path."""
    path = check_output(name, force=force)
    write_text(path, text, force=force)
    return f"Saved to {path.absolute()}."


class SaveLine(TypedLine):
    """The input for the file name to save to; asks before overwriting. `write` writes, `saved` gets its message,
    `about` returns a message about the typed name, `failed` is called after an error, shown in `note`."""

    def __init__(
        self,
        name: str,
        write: Write,
        saved: Callable[[str], object],
        *,
        about: Callable[[str], str] = lambda name: "",
        failed: Callable[[CekuraTuiError], object] = lambda error: None,
        select_on_focus: bool = False,
    ) -> None:
        super().__init__(name, id="save-file", select_on_focus=select_on_focus, compact=True)
        self.note = DialogNote(id="save-note")
        self._write, self._saved, self._about, self._failed = write, saved, about, failed

    @property
    def file_name(self) -> str:
        return self.value.strip()

    @on(Input.Changed)
    def renamed(self) -> None:
        self.note.show(self._about(self.file_name))

    @on(Input.Submitted)
    def save(self) -> None:
        if self.disabled or not self.screen.is_current:
            return  # enter was pressed twice
        if self.file_name:
            self._save(force=False)
        else:
            self.note.show("Type a file name.", failed=True)

    def _save(self, *, force: bool) -> None:
        name = self.file_name
        try:
            where = self._write(name, force=force)
        except AlreadyThere:
            question = ConfirmDialog(f"Overwrite {name}?", "A file with this name exists already.", "Overwrite")
            question.ask(self.app, partial(self._save, force=True))
        except CekuraTuiError as error:
            self.note.show(error.sentence(), failed=True)
            self._failed(error)
        else:
            self._saved(where)


class SaveDialog(Dialog[str]):
    """Asks for a file name and suggests `name`; `what` is in the title. Returns the message of `write`, or None."""

    AUTO_FOCUS = "Input"

    def __init__(self, what: str, name: str, write: Write) -> None:
        super().__init__()
        self._what, self._line = what, SaveLine(name, write, self.dismiss)

    def compose(self) -> ComposeResult:
        with dialog_box(f"Save {self._what}"):
            yield self._line
            yield self._line.note
            yield KeyHint("enter save · {dialog.close} back")


PREVIEWED = 3
"""Maximum number of lines in the preview of a `CopyDialog`."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A row of a `CopyDialog`: its label, and a function that returns the text to copy. `head` returns the first lines
    faster, for the preview; `do` is called with the dialog instead of copying, for example to save."""

    words: str
    text: Callable[[], str] = str
    head: Callable[[], str] | None = None
    do: Callable[[CopyDialog], object] | None = None

    def preview(self) -> str:
        """The first lines of the text, cleaned, for the preview."""
        return "\n".join(map(clean_line, (self.head or self.text)().splitlines()[:PREVIEWED]))


class CopyDialog(Dialog[Any]):
    """Copies the chosen text and returns None; an offer's `do` may dismiss the dialog with another result. `source`
    says where the texts come from ("run 42"); `missing` are sentences about unavailable offers."""

    AUTO_FOCUS = "#copies"

    def __init__(self, source: str, offers: Iterable[Offer], missing: Iterable[str] = ()) -> None:
        super().__init__()
        self.source, self.offers, self._missing = source, tuple(offers), tuple(missing)

    def save(self, what: str, name: str, write: Write) -> None:
        """Ask for a file name with a `SaveDialog`; after saving, close this dialog too, with the message of `write`."""

        def saved(where: str | None) -> None:
            if where is not None:  # else the user may choose another offer
                self.dismiss(where)

        self.app.push_screen(SaveDialog(what, name, write), saved)

    def compose(self) -> ComposeResult:
        with dialog_box(f"Copy or save {self.source}", id="copy"):
            yield SimpleList(
                key=lambda offer: offer.words,
                line=lambda offer, width, ink: [Segment(fit(f" {offer.words}", width))],
                id="copies",
            )
            yield Static(id="copy-preview")
            for why in self._missing:
                yield Static(Content(why), classes="copy-missing")
            yield DialogNote(id="copy-note")
            yield KeyHint("{list.open} choose · {dialog.close} close")

    def on_mount(self) -> None:
        self._list.show_rows(self.offers)

    @property
    def _list(self) -> SimpleList[Offer]:
        return self.query_one(SimpleList)

    @on(SimpleList.Moved)
    def preview(self) -> None:
        """Show the first lines of the text under the cursor, to select if the clipboard does not work, as over SSH."""
        offer = self._list.cursor_row
        text = offer.preview() if offer else ""
        link = offer.text() if offer and offer.head is None and web_link(offer.text()) else ""
        # Terminals open such a link with a click, also over SSH.
        shown = Content.styled(clean_line(link, None), Style(link=link)) if link else Content(text)
        self.query_one("#copy-preview", Static).update(shown)
        self.show_message("")

    @on(SimpleList.Opened)
    def choose(self) -> None:
        offer = self._list.cursor_row
        if not self.is_current or offer is None:
            return  # enter was pressed twice
        if offer.do is not None:
            offer.do(self)
        else:
            self.app.post_message(CopyRequested(offer.text(), f"the {offer.words}"))
            self.dismiss(None)

    def show_message(self, text: str) -> None:
        self.query_one("#copy-note", DialogNote).show(text)
