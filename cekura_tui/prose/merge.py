"""What others changed in a prompt, and what was staged for it, put together hunk by hunk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Literal

from cekura_tui.model.text import Prompt
from cekura_tui.prose.diff import Kind, Places, ProseDiff
from cekura_tui.prose.marks import without_marks
from cekura_tui.prose.units import units_of
from cekura_tui.prose.words import word_count

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


Side = Literal["now", "staged"]
_Hunk = tuple[Side, int]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A stretch that both sides changed, each in its own way: as it was sent, as it is now, and as it was staged. Any
    of the three may be empty."""

    base: str
    now: str
    staged: str

    def text_of(self, side: Side) -> str:
        """As a side has it."""
        return self.now if side == "now" else self.staged

    def worded(self, side: Side, text: str) -> str:
        """Other words for what a side has, with the white space that is around that; without words nothing is left."""
        passage = self.text_of(side)
        if not text.strip() or not passage.strip():
            return text.strip()
        return passage.replace(passage.strip(), text.strip(), 1)


@dataclass(frozen=True)
class Merge:
    """The merged prompt in order: what is settled as text, what is not as conflicts, numbered from 1.

    `groups` has the number of every conflict, those that are one decision together: with a passage that was moved, the
    place that it left and the one where it arrived. Taking one of them from each side would double it, or drop it.
    """

    parts: tuple[str | Conflict, ...]
    groups: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What somebody has to decide; conflict 1 is the first."""
        return tuple(part for part in self.parts if isinstance(part, Conflict))

    def text(self, decisions: Mapping[int, str]) -> Prompt:
        """The whole prompt, with the text that was decided on for each conflict by its number, from 1.

        Raises KeyError where a decision is missing; without conflicts none is needed.
        """
        texts, number = [], 0
        for part in self.parts:
            if isinstance(part, Conflict):
                number += 1
                texts.append(decisions[number])
            else:
                texts.append(part)
        return Prompt("".join(texts))


def merge(base: str, now: ProseDiff, staged: ProseDiff) -> Merge:
    """Both differences of `base`, the prompt that was sent, taken together. Raises ValueError if one is of another.

    Edits that neither overlap nor touch one of the other side are taken, and the same edit of both sides once. Others
    are a conflict, with all edits of their hunks, so that no passage is half moved; conflicts that touch are one.
    A passage that one side moved and the other removed, or moved elsewhere, is in conflict where it arrives, also where
    it is so short that it was told as gone here and come there.

    White space never is a conflict: a layout hunk of `now` gives way to words that were staged, and a layout hunk that
    was staged to whatever is there now, the whole hunk each time and without a word.
    """
    if not now.old == staged.old == base:
        raise ValueError("both differences must be of the prompt that was sent")
    sides: tuple[tuple[Side, ProseDiff], ...] = (("now", now), ("staged", staged))
    kinds: dict[_Hunk, Kind] = {(side, hunk.number): hunk.kind for side, diff in sides for hunk in diff.hunks}
    layout = {hunk for hunk, kind in kinds.items() if kind == "layout"}
    carried: dict[_Hunk, _Hunk] = {}
    for side, diff in sides:
        carried |= {(side, hunk): (side, first) for hunk, first in carried_hunks(diff).items()}
    moved = {hunk for hunk, kind in kinds.items() if kind == "moved"} | set(carried.values())

    def stretches(without: set[_Hunk]) -> list[_Stretch]:
        return _stretches(
            _changes(base, now, "now", without, carried), _changes(base, staged, "staged", without, carried)
        )

    words_win = _clashing(base, stretches({hunk for hunk in layout if hunk[0] == "staged"})) & layout
    staged_yields = {hunk for hunk in _clashing(base, stretches(words_win)) & layout if hunk[0] == "staged"}
    found = stretches(words_win | staged_yields)
    contested = _contested(base, found, moved)
    parts = tuple(_joined(_parts(base, found, contested)))
    contests = [hunks for part, hunks in parts if isinstance(part, Conflict)]
    bonds = [*contests, *(stretch.hunks & contested for stretch in found)]
    return Merge(tuple(part for part, _ in parts), _groups(contests, bonds))


@dataclass(frozen=True, slots=True)
class _SideEdit:
    """Characters [start, end) of the base become `new` on one side: an edit, or all insertions at one place."""

    start: int
    end: int
    new: str
    hunks: frozenset[_Hunk]

    @property
    def edit(self) -> tuple[int, int, str]:
        return self.start, self.end, self.new


@dataclass(slots=True)
class _Stretch:
    """Changes that overlap or touch across the sides, or one that stands alone."""

    now: list[_SideEdit] = field(default_factory=list)
    staged: list[_SideEdit] = field(default_factory=list)

    @property
    def start(self) -> int:
        return min(change.start for change in (*self.now[:1], *self.staged[:1]))

    @property
    def end(self) -> int:
        return max(change.end for change in (*self.now[-1:], *self.staged[-1:]))

    @property
    def hunks(self) -> frozenset[_Hunk]:
        return frozenset().union(*(change.hunks for change in (*self.now, *self.staged)))

    def texts(self, base: str) -> tuple[str, str]:
        """The stretch as it is now and as it was staged."""
        start, end = self.start, self.end
        return _applied(base, start, end, self.now), _applied(base, start, end, self.staged)

    def is_shared(self) -> bool:
        """Whether both sides changed it."""
        return bool(self.now and self.staged)

    def is_agreed(self, base: str) -> bool:
        """Whether both sides made the same of it."""
        one, other = self.texts(base) if self.is_shared() else ("", "-")
        return one == other


def _changes(
    base: str, diff: ProseDiff, side: Side, without: set[_Hunk], carried: Mapping[_Hunk, _Hunk]
) -> list[_SideEdit]:
    """What a side changed, by place; no two at the same place. Hunks that are one are told as the first of them."""
    found: list[_SideEdit] = []
    for edit in diff.edits(hunk.number for hunk in diff.hunks if (side, hunk.number) not in without):
        if base[edit.start : edit.end] == edit.new:
            continue
        hunk: _Hunk = (side, edit.hunk)
        change = _SideEdit(edit.start, edit.end, edit.new, frozenset({carried.get(hunk, hunk)}))
        if found and found[-1].start == change.end:  # both are insertions
            last = found.pop()
            change = _SideEdit(change.start, change.end, last.new + change.new, last.hunks | change.hunks)
        found.append(change)
    return found


def _stretches(now: list[_SideEdit], staged: list[_SideEdit]) -> list[_Stretch]:
    """All changes by place, joined where they overlap or touch across the sides.

    The same change of both sides joins nothing; where it is an insertion, what ends and begins there does not touch.
    """
    of_staged = {change.edit: change for change in staged}
    found = [_Stretch([change], [of_staged[change.edit]]) for change in now if change.edit in of_staged]
    same = {stretch.now[0].edit for stretch in found}
    apart = {start for start, end, _ in same if start == end}
    sides = [(change, True) for change in now] + [(change, False) for change in staged]
    joined: list[_Stretch] = []
    for change, is_now in sorted(sides, key=lambda one: one[0].edit[:2]):
        if change.edit in same:
            continue
        here = _Stretch([change], []) if is_now else _Stretch([], [change])
        while joined:
            other = joined[-1].staged if is_now else joined[-1].now
            reach = other[-1].end if other else -1
            if reach < change.start or (reach == change.start and reach in apart):
                break
            before = joined.pop()
            before.now += here.now
            before.staged += here.staged
            here = before
        joined.append(here)
    return sorted([*found, *joined], key=attrgetter("start", "end"))


def _clashing(base: str, stretches: Sequence[_Stretch]) -> set[_Hunk]:
    """The hunks of stretches of which each side made something else."""
    clashes = (one for one in stretches if one.is_shared() and not one.is_agreed(base))
    return {hunk for one in clashes for hunk in one.hunks}


def _contested(base: str, stretches: Sequence[_Stretch], moved: set[_Hunk]) -> set[_Hunk]:
    """The hunks that are in a conflict with all their edits."""
    agreed = {hunk for one in stretches if one.is_agreed(base) for hunk in one.hunks}
    alone = [one for one in stretches if not one.is_shared()]
    half_agreed = moved & agreed & {hunk for one in alone for hunk in one.hunks}
    found = _clashing(base, stretches) | half_agreed
    while True:
        # Insertions of several hunks at one place are one change, and bind these hunks together.
        bound = {hunk for one in alone if one.hunks & found for hunk in one.hunks}
        if bound <= found:
            return found
        found |= bound


_Part = tuple[str | Conflict, frozenset[_Hunk]]
"""With the hunks that are in conflict there."""


def _parts(base: str, stretches: Sequence[_Stretch], contested: set[_Hunk]) -> Iterator[_Part]:
    at, settled = 0, frozenset[_Hunk]()
    for one in stretches:
        if at < one.start:
            yield base[at : one.start], settled
        at = one.end
        now, staged = one.texts(base)
        if now == staged:
            # Where both left nothing, what lies before and after touches, and may be one conflict.
            yield (now, settled) if now else (Conflict(base[one.start : at], "", ""), settled)
        elif hunks := one.hunks & contested:
            yield Conflict(base[one.start : at], now, staged), hunks
        else:
            yield now if one.now else staged, settled
    if at < len(base):
        yield base[at:], settled


def _joined(parts: Iterator[_Part]) -> Iterator[_Part]:
    """Conflicts that touch as one, and as text where both sides made the same of them; text in one piece."""
    text, settled = "", frozenset[_Hunk]()
    for is_conflict, group in groupby(parts, key=lambda part: isinstance(part[0], Conflict)):
        here = list(group)
        if not is_conflict:
            text += "".join(part for part, _ in here if isinstance(part, str))
            continue
        conflicts = [part for part, _ in here if isinstance(part, Conflict)]
        base, now, staged = ("".join(map(attrgetter(name), conflicts)) for name in ("base", "now", "staged"))
        if now == staged or _differ_in_space(now, staged):
            text += now
            continue
        if text:
            yield text, settled
        text = ""
        yield Conflict(base, now, staged), settled.union(*(hunks for _, hunks in here))
    if text:
        yield text, settled


def _differ_in_space(one: str, other: str) -> bool:
    """Whether both have the same words, and white space at the same ends, so that no word is glued to its neighbour."""
    ends = [(text[:1].isspace(), text[-1:].isspace()) for text in (one, other)]
    return ends[0] == ends[1] and one.split() == other.split() != []


def _groups(contests: Sequence[frozenset[_Hunk]], bonds: Iterable[frozenset[_Hunk]]) -> tuple[tuple[int, ...], ...]:
    """The numbers of the conflicts, of which these are the hunks, those together that hunks bind; all hunks of a bond
    are bound."""
    bound: dict[_Hunk, set[_Hunk]] = {}
    for bond in bonds:
        whole = set(bond).union(*(bound.get(hunk, ()) for hunk in bond))
        bound |= dict.fromkeys(whole, whole)
    groups: dict[_Hunk, list[int]] = {}
    for number, hunks in enumerate(contests, 1):
        groups.setdefault(min(bound[min(hunks)]), []).append(number)
    return tuple(map(tuple, groups.values()))


def _applied(base: str, start: int, end: int, changes: Sequence[_SideEdit]) -> str:
    """Characters [start, end) of the base with these changes."""
    parts, at = [], start
    for change in changes:
        parts += [base[at : change.start], change.new]
        at = change.end
    return "".join([*parts, base[at:end]])


def conflict_places(merge: Merge) -> tuple[str, ...]:
    """The place of each conflict in the text that is there now ("Rescheduling › rule 3"); "end" behind all of it."""
    begins: list[int] = []
    texts, at = [], 0
    for part in merge.parts:
        text = part.now if isinstance(part, Conflict) else part
        if isinstance(part, Conflict):
            # White space before a passage is of the place before it.
            begins.append(at + len(text) - len(text.lstrip()) if text.strip() else at + len(text))
        texts.append(text)
        at += len(text)
    units, _ = units_of("".join(texts))
    places, starts = Places(units, units), [unit.start for unit in units]
    found = []
    for begin in begins:
        index = max(bisect_right(starts, begin) - 1, 0)
        found.append(places.of(range(index, index + 1) if units else range(0), range(0)))
    return tuple(found)
