"""Checks raw terminal output for anything but text and the control sequences that the app itself sends."""

from __future__ import annotations

import base64
import re

_OURS = re.compile(
    r"\x1b\[[0-9;]*m"  # colours
    r"|\x1b\[(?:[0-9]+(?:;[0-9]+)?)?H|\x1b\[[0-9]*[CG]"  # cursor movement
    r"|\x1b\[K|\x1b\[[0-9]+X"  # blanks
    r"|\x1b\[\?(?:25|7|1000|1003|1004|1006|1015|1049|2004|2026|2048)[hl]"  # screen, mouse and paste modes
    r"|\x1b\[\?(?:2026|2048)\$p"  # mode queries
    r"|\x1b\[>[0-9]+u|\x1b\[<u"  # keyboard protocol
    r"|\x1b\]22;[a-z-]+\x07"  # mouse pointer shape
    r"|\x1b\]8;(?:id=[\d-]+;https?://[!-~]+|;)\x1b\\"  # links
    r"|\r\n|\r|\n"
)
_FOREIGN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
    # Only some terminals join these to the previous character, so columns would differ.
    "|[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]"
)
# The theme sends true colours only; short colour codes would come from a transcript.
_SHORT_COLOUR = re.compile(r"\x1b\[(?:3|4)[0-7]m")
_COPY = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
_ONCE = ("?1049h", "?1049l", "?25l")


def foreign_in(raw: bytes, *, copies: int = 0) -> list[str]:
    """Control characters and sequences that are not the app's own, with the text around them. Also reports short colour
    codes, modes that are set twice, and a number of clipboard copies other than `copies`."""
    text = raw.decode("utf-8", "surrogateescape")  # keeps invalid bytes, such as an 8-bit CSI, so that they are found
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
    """Texts that were copied to the clipboard by OSC 52."""
    return [base64.b64decode(sent, validate=True).decode() for sent in _COPY.findall(raw.decode("utf-8", "replace"))]
