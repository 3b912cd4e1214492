"""How well evidence is found in the calls of `tests/evidence`, by precision and recall over all turns, for both halves.

    .venv/bin/python tests/bench/evidence.py [--each]

With `--each` the pairs of `cases/` that differ are printed; those of `held/` never are, so that nobody tunes on them.
"""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parents[1]), str(_HERE.parent / "support")]

from evidence_cases import pairs, score  # noqa: E402 - found where the tests' own modules are


def main() -> None:
    """Print the halves."""
    if "--each" in sys.argv:
        for pair in pairs("cases"):
            if pair.wanted != pair.found:
                missed, wrong = sorted(pair.wanted - pair.found), sorted(pair.found - pair.wanted)
                print(f"{pair.name}: missed {missed}, wrong {wrong}; {'; '.join(pair.reasons)}")
    for half in ("cases", "held"):
        result = score(list(pairs(half)))
        print(
            f"{half:<5} {result.pairs} pairs: precision {result.precision:.3f} (0.9), recall {result.recall:.3f} (0.8)"
        )


if __name__ == "__main__":
    main()
