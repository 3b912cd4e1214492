"""API keys taken out of what is shown, recorded or handed on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

THE_KEY = "[the key]"
LEAST_KEY = 8
"""Characters of a key that is looked for: a shorter one is part of many a word by chance."""

# A text that is printable, as nearly all are, is not searched for these.
_INVISIBLE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # zero width, bidirectional overrides and isolates
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)
_BETWEEN = rf"(?:{_INVISIBLE}|\\+(?:[bf]|u(?:00[0189].|007[fF]|20[026].|[fF][eE][fF]{2}|[dD][89a-fA-F]..)))*"
_QUOTED = re.compile(r"[^\w.~-]", re.ASCII)
_ESCAPE = re.compile(r"\\(?:[/bf]|u(?:00|20[026]|feff|d[89a-f]))", re.IGNORECASE)


def redact(text: str, keys: Iterable[str]) -> str:
    """The text with `[the key]` for each of the keys; the same text where it holds none.

    Its letters may be escaped as in JSON (however often) or in a URL, with invisible characters between them.
    """
    hides = _ESCAPE.search(text) is not None or (not text.isprintable() and re.search(_INVISIBLE, text) is not None)
    for key in sorted({key for key in keys if len(key) >= LEAST_KEY}, key=len, reverse=True):
        is_quoted = _QUOTED.search(key) is not None and ("%" in text or "\\" in text)
        if hides or is_quoted or key in text:
            text = _written(key).sub(THE_KEY, text)
    return text


@lru_cache(maxsize=16)
def _written(key: str) -> re.Pattern[str]:
    letters = []
    for n, letter in enumerate(key):
        plain, code = re.escape(letter), f"(?i:{ord(letter):02x})"
        # A match begins with the first of many backslashes: each of them would be tried with all that follow.
        slashes = r"\\+" if n else r"(?<!\\)\\+"
        escaped = rf"%{code}|{slashes}(?:u00{code}|{plain})" if _QUOTED.match(letter) else rf"{slashes}u00{code}"
        letters.append(f"(?:{plain}|{escaped})")
    return re.compile(_BETWEEN.join(letters))
