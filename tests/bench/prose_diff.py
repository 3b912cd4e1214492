"""Speed of the prose diff, and its marks on the hand-marked pairs of `tests/prose`, compared with the marks of git and
of diff-match-patch (`diff_main` and `diff_cleanupSemantic`).

Times are for prompts of 3,000 words (budget 150 ms) and of 20,000 words (1.5 s), built from the pairs. The new prompt
has the changes of the pairs, one word in seven changed, or all lines shuffled. Also measured is the delay that a
comparison in a thread causes in an event loop, such as the loop of the screens.

Marks are counted for each set of pairs, separately for surgical changes and for heavy rewrites:

- words marked by the diff / words marked by hand (budgets 1.1 and 1.3), and this ratio without the three best pairs
- hand-marked words that the diff missed
- hunks / decisions that a reader counted (budget 1.5); git's hunks are runs of changed words, with the number of hunks
  of `git diff -U0` in brackets
- islands of one or two unmarked words between marked words / islands in the reader's marks
- words with only some letters marked
- for wrapped answers: words marked outside the wrapper / words marked in the answer without its wrapper (budget 1.05)

The part `decisions` counts, for prompts in which a reader marked his decisions, how many of the decisions can be taken
alone, in brackets with exactly one hunk: with our hunks as first shown and split as far as possible, the hunks of
`git diff -U0`, and the runs of changes of diff-match-patch. It also counts the hunks shown at first and the things that
the reader decides, and the words marked, in brackets those missed, and the words that the decisions change.

diff-match-patch gives up on a long text after a second, its default, so its figures depend on the machine. With
details, every pair of `cases/` is reported with the words whose marks differ: [ours], {by hand}, and every pair of
`rewrites/` with the decisions that cannot be taken alone. Of the pairs of `held/` and `rewrites_held/` such details are
never reported, so that the diff is not tuned on them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence

import decisions as by_reader
from prose_cases import pairs
from prose_scores import Score, git_diff, in_context, islands_by_hand, kinds, match_patch_diff, prose_diff, score, total
from rewrites import rewrites

from cekura_tui.prose.compare import compare
from tests.bench.row import Options, Row

DIFFERS = {"prose diff": prose_diff, "git --word-diff": git_diff, "diff-match-patch": match_patch_diff}
KINDS = ("surgical", "heavy", "wrapped", "restyled")
BUDGETS = {3_000: 150.0, 20_000: 1_500.0}
"""Limits of the comparison time in milliseconds, by number of words."""
MOST_MARKED = {"surgical": 1.1, "heavy": 1.3}
MOST_HUNKS = 1.5


def rows(options: Options) -> Iterator[Row]:
    """Time comparisons of prompts of 3,000 words."""
    yield from times(3_000, options)


def times(words: int, options: Options) -> Iterator[Row]:
    """Time the comparison of prompts of this many words, and the delay that the comparison causes in an event loop."""
    for name, (old, new) in _prompts(words).items():
        took = []
        for _ in range(options.repeat):
            start = time.perf_counter()
            compare(old, new)
            took.append((time.perf_counter() - start) * 1e3)
        yield Row(f"prose diff, {words:,} words, {name}", "ms", took, most=BUDGETS[words])
        lag = [asyncio.run(_lag(old, new)) * 1e3 for _ in range(5)]
        yield Row(f"prose diff, {words:,} words, {name}: the loop waits", "ms", lag)


def marks(options: Options) -> Iterator[Row]:
    """Print a table that compares the marks of each differ with the marks made by hand. Yields the times of long
    prompts, and the figures of the prose diff that have a budget."""
    yield from times(20_000, options)
    head = ("", "", "", "marked / by hand", "but 3", "missed", "hunks / edits", "islands", "cut", "/ bare")
    print(LINE.format(*head).rstrip())
    for half in ("cases", "held"):
        found = list(pairs(half))
        scores = {name: [score(pair, differ) for pair in found] for name, differ in DIFFERS.items()}
        for kind in KINDS:
            of_kind = [n for n, pair in enumerate(found) if kind in kinds(pair)]
            islands = sum(islands_by_hand(found[n]) for n in of_kind)
            for name, every in scores.items():
                cells = _cells([every[n] for n in of_kind], islands)
                print(LINE.format(f"{half}: {kind}", len(of_kind), name, *cells).rstrip())
        if options.details and half == "cases":
            for n, pair in enumerate(found):
                parts = (f"{name} {_each(its[n])}" for name, its in scores.items())
                print(f"{pair.name}: {'; '.join(parts)}", *in_context(pair), sep="\n    ")
        for kind, most in MOST_MARKED.items():
            ours = total([one for one, pair in zip(scores["prose diff"], found, strict=True) if kind in kinds(pair)])
            yield Row(f"marks, {half}, {kind}: marked / by hand", "", [ours.ratio], most=most)
            if ours.edits:
                yield Row(f"marks, {half}, {kind}: hunks / edits", "", [ours.hunks / ours.edits], most=MOST_HUNKS)


LINE = "{:16} {:3} {:16} {:>20} {:>6} {:>7} {:>24} {:>10} {:>5} {:>7}"


def _cells(scores: Sequence[Score], islands: int) -> tuple[str, ...]:
    """A row's cells from the fourth column on: the totals of all `scores` of one diff program."""
    every, rest = total(scores), total(sorted(scores, key=lambda one: one.ratio)[3:])
    edits = f"{every.hunks} / {every.edits} = {every.hunks / every.edits:.2f}" if every.edits else ""
    lines = f" ({every.line_hunks})" if every.edits and every.line_hunks else ""
    bare = f"{every.outside / every.bare:.2f}" if every.bare else ""
    marked = f"{every.marked} / {every.by_hand} = {every.ratio:.2f}"
    missed = str(len(every.missed))
    return marked, f"{rest.ratio:.2f}", missed, edits + lines, f"{every.islands} / {islands}", str(every.cut), bare


