"""Two kinds of text: what is shown passes `clean()`; a prompt is kept exactly as it came."""

from __future__ import annotations

import hashlib
import math
import re
from typing import NewType

Prompt = NewType("Prompt", str)
"""An agent's prompt, exactly as it came: kept, hashed, diffed, sent and written without a change."""

_LINE_ENDS = re.compile("\r\n|\r|\u2028|\u2029")
_REMOVED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides and isolates
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e007f]"  # tag characters
)
_TAB = 4
LONGEST_LINE = 4_000
"""Characters of one line that are drawn."""
_ANY_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Make foreign text safe to show: no control characters but newline, line ends as newline, tabs as spaces."""
    if text.isprintable():
        return text
    text = _REMOVED.sub("", _LINE_ENDS.sub("\n", text))
    return text.expandtabs(_TAB) if "\t" in text else text


def clean_line(text: str, limit: int = 300) -> str:
    """Clean text for one line: white space as single spaces, at most `limit` characters."""
    line = _ANY_SPACE.sub(" ", clean(text)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def capped(line: str, limit: int = LONGEST_LINE) -> str:
    """One line as it is drawn: what is beyond `limit` characters is counted, not shown."""
    more = len(line) - limit
    return line if more <= 0 else f"{line[:limit]}… ({more:,} characters more)"


def clean_json(value: object, keep: frozenset[str] = frozenset()) -> object:
    """Clean every string of a parsed JSON value, keys too; values of the keys in `keep` stay as they came.

    A number that JSON cannot say (`1e999` is read as infinity) becomes None.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [clean_json(item, keep) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned: dict[object, object] = {}
    for key, item in value.items():
        # Most of what comes are short clean texts and numbers, tens of thousands of them: no call for each.
        if not (key in keep or (item.isprintable() if isinstance(item, str) else item is None)):
            item = clean_json(item, keep)
        cleaned[key if key.isprintable() else clean(key)] = item
    return cleaned


def has_controls(prompt: str) -> bool:
    """Whether a prompt holds control characters that drawing would hide (tabs and line ends are not counted)."""
    return _REMOVED.search(prompt.replace("\r\n", "\n")) is not None


def prompt_bytes(prompt: str) -> bytes:
    """The bytes of a prompt as they are hashed, stored and written (UTF-8; a lone surrogate survives)."""
    return prompt.encode("utf-8", "surrogatepass")


def sha256(prompt: str) -> str:
    """The hash by which a prompt is kept and compared."""
    return hashlib.sha256(prompt_bytes(prompt)).hexdigest()


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 run", "1,204 runs"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
