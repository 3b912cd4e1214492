"""Hand-written verdicts on calls, with the turns that a human marked as their evidence. Rules are tuned on `cases/`
and `judged/`; `held/` and `judged_held/` are held-out sets, on which results are only measured. The two judged sets
were written by people who had not seen the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.evidence.evidence import Evidence, EvidenceFinder, Findings, surest_first
from cekura_tui.evidence.reason_terms import RunEvidence
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.model.run.view import RunView
from cekura_tui.model.transcript.transcript import Turn, read_transcript

HERE = Path(__file__).parents[1] / "evidence"


def evidence_in(turns: Sequence[Turn], explanations: Iterable[Iterable[str]]) -> list[tuple[Evidence, ...]]:
    """Find the evidence for each explanation in the turns of a call, in the order of the explanations."""
    return [findings.turns for findings in findings_in(turns, explanations)]


def findings_in(turns: Sequence[Turn], explanations: Iterable[Iterable[str]]) -> list[Findings]:
    finder = EvidenceFinder(turns)
    return [finder.find(explanation) for explanation in explanations]


def found_in(views: Iterable[RunView]) -> dict[int, RunEvidence]:
    """Verdicts of runs with their evidence, by run id; verdicts that do not apply ("na") are left out."""
    found: dict[int, RunEvidence] = {}
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
    """A verdict with the turns that a reader wants to see (`wanted`), wants to see `first`, and does not mind
    (`harmless`). `found` are the turns that the program cites, the surest first, and `closest` the closest turns.
    `kinds` are the style of the explanation ("cited", "free", "mixed") and the languages of the call and of the
    explanation ("call de", "judge en")."""

    name: str
    wanted: frozenset[int]
    harmless: frozenset[int]
    first: frozenset[int]
    found: tuple[int, ...]
    closest: tuple[int, ...]
    reasons: tuple[str, ...]
    kinds: tuple[str, ...] = ()


class Score(NamedTuple):
    """Figures over all turns of all pairs, and over the pairs that have a wanted turn: how many show a wanted turn
    first (`landed`) or one that a reader wants first (`first`), and how many show nothing. `precision` counts harmless
    turns as right. `misled` is the number of pairs without a wanted turn for which a harmful turn is shown."""

    pairs: int
    precision: float
    recall: float
    landed: float
    first: float
    nothing: float
    misled: int


@cache
def calls(folder: str) -> list[Call]:
    """The calls of the directory `cases` or `held`, with the evidence found in each call."""
    found = []
    for name, case in _files(folder):
        turns = read_transcript(Run.read({"id": 1, **case["run"]})).turns
        texts = [pair["verdict"]["explanation"] for pair in case["pairs"]]
        explanations = [[text] if isinstance(text, str) else text for text in texts]
        evidence = evidence_in(turns, explanations)
        found.append(Call(name, case["run"], turns, case["pairs"], explanations, evidence))
    return found


def pairs(folder: str) -> Iterator[Pair]:
    """One pair per verdict in `cases` or `held`."""
    for call in calls(folder):
        for pair, found in zip(call.pairs, call.found, strict=True):
            yield _pair(f"{call.name}: {pair['verdict']['name']}", pair, found)


def judged(folder: str) -> Iterator[Pair]:
    """One pair per verdict in `judged` or `judged_held`."""
    for name, case in _files(folder):
        turns = read_transcript(Run.read({"id": 1, **case["run"]})).turns
        verdicts = case["verdicts"]
        for verdict, found in zip(verdicts, evidence_in(turns, map(_reasons, verdicts)), strict=True):
            kinds = verdict["style"], f"call {case['language']}", f"judge {verdict['language']}"
            yield _pair(f"{name}: {verdict['name']}", verdict, found)._replace(kinds=kinds)


def marked(folder: str) -> Iterator[tuple[Sequence[Turn], Sequence[str], dict[str, Any]]]:
    """The turns of the call, the texts and the marks of each verdict in one of the four directories."""
    for _, case in _files(folder):
        turns = read_transcript(Run.read({"id": 1, **case["run"]})).turns
        for verdict in case.get("verdicts", ()):
            yield turns, _reasons(verdict), verdict
        for pair in case.get("pairs", ()):
            yield turns, _reasons({"source": "", **pair["verdict"]}), pair


def _files(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((HERE / folder).glob("*.json")):
        yield file.stem, json.loads(file.read_text(encoding="utf-8"))


def _reasons(verdict: dict[str, Any]) -> Sequence[str]:
    """The texts of a verdict that are searched, as the program reads them from the API's JSON."""
    if verdict["source"] == "critical_category":
        sent = {"category": verdict["name"], "priority": "critical"}
        sent |= {key: verdict.get(key) for key in ("deviation", "feedback")}
        return read_verdicts(Run.read({"id": 1, "critical_categories": [sent]}))[0].reasons
    explanation = verdict["explanation"]
    return [explanation] if isinstance(explanation, str) else explanation


def _pair(name: str, marks: dict[str, Any], found: Sequence[Evidence]) -> Pair:
    why = tuple(f"{one.n} {one.sure}: {one.why}" for one in found)
    shown = surest_first(found)
    cited = tuple(one.n for one in shown if one.sure != "closest")
    closest = tuple(one.n for one in shown if one.sure == "closest")
    wanted, harmless, first = (frozenset(marks.get(key, ())) for key in ("turns", "harmless", "first"))
    return Pair(name, wanted, harmless, first, cited, closest, why)


def score(half: Iterable[Pair], kind: str = "") -> Score:
    """The score of all pairs, or of the pairs of one kind."""
    half = [pair for pair in half if not kind or kind in pair.kinds]
    judged = [pair for pair in half if pair.wanted]

    def share(of: Callable[[Pair], int], all_: Callable[[Pair], int], some: Sequence[Pair] = half) -> float:
        return sum(map(of, some)) / max(sum(map(all_, some)), 1)

    shown = {pair.name: (*pair.found, *pair.closest) for pair in half}
    return Score(
        len(half),
        share(lambda pair: len({*pair.found} & (pair.wanted | pair.harmless)), lambda pair: len(pair.found)),
        share(lambda pair: len({*pair.found} & pair.wanted), lambda pair: len(pair.wanted)),
        share(lambda pair: not pair.wanted.isdisjoint(shown[pair.name][:1]), lambda pair: 1, judged),
        share(lambda pair: not pair.first.isdisjoint(shown[pair.name][:1]), lambda pair: 1, judged),
        share(lambda pair: not shown[pair.name], lambda pair: 1, judged),
        sum(not {*shown[pair.name]} <= pair.harmless for pair in half if not pair.wanted),
    )
