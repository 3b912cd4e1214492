"""The rubric beside the metrics: whose threshold a line is, what it decides, and no shape of either that does harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import Verdict, read_verdicts
from cekura_tui.model.run.words import alignment_words, category_words, judged_words, percentile_words


def verdicts(**fields: Any) -> tuple[Verdict, ...]:
    return read_verdicts(Run.read({"id": 1, **fields}))


def of_metric(metric: dict[str, Any], **line: Any) -> Verdict:
    (verdict,) = verdicts(
        evaluation={"metrics": [{"id": 3, "name": "Polite", **metric}]}, rubric=[{"metric_id": 3, **line}]
    )
    return verdict


def test_two_metrics_of_one_id_have_each_the_threshold_of_its_name() -> None:
    metrics = [{"id": 3, "name": "Polite", "score": 4}, {"id": 3, "name": "Quick", "score": 4}]
    lines = [
        {"metric_id": 3, "metric_name": "quick ", "conditions": "score gte 5"},
        {"metric_id": 3, "metric_name": "Polite", "conditions": "score gte 4"},
    ]
    found = {verdict.name: verdict.state for verdict in verdicts(evaluation={"metrics": metrics}, rubric=lines)}
    assert found == {"Polite": "pass", "Quick": "fail"}


def test_a_threshold_that_could_be_of_either_metric_is_given_to_none_and_not_hidden() -> None:
    metrics = [{"id": 3, "name": "Polite", "score": 4}, {"id": 3, "name": "Quick", "score": 4}]
    found = verdicts(evaluation={"metrics": metrics}, rubric=[{"metric_id": 3, "passed": False}])
    assert [(verdict.name, verdict.state) for verdict in found] == [
        ("metric 3", "fail"),
        ("Polite", "review"),
        ("Quick", "review"),
    ]


@pytest.mark.parametrize(("metric", "line"), [({}, {"metric_id": 9}), ({"id": 9}, {}), ({}, {})])
def test_without_an_id_on_either_side_the_name_joins(metric: dict[str, Any], line: dict[str, Any]) -> None:
    (verdict,) = verdicts(
        evaluation={"metrics": [{"name": "Polite", "score": 2, **metric}]},
        rubric=[{"metric_name": "Polite", "conditions": "score gte 4", **line}],
    )
    assert (verdict.state, verdict.threshold) == ("fail", "score gte 4")


def test_the_same_name_under_other_ids_does_not_join() -> None:
    found = verdicts(
        evaluation={"metrics": [{"id": 3, "name": "Polite", "score": 2}]},
        rubric=[{"metric_id": 4, "metric_name": "Polite", "passed": False}],
    )
    assert [(verdict.id, verdict.state) for verdict in found] == [(4, "fail"), (3, "review")]


def test_of_two_lines_about_one_metric_the_failed_one_is_not_hidden() -> None:
    lines = [{"metric_id": 3, "passed": True}, {"metric_id": 3, "passed": False}]
    (verdict,) = verdicts(evaluation={"metrics": [{"id": 3, "score": 4}]}, rubric=lines)
    assert verdict.state == "fail"


GTE = {"field": "score", "op": "gte", "value": 4}
LTE = {"field": "score", "op": "lte", "value": "4.5"}


@pytest.mark.parametrize(
    ("line", "score", "threshold", "state"),
    [
        ({"conditions": [GTE]}, 3, "score gte 4", "fail"),
        ({"conditions": ["score gte 4", "score lte 4.5"]}, 5, "score gte 4 and score lte 4.5", "fail"),
        ({"expected_conditions": {"operator": "and", "conditions": [GTE, LTE]}}, 4.2, None, "pass"),
        ({"expected_conditions": {"operator": "OR", "conditions": [GTE, LTE]}}, 3, None, "pass"),
        ({"expected_conditions": GTE}, 3, "score gte 4", "fail"),
        ({"conditions": "", "expected_conditions": GTE}, 3, "score gte 4", "fail"),
        ({"conditions": "score gte '4'"}, 4, "score gte '4'", "pass"),
        ({"conditions": "score >= 4"}, 3, "score >= 4", "fail"),
        ({"conditions": "score gte 4 or mood eq good"}, 5, None, "pass"),
        ({"conditions": "score gte 4 and mood eq good"}, 5, None, "review"),
        ({"conditions": "score gte 4 and mood eq good"}, 3, None, "fail"),
        ({"conditions": {"a": 1}}, 3, None, "review"),
    ],
)
def test_thresholds_of_many_forms_decide_and_what_is_not_understood_does_not(
    line: dict[str, Any], score: float, threshold: str | None, state: str
) -> None:
    verdict = of_metric({"score": score}, **line)
    assert verdict.state == state
    if threshold:
        assert verdict.threshold == threshold


@pytest.mark.parametrize(
    ("value", "conditions", "state"),
    [
        ("True", "value eq True", "pass"),
        ("True", "value eq False", "fail"),
        (False, "value eq False", "pass"),
        ("False", "value ne False", "fail"),
        ("True", "value near True", "review"),
        (None, "value eq True", "na"),
    ],
)
def test_a_word_counts_only_beside_the_word_that_the_rubric_wants(value: object, conditions: str, state: str) -> None:
    assert of_metric({"value": value}, conditions=conditions).state == state


WORDS = ["True", "False", "score gte 4", "score >= 5 and value eq True", "critical", "not_a_bug", "nan", "1e999", "op"]
LEAVES = st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.sampled_from(WORDS) | st.text(max_size=8)
CONDITION_FIELDS = st.sampled_from(["conditions", "operator", "field", "op", "value"])
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(CONDITION_FIELDS, inner, max_size=5)
)


def objects(*names: str, **shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly a list of objects with these fields, of any shape each."""
    fields = {name: shapes.get(name, JSON) for name in (*names, *shapes)}
    return st.lists(st.fixed_dictionaries({}, optional=fields) | JSON, max_size=4) | JSON


