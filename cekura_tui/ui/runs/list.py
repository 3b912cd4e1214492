"""The run list: a line a run, in columns that fit the width; above it their names and how many runs there are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.reactive import reactive
from textual.widgets import Static

from cekura_tui.model.run.listing import UnloadedRun
from cekura_tui.model.run.query import Sort
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.kit.keys_in_order import do_binding, passed_on
from cekura_tui.ui.kit.lines import NOTED, OUTCOME_TONES, TONE_CLASSES, TONE_CSS
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import ListMessage, VirtualList
from cekura_tui.ui.terminal.cells import fit

REASON_EVERY = 5
"""Rows from one to the next that says why it is not loaded."""
Columns = tuple[tuple[str, int], ...]


def columns(width: int) -> Columns:
    """Names and cells of the columns that fit in `width` cells, each followed by one cell of space."""
    fixed = [("run", 8), ("outcome", 14)]
    ends = [("length", 7), ("when", 12 if width >= 98 else 10)] if width >= 52 else []
    personality = [("personality", 18 if width >= 110 else 13)] if width >= 78 else []
    agent = [("agent", 24 if width >= 120 else 18)] if width >= 98 else []
    taken = sum(cells + 1 for _, cells in fixed + personality + agent + ends) + 2
    return (*fixed, ("scenario", max(width - taken - 1, 8)), *personality, *agent, *ends)


class RunListHeader(Static):
    """The names of the columns, and by which the list is sorted."""

    sort: reactive[Sort] = reactive(Sort())

    def render(self) -> Text:
        """One line as wide as the list under it."""
        text = Text("  ", no_wrap=True, overflow="crop", end="")
        for name, width in columns(self.size.width - 1):
            by = name == self.sort.column
            words = f"{name}{' ' * (len(name) + 1 < width)}{'▲' if self.sort.reverse else '▼'}" if by else name
            text.append(f"{fit(words, width, right=name == 'length')} ", style="underline" if by else "")
        return text


class RunList(VirtualList["RunRow | UnloadedRun"]):
    """Runs, by id; those that are not loaded have their places."""

    marking = True

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("run-list.open", "enter", "open", "Open", "Open the run", footer=1, key_display="enter"),
        Action("run-list.mark", "space", "toggle_mark", "Mark", "Mark a run", footer=2),
        Action("run-list.mark-range", "V", "mark_range", "Mark up to here", "Mark all from the last marked one"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"RunList {{ {TONE_CSS} }}"

    @dataclass
    class TopRequested(ListMessage):
        """`g`, or the like: show the newest."""

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

    def show_notes(self, notes: Mapping[int, str]) -> None:
        """Mark the runs that have a note."""
        if self._notes is not notes:
            self._notes = notes
            self.redraw()

    async def _on_key(self, event: events.Key) -> None:
        """What follows `m` at once is typed into the note, and `j` before it counts."""
        if not await passed_on(self, event):
            await do_binding(self, event)

    @property
    def cursor_id(self) -> int | None:
        """The id of the run under the cursor, if that is loaded."""
        return self.cursor_key if isinstance(self.cursor_key, int) else None

    @property
    def marked_ids(self) -> list[int]:
        """The ids of marked runs, the newest first."""
        return sorted((key for key in self.marks if isinstance(key, int)), reverse=True)

    def action_first(self) -> None:
        """To the first row."""
        super().action_first()
        self.post_message(self.TopRequested(self))

    def action_toggle_mark(self) -> None:
        """Mark the run under the cursor; what is not loaded cannot be."""
        if self.cursor_id is not None:
            super().action_toggle_mark()

    def action_open(self) -> None:
        """Open a run that is loaded, at once: a message would come after the keys that are there already."""
        if self._open_run is not None and self.cursor_id is not None:
            self._open_run(self.cursor_id)

    def may_mark(self, row: RunRow | UnloadedRun) -> bool:
        """Whether it is a run that is loaded."""
        return isinstance(row, RunRow)

    def key_of(self, row: RunRow | UnloadedRun) -> Hashable:
        """The run's id."""
        return row.id if isinstance(row, RunRow) else row.key

    def lines_of(self, row: RunRow | UnloadedRun, width: int, state: RowState) -> Sequence[Line]:
        """One line."""
        dim = self.style_of("tone--dim")
        if isinstance(row, UnloadedRun):
            if not row.why:
                return [[Segment(fit("  …", width), dim)]]
            # A screen of failed rows tells the reason more than once, and not on every line.
            why = f": {clean_line(row.why)}" if row.place % REASON_EVERY == 0 else ""
            return [[Segment(fit(f"  ! not loaded{why}", width), self.style_of("tone--warn"))]]
        outcome = self.style_of(f"tone--{OUTCOME_TONES[row.outcome.kind]}")
        texts = {
            "run": str(row.id),
            "outcome": f"{row.outcome.mark} {row.outcome.text}",
            "scenario": row.scenario,
            "personality": row.personality,
            "agent": row.agent,
            "length": row.duration,
            "when": _short(self._when(row.at), dict(columns(width)).get("when", 0)),
        }
        inks = {"outcome": outcome, "run": dim, "personality": dim, "agent": dim, "when": dim}
        line = [Segment(f"{'●' if state.marked else ' '}{NOTED if row.id in self._notes else ' '}")]
        for name, cells in columns(width):
            line.append(Segment(f"{fit(texts[name], cells, right=name == 'length')} ", inks.get(name)))
        return [line]


def _short(when: str, cells: int) -> str:
    """A date loses its time of day where it does not fit."""
    return when if len(when) <= cells else when.rsplit(" ", 1)[0]


class CountsLine(Static):
    """Repainted only when a word of it changes."""

    counts: reactive[str] = reactive("")
    marked: reactive[int] = reactive(0)
    waiting: reactive[int] = reactive(0)
    flood: reactive[bool] = reactive(False)

    def render(self) -> Text:
        """One line."""
        text = Text(f" {self.counts}", no_wrap=True, overflow="ellipsis", end="")
        if self.waiting:
            more = "+" if self.flood else ""
            text.append(f"  {self.waiting:,}{more} new ↑", style="bold")
        if self.marked:
            text.append(f"  {self.marked:,} marked", style="bold")
        return text
