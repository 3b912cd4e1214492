"""The run list: a line a run, in columns that fit the width."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Static

from cekura_tui.model.view import RunRow
from cekura_tui.ui.widgets.cells import fit
from cekura_tui.ui.widgets.row_canvas import RowState
from cekura_tui.ui.widgets.row_strips import Line
from cekura_tui.ui.widgets.signs import OUTCOME_TONES, TONE_CLASSES, TONE_CSS
from cekura_tui.ui.widgets.virtual_list import VirtualList

Columns = tuple[tuple[str, int], ...]


def columns(width: int) -> Columns:
    """Names and cells of the columns that fit in `width` cells, each followed by one cell of space."""
    fixed = [("run", 8), ("outcome", 14)]
    ends = [("length", 6), ("when", 12 if width >= 98 else 10)] if width >= 52 else []
    personality = [("personality", 18 if width >= 110 else 13)] if width >= 78 else []
    agent = [("agent", 24 if width >= 120 else 18)] if width >= 98 else []
    taken = sum(cells + 1 for _, cells in fixed + personality + agent + ends) + 2
    return (*fixed, ("scenario", max(width - taken - 1, 8)), *personality, *agent, *ends)


class RunListHeader(Static):
    """The names of the columns."""

    def render(self) -> Text:
        """One line as wide as the list under it."""
        cells = [fit(name, width, right=name == "length") for name, width in columns(self.size.width - 1)]
        return Text("  " + " ".join(cells), no_wrap=True, overflow="crop", end="")


class RunList(VirtualList[RunRow]):
    """Runs, by id."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", key_display="enter", id="run-list.open"),
        Binding("space", "toggle_mark", "Mark", id="run-list.mark"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES
    DEFAULT_CSS = f"RunList {{ {TONE_CSS} }}"

    def __init__(self, when: Callable[[float | None], str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._when = when

    def key_of(self, row: RunRow) -> Hashable:
        """The run's id."""
        return row.id

    def lines_of(self, row: RunRow, width: int, state: RowState) -> Sequence[Line]:
        """One line."""
        outcome = self.ink(f"tone--{OUTCOME_TONES[row.outcome.kind]}")
        dim = self.ink("tone--dim")
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
        line = [Segment("● " if state.marked else "  ")]
        for name, cells in columns(width):
            line.append(Segment(f"{fit(texts[name], cells, right=name == 'length')} ", inks.get(name)))
        return [line]


def _short(when: str, cells: int) -> str:
    """A date loses its time of day where it does not fit."""
    return when if len(when) <= cells else when.rsplit(" ", 1)[0]
