"""Which hunks of a suggestion are taken, left or worded otherwise, and the text that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.prose_diff import ProseDiff
from cekura_tui.model.text import Prompt


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided of a hunk; `text` is the passage as it was edited, for "edited" alone."""

    what: Literal["accepted", "rejected", "edited"]
    text: str = ""


Choices = Mapping[int, Choice]
"""Choices by the number of the hunk. One that is not there yet is not in the text."""


def staged(diff: ProseDiff, choices: Choices) -> Prompt:
    """The sent text with the accepted and edited hunks; all accepted make the proposed text, none the sent one."""
    edited = {diff.hunks[number - 1].main: choice.text for number, choice in choices.items() if choice.what == "edited"}
    parts = []
    for index, piece in enumerate(diff.pieces):
        choice = choices.get(piece.hunk) if piece.hunk else None
        if choice is None or choice.what == "rejected":
            parts.append(piece.old)
        elif index in edited:
            parts.append(_worded(piece.new or piece.old, edited[index]))
        else:
            parts.append(piece.new)
    return Prompt("".join(parts))


def _worded(passage: str, text: str) -> str:
    """A passage in other words, with the white space that was around it; without words nothing is left of it."""
    bare = passage.strip()
    if not text.strip():
        return ""
    start = len(passage) - len(passage.lstrip()) if bare else len(passage)
    return passage[:start] + text.strip() + passage[start + len(bare) :]