CATEGORIES = objects("category_id", "category", "name", "deviation", "wrongly_marked", "feedback", "priority")
EXTRA = st.fixed_dictionaries({}, optional={"categories": CATEGORIES, "percentiles": JSON, "trigger_failed": JSON})
METRICS = objects(
    *("id", "name", "type", "eval_type", "score", "passed", "enum", "value", "explanation"), extra=EXTRA | JSON
)
RUBRIC = objects("metric_id", "metric_name", "value", "explanation", "passed", "conditions", "expected_conditions")
ALIGNMENTS = objects("outcome", "prompt_part", "aligned")
EXPECTED = st.fixed_dictionaries({}, optional={"score": JSON, "explanation": JSON, "outcome_alignments": ALIGNMENTS})


@given(METRICS, METRICS, RUBRIC, EXPECTED | JSON, CATEGORIES)
def test_no_shape_of_verdicts_ends_the_program_and_each_can_be_told(
    evaluation: object, metrics: object, rubric: object, expected: object, categories: object
) -> None:
    fields = {"evaluation": {"metrics": evaluation}, "metrics": metrics, "rubric": rubric}
    for verdict in verdicts(expected_outcome=expected, critical_categories=categories, **fields):
        assert verdict.state in ("fail", "review", "pass", "na")
        json.dumps(verdict.to_json(), allow_nan=False)
        told = [judged_words(verdict), percentile_words(verdict), *map(alignment_words, verdict.alignments)]
        assert all(isinstance(text, str) for text in [*told, *map(category_words, verdict.categories)])


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.booleans()), max_size=8), METRICS)
def test_a_line_that_failed_is_always_among_the_verdicts(lines: list[tuple[int, str, bool]], metrics: object) -> None:
    rubric = [{"metric_id": n, "metric_name": name, "passed": passed} for n, name, passed in lines]
    some = [item for item in metrics if isinstance(item, dict)] if isinstance(metrics, list) else []
    plain = [{"id": n, "name": str(item.get("name"))} for n, item in enumerate(some)]
    failed = {n for n, _, passed in lines if not passed}
    assert failed <= {verdict.id for verdict in verdicts(rubric=rubric, metrics=plain) if verdict.state == "fail"}
