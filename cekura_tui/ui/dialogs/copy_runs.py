"""A dialog that hands runs over: their links, ids, a command or whole rows to the clipboard, or on to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, Static

from cekura_tui.model.job import MAX_RUNS
from cekura_tui.model.run_links import result_links
from cekura_tui.model.run_table import CSV_HEADER, csv_row, json_row, text_row
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.view import RunRow
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.copy_job import Offer, OfferList
from cekura_tui.ui.dialogs.dialog import Dialog

SAVE_THESE, SAVE_ALL = "these", "all"
LARGE = 74_994
"""Bytes of text that terminals take which allow 100,000 bytes for one command, as many do."""
_PREVIEWED = 3
"""Lines of what would be copied that are shown."""

Make = Callable[[Sequence[RunRow]], str]
"""Makes the text to copy."""


class CopyRunsDialog(Dialog[str]):
    """Answers with SAVE_THESE or SAVE_ALL where rows are to go to a file, and with nothing where they were copied.

    `dashboard` is where links lead, None where there is none; `notes` are those of this machine, by the run's id.
    """

    AUTO_FOCUS = "OfferList"

    def __init__(
        self, board: Board, rows: Sequence[RunRow], dashboard: str | None, scope: Scope | None, notes: Mapping[int, str]
    ) -> None:
        super().__init__()
        self._rows, self._dashboard, self._scope, self._notes = tuple(rows), dashboard, scope, notes
        self._program = "cekura-tui --demo" if board.workspace.setup.demo else "cekura-tui"
        self._offers = dict(self._all_offers())
        self._warned_of: str | None = None

    def compose(self) -> ComposeResult:
        """The offers, what the one under the cursor would copy, and what is not offered."""
        whose = count(len(self._rows), "run") if len(self._rows) != 1 else f"run {self._rows[0].id}"
        with Vertical(id="copy-runs", classes="dialog"):
            yield Label(Content(f"Copy of {whose}"), classes="dialog-title")
            yield OfferList(id="copies")
            yield Static(id="copy-preview")
            for why in self._missing():
                yield Static(Content(why), classes="copy-missing")
            yield Static(id="copy-note")
            yield Label(Content("enter copies · esc closes"), classes="dialog-hint")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one(OfferList).show_rows([Offer(words) for words in self._offers])

    # What is offered

    def _all_offers(self) -> Iterable[tuple[str, Make | str]]:
        """In words, and what makes the text; a text leads on to a file."""
        some = len(self._rows)
        if links := self._links(self._rows):
            yield ("link of the result" if len(links) == 1 else f"links of {len(links):,} results"), self._link_text
        if some:
            yield "id" if some == 1 else "ids", _ids
        if self._improvable:
            yield "command that improves the prompt from " + ("it" if some == 1 else "them"), self._command
        if some:
            yield "row as text" if some == 1 else "rows as text", self._text
            yield "CSV", self._csv
            yield "JSON lines", self._json
            yield ("Save this to a file …" if some == 1 else "Save these to a file …"), SAVE_THESE
        yield "Save the whole list …", SAVE_ALL

    def _missing(self) -> Iterable[str]:
        """Why something is not offered, in sentences."""
        linked = sum(bool(self._links([row])) for row in self._rows)
        if self._rows and not self._dashboard:
            yield "No link: there is no dashboard here."
        elif not linked and self._rows:
            yield (
                "No link: "
                + ("the run does" if len(self._rows) == 1 else "these runs do")
                + " not tell of a result and its project."
            )
        elif linked < len(self._rows):
            yield f"{linked:,} of {count(len(self._rows), 'run')} tell of their result; the others have no link."
        if self._rows and not self._improvable:
            yield f"No command: a job takes up to {MAX_RUNS} runs of one agent."

    @property
    def _improvable(self) -> bool:
        return 1 <= len(self._rows) <= MAX_RUNS and len({row.agent_id for row in self._rows}) == 1

    def _links(self, rows: Sequence[RunRow]) -> Sequence[str]:
        return result_links(self._dashboard, rows, self._scope) if self._dashboard else ()

    def _link_text(self, rows: Sequence[RunRow]) -> str:
        return "\n".join(self._links(rows))

    def _command(self, rows: Sequence[RunRow]) -> str:
        return f"{self._program} improve {_ids(rows)} --from-agent"

    def _note_of(self, row: RunRow) -> str:
        return self._notes.get(row.id, "")

    def _text(self, rows: Sequence[RunRow]) -> str:
        return "\n".join(text_row(row, self._note_of(row)) for row in rows)

    def _csv(self, rows: Sequence[RunRow]) -> str:
        return "\n".join([CSV_HEADER, *(csv_row(row, self._note_of(row)) for row in rows)]) + "\n"

    def _json(self, rows: Sequence[RunRow]) -> str:
        return "".join(json_row(row, self._note_of(row)) + "\n" for row in rows)

    # Keys

    @on(OfferList.Moved)
    def look(self, event: OfferList.Moved) -> None:
        """Show how that begins: over SSH, where no clipboard may be within reach, it can be read and marked."""
        make = self._offers.get(str(event.key), "")
        lines = make(self._rows[:_PREVIEWED]).splitlines() if callable(make) else []
        self.query_one("#copy-preview", Static).update(Content("\n".join(map(clean_line, lines[:_PREVIEWED]))))
        self._warned_of = None
        self._say("")

    @on(OfferList.Opened)
    def take(self, event: OfferList.Opened) -> None:
        """Enter on one."""
        if not self.is_current:
            return  # enter was pressed twice in haste
        words = str(event.key)
        make = self._offers[words]
        if not callable(make):
            self.dismiss(make)
            return
        text = make(self._rows)
        size = len(text.encode())
        if size > LARGE and self._warned_of != words:
            self._warned_of = words
            self._say(
                f"This is {size // 1000:,} KB; many terminals take up to {LARGE // 1000} KB and drop the rest. "
                "Save it to a file, or press enter once more to copy it all the same."
            )
            return
        self.app.copy_to_clipboard(text)
        told = f"Sent to the terminal's clipboard: {words}. Whether it took it, only pasting tells."
        self.notify(told, markup=False, timeout=8)
        self.dismiss(None)

    def _say(self, text: str) -> None:
        self.query_one("#copy-note", Static).update(Content(text))


def _ids(rows: Sequence[RunRow]) -> str:
    return " ".join(str(row.id) for row in rows)
