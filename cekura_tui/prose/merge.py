"""Three-way merge, sentence by sentence, of the sent prompt, the agent's current prompt and the staged prompt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain, count, groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from cekura_tui.model.text import Prompt
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.formatting import is_row, without_marks
from cekura_tui.prose.numbers import renumbered
from cekura_tui.prose.side_edits import Changeset, SentPrompt, SideEdit, applied, plain_words, roots, similar_pairs
from cekura_tui.prose.side_edits import Side as Side
from cekura_tui.prose.units import SENTENCE_GAP, Places, units_of

_LEAST_WORDS = 4
"""Lines and sentences with fewer words may legitimately occur twice in a prompt."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A passage that both sides changed differently: its sent, current and staged text. Each text may be empty."""

    base: str
    now: str
    staged: str

    def text_of(self, side: Side) -> str:
        return self.now if side == "now" else self.staged

    def reworded(self, side: Side, text: str) -> str:
        """`text`, as typed, within the white space around one side's passage; without that white space if the passage
        is blank. "" if `text` is blank."""
        passage = self.text_of(side)
        if not text.strip() or not passage.strip():
            return text if text.strip() else ""
        return passage.replace(passage.strip(), text, 1)


@dataclass(frozen=True)
class Merge:
    """The merged prompt: settled texts and conflicts in order; conflicts are numbered from 1. `groups` has the numbers
    of conflicts that are decided together, such as both places of a move: separate decisions would duplicate or drop
    the passage. `sources` are the prompts whose numbering the renumbered lists follow. `line_end_note` names the line
    end of the merged prompt if the two sides contain both LF and CRLF, else ""."""

    parts: tuple[str | Conflict, ...]
    groups: tuple[tuple[int, ...], ...] = ()
    sources: tuple[str, ...] = ()
    line_end_note: str = ""

    @cached_property
    def conflicts(self) -> tuple[Conflict, ...]:
        return tuple(part for part in self.parts if isinstance(part, Conflict))

    def text(self, decisions: Mapping[int, str]) -> Prompt:
        """The whole prompt, with renumbered lists. `decisions` has each conflict's text by number, else KeyError."""
        numbers = count(1)
        texts = [decisions[next(numbers)] if isinstance(part, Conflict) else part for part in self.parts]
        return Prompt(renumbered("".join(texts), *self.sources))


def merge(base: str, now: ProseDiff, staged: ProseDiff) -> Merge:
    """Merge two diffs of `base`, the sent prompt, by sentence. Raises ValueError if either diff is not of `base`.

    An edit that both sides made counts once. Edits conflict if both sides changed the same sentence or inserted at the
    same place, if one side removed text to which the other side adds, or if a rule would be duplicated; a moved passage
    is in conflict at both places or at neither. White space, numbers and layout never conflict: the current layout
    yields to staged words, the staged layout to any current edit. The current prompt decides the line ends. If one side
    changed nothing, the result is exactly the prompt of the other side."""
    if not now.old == staged.old == base:
        raise ValueError("both differences must be of the prompt that was sent")
    if now.is_same or now.new == staged.new or staged.is_same:
        text = staged.new if now.is_same else now.new
        return Merge((text,) if text else ())
    line_end, note = _line_end(now.new, staged.new)
    parts, coupled = _Merger(base, now, staged).parts(line_end)
    of_conflicts = [changesets for _, changesets in parts if changesets]
    first = roots(filter(None, [*of_conflicts, *coupled]))
    groups: dict[Changeset, list[int]] = defaultdict(list)
    for number, changesets in enumerate(of_conflicts, 1):
        groups[first[min(changesets)]].append(number)
    sources = (
        text.replace("\r\n", "\n").replace("\n", line_end) for text in dict.fromkeys((base, now.new, staged.new))
    )
    return Merge(tuple(part for part, _ in parts), tuple(map(tuple, groups.values())), tuple(sources), note)


def _line_end(now: str, staged: str) -> tuple[str, str]:
    """The line end of most lines of the current prompt, and a note if the two prompts contain both LF and CRLF, else
    "". If the current prompt has no line end, the staged prompt decides."""
    (returns, ends), (staged_returns, staged_ends) = ((text.count("\r\n"), text.count("\n")) for text in (now, staged))
    if not ends:
        returns, ends = staged_returns, staged_ends
    line_end, name = ("\r\n", "CRLF") if 2 * returns > ends else ("\n", "LF")
    is_one = returns + staged_returns in (0, ends + staged_ends)
    return line_end, "" if is_one else f"the agent's line ends ({name})"


