"""The difference of two prompts as prose, in hunks that can be kept or left one by one.

Both texts are laid side by side as pieces: all `old` one after another are the sent text, all `new` the proposed one,
to the byte. A hunk is one or more of these pieces; taking some hunks and leaving the others is choosing, piece by
piece, the old or the new text (see `staging`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Literal

from cekura_tui.model.text import count, word_total
from cekura_tui.prose.words import WordSpan

Kind = Literal["changed", "added", "removed", "moved", "wrapper", "layout"]
"""What a hunk is: a passage in two versions, one that was added, removed or moved (perhaps with words changed as
well); `wrapper`, what a model put around its whole answer; or `layout`, one way in which the same words are formatted
otherwise, in all of the prompt: quotation marks, bullets, line ends."""

LONGEST, MOST_LINES = 1_000_000, 100_000
"""Characters and lines of both texts that are compared; of more, every step from here to the screen takes seconds."""
DRAWN, _DRAWN_LINES = 100_000, 2_000
"""Characters and lines that are drawn of each of two such texts."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A stretch of the sent text and what is in its place in the proposed one; either may be empty.

    `hunk` is the number of the hunk it belongs to, 0 where it has no words that differ. `spans` are the same, the
    deleted and the inserted words, in reading order; those with a `format` belong to the hunk that they name, not to
    that of the piece, and those that follow to none. `cuts` are the indexes of spans with which a line or sentence
    begins, of a piece of several. `moved` is "away" where the piece is what a moved passage leaves, "here" where it
    arrives; `elsewhere` is the place where that arrives, or that it left.
    """

    old: str
    new: str
    hunk: int = 0
    spans: tuple[WordSpan, ...] = ()
    moved: Literal["", "away", "here"] = ""
    elsewhere: str = ""
    cuts: tuple[int, ...] = ()

    @property
    def parts(self) -> list[tuple[WordSpan, ...]]:
        """The spans of each line or sentence."""
        return [self.spans[start:end] for start, end in pairwise((0, *self.cuts, len(self.spans)))]

    def hunks(self) -> set[int]:
        """The numbers of all hunks that change something in it."""
        return {self.hunk, *(span.hunk for span in self.spans)} - {0}

    def staged_spans(self, taken: Callable[[int], bool]) -> list[WordSpan]:
        """Its spans with the hunks that are taken: the same and inserted texts make it, the same and deleted ones the
        old text."""
        whole = bool(self.hunk) and taken(self.hunk)
        if self.moved or not self.spans:
            return [WordSpan("del", self.old), WordSpan("ins", self.new)] if whole else [WordSpan("same", self.old)]
        found = []
        for span in self.spans:
            if span.op == "same" or (taken(span.hunk) if span.format else whole):
                found.append(span)
            elif span.op == "del":
                found.append(WordSpan("same", span.text))
        return found

    def text(self, taken: Callable[[int], bool]) -> str:
        return "".join(span.text for span in self.staged_spans(taken) if span.op != "del")


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change that can be taken or left. `number` counts from 1 in reading order, layout last.

    `place` is where it is ("Rescheduling › rule 3"), `removed` and `added` count words, `old` and `new` are the
    passage in both versions, without the white space around it; `line` is its line in the sent text, from 1. `note`
    says more ("straight quotation marks", "moved from Identity › rule 2"). `key` names the change by what it does, so
    that a choice made once is found again. `main` is the index of the piece that holds its words. `parts` are the keys
    of the changes into which it can be split, `whole` is that of the one of which it is a part.
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
    parts: tuple[str, ...] = ()
    whole: str = ""

    is_folded: bool = False
    """Whether it is shown in one line for all its places, not in each."""


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

    pieces: tuple[TextPiece, ...]
    hunks: tuple[Hunk, ...]
    coarse: str = ""
    is_compared: bool = True
    """Whether words were compared at all; if not, there is one hunk of all of both texts."""

    @cached_property
    def old(self) -> str:
        return "".join(piece.old for piece in self.pieces)

    @cached_property
    def new(self) -> str:
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
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed_words(self) -> int:
        return sum(hunk.removed for hunk in self.hunks)

    def edits(self) -> list[Edit]:
        """The edits of the sent text that its hunks are, by place."""
        found, at = [], 0
        for piece in self.pieces:
            if piece.hunk:
                found.append(Edit(at, at + len(piece.old), piece.new, piece.hunk))
            else:
                found += _dress_edits(piece, at)
            at += len(piece.old)
        return found


def _dress_edits(piece: TextPiece, at: int) -> Iterator[Edit]:
    """The places of layout in a piece that begins at this character; a number that follows is no edit."""
    for hunk, group in groupby(piece.spans, key=lambda span: span.hunk):
        spans = list(group)
        gone = sum(len(span.text) for span in spans if span.op != "ins")
        if hunk:
            yield Edit(at, at + gone, "".join(span.text for span in spans if span.op != "del"), hunk)
        at += gone


# Texts that are too long to be compared: all of both is one change, of which the beginning is drawn


def are_too_long(old: str, new: str) -> bool:
    """Whether two texts are not compared."""
    return len(old) + len(new) > LONGEST or old.count("\n") + new.count("\n") > MOST_LINES


def uncompared(old: str, new: str) -> ProseDiff:
    """One change of all of a text into the other, or none."""
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
    """How many characters are drawn of a text that was not compared: whole lines, if possible."""
    if len(text) <= DRAWN and text.count("\n") <= _DRAWN_LINES:
        return len(text)
    head = text[:DRAWN]
    if head.count("\n") > _DRAWN_LINES:
        return len("\n".join(head.split("\n", _DRAWN_LINES)[:-1])) + 1
    return head.rfind("\n", DRAWN // 2) + 1 or len(head)


def beginning(text: str) -> str:
    """What is drawn of a text that was not compared, and how much is not."""
    end = drawn_end(text)
    more = len(text) - end
    if not more:
        return text
    return text[:end].removesuffix("\n") + f"\n… ({count(more, 'character')} more, not shown)"


def _key(old: str, new: str) -> str:
    return hashlib.sha256(f"uncompared\0{len(old)}\0{old}{new}".encode("utf-8", "surrogatepass")).hexdigest()[:20]
