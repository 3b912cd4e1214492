"""Merges of a sent prompt, what others made of it, and what was staged, beside `git merge-file`.

    .venv/bin/python tests/bench/prompt_merge.py [triples] [histories]

Prints of that many triples (500) and histories of five versions (50), for both: how many had a conflict and how many
conflicts there were; edits that are neither in the text nor in a conflict; rules that are in the text twice although no
side has them twice; rules that a side removed and that are there again. Ours ought to have none of the last three. Then
how long it takes to number the lists of a prompt of 100,000 characters (budget 100 ms).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent / "support")]

from prompt_triples import Triple, brought_back, doubled, lost, results, settled, triple  # noqa: E402 - found there

from cekura_tui.prose.compare import compare  # noqa: E402
from cekura_tui.prose.merge import Merge, merge  # noqa: E402
from cekura_tui.prose.numbers import renumbered  # noqa: E402

COLUMNS = ("with conflicts", "conflicts", "decisions", "lost edits", "doubled rules", "rules brought back")


def main() -> None:
    """Print the figures."""
    triples, histories = (int(word) for word in (*sys.argv[1:], "500", "50")[:2])
    ours, gits = Counter[str](), Counter[str]()
    for seed in range(triples):
        case = triple(Random(seed))
        ours += _of_ours(case, _merged(case), Random(seed))[0]
        gits += _of_git(case)
    print(f"{triples} triples")
    _print("ours", ours)
    _print("git merge-file", gits)
    ours = Counter()
    for seed in range(histories):
        rng, base = Random(seed), ""
        for _ in range(5):
            case = triple(rng, base)
            figures, base = _of_ours(case, _merged(case), rng)
            ours += figures
            base = base.replace("\r\n", "\n")
    print(f"{histories} histories of five versions")
    _print("ours", ours)
    print(f"lists of 100,000 characters numbered in {_numbering() * 1_000:.0f} ms")


def _numbering() -> float:
    """The seconds of the fastest of five."""
    prompt = "\n".join(triple(Random(seed)).base for seed in range(200))[:100_000]
    other = prompt.replace(". ", ", ")
    mixture = prompt[:50_000] + other[50_000:]
    found = []
    for _ in range(5):
        start = time.perf_counter()
        renumbered(mixture, prompt, other)
        found.append(time.perf_counter() - start)
    return min(found)


def _merged(case: Triple) -> Merge:
    return merge(case.base, compare(case.base, case.now), compare(case.base, case.staged))


def _of_ours(case: Triple, found: Merge, rng: Random) -> tuple[Counter[str], str]:
    """The figures, and the last of the texts that may come of it."""
    texts = list(results(rng, found))
    there = [part if isinstance(part, str) else f"{part.now}\n{part.staged}" for part in found.parts]
    return Counter(
        {
            "with conflicts": bool(found.conflicts),
            "conflicts": len(found.conflicts),
            "decisions": len(found.groups),
            "lost edits": len(lost(case, *there)),
            "doubled rules": max(len(doubled(case, text)) for text in texts),
            "rules brought back": len(brought_back(case, settled(found))),
        }
    ), texts[-1]


def _of_git(case: Triple) -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("now", "base", "staged")]
        for file, text in zip(files, (case.now, case.base, case.staged), strict=True):
            file.write_bytes(text.encode())
        done = subprocess.run(["git", "merge-file", "-p", *files], capture_output=True, check=False)
    text = done.stdout.decode()
    lines, inside = [], False
    for line in text.split("\n"):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            inside = line[0] == "<"
        elif not inside:
            lines.append(line)
    return Counter(
        {
            "with conflicts": bool(done.returncode),
            "conflicts": done.returncode,
            "decisions": done.returncode,
            "lost edits": len(lost(case, text)),
            "doubled rules": len(doubled(case, "\n".join(lines))),
            "rules brought back": len(brought_back(case, "\n".join(lines))),
        }
    )


def _print(name: str, figures: Counter[str]) -> None:
    print(f"  {name:<15}", ", ".join(f"{figures[column]} {column}" for column in COLUMNS))


if __name__ == "__main__":
    main()
