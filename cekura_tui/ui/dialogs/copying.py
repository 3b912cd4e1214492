"""What dialogs share that copy: a list of offers, how the one under the cursor begins, and the terminal's clipboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from cekura_tui.model.text import clean_line
from cekura_tui.ui.dialogs.copy_job import Offer, OfferList
from cekura_tui.ui.dialogs.dialog import Dialog

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
