"""The prose diff against the pairs of `tests/prose`, marked by hand, beside `git diff --word-diff`; and its time.

    .venv/bin/python tests/bench/prose_diff.py [--each]

Of every half: the words marked by hand, the words that were marked as a ratio to them (budget 1.3), and the changed
words that were not marked. With `--each` every pair of `cases/` is told, with the words about which the marks differ:
[ours], {by hand}; those of `held/` never are, so that nobody tunes on them.

Then prompts of 3,000 words (budget 150 ms) and of 20,000 (1.5 s), made of those pairs: with their own changes, with
one word in seven another, with all lines shuffled; and how long a loop that only ticks, as that of the screens, waits
for its turn meanwhile, the comparison being made beside it.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent / "support")]

from prose_cases import pairs  # noqa: E402 - found where the tests' own modules are
from prose_scores import Score, in_context, of_git, ours  # noqa: E402

from cekura_tui.prose.compare import compare  # noqa: E402

BUDGETS = {3_000: 150.0, 20_000: 1_500.0}


def main() -> None:
    """Print the halves."""
    for half in ("cases", "held"):
        found = list(pairs(half))
        mine, gits = [ours(pair) for pair in found], [of_git(pair) for pair in found]
        if "--each" in sys.argv and half == "cases":
            for pair, score, git in zip(found, mine, gits, strict=True):
                print(f"{pair.name}: {_words(score)}; git {_words(git)}", *in_context(pair), sep="\n    ")
        print(f"{half:<5} {len(found)} pairs: {_words(_sum(mine))}; git diff --word-diff: {_words(_sum(gits))}")
    for words, budget in BUDGETS.items():
        for name, (old, new) in _prompts(words).items():
            _print_time(f"{len(old.split()):,} words, {name}", old, new, budget)


def _prompts(words: int) -> dict[str, tuple[str, str]]:
    """Two prompts of at least so many words, for each kind of change."""
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


def _print_time(name: str, old: str, new: str, budget: float) -> None:
    took = []
    for _ in range(7):
        start = time.perf_counter()
        diff = compare(old, new)
        took.append((time.perf_counter() - start) * 1e3)
    lag = asyncio.run(_lag(old, new)) * 1e3
    median = statistics.median(took)
    verdict = "ok" if median <= budget else "OVER"
    told = f"{len(diff.hunks)} hunks, the loop waits {lag:.0f} ms"
    print(f"{name:<32} {median:6.0f} ms ({budget:,.0f})  {verdict:<4} {told}")


async def _lag(old: str, new: str) -> float:
    """The longest that a loop waits for its turn, in seconds, while a thread compares."""
    comparing = asyncio.create_task(asyncio.to_thread(compare, old, new))
    longest, before = 0.0, time.perf_counter()
    while not comparing.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, before = max(longest, now - before - 0.001), now
    return longest


def _sum(scores: list[Score]) -> Score:
    missed = tuple(word for score in scores for word in score.missed)
    return Score(sum(score.by_hand for score in scores), sum(score.marked for score in scores), missed)


def _words(score: Score) -> str:
    return f"{score.by_hand} by hand, {score.marked} marked ({score.ratio:.2f} ×), {len(score.missed)} missed"


if __name__ == "__main__":
    main()
