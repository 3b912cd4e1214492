"""Three-way merge, sentence by sentence, of the sent prompt, the agent's current prompt and the staged prompt."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, groupby, pairwise
from operator import attrgetter

from cekura_tui.model.text import Prompt
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.formatting import is_row, without_marks
from cekura_tui.prose.numbers import renumbered
from cekura_tui.prose.side_edits import Changeset, SentPrompt, SideEdit, applied, plain_words, roots, similar_pairs
from cekura_tui.prose.side_edits import Side as Side
from cekura_tui.prose.units import Places, units_of

_LEAST_WORDS = 4
"""Lines and sentences with fewer words may legitimately occur twice in a prompt."""
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+(?=\S)")


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
    """The merged prompt: settled texts and conflicts in order. Conflicts are numbered from 1.

    `groups` has the numbers of conflicts that are decided together, such as both places of a move: separate decisions
    would duplicate or drop the passage. `sources` are the prompts whose numbering the renumbered lists follow.
    `line_end_note` names the line end of the merged prompt if the two sides contain both LF and CRLF, else "".
    """

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
    """Merge two diffs of `base`, the sent prompt. Raises ValueError if either diff is not of `base`.

    Edits are merged by sentence; an edit that both sides made counts once. Edits conflict if both sides changed the
    same sentence or inserted at the same place, if one side removed text to which the other side adds, or if a rule
    would be duplicated. A moved passage is in conflict at both places or at neither.

    White space, numbers and layout never conflict: the current layout yields to staged words, and the staged layout
    yields to any current edit. The current prompt decides the line ends. If one side changed nothing, the result is
    exactly the prompt of the other side.
    """
    if not now.old == staged.old == base:
        raise ValueError("both differences must be of the prompt that was sent")
    if now.is_same or now.new == staged.new or staged.is_same:
        text = staged.new if now.is_same else now.new
        return Merge((text,) if text else ())
    line_end, note = _line_end(now.new, staged.new)
    parts, coupled = _Merger(base, now, staged).parts()
    conflict_changesets = [changesets for part, changesets in parts if isinstance(part, Conflict)]
    sources = tuple(_with_line_end(text, line_end) for text in dict.fromkeys((base, now.new, staged.new)))
    return Merge(
        tuple(
            _with_line_end(part, line_end)
            if isinstance(part, str)
            else Conflict(*(_with_line_end(text, line_end) for text in (part.base, part.now, part.staged)))
            for part, _ in parts
        ),
        _groups(conflict_changesets, coupled),
        sources,
        note,
    )


def _line_end(now: str, staged: str) -> tuple[str, str]:
    """The line end of most lines of the current prompt, and a note if the two prompts contain both LF and CRLF, else
    "". If the current prompt has no line end, the staged prompt decides."""
    (returns, ends), (staged_returns, staged_ends) = ((text.count("\r\n"), text.count("\n")) for text in (now, staged))
    if not ends:
        returns, ends = staged_returns, staged_ends
    line_end, name = ("\r\n", "CRLF") if 2 * returns > ends else ("\n", "LF")
    is_one = returns + staged_returns in (0, ends + staged_ends)
    return line_end, "" if is_one else f"the agent's line ends ({name})"


def _with_line_end(text: str, line_end: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", line_end)


@dataclass(slots=True)
class _Region:
    """Clashing edits of both sides, an edit that both sides made, or a single edit that clashes with no other edit."""

    now: list[SideEdit] = field(default_factory=list)
    staged: list[SideEdit] = field(default_factory=list)

    @property
    def start(self) -> int:
        return min(edit.start for edit in (*self.now[:1], *self.staged[:1]))

    @property
    def end(self) -> int:
        return max(edit.end for edit in (*self.now[-1:], *self.staged[-1:]))

    @property
    def sort_key(self) -> tuple[int, int, bool]:
        return self.start, self.end, not all(edit.continues_line for edit in (*self.now, *self.staged))

    @property
    def changesets(self) -> frozenset[Changeset]:
        return frozenset().union(*(edit.changesets for edit in (*self.now, *self.staged)))

    def texts(self, base: str) -> tuple[str, str]:
        """The text of the region with the current edits applied, and the text with the staged edits applied."""
        start, end = self.start, self.end
        return applied(base, self.now, start, end), applied(base, self.staged, start, end)

    def is_shared(self) -> bool:
        return bool(self.now and self.staged)

    def is_agreed(self, base: str) -> bool:
        """Whether both sides edited the region with equivalent results."""
        return self.is_shared() and _are_equivalent(*self.texts(base))


_Part = tuple[str | Conflict, frozenset[Changeset]]
"""A text or a conflict, and the changesets that are in conflict in this part."""


class _Merger:
    def __init__(self, base: str, now: ProseDiff, staged: ProseDiff) -> None:
        self._sent = SentPrompt(base, by_sentence=not (now.coarse or staged.coarse))
        self._base = self._sent.text
        ours, theirs = self._sent.edits("now", now), self._sent.edits("staged", staged)
        ours, theirs = _split_at_shared_removals(ours, theirs), _split_at_shared_removals(theirs, ours)
        self._now = self._without_clashes(ours, theirs, lambda mine, other: mine.layout and not other.layout)
        self._staged = self._without_clashes(theirs, self._now, lambda mine, other: mine.layout)
        taken = {id(edit) for edit in (*self._now, *self._staged)}
        self._dropped = [[edit for edit in edits if id(edit) not in taken] for edits in (ours, theirs)]
        keys = {edit.key for edit in self._now}
        self._same = {edit.key: edit for edit in self._staged if edit.key in keys}
        """Edits that both sides made, by key."""
        self._most_copies = Counter[str]()
        for text in (base, now.new, staged.new):
            self._most_copies |= Counter(line for _, _, line in _lines_and_sentences(text))

    def parts(self) -> tuple[list[_Part], list[frozenset[Changeset]]]:
        """The merged parts, and sets of changesets that must be decided together."""
        coupled = self._same_additions()
        regions = self._regions()
        while True:
            conflicting = self._in_conflict(regions, coupled)
            duplicates = [one for one in self._duplicates(regions, conflicting) if one not in coupled]
            if not duplicates:
                break
            coupled += duplicates
        coupled += [region.changesets & conflicting for region in regions]
        return list(_coalesced(self._parts(regions, conflicting))), coupled

    def _without_clashes(
        self, edits: list[SideEdit], others: list[SideEdit], yields: Callable[[SideEdit, SideEdit], bool]
    ) -> list[SideEdit]:
        """Drop each edit that clashes with an edit in `others` for which `yields(edit, other)` is true."""
        starts = [other.start for other in others]
        ends = [other.end for other in others]
        found = []
        for edit in edits:
            near = others[bisect_left(ends, edit.start) : bisect_right(starts, edit.end)]
            if not any(edit.key != other.key and yields(edit, other) and self._clash(edit, other) for other in near):
                found.append(edit)
        return found

    def _clash(self, one: SideEdit, other: SideEdit) -> bool:
        """Whether two edits of different sides cannot both be applied."""
        left, right = sorted((one, other), key=attrgetter("sort_key"))
        if left.end < right.start:
            return False
        at = right.start
        if left.end > at or at not in self._sent.bounds:
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
            return is_of_word or left.section or (is_of_line and "\n" in self._base[left.whole[0] or left.start : at])
        before = left.new[-1:] or self._base[left.start - 1 : left.start]
        after = right.new[:1] or self._base[right.end : right.end + 1]
        is_glued = bool(before.strip() and after.strip())
        return is_glued and not (self._base[at - 1 : at].strip() and self._base[at : at + 1].strip())

    def _regions(self) -> list[_Region]:
        """All edits as regions, in order; clashing edits share a region. An edit that both sides made is a region of
        its own. Two edits that meet at an insertion made by both sides do not clash."""
        found = [_Region([edit], [self._same[edit.key]]) for edit in self._now if edit.key in self._same]
        apart = {one.start for one in found if one.now[0].is_insertion}
        sides = [(edit, True) for edit in self._now] + [(edit, False) for edit in self._staged]
        joined: list[_Region] = []
        for edit, is_now in sorted(sides, key=lambda one: one[0].sort_key):
            if edit.key in self._same:
                continue
            joined.append(_Region([edit], []) if is_now else _Region([], [edit]))
            at = n = len(joined) - 1
            while n and joined[n - 1].end >= edit.start:
                n -= 1
                others = (joined[n].staged if is_now else joined[n].now)[-2:]
                overlaps = joined[n].end > edit.start
                if overlaps or (edit.start not in apart and any(self._clash(edit, other) for other in others)):
                    at = n
            for region in joined[at + 1 :]:
                joined[at].now += region.now
                joined[at].staged += region.staged
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
            for edits in (self._now, self._staged)
        )
        return [self._now[n].changesets | self._staged[m].changesets for n, m in similar_pairs(ours, theirs)]

    def _in_conflict(self, regions: Sequence[_Region], coupled: Iterable[frozenset[Changeset]]) -> set[Changeset]:
        """All changesets in conflict. If one edit of a changeset is in conflict, the whole changeset is."""
        found = {
            each for one in regions if one.is_shared() and not one.is_agreed(self._base) for each in one.changesets
        }
        found = found.union(*coupled)
        agreed = {changeset for one in regions if one.is_agreed(self._base) for changeset in one.changesets}
        alone = [one for one in regions if not one.is_shared()]
        # A passage that both sides removed and one side inserted elsewhere.
        arrived = (one for one in alone if any(edit.new.strip() for edit in (*one.now, *one.staged)))
        found |= agreed & {changeset for one in arrived for changeset in one.changesets}
        while True:
            # Insertions of several hunks at one place are one edit, which couples the hunks.
            bound = {changeset for one in alone if one.changesets & found for changeset in one.changesets}
            if bound <= found:
                return found
            found |= bound

    def _outcome(self, one: _Region, conflicting: Set[Changeset]) -> str | tuple[str, str]:
        """The merged text of a region, or a pair of its current and its staged text if the region is in conflict."""
        now, staged = one.texts(self._base)
        if _are_equivalent(now, staged):
            return now
        if not one.changesets & conflicting:
            return now if one.now else staged
        sides: list[str] = []
        for edits, dropped in zip((one.now, one.staged), self._dropped, strict=True):
            first = bisect_left(dropped, one.start, key=attrgetter("start"))
            last = bisect_right(dropped, one.end, key=attrgetter("end"))
            every = sorted([*edits, *dropped[first:last]], key=attrgetter("sort_key"))
            sides.append(applied(self._base, every, one.start, one.end))
        return sides[0], sides[1]

    def _parts(self, regions: Sequence[_Region], conflicting: Set[Changeset]) -> Iterator[_Part]:
        at, settled = 0, frozenset[Changeset]()
        for one in regions:
            if at < one.start:
                yield self._base[at : one.start], settled
            at = one.end
            outcome = self._outcome(one, conflicting)
            if not isinstance(outcome, str):
                yield Conflict(self._base[one.start : at], *outcome), one.changesets & conflicting
            elif outcome or not one.is_shared():
                yield outcome, settled
            else:
                # If both sides left nothing, the conflicts before and after are adjacent and may be one.
                yield Conflict(self._base[one.start : at], "", ""), settled
        if at < len(self._base):
            yield self._base[at:], settled

    def _duplicates(self, regions: Sequence[_Region], conflicting: Set[Changeset]) -> Iterator[frozenset[Changeset]]:
        """Sets of changesets that together would repeat a line or sentence more often than the sent, current or staged
        prompt does."""
        for n in range(2):
            texts, places, at, length = [], [], 0, 0
            for one in regions:
                outcome = self._outcome(one, conflicting)
                text = outcome if isinstance(outcome, str) else outcome[n]
                texts += [self._base[at : one.start], text]
                length += one.start - at
                places.append((length, length + len(text), one.changesets))
                length += len(text)
                at = one.end
            lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
            for start, end, line in _lines_and_sentences("".join([*texts, self._base[at:]])):
                lines[line].append((start, end))
            ends = [end for _, end, _ in places]
            for line, found in lines.items():
                if len(found) <= max(self._most_copies[line], 1):
                    continue
                changesets: set[Changeset] = set()
                for start, end in found:
                    for first, _, here in places[bisect_right(ends, start) :]:
                        if first >= end:
                            break
                        changesets |= here
                if changesets:
                    yield frozenset(changesets)


def _split_at_shared_removals(edits: list[SideEdit], others: Sequence[SideEdit]) -> list[SideEdit]:
    """Split the removals in `edits` so that each stretch that `others` remove, too, is an edit of its own."""
    found: list[SideEdit] = []
    removals = [other for other in others if other.is_removal]
    ends = [other.end for other in removals]
    for edit in edits:
        if not edit.is_removal:
            found.append(edit)
            continue
        cuts = {edit.start, edit.end}
        for other in removals[bisect_right(ends, edit.start) :]:
            if other.start >= edit.end:
                break
            cuts |= {max(other.start, edit.start), min(other.end, edit.end)}
        places = sorted(cuts)
        found += [replace(edit, start=start, end=end, whole=(edit.start, edit.end)) for start, end in pairwise(places)]
    return found


def _lines_and_sentences(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, words) of each line and sentence that has at least _LEAST_WORDS words."""
    at = 0
    for line in text.split("\n"):
        ends = [at + hit.start() for hit in _SENTENCE_ENDS.finditer(line)]
        starts = [at + hit.end() for hit in _SENTENCE_ENDS.finditer(line)]
        bounds = {(at, at + len(line)), *zip([at, *starts], [*ends, at + len(line)], strict=True)}
        for start, end in sorted(bounds):
            words = without_marks(text[start:end]).split()
            if len(words) >= _LEAST_WORDS:
                yield start, end, " ".join(words)
        at += len(line) + 1


