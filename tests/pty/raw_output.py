"""What a terminal was sent, taken apart: anything but text and the sequences that drawing needs is foreign."""

from __future__ import annotations

import base64
import re

_OURS = re.compile(
    r"\x1b\[[0-9;]*m"  # colours
    r"|\x1b\[(?:[0-9]+(?:;[0-9]+)?)?H|\x1b\[[0-9]*[CG]"  # cursor to a place
    r"|\x1b\[K|\x1b\[[0-9]+X"  # blanks
    r"|\x1b\[\?(?:25|7|1000|1003|1004|1006|1015|1049|2004|2026|2048)[hl]"  # modes of the screen, mouse, paste
    r"|\x1b\[\?(?:2026|2048)\$p"  # questions about modes
    r"|\x1b\[>[0-9]+u|\x1b\[<u"  # the keyboard
    r"|\x1b\]22;[a-z-]+\x07"  # the mouse pointer's shape
    r"|\r\n|\r|\n"
)
_FOREIGN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
    # What some terminals join to the character before it and others do not: columns differ with them.
    "|[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]"
)
# Colours of the theme are sent in full; these short ones are what a transcript would try.
_SHORT_COLOUR = re.compile(r"\x1b\[(?:3|4)[0-7]m")
_COPY = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
_ONCE = ("?1049h", "?1049l", "?25l")


def foreign_in(raw: bytes, *, copies: int = 0) -> list[str]:
    """What is in the output of a terminal program and not of its own making, with what stands around it. So many times
    it put something on the clipboard (`copied_in` tells what)."""
    text = raw.decode("utf-8", "surrogateescape")  # a byte that is no UTF-8, such as an 8-bit CSI, is found as it is
    found = [f"a short colour: {text[m.start() - 20 : m.end() + 20]!r}" for m in _SHORT_COLOUR.finditer(text)]
    rest = _OURS.sub("", _COPY.sub("", text))
    found += [f"{m.group()!r} in {rest[max(m.start() - 20, 0) : m.end() + 20]!r}" for m in _FOREIGN.finditer(rest)]
    for mode in _ONCE:
        if text.count(f"\x1b[{mode}") > 1:
            found.append(f"{mode} {text.count(mode)} times")
    if (copied := len(_COPY.findall(text))) != copies:
        found.append(f"copied {copied} times, not {copies}")
    return found


def copied_in(raw: bytes) -> list[str]:
    """The texts that were put on the clipboard."""
    return [base64.b64decode(sent, validate=True).decode() for sent in _COPY.findall(raw.decode("utf-8", "replace"))]
