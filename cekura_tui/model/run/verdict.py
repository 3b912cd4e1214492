"""Verdicts: the judgements of a run, each of them passed, failed, not applicable, or to be reviewed."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from cekura_tui.model.as_json import NOT_IN_JSON, shape

if TYPE_CHECKING:
    from cekura_tui.model.run.run import CriticalCategory, ExpectedOutcome, Metric, RubricLine, Run


Op = Literal["≥", ">", "≤", "<", "=", "≠"]

_OPS: dict[str, Op] = {
    **dict.fromkeys(("gte", "ge", ">=", "≥"), "≥"),
    **dict.fromkeys(("gt", ">"), ">"),
    **dict.fromkeys(("lte", "le", "<=", "≤"), "≤"),
    **dict.fromkeys(("lt", "<"), "<"),
    **dict.fromkeys(("eq", "==", "="), "="),
    **dict.fromkeys(("ne", "neq", "!=", "≠"), "≠"),
}
_OP = r"(?:\s+(?:gte|ge|gt|lte|le|lt|eq|neq|ne)\s|\s*(?:>=|<=|==|!=|[<>=≥≤≠]))"
_PART = re.compile(rf"(\w+)({_OP})(.+)", re.IGNORECASE | re.DOTALL)
_JOINT = re.compile(rf"\s+(and|or)\s+(?=\w+{_OP})", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")
_LONGEST = 400  # longest threshold that is parsed, in characters
_DEEPEST = 4  # nested conditions that are read

_COMPARE: dict[Op, Callable[[float, float], bool]] = {"≥": ge, ">": gt, "≤": le, "<": lt, "=": eq, "≠": ne}


class Condition(NamedTuple):
    """One comparison, such as score ≥ 4; `value` is the text that was sent."""

    field: str
    op: Op
    value: str


def meets(threshold: str | None, score: float | None, value: str | None) -> bool | None:
    """Whether a metric with this score and value meets its threshold; None if unknown."""
    join, conditions = _read(threshold)
    results = [_is_met(condition, score, value) for condition in conditions]
    decisive = join == "or"
    if not results or (None in results and decisive not in results):
        return None
    return any(results) if decisive else all(results)


def threshold_words(threshold: str | None) -> str:
    """The threshold in short, "≥ 4" or `"True"`; a complex threshold stays in the server's words."""
    join, conditions = _read(threshold)
    words = [_words(condition) for condition in conditions]
    return f" {join} ".join(words) if words and all(words) else (threshold or "").strip()


def number_of(text: str | None) -> float | None:
    """Parse a number sent as text; None if it is not a number."""
    return float(text) if text is not None and _DECIMAL.fullmatch(text := text.strip()) else None


def number_words(number: float) -> str:
    """Format a number without the rounding noise of its binary form."""
    if not math.isfinite(number):
        return str(number)
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else f"{number:.10g}"


def _worded(conditions: object, depth: int = 0) -> str:
    """Write conditions (a text, an object, a list or a group of conditions) as text; empty if there are none."""
    if isinstance(conditions, str):
        return conditions if conditions.strip() else ""
    if depth > _DEEPEST:
        return "…"
    if isinstance(conditions, list):
        conditions = {"conditions": conditions}
    if not isinstance(conditions, dict):
        return ""
    if isinstance(inner := conditions.get("conditions"), list):
        parts = [part for part in (_worded(item, depth + 1) for item in inner) if part]
        join = str(conditions.get("operator") or "and").strip().lower()
        together = f" {join} ".join(parts)
        return f"({together})" if depth and len(parts) > 1 else together
    operator = conditions.get("op", conditions.get("operator"))
    field, value = conditions.get("field"), conditions.get("value")
    if not (isinstance(field, str) and isinstance(operator, str)) or value is None:
        return ""
    return f"{field} {operator} {value}"


