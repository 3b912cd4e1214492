"""Redact API keys in text that is shown, logged or exported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

THE_KEY = "[the key]"
SHORTEST_KEY = 8
"""Minimum number of characters of a key to redact: a shorter key would match ordinary words by chance."""

# Not searched for in printable text, which is nearly all text.
_INVISIBLE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # zero width, bidirectional overrides and isolates
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)
_BETWEEN = rf"(?:{_INVISIBLE}|\\+(?:[bf]|u(?:00[0189].|007[fF]|20[026].|[fF][eE][fF]{2}|[dD][89a-fA-F]..)))*"
_QUOTED = re.compile(r"[^\w.~-]", re.ASCII)
_ESCAPE = re.compile(r"\\(?:[/bf]|u(?:00|20[026]|feff|d[89a-f]))", re.IGNORECASE)


def redact(text: str, keys: Iterable[str]) -> str:
    """Replace each key in a text with `[the key]`; keys shorter than SHORTEST_KEY are not replaced. A key is also found
    if it is escaped for JSON or a URL, or has invisible characters between its letters."""
    may_hide = _ESCAPE.search(text) is not None or (not text.isprintable() and re.search(_INVISIBLE, text) is not None)
    for key in sorted({key for key in keys if len(key) >= SHORTEST_KEY}, key=len, reverse=True):
        is_quoted = _QUOTED.search(key) is not None and ("%" in text or "\\" in text)
        if may_hide or is_quoted or key in text:
            text = _key_pattern(key).sub(THE_KEY, text)
    return text


@lru_cache(maxsize=16)
def _key_pattern(key: str) -> re.Pattern[str]:
    letters = []
    for n, letter in enumerate(key):
        plain, code = re.escape(letter), f"(?i:{ord(letter):02x})"
        # Start at the first of several backslashes: trying each of them would take quadratic time.
        slashes = r"\\+" if n else r"(?<!\\)\\+"
        escaped = rf"%{code}|{slashes}(?:u00{code}|{plain})" if _QUOTED.match(letter) else rf"{slashes}u00{code}"
        letters.append(f"(?:{plain}|{escaped})")
    return re.compile(_BETWEEN.join(letters))
