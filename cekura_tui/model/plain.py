"""Signs and letters where the encoding of the output has few of them: plain ones of the same width."""

from __future__ import annotations

import codecs

PLAIN = "cekura-plain"
"""The name of the error handler that writes plain signs instead of those that an encoding lacks."""

_PLAIN_OF = (
    ("-", "─━╸╌┄┈▁▔╍┅┉▱–—−"),
    ("|", "│┃║▎▌▊▏▕▐╎┆┊"),
    ("+", "┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛╔╗╚╝╠╣╦╩╬"),
    ("#", "█▓▒░▄▀▆▅▃▂▇▰■"),
    ("=", "═"),
    ("~", "…≈"),
    (".", "·"),
    ("*", "●•"),
    ("o", "◌○"),
    ("x", "✗×"),
    ("v", "✓↓▾▼"),
    ("^", "↑▲"),
    ("<", "←◀≤"),
    (">", "›→▸▶≥"),
    ('"', "“”"),
    ("'", "’"),
    ("?", "◐"),
    ("? ", "🔎"),
    ("E", "␛"),
    ("R", "␍⏎"),
    ("0", "␀"),
    ("T", "␉"),
    ("N", "␊"),
)
PLAIN_SIGNS = str.maketrans({sign: plain for plain, signs in _PLAIN_OF for sign in signs})
"""Our own signs, each with a character of ASCII that looks like it."""


def is_in(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Each character that cannot be encoded by its plain one, else by a question mark: columns stay as they are."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(PLAIN_SIGNS)
    return "".join(sign if sign.isascii() else "?" for sign in lacking), error.end


codecs.register_error(PLAIN, _replaced)
