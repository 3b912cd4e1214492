"""Dialogs that copy or save a text, and their parts: a list of offers, and a line for the name of a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean_line
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import CopyRequested
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.prompt_files import AlreadyThere, check_output, write_text


class Write(Protocol):
    """Writes a file and returns where it is, in words; raises CekuraTuiError, AlreadyThere only without `force`."""

    def __call__(self, name: str, *, force: bool) -> str: ...


def write_lines(text: str, name: str, *, force: bool) -> str:
    """Write a text with a line end at its end."""
    path = check_output(name, force=force)
    write_text(path, text, force=force)
    return f"Saved to {path.absolute()}."


async def _at_once() -> bool:
    return True


class SaveLine(TypedLine):
    """The name of a file to save to; a file that exists is overwritten when asked for twice.

    `saved` is called with where it is, in words; `about` says something of a name before anything is written to it;
    `may_write` is asked whether to write now, and says itself why not; `failed` is called when it could not be written,
    after `note` says why.
    """

    def __init__(
        self,
        name: str,
        write: Write,
        saved: Callable[[str], object],
        *,
        about: Callable[[str], str] = lambda name: "",
        may_write: Callable[[], Awaitable[bool]] = _at_once,
        failed: Callable[[CekuraTuiError], object] = lambda error: None,
        select_on_focus: bool = False,
    ) -> None:
        super().__init__(name, id="save-file", select_on_focus=select_on_focus, compact=True)
        self.cursor_blink = False  # it would write to the terminal for ever
        self.note = DialogNote(id="save-note")
        self._write, self._saved, self._about, self._failed = write, saved, about, failed
        self._may_write = may_write
        self._overwrite = ""

    @property
    def file_name(self) -> str:
        """The name, trimmed."""
        return self.value.strip()

    @on(Input.Changed)
    def renamed(self) -> None:
        """Another name: the question about the former one is void."""
        self._overwrite = ""
        self.show_message(self._about(self.file_name))

    @on(Input.Submitted)
    async def save(self) -> None:
        """Write the file."""
        may_write = await self._may_write()
        if not may_write or not self.screen.is_current:
            return  # enter was pressed twice
        name = self.file_name
        if not name:
            self.note.show("Type a file name.", failed=True)
            return
        try:
            where = self._write(name, force=self._overwrite == name)
        except AlreadyThere:
            self._overwrite = name
            self.note.show(f"{name} already exists. Press enter again to overwrite.", failed=True)
        except CekuraTuiError as error:
            self.note.show(error.sentence(), failed=True)
            self._failed(error)
        else:
            self._saved(where)

    def show_message(self, text: str) -> None:
        """A sentence in the note."""
        self.note.show(text)


class SaveDialog(Dialog[str]):
    """Answers with where the text is, in words, once it is there; `what` names it, `name` is proposed for its file."""

    AUTO_FOCUS = "Input"

    def __init__(self, what: str, name: str, write: Write) -> None:
        super().__init__()
        self._what, self._line = what, SaveLine(name, write, self.dismiss)

    def compose(self) -> ComposeResult:
        """The file's name."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"Save {self._what}")
            yield self._line
            yield self._line.note
            yield KeyHint("enter save · {dialog.close} back")


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to copy or save: its words and the text to copy; without a text, enter leads elsewhere."""

    words: str
    text: str | None = field(default=None, repr=False)


class OfferList(VirtualList[Offer]):
    """The offers, one a line."""

    def key_of(self, row: Offer) -> Hashable:
        """Its words."""
        return row.words

    def lines_of(self, row: Offer, width: int, state: RowState) -> Sequence[Line]:
        """Its words."""
        return [[Segment(fit(f" {row.words}", width))]]


PREVIEWED = 3
"""Lines of what would be copied that are shown."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What can be copied: `head` makes only its beginning, where that is quicker."""

    text: Callable[[], str]
    head: Callable[[], str] | None = None

    def beginning(self) -> str:
        """Its first lines, as they are shown."""
        lines = (self.head or self.text)().splitlines()
        return "\n".join(map(clean_line, lines[:PREVIEWED]))


@dataclass(frozen=True, slots=True)
class Lead:
    """What leads elsewhere instead of being copied; `head` makes the preview."""

    take: Callable[[], None]
    head: Callable[[], str] = str

    def beginning(self) -> str:
        """Its first lines, as they are shown."""
        return Copy(self.head).beginning()


class CopyDialog(Dialog[str]):
    """Copies what is chosen and answers with nothing; a `Lead` answers as it likes."""

    AUTO_FOCUS = "OfferList"

    def __init__(
        self, box: str, whose: str, offers: Iterable[tuple[str, Copy | Lead]], missing: Iterable[str] = ()
    ) -> None:
        """`box` is the id of the dialog's box, for its style; `whose` names what is copied; `offers` are words with
        what each does; `missing` are sentences why something is not offered."""
        super().__init__()
        self.whose = whose
        self._box, self._offers, self._missing = box, dict(offers), tuple(missing)

    def save(self, what: str, name: str, write: Write) -> None:
        """Ask where to save something; once saved, that is the answer of this dialog too."""

        def saved(where: str | None) -> None:
            if where is not None:  # else something else may be chosen
                self.dismiss(where)

        self.app.push_screen(SaveDialog(what, name, write), saved)

    def compose(self) -> ComposeResult:
        """The offers, what the one under the cursor would copy, and what is not offered."""
        with Vertical(id=self._box, classes="dialog") as box:
            box.border_title = Content(f"Copy or save {self.whose}")
            yield OfferList(id="copies")
            yield Static(id="copy-preview")
            for why in self._missing:
                yield Static(Content(why), classes="copy-missing")
            yield DialogNote(id="copy-note")
            yield KeyHint("{list.open} choose · {dialog.close} close")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one(OfferList).show_rows([Offer(words) for words in self._offers])

    @on(OfferList.Moved)
    def look(self, event: OfferList.Moved) -> None:
        """Show how it begins: over SSH, where the clipboard may be out of reach, it can be read and selected."""
        offer = self._offers.get(str(event.key))
        self.query_one("#copy-preview", Static).update(Content(offer.beginning() if offer else ""))
        self.show_message("")

    @on(OfferList.Opened)
    def take(self, event: OfferList.Opened) -> None:
        """Enter on one."""
        if not self.is_current:
            return  # enter was pressed twice
        words = str(event.key)
        offer = self._offers[words]
        if isinstance(offer, Lead):
            offer.take()
            return
        self.app.post_message(CopyRequested(offer.text(), f"the {words}"))
        self.dismiss(None)

    def show_message(self, text: str, *, failed: bool = False) -> None:
        """A sentence under the offers."""
        self.query_one("#copy-note", DialogNote).show(text, failed=failed)
