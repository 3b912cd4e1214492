"""Merge random versions of prompts with our merge and with `git merge-file`.

The input is 500 triples (sent, current on the server, staged) and 50 histories of five versions. The figures are
merges with conflicts, conflicts, and decisions; edits that are neither in the text nor in a conflict; rules that the
merge duplicates; and rules that a side removed but the merge restores. The last three must be 0 for our merge. Also
measured is the time to number the lists of a prompt of 100,000 characters (budget 100 ms).
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prompt_edits import Writer
from prompt_triples import Triple, duplicated_rules, lost_words, restored_rules, results, triple, without_conflicts

from cekura_tui.prose.compare import compare
from cekura_tui.prose.merge import merge
from cekura_tui.prose.numbers import renumbered
from tests.bench.row import Options, Row

TRIPLES, HISTORIES = 500, 50
MOST_NUMBERING = 100.0
NONE = ("lost edits", "doubled rules", "rules brought back")
COLUMNS = ("with conflicts", "conflicts", "decisions", *NONE)


def rows(options: Options) -> Iterator[Row]:
    """Merge triples, then histories; then time the numbering of lists."""
    ours, gits = Counter[str](), Counter[str]()
    for seed in range(TRIPLES):
        case = triple(Writer(seed))
        ours += _of_ours(case, Writer(seed))[0]
        gits += _of_git(case)
    yield from _figures(f"{TRIPLES} merges", ours, gits)
    ours = Counter()
    for seed in range(HISTORIES):
        rng, base = Writer(seed), ""
        for _ in range(5):
            case = triple(rng, base)
            figures, base = _of_ours(case, rng)
            ours += figures
            base = base.replace("\r\n", "\n")
    yield from _figures(f"{HISTORIES} histories of five versions", ours)
    yield Row("lists of 100,000 characters numbered", "ms", _numbering(options.repeat), most=MOST_NUMBERING)


def _figures(name: str, ours: Counter[str], gits: Counter[str] | None = None) -> Iterator[Row]:
    for column in COLUMNS:
        beside = [gits[column]] if gits else ()
        yield Row(f"{name}: {column}", "", [ours[column]], beside, "git's", most=0 if column in NONE else None)


def _numbering(repeat: int) -> list[float]:
    """Milliseconds to number the lists of a long prompt, one figure per repetition."""
    prompt = "\n".join(triple(Writer(seed)).base for seed in range(200))[:100_000]
    other = prompt.replace(". ", ", ")
    mixture = prompt[:50_000] + other[50_000:]
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        renumbered(mixture, prompt, other)
        found.append((time.perf_counter() - start) * 1000)
    return found


def _of_ours(case: Triple, rng: Writer) -> tuple[Counter[str], str]:
    """Figures of our merge, and the merged text after random decisions."""
    found = merge(case.base, compare(case.base, case.now), compare(case.base, case.staged))
    texts = list(results(rng, found))
    there = [part if isinstance(part, str) else f"{part.now}\n{part.staged}" for part in found.parts]
    doubles = max(len(duplicated_rules(case, text)) for text in texts)
    lost_edits, back = len(lost_words(case, *there)), len(restored_rules(case, without_conflicts(found)))
    return _counted(len(found.conflicts), len(found.groups), lost_edits, doubles, back), texts[-1]


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
    outside = "\n".join(lines)
    lost_edits, doubles, back = lost_words(case, text), duplicated_rules(case, outside), restored_rules(case, outside)
    return _counted(done.returncode, done.returncode, len(lost_edits), len(doubles), len(back))


def _counted(conflicts: int, *others: int) -> Counter[str]:
    return Counter(dict(zip(COLUMNS, (bool(conflicts), conflicts, *others), strict=True)))
