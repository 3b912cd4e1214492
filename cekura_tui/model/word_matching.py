"""Which words of two versions of a passage are the same, as a reader sees it: no confetti of small words that happen to
stand in both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from cekura_tui.model.matching import Pairs, match, short_gaps, slid

_CELLS = 160_000
"""Pairs of words that are weighed one by one; longer passages are compared by their unique words first."""
_CONTENT, _LETTER, _SMALL, _MARK, _ON = 10, 5, 4, 1, 3
_CLAUSE = '.,;:!?)]}"”»。，；：！？'
_LEAST_SHARE = 0.3
"""The least part of the weight of both passages that must be the same; with less, one is not a version of the other."""


def same_words(old: Sequence[str], new: Sequence[str], *, closely: bool = True) -> Pairs:
    """Pairs (i, j) with old[i] == new[j], both rising; none where the passages are not versions of one another.

    Without `closely` only the words that are in each once are paired, and their neighbours: in time that grows with
    their number alone.
    """
    start, most = 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    if not closely:
        inner = match(a, b)
    else:
        inner = _heaviest(a, b) if len(a) * len(b) <= _CELLS else match(a, b, short_gaps(a, b))
    pairs = [(i, i) for i in range(start)]
    pairs += [(start + i, start + j) for i, j in inner]
    pairs += [(len(old) - k, len(new) - k) for k in range(end, 0, -1)]
    return _without_crumbs(old, new, _cut_well(old, new, pairs))


def weight(word: str) -> int:
    """What a word tells: much, if it is long or a figure; less, if it is a letter of a script without spaces; little,
    if it is small; next to nothing, if it is a mark."""
    letters = sum(map(str.isalnum, word))
    if not letters:
        return _MARK
    if letters > 3 or any(map(str.isdigit, word)):
        return _CONTENT
    return _LETTER if word[0] >= "\u0e00" else _SMALL


def telling(word: str) -> bool:
    """Whether a word tells which passages are versions of one another."""
    return weight(word) >= _LETTER


def weights(words: Sequence[str]) -> int:
    """What all words tell."""
    return sum(map(weight, words))


def _heaviest(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """The common words, in order, that weigh most; of equals those that stand together."""
    if not a or not b:
        return []
    width = len(b) + 1
    worth = [weight(word) for word in a]
    best = [[0] * width for _ in range(len(a) + 1)]
    run = [[0] * width for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below, on, on_below, word, value = best[i], best[i + 1], run[i], run[i + 1], a[i], worth[i]
        ahead = 0
        for j in range(len(b) - 1, -1, -1):
            most = below[j] if below[j] > ahead else ahead
            if word == b[j]:
                joined = on_below[j + 1] + _ON if on_below[j + 1] else 0
                here = value + (joined if joined > below[j + 1] else below[j + 1])
                on[j] = here
                if here > most:
                    most = here
            row[j] = ahead = most
    pairs: Pairs = []
    i = j = 0
    goes_on = False
    while i < len(a) and j < len(b):
        if run[i][j] and (goes_on or run[i][j] == best[i][j]):
            pairs.append((i, j))
            after = run[i + 1][j + 1]
            goes_on = bool(after) and after + _ON >= best[i + 1][j + 1]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _cut_well(old: Sequence[str], new: Sequence[str], pairs: Pairs) -> Pairs:
    """Where a passage that came or went could stand a few words earlier or later, let it end with a clause."""

    def cut(side: int, start: int, end: int, step: int) -> int:
        words = (old, new)[side]
        alone = start > step and weight(words[start - step - 1]) <= _SMALL and step > 0
        return 2 * _clause(words, start, end) + alone

    return slid(old, new, pairs, cut)


def _clause(words: Sequence[str], start: int, end: int) -> int:
    """How well words [start, end) are cut: after a clause, and to the end of one."""
    before = start == 0 or words[start - 1][-1] in _CLAUSE
    return 2 * (words[end - 1][-1] in _CLAUSE) + before


def _without_crumbs(old: Sequence[str], new: Sequence[str], pairs: Pairs) -> Pairs:
    """Leave out what stands between changes and is small beside them; all, where too little is the same."""
    old_upto, new_upto = (list(accumulate(map(weight, words), initial=0)) for words in (old, new))
    todo = _runs(pairs)[::-1]
    runs: list[tuple[int, int, int]] = []
    while todo:
        i, j, length = todo.pop()
        i_before, j_before = (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) if runs else (0, 0)
        i_after, j_after = todo[-1][:2] if todo else (len(old), len(new))
        left = old_upto[i] - old_upto[i_before] + new_upto[j] - new_upto[j_before]
        right = old_upto[i_after] - old_upto[i + length] + new_upto[j_after] - new_upto[j + length]
        if not (left and right and _is_crumb(old_upto[i + length] - old_upto[i], left, right)):
            runs.append((i, j, length))
        elif runs:
            todo.append(runs.pop())  # more changed beside it now
    same = sum(old_upto[i + length] - old_upto[i] for i, _, length in runs)
    if 2 * same < _LEAST_SHARE * (old_upto[-1] + new_upto[-1]):
        return []
    return [(i + n, j + n) for i, j, length in runs for n in range(length)]


def _runs(pairs: Pairs) -> list[tuple[int, int, int]]:
    runs: list[tuple[int, int, int]] = []
    for i, j in pairs:
        if runs and (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) == (i, j):
            runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
        else:
            runs.append((i, j, 1))
    return runs


def _is_crumb(same: int, left: int, right: int) -> bool:
    """Whether what is the same between two changes is too little to be read as such."""
    if same <= _SMALL + _MARK:
        return True
    return same < _CONTENT * 2 and min(left, right) >= _CONTENT * 4
