"""Which units of one prompt answer to which of another: in order where they can be, moved where they cannot."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cekura_tui.prose.formatting import is_rule
from cekura_tui.prose.matching import Pairs, Stop, match, never, repeated, rising, slid, stoppable
from cekura_tui.prose.units import Unit, blocks_of
from cekura_tui.prose.words import is_distinctive, weight

_ALIKE, _VERSION, _TOUCHING = 0.36, 0.6, 0.25
"""From so much of their words on two units are versions of one another: in order, elsewhere, and beside such ones."""
_CONTAINED = 0.5
"""So much of a sentence is in another one that took it in."""
_MOVED_WEIGHT = 30
"""What a unit must weigh to be shown as moved, not as removed here and added there."""
_COMMON = 24
"""A word that is in more units than this is no sign of which belong together."""
_WEIGHED = 150_000
"""About so many pairs of units are weighed at most."""


_ASIDE = re.compile(r"\s*(?:\[[^\]\n]*\]|\([^)\n]*\)|(?:<[^<>\n]*>\s*)+)[.:]?\s*")
"""Text in brackets, or nothing but tags."""


@dataclass(frozen=True, slots=True)
class Link:
    """Units [a, b) of the old text and [c, d) of the new one are versions of one another; `move` is 0, or the number of
    the move that brought them elsewhere."""

    a: int
    b: int
    c: int
    d: int
    move: int = 0


def align(old: Sequence[Unit], new: Sequence[Unit], stop: Stop = never) -> list[Link]:
    """The links, sorted by `a`: those without a move rise on both sides. Units in no link went or came. Raises
    Stopped."""
    return _UnitAlignment(old, new, stop).links()


class _UnitAlignment:
    def __init__(self, old: Sequence[Unit], new: Sequence[Unit], stop: Stop) -> None:
        self.old, self.new, self._stop = old, new, stop
        self._old_bags = [_bag(unit) for unit in stoppable(stop, old, 512)]
        self._new_bags = [_bag(unit) for unit in stoppable(stop, new, 512)]

    def links(self) -> list[Link]:
        anchors = self._exact()
        olds, news = {i for i, _ in anchors}, {j for _, j in anchors}
        left = [i for i in range(len(self.old)) if i not in olds]
        right = [j for j in range(len(self.new)) if j not in news]
        likeness = self._likeness(left, right)
        pairs = self._cut_well(self._with_asides(sorted([*anchors, *self._versions(anchors, likeness)])))
        moves = self._moved(pairs, likeness)
        links = self._widened(pairs, {i for i, _ in pairs + moves}, {j for _, j in pairs + moves})
        return sorted([*links, *_runs(moves)], key=lambda link: link.a)

    # The same words

    def _exact(self) -> Pairs:
        """Paragraphs and items that are the same, then sentences between them."""
        words: dict[tuple[str, ...], int] = {}
        # The place of a pause or a stage direction means nothing, except within a paragraph.
        old_keys, new_keys = (
            [
                words.setdefault((*unit.words, side, str(n)) if _is_aside(unit) else unit.words, len(words))
                for n, unit in enumerate(units)
            ]
            for side, units in (("old", self.old), ("new", self.new))
        )
        old_blocks, new_blocks = blocks_of(self.old), blocks_of(self.new)
        old_whole, new_whole = (
            [tuple(keys[start:end]) for start, end in blocks]
            for keys, blocks in ((old_keys, old_blocks), (new_keys, new_blocks))
        )
        worth = [sum(len(unit.words) for unit in self.old[start:end]) for start, end in old_blocks]
        same = match(old_whole, new_whole, repeated(old_whole, new_whole), worth)
        pairs: Pairs = []
        at = to = 0
        ends = (len(old_blocks), len(new_blocks))
        for x, y in [*same, ends]:
            i, i_end = old_blocks[x] if x < ends[0] else (len(self.old), len(self.old))
            j, j_end = new_blocks[y] if y < ends[1] else (len(self.new), len(self.new))
            lengths = [len(unit.words) for unit in self.old[at:i]]
            pairs += [(at + a, to + b) for a, b in match(old_keys[at:i], new_keys[to:j], worth=lengths)]
            pairs += zip(range(i, i_end), range(j, j_end), strict=True)
            at, to = i_end, j_end
        return pairs

    def _with_asides(self, pairs: Pairs) -> Pairs:
        """Also pair what is no prose, between the same units."""
        found = list(pairs)
        at = to = 0
        for i, j in [*pairs, (len(self.old), len(self.new))]:
            olds = [n for n in range(at, i) if _is_aside(self.old[n])]
            news = [n for n in range(to, j) if _is_aside(self.new[n])]
            before, after = [self.old[n].words for n in olds], [self.new[n].words for n in news]
            found += [(olds[a], news[b]) for a, b in match(before, after, repeated(before, after))]
            at, to = i + 1, j + 1
        return sorted(found)

    # Versions

    def _likeness(self, left: Sequence[int], right: Sequence[int]) -> dict[tuple[int, int], float]:
        """How alike units without an exact counterpart are: 0 to 1, by the weight of their words."""
        places: dict[str, list[int]] = defaultdict(list)
        for j in right:
            for word in self._new_bags[j].words:
                places[word].append(j)
        weighs = {word: weight(word) for i in left for word in self._old_bags[i].words}
        most = self._most_common(left, places)
        found = {}
        for i in stoppable(self._stop, left):
            bag = self._old_bags[i]
            rare = [word for word in bag.words if len(places[word]) <= most]
            rare = [word for word in rare if is_distinctive(word)] or rare
            for j in {j for word in rare for j in places[word]}:
                other = self._new_bags[j]
                if (self.old[i].kind == "code") != (self.new[j].kind == "code"):
                    continue
                both = bag.words.keys() & other.words.keys()
                shared = sum(min(bag.words[word], other.words[word]) * weighs[word] for word in both)
                share = 2 * shared / (bag.weight + other.weight)
                if (self.old[i].kind == "heading") != (self.new[j].kind == "heading"):
                    share *= 0.8
                found[i, j] = share
        return found

    def _most_common(self, left: Sequence[int], places: Mapping[str, Sequence[int]]) -> int:
        """In how many units a word may be to say which ones are weighed: fewer, where else too many would be."""
        times = Counter(len(places[word]) for i in left for word in self._old_bags[i].words)
        most = _COMMON
        while most > 1 and sum(number * count for number, count in times.items() if number <= most) > _WEIGHED:
            most //= 2
        return most

    def _versions(self, anchors: Pairs, likeness: dict[tuple[int, int], float]) -> Pairs:
        """Versions in order, between the anchors, unless one of them is a better version of something else."""
        best_old: dict[int, float] = defaultdict(float)
        best_new: dict[int, float] = defaultdict(float)
        for (i, j), share in likeness.items():
            best_old[i], best_new[j] = max(best_old[i], share), max(best_new[j], share)
        olds, news = [i for i, _ in anchors], [j for _, j in anchors]
        by_slot: dict[int, Pairs] = defaultdict(list)
        for (i, j), share in sorted(likeness.items()):
            most = max(best_old[i], best_new[j])
            is_better_elsewhere = most >= _VERSION and most > share + 0.25
            slot = bisect_left(olds, i)
            if share >= _ALIKE and not is_better_elsewhere and slot == bisect_left(news, j):
                by_slot[slot].append((i, j))
        found: Pairs = []
        for pairs in stoppable(self._stop, by_slot.values()):
            worth = [
                int(likeness[i, j] ** 2 * (self._old_bags[i].weight + self._new_bags[j].weight)) + 1 for i, j in pairs
            ]
            found += rising(pairs, worth)
        return found

    def _cut_well(self, pairs: Pairs) -> Pairs:
        """Where added or removed units fit a little earlier or later, too, let them be whole paragraphs."""

        def cut(side: int, start: int, end: int, step: int) -> int:
            units = (self.old, self.new)[side]
            begins = start == 0 or units[start - 1].block != units[start].block
            ends = end == len(units) or units[end - 1].block != units[end].block
            return 2 * begins + 2 * ends + (units[start].kind == "heading")

        words = [[unit.words for unit in units] for units in (self.old, self.new)]
        return slid(words[0], words[1], pairs, cut)

    def _moved(self, pairs: Pairs, likeness: dict[tuple[int, int], float]) -> Pairs:
        """Pairs in another place: the most alike first, each unit once."""
        old_taken, new_taken = {i for i, _ in pairs}, {j for _, j in pairs}
        moves: Pairs = []
        same = {unit.words: j for j, unit in enumerate(self.new) if j not in new_taken}
        wanted = [(-2.0, i, same[unit.words]) for i, unit in enumerate(self.old) if unit.words in same]
        wanted += [(-share, i, j) for (i, j), share in likeness.items() if share >= _VERSION]
        # What is there several times, as a pause or a stage direction is, is in no other place than before.
        times = [Counter(unit.words for unit in units) for units in (self.old, self.new)]
        for _, i, j in stoppable(self._stop, sorted(wanted), 4096):
            is_one = times[0][self.old[i].words] == times[1][self.new[j].words] == 1
            heavy = min(self._old_bags[i].weight, self._new_bags[j].weight) >= _MOVED_WEIGHT
            is_fixed = self.old[i].kind == "tag" or _is_aside(self.old[i])
            if is_one and heavy and not is_fixed and i not in old_taken and j not in new_taken:
                moves.append((i, j))
                old_taken.add(i)
                new_taken.add(j)
        # What is beside something moved, on both sides, moved along.
        at = sorted(moves)
        while at:
            i, j = at.pop()
            for step in (-1, 1):
                beside = (i + step, j + step)
                if self._came_along(beside, old_taken, new_taken, likeness):
                    moves.append(beside)
                    at.append(beside)
                    old_taken.add(beside[0])
                    new_taken.add(beside[1])
        return sorted(moves)

    def _came_along(
        self, pair: tuple[int, int], old: set[int], new: set[int], likeness: dict[tuple[int, int], float]
    ) -> bool:
        i, j = pair
        if not (0 <= i < len(self.old) and 0 <= j < len(self.new)) or i in old or j in new:
            return False
        one, other = self.old[i], self.new[j]
        is_version = one.words == other.words or likeness.get(pair, 0.0) >= _TOUCHING
        return is_version or one.kind == other.kind == "heading"

    # One that became two, two that became one

    def _widened(self, pairs: Pairs, old_taken: set[int], new_taken: set[int]) -> list[Link]:
        """Each pair with the neighbours that it took in, or that were cut off it."""
        found = []
        for i, j in stoppable(self._stop, pairs, 512):
            olds, news = range(i, i + 1), range(j, j + 1)
            if self.old[i].words != self.new[j].words:
                spare_new = self._new_bags[j].words - self._old_bags[i].words
                spare_old = self._old_bags[i].words - self._new_bags[j].words
                olds = self._taking(olds, old_taken, self._old_bags, spare_new)
                if len(olds) == 1:
                    news = self._taking(news, new_taken, self._new_bags, spare_old)
            found.append(Link(olds.start, olds.stop, news.start, news.stop))
        return found

    @staticmethod
    def _taking(units: range, taken: set[int], bags: Sequence[_Bag], spare: Counter[str]) -> range:
        for step in (-1, 1):
            while True:
                n = units[0] - 1 if step < 0 else units[-1] + 1
                if not 0 <= n < len(bags) or n in taken:
                    break
                shared = bags[n].words & spare
                shared_weight = sum(count * weight(word) for word, count in shared.items())
                if shared_weight < _CONTAINED * bags[n].weight:
                    break
                taken.add(n)
                spare = spare - bags[n].words
                units = range(min(n, units[0]), max(n, units[-1]) + 1)
        return units


@dataclass(frozen=True, slots=True)
class _Bag:
    """The words of a unit, counted, and the weight of all."""

    words: Counter[str]
    weight: int


def _bag(unit: Unit) -> _Bag:
    words = tuple(map(str.casefold, unit.words)) if unit.kind == "heading" else unit.words
    return _Bag(Counter(words), sum(map(weight, words)) or 1)


def _is_aside(unit: Unit) -> bool:
    """Whether the place of a unit means nothing: a line across, a pause, a stage direction."""
    if unit.kind == "tag" and not unit.text.rstrip().endswith("/>"):
        return False
    return unit.kind != "code" and (_ASIDE.fullmatch(unit.text) is not None or is_rule(unit.text))


def _runs(moves: Pairs) -> list[Link]:
    """Moved units as links; neighbours on both sides are one move."""
    found: list[Link] = []
    number = 0
    for i, j in moves:
        if not (found and (found[-1].b, found[-1].d) == (i, j)):
            number += 1
        found.append(Link(i, i + 1, j, j + 1, number))
    return found