def _read(threshold: str | None) -> tuple[str, tuple[Condition, ...]]:
    """Parse a threshold into "and" or "or", and its conditions; no conditions if any of them is not understood."""
    return _parsed(threshold) if threshold and len(threshold) <= _LONGEST else ("and", ())


@lru_cache(1024)  # few thresholds, repeated by every run
def _parsed(threshold: str) -> tuple[str, tuple[Condition, ...]]:
    parts = _JOINT.split(threshold.strip())
    joins = {join.lower() for join in parts[1::2]} or {"and"}
    found = [_PART.fullmatch(part.strip()) for part in parts[::2]]
    if len(joins) > 1 or None in found:
        return "and", ()
    return joins.pop(), tuple(Condition(f[1].lower(), _OPS[f[2].strip().lower()], f[3].strip()) for f in found if f)


def _is_met(condition: Condition, score: float | None, value: str | None) -> bool | None:
    if condition.field not in ("score", "value"):
        return None
    got = number_of(value)
    if condition.field == "score" and score is not None:
        got = score
    wanted = number_of(_unquoted(condition.value))
    if got is not None and wanted is not None:
        return _COMPARE[condition.op](got, wanted)
    if condition.field == "score" or value is None or condition.op not in "=≠":
        return None
    same = value.strip().casefold() == _unquoted(condition.value).casefold()
    return same if condition.op == "=" else not same


def _words(condition: Condition) -> str:
    if condition.field not in ("score", "value"):
        return ""
    bare = _unquoted(condition.value)
    if number_of(bare) is not None:
        return f"{condition.op} {bare}"
    return {"=": f'"{bare}"', "≠": f'other than "{bare}"'}.get(condition.op, "")


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1].strip() if quoted else value


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric's line in the rubric, with the metric's name and the threshold in the server's words."""

    name: str
    text: str | None
    sent: RubricLine


def join_rubric(run: Run, metrics: Sequence[Metric]) -> list[tuple[Metric, Threshold | None]]:
    """Pair each metric with its line of the rubric, or None; then pair each line left with a metric made from the line.
    They match by id, by id and name if several metrics share the id, or by name if one of the two has no id. A metric
    with neither id, name nor explanation is dropped, and so is an unmatched line with neither id nor name."""
    named = [metric for metric in metrics if metric.name or metric.id is not None or metric.explanation]
    lines = list(_lines(run))
    if not lines:
        return [(metric, None) for metric in named]
    shared = {one for one, times in Counter(metric.id for metric in named).items() if times > 1}
    by_id: dict[int | None, list[Threshold]] = {}
    by_name: dict[str, list[Threshold]] = {}
    for line in lines:
        by_id.setdefault(line.sent.metric_id, []).append(line)
        by_name.setdefault(line.name, []).append(line)

    def line_of(metric: Metric) -> Threshold | None:
        name = _name(metric.name)
        own = by_id.get(metric.id, []) if metric.id is not None else []
        same = next((line for line in own if line.name == name), None)
        if same or (own and metric.id not in shared):
            return same or own[0]
        alike = by_name.get(name, []) if name else []
        return next((line for line in alike if metric.id is None or line.sent.metric_id is None), None)

    found = [(metric, line_of(metric)) for metric in named]
    used = {id(line) for _, line in found if line}
    rest = [line for line in lines if id(line) not in used and (line.sent.metric_id is not None or line.name)]
    return [*found, *((line.sent.as_metric(), line) for line in rest)]


def _lines(run: Run) -> Iterable[Threshold]:
    """The lines of the rubric, one per metric: the first failed line of a metric, or else the metric's first line."""
    found: dict[tuple[int | None, str], Threshold] = {}
    sent = run.source.get("rubric") if run.rubric else None
    objects = [item for item in sent if isinstance(item, dict)] if isinstance(sent, list) else []
    for n, line in enumerate(run.rubric or ()):
        # Conditions sent as a list are only in the source: the model's field is a text.
        conditions = objects[n].get("conditions") if n < len(objects) else line.conditions
        blank = conditions if isinstance(conditions, str) else None
        text = _worded(conditions) or _worded(line.expected_conditions) or blank
        place = line.metric_id, _name(line.metric_name)
        if place not in found or (line.passed is False and found[place].sent.passed is not False):
            found[place] = Threshold(place[1], text, line)
    return found.values()


