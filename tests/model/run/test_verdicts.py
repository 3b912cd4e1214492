"""Verdicts read from metrics, rubric, expected outcome and critical categories of any shape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.as_json import to_json
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import Alignment, Category, Verdict, read_verdicts
from cekura_tui.model.run.words import alignment_words, category_words, judged_words, percentile_words


def verdicts(**fields: Any) -> tuple[Verdict, ...]:
    return read_verdicts(Run.read({"id": 1, **fields}))


def of_metric(metric: dict[str, Any], **line: Any) -> Verdict:
    """The verdict of one metric; `line` has the fields of the metric's line in the rubric, if the metric has one."""
    rubric = [{"metric_id": 3, "metric_name": "Polite", **line}] if line else None
    (verdict,) = verdicts(evaluation={"metrics": [{"id": 3, "name": "Polite", **metric}]}, rubric=rubric)
    return verdict


def of_expected(expected: object) -> Verdict:
    (verdict,) = verdicts(expected_outcome=expected)
    return verdict


BINARY = {"type": "binary_workflow_adherence"}
NO_TRIGGER = {"extra": {"trigger_failed": True}}


@pytest.mark.parametrize(
    ("metric", "state", "score", "raw_value"),
    [
        ({"score": 0}, "review", 0.0, 0),
        ({"score": 87.5}, "review", 87.5, 87.5),
        ({"score": "4"}, "review", 4.0, "4"),
        ({"score": 4, "enum": "Good"}, "review", 4.0, "Good"),
        ({"score": None, "enum": "Very polite"}, "review", None, "Very polite"),
        ({"score": None, "value": "True"}, "review", None, "True"),
        ({"value": "False"}, "review", None, "False"),
        ({"score": None, "value": True}, "review", None, True),
        ({"value": False}, "review", None, False),
        ({"score": None, "value": "True", "passed": False}, "fail", None, "True"),
        ({"score": "True", "value": "x"}, "review", None, "True"),
        ({"score": True}, "na", None, True),
        ({"score": None}, "na", None, None),
        ({"score": {"a": 1}}, "na", None, {"a": 1}),
        ({**BINARY, "score": 5, "value": "True"}, "pass", 5.0, "True"),
        ({**BINARY, "score": 3}, "review", 3.0, 3),
        ({**BINARY, "score": 0}, "fail", 0.0, 0),
        ({**BINARY, "score": 0, "extra": {"trigger_failed": False}}, "fail", 0.0, 0),
        ({**BINARY, "score": 0, **NO_TRIGGER}, "na", None, 0),
        ({**BINARY, "score": 5, "passed": False, "value": "True"}, "fail", None, 5),
        ({**BINARY, "score": 0, "passed": True}, "pass", None, 0),
        ({"eval_type": "binary", "passed": True}, "pass", None, None),
        ({"eval_type": "binary", "passed": False, "score": 5}, "fail", None, 5),
        ({}, "na", None, None),
    ],
)
def test_the_score_of_a_metric_never_contradicts_its_state(
    metric: dict[str, Any], state: str, score: float | None, raw_value: object
) -> None:
    shown = to_json(of_metric(metric))
    assert (shown["state"], shown["score"], shown["raw_value"]) == (state, score, raw_value)
    assert type(shown["score"]) in (float, type(None))


GTE = {"field": "score", "op": "gte", "value": 4}
LTE = {"field": "score", "op": "lte", "value": "4.5"}


@pytest.mark.parametrize(
    ("line", "score", "threshold", "state"),
    [
        ({"conditions": "score gte 5"}, 5, "score gte 5", "pass"),
        ({"conditions": "score gte 5"}, 4.9, "score gte 5", "fail"),
        ({"conditions": "score gt 5"}, 5, "score gt 5", "fail"),
        ({"conditions": "score lte 2.5"}, 2.5, "score lte 2.5", "pass"),
        ({"conditions": "score lt 2"}, 2, "score lt 2", "fail"),
        ({"conditions": "score eq 3"}, 3, "score eq 3", "pass"),
        ({"conditions": "score eq 3"}, 2, "score eq 3", "fail"),
        ({"conditions": "score near 3"}, 3, "score near 3", "review"),
        ({"conditions": ""}, 3, "", "review"),
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
        ({"conditions": "score gte 90"}, "80%", "score gte 90", "review"),
    ],
)
def test_a_threshold_decides_the_state_if_the_threshold_is_understood(
    line: dict[str, Any], score: object, threshold: str | None, state: str
) -> None:
    verdict = of_metric({"score": score}, **line)
    assert (verdict.state, verdict.threshold if threshold is not None else None) == (state, threshold)


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
def test_a_value_decides_the_state_only_by_the_conditions_of_the_rubric(
    value: object, conditions: str, state: str
) -> None:
    assert of_metric({"value": value}, conditions=conditions).state == state


