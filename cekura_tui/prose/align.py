"""Align the units of two prompts: in order where possible, otherwise as moves."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache, partial
from itertools import accumulate, count, pairwise
from typing import NamedTuple

from cekura_tui.prose.formatting import is_rule
from cekura_tui.prose.matching import Pairs, Stop, in_order_fallback, longest_increasing, match, never, slide, stoppable
from cekura_tui.prose.numbers import title_words
from cekura_tui.prose.units import ASIDE, Unit, begins_block, block_ranges, is_title
from cekura_tui.prose.words import is_distinctive, weight

_LEAST_IN_ORDER, _LEAST_MOVED, _LEAST_NEXT_TO_MOVED = 0.36, 0.55, 0.25
"""Least similarity (0 to 1) at which two units are paired as versions: in order, as a move, or next to a move."""
_CONTAINED = 0.5
"""A neighbour counts as split off or merged in if the unit's version gained this share of its words, by weight."""
_MOVED_WEIGHT = 30
"""Least weight of the words that a moved and reworded unit keeps; a lighter unit only moves along with a neighbour."""
Similarity = dict[tuple[int, int], float]
_MOST_BETWEEN = 6
"""Most units that are added or removed between two units of one move."""
_COMMON = 24
"""A word that occurs in more units than this is not used to find similar units."""
_MOST_PAIRS = 150_000
"""Approximate maximum number of pairs of units whose similarity is computed."""


class Link(NamedTuple):
    """Units [a, b) of the old text and units [c, d) of the new text are versions of each other. `move` is the number of
    the move, or 0 for units that stayed in order."""

    a: int
    b: int
    c: int
    d: int
    move: int = 0


def align(old: Sequence[Unit], new: Sequence[Unit], stop: Stop = never) -> list[Link]:
    """Links between units that are versions of each other, sorted by `a`. Links without a move are in order in both
    texts. Units without a link were removed or added. Raises Stopped once `stop` returns True."""
    return _UnitAlignment(old, new, stop).links()


