"""Textual line filters that every line passes before it is written to the terminal."""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size, split_graphemes
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from cekura_tui.model.plain import PLAIN_SIGNS, can_encode
from cekura_tui.ui.terminal.cells import UNDRAWN, drawn

# Rich counts these as zero cells wide, so deleting them keeps columns aligned.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]")


class ControlFilter(LineFilter):
    """Deletes control characters, and makes each line as wide in every terminal as Textual counted."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment
            if segment.control or (segment.text.isascii() and segment.text.isprintable())
            else Segment(_fit_counted_width(_CONTROLS.sub("", segment.text)), segment.style)
            for segment in segments
        ]


def _fit_counted_width(text: str) -> str:
    """Replace each joined emoji with its first part, padded to the width that Textual counted."""
    if not UNDRAWN.search(text) and not _FLAGS.search(text):
        return text
    width = cell_len(text)
    text = text.replace("\xad", "-")
    letters = (
        set_cell_size(drawn(text[start:end].partition("\u200d")[0]), cells)
        for start, end, cells in split_graphemes(text)[0]
    )
    return set_cell_size("".join(letters), width)


class AsciiFilter(LineFilter):
    """Replaces signs and borders with ASCII of the same width, and characters that the encoding lacks with "?"."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.control or segment.text.isascii() else Segment(self._plain(segment.text), segment.style)
            for segment in segments
        ]

    def _plain(self, text: str) -> str:
        for sign, plain in _WIDE_SIGNS:
            text = text.replace(sign, plain)
        text = text.translate(PLAIN_SIGNS)
        if can_encode(self._encoding, text):
            return text
        graphemes = split_graphemes(text)[0]
        return "".join(
            text[start:end] if can_encode(self._encoding, text[start:end]) else "?" * cells
            for start, end, cells in graphemes
        )


# Replaced with the following space, because ASCII needs two characters.
_WIDE_SIGNS = (("≥ ", ">="), ("≤ ", "<="), ("≠ ", "!="))
