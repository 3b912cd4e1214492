"""The diff of two prompts as prose, in hunks that can be accepted or rejected one by one.

A diff is a list of pieces: all `old` joined are the sent text, all `new` the proposed text, to the byte. A hunk is one
or more pieces. Accepting some hunks means choosing the old or the new text of each piece (see `staging`).
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
"""The kind of a hunk: a passage was changed, added, removed or moved (perhaps also reworded); `wrapper`: text that a
model put around its whole answer; `layout`: one kind of formatting changed everywhere, such as quotation marks or line
ends."""

LONGEST, MOST_LINES = 1_000_000, 100_000
"""Most characters and lines of both texts together that are compared; longer texts would take seconds at every step."""
SHOWN, _SHOWN_LINES = 100_000, 2_000
"""Most characters and lines shown of each text that is too long to compare."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of the sent text and the proposed text in its place; either may be empty.

    `hunk` is its hunk's number, or 0 if no word differs. `spans` are the same, deleted and inserted texts in reading
    order; a span with a `format` belongs to its own layout hunk, or to none if it is a list number. `cuts` are the
    indexes of the spans that begin the second and each further line or sentence. `moved` is "away" where a moved
    passage was and "here" where it is now; `elsewhere` names the place of the other end.
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
        """Numbers of all hunks that change this piece, layout hunks included."""
        return {self.hunk, *(span.hunk for span in self.spans)} - {0}

    def staged_spans(self, taken: Callable[[int], bool]) -> list[WordSpan]:
        """The spans if only the hunks for which `taken` is true are applied: same and inserted spans make up the staged
        text, same and deleted spans the sent text."""
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
    """One change that can be accepted or rejected. `number` counts from 1 in reading order, folded layout hunks last.

    `place` is its section and item ("Rescheduling › rule 3"); `removed` and `added` count words; `old` and `new` are
    both versions without surrounding white space; `line` is its line in the sent text, from 1. `note` is a short remark
    ("straight quotation marks", "from Identity › rule 2"). `key` is a hash of the change, so that a saved choice finds
    its hunk again. `main` is the index of its main piece. `parts` are the keys of the hunks that it can be split into,
    `whole` the key of the hunk that it was split from.
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
    """Whether the screen shows one line for all its places."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace characters [start, end) of the sent text by `new`, as part of a hunk."""

    start: int
    end: int
    new: str
    hunk: int


@dataclass(frozen=True)
class ProseDiff:
    """The pieces of both texts and their hunks. `coarse` explains a less exact comparison of very long or very
    different texts ("compared by paragraph: …"); else it is empty."""

    pieces: tuple[TextPiece, ...]
    hunks: tuple[Hunk, ...]
    coarse: str = ""
    is_compared: bool = True
    """False for texts over the limit: one hunk replaces the whole text."""

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
        """All hunks except layout."""
        return tuple(hunk for hunk in self.hunks if hunk.kind != "layout")

    @property
    def added_words(self) -> int:
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed_words(self) -> int:
        return sum(hunk.removed for hunk in self.hunks)

    def edits(self) -> list[Edit]:
        """The edits from the sent to the proposed text, by position; without list numbers that follow from others."""
        found, at = [], 0
        for piece in self.pieces:
            if piece.hunk:
                found.append(Edit(at, at + len(piece.old), piece.new, piece.hunk))
            else:
                found += _layout_edits(piece, at)
            at += len(piece.old)
        return found


def _layout_edits(piece: TextPiece, at: int) -> Iterator[Edit]:
    """Edits for the layout hunks in a piece that starts at offset `at`."""
    for hunk, group in groupby(piece.spans, key=lambda span: span.hunk):
        spans = list(group)
        old_length = sum(len(span.text) for span in spans if span.op != "ins")
        if hunk:
            yield Edit(at, at + old_length, "".join(span.text for span in spans if span.op != "del"), hunk)
        at += old_length


# Texts too long to compare: one hunk replaces the whole text, and only its beginning is shown


def are_too_long(old: str, new: str) -> bool:
    return len(old) + len(new) > LONGEST or old.count("\n") + new.count("\n") > MOST_LINES


def uncompared(old: str, new: str) -> ProseDiff:
    """A diff that replaces the whole text in one hunk; without hunks if the texts are equal."""
    if old == new:
        return ProseDiff((TextPiece(old, new),), ())
    size, most, noun = len(old) + len(new), LONGEST, "characters"
    if size <= LONGEST:
        size, most, noun = old.count("\n") + new.count("\n"), MOST_LINES, "lines"
    coarse = f"not compared: the two texts have {size:,} {noun}; up to {most:,} are compared"
    kind: Kind = "added" if not old.strip() else "removed" if not new.strip() else "changed"
    was, now = (text[:SHOWN].strip() for text in (old, new))
    hunk = Hunk(1, kind, "", word_total(old), word_total(new), was, now, 1, "", _key(old, new), 0)
    return ProseDiff((TextPiece(old, new, 1),), (hunk,), coarse, is_compared=False)


def shown_length(text: str) -> int:
    """How many characters are shown of a text that was not compared: whole lines, if possible."""
    if len(text) <= SHOWN and text.count("\n") <= _SHOWN_LINES:
        return len(text)
    head = text[:SHOWN]
    if head.count("\n") > _SHOWN_LINES:
        return len("\n".join(head.split("\n", _SHOWN_LINES)[:-1])) + 1
    return head.rfind("\n", SHOWN // 2) + 1 or len(head)


def truncated(text: str) -> str:
    """The shown part of a text that was not compared, with a note of how many characters are missing."""
    end = shown_length(text)
    more = len(text) - end
    if not more:
        return text
    return text[:end].removesuffix("\n") + f"\n… ({count(more, 'character')} more, not shown)"


def _key(old: str, new: str) -> str:
    return hashlib.sha256(f"uncompared\0{len(old)}\0{old}{new}".encode("utf-8", "surrogatepass")).hexdigest()[:20]
