"""The run list, with one line per run in columns that fit the width, and the hints shown in place of an empty list."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment

from cekura_tui.model.column_fit import Cells
from cekura_tui.model.filter.filter import Term, Value, times_of
from cekura_tui.model.filter.parse import suggested_terms, unknown_name
from cekura_tui.model.job import MAX_RUNS
from cekura_tui.model.run.columns import COLUMN_BY_NAME, GUTTER, RunColumns, Sort
from cekura_tui.model.run.listed_runs import UnloadedRun
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lines import CHIP_CLASSES, NOTED, TONE_CLASSES, state_class
from cekura_tui.ui.kit.lists import Heading, short_moment
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import ListMessage, VirtualList
from cekura_tui.ui.runs.controller import RunsController
from cekura_tui.ui.runs.outcomes import only_failures
from cekura_tui.ui.terminal.cells import drawn, fit, one_line

RIGHT_ALIGNED = ("right", "moment")
"""Looks of columns whose cells are aligned to the right."""


class RunList(VirtualList["RunRow | UnloadedRun"]):
    marking = numbered = True

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("run-list.open", "enter", "open", "Open", "Open the run", footer=1),
        Action("run-list.mark", "space", "mark", "Mark", "Mark a run, and go to the next", footer=2),
        Action("run-list.mark-range", "V", "mark_range", "Mark up to here", "Mark all from the last marked one"),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES | CHIP_CLASSES

    class TopRequested(ListMessage):
        """The user pressed `g` or `home` to see the newest runs. `key` is the key of the cursor's new row."""

        def __init__(self, sender: RunList) -> None:
            super().__init__(sender)
            self.key = sender.cursor_key

    def __init__(
        self,
        when: Callable[[float | None], str],
        *,
        opened: Callable[[int], None] | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._when, self._open_run = when, opened
        self._notes: Mapping[int, str] = {}
        self._columns, self._sort, self._one_agent = RunColumns(), Sort(), False

    def show_columns(self, columns: RunColumns, sort: Sort, *, one_agent: bool) -> None:
        """Set the columns and the sorted column. With `one_agent`, the agent column is hidden by default."""
        self._sort = sort
        if (columns, one_agent) != (self._columns, self._one_agent):
            self._columns, self._one_agent = columns, one_agent
            self.redraw()

    def headings(self, width: int) -> Iterator[Heading]:
        """Column headings for `width` cells; an arrow marks the sorted column."""
        for name, cells in self._cells(width):
            words, style = name, "$muted"
            if name == self._sort.column:
                arrow, style = "▲" if self._sort.reverse else "▼", "bold $accent"
                words = f"{name}{' ' * (len(name) + 1 < cells)}{arrow}"
            yield Heading(name, words, cells, COLUMN_BY_NAME[name].look in RIGHT_ALIGNED, style)

    @property
    def cells(self) -> Cells:
        return self._cells(self.scrollable_content_region.width)

    def _cells(self, width: int) -> Cells:
        return self._columns.cells(width, one_agent=self._one_agent, noted=bool(self._notes))

    def show_notes(self, notes: Mapping[int, str]) -> None:
        if self._notes is not notes:
            self._notes = notes
            self.redraw()

    @property
    def cursor_id(self) -> int | None:
        """The id of the run under the cursor; None if the list is empty or the row is not loaded."""
        return self.cursor_key if isinstance(self.cursor_key, int) else None

    def row_of(self, run_id: int) -> RunRow | None:
        """The row of a run; None if the run is not in the list or its row is not loaded."""
        place = self.index_of(run_id, near=self.cursor_index or 0)
        row = None if place is None else self.rows[place]
        return row if isinstance(row, RunRow) else None

    def action_first(self) -> None:
        super().action_first()
        self.post_message(self.TopRequested(self))

    def action_mark(self) -> None:
        """Mark or unmark the run under the cursor and move to the next row. Do nothing if the row is not loaded."""
        if self.cursor_id is not None:
            self.action_toggle_mark()
            self.move_by(1)

    def action_open(self) -> None:
        """Open the run under the cursor by a direct call. A message would be handled only after keys typed ahead."""
        if self._open_run is not None and self.cursor_id is not None:
            self._open_run(self.cursor_id)

    def may_mark(self, row: RunRow | UnloadedRun) -> bool:
        return isinstance(row, RunRow)

    def key_of(self, row: RunRow | UnloadedRun) -> Hashable:
        return row.id if isinstance(row, RunRow) else row.key

    def lines_of(self, row: RunRow | UnloadedRun, width: int, state: RowState) -> Sequence[Line]:
        dim = self.style_of("tone--dim")
        if isinstance(row, UnloadedRun):
            if not row.why:
                return [[Segment(fit(f"{' ' * GUTTER}…", width), dim)]]
            # Repeat the reason so that every screen shows it, but not on every line.
            why = f": {clean_line(row.why)}" if row.place % 5 == 0 else ""
            return [[Segment(fit(f"{' ' * GUTTER}! not loaded{why}", width), self.style_of("tone--warn"))]]
        note, cells = self._notes.get(row.id, ""), self._cells(width)
        mark, noted = "●" if state.marked else " ", NOTED if note and "note" not in dict(cells) else " "
        line = [Segment(f" {mark}{noted}")]
        for name, room in cells:
            column = COLUMN_BY_NAME[name]
            text = note if name == "note" else column.text(row, self._when)
            if column.look == "chip":
                line.append(Segment(fit_chip(text, room), self.style_of(state_class(row.outcome.kind))))
                line.append(Segment(" "))
            else:
                text = short_moment(text, room) if column.look == "moment" else text
                ink = None if column.look == "plain" else dim
                line.append(Segment(f"{fit(text, room, right=column.look in RIGHT_ALIGNED)} ", ink))
        return [line]


class MarkedRuns:
    """The marked runs of a list. A run that leaves the list stays marked."""

    def __init__(self, runs: RunList) -> None:
        self._runs = runs
        self._rows: dict[int, RunRow] = {}

    @property
    def ids(self) -> list[int]:
        """Ids of the marked runs, newest first. Unlike `rows`, the ids change as soon as the user marks a run."""
        return sorted((key for key in self._runs.marks if isinstance(key, int)), reverse=True)

    @property
    def rows(self) -> Collection[RunRow]:
        """Rows of the marked runs, as of the last call of `update`."""
        return self._rows.values()

    def update(self, keys: Collection[Hashable]) -> None:
        rows = {key: self._runs.row_of(key) or self._rows.get(key) for key in keys if isinstance(key, int)}
        self._rows = {key: row for key, row in rows.items() if row is not None}

    def clear(self) -> None:
        self._runs.marks = frozenset()
        self._rows = {}

    def chosen(self) -> list[RunRow]:
        """Current rows of the marked runs, newest first. If no run is marked, the row of the run under the cursor."""
        ids = self.ids or ([self._runs.cursor_id] if self._runs.cursor_id is not None else [])
        rows = [self._runs.row_of(number) or self._rows.get(number) for number in ids]
        return [row for row in rows if row is not None]

    def facts(self) -> tuple[str, str]:
        """Texts for a title: the number of marked runs, and a warning about several agents; each may be empty."""
        agents = len({row.agent_id for row in self.rows})
        return (
            f"{len(self.ids):,} marked" if self.ids else "",
            f"{agents} agents: improve takes runs of one" if agents > 1 else "",
        )

    def why_not_improve(self) -> str | None:
        """Why no job can start from the marked runs, as a sentence: too many runs, or runs of several agents, with the
        newest run of each agent (three at most)."""
        if len(self.ids) > MAX_RUNS:
            return f"Improve takes up to {MAX_RUNS} runs; {len(self.ids):,} are marked."
        newest = {row.agent_id: row for row in sorted(self.rows, key=lambda row: row.id)}
        if len(newest) < 2:
            return None
        rows = sorted(newest.values(), key=lambda row: row.id, reverse=True)[:3]
        return f"Mark runs of one agent only: {', '.join(f'{row.id} is of “{row.agent}”' for row in rows)}."


def fit_chip(words: str, room: int) -> str:
    """Pad or truncate the words of a chip to `room` cells. A blank is put before the words if there is room."""
    words = drawn(one_line(words))
    return fit(f" {words}" if cell_len(words) < room else words, room)


def explain_empty(controller: RunsController) -> tuple[str, str]:
    """Two texts: why the list is empty, and the keys that help."""
    listing, paged, sweep = controller.listing, controller.feed.runs, controller.feed.sweep
    if not listing.fresh:
        return "Loading runs …", ""
    if only_failures(listing.filter) and len(listing.filter.terms) == 1 and listing.all_loaded:
        return "No failed runs here.", with_keys("{runs.failures} show all runs · {runs.scope} choose another project")
    if not listing.filter:
        return "No runs here yet.", with_keys("{runs.scope} choose another project or agent · {runs.refresh} reload")
    full = paged is not None and paged.full
    load = "" if full else with_keys(" · {runs.read-on} load all")
    more = "" if listing.all_loaded else f" among the loaded runs{load}"
    if sweep is not None and sweep.running:
        more = " yet. Checking the other runs …"
    keys = with_keys(
        "{runs.filter} change the filter · {runs.clear-filter} clear the filter · {runs.views} views · "
        "{runs.refresh} reload"
    )
    return f"No matching runs{more or '.'}", "\n".join((*_why_nothing_matches(controller), keys))


def _why_nothing_matches(controller: RunsController) -> Iterator[str]:
    """Yield hints about a filter that matches nothing: an unknown name, and terms that the user may have meant."""
    wanted = controller.listing.filter
    times = [(term.key, at) for term, at in times_of(wanted, time.time()) if not term.negated]
    if any(a >= b for since, a in times for until, b in times if (since, until) == ("since", "until")):
        yield "The time of since: is not before the time of until:"
    if (term := unknown_name(wanted, controller.names)) is not None:
        value = term.values[0].text.strip("*") or term.values[0].text
        part = Term(term.key, (Value(value, contains=True),))
        name = "personality" if term.key == "persona" else term.key
        yield f"No {name} is called “{clean_line(value, 40)}”; {clean_line(str(part), 60)} finds parts of names"
    if any(not term.key and not term.negated for term in wanted.terms):
        if meant := " ".join(dict.fromkeys(suggested_terms(wanted))):
            yield f"Did you mean {meant}?"
        yield with_keys("Words search names only · {app.search-runs} searches transcripts, note:~word the notes")
