"""A dialog that writes runs to a file, shows how far it has come, and can be told to stop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run_query import RunQuery
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.view import RunRow
from cekura_tui.ui.board import Board
from cekura_tui.ui.dialogs.dialog import Dialog
from cekura_tui.ui.widgets.choice_list import Choice, ChoiceList
from cekura_tui.ui.widgets.progress_line import ProgressLine
from cekura_tui.ui.widgets.typed_line import TypedLine
from cekura_tui.workspace.run_export import ENDINGS, AlreadyThere, RunExport, check_export

_LOOKS = 0.5
"""Seconds between two looks at how far it has come."""


class ExportRunsDialog(Dialog[str]):
    """Answers with where the runs are, once they are written.

    `shown` are all runs of the query, where all of them are known already; else the server is asked for them.
    """

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "other(-1)", "What", id="export.up", show=False),
        Binding("down", "other(1)", "What", id="export.down", show=False),
        Binding("enter", "leave", "Close", id="export.leave", show=False),
    ]

    def __init__(
        self,
        board: Board,
        query: RunQuery,
        rows_marked: Sequence[RunRow],
        shown: Sequence[RunRow] | None,
        notes: Mapping[int, str],
    ) -> None:
        super().__init__()
        self._board, self._query, self._notes = board, query, notes
        self._marked, self._shown = rows_marked, shown
        self._overwrite = self._going = self._done = self._said = ""
        self._export: RunExport | None = None
        self._asked_to_stop = False

    def compose(self) -> ComposeResult:
        """Where to, and what."""
        day = time.strftime("%Y-%m-%d", time.localtime(self._board.clock()))
        with Vertical(classes="dialog export"):
            yield Label(Content("Save runs to a file"), classes="dialog-title")
            yield TypedLine(f"runs-{day}.csv", id="export-file", select_on_focus=False, compact=True)
            yield ChoiceList(several=False, id="export-what")
            yield ProgressLine(id="export-progress")
            yield Static(id="export-note")
            yield Label(id="export-keys", classes="dialog-hint")

    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal for ever, and so would a bar that nothing fills."""
        self.query_one(Input).cursor_blink = False
        choices = [Choice("marked", count(len(self._marked), "marked run"))] if self._marked else []
        wanted = f"all that pass {clean_line(str(self._query.filter))}" if self._query.filter else "all"
        known = "" if self._shown is None else f", {count(len(self._shown), 'run')}"
        choices.append(Choice("all", f"{wanted} of {clean_line(self._query.scope.shown, 40)}{known}"))
        what = self.query_one(ChoiceList)
        what.show_rows(choices)
        what.marks = frozenset({choices[0].key})
        self._looking = self.set_interval(_LOOKS, self._look, pause=True)
        self._turn_to("edit")

    def _turn_to(self, state: str) -> None:
        """To be filled in ("edit"), under way ("going") or finished ("done")."""
        several = len(self.query_one(ChoiceList).rows) > 1
        keys = {
            "edit": f"enter saves{' · ↑ ↓ what' if several else ''} · .csv or .jsonl · esc closes",
            "going": "esc stops",
            "done": "enter or esc closes",
        }
        self.query_one("#export-keys", Label).update(Content(keys[state]))
        self.query_one(Input).disabled = self.query_one(ChoiceList).disabled = state != "edit"
        self.query_one(ProgressLine).display = state != "edit"
        if state == "edit":
            self.set_focus(self.query_one(Input))

    def _say(self, text: str, *, failed: bool = False) -> None:
        text = ("! " if failed else "") + clean_line(text, len(text) + 1)
        if text != self._said:
            self._said = text
            note = self.query_one("#export-note", Static)
            note.set_class(failed, "-failed")
            note.update(Content(text))

    def action_other(self, by: int) -> None:
        """The next choice of what to write."""
        what = self.query_one(ChoiceList)
        keys = [choice.key for choice in what.rows]
        if not what.disabled:
            at = next(n for n, key in enumerate(keys) if key in what.marks)
            key = keys[(at + by) % len(keys)]
            what.move_to(key)
            what.marks = frozenset({key})

    @on(Input.Changed)
    def renamed(self) -> None:
        """Another name: what was said of the former one no longer holds."""
        self._overwrite = ""
        self._say("")

    @on(Input.Submitted)
    def save(self) -> None:
        """Begin to write; a file that exists is overwritten when asked for twice."""
        name = self.query_one(Input).value.strip()
        if not name or self._export is not None:
            self._say("" if name else "Type a file name.", failed=not name)
            return
        try:
            path = check_export(name, force=self._overwrite == name)
        except AlreadyThere:
            self._overwrite = name
            self._say(f"{name} exists already. Enter once more overwrites it.", failed=True)
            return
        except CekuraTuiError as error:
            self._say(error.sentence(), failed=True)
            return
        marked = "marked" in self.query_one(ChoiceList).chosen
        wanted = self._marked if marked else self._query if self._shown is None else self._shown
        self._export = RunExport(path, wanted, self._notes, force=self._overwrite == name, clock=self._board.clock)
        self._asked_to_stop = False
        self._going = f"Writing {ENDINGS[path.suffix.lower()]} to {path.absolute()}"
        self._turn_to("going")
        self._look()
        self._looking.resume()
        self._write(self._export)

    @work(group="export-runs", description="writing runs")
    async def _write(self, export: RunExport) -> None:
        try:
            written = await self._board.workspace.call(export.run)
        except CekuraTuiError as error:
            self._end(error.sentence())
        else:
            if written is None:
                self._end("Stopped; nothing was kept.")
            else:
                self._finish(f"{count(written, 'run')} {'is' if written == 1 else 'are'} in {export.path.absolute()}")

    def _end(self, why: str) -> None:
        """It came to nothing: it can be begun again."""
        self._looking.pause()
        self._export = None
        self._overwrite = ""
        self._turn_to("edit")
        self._say(why, failed=True)

    def _finish(self, where: str) -> None:
        self._looking.pause()
        self._look()
        self._export = None
        self._done = where
        self._turn_to("done")
        self._say(where)

    def _look(self) -> None:
        """Draw how far it has come."""
        if self._export is not None:
            now = self._export.progress
            words = f"{now.looked:,} of {count(now.total, 'run')}" if now.total else "asking"
            words += "" if now.written == now.looked else f", {now.written:,} written"
            self.query_one(ProgressLine).show(now.looked, now.total, words)
            if not self._asked_to_stop:
                self._say(now.waiting or self._going)

    def action_leave(self) -> None:
        """Enter, where it is finished."""
        if self._done:
            self.dismiss(self._done)

    def action_give_up(self) -> None:
        """Leave; one that goes on is stopped when asked for twice."""
        if self._export is None:
            self.dismiss(self._done or None)
        elif not self._asked_to_stop:
            self._asked_to_stop = True
            self._say("Esc once more stops it, and nothing is kept of what was written.", failed=True)
        else:
            self._export.stop()
