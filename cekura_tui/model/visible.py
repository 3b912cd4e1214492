"""Hidden characters of an exact text, made visible where it is drawn: a reviewer must see what a prompt holds."""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u2028\u2029"  # controls but tab and newline, soft hyphen, line separators
    "\u200b\u200e\u200f\u2060-\u2064\ufeff"  # zero width spaces and marks; the joiners are part of words and emoji
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides and isolates
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)
_TAB = "    "


def visible(text: str) -> str:
    """The text safe to draw, with nothing lost: ESC as ␛, a lone carriage return as ␍, others as ⟨U+202E⟩; tabs as four
    spaces. A line end of CR and LF counts as a line end."""
    if text.isprintable():
        return text
    return _HIDDEN.sub(_name, text.replace("\r\n", "\n").replace("\t", _TAB))


def _name(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
