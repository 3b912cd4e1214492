"""Decide which texts may be shown, logged and exported: never a known API key, and no text that may be a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

THE_KEY = "[the key]"
SHORTEST_KEY = 8
"""Minimum number of characters of a key to redact: a shorter key would match ordinary words by chance."""

known_keys: set[str] = set()
"""The API keys that this process has read."""

# Not searched for in printable text, which is nearly all text.
_INVISIBLE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"  # zero width, bidirectional overrides and isolates
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)
_BETWEEN = rf"(?:{_INVISIBLE}|\\+(?:[bf]|u(?:00[0189].|007[fF]|20[026].|[fF][eE][fF]{2}|[dD][89a-fA-F]..)))*"
_QUOTED = re.compile(r"[^\w.~-]", re.ASCII)
_ESCAPE = re.compile(r"\\(?:[/bf]|u(?:00|20[026]|feff|d[89a-f]))", re.IGNORECASE)


_LETTERS = r"(?:[A-Z]?[^\W\d_A-Z]{1,12}(?:[A-Z][^\W\d_A-Z]{1,11}){0,2}|[A-Z]{1,12})"
_PART = rf"(?:{_LETTERS}\d{{0,3}}|\d{{1,6}}[a-z]{{0,2}})"
_WORDS = re.compile(rf"{_PART}(?:[-_. +]{{1,3}}{_PART})*")
_NUMBER = re.compile(r"[-+.,:\d]{1,12}")
_HOST = r"(?:https?://(?:[a-z\d-]+\.)+[a-z]{2,20}|(?:https?://)?\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?"
_TRACEBACK = r'^  File ".*\n(?: {4}.*\n)*|\b[\w.]+(?:Error|Exception)\b'
_WORD = re.compile(rf"(?m)({_TRACEBACK}|(?<=, )id (?a:[\w.-]{{1,64}})(?!\S)|\b{_HOST}(?:/|(?!\S)))|\S+")
_MARKS = re.compile(r"""["'`“”‘’()\[\]{}<>,:;=/?&|!]+""")


def may_show(text: str) -> bool:
    """Whether a text cannot be a secret: it is a number, short words such as "staging-eu-2", or shorter than a key."""
    return text.isprintable() and (len(text) < SHORTEST_KEY or _is_words(text))


def _is_words(text: str) -> bool:
    few_digits = len(text) <= 40 and sum(map(str.isdigit, text)) <= 6
    return bool(_NUMBER.fullmatch(text) or (few_digits and _WORDS.fullmatch(text)))


def shown(text: str, most: int = 0) -> str:
    """The text if it cannot be a secret, else its first `most` letters and “…”."""
    return text if may_show(text) else f"{text[:most] if text.isprintable() else ''}…"


def quoted(value: object) -> str:
    """A value of config.toml in quotes, as `shown` shows it."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    try:
        return f"“{shown(str(value).lower() if isinstance(value, bool) else str(value))}”"
    except ValueError:  # an integer with thousands of digits
        return "“…”"


def shown_words(text: str) -> str:
    """A text with “…” in place of each word that may contain a secret. Names of errors, lines of code in a traceback,
    the id of a request in the log, IP addresses and hosts of URLs stay."""

    def word(found: re.Match[str]) -> str:
        parts = (part.strip("._…") for part in _MARKS.split(found[0]))
        return found[0] if found[1] or all(len(part) < 3 or _is_words(part) for part in parts) else "…"

    return _WORD.sub(word, text)


def redact(text: str, keys: Iterable[str] = known_keys) -> str:
    """Replace each key in a text with `[the key]`; keys shorter than SHORTEST_KEY are not replaced. A key is also found
    if it is escaped for JSON or a URL, or has invisible characters between its letters."""
    may_hide = _ESCAPE.search(text) is not None or (not text.isprintable() and re.search(_INVISIBLE, text) is not None)
    for key in sorted({key for key in tuple(keys) if len(key) >= SHORTEST_KEY}, key=len, reverse=True):
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
