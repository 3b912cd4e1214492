"""Two texts that are too long to be compared: all that is between them is one change, of which the start is drawn."""

from __future__ import annotations

import hashlib

from cekura_tui.model.text import count, word_total
from cekura_tui.prose.diff import Hunk, Kind, ProseDiff, TextPiece

LONGEST, MOST_LINES = 1_000_000, 100_000
"""Characters and lines of both texts that are compared; of more, every step from here to the screen takes seconds."""
DRAWN, _DRAWN_LINES = 100_000, 2_000
"""Characters and lines that are drawn of each of two such texts."""
_PART = 2**20


def are_too_long(old: str, new: str) -> bool:
    """Whether two texts are not compared."""
    return len(old) + len(new) > LONGEST or old.count("\n") + new.count("\n") > MOST_LINES


def uncompared(old: str, new: str) -> ProseDiff:
    """One change of all of a text into all of the other, exactly; none where they are the same."""
    if old == new:
        return ProseDiff((TextPiece(old, new),), ())
    size, most, noun = len(old) + len(new), LONGEST, "characters"
    if size <= LONGEST:
        size, most, noun = old.count("\n") + new.count("\n"), MOST_LINES, "lines"
    coarse = f"not compared: the two texts have {size:,} {noun}; up to {most:,} are compared"
    kind: Kind = "added" if not old.strip() else "removed" if not new.strip() else "changed"
    was, now = (text[:DRAWN].strip() for text in (old, new))
    hunk = Hunk(1, kind, "", word_total(old), word_total(new), was, now, 1, "", _key(old, new), 0)
    return ProseDiff((TextPiece(old, new, 1),), (hunk,), coarse, is_compared=False)


def drawn_end(text: str) -> int:
    """How many characters are drawn of a text that was not compared: whole lines, where it has some."""
    if len(text) <= DRAWN and text.count("\n") <= _DRAWN_LINES:
        return len(text)
    head = text[:DRAWN]
    if head.count("\n") > _DRAWN_LINES:
        return len("\n".join(head.split("\n", _DRAWN_LINES)[:-1])) + 1
    return head.rfind("\n", DRAWN // 2) + 1 or len(head)


def beginning(text: str) -> str:
    """What is drawn of such a text, and how much there is behind it."""
    end = drawn_end(text)
    more = len(text) - end
    if not more:
        return text
    return text[:end].removesuffix("\n") + f"\n… ({count(more, 'character')} more, not shown)"


def _key(old: str, new: str) -> str:
    digest = hashlib.sha256(f"uncompared\0{len(old)}\0".encode())
    for text in (old, new):
        for at in range(0, len(text), _PART):
            digest.update(text[at : at + _PART].encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:20]
