"""Group the steps of a comparison into hunks.

Steps are always in one hunk if accepting only some of them would break the prompt: the lines around a fence, say.
Steps that read as one passage are in one hunk until the user splits that hunk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Literal

from cekura_tui.prose.formatting import breaks, closes, fence_mark, is_rule, tag_of
from cekura_tui.prose.units import Unit, begins_block, block_ranges, is_title
from cekura_tui.prose.words import Op, WordSpan, has_half, is_distinctive, joined, word_set

Role = Literal[
    "same", "lead", "gap", "changed", "restructured", "replaced", "removed", "added", "away", "here", "reworded", "twin"
]
"""What happened to the units of a step.

"lead": the gap before units that stay, as a step of its own because units before them were added or removed. "gap": the
white space before the next step, if it differs between the texts. "restructured": the start of a line or sentence that
begins otherwise in the other text. "replaced": a removed unit, with an unrelated unit added in its place. "away" and
"here": the old and the new place of a moved unit. "reworded": the words that changed in the moved unit of the step
before. "twin": a unit added to or removed from a passage that moves, at the other place of the move.
"""
UNMATCHED: tuple[Role, ...] = ("removed", "added", "replaced")
"""Roles of units that have no version in the other text."""
_SHOWN_ELSEWHERE: tuple[Role, ...] = ("reworded", "twin")
_FEW = 2
"""Fewer longer words than this are too few to say that two sentences have nothing in common."""


@dataclass(slots=True, eq=False)
class Step:
    """Units of the old text (`olds`) and of the new text (`news`).

    `at` has the step's characters [start, end) in the old and in the new text. `move` is the number of a move, or 0;
    `within` the move of the passage to which the step adds a unit, or from which it removes one, or 0; `side` the place
    of that move, and `twin` the step at its other place. `keeps`: some words are unchanged. `is_changed`: the step is
    part of a hunk that is not layout. `marker` is the change of the line's start until it is split off, `content` the
    words of a moved unit, grouped by change. `removed` and `added` count words. `continues`: it begins mid-sentence.
    """

    role: Role
    olds: range
    news: range
    at: list[tuple[int, int]]
    move: int = 0
    within: int = 0
    side: Literal["", "away", "here"] = ""
    twin: Step | None = None
    keeps: bool = True
    is_changed: bool = False
    old: str = ""
    new: str = ""
    spans: Sequence[WordSpan] = ()
    marker: Sequence[WordSpan] = ()
    content: Sequence[list[WordSpan]] = ()
    removed: int = 0
    added: int = 0
    continues: bool = False

    def version(self, without: Op) -> str:
        """The old text of the step (without "ins") or the new one (without "del")."""
        if self.role == "reworded":
            return joined(self.spans, without)
        return self.old if without == "ins" else self.new


def hunks_of(old: Sequence[Unit], new: Sequence[Unit], steps: Sequence[Step]) -> tuple[list[int], list[int]]:
    """Two lists with the hunk id of each step (−1: none): as first shown, and split as far as possible."""
    groups = _StepGroups(old, new, steps)
    for group in groups.inseparable():
        groups.join(n for n in group if steps[n].role != "reworded")
    groups.drop_lone_gaps()
    split = groups.roots()
    for group in groups.adjacent_lines():
        groups.join(group)
    return groups.roots(), split


class _StepGroups:
    """A union-find over the indexes of steps; each group becomes a hunk. Its methods yield the steps to join."""

    def __init__(self, old: Sequence[Unit], new: Sequence[Unit], steps: Sequence[Step]) -> None:
        self.old, self.new, self.steps = old, new, steps
        self.of_old = _by_unit((step.olds, n) for n, step in enumerate(steps))
        self.of_new = _by_unit((step.news, n) for n, step in enumerate(steps))
        self._starts_of = [
            [step_of[start] for start, end in block_ranges(units) for _ in range(start, end)]
            for units, step_of in ((old, self.of_old), (new, self.of_new))
        ]
        """For the old and the new text: a list with the first step of each unit's block."""
        self._parent = list(range(len(steps)))
        self._bridges: set[int] = set()
        """Indexes of unchanged steps that are part of the surrounding hunk."""

    def root(self, n: int) -> int:
        while (parent := self._parent[n]) != n:
            self._parent[n] = self._parent[parent]
            n = parent
        return n

    def join(self, group: Iterable[int]) -> None:
        for one, other in pairwise(group):
            low, high = sorted((self.root(one), self.root(other)))
            self._parent[high] = low

    def roots(self) -> list[int]:
        """The root of each step that is changed or is a bridge; −1 for all other steps."""
        return [self.root(n) if step.is_changed or n in self._bridges else -1 for n, step in enumerate(self.steps)]

    def drop_lone_gaps(self) -> None:
        """Mark gaps and markers as unchanged unless they are grouped with a step whose words changed."""
        lone: tuple[Role, ...] = ("gap", "restructured")
        needed = {self.root(n) for n, step in enumerate(self.steps) if step.is_changed and step.role not in lone}
        for n, step in enumerate(self.steps):
            step.is_changed = step.is_changed and self.root(n) in needed

    # Steps that need each other

    def inseparable(self) -> Iterator[list[int]]:
        """Yield groups of steps that must be accepted or rejected together."""
        moves: dict[int, list[int]] = defaultdict(list)
        for n, step in enumerate(self.steps):
            if step.move:
                moves[step.move].append(n)
            if n and step.role == "gap" and self.steps[n - 1].role in (*UNMATCHED, "away", "here", "restructured"):
                yield [n - 1, n]
            if n and step.role == "restructured" and self.steps[n - 1].role == "gap":
                yield [n - 1, n]
            if n and {step.role, self.steps[n - 1].role} == {"removed", "added"}:  # both may end a longer quotation
                yield [m for m in (n - 1, n) if has_half(self.steps[m].old + self.steps[m].new)]
        yield from moves.values()
        index = {step: n for n, step in enumerate(self.steps)}
        yield from ([n, index[step.twin]] for n, step in enumerate(self.steps) if step.within and step.twin)
        yield from self._text_starts()
        sides: tuple[tuple[Sequence[Unit], dict[int, int], tuple[Role, ...], Sequence[Unit]], ...] = (
            (self.old, self.of_old, ("removed", "away", "replaced"), self.new),
            (self.new, self.of_new, ("added", "here", "replaced"), self.old),
        )
        for units, step_of, unmatched, others in sides:
            yield from self._line_starts(units, step_of, unmatched)
            yield from self._brackets(units, step_of, unmatched)
            yield from self._tables(units, step_of)
            yield from self._split_paragraphs(units, step_of, others, is_old=units is self.old)

    def _text_starts(self) -> Iterator[list[int]]:
        """Join the first unit of a text with the changes before that unit in the other text. As the first unit has no
        gap, accepting only some of these steps would run two words together."""
        at = to = 0
        for n, step in enumerate(self.steps):
            old, new = step.at
            firsts = ((old, step.olds, self.old, at, to), (new, step.news, self.new, to, at))
            for (start, end), units, side, here, there in firsts:
                gap = side[units.start].gap if units else ""
                has = end > start and start == 0 and "\n" not in gap[: len(gap) - len(gap.lstrip())]
                if has and here == 0 and there > 0:
                    yield [k for k in range(n + 1) if k == n or self.steps[k].is_changed]
            at, to = at + old[1] - old[0], to + new[1] - new[0]

    def _line_starts(
        self, units: Sequence[Unit], step_of: dict[int, int], unmatched: tuple[Role, ...]
    ) -> Iterator[list[int]]:
        """Join added, removed or moved units at the start of a line with the first unit that stays on the line."""
        for start, end in _lines(units):
            at = start
            while at < end and self.steps[step_of[at]].role in unmatched[:2]:
                at += 1
            # Of a line that moves, what is added behind a moved sentence can be left out.
            moves = {self.steps[step_of[n]].move or self.steps[step_of[n]].within for n in range(start, at)}
            moved = [n for n in range(start, at) if self.steps[step_of[n]].move]
            last = moved[0] + 1 if moved and at == end and len(moves) == 1 else min(at + 1, end)
            if at > start:
                yield [step_of[n] for n in range(start, last)]

    def _brackets(
        self, units: Sequence[Unit], step_of: dict[int, int], unmatched: tuple[Role, ...]
    ) -> Iterator[list[int]]:
        """Join the lines that open and close a fence, tag or comment if one of the two is unmatched, and all lines
        between if every one is unmatched. Also join an unmatched heading with its unmatched underline."""
        unmatched_before = [0, *accumulate(self.steps[step_of[n]].role in unmatched for n in range(len(units)))]
        joined = -1
        for first, last in sorted(chain(_fences(units), _tag_pairs(units), _comments(units))):
            ends = [step_of[first], step_of[last]]
            if not any(self.steps[n].role in unmatched and self.steps[n].is_changed for n in ends):
                continue
            yield ends
            if last > joined and unmatched_before[last] - unmatched_before[first + 1] == last - first - 1:
                yield [n for n in map(step_of.__getitem__, range(first, last + 1)) if not self.steps[n].within]
                joined = last
        for n in range(1, len(units)):
            if units[n - 1].kind == "heading" and is_rule(units[n].text) and units[n].gap.count("\n") == 1:
                title, line = step_of[n - 1], step_of[n]
                if self.steps[title].role in unmatched and self.steps[line].role in unmatched:
                    yield [title, line]

    def _tables(self, units: Sequence[Unit], step_of: dict[int, int]) -> Iterator[list[int]]:
        """Yield steps to join: the header of a table with the rule below it, and with all unmatched rows if the header
        is unmatched; all rows if the number of columns changed; each row with changed steps directly before the row."""
        for start, end in _tables(units):
            here = [step_of[n] for n in range(start, end)]
            is_unmatched = self.steps[here[0]].role in UNMATCHED
            yield [n for k, n in enumerate(here) if k < 2 or (is_unmatched and self.steps[n].role in UNMATCHED)]
            pairs = ((self.steps[n].olds, self.steps[n].news) for n in here)
            texts = ((self.old[olds.start].text, self.new[news.start].text) for olds, news in pairs if olds and news)
            if any(old.count("|") != new.count("|") for old, new in texts):
                yield here
            for n, m in pairwise(here):  # no changed step may come between two rows
                yield from ([k, m] for k in range(n + 1, m) if self.steps[k].is_changed)

    def _split_paragraphs(
        self, units: Sequence[Unit], step_of: dict[int, int], others: Sequence[Unit], *, is_old: bool
    ) -> Iterator[list[int]]:
        """Join a line that was added or removed between two sentences of a paragraph with the second sentence.
        Otherwise that sentence could continue the line."""
        for start, end in _lines(units):
            for n in range(start + 1, end):
                for between in range(step_of[n - 1] + 1, step_of[n]):
                    step = self.steps[between]
                    alone = range(0) if (step.olds if is_old else step.news) else (step.news if is_old else step.olds)
                    if any(begins_block(others, other) or breaks(others[other].gap) for other in alone):
                        yield [between, step_of[n]]

    # Steps that read as one passage

    def adjacent_lines(self) -> Iterator[list[int]]:
        """Join adjacent steps that read as one passage, up to the next heading of the same or a higher level. A passage
        that does not begin with a heading ends at any heading. Also join the changes of a mostly rewritten fence."""
        level = 0
        before: int | None = None
        for n, step in enumerate(self.steps):
            if step.role in _SHOWN_ELSEWHERE:
                if step.role == "reworded" and step.continues:
                    yield [n - 1, n]
                continue
            if not step.is_changed:
                before = before if step.role == "gap" else None
                continue
            heading = self._heading_level(step)
            if before is None or not self._one_passage(before, n, level) or (heading and heading <= (level or 9)):
                level = heading
            else:
                yield [before, n]
            before = n
        yield from self._rewritten_code(self.old, self.of_old)
        yield from self._rewritten_code(self.new, self.of_new)

    def _rewritten_code(self, units: Sequence[Unit], step_of: dict[int, int]) -> Iterator[list[int]]:
        """Join a fence's steps from the first to the last change, if more than half changed and none of these moved."""
        for start, end in _fences(units):
            first, last = step_of[start], step_of[end]
            changed = [n for n in range(first, last + 1) if self.steps[n].is_changed]
            if 2 * len(changed) > last + 1 - first and not any(self.steps[n].move for n in changed):
                self._bridges.update(range(changed[0], changed[-1] + 1))
                yield list(range(changed[0], changed[-1] + 1))

    def _heading_level(self, step: Step) -> int:
        """Level of the heading that a step adds, removes or replaces; 0 if the step has no such heading."""
        if step.role not in UNMATCHED:
            return 0
        units = [self.old[step.olds.start]] if step.olds else []
        units += [self.new[step.news.start]] if step.news else []
        return max((unit.gap.count("#") or 7 for unit in units if unit.kind == "heading"), default=0)

    def _one_passage(self, n: int, m: int, level: int) -> bool:
        """Whether two adjacent steps are parts of one sentence, or keep no words and are in one block or the first is a
        whole line. Removed rules are one passage only below a heading (`level`), and a removed and an added sentence if
        they have a longer word in common. What is added to a moved passage is no part of the move."""
        one, other = self.steps[n], self.steps[m]
        if one.within != other.within:
            return False
        if (one.role, other.role) == ("removed", "added"):
            words = [set(filter(is_distinctive, word_set(text))) for text in (one.old, other.new)]
            return min(map(len, words)) < _FEW or bool(words[0] & words[1])
        keep_nothing = self._keeps_nothing(one) and self._keeps_nothing(other)
        is_one = other.continues or (keep_nothing and (level or one.role == "added") and self._is_whole_line(one))
        return is_one or (keep_nothing and self._in_one_block(n, m))

    def _in_one_block(self, n: int, m: int) -> bool:
        before, step = self.steps[n], self.steps[m]
        sides = ((self.old, before.olds, step.olds), (self.new, before.news, step.news))
        for units, one, other in sides:
            if one and other and units[one[-1]].block == units[other.start].block:
                return before.role == "gap" or not is_title(units, one[-1])
        return False

    def _is_whole_line(self, step: Step) -> bool:
        """Whether the block of this step begins with a step that keeps no words, in both texts."""
        firsts = [starts[own.start] for starts, own in zip(self._starts_of, (step.olds, step.news), strict=True) if own]
        return all(self._keeps_nothing(self.steps[n]) for n in firsts)

    @staticmethod
    def _keeps_nothing(step: Step) -> bool:
        """Whether a step was added, removed or changed without keeping any word."""
        return step.role in UNMATCHED or (step.role in ("changed", "restructured") and not step.keeps)


