"""Which hunks of a suggestion are taken, left or edited, and the text that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.text import Prompt
from cekura_tui.prose.diff import Hunk, ProseDiff


@dataclass(frozen=True, slots=True)
class HunkChoice:
    """What was decided of a hunk; `text` is the passage as it was edited, for "edited" alone."""

    what: Literal["accepted", "rejected", "edited"]
    text: str = ""


Choices = Mapping[int, HunkChoice]
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


@dataclass(frozen=True, slots=True)
class Wording:
    """The passage of a hunk in which its words are, in both versions, without the white space around it. `others` are
    the hunk's further places, such as the numbers of the rules after a `moved` one: they are taken as proposed."""

    sent: str
    proposed: str
    others: int = 0
    moved: bool = False
    line_end: str = "\n"

    @property
    def begin(self) -> str:
        """What one begins to edit: what is proposed, or of a passage that goes what was sent."""
        return self.proposed or self.sent

    def choice(self, typed: str) -> HunkChoice:
        """What is chosen by typing this: a passage as it is in one of the versions is that version, where that is all
        of the hunk; other words have the line ends that are there."""
        bare = typed.strip()
        if bare == self.proposed:
            return HunkChoice("accepted")
        if bare == self.sent and not (self.others or self.moved):
            return HunkChoice("rejected")
        return HunkChoice("edited", typed.replace("\r\n", "\n").replace("\n", self.line_end))


def wording(diff: ProseDiff, hunk: Hunk) -> Wording:
    """What can be edited of a hunk that is no layout."""
    main = diff.pieces[hunk.main]
    parts = [piece for piece in diff.pieces if piece.hunk == hunk.number]
    away = [piece for piece in parts if piece.moved == "away"]
    text = main.new or main.old
    return Wording(
        ("".join(piece.old for piece in away) if main.moved else main.old).strip(),
        main.new.strip(),
        len(parts) - len(away) - 1,
        bool(main.moved),
        "\r\n" if "\r\n" in (text if "\n" in text else diff.new) else "\n",
    )
