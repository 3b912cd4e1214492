"""The last look at every line before it goes to the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# Deleted, not replaced: Rich counts these as no cells wide, so columns stay.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("─━═╌┄┈▁▔╍┅┉", "-"),
        **dict.fromkeys("│┃║▎▌▊▏▕▐╎┆┊", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛╔╗╚╝╠╣╦╩╬", "+"),
        **dict.fromkeys("█▓▒░▄▀▆▅▃▂▇", "#"),
        **{
            "✓": "v",
            "✗": "x",
            "◌": "o",
            "◐": "?",
            "●": "*",
            "○": "o",
            "■": "#",
            "·": ".",
            "–": "-",
            "—": "-",
            "−": "-",
        },
        **{
            "…": "~",
            "🔎": "? ",
            "›": ">",
            "→": ">",
            "←": "<",
            "↑": "^",
            "↓": "v",
            "“": '"',
            "”": '"',
            "’": "'",
            "▸": ">",
            "▾": "v",
        },
        **{
            "␛": "E",
            "␍": "R",
            "␀": "0",
            "␉": "T",
            "␊": "N",
            "⏎": "R",
            "▶": ">",
            "◀": "<",
            "≈": "~",
            "≥": ">",
            "≤": "<",
            "•": "*",
            "×": "x",
        },
    }
)


class ControlFilter(LineFilter):
    """Deletes control characters that reached the screen by whatever way."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments without them."""
        return [
            segment
            if segment.control or segment.text.isprintable()
            else Segment(_CONTROLS.sub("", segment.text), segment.style)
            for segment in segments
        ]


class AsciiFilter(LineFilter):
    """Draws our own signs and borders with plain characters, each as wide as what it stands for."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in plain characters; foreign letters stay."""
        return list(_translated(segments))


# Two cells for two: one plain character cannot say these.
_PAIRS = (("≥ ", ">="), ("≤ ", "<="), ("≠ ", "!="))


def _plain(text: str) -> str:
    for sign, plain in _PAIRS:
        text = text.replace(sign, plain)
    return text.translate(_PLAIN)


def _translated(segments: Iterable[Segment]) -> Iterable[Segment]:
    for text, style, control in segments:
        yield Segment(text if control or text.isascii() else _plain(text), style, control)
