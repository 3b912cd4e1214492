"""A dialog that searches the transcripts of all runs that were opened on this machine."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events, on, work
from textual.app import ComposeResult
from textual.widgets import Input

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.search import LONGEST_QUERY, SIDES, Hit, read_query, result_text
from cekura_tui.model.transcript.timeline import clock, needs_hours
from cekura_tui.ui.actions import Action
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.dialog import Dialog, DialogNote, KeyHint, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.messages import OpenRun
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

SETTLED = 0.15
"""Seconds after the last key until the search starts."""
_RUN_CELLS, _WHEN_CELLS, _TIME_CELLS, _SPEAKER_CELLS = 10, 12, 7, 6
_SPEAKERS = {"testing": "caller", "main": "agent", "tool_call": "tool →", "tool_result": "tool ←"}


class HitList(VirtualList[Hit]):
    """Shows each hit on two lines: the run, the time and the speaker, then the snippet with the matches in bold."""

    row_height = 2
    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONE_CLASSES, "hits--match"}
    DEFAULT_CSS = "HitList { & > .hits--match { color: $warning; text-style: bold; } }"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("search-runs.type", "slash", lambda hits: hits.screen.edit_search(), "Search"),
    )

    def __init__(self, state: AppState) -> None:
        super().__init__(id="hits")
        self._state = state

    def key_of(self, row: Hit) -> Hashable:
        return (row.run_id, row.n)

    def lines_of(self, row: Hit, width: int, state: RowState) -> Sequence[Line]:
        dim = self.style_of("tone--dim")
        time = clock(row.start, hours=needs_hours(row.start or 0.0)) or "–"
        who = f"{fit(time, _TIME_CELLS, right=True)} {fit(_SPEAKERS.get(row.speaker, row.speaker), _SPEAKER_CELLS)}"
        room = width - _RUN_CELLS - _WHEN_CELLS - len(who) - 5
        head = [
            Segment(f" {fit(str(row.run_id), _RUN_CELLS)} "),
            Segment(fit(row.scenario, room) + " "),
            Segment(fit(self._state.when(row.when), _WHEN_CELLS) + " ", dim),
            Segment(who, dim),
        ]
        return [head, [Segment("   "), *self._snippet(row)]]

    def _snippet(self, row: Hit) -> Line:
        found, at, pieces = self.style_of("hits--match"), 0, []
        for start, end in row.matches:
            pieces += [Segment(row.snippet[at:start]), Segment(row.snippet[start:end], found)]
            at = end
        return [*pieces, Segment(row.snippet[at:])]


class SearchLine(TypedLine):
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("search-runs.hits", "down", lambda line: line.screen.go_to_hits(), "Go to hits"),
    )
    longest = LONGEST_QUERY

    def __init__(self, text: str) -> None:
        super().__init__(text, id="said-search", compact=True, placeholder=_EXAMPLE)


class SearchRunsDialog(Dialog[OpenRun]):
    """Searches transcripts. Returns the run and the turn of the chosen hit, and a query to repeat in that run. The
    dialog opens with the search `text`, or with the last search if `text` is empty."""

    PLACE = "In the search of transcripts"
    PARTS = (SearchLine, HitList)
    AUTO_FOCUS = "#said-search"
    last: ClassVar[str] = ""
    """The last search in this process."""

    def __init__(self, state: AppState, text: str = "") -> None:
        super().__init__()
        if text:
            SearchRunsDialog.last = text
        self._state = state
        self._settled = Debounce(self, SETTLED, self._search)
        self._searched: str | None = None
        """The search whose hits are shown; None while a search is pending or after an error."""
        self._to_hits_when_found = False
        """Whether enter was pressed before the hits were loaded."""

    def compose(self) -> ComposeResult:
        with dialog_box("Search transcripts", id="search-runs"):
            yield SearchLine(SearchRunsDialog.last)
            yield DialogNote(id="said-note")
            yield HitList(self._state)
            yield KeyHint(_KEYS)

    def on_mount(self) -> None:
        """Repeat the last search, because more runs may have been opened since."""
        self._search()

    # Keys

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
        if self._searched == self.query_one(SearchLine).value and self.query_one(HitList).rows:
            self.set_focus(self.query_one(HitList))
        else:
            self._to_hits_when_found = True
            self._search()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.query_one(KeyHint).show(_HIT_KEYS if isinstance(event.widget, HitList) else _KEYS)

    def edit_search(self) -> None:
        self.set_focus(self.query_one(SearchLine))

    @on(HitList.Opened)
    def choose(self) -> None:
        if (hit := self.query_one(HitList).cursor_row) is not None:
            self.dismiss(OpenRun(hit.run_id, hit.n, find_query(self.query_one(SearchLine).value, hit)))

    # Searching

    def _search(self) -> None:
        """Search now and cancel a search in flight."""
        if self.is_unmounted:
            return
        self._settled.stop()
        self._show_message("Searching …")
        self._run_search(self.query_one(SearchLine).value)

    @work(group="search-said", exclusive=True)
    async def _run_search(self, text: str) -> None:
        try:
            found = await self._state.workspace.call(lambda session: session.search_transcripts(text))
        except CekuraTuiError as error:
            self._show(text, ())
            self._searched, self._to_hits_when_found = None, False
            self._show_message(f"{error.sentence()} Press enter to search again.", failed=True)
            return
        self._show(text, found.hits)
        self._show_message(result_text(text, found))

    def _show(self, text: str, hits: Sequence[Hit]) -> None:
        if self.is_unmounted:
            return
        self.query_one(HitList).show_rows(hits, reset=True)
        self._searched = text
        # Keep the focus in the input if the user typed more meanwhile.
        if self._to_hits_when_found and hits and self.query_one(SearchLine).value == text:
            self.set_focus(self.query_one(HitList))
        self._to_hits_when_found = False

    def _show_message(self, text: str, *, failed: bool = False) -> None:
        if not self.is_unmounted:
            self.query_one(DialogNote).show(clean_line(text), failed=failed)


def find_query(text: str, hit: Hit) -> str:
    """The query to repeat in the run of a hit: the hit's longest match.

    Matches separated only by spaces count as one.

    The query keeps the spelling in the turn, because the search in a run is accent-sensitive. If `text` names one
    speaker, the query names that speaker, too.
    """
    spans: list[tuple[int, int]] = []
    for start, end in hit.matches:
        if spans and hit.snippet[spans[-1][1] : start].isspace():
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    words = max((hit.snippet[start:end] for start, end in spans), key=len, default="")
    named = set(read_query(text).speakers)
    side = next((side for side, speakers in SIDES.items() if set(speakers) == named), "")
    return f"{side}: {words}" if words and side else words


_EXAMPLE = 'words  "a phrase"  caller: agent: tool:'
_KEYS = "enter go to hits · {dialog.close} close"
_HIT_KEYS = "{list.open} open · {search-runs.type} search · {dialog.close} close"