def test_the_passed_flag_of_the_rubric_counts_if_the_metric_has_no_flag() -> None:
    assert of_metric({"score": 2}, passed=True).state == "pass"
    assert of_metric({"score": 2, "passed": False}, passed=True).state == "fail"
    assert of_metric({"score": None}, passed=False, explanation="Rude").explanation == ("Rude",)
    missed = of_metric({"score": 2, "passed": True}, conditions="score gte 4")
    assert (missed.state, missed.score, missed.raw_value) == ("pass", None, 2)


POLITE, QUICK = {"id": 3, "name": "Polite", "score": 4}, {"id": 3, "name": "Quick", "score": 4}
WANTS_4 = {"metric_name": "Polite", "conditions": "score gte 4"}
QUICK_WANTS_5 = {"metric_id": 3, "metric_name": "quick ", "conditions": "score gte 5"}
FAILED_3 = {"metric_id": 3, "passed": False}


@pytest.mark.parametrize(
    ("metrics", "rubric", "found"),
    [
        ([POLITE, QUICK], [QUICK_WANTS_5, {**WANTS_4, "metric_id": 3}], [(3, "Quick", "fail"), (3, "Polite", "pass")]),
        ([POLITE, QUICK], [FAILED_3], [(3, "metric 3", "fail"), (3, "Polite", "review"), (3, "Quick", "review")]),
        ([{"name": "Polite", "score": 2}], [{**WANTS_4, "metric_id": 9}], [(None, "Polite", "fail")]),
        ([{"name": "Polite", "score": 2, "id": 9}], [WANTS_4], [(9, "Polite", "fail")]),
        ([{"name": "Polite", "score": 2}], [WANTS_4], [(None, "Polite", "fail")]),
        ([POLITE], [{**WANTS_4, "metric_id": 4, "passed": False}], [(4, "Polite", "fail"), (3, "Polite", "review")]),
        ([POLITE], [{"metric_id": 3, "passed": True}, FAILED_3], [(3, "Polite", "fail")]),
        ([], [{"metric_id": 9, "metric_name": "Speed", "passed": False}], [(9, "Speed", "fail")]),
        ([{"id": 3, "score": 1}, {"score": 1}], [], [(3, "metric 3", "review")]),
        ({"Pace": {"score": 0, "type": "binary"}, "odd": 5}, [], [(None, "Pace", "fail")]),
    ],
)
def test_rubric_lines_match_metrics_by_id_or_else_by_name(
    metrics: object, rubric: list[dict[str, Any]], found: list[tuple[int | None, str, str]]
) -> None:
    read = verdicts(evaluation={"metrics": metrics}, rubric=rubric)
    assert [(verdict.id, verdict.name, verdict.state) for verdict in read] == found


def test_the_value_of_a_rubric_line_and_the_metrics_of_a_list_row_are_read() -> None:
    (line,) = verdicts(rubric=[{"metric_id": 9, "passed": False, "value": 4}])
    assert (line.score, line.raw_value) == (None, 4)
    (verdict,) = verdicts(metrics=[{"id": 3, "name": "Polite", "score": 5, "type": "binary_x"}])
    assert (verdict.source, verdict.state) == ("metric", "pass")


MET, NOT_MET = {"outcome": "x", "aligned": "yes"}, {"outcome": "x", "aligned": "no"}


