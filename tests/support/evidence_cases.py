"""Hand-written verdicts on calls, with the turns that a human marked as their evidence. Rules are tuned on `cases/`.
The directory `held/` is a held-out set, on which results are only measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.evidence.evidence import Evidence, EvidenceFinder, Findings
from cekura_tui.evidence.reason_terms import RunEvidence
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView
from cekura_tui.model.transcript.transcript import Turn, read_transcript

HERE = Path(__file__).parents[1] / "evidence"


def evidence_in(turns: Sequence[Turn], explanations: Iterable[Iterable[str]]) -> list[tuple[Evidence, ...]]:
    """The turns of a call that each explanation cites, in the order of the explanations."""
    return [findings.turns for findings in findings_in(turns, explanations)]


def findings_in(turns: Sequence[Turn], explanations: Iterable[Iterable[str]]) -> list[Findings]:
    finder = EvidenceFinder(turns)
    return [finder.find(explanation) for explanation in explanations]


def found_in(views: Iterable[RunView]) -> dict[int, RunEvidence]:
    """Verdicts of runs with their evidence, by run id; verdicts that do not apply ("na") are left out."""
    found = {}
    for view in views:
        verdicts = [verdict for verdict in view.judgements if verdict.state != "na"]
        proofs = findings_in(view.transcript.turns, [verdict.reasons for verdict in verdicts])
        found[view.row.id] = tuple(zip(verdicts, proofs, strict=True))
    return found


class Call(NamedTuple):
    """A call with its verdicts marked by hand (`pairs`). `explanations` and `found`, the evidence found for each text
    of an explanation, have one entry for each pair."""

    name: str
    run: dict[str, Any]
    turns: Sequence[Turn]
    pairs: Sequence[dict[str, Any]]
    explanations: Sequence[Sequence[str]]
    found: Sequence[tuple[Evidence, ...]]


class Pair(NamedTuple):
    """A verdict with the turns marked by hand (`wanted`) and the turns that the program finds (`found`)."""

    name: str
    wanted: frozenset[int]
    found: frozenset[int]
    reasons: tuple[str, ...]


class Score(NamedTuple):
    """Precision and recall over all turns of all pairs."""

    pairs: int
    precision: float
    recall: float


@cache
def calls(folder: str) -> list[Call]:
    """The calls of the directory `cases` or `held`, with the evidence found in each call."""
    found = []
    for file in sorted((HERE / folder).glob("*.json")):
        case: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        turns = read_transcript(Run.read({"id": 1, **case["run"]})).turns
        texts = [pair["verdict"]["explanation"] for pair in case["pairs"]]
        explanations = [[text] if isinstance(text, str) else text for text in texts]
        evidence = evidence_in(turns, explanations)
        found.append(Call(file.stem, case["run"], turns, case["pairs"], explanations, evidence))
    return found


def pairs(folder: str) -> Iterator[Pair]:
    """One pair per verdict in `cases` or `held`."""
    for call in calls(folder):
        for pair, found in zip(call.pairs, call.found, strict=True):
            turns = frozenset(one.n for one in found)
            why = tuple(f"{one.n} {one.sure}: {one.why}" for one in found)
            yield Pair(f"{call.name}: {pair['verdict']['name']}", frozenset(pair["turns"]), turns, why)


def score(half: list[Pair]) -> Score:
    right = sum(len(pair.wanted & pair.found) for pair in half)
    found = sum(len(pair.found) for pair in half)
    wanted = sum(len(pair.wanted) for pair in half)
    return Score(len(half), right / max(found, 1), right / max(wanted, 1))
