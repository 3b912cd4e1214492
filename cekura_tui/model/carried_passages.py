"""Passages of a prompt that went in one place and came in another, too short to be told as moved."""

from __future__ import annotations

from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.prose_marks import without_marks
from cekura_tui.model.prose_words import word_count

_LEAST = 2
"""A passage of fewer words that went here and came there may be any."""


def carried_hunks(diff: ProseDiff) -> dict[int, int]:
    """The numbers of hunks that belong together, each with the lowest of them: what went in the one came in the other.

    Taking one and leaving the other is to have that passage twice, or not at all.
    """
    places: dict[str, tuple[set[int], set[int]]] = {}
    for piece in diff.pieces:
        if piece.hunk and bool(piece.old) != bool(piece.new):
            words = " ".join(without_marks(piece.old or piece.new).split())
            if word_count(words) >= _LEAST:
                places.setdefault(words, (set(), set()))[bool(piece.new)].add(piece.hunk)
    together: dict[int, set[int]] = {}
    for went, came in places.values():
        if went and came:
            whole = went | came
            whole = whole.union(*(together.get(hunk, ()) for hunk in whole))
            together |= dict.fromkeys(whole, whole)
    return {hunk: min(whole) for hunk, whole in together.items()}
