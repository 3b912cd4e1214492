"""Verdicts: what was judged of a run, each as pass, fail, not applicable or to be reviewed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cekura_tui.model.rubric import joined
from cekura_tui.model.threshold import meets

if TYPE_CHECKING:
    from cekura_tui.model.rubric import Threshold
    from cekura_tui.model.run import CriticalCategory, ExpectedOutcome, Metric, Run

Source = Literal["metric", "expected_outcome", "critical_category"]
State = Literal["pass", "fail", "na", "review"]

_ORDER: dict[State, int] = {"fail": 0, "review": 1, "pass": 2, "na": 3}
_FULL, _NONE = 5.0, 0.0
_CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alignment:
    """Whether one part of the expected outcome was met; `aligned` is None where that was not told."""

    outcome: str
    prompt_part: str
    aligned: bool | None

    def to_json(self) -> dict[str, object]:
        """The shape that `runs show --json` prints."""
        return {"outcome": self.outcome, "prompt_part": self.prompt_part, "aligned": self.aligned}


@dataclass(frozen=True, slots=True)
class Category:
    """A category that a metric names; `deviation` is a number or a text, `priority` the server's word."""

    name: str
    priority: str | None = None
    deviation: float | str | None = None
    feedback: str = ""
    wrongly_marked: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement. `score` is in the metric's own scale, 0 to 100 of the expected outcome, a critical category's
    deviation, or a value's word; `threshold` is as the server words it.

    `explanation` is whole, of a critical category the feedback. `priority` is the server's word of a critical category,
    of a metric "critical" where one of its categories is. `kind` is the metric's type in words; `percentiles` are
    pairs such as ("p90", 1120.0) in the metric's scale.
    """

    source: Source
    id: int | None
    name: str
    state: State
    score: float | str | None
    threshold: str | None
    explanation: tuple[str, ...] = ()
    workflow: bool = False
    alignments: tuple[Alignment, ...] = ()
    priority: str | None = None
    categories: tuple[Category, ...] = ()
    percentiles: tuple[tuple[str, float], ...] = ()
    kind: str = ""
    wrongly_marked: bool | None = None

    @property
    def critical(self) -> bool:
        """Whether the server gave it the greatest weight."""
        return _word_of(self.priority) == _CRITICAL

    @property
    def reasons(self) -> tuple[str, ...]:
        """The explanation, then each part of the expected outcome that was not met."""
        missed = (part.prompt_part or part.outcome for part in self.alignments if part.aligned is False)
        return (*self.explanation, *(f"Not met: {part}" for part in missed if part))

    def to_json(self) -> dict[str, object]:
        """The shape that `runs show --json` prints."""
        shown = ("source", "id", "name", "state", "score", "threshold")
        return {name: getattr(self, name) for name in shown} | {
            "explanation": list(self.explanation),
            "alignments": [alignment.to_json() for alignment in self.alignments],
            "priority": self.priority,
        }


def read_verdicts(run: Run) -> tuple[Verdict, ...]:
    """All verdicts of a run: failing ones first, of these the critical ones, then to be reviewed, passed, not
    applicable; else as they came. A list row tells fewer than a whole run, or none."""
    metrics = (run.evaluation.metrics if run.evaluation else None) or run.metrics or []
    found = [_of_metric(metric, line) for metric, line in joined(run, metrics)]
    if run.expected_outcome and (verdict := _of_expected(run.expected_outcome)):
        found.append(verdict)
    found += [_of_category(category) for category in run.critical_categories or [] if _is_told(category)]
    return tuple(sorted(found, key=_place))


def _is_told(category: CriticalCategory) -> bool:
    return bool(_text(category.category)) or category.category_id is not None


def _place(verdict: Verdict) -> tuple[int, bool]:
    return _ORDER[verdict.state], verdict.state == "fail" and not verdict.critical


def _of_metric(metric: Metric, line: Threshold | None) -> Verdict:
    score = _score(metric)
    extra = metric.extra
    categories = tuple(_categories(extra.get("categories"))) if extra else ()
    return Verdict(
        source="metric",
        id=metric.id,
        name=_text(metric.name) or (f"metric {metric.id}" if metric.id is not None else "A metric without a name"),
        state=_metric_state(metric, line),
        score=score if score is not None else _word(metric),
        threshold=line.text if line else None,
        explanation=tuple(metric.explanation or (line.explanation if line else ())),
        workflow="workflow" in (metric.type or ""),
        priority=_CRITICAL if any(_word_of(category.priority) == _CRITICAL for category in categories) else None,
        categories=categories,
        percentiles=tuple(_percentiles(extra.get("percentiles"))) if extra else (),
        kind=_kind(metric),
    )


def _metric_state(metric: Metric, line: Threshold | None) -> State:
    """Never read off a value's word: for some metrics "True" is the good answer, for others "False"."""
    if (metric.extra or {}).get("trigger_failed") is True:
        return "na"
    score, passed = _score(metric), metric.passed
    if passed is None and line:
        passed = line.passed
    if passed is None and line:
        passed = meets(line.text, score, _text(metric.value) or _word(metric))
    if passed is not None:
        return "pass" if passed else "fail"
    if score is None:
        return "review" if _word(metric) is not None else "na"
    if "binary" in _kind(metric) and score in (_FULL, _NONE):
        return "pass" if score == _FULL else "fail"
    return "review"