@pytest.mark.parametrize(
    ("expected", "state", "score"),
    [
        ({"score": 100}, "pass", 100),
        ({"score": 0}, "fail", 0),
        ({"score": 60}, "review", 60),
        ({"score": 60, "explanation": ["✅ Booked"]}, "pass", 60),
        ({"score": 60, "explanation": [" ❌ Not booked", "✅ Polite"]}, "fail", 60),
        ({"explanation": "Booked"}, "review", None),
        ({"score": 0, "outcome_alignments": [{"aligned": True}, MET]}, "pass", None),
        ({"score": 100, "outcome_alignments": [{"aligned": True}, NOT_MET]}, "fail", None),
        ({"score": 100, "outcome_alignments": [{"aligned": None}]}, "pass", 100),
        ({"explanation": ["❌ not done"], "outcome_alignments": [MET]}, "fail", None),
        ({"outcome_alignments": [MET, {"outcome": "y", "aligned": "partly"}]}, "review", None),
        (["Call booked", {"more": 1}], "review", None),
    ],
)
def test_the_expected_outcome_is_decided_by_alignments_or_else_marks_or_else_score(
    expected: object, state: str, score: float | None
) -> None:
    verdict = of_expected(expected)
    assert (verdict.source, verdict.state, verdict.score) == ("expected_outcome", state, score)
    assert verdict.raw_value == (expected.get("score") if isinstance(expected, dict) else None)


def test_unmet_parts_of_the_expected_outcome_are_reasons() -> None:
    parts = [
        {"aligned": "no", "prompt_part": "books a table"},
        {"aligned": False, "outcome": "says goodbye"},
        {"aligned": "yes", "outcome": "greets", "prompt_part": "greet"},
        {"aligned": "partly", "outcome": "asks for the name"},
    ]
    verdict = of_expected({"score": 20, "explanation": "Rude.", "outcome_alignments": parts})
    assert verdict.explanation == ("Rude.",)
    assert verdict.reasons == ("Rude.", "Not met: books a table", "Not met: says goodbye")
    more = (Category("Tone", deviation="Far too rude.", feedback="rude"), Category("Care", None, 0.4, "Yes, rude."))
    rude = replace(verdict, deviation="Rude!", categories=more)
    assert rude.reasons[:4] == ("Rude!", "Rude.", "Far too rude.", "Yes, rude.")
    assert replace(rude, deviation="Rude. Bad.", alignments=()).reasons == ("Rude. Bad.", *rude.reasons[2:4])
    assert verdict.alignments == (
        Alignment("", "books a table", False),
        Alignment("says goodbye", "", False),
        Alignment("greets", "greet", True),
        Alignment("asks for the name", "", None),
    )


@pytest.mark.parametrize("empty", [{}, None, "", [], 5])
def test_an_empty_expected_outcome_and_empty_categories_are_no_verdicts(empty: object) -> None:
    assert verdicts(expected_outcome=empty, critical_categories=empty) == ()
    assert verdicts(expected_outcome={"score": None, "explanation": []}, critical_categories=[{}, " "]) == ()


@pytest.mark.parametrize(
    ("categories", "name", "state"),
    [
        ([{"category": "Identity", "priority": "critical", "deviation": 1.0}], "Identity", "fail"),
        ([{"category": "Identity", "priority": "critical", "deviation": 0}], "Identity", "pass"),
        ([{"category": "Identity", "priority": "non-critical", "deviation": 2}], "Identity", "review"),
        ([{"category": "Identity", "priority": "some new word"}], "Identity", "review"),
        ([{"category": "Identity", "priority": "not_a_bug", "deviation": 3}], "Identity", "na"),
        ([{"category": "Identity", "priority": "critical", "wrongly_marked": True}], "Identity", "na"),
        ([{"category": "Identity", "priority": "Critical "}], "Identity", "fail"),
        ([{"category": "Identity", "deviation": "It was late."}], "Identity", "review"),
        ([{"category_id": 4, "priority": "critical", "category": " "}], "category 4", "fail"),
        ("Identity", "Identity", "review"),
        (["Identity", None], "Identity", "review"),
    ],
)
def test_priority_decides_about_a_critical_category_that_is_not_wrongly_marked(
    categories: object, name: str, state: str
) -> None:
    (verdict,) = verdicts(critical_categories=categories)
    assert (verdict.source, verdict.name, verdict.state) == ("critical_category", name, state)
    fields: dict[str, Any] = categories[0] if isinstance(categories, list) and isinstance(categories[0], dict) else {}
    shown = to_json(verdict)
    assert (shown["id"], shown["score"], shown["raw_value"]) == (fields.get("category_id"), None, None)
    assert (shown["deviation"], shown["wrongly_marked"]) == (fields.get("deviation"), fields.get("wrongly_marked"))


