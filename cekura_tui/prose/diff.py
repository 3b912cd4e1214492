"""The diff of two prompts as prose, in hunks that can be accepted or rejected one by one.

A diff is a list of pieces. All `old` texts joined are exactly the sent text, all `new` texts exactly the proposed text
(decoded, see `wrapper`). A hunk consists of one or more pieces. Accepting some hunks means choosing the old or the new
text of each piece (see `staging`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Literal

from cekura_tui.model.text import count, word_total
from cekura_tui.prose.words import WordSpan, joined

Kind = Literal["changed", "added", "removed", "moved", "wrapper", "layout"]
"""The kind of a hunk. `wrapper`: a model put text around its whole answer. `layout`: one kind of formatting changed."""

LONGEST, MOST_LINES = 1_000_000, 100_000
"""Most characters and lines of both texts together that are compared; more would take seconds."""
SHOWN, _SHOWN_LINES = 100_000, 2_000
"""Most characters and most lines that are shown of a text too long to compare."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of the sent text, and the proposed text in its place; either may be empty.

    `hunk` is the number of the hunk that contains the piece, or 0 if no word differs. `spans` are the unchanged,
    deleted and inserted texts in reading order. A span with a `hunk` of its own belongs to that hunk, as all changes of
    formatting do, but a list number that follows from other numbers belongs to no hunk. `cuts` are the indexes of the
    spans at which the second and each further line or sentence begins.

    `moved` is "away" at the old place of a moved passage and "here" at the new place; `elsewhere` names the opposite
    place. Both pieces have the same spans, and the hunk `mover` decides which of them is in the text. A piece that
    `is_shown` alone draws the changed words of the piece before, and is never in the text.
    """

    old: str
    new: str
    hunk: int = 0
    spans: tuple[WordSpan, ...] = ()
    moved: Literal["", "away", "here"] = ""
    elsewhere: str = ""
    cuts: tuple[int, ...] = ()
    mover: int = 0
    is_shown: bool = False

    def hunks(self) -> set[int]:
        """Numbers of all hunks that change this piece, layout hunks included."""
        return {self.hunk, *(span.hunk for span in self.spans)} - {0}

    def is_here(self, taken: Callable[[int], bool]) -> bool:
        """Whether the piece is part of the text if only the hunks for which `taken` returns True are applied."""
        return not self.is_shown and (not self.moved or taken(self.mover) == (self.moved == "here"))

    def staged_spans(self, taken: Callable[[int], bool]) -> list[WordSpan]:
        """The spans if only the hunks for which `taken` returns True are applied. Unchanged and inserted spans joined
        are the staged text, unchanged and deleted spans the sent text."""
        if not self.is_here(taken):
            return [WordSpan("del", self.old)] if self.old else []
        found = []
        for span in self.spans or (WordSpan("del", self.old), WordSpan("ins", self.new)):
            own = self.hunk if span.other is not None else span.hunk if span.format else span.hunk or self.hunk
            if span.other is not None and (taken(own), taken(span.hunk)) == (span.op == "ins", span.op == "del"):
                found += [*([span] if span.op == "del" else []), WordSpan("ins", span.other)]
            elif span.op == "same" or taken(own):
                found.append(span)
            elif span.op == "del":
                found.append(WordSpan("same", span.text))
        if self.moved == "here":
            return [WordSpan("ins", joined(found, "del"))]
        return found

    def text(self, taken: Callable[[int], bool]) -> str:
        return joined(self.staged_spans(taken), "del")


@dataclass(frozen=True, slots=True)
class Hunk:
    """A change that can be accepted or rejected. `number` counts from 1 in reading order, folded layout hunks last.

    `place` is the section and item of the change ("Rescheduling › rule 3"). `removed` and `added` are numbers of words.
    `old` and `new` are the two versions without surrounding white space. `line` is the line number in the sent text,
    from 1. `note` is a short remark ("emphasis ** added", "from Identity › rule 2"). `key` is a hash of the change, by
    which a saved choice finds the hunk again. `main` is the index of the hunk's main piece. `parts` are the keys of the
    hunks into which this hunk can be split; `whole` is the key of the hunk from which this hunk was split off.
    Of a hunk that `is_folded`, the screen shows all places in a single line.
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


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces characters [start, end) of the sent text by `new`. `hunk` is the number of the hunk with this edit."""

    start: int
    end: int
    new: str
    hunk: int


@dataclass(frozen=True)
class ProseDiff:
    """The pieces and hunks of a diff. If long or very different texts were not compared exactly, or if the proposed
    text was decoded first, `coarse` explains how they were compared ("compared by paragraph: …"); else it is empty."""

    pieces: tuple[TextPiece, ...]
    hunks: tuple[Hunk, ...]
    coarse: str = ""
    is_compared: bool = True
    """False if the texts were too long to compare: then one hunk replaces the whole text."""
    proposed: str = field(default="", repr=False)
    """The proposed text as it was before it was decoded."""

    @cached_property
    def old(self) -> str:
        return "".join(piece.old for piece in self.pieces)

    @cached_property
    def new(self) -> str:
        return "".join(piece.new for piece in self.pieces)

    @property
    def is_same(self) -> bool:
        return not self.hunks

    @cached_property
    def worded(self) -> tuple[Hunk, ...]:
        """All hunks except layout hunks."""
        return tuple(hunk for hunk in self.hunks if hunk.kind != "layout")

    @property
    def added_words(self) -> int:
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed_words(self) -> int:
        return sum(hunk.removed for hunk in self.hunks)

    def edits(self) -> list[Edit]:
        """The edits from the sent to the proposed text, in order, without list numbers that follow from others."""
        found, at = [], 0
        for piece in self.pieces:
            start, at = at, at + len(piece.old)
            if piece.hunk and (piece.old or piece.new):
                found.append(Edit(start, at, piece.new, piece.hunk))
                continue
            for hunk, group in groupby(piece.spans, key=lambda span: span.hunk):
                spans = list(group)
                end = start + sum(len(span.text) for span in spans if span.op != "ins")
                if hunk:
                    found.append(Edit(start, end, "".join(span.text for span in spans if span.op != "del"), hunk))
                start = end
        return found


# Texts too long to compare: one hunk replaces the whole text, and only its beginning is shown


def are_too_long(old: str, new: str) -> bool:
    return len(old) + len(new) > LONGEST or old.count("\n") + new.count("\n") > MOST_LINES


def uncompared(old: str, new: str) -> ProseDiff:
    """A diff that replaces the whole text in one hunk; it has no hunks if the texts are equal."""
    if old == new:
        return ProseDiff((TextPiece(old, new),), (), proposed=new)
    size, most, noun = len(old) + len(new), LONGEST, "characters"
    if size <= LONGEST:
        size, most, noun = old.count("\n") + new.count("\n"), MOST_LINES, "lines"
    coarse = f"not compared: the two texts have {size:,} {noun}; up to {most:,} are compared"
    kind: Kind = "added" if not old.strip() else "removed" if not new.strip() else "changed"
    was, now = (text[:SHOWN].strip() for text in (old, new))
    key = hashlib.sha256(f"uncompared\0{len(old)}\0{old}{new}".encode("utf-8", "surrogatepass")).hexdigest()
    hunk = Hunk(1, kind, "", word_total(old), word_total(new), was, now, 1, "", key[:20], 0)
    return ProseDiff((TextPiece(old, new, 1),), (hunk,), coarse, is_compared=False, proposed=new)


def shown_length(text: str) -> int:
    """Number of characters shown of a text that was not compared, up to a line end if possible."""
    if len(text) <= SHOWN and text.count("\n") <= _SHOWN_LINES:
        return len(text)
    head = text[:SHOWN]
    if head.count("\n") > _SHOWN_LINES:
        return len("\n".join(head.split("\n", _SHOWN_LINES)[:-1])) + 1
    return head.rfind("\n", SHOWN // 2) + 1 or len(head)


def truncated(text: str) -> str:
    """The shown part of a text that was not compared, with a note of how many characters are missing."""
    end = shown_length(text)
    if not (more := len(text) - end):
        return text
    return text[:end].removesuffix("\n") + f"\n… ({count(more, 'character')} more, not shown)"
