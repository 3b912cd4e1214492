"""From a row's segments to what the terminal gets: exact width, the row's style underneath, no control characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cekura_tui.ui.widgets.cells import one_line

Line = Sequence[Segment]


def strips_of(lines: Iterable[Line], width: int, base: Style, height: int | None = None) -> list[Strip]:
    """The lines as strips of `width` cells on the `base` style; exactly `height` of them if that is given."""
    strips = [
        Strip(
            Segment(one_line(text), base + style if style else base) for text, style, control in line if text
        ).adjust_cell_length(width, base)
        for line in lines
    ]
    if height is not None:
        strips = strips[:height] + [Strip.blank(width, base)] * (height - len(strips))
    return strips or [Strip.blank(width, base)]


def without_background(style: Style) -> Style:
    """The same ink on whatever lies beneath."""
    return Style(
        color=style.color,
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        reverse=style.reverse,
    )
