"""Which decisions of a reader can be taken alone with the hunks of a diff (`rewrites`).

A decision can be taken alone if accepting some hunks gives the text in which only this decision is taken. The two texts
are compared without formatting: emphasis, quotation marks, markers of items and headings, white space, and punctuation
at the end of a word. Numbers that follow from other decisions may be old or new.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import groupby, product
from pathlib import Path
from typing import NamedTuple

from prose_scores import Drawn, changed_letters, git_diff, marked_words, match_patch_diff
from rewrites import Mark, Rewrite

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.prose.staging import HunkChoice, staged

_FORMATTING = re.compile("[*_`\"“”„«»'‘’‚‹›]")
_MARKERS = re.compile(
    r"^(?:[ \t>]*(?:[-+•–—]|#{1,6}|\(?\d{1,3}[.):]|[a-z][.)]|(?:step|rule|schritt|regel|paso|regla|étape|passo)"
    r" \d{1,2}\s*[.:)–—-]?)(?=\s))*",
    re.IGNORECASE,
)
_FENCE = re.compile(r"[ \t>]*(```|~~~)")
_FOLLOWS = "０"
"""Replaces each number that follows from other decisions."""


class Words(NamedTuple):
    """The words of a text. For each word, `stops` is "." if a full stop is behind it within a line, else "", and "\n"
    at the end of a line, where a full stop is formatting."""

    words: tuple[str, ...]
    stops: tuple[str, ...]


def plain_words(text: str) -> Words:
    """The words of a text without formatting; a line of a fence is a word."""
    found = [pair for line in text.splitlines() for pair in _line_words(line)]
    return Words(tuple(word for word, _ in found), tuple(stop for _, stop in found))


@lru_cache(maxsize=8_192)
def _line_words(line: str) -> list[tuple[str, str]]:
    if fence := _FENCE.match(line):
        return [(fence[1], "\n")]
    bare = _MARKERS.sub("", _FORMATTING.sub("", line).casefold(), count=1)
    words = [word for word in re.split(r"[\s–—]+", bare) if any(map(str.isalnum, word))]
    last = len(words) - 1
    return [
        (word.rstrip(".:;,"), "\n" if n == last else "." * word.rstrip(":;,").endswith("."))
        for n, word in enumerate(words)
    ]


def _words_of_lines(text: str) -> Words:
    """The words of a text without formatting, with a line end after each line that has words."""
    lines = filter(None, map(_line_words, text.splitlines()))
    words = tuple(word for line in lines for word in (*(word for word, _ in line), "\n"))
    return Words(words, ("\n",) * len(words))


def _words_and_marks(text: str) -> Words:
    words = re.findall(r"[\w{}]+|[^\w\s]|\n", re.sub(r"\s*\n\s*", "\n", text))
    return Words(tuple(words), ("\n",) * len(words))


_EXACT: tuple[Callable[[str], Words], ...] = (plain_words, _words_of_lines, _words_and_marks)
"""The words to compare, more exactly if a decision changes nothing in them."""


class Hunks(NamedTuple):
    """The hunks of a diff, with the numbers from 0 to `count` − 1. `staged` makes the text in which these hunks are
    accepted. `drawn` has the marks of the diff."""

    count: int
    staged: Callable[[Collection[int]], str]
    drawn: Drawn


def ours(sent: str, answer: str) -> Hunks:
    return _hunks(compare(sent, answer))


def ours_split(sent: str, answer: str) -> Hunks:
    """All hunks, split as far as possible."""
    keys, diff = frozenset[str](), compare(sent, answer)
    while more := {hunk.key for hunk in diff.hunks if hunk.parts} - keys:
        keys |= more
        diff = compare(sent, answer, split=keys)
    return _hunks(diff)


def _hunks(diff: ProseDiff) -> Hunks:
    count = len(diff.hunks)
    old, new = changed_letters(diff)
    if diff.new != diff.proposed:  # the answer was decoded
        letters = [False] * len(diff.proposed)
        for at, to, size in SequenceMatcher(None, diff.new, diff.proposed, autojunk=False).get_matching_blocks():
            letters[to : to + size] = new[at : at + size]
        new = letters
    drawn = Drawn(old, new, count)
    return Hunks(count, lambda taken: staged(diff, {n + 1: _ACCEPTED for n in taken}), drawn)


_ACCEPTED = HunkChoice("accepted")


def git(sent: str, answer: str) -> Hunks:
    """The hunks of `git diff -U0`; the marks are of its words."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("old", sent), ("new", answer)):
            (Path(folder) / name).write_bytes(text.encode("utf-8"))
        command = ["git", "diff", "--no-index", "--no-color", "-U0", "old", "new"]
        printed = subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout.decode("utf-8")
    old, new = sent.splitlines(True), answer.splitlines(True)
    edits = []
    for hit in re.finditer(r"(?m)^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", printed):
        # A range without lines names the line before it.
        (start, count), (to, more) = ((int(hit[n]) - (hit[n + 1] != "0"), int(hit[n + 1] or 1)) for n in (1, 3))
        edits.append((start, start + count, "".join(new[to : to + more])))
    return Hunks(len(edits), lambda taken: _applied(old, edits, taken), git_diff(sent, answer))


