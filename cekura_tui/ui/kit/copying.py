"""The base of the dialogs that save a text to a file, and never over another without asking.

A dialog that saves a text to a file.

A dialog that offers what can be copied of a job.

What dialogs share that copy: a list of offers, how the one under the cursor begins, and the terminal's clipboard.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean, clean_line
from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.prompt_files import AlreadyThere, check_output, write_text


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


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be handed over, and the text to copy; without one, choosing it leads on."""

    words: str
    text: str | None = field(default=None, repr=False)


class OfferList(VirtualList[Offer]):
    """What is offered, one a line."""

    def key_of(self, row: Offer) -> Hashable:
        """Its words."""
        return row.words

    def lines_of(self, row: Offer, width: int, state: RowState) -> Sequence[Line]:
        """Its words."""
        return [[Segment(fit(f" {row.words}", width))]]


class CopyJobDialog(Dialog[Offer]):
    """Answers with the offer that was taken."""

    AUTO_FOCUS = "OfferList"

    def __init__(self, number: int, offers: Sequence[Offer]) -> None:
        super().__init__()
        self._number, self._offers = number, offers

    def compose(self) -> ComposeResult:
        """The offers."""
        with Vertical(classes="dialog"):
            yield Label(Content(f"Copy of job {self._number}"), classes="dialog-title")
            yield OfferList(id="offers")
            yield Label(Content("enter copies · esc closes"), classes="dialog-hint")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one(OfferList).show_rows(self._offers)

    @on(OfferList.Opened)
    def take(self) -> None:
        """Enter on one."""
        self.dismiss(self.query_one(OfferList).cursor_row)


LARGE = 74_994
"""Bytes of text that terminals take which allow 100,000 bytes for one command, as many do."""
PREVIEWED = 3
"""Lines of what would be copied that are shown."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What can be copied: `head` makes how it begins, where that is quicker than to make all of it."""

    text: Callable[[], str]
    head: Callable[[], str] | None = None

    def beginning(self) -> str:
        """Its first lines, as they are shown."""
        lines = (self.head or self.text)().splitlines()
        return "\n".join(map(clean_line, lines[:PREVIEWED]))


@dataclass(frozen=True, slots=True)
class Lead:
    """What leads on in place of being copied; `head` makes what is shown of it."""

    take: Callable[[], None]
    head: Callable[[], str] = str

    def beginning(self) -> str:
        """Its first lines, as they are shown."""
        return Copy(self.head).beginning()


class CopyDialog(Dialog[str]):
    """Copies what is chosen, and answers with nothing then; what leads on answers as it likes."""

    AUTO_FOCUS = "OfferList"

    def __init__(self, box: str) -> None:
        """`box` is the id of what holds all this, for its style."""
        super().__init__()
        self._box = box
        self._offers: dict[str, Copy | Lead] = {}
        self._warned_of: str | None = None

    # What there is to choose from

    def offers(self) -> Iterable[tuple[str, Copy | Lead]]:
        """What is offered, in words, and what comes of it."""
        raise NotImplementedError

    def missing(self) -> Iterable[str]:
        """Why something is not offered, in sentences."""
        return ()

    @property
    def whose(self) -> str:
        """Of what a copy is made."""
        raise NotImplementedError

    # How it is shown

    def compose(self) -> ComposeResult:
        """The offers, what the one under the cursor would copy, and what is not offered."""
        with Vertical(id=self._box, classes="dialog"):
            yield Label(Content(f"Copy of {self.whose}"), classes="dialog-title")
            yield OfferList(id="copies")
            yield Static(id="copy-preview")
            for why in self.missing():
                yield Static(Content(why), classes="copy-missing")
            yield Static(id="copy-note")
            yield Label(Content("enter copies · esc closes"), classes="dialog-hint")

    def on_mount(self) -> None:
        """Show them."""
        self._offers = dict(self.offers())
        self.query_one(OfferList).show_rows([Offer(words) for words in self._offers])

    @on(OfferList.Moved)
    def look(self, event: OfferList.Moved) -> None:
        """Show how that begins: over SSH, where no clipboard may be within reach, it can be read and marked."""
        offer = self._offers.get(str(event.key))
        self.query_one("#copy-preview", Static).update(Content(offer.beginning() if offer else ""))
        self._warned_of = None
        self.say("")

    @on(OfferList.Opened)
    def take(self, event: OfferList.Opened) -> None:
        """Enter on one."""
        if not self.is_current:
            return  # enter was pressed twice in haste
        words = str(event.key)
        offer = self._offers[words]
        if isinstance(offer, Lead):
            offer.take()
            return
        text = offer.text()
        size = len(text.encode())
        if size > LARGE and self._warned_of != words:
            self._warned_of = words
            self.say(
                f"This is {size // 1000:,} KB; many terminals take up to {LARGE // 1000} KB and drop the rest. "
                "Save it to a file, or press enter once more to copy it all the same."
            )
            return
        self.app.copy_to_clipboard(text)
        told = f"Sent to the terminal's clipboard: {words}. Whether it took it, only pasting tells."
        self.notify(told, markup=False, timeout=8)
        self.dismiss(None)

    def say(self, text: str) -> None:
        """A sentence below the offers."""
        self.query_one("#copy-note", Static).update(Content(text))
