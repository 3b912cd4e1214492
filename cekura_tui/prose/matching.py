"""Patience diff of two sequences: match unique members first, then the gaps between them, with bounded work."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

Gap = tuple[int, int, int, int]
"""(a, b, c, d): members old[a:b] are to be matched with new[c:d]."""
Pairs = list[tuple[int, int]]
Fallback = Callable[[int, int, int, int], Pairs]

Stop = Callable[[], bool]
"""Returns True to stop a comparison; called on the thread that compares."""
_Item = TypeVar("_Item")

_DEEPEST = 60
_REPEATS = 5_000
_LONGEST = 400


class Stopped(Exception):
    pass


def never() -> bool:
    return False


def stoppable(stop: Stop, items: Iterable[_Item], every: int = 64) -> Iterator[_Item]:
    """Yield the items; before the first and after every `every`, raise Stopped if `stop` returns True."""
    for n, item in enumerate(items):
        if n % every == 0 and stop():
            raise Stopped
        yield item


def match(
    old: Sequence[Hashable], new: Sequence[Hashable], fallback: Fallback | None = None, weights: list[int] | None = None
) -> Pairs:
    """Pairs (i, j) with old[i] == new[j], increasing in both. Of the unique common members, the longest increasing
    subsequence is paired, or, with `weights` (one for each member of `old`), the heaviest increasing subsequence. Gaps
    without a unique common member are passed to `fallback`, if given."""
    pairs: Pairs = []
    todo: list[tuple[Gap, int]] = [((0, len(old), 0, len(new)), 0)]
    while todo:
        (a, b, c, d), depth = todo.pop()
        while a < b and c < d and old[a] == new[c]:
            pairs.append((a, c))
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
            pairs.append((b, d))
        if a == b or c == d:
            continue
        unique = _unique_pairs(old, new, a, b, c, d) if depth < _DEEPEST else []
        anchors = longest_increasing(unique, None if weights is None else [weights[i] for i, _ in unique])
        if not anchors:
            pairs.extend(fallback(a, b, c, d) if fallback else [])
            continue
        pairs.extend(anchors)
        at, to = a, c
        for i, j in [*anchors, (b, d)]:
            todo.append(((at, i, to, j), depth + 1))
            at, to = i + 1, j + 1
    return sorted(pairs)


def in_order_fallback(old: Sequence[Hashable], new: Sequence[Hashable]) -> Fallback:
    """A fallback for repeated members: `difflib_fallback`, else equal members are paired in order."""
    by_difflib = difflib_fallback(old, new)

    def fallback(a: int, b: int, c: int, d: int) -> Pairs:
        if found := by_difflib(a, b, c, d):
            return found
        places: dict[Hashable, deque[int]] = defaultdict(deque)
        for j in range(c, d):
            places[new[j]].append(j)
        return longest_increasing([(i, there.popleft()) for i in range(a, b) if (there := places.get(old[i]))])

    return fallback


def difflib_fallback(old: Sequence[Hashable], new: Sequence[Hashable]) -> Fallback:
    """A fallback that uses difflib for short gaps with few repetitions, as long as the total number of repetitions is
    small. In any other gap, the fallback matches nothing."""
    left = 10 * _REPEATS

    def fallback(a: int, b: int, c: int, d: int) -> Pairs:
        nonlocal left
        counts = Counter(new[c:d])
        repeats = sum(counts[word] for word in old[a:b])
        if not repeats or repeats > min(_REPEATS, left) or b - a > _LONGEST or d - c > _LONGEST:
            return []
        left -= repeats
        blocks = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False).get_matching_blocks()
        return [(a + m.a + k, c + m.b + k) for m in blocks for k in range(m.size)]

    return fallback


def slide(
    old: Sequence[Hashable], new: Sequence[Hashable], pairs: Pairs, score: Callable[[int, int, int, int], int]
) -> Pairs:
    """Slide each passage that only one sequence has to the position with the best score, as git's diff does: up while
    its last member equals the member before it, down while its first member equals the member after it. `score` gets
    the side (0 old, 1 new), start and end after the slide, and the offset. Of equal scores, the least offset wins."""
    pairs, count = list(pairs), len(pairs)
    for k in range(count + 1):
        i, j = pairs[k - 1] if k else (-1, -1)
        i_end, j_end = pairs[k] if k < count else (len(old), len(new))
        if (i_end - i > 1) == (j_end - j > 1):
            continue
        side, start, end = (0, i + 1, i_end) if i_end - i > 1 else (1, j + 1, j_end)
        members = (old, new)[side]
        back = ahead = 0
        while k > back and members[end - 1 - back] == members[start - 1 - back] and _no_gap(pairs, k - back - 1, k - 1):
            back += 1
        while k + ahead < count and members[start + ahead] == members[end + ahead] and _no_gap(pairs, k, k + ahead):
            ahead += 1
        steps = range(-back, ahead + 1)
        step = max(steps, key=lambda step: (score(side, start + step, end + step, step), -abs(step)))
        shift = end - start if step < 0 else start - end
        for n in range(k + step, k) if step < 0 else range(k, k + step):
            pairs[n] = (pairs[n][0] + shift, pairs[n][1]) if side == 0 else (pairs[n][0], pairs[n][1] + shift)
    return pairs


def _no_gap(pairs: Pairs, first: int, last: int) -> bool:
    """Whether no unpaired member lies between pair `first` and pair `last`."""
    return sum(pairs[last]) - sum(pairs[first]) == 2 * (last - first)


def _unique_pairs(old: Sequence[Hashable], new: Sequence[Hashable], a: int, b: int, c: int, d: int) -> Pairs:
    """Pairs of the members that occur exactly once in old[a:b] and in new[c:d]."""
    in_old, in_new = Counter(old[a:b]), Counter(new[c:d])
    places = {member: j for j, member in enumerate(new[c:d], c) if in_new[member] == 1}
    return [(i, places[member]) for i, member in enumerate(old[a:b], a) if in_old[member] == 1 and member in places]


def longest_increasing(pairs: Pairs, weights: Sequence[int] | None = None) -> Pairs:
    """The longest (with `weights`, the heaviest) subsequence of `pairs`, sorted by i, that increases in i and j."""
    before, k = _longest_run(pairs) if weights is None else _heaviest_run(pairs, weights)
    run: Pairs = []
    while k >= 0:
        run.append(pairs[k])
        k = before[k]
    return run[::-1]


def _longest_run(pairs: Pairs) -> tuple[list[int], int]:
    """For each pair, the index of the pair before it in the longest run that ends in it, or −1; and the last index."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for k, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [k]
    return before, last[-1] if last else -1


def _heaviest_run(pairs: Pairs, weights: Sequence[int]) -> tuple[list[int], int]:
    """Uses a Fenwick tree of the best run that ends at or before each j. A run has at most one pair of each i."""
    places = {j: n for n, j in enumerate(sorted({j for _, j in pairs}), 1)}
    tree: list[tuple[int, int]] = [(0, -1)] * (len(places) + 1)
    before = [-1] * len(pairs)
    best = (0, -1)
    # Within one i the largest j first, so that no two pairs of one i are chained.
    for k in sorted(range(len(pairs)), key=lambda k: (pairs[k][0], -pairs[k][1])):
        place = places[pairs[k][1]]
        found, n = (0, -1), place - 1
        while n > 0:
            if tree[n][0] > found[0]:
                found = tree[n]
            n -= n & -n
        before[k] = found[1]
        here = (found[0] + weights[k], k)
        if here[0] > best[0]:
            best = here
        while place < len(tree):
            if here[0] > tree[place][0]:
                tree[place] = here
            place += place & -place
    return before, best[1]