def test_failed_verdicts_come_first_and_critical_failures_before_other_failures() -> None:
    grave = {"categories": [{"category": "Identity", "priority": "critical"}]}
    metrics = [
        {"id": 0, "name": "na", "score": None},
        {"id": 1, "name": "a", "passed": False},
        {"id": 2, "name": "b", "passed": False, "extra": grave},
        {"id": 3, "name": "c", "passed": True},
        {"id": 4, "name": "d", "passed": True, "extra": grave},
        {"id": 5, "name": "e", "passed": False},
        {"id": 6, "name": "review", "score": 7},
    ]
    privacy = [{"category": "Privacy", "priority": "critical"}]
    found = verdicts(evaluation={"metrics": metrics}, critical_categories=privacy)
    assert " ".join(verdict.name for verdict in found) == "b Privacy a e review c d na"


def test_categories_and_percentiles_of_a_metric_are_kept() -> None:
    late = {"category": "Identity", "priority": "critical", "deviation": "too late", "feedback": "yes"}
    tone = {"name": "Tone", "deviation": 0.4, "wrongly_marked": True}
    percentiles = {"p50": 700, "p90": 1120.5, "p99": None, "unit": "ms"}
    extra = {"categories": [late, tone, "Manners", 7, {}], "percentiles": percentiles}
    verdict = of_metric({"type": "binary_workflow_adherence", "score": 0, "extra": extra})
    assert verdict.categories == (
        Category("Identity", "critical", "too late", "yes"),
        Category("Tone", None, 0.4, "", True),
        Category("Manners"),
    )
    assert verdict.percentiles == (("p50", 700), ("p90", 1120.5))
    assert (verdict.priority, verdict.critical, verdict.kind) == ("critical", True, "binary workflow adherence")


def test_verdict_json_has_the_documented_keys_and_null_for_a_missing_name() -> None:
    found = verdicts(metrics=[{"id": 3, "score": 1}], critical_categories=[{"category_id": 4}])
    assert [to_json(verdict)["name"] for verdict in found] == [None, None]
    shown = to_json(of_expected({"score": 0, "outcome_alignments": [{"outcome": "greets", "aligned": "no"}]}))
    assert " ".join(shown) == (
        "source id name state score raw_value threshold explanation alignments priority deviation wrongly_marked"
    )
    assert shown["alignments"] == [{"outcome": "greets", "prompt_part": "", "aligned": False}]


WORDS = ["True", "False", "score gte 4", "score >= 5 and value eq True", "critical", "not_a_bug", "nan", "1e999", "op"]
LEAVES = st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.sampled_from(WORDS) | st.text(max_size=8)
CONDITION_FIELDS = st.sampled_from(["conditions", "operator", "field", "op", "value"])
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(CONDITION_FIELDS, inner, max_size=5)
)


def objects(*names: str, **shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly lists of objects with these fields; a value has any shape unless `shapes` has a strategy for the field."""
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
def test_verdicts_of_any_shape_can_be_shown(
    evaluation: object, metrics: object, rubric: object, expected: object, categories: object
) -> None:
    fields = {"evaluation": {"metrics": evaluation}, "metrics": metrics, "rubric": rubric}
    for verdict in verdicts(expected_outcome=expected, critical_categories=categories, **fields):
        assert verdict.state in ("fail", "review", "pass", "na")
        json.dumps(to_json(verdict), allow_nan=False)
        shown = [judged_words(verdict), percentile_words(verdict), *map(alignment_words, verdict.alignments)]
        assert all(isinstance(text, str) for text in [*shown, *map(category_words, verdict.categories)])


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.booleans()), max_size=8), METRICS)
def test_a_failed_rubric_line_is_always_among_the_verdicts(lines: list[tuple[int, str, bool]], metrics: object) -> None:
    rubric = [{"metric_id": n, "metric_name": name, "passed": passed} for n, name, passed in lines]
    some = [item for item in metrics if isinstance(item, dict)] if isinstance(metrics, list) else []
    plain = [{"id": n, "name": str(item.get("name"))} for n, item in enumerate(some)]
    failed = {n for n, _, passed in lines if not passed}
    assert failed <= {verdict.id for verdict in verdicts(rubric=rubric, metrics=plain) if verdict.state == "fail"}
