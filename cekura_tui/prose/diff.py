"""The difference of two prompts as prose, in hunks that can be kept or left one by one.

Both texts are laid side by side as pieces: all `old` one after another are the sent text, all `new` the proposed one,
to the byte. A hunk is one or more of these pieces; taking some hunks and leaving the others is choosing, piece by
piece, the old or the new text (see `staging`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal

from cekura_tui.model.text import clean_line
from cekura_tui.prose.marks import closes, fence_mark, name_of, structure, style_of, tag_of
from cekura_tui.prose.units import Unit, begins, blocks_of
from cekura_tui.prose.words import WordSpan

Kind = Literal["changed", "added", "removed", "moved", "layout"]
"""What a hunk is: a passage in two versions, a passage that came, that went, or that stands elsewhere now (perhaps with
words changed as well); or `layout`: white space, line ends, numbers of a list, where no word is another."""

SHAPE = "list or heading"
"""The note of a hunk that makes a list of a paragraph, prose of a heading, or the other way round, without a word."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A stretch of the sent text and what stands in its place in the proposed one; either may be empty.

    `hunk` is the number of the hunk it belongs to, 0 where both are the same. `spans` say how to draw it: the same, the
    deleted and the inserted words, in reading order; where white space differs inside what is the same, the new one is
    told. `moved` is "away" where the piece is what a moved passage leaves, "here" where it arrives; `elsewhere` is the
    place where that arrives, or that it left.
    """

    old: str
    new: str
    hunk: int = 0
    spans: tuple[WordSpan, ...] = ()
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

    pieces: tuple[TextPiece, ...]
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


Role = Literal["same", "layout", "structure", "changed", "instead", "gone", "come", "away", "here"]
"""What became of some units: "structure" is what makes them an item, a heading or prose, "instead" is what came in the
place of something else that went."""


@dataclass(slots=True)
class UnitStep:
    """Some units of both texts, in the order in which they are read; `bare` ones without the gap before them. `hunk` is
    given later."""

    role: Role
    olds: range
    news: range
    move: int = 0
    bare: bool = False
    hunk: int = 0


def group(old: Sequence[Unit], new: Sequence[Unit], steps: Sequence[UnitStep], pieces: Sequence[TextPiece]) -> None:
    """Give every step that changes something the number of its hunk, the piece of each step being given."""
    _HunkGrouping(old, new, steps).run(pieces)


@dataclass
class _HunkGrouping:
    old: Sequence[Unit]
    new: Sequence[Unit]
    steps: Sequence[UnitStep]
    count: int = 0
    moves: dict[int, int] = field(default_factory=dict)
    layout: tuple[int, int] | None = None
    """The hunk of white space, and its section."""
    shape: tuple[int, UnitStep] | None = None
    """The hunk of what made a list of a paragraph, and the last step of it."""
    section: int = 0

    def run(self, pieces: Sequence[TextPiece]) -> None:
        """One step after another."""
        at = to = 0
        for n, (step, piece) in enumerate(zip(self.steps, pieces, strict=True)):
            if step.news and self.new[step.news.start].kind == "heading":
                self.section += 1
            if piece.old != piece.new or piece.moved:
                step.hunk = self._hunk(step, self.steps[n - 1] if n else None)
                # The first of a text has no white space before it: what stands before it in the other text is taken or
                # left together with it, or two words were joined.
                if _begins(step, piece.old, at, to) or _begins(step, piece.new, to, at):
                    self._merge(n)
            at, to = at + len(piece.old), to + len(piece.new)

    def _hunk(self, step: UnitStep, before: UnitStep | None) -> int:
        if step.role == "layout":
            if before is not None and before.role in ("gone", "come", "away", "here"):
                return before.hunk
            if self.layout is None or self.layout[1] != self.section:
                self.layout = self._next(), self.section
            return self.layout[0]
        if step.role == "structure":
            hunk = self.shape[0] if self.shape and self._one_shape(self.shape[1], step) else self._next()
            self.shape = hunk, step
            return hunk
        if step.move:
            if step.move not in self.moves:
                self.moves[step.move] = self._next()
            return self.moves[step.move]
        if before is not None and before.hunk and self._one_passage(before, step):
            return before.hunk
        return self._next()

    def _next(self) -> int:
        self.count += 1
        return self.count

    def _merge(self, n: int) -> None:
        """All that changed right before step n belongs to its hunk."""
        now, before = self.steps[n].hunk, set()
        while n and self.steps[n - 1].hunk:
            n -= 1
            before.add(self.steps[n].hunk)
        for step in self.steps:
            if step.hunk in before:
                step.hunk = now
        # What comes later belongs to it, too.
        self.moves = {move: now if hunk in before else hunk for move, hunk in self.moves.items()}
        if self.layout and self.layout[0] in before:
            self.layout = now, self.layout[1]
        if self.shape and self.shape[0] in before:
            self.shape = now, self.shape[1]

    def _one_passage(self, before: UnitStep, step: UnitStep) -> bool:
        """Whether two steps beside one another are one change: sentences that went from, or came into, a paragraph."""
        kinds = {before.role, step.role}
        if kinds - {"gone", "come", "instead"} or kinds == {"gone", "come"}:
            return False
        sides = ((self.old, before.olds, step.olds), (self.new, before.news, step.news))
        return all(units[one[-1]].block == units[other.start].block for units, one, other in sides if one and other)

    def _one_shape(self, before: UnitStep, step: UnitStep) -> bool:
        """Whether two units that became an item, a heading or prose were, or are, in one paragraph."""
        return (
            self.old[before.olds[-1]].block == self.old[step.olds.start].block
            or self.new[before.news[-1]].block == self.new[step.news.start].block
        )


def _begins(step: UnitStep, text: str, here: int, there: int) -> bool:
    """Whether a piece is the first of one text, of which more stands before it in the other one; what makes an item of
    the first of a text may be nothing there."""
    is_there = bool(text) or step.role == "structure"
    before = text[: len(text) - len(text.lstrip())]
    return is_there and "\n" not in before and here == 0 and there > 0


_Node = tuple[str, int]
_OF_ITS_OWN: tuple[Role, ...] = ("same", "layout", "structure")
"""A hunk of such steps alone is of many lines: each of them may be bound without the others."""


def bind(old: Sequence[Unit], new: Sequence[Unit], steps: Sequence[UnitStep]) -> None:
    """Give steps that need one another the same hunk, every step having one already.

    What begins a paragraph or item and the sentence that begins it without that: one alone would leave the other to the
    line above. The line that opens a fence and the one that closes it: one alone would make code of all that follows.
    """
    of_old = _by_unit((step.olds, n) for n, step in enumerate(steps))
    of_new = _by_unit((step.news, n) for n, step in enumerate(steps))
    bonds = [*_bonds(old, of_old, steps, ("gone", "away")), *_bonds(new, of_new, steps, ("come", "here"))]
    bonds += _breaks(old, of_old, new, [range(0) if step.olds else step.news for step in steps])
    bonds += _breaks(new, of_new, old, [range(0) if step.news else step.olds for step in steps])
    worded = {step.hunk for step in steps if step.hunk and step.role not in _OF_ITS_OWN}
    nodes: list[_Node] = [("hunk", step.hunk) if step.hunk in worded else ("step", n) for n, step in enumerate(steps)]
    roots = _Roots()
    for bond in bonds:
        for one, other in pairwise(bond):
            roots.join(nodes[one], nodes[other])
    hunks: dict[_Node, int] = {}
    for hunk in sorted(worded, reverse=True):
        hunks[roots.of(("hunk", hunk))] = hunk
    for node, step in zip(nodes, steps, strict=True):
        step.hunk = hunks.get(roots.of(node), step.hunk) if step.hunk else 0


def _by_unit(found: Iterable[tuple[range, int]]) -> dict[int, int]:
    """For every unit the first step that is about it: that has the gap before it."""
    firsts: dict[int, int] = {}
    for units, n in found:
        for unit in units:
            firsts.setdefault(unit, n)
    return firsts


def _bonds(
    units: Sequence[Unit], step_of: dict[int, int], steps: Sequence[UnitStep], passing: tuple[Role, ...]
) -> Iterator[list[int]]:
    """The steps that are bound by what they do to one of the texts; of its units, `passing` ones are not in the other
    text where they are in this one."""
    for start, end in blocks_of(units):
        if fence := fence_mark(units[start].text) if units[start].kind == "code" else "":
            if closes(units[end - 1].text, fence):
                yield [step_of[start], step_of[end - 1]]
            continue
        at = start
        while at < end and steps[step_of[at]].role in passing:
            at += 1
        if at > start:
            yield [step_of[n] for n in range(start, min(at + 1, end))]


def _breaks(
    units: Sequence[Unit], step_of: dict[int, int], others: Sequence[Unit], alone: Sequence[range]
) -> Iterator[list[int]]:
    """What begins a line in one text alone and is read between two sentences of a paragraph of the other: the second
    one would go on in that line. `alone` has for every step its units of the one text, if it has none of the other."""
    for start, end in blocks_of(units):
        for n in range(start + 1, end):
            for between in range(step_of[n - 1] + 1, step_of[n]):
                if any(begins(others, other) for other in alone[between]):
                    yield [between, step_of[n]]


class _Roots:
    """What is joined, directly or by way of others, has the same root."""

    def __init__(self) -> None:
        self._above: dict[_Node, _Node] = {}

    def of(self, node: _Node) -> _Node:
        while (above := self._above.get(node, node)) != node:
            self._above[node] = self._above.get(above, above)
            node = above
        return node

    def join(self, one: _Node, other: _Node) -> None:
        self._above[self.of(one)] = self.of(other)


_WIDEST = 60
_DEEPEST = 2
"""Sections in sections, and items in items, that a place names: the innermost."""
_SIGN = " › "
_AROUND = "*#_=-:[] \t"
_MARKUP = re.compile(r"<[^<>]*>")


class Places:
    """The places of the units of two texts; asked about the new one where something is there, else about the old."""

    def __init__(self, old: Sequence[Unit], new: Sequence[Unit]) -> None:
        self._old, self._new = _PlaceNames(old).all(), _PlaceNames(new).all()

    def of(self, olds: range, news: range) -> str:
        """The place of some units: the section, and the rule, item or paragraph of it; "end" behind all of them."""
        if news:
            return self._new[news.start]
        if olds:
            return self._old[olds.start]
        return "end"


@dataclass(slots=True)
class _Item:
    """An open list item: columns before its marker, the style of that, which of its list it is, its name."""

    indent: int
    style: str
    count: int
    name: str


@dataclass
class _PlaceNames:
    """The names of the places of a text, one unit after another."""

    units: Sequence[Unit]
    sections: list[tuple[str, str]] = field(default_factory=list)
    """Kind and name of the open sections: tags that are closed somewhere, a heading, a title below it."""
    items: list[_Item] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    name: str = ""

    def all(self) -> list[str]:
        """The name of each unit's place."""
        self._closed = {tag[0] for unit in self.units if unit.kind == "tag" and (tag := tag_of(unit.text)) and tag[1]}
        names: list[str] = []
        block = 0
        for unit in self.units:
            if unit.kind == "heading":
                self._heading(unit)
            elif unit.kind == "tag":
                names.append(self._tag(unit))
                continue
            elif unit.block != block:
                self.name = self._named(unit)
            block = unit.block
            names.append(self._path(self.name))
        return names

    def _path(self, name: str) -> str:
        return _SIGN.join(filter(None, (*(section for _, section in self.sections[-_DEEPEST:]), name)))

    def _begin(self, kind: str, name: str) -> None:
        self.sections.append((kind, clean_line(name, _WIDEST)))
        self._clear()

    def _clear(self) -> None:
        self.items.clear()
        self.counts.clear()
        self.name = ""

    def _heading(self, unit: Unit) -> None:
        """A heading ends the one before it, a title alone ("**Fees**") the title before it."""
        kind = "heading" if unit.marker.startswith("#") else "title"
        while self.sections and (self.sections[-1][0] == "title" or self.sections[-1][0] == kind):
            self.sections.pop()
        bare = _MARKUP.sub("", unit.text)
        self._begin(kind, bare.strip(_AROUND) or bare)

    def _tag(self, unit: Unit) -> str:
        """The place of a tag, which opens or closes a section."""
        name, closes = tag_of(unit.text) or ("", False)
        if name not in self._closed:
            return self._path("") or name
        if not closes:
            self._begin("tag", name)
            return self._path("")
        place = self._path("")
        if ("tag", name) in self.sections:
            last = len(self.sections) - 1 - self.sections[::-1].index(("tag", name))
            place = _SIGN.join(section for _, section in self.sections[: last + 1][-_DEEPEST:])
            del self.sections[last:]
            self._clear()
        return place

    def _named(self, unit: Unit) -> str:
        if unit.kind == "item":
            return self._item(unit)
        if unit.kind != "code":
            while self.items and self.items[-1].indent >= unit.indent:
                self.items.pop()
            if self.items:
                return self._in_items()
        self.counts[unit.kind] += 1
        word = {"text": "paragraph"}.get(unit.kind, unit.kind)
        return f"{word} {self.counts[unit.kind]}"

    def _item(self, unit: Unit) -> str:
        """Items with more white space before them, or with markers of another style, are in the one before them."""
        style = style_of(unit.marker)
        while self.items and self.items[-1].indent > unit.indent:
            self.items.pop()
        same = [n for n, one in enumerate(self.items) if (one.indent, one.style) == (unit.indent, style)]
        count = self.items[same[0]].count + 1 if same else 1
        del self.items[same[0] if same else len(self.items) :]
        self.items.append(_Item(unit.indent, style, count, name_of(unit.marker) or f"item {count}"))
        return self._in_items()

    def _in_items(self) -> str:
        return _SIGN.join(item.name for item in self.items[-_DEEPEST:])
