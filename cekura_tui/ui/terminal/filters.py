"""Filters of every line before it goes to the terminal."""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size, split_graphemes
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from cekura_tui.model.plain import PLAIN_SIGNS, is_in
from cekura_tui.ui.terminal.cells import UNDRAWN, drawn

# Deleted, not replaced: Rich counts these as no cells wide, so columns stay.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]")


class ControlFilter(LineFilter):
    """Deletes control characters, and makes a line take as many cells in every terminal as Textual counted."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.control or (segment.text.isascii() and segment.text.isprintable())
            else Segment(_as_counted(_CONTROLS.sub("", segment.text)), segment.style)
            for segment in segments
        ]


def _as_counted(text: str) -> str:
    """Replace joined emoji by the first one, in as many cells as Textual counts."""
    if not UNDRAWN.search(text) and not _FLAGS.search(text):
        return text
    whole = cell_len(text)
    text = text.replace("\xad", "-")
    letters = (
        set_cell_size(drawn(text[start:end].partition("\u200d")[0]), cells)
        for start, end, cells in split_graphemes(text)[0]
    )
    return set_cell_size("".join(letters), whole)


class AsciiFilter(LineFilter):
    """Draws signs and borders with plain characters of the same width, and letters that the terminal's encoding lacks
    as question marks."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.control or segment.text.isascii() else Segment(self._plain(segment.text), segment.style)
            for segment in segments
        ]

    def _plain(self, text: str) -> str:
        for sign, plain in _PAIRS:
            text = text.replace(sign, plain)
        text = text.translate(PLAIN_SIGNS)
        if is_in(self._encoding, text):
            return text
        graphemes = split_graphemes(text)[0]
        return "".join(
            text[start:end] if is_in(self._encoding, text[start:end]) else "?" * cells
            for start, end, cells in graphemes
        )


# Two cells for two: one plain character cannot say these.
_PAIRS = (("≥ ", ">="), ("≤ ", "<="), ("≠ ", "!="))