@dataclass(slots=True)
class _Region:
    """Clashing edits of both sides, an edit that both sides made, or a single edit that clashes with no other edit.
    `sides` has the current edits and the staged edits."""

    sides: tuple[list[SideEdit], list[SideEdit]]

    @property
    def edits(self) -> list[SideEdit]:
        return [*self.sides[0], *self.sides[1]]

    @property
    def start(self) -> int:
        return min(edit.start for edit in self.edits)

    @property
    def end(self) -> int:
        return max(edit.end for edit in self.edits)

    @property
    def sort_key(self) -> tuple[int, int, bool]:
        return self.start, self.end, not all(edit.continues_line for edit in self.edits)

    @property
    def changesets(self) -> frozenset[Changeset]:
        return frozenset().union(*(edit.changesets for edit in self.edits))

    def texts(self, base: str) -> tuple[str, str]:
        """The text of the region with the current edits applied, and the text with the staged edits applied."""
        start, end = self.start, self.end
        return applied(base, self.sides[0], start, end), applied(base, self.sides[1], start, end)


def _changesets(regions: Iterable[_Region]) -> set[Changeset]:
    return {changeset for one in regions for changeset in one.changesets}


class _Piece(NamedTuple):
    """The sent, current and staged text of a region, or of the text between two regions, and the region's changesets.
    `is_settled`: the piece is not in conflict."""

    base: str
    now: str
    staged: str
    changesets: frozenset[Changeset] = frozenset()
    is_settled: bool = True


_Part = tuple[str | Conflict, frozenset[Changeset]]
"""A text or a conflict, and the changesets that are in conflict in this part."""


