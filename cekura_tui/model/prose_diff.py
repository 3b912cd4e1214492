"""The difference of two prompts as prose, in hunks that can be kept or left one by one.

Both texts are laid side by side as pieces: all `old` one after another are the sent text, all `new` the proposed one,
to the byte. A hunk is one or more of these pieces; taking some hunks and leaving the others is choosing, piece by
piece, the old or the new text (see `staging`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from cekura_tui.model.prose_words import Span, structure

__all__ = ["SHAPE", "Edit", "Hunk", "Kind", "Piece", "ProseDiff", "Span"]

Kind = Literal["changed", "added", "removed", "moved", "layout"]
"""What a hunk is: a passage in two versions, a passage that came, that went, or that stands elsewhere now (perhaps with
words changed as well); or `layout`: white space, line ends, numbers of a list, where no word is another."""

SHAPE = "list or heading"
"""The note of a hunk that makes a list of a paragraph, prose of a heading, or the other way round, without a word."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the sent text and what stands in its place in the proposed one; either may be empty.

    `hunk` is the number of the hunk it belongs to, 0 where both are the same. `spans` say how to draw it: the same, the
    deleted and the inserted words, in reading order; where white space differs inside what is the same, the new one is
    told. `moved` is "away" where the piece is what a moved passage leaves, "here" where it arrives; `elsewhere` is the
    place where that arrives, or that it left.
    """

    old: str
    new: str
    hunk: int = 0
    spans: tuple[Span, ...] = ()
    moved: Literal["", "away", "here"] = ""
    elsewhere: str = ""

    @property
    def is_gap(self) -> bool:
        """Whether it is nothing but what stands before a sentence: white space, and what makes an item of it."""
        return not self.moved and structure(self.old) is not None and structure(self.new) is not None


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change that can be taken or left. `number` counts from 1 in reading order.

    `place` is where it stands ("Rescheduling › rule 3"), `removed` and `added` count words, `old` and `new` are the
    passage in both versions, without the white space around it; `line` is its line in the sent text, from 1. `note`
    says more ("white space only", "moved from Identity › rule 2"). `key` names the change by what it does, so that a
    choice made once is found again. `main` is the index of the piece that holds its words.
    """

    number: int
    kind: Kind
    place: str
    removed: int
    added: int
    old: str
    new: str
    line: int
    note: str
    key: str
    main: int

    @property
    def has_text(self) -> bool:
        """Whether there is a passage to read in two versions: not only white space, or what makes a list of prose."""
        return self.kind != "layout" and self.note != SHAPE


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters [start, end) of the sent text become `new`, as part of a hunk."""

    start: int
    end: int
    new: str
    hunk: int


@dataclass(frozen=True)
class ProseDiff:
    """All of both texts. `coarse` says, where the texts are too long or too different, that they were not compared as
    closely as others are ("compared by paragraph: …"); else it is empty."""

    pieces: tuple[Piece, ...]
    hunks: tuple[Hunk, ...]
    coarse: str = ""

    @cached_property
    def old(self) -> str:
        """The sent text."""
        return "".join(piece.old for piece in self.pieces)

    @cached_property
    def new(self) -> str:
        """The proposed text."""
        return "".join(piece.new for piece in self.pieces)

    @property
    def is_same(self) -> bool:
        """Whether both texts are the same, to the byte."""
        return not self.hunks

    @cached_property
    def worded(self) -> tuple[Hunk, ...]:
        """The hunks that a reader reads: all but layout."""
        return tuple(hunk for hunk in self.hunks if hunk.kind != "layout")

    @property
    def added_words(self) -> int:
        """How many words came."""
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed_words(self) -> int:
        """How many words went."""
        return sum(hunk.removed for hunk in self.hunks)

    def edits(self, hunks: Iterable[int] | None = None) -> list[Edit]:
        """The edits of the sent text that these hunks are (all hunks, if None), by place."""
        wanted = None if hunks is None else frozenset(hunks)
        found, at = [], 0
        for piece in self.pieces:
            end = at + len(piece.old)
            if piece.hunk and (wanted is None or piece.hunk in wanted):
                found.append(Edit(at, end, piece.new, piece.hunk))
            at = end
        return found
