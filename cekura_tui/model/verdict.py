"""Verdicts: what was judged of a run, each as pass, fail, not applicable or to be reviewed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cekura_tui.model.run import CriticalCategory, ExpectedOutcome, Metric, RubricLine, Run

Source = Literal["metric", "expected_outcome", "critical_category"]
State = Literal["pass", "fail", "na", "review"]

_ORDER: dict[State, int] = {"fail": 0, "review": 1, "pass": 2, "na": 3}
_CONDITION = re.compile(r"^\s*score\s+(gte|gt|lte|lt|eq)\s+(-?\d+(?:\.\d+)?)\s*$")
_FULL, _NONE = 5.0, 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement. `score` is in the metric's own scale, or the value's word; `threshold` as the server words it."""

    source: Source
    id: int | None
    name: str
    state: State
    score: float | str | None
    threshold: str | None
    explanation: tuple[str, ...] = ()
    workflow: bool = False

    def to_json(self) -> dict[str, object]:
        """The shape that `runs show --json` prints."""
        shown = ("source", "id", "name", "state", "score", "threshold")
        return {name: getattr(self, name) for name in shown} | {"explanation": list(self.explanation)}


def read_verdicts(run: Run) -> tuple[Verdict, ...]:
    """All verdicts of a run, failing ones first; a list row tells fewer than a whole run, or none."""
    rubric: dict[int | None, RubricLine] = {line.metric_id: line for line in run.rubric or []}
    rubric.pop(None, None)
    metrics = (run.evaluation.metrics if run.evaluation else None) or run.metrics or []
    found = [_of_metric(metric, rubric.get(metric.id)) for metric in metrics if metric.name or metric.id is not None]
    known = {metric.id for metric in metrics}
    found += [_of_metric(line.as_metric(), line) for line in rubric.values() if line.metric_id not in known]
    if run.expected_outcome and (verdict := _of_expected(run.expected_outcome)):
        found.append(verdict)
    found += [_of_category(category) for category in run.critical_categories or [] if category.category]
    return tuple(sorted(found, key=lambda verdict: _ORDER[verdict.state]))


def _of_metric(metric: Metric, rubric: RubricLine | None) -> Verdict:
    return Verdict(
        source="metric",
        id=metric.id,
        name=metric.name or f"metric {metric.id}",
        state=_metric_state(metric, rubric),
        score=metric.score if metric.score is not None else _word(metric),
        threshold=rubric.conditions if rubric else None,
        explanation=tuple(metric.explanation or (rubric.explanation if rubric else None) or ()),
        workflow="workflow" in (metric.type or ""),
    )


def _metric_state(metric: Metric, rubric: RubricLine | None) -> State:
    """Never read off a value's word: for some metrics "True" is the good answer, for others "False"."""
    if (metric.extra or {}).get("trigger_failed") is True:
        return "na"
    for passed in (metric.passed, rubric.passed if rubric else None):
        if passed is not None:
            return "pass" if passed else "fail"
    if metric.score is None:
        return "review" if _word(metric) is not None else "na"
    if rubric and rubric.conditions and (found := _CONDITION.match(rubric.conditions)):
        return "pass" if _meets(metric.score, found[1], float(found[2])) else "fail"
    if "binary" in f"{metric.type or ''} {metric.eval_type or ''}" and metric.score in (_FULL, _NONE):
        return "pass" if metric.score == _FULL else "fail"
    return "review"


def _meets(score: float, how: str, limit: float) -> bool:
    return {
        "gte": score >= limit,
        "gt": score > limit,
        "lte": score <= limit,
        "lt": score < limit,
        "eq": score == limit,
    }[how]


def _word(metric: Metric) -> str | None:
    for value in (metric.enum, metric.value):
        if value is not None and str(value).strip():
            return str(value)
    return None


def _of_expected(expected: ExpectedOutcome) -> Verdict | None:
    explanation = tuple(expected.explanation or ())
    alignments = expected.outcome_alignments or []
    if expected.score is None and not explanation and not alignments:
        return None
    missed = [a.prompt_part or a.outcome for a in alignments if a.aligned is False]
    return Verdict(
        source="expected_outcome",
        id=None,
        name="Expected outcome",
        state=_expected_state(expected),
        score=expected.score,
        threshold=None,
        explanation=(*explanation, *(f"Not met: {part}" for part in missed if part)),
    )


def _expected_state(expected: ExpectedOutcome) -> State:
    """Alignments tell first, then the marks that explanations begin with, then a full or an empty score."""
    told = [alignment.aligned for alignment in expected.outcome_alignments or [] if alignment.aligned is not None]
    marks = [text.lstrip()[:1] for text in expected.explanation or []]
    if told:
        return "pass" if all(told) else "fail"
    if "❌" in marks:
        return "fail"
    if "✅" in marks or expected.score == 100:
        return "pass"
    return "fail" if expected.score == 0 else "review"


def _of_category(category: CriticalCategory) -> Verdict:
    return Verdict(
        source="critical_category",
        id=category.category_id,
        name=category.category or f"category {category.category_id}",
        state=_category_state(category),
        score=category.deviation,
        threshold=None,
        explanation=(category.feedback,) if category.feedback else (),
    )


def _category_state(category: CriticalCategory) -> State:
    """One that a person took back, or that is no bug, does not count; one of lesser weight is to be looked at."""
    if category.wrongly_marked or category.priority == "not_a_bug":
        return "na"
    if category.deviation == 0:
        return "pass"
    return "fail" if category.priority == "critical" else "review"
