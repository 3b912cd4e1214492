"""Precision and recall of the evidence that is found in the calls of `tests/evidence`, for both sets of calls.

With details, pairs of `cases/` that differ are printed. Pairs of `held/` are never printed, so that rules are not
tuned on `held/`.
"""

from __future__ import annotations

from collections.abc import Iterator

from evidence_cases import pairs, score

from tests.bench.row import Options, Row

PRECISION, RECALL = 0.9, 0.8


def rows(options: Options) -> Iterator[Row]:
    """Measure precision and recall on `cases` and on `held`."""
    if options.details:
        for pair in pairs("cases"):
            if pair.wanted != pair.found:
                missed, wrong = sorted(pair.wanted - pair.found), sorted(pair.found - pair.wanted)
                print(f"{pair.name}: missed {missed}, wrong {wrong}; {'; '.join(pair.reasons)}")
    for half in ("cases", "held"):
        result = score(list(pairs(half)))
        yield Row(f"evidence, {half}, {result.pairs} pairs: precision", "", [result.precision], at_least=PRECISION)
        yield Row(f"evidence, {half}, {result.pairs} pairs: recall", "", [result.recall], at_least=RECALL)
