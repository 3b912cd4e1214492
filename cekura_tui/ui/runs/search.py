"""A dialog that searches the transcripts of the listed runs, and loads the transcripts that are not cached yet."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events, on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean_line, count
from cekura_tui.model.transcript.search import LONGEST_QUERY, MOST_HITS, Hit, TranscriptHits, result_text
from cekura_tui.model.transcript.timeline import clock, needs_hours
from cekura_tui.model.transcript.transcript import NAMES
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lines import OUTCOME_TONES, TONE_CLASSES, OneLine
from cekura_tui.ui.kit.strips import Layer, Line, RowState, StyledText
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import OpenRun
from cekura_tui.ui.runs.export import progress_bar
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

if TYPE_CHECKING:
    from cekura_tui.ui.runs.listing import RunListing
    from cekura_tui.workspace.run_findings import TranscriptLoad

PROGRESS_EVERY = 0.5
"""Seconds between two updates of the hits and the progress bar while transcripts are loaded."""
_RUN_CELLS, _OUTCOME_CELLS, _WHEN_CELLS, _TIME_CELLS, _SPEAKER_CELLS = 8, 11, 12, 7, 6


class HitList(VirtualList[Hit]):
    """Shows each hit on two lines: its run, its time and its speaker, then the snippet with the matches in bold."""

    row_height = 2
    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONE_CLASSES, "hits--match"}
    DEFAULT_CSS = "HitList { & > .hits--match { color: $warning; text-style: bold; } }"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("search-runs.type", "slash", lambda hits: hits.screen.edit_search(), "Search"),
        Action("search-runs.read-on", "F", lambda hits: hits.screen.load_or_stop(), "Load all"),
    )

    def __init__(self, state: AppState) -> None:
        super().__init__(id="hits")
        self._state = state

    def key_of(self, row: Hit) -> Hashable:
        return (row.run_id, row.n)

    def lines_of(self, row: Hit, width: int, state: RowState) -> Sequence[Line]:
        dim = self.style_of("tone--dim")
        time = clock(row.start, hours=needs_hours(row.start or 0.0)) or "–"
        who = f"{fit(time, _TIME_CELLS, right=True)} {fit(NAMES.get(row.speaker, row.speaker), _SPEAKER_CELLS)}"
        room = width - _RUN_CELLS - _OUTCOME_CELLS - _WHEN_CELLS - len(who) - 6
        head = [
            Segment(f" {fit(str(row.run_id), _RUN_CELLS)} "),
            Segment(
                fit(row.row.chip, _OUTCOME_CELLS) + " ",
                self.style_of(f"tone--{OUTCOME_TONES[row.row.outcome.kind]}"),
            ),
            Segment(fit(row.row.scenario, room) + " "),
            Segment(fit(self._state.when(row.row.at), _WHEN_CELLS) + " ", dim),
            Segment(who, dim),
        ]
        text, found = fit(row.snippet, width - 4), self.style_of("hits--match")
        snippet = StyledText(text, layers=(Layer(row.matches, lambda span: found),)).cut(0, len(text))
        return [head, [Segment("   "), *snippet]]


class SearchLine(TypedLine):
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("search-runs.hits", "down", lambda line: line.screen.go_to_hits(), "Go to hits"),
        Action("search-runs.apply", "ctrl+g", lambda line: line.screen.load_or_stop(), "Load all"),
    )
    longest = LONGEST_QUERY

    def __init__(self, text: str) -> None:
        super().__init__(text, id="said-search", compact=True, placeholder=_EXAMPLE)


class SearchRunsDialog(Dialog[OpenRun]):
    """Searches transcripts. Returns the run and the turn of the chosen hit, and a query to repeat in that run. The
    dialog opens with the search `text`, or with the last search if `text` is empty. Closing it does not stop a load."""

    PLACE = "In the search of transcripts"
    PARTS = (SearchLine, HitList)
    AUTO_FOCUS = "#said-search"
    last: ClassVar[str] = ""
    """The last search in this process."""

    def __init__(self, state: AppState, listing: RunListing, text: str = "") -> None:
        super().__init__()
        if text:
            SearchRunsDialog.last = text
        self._state, self._listing = state, listing
        self._query = listing.query if listing.scope is not None else None
        self._load: TranscriptLoad | None = None
        """The load of the list's transcripts; None until it was looked up, and without a list."""
        self._found = TranscriptHits()
        self._settled = Debounce(self, 0.15, self._search)
        self._runs: frozenset[int] | None = None
        """The ids of the searched runs; None for all cached runs."""
        self._next_search = float("inf")
        """The monotonic time from which a search may be repeated; infinite during a search."""
        self._searched: str | None = None
        """The search whose hits are shown; None while a search is pending or after an error."""
        self._to_hits_when_found = False
        """Whether enter was pressed before the hits were loaded."""

    def compose(self) -> ComposeResult:
        with dialog_box("Search transcripts", id="search-runs"):
            yield SearchLine(SearchRunsDialog.last)
            yield OneLine(id="said-scope")
            yield DialogNote(id="said-note")
            yield HitList(self._state)
            yield KeyHint(_KEYS)

    def on_mount(self) -> None:
        """Repeat the last search, because more transcripts may have been cached since."""
        self._progress = self.set_interval(PROGRESS_EVERY, self._follow_load, pause=True)
        self._search()

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        if event.value == SearchRunsDialog.last:
            return
        SearchRunsDialog.last = event.value
        self._searched = None
        self._settled.start()

    @on(Input.Submitted)
    def go_to_hits(self) -> None:
        """Focus the hits. If the hits of the typed search are not loaded, search first."""
        if self._searched == self.query_one(SearchLine).value:
            self.set_focus(self.query_one(HitList))
        else:
            self._to_hits_when_found = True
            self._search()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.query_one(KeyHint).show(_HIT_KEYS if isinstance(event.widget, HitList) else _KEYS)
        self._draw_scope()

    def edit_search(self) -> None:
        self.set_focus(self.query_one(SearchLine))

    @on(HitList.Opened)
    def choose(self) -> None:
        if (hit := self.query_one(HitList).cursor_row) is not None:
            self.dismiss(OpenRun(hit.run_id, hit.n, self.query_one(SearchLine).value))

    def _search(self) -> None:
        """Search now and cancel a search in flight."""
        if self.is_unmounted:
            return
        self._settled.stop()
        self._show_message("Searching …")
        self._run_search(self.query_one(SearchLine).value, reset=True)

    @work(group="search-said", exclusive=True)
    async def _run_search(self, text: str, *, reset: bool) -> None:
        call, query, began = self._state.workspace.call, self._query, time.monotonic()
        try:
            if self._load is None and query is not None:
                self._load = await call(lambda session: session.transcript_load(query))
            runs = self._runs = self._load.covered if self._load is not None else None
            found = await call(lambda session: session.search_transcripts(text, runs, MOST_HITS))
        except CekuraTuiError as error:
            self._show(text, TranscriptHits(), reset=True)
            self._searched, self._to_hits_when_found = None, False
            self._show_message(f"{error.sentence()} Press enter to search again.", failed=True)
            return
        self._show(text, found, reset=reset)
        self._next_search = time.monotonic() + 5 * (time.monotonic() - began)
        self._follow_load()

    def _show(self, text: str, found: TranscriptHits, *, reset: bool = False) -> None:
        if self.is_unmounted:
            return
        self._found, self._searched = found, text
        self.query_one(HitList).show_rows(found.hits, reset=reset, follow=True)
        shown = f" The first {len(found.hits):,} are shown." if len(found.hits) < found.total else ""
        self._show_message(result_text(text, found) + shown)
        self._draw_scope()
        # Keep the focus in the input if the user typed more meanwhile.
        if self._to_hits_when_found and self.query_one(SearchLine).value == text:
            self.set_focus(self.query_one(HitList))
        self._to_hits_when_found = False

    def load_or_stop(self) -> None:
        """Load the transcripts of all listed runs in the background, or stop loading."""
        if (load := self._load) is None:
            return
        act = load.stop if load.running else load.start

        async def do() -> None:
            try:
                await self._state.workspace.do(lambda session: act())
            except CekuraTuiError as error:
                self._show_message(error.sentence(), failed=True)
            self._follow_load()

        self.run_worker(do(), group="load-said", exclusive=True)

    def _follow_load(self) -> None:
        """Draw the progress. If more transcripts were loaded since the search, repeat it, for a fifth of the time."""
        if self.is_unmounted or (load := self._load) is None:
            return
        running, text = load.running, self._searched
        behind = load.covered is not self._runs
        if behind and text is not None and time.monotonic() >= self._next_search:
            self._next_search = float("inf")
            self._run_search(text, reset=False)
        (self._progress.resume if running or (behind and text is not None) else self._progress.pause)()
        self._draw_scope()

    def _draw_scope(self) -> None:
        """Show how many of the listed runs are searched, and how to load the others."""
        load, listing, search = self._load, self._listing, self.query_one(SearchLine)
        if load is None:
            return
        total = len(listing.rows) if listing.all_loaded else load.total or listing.count or 0
        covered = self._found.runs_covered
        runs = f"in {covered:,} of {count(total, 'listed run')}"
        key = with_keys(f"{{search-runs.{'apply' if search.has_focus else 'read-on'}}}")
        if load.running:
            stop = load.problem or f"{key} stops · {with_keys('{dialog.close}')} closes, loading continues"
            text = f"{progress_bar(covered, total)} {runs} · {stop}"
        elif len(load.covered) >= total:
            text = f"in all {count(total, 'listed run')}{f', {covered:,} with a transcript' * (covered < total)}"
        elif load.complete:
            text = f"{runs} · the server has no more transcripts"
        else:
            text = f"{load.problem and f'{load.problem} · '}{runs} · {key} loads {load.words(total)}"
        self.query_one("#said-scope", OneLine).show(Content(clean_line(text)))

    def _show_message(self, text: str, *, failed: bool = False) -> None:
        if not self.is_unmounted:
            self.query_one(DialogNote).show(clean_line(text), failed=failed)


_EXAMPLE = 'words  begin*  "a phrase"  caller: agent: tool:'
_KEYS = "enter go to hits · {search-runs.apply} load all · {dialog.close} close"
_HIT_KEYS = "{list.open} open · {search-runs.type} search · {search-runs.read-on} load all · {dialog.close} close"
