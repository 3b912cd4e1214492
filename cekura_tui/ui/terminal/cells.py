"""Text cut or filled to an exact number of terminal cells, and how many a page needs."""

from __future__ import annotations

import re
import textwrap

from rich.cells import cell_len, set_cell_size
from textual.geometry import Size

from cekura_tui.model.text import clean

LEAST = Size(60, 15)
"""A window with fewer columns or lines shows a sentence instead of the app."""
MOST = Size(1_000, 500)
"""Columns and lines that are drawn at most."""
ELLIPSIS = "…"
UNDRAWN = re.compile(
    "[\xad\u034f\u061c\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0080-\U000e0fff]"
)
"""Characters without ink, or that some terminals join to an emoji: joiners, variation selectors, skin tones, soft
hyphens, marks of direction. Without them a character takes the same cells in every terminal."""
# A flag takes two or four cells; its letters always take two.
_FLAG_LETTERS = {0x1F1E6 + n: chr(ord("A") + n) for n in range(26)}


def drawn(text: str) -> str:
    """The text as drawn: joined emoji are side by side, flags are letters."""
    return text if text.isascii() else UNDRAWN.sub("", text).translate(_FLAG_LETTERS)


def one_line(text: str) -> str:
    """The text as one line without control characters."""
    if text.isascii() and text.isprintable():
        return text
    return clean(text).replace("\n", " ")


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """Pad the text (on the left with `right`) or crop it with an ellipsis to exactly this many cells."""
    if cells <= 0:
        return ""
    text = drawn(one_line(text))
    width = cell_len(text)
    if width > cells:
        return set_cell_size(text, cells - 1) + ELLIPSIS
    padding = " " * (cells - width)
    return padding + text if right else text + padding


def at_most(columns: int, lines: int) -> tuple[int, int]:
    return min(columns, MOST.width), min(lines, MOST.height)


def too_small(size: Size) -> bool:
    return size.width < LEAST.width or size.height < LEAST.height


def too_small_lines(size: Size) -> list[str]:
    """The lines that fill a window too small for the app."""
    text = (
        f"cekura-tui needs {LEAST.width} × {LEAST.height} cells; this window has {size.width} × {size.height}. "
        "Keys are ignored; ctrl+q quits."
    )
    lines = textwrap.wrap(text, size.width)[: size.height]
    above = (size.height - len(lines)) // 2
    centred = [line.center(size.width) for line in lines]
    empty = " " * size.width
    return [empty] * above + centred + [empty] * (size.height - above - len(lines))
