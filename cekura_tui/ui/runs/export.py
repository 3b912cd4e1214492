"""Export runs to a file, with progress, or to the clipboard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content

from cekura_tui.jobs.polling import AT_ONCE, load_words
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import MAX_RUNS
from cekura_tui.model.run.details import result_links
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.run.words import csv_header, csv_row, json_row, text_row
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.copying import PREVIEWED, CopyDialog, Offer, SaveLine
from cekura_tui.ui.kit.dialog import ConfirmDialog, Dialog, KeyHint, dialog_box, section
from cekura_tui.ui.kit.lines import OneLine
from cekura_tui.ui.kit.lists import Choice, ChoiceList
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.messages import CopyRequested
from cekura_tui.ui.runs.listing import RunListing
from cekura_tui.ui.state import AppState
from cekura_tui.workspace.prompt_files import check_output, write_output
from cekura_tui.workspace.run_sweep import RunLoad

ENDINGS = {".csv": "CSV", ".jsonl": "JSON lines", ".ndjson": "JSON lines"}
_BLOCKS = 24


def progress_bar(done: int, total: int) -> str:
    """A progress bar of _BLOCKS blocks. A block is filled only when its whole share of `total` is done."""
    full = _BLOCKS * min(done, total) // total if total > 0 else 0
    return "█" * full + "·" * (_BLOCKS - full)


@dataclass(frozen=True)
class RowsText:
    """A kind of text to copy, named by `words`; `make` creates the text from rows."""

    words: str
    make: Callable[[Sequence[RunRow]], str]


class ExportRunsDialog(Dialog[str]):
    """Exports the marked runs or all runs. Returns a sentence with the file's path, or None if nothing was saved.
    `shown` are all runs, or None if the runs must be requested from the server. With `copied`, the marked runs are
    copied as soon as their failed checks are loaded."""

    PLACE = "In the dialog that exports"
    PARTS = (ChoiceList,)
    AUTO_FOCUS = "Input"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("export.up", "up", lambda dialog: dialog.choose_runs(-1), "Other runs"),
        Action("export.down", "down", lambda dialog: dialog.choose_runs(1), "Other runs"),
        Action("export.write-now", "w", lambda dialog: dialog.write_now(), "Write or copy what is loaded"),
        Action("export.leave", "enter", lambda dialog: dialog.leave(), "Close"),
    )

    def __init__(
        self,
        state: AppState,
        query: RunQuery,
        rows_marked: Sequence[RunRow],
        shown: Sequence[RunRow] | None,
        notes: Mapping[int, str],
        copied: RowsText | None = None,
    ) -> None:
        super().__init__()
        self._state, self._query, self._notes, self._copied = state, query, notes, copied
        self._marked, self._shown = rows_marked, shown
        self._running_words = self._done = ""
        day = time.strftime("%Y-%m-%d", time.localtime(state.clock()))
        self._line = SaveLine(f"runs-{day}.csv", self._begin, lambda _: None)
        self._what, self._checks = ChoiceList(several=False, id="export-what"), ChoiceList(several=True, id="checks")
        self._load: RunLoad | None = None
        """Loads the runs and their failed checks; None unless an export is running."""
        self._path, self._force = Path(), False

    def compose(self) -> ComposeResult:
        with dialog_box("Copy runs" if self._copied else "Export runs", classes="export"):
            yield (what := section("Runs", self._what))
            yield (checks := section("Failed checks", self._checks))
            yield (file := section("File (.csv or .jsonl)", self._line))
            what.display = checks.display = file.display = self._copied is None
            yield OneLine(id="export-progress")
            yield self._line.note
            yield KeyHint(id="export-keys")

    def on_mount(self) -> None:
        choices = [Choice("marked", count(len(self._marked), "marked run"))] if self._marked else []
        known = "all runs" if self._shown is None else f"all {count(len(self._shown), 'run')}"
        matching = f" matching {clean_line(str(self._query.filter))}" if self._query.filter else ""
        choices.append(Choice("all", f"{known} of {clean_line(self._query.scope.shown, 40)}{matching}"))
        self._what.show_rows(choices)
        self._what.marks = frozenset({choices[0].key})
        self._checks.marks = frozenset({"checks"})
        self._show_cost()
        self._progress_timer = self.set_interval(0.5, self._draw_progress, pause=True)
        if self._copied:
            self._start("Copying")
        else:
            self._show_state("edit")

    @property
    def _wanted(self) -> RunQuery | Sequence[RunRow]:
        return self._marked if "marked" in self._what.chosen else self._query if self._shown is None else self._shown

    @on(ChoiceList.Marked, "#export-what")
    def _show_cost(self) -> None:
        """Show how many requests the failed checks of the chosen runs need."""
        words, wanted = f"load after the list, {AT_ONCE} runs per request", self._wanted
        if not isinstance(wanted, RunQuery):
            missing = sum(row.lacks_checks for row in wanted)
            words = f"load {load_words(missing)}" if missing else "all loaded"
        self._checks.show_rows([Choice("checks", f"include: {words}")])

    def _show_state(self, state: str) -> None:
        """Show the form ("edit"), progress ("going") or the result ("done")."""
        runs = " · {export.up} {export.down} runs" if len(self._what.rows) > 1 else ""
        use = "copy" if self._copied else "write"
        keys = {
            "edit": f"enter export{runs} · {{dialog.close}} cancel",
            "going": f"{{export.write-now}} {use} what is loaded · {{dialog.close}} stop",
            "done": "{export.leave} close",
        }
        self.query_one("#export-keys", KeyHint).show(keys[state])
        self._line.disabled = self._what.disabled = self._checks.disabled = state != "edit"
        self.query_one(OneLine).display = state != "edit"
        if state == "edit":
            self.set_focus(self._line)

    def choose_runs(self, by: int) -> None:
        what, keys = self._what, [choice.key for choice in self._what.rows]
        if not what.disabled:
            at = next(n for n, key in enumerate(keys) if key in what.marks)
            key = keys[(at + by) % len(keys)]
            what.move_to(key)
            what.marks = frozenset({key})
            self._show_cost()

    def _begin(self, name: str, *, force: bool) -> str:
        """Start to export to the file `name`. Raises CekuraTuiError if the file cannot be written."""
        self._path, self._force = check_export(name, force=force), force
        self._start(f"Writing {ENDINGS[self._path.suffix.lower()]} to {self._path.absolute()}")
        return ""

    def _start(self, words: str) -> None:
        self._running_words, wanted = words, self._wanted
        checks, call, clock = bool(self._checks.chosen), self._state.workspace.call, self._state.clock
        source = wanted if isinstance(wanted, RunQuery) else lambda: wanted
        load = RunLoad(call, source, lambda row: checks and row.lacks_checks, clock=clock, patient=False)
        self._load, load.on = load, True
        self._show_state("going")
        self._draw_progress()
        self._progress_timer.resume()
        self._export(load)

    @work(group="export-runs", exclusive=True, description="writing runs")
    async def _export(self, load: RunLoad) -> None:
        """Load what is missing, unless the load was ended, and write the file or copy the runs."""
        if load.on:
            await load.run()
        try:
            if load.error is not None and not self._copied:
                raise load.error
            rows = load.rows() if load.sweep is None else load.sweep.matching(self._notes)
            rows = await self._state.workspace.do(lambda session: session.lists.filled(rows))
            checks = bool(self._checks.chosen)
            if self._copied:
                self.app.post_message(CopyRequested(self._copied.make(rows), f"the {self._copied.words}"))
            else:
                await asyncio.to_thread(write_runs, self._path, rows, self._notes, checks=checks, force=self._force)
        except CekuraTuiError as error:
            self._end(error.sentence())
            return
        unread, unknown = load.progress(whole=False), sum(row.lacks_checks for row in rows) if checks else 0
        gaps = [f"{unread} read"] if unread else []
        gaps += [f"the failed checks of {count(unknown, 'run')} are unknown"] if unknown else []
        facts = [f"Incomplete: {', '.join(gaps)}."] if gaps else []
        facts += [] if checks else ["The failed checks are left out."]
        facts += [load.error.sentence()] if load.error is not None else []
        runs = count(len(rows), "run")
        self._done = f"Copied {runs}" if self._copied else f"Saved {runs} to {self._path.absolute()}"
        self._done += f". {' '.join(facts)}" if facts else ""
        if not gaps and self.is_current:  # not below a question
            self.dismiss(None if self._copied else self._done)
        else:
            self._end(self._done)

    def _end(self, text: str) -> None:
        """Show the result or, if no file was saved, the form again with the reason."""
        self._progress_timer.pause()
        self._draw_progress()
        self._load = None
        self._show_state("done" if self._done or self._copied else "edit")
        self._line.note.show(text, failed=not self._done, done=bool(self._done))

    def _draw_progress(self) -> None:
        if (load := self._load) is None:
            return
        sweep, loading = load.sweep, ""
        done, total = (sweep.read, sweep.total) if sweep is not None else (len(load.rows()), len(load.rows()))
        if load.ids and (sweep is None or sweep.all_checked):
            done, total = len(load.ids) - len(load.missing), len(load.ids)
            loading = f"Loading the failed checks of {load_words(total)}"
        words = f"{done:,} of {count(total, 'run')}" if total else "waiting for the server"
        self.query_one(OneLine).show(Content(f"{progress_bar(done, total)} {words}"))
        at = self._state.when(load.retry_at, seconds=True)
        retrying = f"Retrying at {at}: {load.error.message}" if load.error is not None else ""
        self._line.note.show(retrying or loading or self._running_words)

    def _stop_loading(self) -> bool:
        """Stop loading runs; returns False if they are not loading."""
        load = self._load
        if load is None or not load.on:
            return False
        load.on, load.error = False, None
        if load.sweep is not None:
            load.sweep.close()
        self.workers.cancel_group(self, "export-runs")
        return True

    def write_now(self) -> None:
        if self._stop_loading() and self._load is not None:
            self._export(self._load)

    def _stop(self) -> None:
        if self._stop_loading():
            self._end("Stopped. Nothing was saved.")

    def leave(self) -> None:
        if self._load is None and self._line.disabled:
            self.dismiss(self._done or None)

    def action_give_up(self) -> None:
        """Close the dialog. During an export to a file, ask whether to stop the export."""
        if self._load is None or self._copied:
            self.dismiss(self._done or None)
        else:
            buttons = "Stop exporting", "Keep exporting"
            ConfirmDialog("Stop the export?", "Nothing will be saved.", *buttons).ask(self.app, self._stop)


SAVE_THESE, SAVE_ALL = "these", "all"


@dataclass(frozen=True)
class RunCopies:
    """Offers to copy runs in several formats. `dashboard` is the base URL of links; if None, no links are offered.
    `notes` maps run ids to notes. `program` is the program name in the copied improve command."""

    rows: Sequence[RunRow]
    dashboard: str | None
    scope: Scope | None
    notes: Mapping[int, str]
    program: str

    def dialog(self) -> CopyDialog:
        """The copy dialog. It returns SAVE_THESE, SAVE_ALL, or a RowsText to copy once the failed checks are loaded."""
        whose = count(len(self.rows), "run") if len(self.rows) != 1 else f"run {self.rows[0].id}"
        return CopyDialog(whose, self._offers(), self._missing())

    def _offers(self) -> Iterator[Offer]:
        some = len(self.rows)
        if links := self._links(self.rows):
            words = "link to the result" if len(links) == 1 else f"links to {len(links):,} results"
            yield self._offer(words, lambda rows: "\n".join(self._links(rows)))
        if some:
            yield self._offer("run ID" if some == 1 else "run IDs", _ids)
        if self._improvable:
            yield self._offer("improve command", lambda rows: f"{self.program} improve {_ids(rows)} --from-agent")
        if some:
            load, words = bool(self._lacking), "row as text" if some == 1 else "rows as text"
            yield self._offer(words, lambda rows: self._lines(rows, text_row).rstrip("\n"), load=load)
            yield self._offer("CSV", lambda rows: f"{csv_header()}\n{self._lines(rows, csv_row)}", load=load)
            yield self._offer("JSON lines", lambda rows: self._lines(rows, json_row), load=load)
            words = "save to a file …" if some == 1 else f"save {some:,} runs to a file …"
            yield Offer(words, do=lambda dialog: dialog.dismiss(SAVE_THESE))
        yield Offer("save the whole list to a file …", do=lambda dialog: dialog.dismiss(SAVE_ALL))

    def _offer(self, words: str, make: Callable[[Sequence[RunRow]], str], *, load: bool = False) -> Offer:
        do = (lambda dialog: dialog.dismiss(RowsText(words, make))) if load else None
        return Offer(words, lambda: make(self.rows), lambda: make(self.rows[:PREVIEWED]), do)

    def _missing(self) -> Iterator[str]:
        """Sentences that say why links or the improve command are not offered."""
        linked = sum(bool(self._links([row])) for row in self.rows)
        if self.rows and not self.dashboard:
            yield "No link: no dashboard URL is set."
        elif not linked and self.rows:
            yield f"No link: the {'run has' if len(self.rows) == 1 else 'runs have'} no result or project."
        elif linked < len(self.rows):
            yield f"Links for {linked:,} of {count(len(self.rows), 'run')}; the others have no result."
        if self._lacking:
            yield f"Copying rows, CSV or JSON loads the failed checks of {load_words(self._lacking)}."
        if self.rows and not self._improvable:
            yield f"No improve command: mark at most {MAX_RUNS} runs of one agent."

    @property
    def _lacking(self) -> int:
        return sum(row.lacks_checks for row in self.rows)

    @property
    def _improvable(self) -> bool:
        return 1 <= len(self.rows) <= MAX_RUNS and len({row.agent_id for row in self.rows}) == 1

    def _links(self, rows: Sequence[RunRow]) -> Sequence[str]:
        return result_links(self.dashboard, rows, self.scope) if self.dashboard else ()

    def _lines(self, rows: Sequence[RunRow], line: Callable[[RunRow, str], str]) -> str:
        return "".join(f"{line(row, self.notes.get(row.id, ''))}\n" for row in rows)


def _ids(rows: Sequence[RunRow]) -> str:
    return " ".join(str(row.id) for row in rows)


def copy_runs(page: Page, listing: RunListing, rows: Sequence[RunRow]) -> None:
    """Open a dialog that copies `rows`, or saves `rows` or the whole list to a file."""
    setup = page.state.workspace.setup
    program = "cekura-tui --demo" if setup.demo else "cekura-tui"

    def answered(answer: object) -> None:
        if isinstance(answer, RowsText):
            export_runs(page, listing, rows, answer)
        elif answer in (SAVE_THESE, SAVE_ALL):
            export_runs(page, listing, rows if answer == SAVE_THESE else [])

    copies = RunCopies(rows, setup.settings.dashboard_url, listing.scope, listing.notes, program)
    page.app.push_screen(copies.dialog(), answered)


def export_runs(page: Page, listing: RunListing, rows: Sequence[RunRow], copied: RowsText | None = None) -> None:
    if listing.scope is not None:
        shown = listing.loaded_rows() if listing.all_loaded else None
        dialog = ExportRunsDialog(page.state, listing.query, rows, shown, listing.notes, copied)
        page.app.push_screen(dialog, page.notify_once)


def write_runs(path: Path, rows: Sequence[RunRow], notes: Mapping[int, str], *, checks: bool, force: bool) -> None:
    """Write runs to a CSV or JSON Lines file, by its ending. Raises UsageError without rows, and as `write_output`."""
    if not rows:
        raise UsageError("No runs match; no file was written.")
    as_csv = ENDINGS[path.suffix.lower()] == "CSV"
    line = csv_row if as_csv else json_row
    lines = [csv_header(checks=checks)] if as_csv else []
    lines += (line(row, notes.get(row.id, ""), checks=checks) for row in rows)
    data = "".join(f"{text}\n" for text in lines).encode("utf-8", "replace")
    write_output(path, data, force=force, hint="No file was written.")


def check_export(name: str, *, force: bool) -> Path:
    """The file of an export; the ending of `name` selects the format. Raises the errors of `check_output`."""
    if Path(name).suffix.lower() not in ENDINGS:
        raise UsageError(f"Unknown file type: {clean_line(name)}.", "Use .csv, or .jsonl for JSON lines.")
    return check_output(name, force=force)
