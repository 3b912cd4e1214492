"""Map signs that the output's encoding can't represent to ASCII signs of the same width."""

from __future__ import annotations

import codecs

PLAIN = "cekura-plain"
"""Name of the codec error handler that replaces characters that the encoding can't represent."""

_PLAIN_OF = (
    ("-", "─━╸╌┄┈▁▔╍┅┉▱–—−"),
    ("|", "│║▎▌▊▏▕▐╎┆┊"),
    ("+", "┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛╔╗╚╝╠╣╦╩╬"),
    ("#", "┃█▓▒░▄▀▆▅▃▂▇▰■"),
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
"""Each sign that this program draws → ASCII of the same width that looks similar."""


def can_encode(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Replace each character that can't be encoded by its ASCII sign, or by a question mark if it has no ASCII sign."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(PLAIN_SIGNS)
    return "".join(sign if sign.isascii() else "?" for sign in lacking), error.end


codecs.register_error(PLAIN, _replaced)
