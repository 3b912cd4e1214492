from __future__ import annotations

from typing import Any

import pytest

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import Alignment, Category, Verdict, read_verdicts


def verdicts(**fields: Any) -> tuple[Verdict, ...]:
    return read_verdicts(Run.read({"id": 1, **fields}))


def of_metric(metric: dict[str, Any], **fields: Any) -> Verdict:
    (verdict,) = verdicts(evaluation={"metrics": [{"id": 3, "name": "Polite", **metric}]}, **fields)
    return verdict


def line(**fields: Any) -> dict[str, Any]:
    return {"rubric": [{"metric_id": 3, "metric_name": "Polite", **fields}]}


@pytest.mark.parametrize(
    ("metric", "state"),
    [
        ({"type": "binary_workflow_adherence", "score": 5}, "pass"),
        ({"type": "binary_workflow_adherence", "score": 0}, "fail"),
        ({"type": "binary_workflow_adherence", "score": 3}, "review"),
        ({"eval_type": "binary", "passed": True}, "pass"),
        ({"eval_type": "binary", "passed": False, "score": 5}, "fail"),
        ({"score": 0}, "review"),
        ({"score": 87.5}, "review"),
        ({"score": None}, "na"),
        ({"score": None, "value": "True"}, "review"),
        ({"score": None, "value": False}, "review"),
        ({"score": None, "enum": "Very polite"}, "review"),
        ({"type": "binary_x", "score": 0, "extra": {"trigger_failed": True}}, "na"),
        ({"type": "binary_x", "score": 0, "extra": {"trigger_failed": False}}, "fail"),
    ],
)
def test_a_metric_is_read_as_the_server_declares_it_and_never_off_a_word(metric: dict[str, Any], state: str) -> None:
    assert of_metric(metric).state == state


@pytest.mark.parametrize("word", ["True", "False", True, False])
def test_true_or_false_in_a_value_never_tells_good_from_bad(word: object) -> None:
    assert of_metric({"value": word}).state == "review"


@pytest.mark.parametrize(
    ("condition", "score", "state"),
    [
        ("score gte 5", 5, "pass"),
        ("score gte 5", 4.9, "fail"),
        ("score gt 5", 5, "fail"),
        ("score lte 2.5", 2.5, "pass"),
        ("score lt 2", 2, "fail"),
        ("score eq 3", 3, "pass"),
        ("score eq 3", 2, "fail"),
        ("score near 3", 3, "review"),
        ("", 3, "review"),
    ],
)
def test_a_threshold_of_the_rubric_decides(condition: str, score: float, state: str) -> None:
    verdict = of_metric({"score": score}, **line(conditions=condition))
    assert (verdict.state, verdict.threshold) == (state, condition)


def test_what_the_rubric_says_was_passed_counts_where_the_metric_says_nothing() -> None:
    assert of_metric({"score": 2}, **line(passed=True)).state == "pass"
    assert of_metric({"score": 2, "passed": False}, **line(passed=True)).state == "fail"
    assert of_metric({"score": None}, **line(passed=False, explanation="Rude")).explanation == ("Rude",)


def test_a_rubric_line_without_its_metric_is_a_verdict_of_its_own() -> None:
    (verdict,) = verdicts(rubric=[{"metric_id": 9, "metric_name": "Speed", "passed": False, "value": 4}])
    assert (verdict.id, verdict.name, verdict.state, verdict.score, verdict.raw_value) == (9, "Speed", "fail", None, 4)


def test_a_list_row_shows_the_metrics_that_it_has() -> None:
    (verdict,) = verdicts(metrics=[{"id": 3, "name": "Polite", "score": 5, "type": "binary_x"}])
    assert (verdict.source, verdict.state) == ("metric", "pass")


def test_a_metric_without_a_name_is_shown_by_its_id_and_one_without_either_is_not() -> None:
    (verdict,) = verdicts(evaluation={"metrics": [{"id": 3, "score": 1}, {"score": 1}]})
    assert verdict.name == "metric 3"


@pytest.mark.parametrize(
    ("expected", "state"),
    [
        ({"score": 100}, "pass"),
        ({"score": 0}, "fail"),
        ({"score": 60}, "review"),
        ({"score": 60, "explanation": ["✅ Booked"]}, "pass"),
        ({"score": 60, "explanation": [" ❌ Not booked", "✅ Polite"]}, "fail"),
        ({"explanation": "Booked"}, "review"),
        ({"score": 0, "outcome_alignments": [{"aligned": True}, {"aligned": "yes"}]}, "pass"),
        ({"score": 100, "outcome_alignments": [{"aligned": True}, {"aligned": "no"}]}, "fail"),
        ({"score": 100, "outcome_alignments": [{"aligned": None}]}, "pass"),
    ],
)
def test_the_expected_outcome_is_read_by_alignments_then_marks_then_score(expected: object, state: str) -> None:
    (verdict,) = verdicts(expected_outcome=expected)
    assert (verdict.source, verdict.state) == ("expected_outcome", state)