def match_patch(sent: str, answer: str) -> Hunks:
    """The runs of changes of diff-match-patch after `diff_cleanupSemantic`."""
    from diff_match_patch import diff_match_patch

    differ = diff_match_patch()
    found = differ.diff_main(sent, answer)
    differ.diff_cleanupSemantic(found)
    edits, at = [], 0
    for is_same, run in groupby(found, key=lambda one: one[0] == 0):
        its = list(run)
        end = at + sum(len(text) for op, text in its if op <= 0)
        if not is_same:
            edits.append((at, end, "".join(text for op, text in its if op > 0)))
        at = end
    return Hunks(len(edits), lambda taken: _applied(sent, edits, taken), match_patch_diff(sent, answer))


def _applied(old: Sequence[str], edits: Sequence[tuple[int, int, str]], taken: Collection[int]) -> str:
    text, at = "", 0
    for n in sorted(taken):
        start, end, new = edits[n]
        text, at = text + "".join(old[at:start]) + new, end
    return text + "".join(old[at:])


DIFFERS: dict[str, Callable[[str, str], Hunks]] = {
    "ours": ours,
    "ours, split": ours_split,
    "git diff": git,
    "diff-match-patch": match_patch,
}


class Decided(NamedTuple):
    """For each decision the numbers of hunks that take it alone, None if it cannot be taken alone. `shown` is the
    number of hunks, `asked` of what a reader decides. `marked` counts marked words, `true` the words that the decisions
    change, `missed` the changed words that are not marked."""

    taken: dict[str, list[int] | None]
    shown: int
    asked: int
    runs: int
    marked: int
    true: int
    missed: int

    @property
    def alone(self) -> int:
        return sum(taken is not None for taken in self.taken.values())

    @property
    def with_one(self) -> int:
        return sum(taken is not None and len(taken) == 1 for taken in self.taken.values())


@cache
def decided(pair: Rewrite, differ: str) -> Decided:
    """Which decisions of a pair can be taken alone; if hunks may be split, with the hunks as first shown or split."""
    hunks = DIFFERS[differ](pair.sent, pair.answer)
    whole = decided(pair, "ours").taken if differ == "ours, split" else {}
    searches = [_Search(hunks, words) for words in _EXACT]
    taken = dict[str, list[int] | None]()
    for who in pair.decisions:
        if whole.get(who) is not None:
            taken[who] = whole[who]
            continue
        search = next(one for one in searches if not _equal(one.words(pair.text(who)), one.sent))
        found = (search.hunks_for(target) for target in _targets(pair, who, search.words))
        taken[who] = min((one for one in found if one is not None), key=len, default=None)
    flags = [
        (is_true, is_marked)
        for side, letters in zip(pair.changed_words(), hunks.drawn[:2], strict=True)
        for (_, is_true), is_marked in zip(side, marked_words([word for word, _ in side], letters), strict=True)
    ]
    return Decided(
        taken,
        hunks.count,
        pair.asked,
        hunks.drawn.hunks,
        sum(is_marked for _, is_marked in flags),
        sum(is_true for is_true, _ in flags),
        sum(is_true > is_marked for is_true, is_marked in flags),
    )