def _lines(units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """[start, end) of the units on each line of each block; a fence counts as one line."""
    for start, end in block_ranges(units):
        cuts = [n for n in range(start + 1, end) if breaks(units[n].gap) and units[n].kind != "code"]
        yield from pairwise([start, *cuts, end])


def _by_unit(found: Iterable[tuple[range, int]]) -> dict[int, int]:
    """Map each unit to its first step, which is the step with the gap before the unit."""
    return {unit: n for units, n in reversed([*found]) for unit in units}


def _tag_pairs(units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Indexes (opening, closing) of the units of each pair of tags. Only tags that fill a line are paired."""
    opened: list[tuple[str, int]] = []
    for n, unit in enumerate(units):
        tag = tag_of(unit.text) if unit.kind == "tag" else None
        if tag and not tag[1]:
            opened.append((tag[0], n))
        while tag and tag[1] and opened:
            name, start = opened.pop()
            if name == tag[0]:
                yield start, n
                break


def _comments(units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Indexes (first, last) of the units of each comment that extends over several units."""
    start = -1
    for n, unit in enumerate(units):
        if start < 0 and "<!--" in unit.text and "-->" not in unit.text.rpartition("<!--")[2]:
            start = n
        elif start >= 0 and "-->" in unit.text:
            yield start, n
            start = -1


def _fences(units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Indexes (opening, closing) of the units of each closed fence."""
    for start, end in block_ranges(units):
        fence = fence_mark(units[start].text) if units[start].kind == "code" else ""
        if fence and closes(units[end - 1].text, fence):
            yield start, end - 1


def _is_row(unit: Unit) -> bool:
    return unit.kind in ("row", "text") and "|" in unit.text and (unit.kind == "row" or not unit.text.strip("|:- \t"))


def _tables(units: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """[start, end) of the rows of each table that has a header."""
    at = 0
    while at < len(units):
        end = at
        while end < len(units) and _is_row(units[end]) and (end == at or units[end].gap.count("\n") == 1):
            end += 1
        if end - at > 1 and not units[at + 1].text.strip("|:- \t"):
            yield at, end
        at = max(end, at + 1)
