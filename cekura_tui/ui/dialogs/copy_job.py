"""A dialog that offers what can be copied of a job."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.virtual_list import VirtualList


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