def _each(one: Score) -> str:
    edits = f", {one.hunks} hunks for {one.edits} edits" if one.edits else ""
    return f"{one.marked} / {one.by_hand} ({one.ratio:.2f}), {len(one.missed)} missed{edits}"


def decisions(options: Options) -> Iterator[Row]:
    """Print a table of the decisions that can be taken alone. Yields the figures of the prose diff that have a
    budget."""
    shown, marked = ("shown: ours", "git", "dmp", "asked"), ("words: ours", "git", "dmp", "true")
    print(DECIDED.format("", "", *by_reader.DIFFERS, *shown, *marked))
    for half in ("rewrites", "rewrites_held"):
        found = {name: list[by_reader.Decided]() for name in by_reader.DIFFERS}
        for pair in rewrites(half):
            for name, every in found.items():
                every.append(by_reader.decided(pair, name))
            print(DECIDED.format(pair.name, *_decided([every[-1] for every in found.values()])))
            if options.details and half == "rewrites":
                for who, label in pair.labels.items():
                    lost = [name for name, every in found.items() if every[-1].taken.get(who, []) is None]
                    if lost:
                        print(f"    {who}. {label}: not with {'; '.join(lost)}")
        if not any(found.values()):
            continue
        totals = [by_reader.total(every) for every in found.values()]
        print(DECIDED.format(f"{half}: {len(found['ours'])} pairs", *_decided(totals)))
        ours, split, *_ = totals
        count = len(ours.taken)
        for what, one, least in (("", ours, LEAST_ALONE), (", split", split, LEAST_ALONE_SPLIT)):
            yield Row(f"decisions, {half}: alone{what} / all", "", [one.alone / count], at_least=least)
        yield Row(f"decisions, {half}: hunks / asked", "", [ours.shown / ours.asked], most=MOST_SHOWN)
        better = sum(one.alone < other.alone for one, other in zip(found["ours"], found["git diff"], strict=True))
        yield Row(f"decisions, {half}: pairs in which more can be taken alone with git", "", [better], most=0)


DECIDED = "{:24} {:>4} {:>12} {:>12} {:>12} {:>16}   {:>11} {:>5} {:>5} {:>6}   {:>11} {:>11} {:>11} {:>5}"
LEAST_ALONE, LEAST_ALONE_SPLIT, MOST_SHOWN = 75 / 116, 95 / 116, 1.2


def _decided(found: Sequence[by_reader.Decided]) -> Iterator[object]:
    """A row's cells from the second column on, for one pair or for all; `found` has the figures of each differ."""
    first, others = found[0], [found[0], *found[2:]]
    yield len(first.taken)
    yield from (f"{one.alone} ({one.with_one})" for one in found)
    yield from (one.shown for one in others)
    yield first.asked
    yield from (f"{one.marked} ({one.missed})" for one in others)
    yield first.true


def _prompts(words: int) -> dict[str, tuple[str, str]]:
    """Old and new prompts of at least this many words, by kind of change."""
    sides: tuple[list[str], list[str]] = ([], [])
    found = list(pairs("cases"))
    rng = random.Random(1)
    while sum(len(text.split()) for text in sides[0]) < words:
        pair, copy = found[len(sides[0]) % len(found)], len(sides[0]) // len(found)
        for side, text in zip(sides, (pair.sent.text, pair.proposed.text), strict=True):
            side.append(text.replace("\r\n", "\n").replace(". ", f" {copy}. " if copy else ". "))
    old, new = ("\n\n".join(side) for side in sides)
    lines = new.split("\n")
    rng.shuffle(lines)
    reworded = " ".join(word[::-1] if rng.random() < 1 / 7 else word for word in new.split(" "))
    return {"their changes": (old, new), "one word in seven": (old, reworded), "shuffled": (old, "\n".join(lines))}


async def _lag(old: str, new: str) -> float:
    """Longest delay of an event loop, in seconds, while a thread compares two prompts."""
    comparing = asyncio.create_task(asyncio.to_thread(compare, old, new))
    longest, before = 0.0, time.perf_counter()
    while not comparing.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, before = max(longest, now - before - 0.001), now
    return longest