class _UnitAlignment:
    def __init__(self, old: Sequence[Unit], new: Sequence[Unit], stop: Stop) -> None:
        self.old, self.new, self._stop = old, new, stop
        self._old_bag, self._new_bag = (cache(partial(_bag, units)) for units in (old, new))
        self._times = [Counter(unit.words for unit in units) for units in (old, new)]

    def links(self) -> list[Link]:
        anchors = self._exact()
        taken = {j for _, j in anchors}
        places = {unit.words: j for j, unit in enumerate(self.new) if j not in taken}
        same = [(i, places[unit.words]) for i, unit in enumerate(self.old) if unit.words in places]
        # Equal units that both texts have once, but in another order, moved, whatever comes between.
        once = [(i, j) for i, j in same if self._are_single(i, j) and any(map(str.isalnum, "".join(self.old[i].words)))]
        left = sorted({*range(len(self.old))} - {i for i, _ in anchors + once})
        right = sorted({*range(len(self.new))} - {j for _, j in anchors + once})
        similarity = self._similarity(left, right)
        pairs = self._slid_to_block_ends(self._with_asides(sorted([*anchors, *self._versions(anchors, similarity)])))
        moves = self._moved(pairs, once, similarity)
        # A unit that continues a line of an earlier section has moved out of its section.
        out = [two for one, two in pairwise(pairs) if two[1] == one[1] + 1 and self._left_section(one[0], *two)]
        pairs, moves = sorted({*pairs} - {*out}), sorted([*moves, *out])
        links = self._with_splits_and_merges(pairs, {i for i, _ in pairs + moves}, {j for _, j in pairs + moves})
        links += (Link(i, i + 1, j, j + 1, number) for number, (i, j) in enumerate(moves, 1))
        return self._whole_sections(_joined_moves(sorted(links)))

    def _left_section(self, before: int, i: int, j: int) -> bool:
        is_rest = not begins_block(self.new, j) and "\n" not in self.new[j].gap
        return is_rest and any(self.old[n].kind == "heading" for n in range(before + 1, i))

    def _whole_sections(self, links: Sequence[Link]) -> list[Link]:
        """Give the moves of a moved section its heading's number, also if the section has another order."""
        titles = [
            list(accumulate((n if unit.kind == "heading" else -1 for n, unit in enumerate(units)), max))
            for units in (self.old, self.new)
        ]
        heads = {(link.a, link.c): link.move for link in links if link.move and self.old[link.a].kind == "heading"}
        found = []
        for link in links:
            move = heads.get((titles[0][link.a], titles[1][link.c]), link.move)
            found.append(link._replace(move=link.move and move))
        return found

    def _are_single(self, i: int, j: int) -> bool:
        """Whether neither text has its unit a second time."""
        return self._times[0][self.old[i].words] == self._times[1][self.new[j].words] == 1

    # Equal units

    def _exact(self) -> Pairs:
        """Pair equal blocks (paragraphs and items), then equal sentences between two paired blocks."""
        numbers: dict[tuple[str, ...], int] = defaultdict(count().__next__)  # numbers are compared faster than tuples
        # A pause or stage direction may be anywhere; it is matched only as part of an equal block.
        old_keys, new_keys = (
            [numbers[(*unit.words, side, str(n)) if _is_aside(unit) else unit.words] for n, unit in enumerate(units)]
            for side, units in (("old", self.old), ("new", self.new))
        )
        old_blocks, new_blocks = block_ranges(self.old), block_ranges(self.new)
        old_whole, new_whole = (
            [tuple(keys[start:end]) for start, end in blocks]
            for keys, blocks in ((old_keys, old_blocks), (new_keys, new_blocks))
        )
        weights = [sum(len(unit.words) for unit in self.old[start:end]) for start, end in old_blocks]
        same = match(old_whole, new_whole, in_order_fallback(old_whole, new_whole), weights)
        pairs: Pairs = []
        at = to = 0
        ends = (len(self.old),) * 2, (len(self.new),) * 2
        for (i, i_end), (j, j_end) in [*((old_blocks[x], new_blocks[y]) for x, y in same), ends]:
            lengths = [len(unit.words) for unit in self.old[at:i]]
            pairs += [(at + a, to + b) for a, b in match(old_keys[at:i], new_keys[to:j], weights=lengths)]
            pairs += zip(range(i, i_end), range(j, j_end), strict=True)
            at, to = i_end, j_end
        return pairs

    def _with_asides(self, pairs: Pairs) -> Pairs:
        """`pairs`, and additional pairs of equal asides that lie between two adjacent pairs."""
        found = list(pairs)
        at = to = 0
        for i, j in [*pairs, (len(self.old), len(self.new))]:
            olds = [n for n in range(at, i) if _is_aside(self.old[n])]
            news = [n for n in range(to, j) if _is_aside(self.new[n])]
            before, after = [self.old[n].words for n in olds], [self.new[n].words for n in news]
            found += [(olds[a], news[b]) for a, b in match(before, after, in_order_fallback(before, after))]
            at, to = i + 1, j + 1
        return sorted(found)

    # Similar units

    def _similarity(self, left: Sequence[int], right: Sequence[int]) -> Similarity:
        """The share of common words (0 to 1) of units with a rare word in common; code only fits equal prose."""
        places: dict[str, list[int]] = defaultdict(list)
        for j in stoppable(self._stop, right, 512):
            for word in self._new_bag(j).words:
                places[word].append(j)
        weights = {word: weight(word) for i in stoppable(self._stop, left, 512) for word in self._old_bag(i).words}
        # A rare word occurs in at most _COMMON units, or fewer, so that about _MOST_PAIRS pairs share one.
        times = Counter(len(places[word]) for i in left for word in self._old_bag(i).words)
        most = _COMMON
        while most > 1 and sum(number * count for number, count in times.items() if number <= most) > _MOST_PAIRS:
            most //= 2
        found = {}
        for i in stoppable(self._stop, left):
            bag = self._old_bag(i)
            rare = [word for word in bag.words if len(places[word]) <= most]
            rare = [word for word in rare if is_distinctive(word)] or rare
            for j in {j for word in rare for j in places[word]}:
                other = self._new_bag(j)
                one, two = self.old[i], self.new[j]
                if (one.kind == "code") != (two.kind == "code") and one.text != two.text:
                    continue
                both = bag.words.keys() & other.words.keys()
                shared = sum(min(bag.words[word], other.words[word]) * weights[word] for word in both)
                share = 2 * shared / (bag.weight + other.weight)
                found[i, j] = share * 0.8 if (one.kind == "heading") != (two.kind == "heading") else share
        return found

    def _versions(self, anchors: Pairs, similarity: Similarity) -> Pairs:
        """Pair similar units in order between adjacent anchors, unless either fits a third unit much better."""
        best_old: dict[int, float] = defaultdict(float)
        best_new: dict[int, float] = defaultdict(float)
        for (i, j), share in similarity.items():
            best_old[i], best_new[j] = max(best_old[i], share), max(best_new[j], share)
        olds, news = [i for i, _ in anchors], [j for _, j in anchors]
        by_slot: dict[int, Pairs] = defaultdict(list)
        for (i, j), share in sorted(item for item in similarity.items() if item[1] >= _LEAST_IN_ORDER):
            most = max(best_old[i], best_new[j])
            is_better_elsewhere = most >= _LEAST_MOVED and most > share + 0.25
            slot = bisect_left(olds, i)
            if not is_better_elsewhere and slot == bisect_left(news, j):
                by_slot[slot].append((i, j))
        found: Pairs = []
        for pairs in stoppable(self._stop, by_slot.values()):
            weights = [
                int(similarity[i, j] ** 2 * (self._old_bag(i).weight + self._new_bag(j).weight)) + 1 for i, j in pairs
            ]
            found += longest_increasing(pairs, weights)
        return found

    def _slid_to_block_ends(self, pairs: Pairs) -> Pairs:
        """Slide runs of added or removed units so that, where possible, each run consists of whole paragraphs."""

        def score(side: int, start: int, end: int, step: int) -> int:
            units = (self.old, self.new)[side]
            ends = end == len(units) or begins_block(units, end)
            return 2 * begins_block(units, start) + 2 * ends + (units[start].kind == "heading")

        old, new = ([unit.words for unit in units] for units in (self.old, self.new))
        return slide(old, new, pairs, score)

    def _moved(self, pairs: Pairs, once: Pairs, similarity: Similarity) -> Pairs:
        """Pair moved units: units that both texts have `once`, then the most similar, then neighbours that moved along
        with a pair. Reworded tags, asides and light units and repeated units move only along with a neighbour."""
        # The ends of the texts count as taken.
        old_taken, new_taken = {-1, len(self.old), *(i for i, _ in pairs)}, {-1, len(self.new), *(j for _, j in pairs)}
        moves = [(i, j) for i, j in once if i not in old_taken and j not in new_taken]
        old_taken |= {i for i, _ in moves}
        new_taken |= {j for _, j in moves}
        wanted = [(-share, i, j) for (i, j), share in similarity.items() if share >= _LEAST_MOVED]
        for share, i, j in stoppable(self._stop, sorted(wanted), 4096):
            heavy = -share * (self._old_bag(i).weight + self._new_bag(j).weight) >= 2 * _MOVED_WEIGHT
            is_fixed = self.old[i].kind == "tag" or _is_aside(self.old[i]) or not self._are_single(i, j)
            if heavy and not is_fixed and i not in old_taken and j not in new_taken:
                moves.append((i, j))
                old_taken.add(i)
                new_taken.add(j)
        at = sorted(moves)
        while at:
            moved = at.pop()
            for i, j in ((moved[0] - 1, moved[1] - 1), (moved[0] + 1, moved[1] + 1)):
                if i in old_taken or j in new_taken:
                    continue
                one, other = self.old[i], self.new[j]
                is_version = one.words == other.words or similarity.get((i, j), 0.0) >= _LEAST_NEXT_TO_MOVED
                # Above a moved unit, a heading may have other words.
                if is_version or (i < moved[0] and one.kind == other.kind == "heading"):
                    moves.append((i, j))
                    at.append((i, j))
                    old_taken.add(i)
                    new_taken.add(j)
        return sorted(moves)

    # Units that were split or merged

    def _with_splits_and_merges(self, pairs: Pairs, old_taken: set[int], new_taken: set[int]) -> list[Link]:
        """Turn pairs into links, widened by neighbours that were merged into the pair or split off from it."""
        found = []
        for i, j in stoppable(self._stop, pairs, 512):
            olds, news = range(i, i + 1), range(j, j + 1)
            if self.old[i].words != self.new[j].words:
                one, other = self._old_bag(i).words, self._new_bag(j).words
                olds = self._extended(olds, old_taken, 0, other - one)
                if len(olds) == 1:
                    news = self._extended(news, new_taken, 1, one - other)
            found.append(Link(olds.start, olds.stop, news.start, news.stop))
        return found

    def _extended(self, units: range, taken: set[int], side: int, spare: Counter[str]) -> range:
        bag_of, last = ((self._old_bag, len(self.old)), (self._new_bag, len(self.new)))[side]
        for n, step in ((units.start - 1, -1), (units.stop, 1)):
            while 0 <= n < last and n not in taken:
                if sum(map(weight, (bag_of(n).words & spare).elements())) < _CONTAINED * bag_of(n).weight:
                    break
                taken.add(n)
                spare = spare - bag_of(n).words
                units = range(min(n, units.start), max(n + 1, units.stop))
                n += step
        return units


