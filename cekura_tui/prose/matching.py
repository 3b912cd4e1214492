"""What two sequences have in common, in order, by their unique members first (patience); the work is bounded."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

Gap = tuple[int, int, int, int]
"""old[a:b] against new[c:d]."""
Pairs = list[tuple[int, int]]
Rest = Callable[[int, int, int, int], Pairs]

Stop = Callable[[], bool]
"""Whether to stop a comparison; called on the thread that compares."""
_Item = TypeVar("_Item")

_DEEPEST = 60
_REPEATS = 5_000
_LONGEST = 400


class Stopped(Exception):
    """A comparison was stopped before its end."""


def never() -> bool:
    """Do not stop."""
    return False


def stoppable(stop: Stop, items: Iterable[_Item], every: int = 64) -> Iterator[_Item]:
    """The items; `stop` is asked before the first one and after each `every` of them. Raises Stopped."""
    for n, item in enumerate(items):
        if n % every == 0 and stop():
            raise Stopped
        yield item


def match(
    old: Sequence[Hashable], new: Sequence[Hashable], rest: Rest | None = None, worth: Sequence[int] | None = None
) -> Pairs:
    """Pairs (i, j) with old[i] == new[j], both rising. A gap without a unique common member goes to `rest`.

    Where unique members changed places, most stay; with `worth`, one number for each of `old`, those that weigh most.
    """
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
        unique = _unique(old, new, (a, b, c, d)) if depth < _DEEPEST else []
        anchors = rising(unique, None if worth is None else [worth[i] for i, _ in unique])
        if not anchors:
            pairs.extend(rest(a, b, c, d) if rest else [])
            continue
        pairs.extend(anchors)
        at, to = a, c
        for i, j in [*anchors, (b, d)]:
            todo.append(((at, i, to, j), depth + 1))
            at, to = i + 1, j + 1
    return sorted(pairs)


def repeated(old: Sequence[Hashable], new: Sequence[Hashable]) -> Rest:
    """A `rest` for passages that are there several times: as `short_gaps`, else the first goes with the first."""
    shortly = short_gaps(old, new)

    def rest(a: int, b: int, c: int, d: int) -> Pairs:
        if found := shortly(a, b, c, d):
            return found
        places: dict[Hashable, deque[int]] = defaultdict(deque)
        for j in range(c, d):
            places[new[j]].append(j)
        return rising([(i, there.popleft()) for i in range(a, b) if (there := places.get(old[i]))])

    return rest


def short_gaps(old: Sequence[Hashable], new: Sequence[Hashable]) -> Rest:
    """A `rest` for words: longest common stretches where that is cheap, nothing in common where it is not."""
    left = 10 * _REPEATS

    def rest(a: int, b: int, c: int, d: int) -> Pairs:
        nonlocal left
        counts = Counter(new[c:d])
        repeats = sum(counts[word] for word in old[a:b])
        if not repeats or repeats > min(_REPEATS, left) or b - a > _LONGEST or d - c > _LONGEST:
            return []
        left -= repeats
        blocks = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False).get_matching_blocks()
        return [(a + m.a + k, c + m.b + k) for m in blocks for k in range(m.size)]

    return rest


def slid(
    old: Sequence[Hashable], new: Sequence[Hashable], pairs: Pairs, cut: Callable[[int, int, int, int], int]
) -> Pairs:
    """The pairs with every passage [start, end) that is in one sequence alone where it is cut best.

    A passage that ends like the text before it fits earlier as well, and so on. `cut` says how good a place is:
    of the side (0 old, 1 new), start, end, and by how much that is later than now; of equals the nearest is taken.
    """
    pairs = list(pairs)
    for k in range(len(pairs) + 1):
        i, j = pairs[k - 1] if k else (-1, -1)
        i_end, j_end = pairs[k] if k < len(pairs) else (len(old), len(new))
        if (i_end - i > 1) == (j_end - j > 1):
            continue
        side, start, end = (0, i + 1, i_end) if i_end - i > 1 else (1, j + 1, j_end)
        members = (old, new)[side]
        back = ahead = 0
        while k > back and members[end - 1 - back] == members[start - 1 - back] and _adjoin(pairs, k - back - 1, k - 1):
            back += 1
        while (
            k + ahead < len(pairs) and members[start + ahead] == members[end + ahead] and _adjoin(pairs, k, k + ahead)
        ):
            ahead += 1
        steps = range(-back, ahead + 1)
        step = max(steps, key=lambda step: (cut(side, start + step, end + step, step), -abs(step)))
        shift = end - start if step < 0 else start - end
        for n in range(k + step, k) if step < 0 else range(k, k + step):
            pairs[n] = (pairs[n][0] + shift, pairs[n][1]) if side == 0 else (pairs[n][0], pairs[n][1] + shift)
    return pairs


def _adjoin(pairs: Pairs, first: int, last: int) -> bool:
    """Whether between two pairs there is nothing but pairs."""
    length = last - first
    return pairs[last][0] - pairs[first][0] == length and pairs[last][1] - pairs[first][1] == length


def _unique(old: Sequence[Hashable], new: Sequence[Hashable], gap: Gap) -> Pairs:
    """The members that occur once on each side of the gap, as pairs."""
    a, b, c, d = gap
    in_old, in_new = Counter(old[a:b]), Counter(new[c:d])
    places = {member: j for j, member in enumerate(new[c:d], c) if in_new[member] == 1}
    return [(i, places[member]) for i, member in enumerate(old[a:b], a) if in_old[member] == 1 and member in places]


def rising(pairs: Pairs, worth: Sequence[int] | None = None) -> Pairs:
    """Of pairs (i, j), sorted by i, the longest run that rises in both; with `worth` the one that is worth most."""
    return _longest(pairs) if worth is None else _heaviest(pairs, worth)


def _longest(pairs: Pairs) -> Pairs:
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for k, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [k]
    return _run(pairs, before, last[-1] if last else -1)


def _heaviest(pairs: Pairs, worth: Sequence[int]) -> Pairs:
    """By a tree of the best run that ends at or before a place; of equal i no two are taken."""
    places = {j: n for n, j in enumerate(sorted({j for _, j in pairs}), 1)}
    tree: list[tuple[int, int]] = [(0, -1)] * (len(places) + 1)
    before = [-1] * len(pairs)
    best = (0, -1)
    # Of one i the last j first, so that none of them follows another.
    for k in sorted(range(len(pairs)), key=lambda k: (pairs[k][0], -pairs[k][1])):
        place = places[pairs[k][1]]
        found, n = (0, -1), place - 1
        while n > 0:
            if tree[n][0] > found[0]:
                found = tree[n]
            n -= n & -n
        before[k] = found[1]
        here = (found[0] + worth[k], k)
        if here[0] > best[0]:
            best = here
        while place < len(tree):
            if here[0] > tree[place][0]:
                tree[place] = here
            place += place & -place
    return _run(pairs, before, best[1])


def _run(pairs: Pairs, before: Sequence[int], k: int) -> Pairs:
    run: Pairs = []
    while k >= 0:
        run.append(pairs[k])
        k = before[k]
    return run[::-1]
