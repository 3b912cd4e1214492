"""The prose diff against the pairs of `tests/prose`, marked by hand, beside `git diff --word-diff`; and how long it takes.

    .venv/bin/python tests/bench/prose_diff.py [--each]

Of every half: the words marked by hand, the words that were marked as a ratio to them (budget 1.3), and the changed words
that were not marked (budget 0). With `--each` every pair of `cases/` is told, with the words about which the marks
differ: [ours], {by hand}; those of `held/` never are, so that nobody tunes on them.
"""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent)]

from prose_cases import pairs  # noqa: E402 - found where the tests' own modules are
from prose_scores import Score, in_context, of_git, ours  # noqa: E402


def main() -> None:
    """Print the halves."""
    for half in ("cases", "held"):
        found = list(pairs(half))
        mine, gits = [ours(pair) for pair in found], [of_git(pair) for pair in found]
        if "--each" in sys.argv and half == "cases":
            for pair, score, git in zip(found, mine, gits, strict=True):
                print(f"{pair.name}: {_told(score)}; git {_told(git)}", *in_context(pair), sep="\n    ")
        print(f"{half:<5} {len(found)} pairs: {_told(_sum(mine))}; git diff --word-diff: {_told(_sum(gits))}")


def _sum(scores: list[Score]) -> Score:
    missed = tuple(word for score in scores for word in score.missed)
    return Score(sum(score.by_hand for score in scores), sum(score.marked for score in scores), missed)


def _told(score: Score) -> str:
    return f"{score.by_hand} by hand, {score.marked} marked ({score.ratio:.2f} ×), {len(score.missed)} missed"


if __name__ == "__main__":
    main()