def _name(name: str | None) -> str:
    return (name or "").strip().casefold()


Source = Literal["metric", "expected_outcome", "critical_category"]
State = Literal["pass", "fail", "na", "review"]

_ORDER: dict[State, int] = {"fail": 0, "review": 1, "pass": 2, "na": 3}
_FULL, _NONE = 5.0, 0.0
_CRITICAL = "critical"
_MOST_CATEGORIES = 100  # categories of a metric that are read for texts


@dataclass(frozen=True, slots=True)
class Alignment:
    """Whether one part of the expected outcome was met."""

    __pydantic_config__: ClassVar = shape("AlignmentJson")
    outcome: str
    prompt_part: str
    aligned: bool | None
    """Null if not sent."""


@dataclass(frozen=True, slots=True)
class Category:
    """A metric's category; `deviation` is a number or a text, `priority` the server's word."""

    name: str
    priority: str | None = None
    deviation: float | str | None = None
    feedback: str = ""
    wrongly_marked: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement of a run."""

    __pydantic_config__: ClassVar = shape("VerdictJson")
    source: Source
    id: int | None
    sent_name: str | None = field(metadata={"serialization_alias": "name"})
    """Null if not sent."""
    state: State
    score: float | None
    """On the metric's scale, or 0 to 100 for the expected outcome; null if not sent or if it contradicts the state."""
    raw_value: Any = field(default=None, hash=False)
    """The non-numeric score, enum or value as sent; else the score."""
    threshold: str | None = None
    """The threshold in the server's words."""
    explanation: tuple[str, ...] = ()
    alignments: tuple[Alignment, ...] = ()
    """The parts of the expected outcome."""
    priority: str | None = None
    """The server's word for the priority."""
    deviation: float | str | None = None
    """Only for a critical category; else null."""
    wrongly_marked: bool | None = None
    """For a critical category, whether a person marked it as wrong; null if not sent."""
    workflow: bool = field(default=False, metadata=NOT_IN_JSON)
    categories: tuple[Category, ...] = field(default=(), metadata=NOT_IN_JSON)
    percentiles: tuple[tuple[str, float], ...] = field(default=(), metadata=NOT_IN_JSON)
    """Pairs such as ("p90", 1120.0), on the metric's scale."""
    kind: str = field(default="", metadata=NOT_IN_JSON)
    """The metric's type and evaluation type in words."""

    @property
    def name(self) -> str:
        """The name that was sent, or else a name made from the id."""
        if self.sent_name is not None or self.source == "expected_outcome":
            return self.sent_name or ""
        noun = "metric" if self.source == "metric" else "category"
        return f"unnamed {noun}" if self.id is None else f"{noun} {self.id}"

    @property
    def shown_value(self) -> float | str | None:
        """The value shown as the score: a critical category's deviation; else the number, else another value sent."""
        if self.source == "critical_category":
            return self.deviation
        return _number_or_text(self.raw_value) if self.score is None else self.score

    @property
    def critical(self) -> bool:
        """Whether the verdict has the server's highest priority."""
        return _lowered(self.priority) == _CRITICAL

    @property
    def reasons(self) -> tuple[str, ...]:
        """A category's deviation, the explanation, new texts of a metric's categories, unmet expected outcomes."""
        first = (self.deviation,) if isinstance(self.deviation, str) else ()
        texts = [*first, *(text for text in self.explanation if not any(text in one for one in first))]
        for category in self.categories[:_MOST_CATEGORIES]:
            for text in (category.deviation, category.feedback):
                if isinstance(text, str) and text.rstrip(".") not in "\n".join(texts):
                    texts.append(text)
        missed = (part.prompt_part or part.outcome for part in self.alignments if part.aligned is False)
        return (*texts, *(f"Not met: {part}" for part in missed if part))


