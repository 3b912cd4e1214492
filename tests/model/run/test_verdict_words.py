"""Verdicts in words: the state, then the score and its threshold; a value alone is never taken for a state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.run.verdict import Alignment, Category, State, Verdict, meets, number_words, threshold_words
from cekura_tui.model.run.words import (
    alignment_words,
    category_words,
    explanation_and_parts,
    judged_words,
    percentile_words,
)

TONE, TAKEN_BACK = "category Tone", "does not apply, not a bug, wrongly marked"


def metric(state: State, value: float | str | None, threshold: str | None = None, **fields: Any) -> Verdict:
    score = None if isinstance(value, str) else value
    return Verdict("metric", 3, "Polite", state, score, value, threshold, **fields)


def category(state: State, **fields: Any) -> Verdict:
    return Verdict("critical_category", 1, "Identity", state, None, **fields)


def expected(score: float | None, *explanation: str, alignments: tuple[Alignment, ...] = ()) -> Verdict:
    fields: dict[str, Any] = {"explanation": explanation, "alignments": alignments}
    return Verdict("expected_outcome", None, "Expected outcome", "fail", score, **fields)


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        ("score gte 4", "≥ 4"),
        ("score gt 4.5", "> 4.5"),
        ("score lte 2500", "≤ 2500"),
        ("score lt 2", "< 2"),
        ("score eq 3", "= 3"),
        ("score ne 3", "≠ 3"),
        ("score>=4", "≥ 4"),
        ("value eq True", '"True"'),
        ('value eq "very good"', '"very good"'),
        ("value ne False", 'other than "False"'),
        ("score gte 2 and score lte 4", "≥ 2 and ≤ 4"),
        ("score lt 2 or score gt 4", "< 2 or > 4"),
        ("score near 4", "score near 4"),
        ("score gte high", "score gte high"),
        ("latency lte 900", "latency lte 900"),
        ("score gte 4 and latency lte 900", "score gte 4 and latency lte 900"),
        ("score gte 1 and score lt 9 or score eq 0", "score gte 1 and score lt 9 or score eq 0"),
        ("  ", ""),
        (None, ""),
    ],
)
def test_a_simple_threshold_is_shortened_and_other_thresholds_stay_as_sent(threshold: str | None, words: str) -> None:
    assert threshold_words(threshold) == words


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (metric("fail", 2.0, "score gte 4"), "failed · 2, needs ≥ 4"),
        (metric("fail", 2.0, "score gte 4", priority="critical"), "failed, critical · 2, needs ≥ 4"),
        (metric("review", 87.5), "needs review · found 87.5, no expected value"),
        (metric("pass", 1234567.0), "passed · 1234567"),
        (metric("fail", None, "score gte 4"), "failed · needs ≥ 4"),
        (metric("fail", "True", "value eq False"), 'failed · "True", needs "False"'),
        (metric("review", "True"), 'needs review · found "True", no expected value'),
        (metric("pass", "False"), 'passed · "False"'),
        (metric("fail", "True"), 'failed · "True"'),
        (metric("na", None), "does not apply"),
        (metric("fail", 0.0, "score gte 5", kind="binary workflow adherence"), "failed"),
        (metric("pass", 5.0, "score gte 5", kind="binary"), "passed"),
        (metric("pass", "True", kind="binary"), "passed"),
        (metric("pass", 0.0, kind="binary"), "passed · 0"),
        (metric("fail", 5.0, kind="binary"), "failed · 5"),
        (metric("review", 3.0, kind="binary"), "needs review · found 3, no expected value"),
        (expected(40.0), "failed · 40 of 100"),
        (expected(None), "failed"),
        (category("fail", deviation=0.7), "failed · 0.7, passes at 0"),
        (category("fail", deviation="It was late."), "failed"),
        (category("na", deviation=1.0, priority="not_a_bug", wrongly_marked=True), f"{TAKEN_BACK} · 1, passes at 0"),
    ],
)
def test_state_and_priority_come_before_score_and_threshold(verdict: Verdict, words: str) -> None:
    assert judged_words(verdict) == words


@pytest.mark.parametrize(
    ("alignment", "words"),
    [
        (Alignment("says goodbye", "", True), "met: says goodbye"),
        (Alignment("says goodbye", "say goodbye", False), "not met: says goodbye (prompt: say goodbye)"),
        (Alignment("Not met: books", "books", False), "not met: books"),
        (Alignment("Met: books", "books", False), "not met: Met: books (prompt: books)"),
        (Alignment("", "books", None), "not reported: books"),
    ],
)
def test_a_part_of_the_expected_outcome_says_whether_the_part_was_met(alignment: Alignment, words: str) -> None:
    assert alignment_words(alignment) == words


MET = "met: says goodbye"


@pytest.mark.parametrize(
    ("item", "own", "parts"),
    [
        ("✅ Says  goodbye.", [], [MET]),
        ("\u2705\ufe0f says goodbye", [], [MET]),
        ("• says goodbye", [], [MET]),
        ("✅ Says goodbye. See [00:14].", [], ["met: says goodbye. See [00:14]."]),
        ("✅ Says goodbye, late", [], ["met: says goodbye, late"]),
        ("❌ Says goodbye.", ["❌ Says goodbye."], [MET]),
        ("Says goodbye to nobody.", ["Says goodbye to nobody."], [MET]),
        ("", [""], [MET]),
    ],
)
def test_an_explanation_that_repeats_a_part_is_shown_once(item: str, own: list[str], parts: list[str]) -> None:
    part = Alignment("Met: says goodbye", "says goodbye", True)
    assert explanation_and_parts(expected(100.0, item, alignments=(part,))) == (own, parts)
    with_stop = Alignment("says goodbye.", "", True)
    assert explanation_and_parts(expected(100.0, "✅ Says goodbye", alignments=(with_stop,)))[0] == []


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (Category("Identity", "critical", "too soon"), "category Identity, critical: too soon"),
        (
            Category("Tone", "mild", 0.25, "ok", True),
            f"{TONE}, mild, wrongly marked: score 0.25, passes at 0 (feedback: ok)",
        ),
        (Category("Identity", "critical", "Asked too late"), "category Identity, critical"),
        (Category("Tone", None, 0.5, "Nothing else"), f"{TONE}: score 0.5, passes at 0"),
        (Category("Tone", None, "rude"), f"{TONE}: rude"),
    ],
)
def test_a_category_omits_text_that_is_already_in_the_explanation(shown: Category, words: str) -> None:
    assert category_words(shown, ("The agent asked\n too late.", "Nothing else.")) == words


def test_percentiles_are_shown_with_their_names() -> None:
    percentiles = metric("pass", 1.0, percentiles=(("p50", 700), ("p90", 1120.5)))
    assert percentile_words(percentiles) == "percentiles: p50 700, p90 1120.5"
    assert percentile_words(metric("pass", 1.0)) == ""


@given(st.floats(-1000, 1000), st.floats(-1000, 1000), st.text(max_size=500))
def test_scores_below_a_minimum_fail_and_a_missing_score_is_undecided(score: float, more: float, text: str) -> None:
    low, high = sorted((score, more))
    assert meets("score gte 4", low, None) <= meets("score gte 4", high, None)  # type: ignore[operator]
    assert meets("score gte 4", low, None) is (low >= 4)
    assert isinstance(threshold_words(text), str)
    assert meets(text, None, None) is None


@given(st.floats(-1e300, 1e300) | st.sampled_from([float("inf"), float("nan")]))
def test_the_text_of_a_number_has_the_same_value_as_the_number(number: float) -> None:
    assert float(number_words(number)) == pytest.approx(number, rel=1e-9, nan_ok=True)