class _Merger:
    def __init__(self, base: str, now: ProseDiff, staged: ProseDiff) -> None:
        self._sent = SentPrompt(base, by_sentence=not (now.coarse or staged.coarse))
        self._base = self._sent.text
        ours, theirs = self._sent.edits("now", now), self._sent.edits("staged", staged)
        ours, theirs = _split_at_shared_removals(ours, theirs), _split_at_shared_removals(theirs, ours)
        now_edits = self._without_clashes(ours, theirs, to_layout=False)
        self._sides = now_edits, self._without_clashes(theirs, now_edits, to_layout=True)
        taken = {id(edit) for edits in self._sides for edit in edits}
        self._dropped = [[edit for edit in edits if id(edit) not in taken] for edits in (ours, theirs)]
        keys = {edit.key for edit in now_edits}
        self._same = {edit.key: edit for edit in self._sides[1] if edit.key in keys}
        """Edits that both sides made, by key."""
        self._most_copies = Counter[str]()
        for text in (base, now.new, staged.new):
            self._most_copies |= Counter(line for _, _, line in _lines_and_sentences(text))

    def parts(self, line_end: str) -> tuple[list[_Part], list[frozenset[Changeset]]]:
        """The merged parts, and sets of changesets that must be decided together."""
        coupled = self._same_additions()
        regions = self._regions()
        conflicting = self._in_conflict(regions, coupled)
        pieces = list(self._pieces(regions, conflicting))
        while duplicates := [one for one in self._duplicates(pieces) if one not in coupled]:
            coupled += duplicates
            conflicting = self._in_conflict(regions, coupled)
            pieces = list(self._pieces(regions, conflicting))
        return list(_joined(pieces, line_end)), [*coupled, *(one.changesets & conflicting for one in regions)]

    def _without_clashes(self, edits: list[SideEdit], others: list[SideEdit], to_layout: bool) -> list[SideEdit]:
        """Drop each layout edit that clashes with an edit in `others`, which may be a layout edit if `to_layout`."""
        starts, ends = [other.start for other in others], [other.end for other in others]
        found = []
        for edit in edits:
            near = others[bisect_left(ends, edit.start) : bisect_right(starts, edit.end)] if edit.layout else ()
            stronger = (other for other in near if edit.key != other.key and (to_layout or not other.layout))
            if not any(self._clash(edit, other) for other in stronger):
                found.append(edit)
        return found

    def _clash(self, one: SideEdit, other: SideEdit) -> bool:
        """Whether two edits of different sides cannot both be applied."""
        left, right = sorted((one, other), key=attrgetter("sort_key"))
        if left.end < right.start:
            return False
        at = right.start
        # A marker is inserted before a sentence that the other side removes or marks otherwise.
        is_mark = left.layout and left.is_insertion and left.begins_line and not right.is_insertion
        if left.end > at or at not in self._sent.bounds or (is_mark and not right.new[:1].strip()):
            return True
        if (left.is_insertion and right.adds) or (left.adds and right.is_insertion):
            # Text that continues the line goes before text that begins a new one.
            ends_line = self._base[at : at + 1] in ("", "\n")
            is_clear = (left.continues_line and right.begins_line) or (left.begins_line and right.continues_line)
            return not (ends_line and is_clear)
        if right.is_insertion and left.removed and not left.is_reworded:
            # An insertion directly after a removal may refer to it, or belong to its section or line.
            is_of_line = not right.begins_line and self._base[at - 1 : at] != "\n"
            is_of_word = bool(right.new[:1].strip() and self._base[at - 1 : at].strip())
            return is_of_word or left.section or (is_of_line and "\n" in self._base[left.whole or left.start : at])
        before = left.new[-1:] or self._base[left.start - 1 : left.start]
        after = right.new[:1] or self._base[right.end : right.end + 1]
        is_glued = bool(before.strip() and after.strip())
        return is_glued and not (self._base[at - 1 : at].strip() and self._base[at : at + 1].strip())

    def _regions(self) -> list[_Region]:
        """All edits as regions, in order; clashing edits share a region. An edit that both sides made is a region of
        its own. Two edits that meet at an insertion made by both sides do not clash."""
        found = [_Region(([edit], [self._same[edit.key]])) for edit in self._sides[0] if edit.key in self._same]
        apart = {one.start for one in found if one.start == one.end}
        edits = [(edit, n) for n, side in enumerate(self._sides) for edit in side if edit.key not in self._same]
        joined: list[_Region] = []
        for edit, side in sorted(edits, key=lambda one: one[0].sort_key):
            joined.append(_Region(([], [edit]) if side else ([edit], [])))
            at = n = len(joined) - 1
            while n and joined[n - 1].end >= edit.start:
                n -= 1
                others = joined[n].sides[1 - side][-2:]
                overlaps = joined[n].end > edit.start
                if overlaps or (edit.start not in apart and any(self._clash(edit, other) for other in others)):
                    at = n
            for region in joined[at + 1 :]:
                joined[at].sides[0].extend(region.sides[0])
                joined[at].sides[1].extend(region.sides[1])
            del joined[at + 1 :]
        return sorted([*found, *joined], key=attrgetter("sort_key"))

    def _same_additions(self) -> list[frozenset[Changeset]]:
        """Couple edits by which both sides add the same rule at different places, but not rows and rewordings."""
        ours, theirs = (
            [
                (plain_words(text), n)
                for n, edit in enumerate(edits)
                if not (edit.key in self._same or edit.is_reworded)
                for text in edit.added
                if not is_row(text)
            ]
            for edits in self._sides
        )
        return [self._sides[0][n].changesets | self._sides[1][m].changesets for n, m in similar_pairs(ours, theirs)]

    def _in_conflict(self, regions: Sequence[_Region], coupled: Iterable[frozenset[Changeset]]) -> set[Changeset]:
        """All changesets in conflict. If one edit of a changeset is in conflict, the whole changeset is."""
        shared, alone = ([one for one in regions if all(one.sides) == both] for both in (True, False))
        clashing, agreed = (
            [one for one in shared if _are_equivalent(*one.texts(self._base)) == same] for same in (False, True)
        )
        found = _changesets(clashing).union(*coupled)
        # A passage that both sides removed and one side inserted elsewhere.
        found |= _changesets(agreed) & _changesets(one for one in alone if any(edit.new.strip() for edit in one.edits))
        # Insertions of several hunks at one place are one edit, which couples the hunks.
        while not (bound := _changesets(one for one in alone if one.changesets & found)) <= found:
            found |= bound
        return found

    def _merged(self, one: _Region, conflicting: Set[Changeset]) -> _Piece:
        start, end = one.start, one.end
        base, (now, staged) = self._base[start:end], one.texts(self._base)
        if _are_equivalent(now, staged):
            # If both sides left nothing, the conflicts before and after are adjacent and may be one.
            return _Piece(base, now, now, one.changesets, bool(now) or not all(one.sides))
        if not one.changesets & conflicting:
            text = now if one.sides[0] else staged
            return _Piece(base, text, text, one.changesets)
        sides: list[str] = []
        for edits, dropped in zip(one.sides, self._dropped, strict=True):
            every = edits + [edit for edit in dropped if start <= edit.start and edit.end <= end]
            sides.append(applied(self._base, sorted(every, key=attrgetter("sort_key")), start, end))
        return _Piece(base, sides[0], sides[1], one.changesets, False)

    def _pieces(self, regions: Sequence[_Region], conflicting: Set[Changeset]) -> Iterator[_Piece]:
        at = 0
        for one in regions:
            if at < one.start:
                yield _Piece(kept := self._base[at : one.start], kept, kept)
            yield self._merged(one, conflicting)
            at = one.end
        if at < len(self._base):
            yield _Piece(kept := self._base[at:], kept, kept)

    def _duplicates(self, pieces: Sequence[_Piece]) -> Iterator[frozenset[Changeset]]:
        """Sets of changesets that together would repeat a line or sentence more often than any of the prompts does."""
        for name in ("now", "staged"):
            texts = list(map(attrgetter(name), pieces))
            ends = list(accumulate(map(len, texts)))
            lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
            for start, end, line in _lines_and_sentences("".join(texts)):
                lines[line].append((start, end))
            for line, found in lines.items():
                if len(found) > max(self._most_copies[line], 1):
                    here = (pieces[bisect_right(ends, start) : bisect_left(ends, end) + 1] for start, end in found)
                    if changesets := frozenset[Changeset]().union(*(piece.changesets for piece in chain(*here))):
                        yield changesets


