"""What two sequences have in common, in order, by their unique members first (patience); the work is bounded."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

Gap = tuple[int, int, int, int]
"""old[a:b] against new[c:d]."""
Pairs = list[tuple[int, int]]
Rest = Callable[[int, int, int, int], Pairs]

_DEEPEST = 60
_REPEATS = 5_000
_LONGEST = 400


def match(old: Sequence[str], new: Sequence[str], rest: Rest | None = None) -> Pairs:
    """Pairs (i, j) with old[i] == new[j], both rising. A gap without a unique common member goes to `rest`."""
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
        anchors = _unique(old, new, (a, b, c, d)) if depth < _DEEPEST else []
        if not anchors:
            pairs.extend(rest(a, b, c, d) if rest else [])
            continue
        pairs.extend(anchors)
        at, to = a, c
        for i, j in [*anchors, (b, d)]:
            todo.append(((at, i, to, j), depth + 1))
            at, to = i + 1, j + 1
    return sorted(pairs)


def short_gaps(old: Sequence[str], new: Sequence[str]) -> Rest:
    """A `rest` for words: longest common stretches where that is cheap, nothing in common where it is not."""
    left = 10 * _REPEATS

    def rest(a: int, b: int, c: int, d: int) -> Pairs:
        nonlocal left
        counts = Counter(new[c:d])
        repeats = sum(counts[word] for word in old[a:b])
        if repeats > min(_REPEATS, left) or b - a > _LONGEST or d - c > _LONGEST:
            return []
        left -= repeats
        blocks = SequenceMatcher(None, old[a:b], new[c:d], autojunk=False).get_matching_blocks()
        return [(a + m.a + k, c + m.b + k) for m in blocks for k in range(m.size)]

    return rest


def _unique(old: Sequence[str], new: Sequence[str], gap: Gap) -> Pairs:
    """The longest rising run of members that occur once on each side of the gap."""
    a, b, c, d = gap
    in_old, in_new = Counter(old[a:b]), Counter(new[c:d])
    places = {member: j for j, member in enumerate(new[c:d], c) if in_new[member] == 1}
    both = [(i, places[m]) for i, m in enumerate(old[a:b], a) if in_old[m] == 1 and m in places]
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for k, (_, j) in enumerate(both):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [k]
    run: Pairs = []
    k = last[-1] if last else -1
    while k >= 0:
        run.append(both[k])
        k = before[k]
    return run[::-1]
