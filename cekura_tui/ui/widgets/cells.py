"""Text cut or filled to an exact number of terminal cells."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from cekura_tui.model.text import clean

ELLIPSIS = "…"


def one_line(text: str) -> str:
    """The text as one line without control characters, whatever came in."""
    if text.isascii() and text.isprintable():
        return text
    return clean(text).replace("\n", " ")


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """The text in exactly so many cells: padded (on the left with `right`), or cropped with an ellipsis."""
    if cells <= 0:
        return ""
    text = one_line(text)
    width = cell_len(text)
    if width > cells:
        return set_cell_size(text, cells - 1) + ELLIPSIS
    padding = " " * (cells - width)
    return padding + text if right else text + padding