def read_verdicts(run: Run) -> tuple[Verdict, ...]:
    """All verdicts of a run, sorted by state: failed (critical first), to be reviewed, passed, not applicable. Verdicts
    of equal rank keep the server's order. A list row has fewer verdicts than a whole run, or none."""
    metrics = (run.evaluation.metrics if run.evaluation else None) or run.metrics or []
    found = [_of_metric(metric, line) for metric, line in join_rubric(run, metrics)]
    if run.expected_outcome and (verdict := _of_expected(run.expected_outcome)):
        found.append(verdict)
    for category in run.critical_categories or []:
        if _text(category.category) or category.category_id is not None:
            found.append(_of_category(category))
    return tuple(sorted(found, key=lambda one: (_ORDER[one.state], one.state == "fail" and not one.critical)))


def _of_metric(metric: Metric, line: Threshold | None) -> Verdict:
    score, extra = _score(metric.score), metric.extra or {}
    state = _metric_state(metric, line)
    binary = score == _FULL if "binary" in _kind(metric) and score in (_FULL, _NONE) else None
    fitting = _consistent_score(score, state, binary, meets(line.text, score, None) if line else None)
    value = _sent_value(metric)
    categories = tuple(_categories(extra.get("categories")))
    percentiles = sent.items() if isinstance(sent := extra.get("percentiles"), dict) else ()
    return Verdict(
        source="metric",
        id=metric.id,
        sent_name=_text(metric.name),
        state=state,
        score=fitting,
        threshold=line.text if line else None,
        explanation=tuple(metric.explanation or (line and line.sent.explanation) or ()),
        workflow="workflow" in (metric.type or ""),
        priority=_CRITICAL if any(_lowered(category.priority) == _CRITICAL for category in categories) else None,
        categories=categories,
        percentiles=tuple((name, value) for name, value in percentiles if _is_number(value)),
        kind=_kind(metric),
        raw_value=metric.score if value is None or score != fitting else value,
    )


def _consistent_score(score: float | None, state: State, *judged: bool | None) -> float | None:
    """The score; None if it contradicts the state or does not apply. `judged`: whether the score passes each test."""
    return None if state == "na" or (state != "review" and (state == "fail") in judged) else score


def _metric_state(metric: Metric, line: Threshold | None) -> State:
    """The state of a metric, never decided by a value alone: "True" is good for some metrics and bad for others."""
    if (metric.extra or {}).get("trigger_failed") is True:
        return "na"
    score, passed = _score(metric.score), metric.passed
    if passed is None and line:
        passed = line.sent.passed
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


def _score(sent: object) -> float | None:
    """A score sent as a number or as a number in text; None for any other value."""
    if isinstance(sent, bool) or not isinstance(sent, float | int | str):
        return None
    try:
        return score if math.isfinite(score := float(sent)) else None
    except (ValueError, OverflowError):
        return None


def _sent_value(metric: Metric) -> object:
    """The non-numeric score as sent, else the enum, else the value; None if all are empty."""
    score = metric.score if isinstance(metric.score, int | str) and not isinstance(metric.score, bool) else None
    in_place = score if _score(score) is None else None
    return next((value for value in (in_place, metric.enum, metric.value) if _text(value) is not None), None)


def _word(metric: Metric) -> str | None:
    return _text(_sent_value(metric))


def _number_or_text(value: object) -> float | str | None:
    return value if isinstance(value, float | int) and _is_number(value) else _text(value)


