"""The rubric's side of the metrics of a run: each line joined to the metric that it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cekura_tui.model.threshold import threshold_text

if TYPE_CHECKING:
    from cekura_tui.model.run import Metric, RubricLine, Run


@dataclass(frozen=True, slots=True)
class Threshold:
    """What the rubric says of one metric: the threshold as the server words it, whether it was passed, and why."""

    text: str | None
    passed: bool | None
    explanation: tuple[str, ...]
    line: RubricLine

    @property
    def id(self) -> int | None:
        """The id of its metric."""
        return self.line.metric_id

    @property
    def name(self) -> str:
        """The name of its metric, to be compared."""
        return _name(self.line.metric_name)


def joined(run: Run, metrics: Sequence[Metric]) -> list[tuple[Metric, Threshold | None]]:
    """Every metric with its threshold, then the lines that are about no metric which was sent.

    A line is a metric's by the id, and by the name where several metrics share that id or either has none. A metric
    and a line with neither id nor name are left out where they tell nothing else either.
    """
    named = [metric for metric in metrics if metric.name or metric.id is not None or metric.explanation]
    lines = list(_lines(run))
    if not lines:
        return [(metric, None) for metric in named]
    shared = _repeated(metric.id for metric in named)
    by_id: dict[int | None, list[Threshold]] = {}
    by_name: dict[str, list[Threshold]] = {}
    for line in lines:
        by_id.setdefault(line.id, []).append(line)
        by_name.setdefault(line.name, []).append(line)
    found = [(metric, _line_of(metric, shared, by_id, by_name)) for metric in named]
    used = {id(line) for _, line in found if line}
    rest = [line for line in lines if id(line) not in used and (line.id is not None or line.name)]
    return [*found, *((line.line.as_metric(), line) for line in rest)]


def _line_of(
    metric: Metric,
    shared: frozenset[int | None],
    by_id: dict[int | None, list[Threshold]],
    by_name: dict[str, list[Threshold]],
) -> Threshold | None:
    name = _name(metric.name)
    own = by_id.get(metric.id, []) if metric.id is not None else []
    same = next((line for line in own if line.name == name), None)
    if same or (own and metric.id not in shared):
        return same or own[0]
    alike = by_name.get(name, []) if name else []
    return next((line for line in alike if metric.id is None or line.id is None), None)


def _lines(run: Run) -> Iterable[Threshold]:
    """The lines of the rubric; of several about the same metric the one that failed, else the first."""
    found: dict[tuple[int | None, str], Threshold] = {}
    sent = run.source.get("rubric") if run.rubric else None
    objects = [item for item in sent if isinstance(item, dict)] if isinstance(sent, list) else []
    for n, line in enumerate(run.rubric or ()):
        # Conditions that came as a list are not in the model's field, which is a text.
        conditions = objects[n].get("conditions") if n < len(objects) else line.conditions
        text = threshold_text(conditions, line.expected_conditions)
        told = Threshold(text, line.passed, tuple(line.explanation or ()), line)
        place = (told.id, told.name)
        if place not in found or (told.passed is False and found[place].passed is not False):
            found[place] = told
    return found.values()


def _repeated(ids: Iterable[int | None]) -> frozenset[int | None]:
    return frozenset(one for one, times in Counter(ids).items() if times > 1)


def _name(name: str | None) -> str:
    return (name or "").strip().casefold()
