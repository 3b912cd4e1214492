"""Figures of the evidence that is found in the calls of `tests/evidence`, for all sets of calls, and of the facts of
one call that are found in added rules, for all sets of rules.

With details, pairs of `cases/` that differ are printed, and the figures of the two judged sets by kind. Pairs of
`held/` and `judged_held/` are never printed, so that rules are not tuned on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import own_facts_cases
from evidence_cases import Pair, judged, pairs, score

from tests.bench.row import Options, Row

PRECISION, RECALL = 0.9, 0.8
OWN_FACTS = {"cases": 0.95, "held": 0.95, "read": 0.9, "read_held": 0.9}
JUDGED_PRECISION, JUDGED_RECALL, FREE_RECALL, LANDED, NOTHING = 0.92, 0.65, 0.55, 0.75, 0.2


def rows(options: Options) -> Iterator[Row]:
    """Measure precision and recall on `cases` and `held`, and further figures on `judged` and `judged_held`."""
    if options.details:
        for pair in pairs("cases"):
            if pair.wanted != frozenset(pair.found):
                missed, wrong = sorted(pair.wanted - {*pair.found}), sorted({*pair.found} - pair.wanted)
                print(f"{pair.name}: missed {missed}, wrong {wrong}; {'; '.join(pair.reasons)}")
    for half in ("cases", "held"):
        result = score(pairs(half))
        yield Row(f"evidence, {half}, {result.pairs} pairs: precision", "", [result.precision], at_least=PRECISION)
        yield Row(f"evidence, {half}, {result.pairs} pairs: recall", "", [result.recall], at_least=RECALL)
    for name in own_facts_cases.SETS:
        facts = own_facts_cases.score(name)
        what, least = f"facts of one call, {name}, {facts.cases} rules:", OWN_FACTS[name]
        yield Row(f"{what} precision", "", [facts.precision], at_least=least)
        yield Row(f"{what} recall", "", [facts.recall], at_least=least)
    for name in own_facts_cases.ONE_CALL_SETS:
        pieces = own_facts_cases.one_call_score(name)
        yield Row(f"pieces of one call, {name}: precision", "", [pieces.precision], at_least=PRECISION)
        yield Row(f"pieces of one call, {name}: recall", "", [pieces.recall], at_least=0.9)
        if options.details:
            marks, found = own_facts_cases.one_call_pieces(name)
            print(f"{name}: {own_facts_cases.one_call_kinds(name)}")
            print(*(one for one in (*marks, *found) if not one.is_right), sep="\n")
    for half in ("judged", "judged_held"):
        verdicts = list(judged(half))
        result, free = score(verdicts), score(verdicts, "free")
        what = f"evidence, {half}, {result.pairs} pairs:"
        yield Row(f"{what} precision", "", [result.precision], at_least=JUDGED_PRECISION)
        yield Row(f"{what} recall", "", [result.recall], at_least=JUDGED_RECALL)
        yield Row(f"{what} recall, free wording", "", [free.recall], at_least=FREE_RECALL)
        yield Row(f"{what} lands on a wanted turn", "", [result.landed], at_least=LANDED)
        yield Row(f"{what} lands on the first turn wanted", "", [result.first])
        yield Row(f"{what} nothing found", "", [result.nothing], most=NOTHING)
        yield Row(f"{what} misled", "", [result.misled], most=0)
        if options.details:
            _print_by_kind(half, verdicts)


def _print_by_kind(half: str, verdicts: Sequence[Pair]) -> None:
    """Print the figures by style, by the language of the call, and by whether the judge writes in that language."""
    marked = [pair._replace(kinds=(*pair.kinds, _judge(pair))) for pair in verdicts]
    for kind in sorted({kind for pair in marked for kind in pair.kinds if not kind.startswith("judge ")}):
        figures = score(marked, kind)._asdict().items()
        print(f"{half}, {kind}: {', '.join(f'{name} {round(value, 2)}' for name, value in figures)}")


def _judge(pair: Pair) -> str:
    _, call, judge = (kind.rpartition(" ")[2] for kind in pair.kinds)
    return "same language" if call == judge else "other language"