def _targets(pair: Rewrite, who: str, words: Callable[[str], Words]) -> list[Words]:
    """The words of the text in which only this decision is taken, with old and with new numbers."""

    def text(mark: Mark) -> str:
        return re.sub(r"\d+", _FOLLOWS, mark.text) if mark.who == "N" else mark.text

    return list(dict.fromkeys(words("".join(map(text, pair.parts(who, *more)))) for more in ((), ("N",))))


def _equal(target: Words, found: Words) -> bool:
    return (
        len(target.words) == len(found.words)
        and all(
            one == other or (_FOLLOWS in one and one == re.sub(r"\d+", _FOLLOWS, other))
            for one, other in zip(target.words, found.words, strict=True)
        )
        and all(one == other or "\n" in (one, other) for one, other in zip(target.stops, found.stops, strict=True))
    )


class _Search:
    """Finds the hunks that make a text. What hunks add and remove is nearly independent of other hunks, so a set of
    hunks is estimated first and its text is made only to confirm it."""

    def __init__(self, hunks: Hunks, words: Callable[[str], Words]) -> None:
        self.hunks, self.words = hunks, words
        self.sent = words(hunks.staged(()))
        self._grams = _grams(self.sent)
        self._made = cache(lambda taken: words(hunks.staged(taken)))

    @cache  # noqa: B019
    def _changes(self) -> dict[tuple[int, ...], Counter[object]]:
        """What each hunk adds (> 0) and removes (< 0), and what two hunks do together if one removes three words in a
        row that the other adds."""
        alone = {(n,): _minus(_grams(self._made((n,))), self._grams) for n in range(self.hunks.count)}
        found = dict(alone)
        signs: dict[object, tuple[list[int], list[int]]] = {}
        for (one,), change in alone.items():
            for gram, count in change.items():
                if isinstance(gram, tuple):
                    signs.setdefault(gram, ([], []))[count > 0].append(one)
        for one, other in {tuple(sorted(pair)) for both in signs.values() for pair in product(*both)}:
            found[one, other] = Counter(alone[one,])
            found[one, other].update(alone[other,])
        return found

    def hunks_for(self, target: Words) -> list[int] | None:
        """Hunks whose text has these words, or None if there are none."""
        if _equal(target, self.sent):
            return []
        goal, taken, left = _grams(target), tuple[int, ...](), 0
        wanted = _minus(goal, self._grams)
        while True:
            gains = (
                (_gain(wanted, change), tuple(sorted({*taken, *hunks})))
                for hunks, change in self._changes().items()
                if change and not set(hunks) <= set(taken)
            )
            nearest = sorted((found for found in gains if found[0] > _LEAST_GAIN), reverse=True)[:_TRIED]
            for _, hunks in nearest:
                if _equal(target, self._made(hunks)):
                    return list(hunks)
            after = ((_minus(goal, _grams(self._made(hunks))), hunks) for _, hunks in nearest)
            left = sum(map(abs, wanted.values()))
            wanted, taken = min(after, key=lambda found: sum(map(abs, found[0].values())), default=(wanted, taken))
            if sum(map(abs, wanted.values())) >= left:
                return None


_LEAST_GAIN, _TRIED = -8, 6
"""Hunks next to each other gain more than estimated, so that the few best estimates are tried."""


def _grams(found: Words) -> Counter[object]:
    """The words, each three words in a row, and each full stop within a line."""
    padded = (*found.words, "", "")
    grams: Counter[object] = Counter(zip(padded, padded[1:], padded[2:], strict=False))
    grams.update(found.words)
    grams.update(f"{word}." for word, stop in zip(*found, strict=True) if stop == ".")
    return grams


def _minus(one: Counter[object], other: Counter[object]) -> Counter[object]:
    found = Counter(one)
    found.subtract(other)
    return Counter({gram: count for gram, count in found.items() if count})


def _gain(wanted: Counter[object], change: Counter[object]) -> int:
    """By how much less is missing after this change."""
    get = wanted.get
    return sum(abs(missing) - abs(missing - count) for gram, count in change.items() for missing in (get(gram, 0),))


def total(found: Collection[Decided]) -> Decided:
    """Sum of all numbers; decisions are named after the position of their pair, as "0: 12"."""
    taken = {f"{n}: {who}": hunks for n, one in enumerate(found) for who, hunks in one.taken.items()}
    return Decided(taken, *(sum(getattr(one, name) for one in found) for name in Decided._fields[1:]))
