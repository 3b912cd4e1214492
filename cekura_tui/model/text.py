"""Display text, which passes `clean()`, and prompts, which stay exactly as received."""

from __future__ import annotations

import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterable
from typing import NewType

Prompt = NewType("Prompt", str)
"""An agent's prompt exactly as received: stored, hashed, diffed, sent and written unchanged."""

_LINE_ENDS = ("\r\n", "\r", "\u2028", "\u2029")
# Not compiled here: that would slow down the start, which shows nearly only printable text.
_REMOVED = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides and isolates
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e007f]"  # tag characters
)
_TAB = 4
LONGEST_LINE = 4_000
"""Maximum number of characters of a line that are drawn."""
_ANY_SPACE, _ANY_WORD = re.compile(r"\s+"), re.compile(r"\S+")


def clean(text: str) -> str:
    """Make foreign text safe to show: normalise line ends, expand tabs, remove control characters except newlines. Lone
    surrogates, tag characters and overrides of the text direction are removed, too."""
    if text.isprintable():
        return text
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    text = re.sub(_REMOVED, "", text)
    return text.expandtabs(_TAB) if "\t" in text else text


def clean_line(text: str, limit: int | None = 300) -> str:
    """Clean text as one line: collapse white space, truncate to `limit` characters (None for no limit)."""
    line = _ANY_SPACE.sub(" ", clean(text)).strip()
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def shortened(text: str, limit: int) -> str:
    """Clean text as one line of at most `limit` characters, truncated after a word if possible."""
    line = clean_line(text, limit)
    if not line.endswith("…"):
        return line
    head = line.rpartition(" ")[0].rstrip(" ,;:.–—-") if " " in line[limit // 2 :] else ""
    return f"{head} …" if head else line


_SIGNS = r"([\\`*_{}\[\]<>#|~!&$])"
_LINE_STARTS = r"(?m)^ *(?:(?=[-+=])|\d{1,9}(?=[.)](?: |$)))"
"""Line starts that Markdown reads as a list, a rule, or the underline of a heading."""


def escaped(text: str) -> str:
    """Clean text and escape it for Markdown; line ends stay."""
    text = re.sub(_LINE_STARTS, r"\g<0>\\", re.sub(_SIGNS, r"\\\1", clean(text)))
    return re.sub("(?m)^ {4,}", lambda found: "&nbsp;" * len(found[0]), text)


def capped(line: str, limit: int = LONGEST_LINE) -> str:
    """Truncate a line to `limit` characters for drawing, and append the number of characters left out."""
    more = len(line) - limit
    return line if more <= 0 else f"{line[:limit]}… ({more:,} characters more)"


def clean_json(value: object, keep: frozenset[str] = frozenset()) -> object:
    """Clean every string of a parsed JSON value in place, keys included; the values of keys in `keep` stay unchanged.
    An object with unclean keys is copied. An infinite number (JSON such as `1e999`) becomes None."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        value[:] = [clean_json(item, keep) for item in value]
        return value
    if not isinstance(value, dict):
        return value
    for key, item in value.items():
        # Tens of thousands of values are clean texts or null: avoid a call for each.
        if not (key in keep or (item.isprintable() if isinstance(item, str) else item is None)):
            value[key] = clean_json(item, keep)
    return value if all(map(str.isprintable, value)) else _with_clean_names(value)


def _with_clean_names(value: dict[str, object]) -> dict[str, object]:
    """Copy an object with clean keys; a key that would equal another key gets a number."""
    cleaned: dict[str, object] = {}
    taken: Counter[str] = Counter()
    for key, item in value.items():
        name = free = clean(key)
        while free in cleaned or (free != key and free in value):
            taken[name] += 1
            free = f"{name} ({taken[name] + 1})"
        cleaned[free] = item
    return cleaned


def is_clean_json(value: object) -> bool:
    """Whether `clean_json` would leave a parsed JSON value as it is."""
    if isinstance(value, str):
        return value.isprintable() or clean(value) == value
    if isinstance(value, dict):
        return all(map(is_clean_json, value)) and all(map(is_clean_json, value.values()))
    if isinstance(value, list):
        return all(map(is_clean_json, value))
    return not isinstance(value, float) or math.isfinite(value)


def json_text(value: object, indent: int | None = None) -> str:
    """Dump JSON that is safe in a terminal: control characters are escaped, infinity and NaN become null."""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        return json_text(json.loads(json.dumps(value), parse_constant=lambda _: None), indent)
    return text if text.replace("\n", "").isprintable() else json.dumps(value, indent=indent)


def has_controls(prompt: str) -> bool:
    """Whether a prompt has control characters that drawing would hide; tabs, newlines and CR LF do not count."""
    return re.search(_REMOVED, prompt.replace("\r\n", "\n")) is not None


def prompt_bytes(prompt: str) -> bytes:
    """Encode a prompt as UTF-8 to hash, store or write it; lone surrogates are kept."""
    return prompt.encode("utf-8", "surrogatepass")


def sha256(prompt: str | bytes) -> str:
    """The hex SHA-256 by which a prompt (or its bytes) is stored and compared."""
    import hashlib  # --help has no prompts

    return hashlib.sha256(prompt if isinstance(prompt, bytes) else prompt_bytes(prompt)).hexdigest()


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 run", "1,204 runs"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def most_similar(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """The name in `known` that is most similar to a word; empty if no similarity is at least `least` (0 to 1)."""
    from difflib import get_close_matches  # only needed for errors

    return next(iter(get_close_matches(word[:60], known, 1, least)), "")


def word_total(text: str) -> int:
    """Count the words of a text without holding all of them in memory."""
    return sum(1 for _ in _ANY_WORD.finditer(text))


_COUNTED = 1_000_000


def size_text(text: str) -> str:
    """The length of a text in words; in characters if it has over a million, since counting words takes long."""
    return count(len(text.split()), "word") if len(text) <= _COUNTED else count(len(text), "character")


_HIDDEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u2028\u2029"  # controls but tab and newline, soft hyphen, line separators
    "\u200b\u200e\u200f\u2060-\u2064\ufeff"  # zero width spaces and marks, not joiners: these belong to words and emoji
    "\u202a-\u202e\u2066-\u2069"  # bidirectional overrides and isolates
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tag characters
)


def visible(text: str) -> str:
    """Make a text safe to draw without losing any of it, by replacing invisible characters with signs: ESC becomes ␛, a
    lone CR ␍, most others a code such as ⟨U+202E⟩. Tabs become four spaces, and CR LF a newline."""
    if text.isprintable():
        return text
    return re.sub(_HIDDEN, _name, text.replace("\r\n", "\n").replace("\t", " " * _TAB))


def _name(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


DAY = 86_400


def clock_text(moment: float, now: float | None = None, *, seconds: bool = False) -> str:
    """Format a Unix time in local time, depending on its distance from `now` (None for the current time). The text is
    "14:05" today, "Mon 14:05" within 6 days, "02 Nov 14:05" within 300 days, and else "2025-11-02"."""
    now = time.time() if now is None else now
    then, today = time.localtime(moment), time.localtime(now)
    clock = "%H:%M:%S" if seconds else "%H:%M"
    if then[:3] == today[:3]:
        return time.strftime(clock, then)
    if abs(now - moment) < 6 * DAY:
        return time.strftime(f"%a {clock}", then)
    return time.strftime(f"%d %b {clock}" if abs(now - moment) < 300 * DAY else "%Y-%m-%d", then)


def span_text(seconds: float) -> str:
    """Format a duration: "27 s", "4 min", "2 h 05 min", "3 d 4 h"."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3_600
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{minutes} min" if minutes < 60 else f"{hours} h {minutes % 60:02d} min"