def _text(value: object) -> str | None:
    """A value as text; None if it is empty."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else None
    return str(value) if value is not None and str(value).strip() else None


def _lowered(priority: str | None) -> str:
    return (priority or "").strip().lower()


def _categories(raw: object) -> list[Category]:
    """The categories of a metric, sent as objects or as bare names."""
    found = []
    for item in raw if isinstance(raw, list) else [raw]:
        if isinstance(item, str) and item.strip():
            found.append(Category(item))
        elif isinstance(item, dict):
            name = _text(item.get("category")) or _text(item.get("name"))
            shown = _number_or_text(item.get("deviation"))
            if name or shown:
                wrong = item.get("wrongly_marked")
                found.append(
                    Category(
                        name=name or "unnamed",
                        priority=_text(item.get("priority")),
                        deviation=shown,
                        feedback=_text(item.get("feedback")) or "",
                        wrongly_marked=wrong if isinstance(wrong, bool) else None,
                    )
                )
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _of_expected(expected: ExpectedOutcome) -> Verdict | None:
    explanation = tuple(expected.explanation or ())
    alignments = tuple(
        Alignment(part.outcome or "", part.prompt_part or "", part.aligned)
        for part in expected.outcome_alignments or []
        if part.outcome or part.prompt_part or part.aligned is not None
    )
    score = _score(expected.score)
    if score is None and not explanation and not alignments:
        return None
    state = _expected_state(score, explanation, alignments)
    return Verdict(
        source="expected_outcome",
        id=None,
        sent_name="Expected outcome",
        state=state,
        score=_consistent_score(score, state, score == 100 if score in (0, 100) else None),
        explanation=explanation,
        alignments=alignments,
        raw_value=expected.score,
    )


def _expected_state(score: float | None, explanation: tuple[str, ...], alignments: tuple[Alignment, ...]) -> State:
    """The state of the expected outcome: failed if a part is not met or an explanation starts with ❌; else passed if
    all parts are met, and to be reviewed if only some parts were judged. If no part was judged, a ✅ at the start of an
    explanation or a score of 100 means passed, a score of 0 failed, and anything else to be reviewed."""
    known = [alignment.aligned for alignment in alignments if alignment.aligned is not None]
    marks = [text.lstrip()[:1] for text in explanation]
    if not all(known) or "❌" in marks:
        return "fail"
    if known:
        return "pass" if len(known) == len(alignments) else "review"
    if "✅" in marks or score == 100:
        return "pass"
    return "fail" if score == 0 else "review"


def _of_category(category: CriticalCategory) -> Verdict:
    deviation = _number_or_text(category.deviation)
    return Verdict(
        source="critical_category",
        id=category.category_id,
        sent_name=_text(category.category),
        state=_category_state(category, deviation),
        score=None,
        explanation=(category.feedback,) if category.feedback else (),
        priority=category.priority,
        wrongly_marked=category.wrongly_marked,
        deviation=deviation,
    )


def _category_state(category: CriticalCategory, deviation: float | str | None) -> State:
    """The state of a critical category, decided by its marks, deviation and priority. Not applicable if it is no bug or
    wrongly marked; passed if the deviation is 0; failed if critical; else to be reviewed."""
    priority = _lowered(category.priority)
    if category.wrongly_marked or priority == "not_a_bug":
        return "na"
    if deviation == 0:
        return "pass"
    return "fail" if priority == _CRITICAL else "review"


class VerdictPair(NamedTuple):
    """The verdicts of two runs on one check, None for a run without one. `verdict` is the first that is not None."""

    verdict: Verdict
    first: Verdict | None
    second: Verdict | None


def pair_verdicts(first: Sequence[Verdict], second: Sequence[Verdict]) -> Iterator[VerdictPair]:
    """Pair verdicts that have the same source and id, or without an id the same source and name. The first run's
    verdicts come first in their order, then the verdicts that only the second run has."""
    left = list(second)
    for verdict in first:
        other = next((one for one in left if _check(one) == _check(verdict)), None)
        if other is not None:
            left.remove(other)
        yield VerdictPair(verdict, verdict, other)
    for verdict in left:
        yield VerdictPair(verdict, None, verdict)


def _check(verdict: Verdict) -> tuple[str, object]:
    return verdict.source, verdict.name if verdict.id is None else verdict.id