def _split_at_shared_removals(edits: list[SideEdit], others: Sequence[SideEdit]) -> list[SideEdit]:
    """Split the removals in `edits` so that each stretch that `others` remove, too, is an edit of its own."""
    found: list[SideEdit] = []
    bounds = sorted({at for other in others if other.is_removal for at in (other.start, other.end)})
    for edit in edits:
        cuts = bounds[bisect_right(bounds, edit.start) : bisect_left(bounds, edit.end)] if edit.is_removal else []
        places = pairwise([edit.start, *cuts, edit.end])
        found += [replace(edit, start=start, end=end, whole=edit.start) for start, end in places] if cuts else [edit]
    return found


def _lines_and_sentences(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, words) of each line and sentence that has at least _LEAST_WORDS words."""
    at = 0
    for line in text.split("\n"):
        bounds = [at, *(at + place for hit in SENTENCE_GAP.finditer(line) for place in hit.span()), at + len(line)]
        for start, end in sorted({(bounds[0], bounds[-1]), *zip(bounds[::2], bounds[1::2], strict=True)}):
            words = without_marks(text[start:end]).split()
            if len(words) >= _LEAST_WORDS:
                yield start, end, " ".join(words)
        at += len(line) + 1


def _joined(pieces: Iterable[_Piece], line_end: str) -> Iterator[_Part]:
    """Join adjacent conflicts, and join adjacent texts. A joined conflict with equivalent sides becomes text."""
    text = ""
    for _, group in groupby(pieces, key=attrgetter("is_settled")):
        here = list(group)
        base, now, staged = (
            "".join(map(attrgetter(name), here)).replace("\r\n", "\n").replace("\n", line_end)
            for name in ("base", "now", "staged")
        )
        if _are_equivalent(now, staged):
            text += now
            continue
        if text:
            yield text, frozenset()
        text = ""
        yield Conflict(base, now, staged), frozenset().union(*(one.changesets for one in here if one.now or one.staged))
    if text:
        yield text, frozenset()


def _are_equivalent(one: str, other: str) -> bool:
    """Whether two texts have the same words and white space at the ends. Texts without words must be equal."""
    ends = [(text[:1].isspace(), text[-1:].isspace()) for text in (one, other)]
    return one == other or (ends[0] == ends[1] and one.split() == other.split() != [])


def conflict_places(merge: Merge) -> tuple[str, ...]:
    """The place of each conflict in the current prompt ("Rescheduling › rule 3"); "end" if that prompt is empty."""
    texts = [part.now if isinstance(part, Conflict) else part for part in merge.parts]
    # White space before a passage belongs to the place before it.
    passages = zip(merge.parts, texts, accumulate(map(len, texts)), strict=True)
    begins = (end - len(text.lstrip()) for part, text, end in passages if isinstance(part, Conflict))
    units = units_of("".join(texts))
    places, starts = Places(units, units), [unit.start for unit in units]
    indexes = (max(bisect_right(starts, begin) - 1, 0) for begin in begins)
    return tuple(places.of(range(n, n + 1) if units else range(0), range(0)) for n in indexes)
