"""A dialog that hands runs over: their links, ids, a command or whole rows to the clipboard, or on to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from cekura_tui.model.job import MAX_RUNS
from cekura_tui.model.run_links import result_links
from cekura_tui.model.run_table import CSV_HEADER, csv_row, json_row, text_row
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import count
from cekura_tui.model.view import RunRow
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.copying import PREVIEWED, Copy, CopyDialog, Lead

SAVE_THESE, SAVE_ALL = "these", "all"

Make = Callable[[Sequence[RunRow]], str]
"""Makes the text to copy."""


class CopyRunsDialog(CopyDialog):
    """Answers with SAVE_THESE or SAVE_ALL where rows are to go to a file, and with nothing where they were copied.

    `dashboard` is where links lead, None where there is none; `notes` are those of this machine, by the run's id.
    """

    def __init__(
        self, board: Board, rows: Sequence[RunRow], dashboard: str | None, scope: Scope | None, notes: Mapping[int, str]
    ) -> None:
        super().__init__("copy-runs")
        self._rows, self._dashboard, self._scope, self._notes = tuple(rows), dashboard, scope, notes
        self._program = "cekura-tui --demo" if board.workspace.setup.demo else "cekura-tui"

    @property
    def whose(self) -> str:
        """The runs, or the one."""
        return count(len(self._rows), "run") if len(self._rows) != 1 else f"run {self._rows[0].id}"

    def offers(self) -> Iterable[tuple[str, Copy | Lead]]:
        """In words, and what makes the text or leads on to a file."""
        some = len(self._rows)
        if links := self._links(self._rows):
            words = "link of the result" if len(links) == 1 else f"links of {len(links):,} results"
            yield words, self._copy(self._link_text)
        if some:
            yield "id" if some == 1 else "ids", self._copy(_ids)
        if self._improvable:
            words = "command that improves the prompt from " + ("it" if some == 1 else "them")
            yield words, self._copy(self._command)
        if some:
            yield "row as text" if some == 1 else "rows as text", self._copy(self._text)
            yield "CSV", self._copy(self._csv)
            yield "JSON lines", self._copy(self._json)
            words = "Save this to a file …" if some == 1 else "Save these to a file …"
            yield words, Lead(lambda: self._leave(SAVE_THESE))
        yield "Save the whole list …", Lead(lambda: self._leave(SAVE_ALL))

    def _copy(self, make: Make) -> Copy:
        return Copy(lambda: make(self._rows), lambda: make(self._rows[:PREVIEWED]))

    def _leave(self, wish: str) -> None:
        self.dismiss(wish)

    def missing(self) -> Iterable[str]:
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


def _ids(rows: Sequence[RunRow]) -> str:
    return " ".join(str(row.id) for row in rows)
