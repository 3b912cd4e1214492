"""Fit the weights of `described_turns.py` to the marked calls of `cases/` and `judged/`, by logistic regression.

Run as `python tests/support/evidence_weights.py`. It prints the weights, which are then copied by hand."""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import mul
from typing import Any, NamedTuple

from evidence_cases import marked

from cekura_tui.evidence.described_turns import probability
from cekura_tui.evidence.evidence import EvidenceFinder, FoundTurns
from cekura_tui.model.transcript.transcript import Turn

_PENALTY = 3.0
"""Weight of the squared weights in the loss, which keeps the weights small."""
_STEPS = 12


class Sample(NamedTuple):
    """Signs of a turn, and whether a reader wants to see the turn."""

    signs: Sequence[float]
    wanted: bool


def fit(samples: Sequence[Sample]) -> list[float]:
    """The bias, then the weight of each sign, by Newton's method on the signs scaled to mean 0 and variance 1."""
    columns = list(zip(*(sample.signs for sample in samples), strict=True))
    means = [sum(column) / len(column) for column in columns]
    scales = [
        math.sqrt(sum((x - mean) ** 2 for x in column) / len(column)) or 1.0
        for column, mean in zip(columns, means, strict=True)
    ]
    rows = [[1.0, *((x - m) / s for x, m, s in zip(one.signs, means, scales, strict=True))] for one in samples]
    weights = [0.0] * len(rows[0])
    for _ in range(_STEPS):
        size = range(len(weights))
        slope = [-_PENALTY * weight * (n > 0) for n, weight in enumerate(weights)]
        curve = [[_PENALTY * (i == j > 0) for j in size] for i in size]
        for row, sample in zip(rows, samples, strict=True):
            chance = 1 / (1 + math.exp(-sum(map(mul, row, weights))))
            for i in size:
                slope[i] += (sample.wanted - chance) * row[i]
                for j in size:
                    curve[i][j] += chance * (1 - chance) * row[i] * row[j]
        weights = [old + step for old, step in zip(weights, _solved(curve, slope), strict=True)]
    unscaled = [weight / scale for weight, scale in zip(weights[1:], scales, strict=True)]
    return [weights[0] - sum(map(mul, unscaled, means)), *unscaled]


def _solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """The solution of a system of linear equations, by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for n in range(len(rows)):
        pivot = max(range(n, len(rows)), key=lambda k: abs(rows[k][n]))
        rows[n], rows[pivot] = rows[pivot], rows[n]
        rows[n] = [x / rows[n][n] for x in rows[n]]
        for k, row in enumerate(rows):
            if k != n:
                rows[k] = [x - row[n] * y for x, y in zip(row, rows[n], strict=True)]
    return [row[-1] for row in rows]


def main() -> None:
    verdicts = list(_verdicts())
    clauses = [
        Sample(signs, index + 1 in marks["turns"])
        for finder, found, marks in verdicts
        for _, by_turn in finder.described.clause_signs(found.sentences)
        for index, signs in by_turn.items()
        if index + 1 not in marks.get("harmless", ())
    ]
    of_clause = fit(clauses)
    _show("CLAUSE", of_clause)
    turns: list[Sample] = []
    for finder, found, marks in verdicts:
        best = defaultdict[int, float](float)
        for _, by_turn in finder.described.clause_signs(found.sentences):
            for index, signs in by_turn.items():
                best[index] = max(best[index], probability(signs, of_clause[1:], of_clause[0]))
        for index, of in finder.described.turn_signs(found.sentences, found.anchors, best):
            if index + 1 not in marks.get("harmless", ()):
                turns.append(Sample(of, index + 1 in marks["turns"]))
    of_turn = fit(turns)
    _show("TURN", of_turn)


def _verdicts() -> Iterator[tuple[EvidenceFinder, FoundTurns, dict[str, Any]]]:
    """Each verdict with the finder of its call and the turns that it cites."""
    known: tuple[Sequence[Turn], EvidenceFinder] | None = None
    for turns, reasons, marks in (one for folder in ("cases", "judged") for one in marked(folder)):
        if known is None or known[0] is not turns:
            known = turns, EvidenceFinder(turns)
        yield known[1], known[1].cited_in(reasons), marks


def _show(name: str, weights: Sequence[float]) -> None:
    bias, *others = (f"{weight:.2f}" for weight in weights)
    sys.stdout.write(f"{name}_BIAS = {bias}, {name}_WEIGHTS = ({', '.join(others)})\n")


if __name__ == "__main__":
    main()