def _kind(metric: Metric) -> str:
    return f"{metric.type or ''} {metric.eval_type or ''}".replace("_", " ").strip().lower()


def _score(metric: Metric) -> float | None:
    return metric.score if isinstance(metric.score, float) and math.isfinite(metric.score) else None


def _word(metric: Metric) -> str | None:
    """What is told in place of a number."""
    return _text(metric.score if isinstance(metric.score, str) else None) or _text(metric.enum) or _text(metric.value)


def _text(value: object) -> str | None:
    """A value as text, if it says anything."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else None
    return str(value) if value is not None and str(value).strip() else None


def _word_of(priority: str | None) -> str:
    return (priority or "").strip().lower()


def _categories(told: object) -> list[Category]:
    """The categories of a metric: objects, or names alone."""
    found = []
    for item in told if isinstance(told, list) else [told]:
        if isinstance(item, str) and item.strip():
            found.append(Category(item))
        elif isinstance(item, dict):
            name = _text(item.get("category")) or _text(item.get("name"))
            deviation = item.get("deviation")
            said = deviation if _is_number(deviation) else _text(deviation)
            if name or said:
                wrong = item.get("wrongly_marked")
                found.append(
                    Category(
                        name=name or "without a name",
                        priority=_text(item.get("priority")),
                        deviation=said,
                        feedback=_text(item.get("feedback")) or "",
                        wrongly_marked=wrong if isinstance(wrong, bool) else None,
                    )
                )
    return found


def _percentiles(told: object) -> list[tuple[str, float]]:
    pairs = told.items() if isinstance(told, dict) else ()
    return [(name, value) for name, value in pairs if isinstance(name, str) and _is_number(value)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _of_expected(expected: ExpectedOutcome) -> Verdict | None:
    explanation = tuple(expected.explanation or ())
    alignments = tuple(
        Alignment(told.outcome or "", told.prompt_part or "", told.aligned)
        for told in expected.outcome_alignments or []
        if told.outcome or told.prompt_part or told.aligned is not None
    )
    score = expected.score if expected.score is not None and math.isfinite(expected.score) else None
    if score is None and not explanation and not alignments:
        return None
    return Verdict(
        source="expected_outcome",
        id=None,
        name="Expected outcome",
        state=_expected_state(score, explanation, alignments),
        score=score,
        threshold=None,
        explanation=explanation,
        alignments=alignments,
    )


def _expected_state(score: float | None, explanation: tuple[str, ...], alignments: tuple[Alignment, ...]) -> State:
    """Alignments tell first, then the marks that explanations begin with, then a full or an empty score. Where some
    parts are told as met and others not told at all, somebody has to look."""
    told = [alignment.aligned for alignment in alignments if alignment.aligned is not None]
    marks = [text.lstrip()[:1] for text in explanation]
    if not all(told) or "❌" in marks:
        return "fail"
    if told:
        return "pass" if len(told) == len(alignments) else "review"
    if "✅" in marks or score == 100:
        return "pass"
    return "fail" if score == 0 else "review"


def _of_category(category: CriticalCategory) -> Verdict:
    deviation = category.deviation
    if isinstance(deviation, float) and not math.isfinite(deviation):
        deviation = None
    return Verdict(
        source="critical_category",
        id=category.category_id,
        name=_text(category.category) or f"category {category.category_id}",
        state=_category_state(category),
        score=deviation,
        threshold=None,
        explanation=(category.feedback,) if category.feedback else (),
        priority=category.priority,
        wrongly_marked=category.wrongly_marked,
    )


def _category_state(category: CriticalCategory) -> State:
    """One that a person took back, or that is no bug, does not count; one of lesser weight is to be looked at."""
    priority = _word_of(category.priority)
    if category.wrongly_marked or priority == "not_a_bug":
        return "na"
    if category.deviation == 0:
        return "pass"
    return "fail" if priority == _CRITICAL else "review"
