"""Text padded or cropped to a number of terminal cells; limits of the window size."""

from __future__ import annotations

import re
import textwrap

from rich.cells import cell_len, set_cell_size
from textual.geometry import Size

from cekura_tui.model.text import clean

MIN_SIZE = Size(60, 15)
"""Minimum size of the window in cells; a smaller window shows a sentence instead of the app."""
MAX_SIZE = Size(1_000, 500)
"""Maximum size in cells; a larger window is drawn only up to this size."""
UNDRAWN = re.compile(
    "[\xad\u034f\u061c\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0080-\U000e0fff]"
)
"""Characters that are invisible, or that only some terminals join to an emoji, such as joiners, variation selectors,
skin tones and direction marks. Without these, a text has the same width in every terminal."""
# Terminals draw a flag in two or four cells, but its letters always in two.
_FLAG_LETTERS = {0x1F1E6 + n: chr(ord("A") + n) for n in range(26)}


def drawn(text: str) -> str:
    """Give the text the same width in every terminal: remove `UNDRAWN` characters and spell flags as letters."""
    return text if text.isascii() else UNDRAWN.sub("", text).translate(_FLAG_LETTERS)


def one_line(text: str) -> str:
    """Remove control characters and replace line breaks with spaces."""
    if text.isascii() and text.isprintable():
        return text
    return clean(text).replace("\n", " ")


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """Pad or crop a text to this many cells, with an ellipsis if it is cropped, and without control characters."""
    if cells <= 0:
        return ""
    text = drawn(one_line(text))
    width = cell_len(text)
    if width > cells:
        return set_cell_size(text, cells - 1) + "…"
    padding = " " * (cells - width)
    return padding + text if right else text + padding


def cap_size(columns: int, lines: int) -> tuple[int, int]:
    return min(columns, MAX_SIZE.width), min(lines, MAX_SIZE.height)


def too_small_lines(size: Size) -> list[str]:
    """The "window too small" message as lines that fill the window; empty if the window is large enough."""
    if size.width >= MIN_SIZE.width and size.height >= MIN_SIZE.height:
        return []
    text = (
        f"cekura-tui needs {MIN_SIZE.width} × {MIN_SIZE.height} cells; this window has {size.width} × {size.height}. "
        "Keys are ignored; ctrl+q quits."
    )
    lines = textwrap.wrap(text, size.width)[: size.height]
    above = (size.height - len(lines)) // 2
    centred = [line.center(size.width) for line in lines]
    empty = " " * size.width
    return [empty] * above + centred + [empty] * (size.height - above - len(lines))
