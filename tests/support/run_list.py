"""The run list of the open app: its rows, its filter line, and the positions of texts on screen."""

from __future__ import annotations

from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widget import Widget
from watching import screen_text

from cekura_tui.model.run.view import RunRow
from cekura_tui.ui.runs.list import RunList

_KEYS = {" ": "space", "/": "slash", ":": "colon", "~": "tilde", '"': "quotation_mark", ",": "comma", "-": "minus"}


def list_of(pilot: Pilot[None]) -> RunList:
    return pilot.app.screen_stack[0].query_one(RunList)


def rows_of(pilot: Pilot[None]) -> list[RunRow]:
    """Loaded rows of the list, without placeholders."""
    return [row for row in list_of(pilot).rows if isinstance(row, RunRow)]


def kinds_of(pilot: Pilot[None]) -> set[str]:
    """Outcomes of the loaded rows."""
    return {row.outcome.kind for row in rows_of(pilot)}


async def typed(pilot: Pilot[None], text: str) -> None:
    """Type a filter that replaces the current filter."""
    await pilot.press("slash", "ctrl+u", *(_KEYS.get(letter, letter) for letter in text), "enter")


def footer(pilot: Pilot[None]) -> str:
    return screen_text(pilot.app).split("\n")[-1].strip()


def offset_of(pilot: Pilot[None], kind: type[Widget], text: str) -> Offset:
    """Position of a text in a one-line widget, relative to the widget."""
    widget = pilot.app.screen.query_one(kind)
    line = screen_text(pilot.app).split("\n")[widget.content_region.y]
    return Offset(line.index(text) - widget.region.x, 0)
