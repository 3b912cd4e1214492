"""Which verdicts speak of which turns: the marks that a transcript and its timeline carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cekura_tui.model.evidence import Evidence, Sure
from cekura_tui.model.verdict import State, Verdict

_ORDER: dict[State, int] = {"fail": 0, "review": 1, "pass": 2, "na": 3}


@dataclass(frozen=True, slots=True)
class TurnMark:
    """A verdict that speaks of a turn: `spans` are the characters of the turn's text that it quotes."""

    state: State
    name: str
    why: str
    sure: Sure
    spans: tuple[tuple[int, int], ...] = ()


def marks_of(pairs: Iterable[tuple[Verdict, Sequence[Evidence]]]) -> Mapping[int, tuple[TurnMark, ...]]:
    """The marks by turn number, failing verdicts first."""
    found: dict[int, list[TurnMark]] = {}
    for verdict, evidence in pairs:
        for one in evidence:
            mark = TurnMark(verdict.state, verdict.name, one.why, one.sure, one.spans)
            found.setdefault(one.n, []).append(mark)
    return {n: tuple(sorted(marks, key=lambda mark: _ORDER[mark.state])) for n, marks in found.items()}