class _Bag(NamedTuple):
    words: Counter[str]
    weight: int


def _bag(units: Sequence[Unit], n: int) -> _Bag:
    words = (is_title(units, n) and title_words(units[n].text)) or units[n].words
    return _Bag(Counter(words), sum(map(weight, words)) or 1)


def _is_aside(unit: Unit) -> bool:
    """Whether a unit is an aside: a horizontal rule, a pause or a stage direction. Asides recur throughout a prompt, so
    two equal asides are no evidence that the surrounding passages match."""
    opens = unit.kind == "tag" and not unit.text.rstrip().endswith("/>")
    return unit.kind != "code" and not opens and (ASIDE.fullmatch(unit.text) is not None or is_rule(unit.text))


def _joined_moves(links: Sequence[Link]) -> list[Link]:
    """Give moves one number if they have the same order in both texts and only a few added or removed units between."""
    found: list[Link] = []
    olds, news = {link.a for link in links}, {link.c for link in links}
    before: Link | None = None
    for link in links:
        if link.move and before and link.c >= before.d:
            gaps = range(before.b, link.a), range(before.d, link.c)
            is_near = min(map(len, gaps)) <= 1 and max(map(len, gaps)) <= _MOST_BETWEEN
            if is_near and olds.isdisjoint(gaps[0]) and news.isdisjoint(gaps[1]):
                link = link._replace(move=before.move)
        found.append(link)
        before = link if link.move else before
    return found


def contents(links: Sequence[Link], old: Sequence[Unit], new: Sequence[Unit]) -> tuple[dict[int, int], dict[int, int]]:
    """The old units that a moved passage loses and the new units that it gains, each with the number of the move. A
    moved item extends to its end, and a moved section up to its next heading."""
    found: tuple[dict[int, int], dict[int, int]] = {}, {}
    for side, units in enumerate((old, new)):
        linked = {n: link.move for link in links for n in (range(link.a, link.b), range(link.c, link.d))[side]}
        move, has_title = 0, False
        between: list[int] = []
        for n, unit in enumerate(units):
            is_title = unit.kind in ("heading", "tag")
            if n in linked:
                if linked[n] == move:
                    found[side].update(dict.fromkeys(between if move else (), move))
                else:
                    move, has_title = linked[n], is_title
                between = []
                continue
            between.append(n)
            has_title = has_title and not is_title
            is_rest = n > 0 and unit.block == units[n - 1].block and (n - 1 in linked or n - 1 in found[side])
            if move and (has_title or is_rest):
                found[side][n] = move
    return found