def _coalesced(parts: Iterator[_Part]) -> Iterator[_Part]:
    """Join adjacent conflicts, and join adjacent texts. A joined conflict with equivalent sides becomes text."""
    text, settled = "", frozenset[Changeset]()
    for is_conflict, group in groupby(parts, key=lambda part: isinstance(part[0], Conflict)):
        here = list(group)
        if not is_conflict:
            text += "".join(part for part, _ in here if isinstance(part, str))
            continue
        conflicts = [part for part, _ in here if isinstance(part, Conflict)]
        base, now, staged = ("".join(map(attrgetter(name), conflicts)) for name in ("base", "now", "staged"))
        if _are_equivalent(now, staged):
            text += now
            continue
        if text:
            yield text, settled
        text = ""
        yield Conflict(base, now, staged), settled.union(*(changesets for _, changesets in here))
    if text:
        yield text, settled


def _are_equivalent(one: str, other: str) -> bool:
    """Whether two texts have the same words, and begin and end alike, with or without white space. Texts without words
    must be equal."""
    ends = [(text[:1].isspace(), text[-1:].isspace()) for text in (one, other)]
    return one == other or (ends[0] == ends[1] and one.split() == other.split() != [])


def _groups(
    conflict_changesets: Sequence[frozenset[Changeset]], coupled: Iterable[frozenset[Changeset]]
) -> tuple[tuple[int, ...], ...]:
    """Group the numbers of conflicts whose changesets are coupled, directly or through other changesets."""
    first = roots(filter(None, [*conflict_changesets, *coupled]))
    groups: dict[Changeset, list[int]] = {}
    for number, changesets in enumerate(conflict_changesets, 1):
        groups.setdefault(first[min(changesets)], []).append(number)
    return tuple(map(tuple, groups.values()))


def conflict_places(merge: Merge) -> tuple[str, ...]:
    """The place of each conflict in the current prompt ("Rescheduling › rule 3"); "end" if that prompt is empty."""
    begins: list[int] = []
    texts, at = [], 0
    for part in merge.parts:
        text = part.now if isinstance(part, Conflict) else part
        if isinstance(part, Conflict):
            # White space before a passage belongs to the place before it.
            begins.append(at + len(text) - len(text.lstrip()) if text.strip() else at + len(text))
        texts.append(text)
        at += len(text)
    units = units_of("".join(texts))
    places, starts = Places(units, units), [unit.start for unit in units]
    indexes = (max(bisect_right(starts, begin) - 1, 0) for begin in begins)
    return tuple(places.of(range(n, n + 1) if units else range(0), range(0)) for n in indexes)