def test_unmet_parts_of_the_expected_outcome_are_reasons() -> None:
    parts = [
        {"aligned": "no", "prompt_part": "books a table"},
        {"aligned": False, "outcome": "says goodbye"},
        {"aligned": "yes", "outcome": "greets", "prompt_part": "greet"},
        {"aligned": "partly", "outcome": "asks for the name"},
    ]
    (verdict,) = verdicts(expected_outcome={"score": 20, "explanation": "Rude.", "outcome_alignments": parts})
    assert verdict.explanation == ("Rude.",)
    assert verdict.reasons == ("Rude.", "Not met: books a table", "Not met: says goodbye")
    assert verdict.alignments == (
        Alignment("", "books a table", False),
        Alignment("says goodbye", "", False),
        Alignment("greets", "greet", True),
        Alignment("asks for the name", "", None),
    )


@pytest.mark.parametrize("expected", [{}, None, "", [], {"score": None, "explanation": []}])
def test_an_empty_expected_outcome_is_no_verdict(expected: object) -> None:
    assert verdicts(expected_outcome=expected) == ()


@pytest.mark.parametrize(
    ("category", "state"),
    [
        ({"priority": "critical", "deviation": 1.0}, "fail"),
        ({"priority": "critical", "deviation": 0}, "pass"),
        ({"priority": "non-critical", "deviation": 2}, "review"),
        ({"priority": "some new word"}, "review"),
        ({"priority": "not_a_bug", "deviation": 3}, "na"),
        ({"priority": "critical", "wrongly_marked": True}, "na"),
        ({"priority": "Critical "}, "fail"),
    ],
)
def test_a_critical_category_counts_by_its_weight_unless_a_person_took_it_back(
    category: dict[str, Any], state: str
) -> None:
    (verdict,) = verdicts(critical_categories=[{"category_id": 4, "category": "Identity", **category}])
    assert (verdict.source, verdict.id, verdict.state) == ("critical_category", 4, state)


@pytest.mark.parametrize("categories", [None, [], [{}], "", [" "], 5])
def test_critical_categories_that_tell_nothing_are_no_verdicts(categories: object) -> None:
    assert verdicts(critical_categories=categories) == ()


@pytest.mark.parametrize("categories", ["Identity", ["Identity", None], [{"category": "Identity"}]])
def test_a_category_that_is_told_by_its_name_alone_is_to_be_reviewed(categories: object) -> None:
    (verdict,) = verdicts(critical_categories=categories)
    assert (verdict.name, verdict.state) == ("Identity", "review")


def test_a_category_that_is_told_by_its_number_alone_is_shown_by_it() -> None:
    (verdict,) = verdicts(critical_categories=[{"category_id": 4, "priority": "critical", "category": " "}])
    assert (verdict.name, verdict.state) == ("category 4", "fail")


def test_a_score_that_is_no_number_is_shown_as_it_came_and_to_be_reviewed() -> None:
    rubric = [{"metric_id": 1, "conditions": "score gte 90"}]
    (verdict,) = verdicts(evaluation={"metrics": [{"id": 1, "name": "Pace", "score": "80%"}]}, rubric=rubric)
    assert (verdict.state, verdict.score, verdict.raw_value) == ("review", None, "80%")
    assert verdict.threshold == "score gte 90"


@pytest.mark.parametrize(
    ("expected", "state"),
    [
        ({"explanation": ["❌ not done"], "outcome_alignments": [{"outcome": "x", "aligned": "yes"}]}, "fail"),
        ({"outcome_alignments": [{"outcome": "x", "aligned": "yes"}, {"outcome": "y", "aligned": "partly"}]}, "review"),
        (["Call booked", {"more": 1}], "review"),
    ],
)
def test_an_expected_outcome_passes_only_where_nothing_speaks_against_it(expected: object, state: str) -> None:
    (verdict,) = verdicts(expected_outcome=expected)
    assert verdict.state == state


def test_metrics_that_are_told_by_name_are_shown_by_it() -> None:
    run = Run.read({"id": 1, "evaluation": {"metrics": {"Pace": {"score": 0, "type": "binary"}, "odd": 5}}})
    (verdict,) = read_verdicts(run)
    assert (verdict.name, verdict.state) == ("Pace", "fail")


def test_failing_verdicts_are_read_first() -> None:
    metrics = [
        {"id": 1, "name": "a", "score": None},
        {"id": 2, "name": "b", "passed": True},
        {"id": 3, "name": "c", "score": 7},
        {"id": 4, "name": "d", "passed": False},
    ]
    assert [verdict.state for verdict in verdicts(evaluation={"metrics": metrics})] == ["fail", "review", "pass", "na"]


