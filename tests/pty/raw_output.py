"""What a terminal was sent, taken apart: anything but text and the sequences that drawing needs is foreign."""

from __future__ import annotations

import re

_OURS = re.compile(
    r"\x1b\[[0-9;]*m"  # colours
    r"|\x1b\[[0-9]+;[0-9]+H"  # cursor to a place
    r"|\x1b\[\?(?:25|7|1000|1003|1004|1006|1015|1049|2004|2026|2048)[hl]"  # modes of the screen, mouse, paste
    r"|\x1b\[\?(?:2026|2048)\$p"  # questions about modes
    r"|\x1b\[>[0-9]+u|\x1b\[<u"  # the keyboard
    r"|\x1b\]22;[a-z-]+\x07"  # the mouse pointer's shape
    r"|\r\n|\r|\n"
)
_FOREIGN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]")
# Colours of the theme are sent in full; these short ones are what a transcript would try.
_SHORT_COLOUR = re.compile(r"\x1b\[(?:3|4)[0-7]m")


def foreign_in(raw: bytes) -> list[str]:
    """What is in the output of a terminal program and not of its own making, with what stands around it."""
    text = raw.decode("utf-8", "strict")
    found = [f"a short colour: {text[m.start() - 20 : m.end() + 20]!r}" for m in _SHORT_COLOUR.finditer(text)]
    rest = _OURS.sub("", text)
    found += [f"{m.group()!r} in {rest[max(m.start() - 20, 0) : m.end() + 20]!r}" for m in _FOREIGN.finditer(rest)]
    for mode in ("?1049h", "?1049l", "?25l"):
        if text.count(f"\x1b[{mode}") > 1:
            found.append(f"{mode} {text.count(mode)} times")
    return found
