"""From a row's segments to what the terminal gets: exact width, the row's style underneath, no control characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cekura_tui.ui.widgets.cells import drawn, one_line

Line = Sequence[Segment]


def strips_of(lines: Iterable[Line], width: int, base: Style, height: int | None = None) -> list[Strip]:
    """The lines as strips of `width` cells on the `base` style; exactly `height` of them if that is given."""
    strips = [_strip(line, width, base) for line in lines]
    if height is not None:
        strips = strips[:height] + [Strip.blank(width, base)] * (height - len(strips))
    return strips or [Strip.blank(width, base)]


def _strip(line: Line, width: int, base: Style) -> Strip:
    segments = [
        Segment(drawn(one_line(text)), base + style if style else base) for text, style, control in line if text
    ]
    # Each change of style costs the terminal 25 bytes; and a strip is dear to make, so that it is made just once.
    return Strip(Segment.simplify(Segment.adjust_line_length(segments, width, base)), width)


def differing_cells(before: Strip, after: Strip) -> tuple[int, int]:
    """From which cell to before which one `after` looks different, or (0, 0) where it looks the same."""
    old, new = list(before), list(after)
    while old and new and old[-1] == new[-1]:
        old.pop()
        new.pop()
    start, end = 0, sum(segment.cell_length for segment in new)
    while old and new and old[0] == new[0]:
        start += old.pop(0).cell_length
        new.pop(0)
    if len(old) == len(new) == 1 and old[0].style == new[0].style and (old[0].text + new[0].text).isascii():
        # Within a text of one cell a character it can be told exactly.
        pairs = list(zip(old[0].text, new[0].text, strict=False))
        same = next((n for n, (was, now) in enumerate(pairs) if was != now), len(pairs))
        if len(old[0].text) == len(new[0].text):
            end -= next(n for n, (was, now) in enumerate(reversed(pairs)) if was != now)
        start += same
    return (start, end) if old or new else (0, 0)


def overlaid(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """The strip with a style over its cells from `start` to before `end`."""
    cells = strip.crop(start, end)
    return Strip.join(
        [strip.crop(0, start), Strip(Segment.apply_style(cells, post_style=style), cells.cell_length), strip.crop(end)]
    )


def character_at(strip: Strip, cell: int) -> tuple[int, int]:
    """From which cell to before which one the character reaches that lies on this cell."""
    start = 0
    for character in strip.text:
        end = start + get_character_cell_size(character)
        if end > cell:
            return start, end
        start = end
    return cell, cell + 1


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