def test_a_critical_failure_is_read_before_the_other_failures_and_order_is_kept_else() -> None:
    grave = {"categories": [{"category": "Identity", "priority": "critical"}]}
    metrics = [
        {"id": 1, "name": "a", "passed": False},
        {"id": 2, "name": "b", "passed": False, "extra": grave},
        {"id": 3, "name": "c", "passed": True},
        {"id": 4, "name": "d", "passed": True, "extra": grave},
        {"id": 5, "name": "e", "passed": False},
    ]
    found = verdicts(
        evaluation={"metrics": metrics}, critical_categories=[{"category": "Privacy", "priority": "critical"}]
    )
    assert [verdict.name for verdict in found] == ["b", "Privacy", "a", "e", "c", "d"]


def test_what_a_metric_tells_besides_its_score_is_kept() -> None:
    extra = {
        "categories": [
            {"category": "Identity", "priority": "critical", "deviation": "too late", "feedback": "yes"},
            {"name": "Tone", "deviation": 0.4, "wrongly_marked": True},
            "Manners",
            7,
            {},
        ],
        "percentiles": {"p50": 700, "p90": 1120.5, "p99": None, "unit": "ms"},
    }
    verdict = of_metric({"type": "binary_workflow_adherence", "score": 0, "extra": extra})
    assert verdict.categories == (
        Category("Identity", "critical", "too late", "yes"),
        Category("Tone", None, 0.4, "", True),
        Category("Manners"),
    )
    assert verdict.percentiles == (("p50", 700), ("p90", 1120.5))
    assert (verdict.priority, verdict.critical, verdict.kind) == ("critical", True, "binary workflow adherence")


BINARY = {"type": "binary_workflow_adherence"}
NO_TRIGGER = {"extra": {"trigger_failed": True}}


@pytest.mark.parametrize(
    ("metric", "state", "score", "raw_value"),
    [
        ({"score": 4}, "review", 4.0, 4),
        ({"score": "4"}, "review", 4.0, "4"),
        ({"score": 4, "enum": "Good"}, "review", 4.0, "Good"),
        ({"score": None, "value": "True", "passed": False}, "fail", None, "True"),
        ({"score": None, "value": True}, "review", None, True),
        ({"score": "True", "value": "x"}, "review", None, "True"),
        ({"score": True}, "na", None, True),
        ({"score": {"a": 1}}, "na", None, {"a": 1}),
        ({**BINARY, "score": 5, "value": "True"}, "pass", 5.0, "True"),
        ({**BINARY, "score": 5, "passed": False, "value": "True"}, "fail", None, 5),
        ({**BINARY, "score": 0, "passed": True}, "pass", None, 0),
        ({**BINARY, "score": 0, **NO_TRIGGER}, "na", None, 0),
        ({"eval_type": "binary", "passed": True}, "pass", None, None),
        ({}, "na", None, None),
    ],
)
def test_a_score_never_contradicts_the_state_and_the_raw_value_is_kept(
    metric: dict[str, Any], state: str, score: float | None, raw_value: object
) -> None:
    told = of_metric(metric).to_json()
    assert (told["state"], told["score"], told["raw_value"]) == (state, score, raw_value)
    assert type(told["score"]) in (float, type(None))


def test_a_score_that_misses_the_threshold_is_not_told_of_a_metric_that_passed() -> None:
    told = of_metric({"score": 2, "passed": True}, **line(conditions="score gte 4")).to_json()
    assert (told["state"], told["score"], told["raw_value"]) == ("pass", None, 2)


@pytest.mark.parametrize(("score", "met"), [(100, "no"), (0, "yes")])
def test_the_score_of_an_expected_outcome_does_not_contradict_its_parts(score: int, met: str) -> None:
    parts = [{"outcome": "greets", "aligned": met}]
    (verdict,) = verdicts(expected_outcome={"score": score, "outcome_alignments": parts})
    assert (verdict.score, verdict.raw_value) == (None, score)


@pytest.mark.parametrize("deviation", [0, 0.7, "It was late.", None])
def test_a_critical_category_has_a_deviation_and_no_score(deviation: object) -> None:
    category = {"category": "Identity", "deviation": deviation, "wrongly_marked": False}
    told = verdicts(critical_categories=[category])[0].to_json()
    assert (told["deviation"], told["wrongly_marked"]) == (deviation, False)
    assert (told["score"], told["raw_value"]) == (None, None)


def test_a_name_that_was_not_sent_is_null() -> None:
    found = verdicts(metrics=[{"id": 3, "score": 1}], critical_categories=[{"category_id": 4}])
    assert [verdict.to_json()["name"] for verdict in found] == [None, None]


def test_the_json_of_a_verdict_tells_alignments_and_weight_after_the_documented_keys() -> None:
    (verdict,) = verdicts(expected_outcome={"score": 0, "outcome_alignments": [{"outcome": "greets", "aligned": "no"}]})
    shown = verdict.to_json()
    assert list(shown) == [
        "source",
        "id",
        "name",
        "state",
        "score",
        "raw_value",
        "threshold",
        *("explanation", "alignments", "priority", "deviation", "wrongly_marked"),
    ]
    assert shown["alignments"] == [{"outcome": "greets", "prompt_part": "", "aligned": False}]
