"""Verdicts as they are said: the state by a word, the score beside what was needed, and no word taken for a state."""

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
    score_words,
    state_word,
)


def metric(state: State, told: float | str | None, threshold: str | None = None, **fields: Any) -> Verdict:
    score = None if isinstance(told, str) else told
    return Verdict("metric", 3, "Polite", state, score, threshold, raw_value=told, **fields)


def test_every_state_has_a_word() -> None:
    states: tuple[State, ...] = ("fail", "pass", "review", "na")
    assert [state_word(state) for state in states] == ["failed", "passed", "needs review", "does not apply"]


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
def test_a_threshold_is_said_in_short_words_or_as_the_server_says_it(threshold: str | None, words: str) -> None:
    assert threshold_words(threshold) == words


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (metric("fail", 2.0, "score gte 4"), "2, needs ≥ 4"),
        (metric("review", 87.5), "87.5"),
        (metric("pass", 1234567.0), "1234567"),
        (metric("fail", None, "score gte 4"), "needs ≥ 4"),
        (metric("fail", "True", "value eq False"), '"True", needs "False"'),
        (metric("review", "True"), '"True"'),
        (metric("na", None), ""),
        (metric("fail", 0.0, "score gte 5", kind="binary workflow adherence"), ""),
        (metric("pass", 5.0, "score gte 5", kind="binary"), ""),
        (metric("pass", "True", kind="binary"), ""),
        (metric("pass", 0.0, kind="binary"), "0"),
        (metric("fail", 5.0, kind="binary"), "5"),
        (metric("review", 3.0, kind="binary"), "3"),
        (Verdict("expected_outcome", None, "Expected outcome", "fail", 40.0, None), "40 of 100"),
        (Verdict("expected_outcome", None, "Expected outcome", "fail", None, None), ""),
        (Verdict("critical_category", 1, "Identity", "fail", None, None, deviation=0.7), "deviation 0.7"),
        (Verdict("critical_category", 1, "Identity", "fail", None, None, deviation="It was late."), ""),
    ],
)
def test_a_score_stands_beside_what_was_needed(verdict: Verdict, words: str) -> None:
    assert score_words(verdict) == words


def test_weight_and_a_person_s_word_stand_behind_the_state() -> None:
    grave = metric("fail", 2.0, "score gte 4", priority="critical")
    assert judged_words(grave) == "failed, critical · 2, needs ≥ 4"
    assert judged_words(metric("pass", None)) == "passed"
    weight: dict[str, Any] = {"deviation": 1.0, "priority": "not_a_bug", "wrongly_marked": True}
    taken_back = Verdict("critical_category", 1, "x", "na", None, None, **weight)
    assert judged_words(taken_back) == "does not apply, not a bug, wrongly marked · deviation 1"


@pytest.mark.parametrize("state", ["fail", "pass", "review", "na"])
def test_the_text_true_changes_no_state_word(state: State) -> None:
    told = {judged_words(metric(state, word)).split(" · ")[0] for word in ("True", "False", "no")}
    assert told == {state_word(state)}


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
def test_a_part_of_the_expected_outcome_says_whether_it_was_met(alignment: Alignment, words: str) -> None:
    assert alignment_words(alignment) == words


@pytest.mark.parametrize(
    ("item", "own", "parts"),
    [
        ("✅ Says  goodbye.", [], ["met: says goodbye"]),
        ("\u2705\ufe0f says goodbye", [], ["met: says goodbye"]),
        ("• says goodbye", [], ["met: says goodbye"]),
        ("✅ Says goodbye. See [00:14].", [], ["met: says goodbye. See [00:14]."]),
        ("✅ Says goodbye, late", [], ["met: says goodbye, late"]),
        ("❌ Says goodbye.", ["❌ Says goodbye."], ["met: says goodbye"]),
        ("Says goodbye to nobody.", ["Says goodbye to nobody."], ["met: says goodbye"]),
        ("", [""], ["met: says goodbye"]),
    ],
)
def test_an_item_of_an_explanation_that_repeats_a_part_is_shown_once(
    item: str, own: list[str], parts: list[str]
) -> None:
    part = Alignment("Met: says goodbye", "says goodbye", True)
    verdict = Verdict("expected_outcome", None, "x", "pass", 100.0, None, explanation=(item,), alignments=(part,))
    assert explanation_and_parts(verdict) == (own, parts)


def test_a_category_leaves_out_what_the_explanation_says_already() -> None:
    explained = ("The agent asked\n too late.", "Nothing else.")
    assert (
        category_words(Category("Identity", "critical", "Asked too late"), explained) == "category Identity, critical"
    )
    assert category_words(Category("Tone", None, 0.5, "Nothing else"), explained) == "category Tone: deviation 0.5"
    assert category_words(Category("Tone", None, "rude"), explained) == "category Tone: rude"


def test_a_category_and_percentiles_are_told_whole() -> None:
    assert category_words(Category("Identity", "critical", "too late")) == "category Identity, critical: too late"
    assert (
        category_words(Category("Tone", "non-critical", 0.25, "agreed", True))
        == "category Tone, non-critical, wrongly marked: deviation 0.25 (feedback: agreed)"
    )
    assert percentile_words(metric("pass", 1.0, percentiles=(("p50", 700), ("p90", 1120.5)))) == (
        "percentiles: p50 700, p90 1120.5"
    )
    assert percentile_words(metric("pass", 1.0)) == ""


@given(st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_more_is_never_worse_where_a_least_score_is_wanted(score: float, more: float) -> None:
    low, high = sorted((score, more))
    assert meets("score gte 4", low, None) <= meets("score gte 4", high, None)  # type: ignore[operator]
    assert meets("score gte 4", low, None) is (low >= 4)


@given(st.text(max_size=500))
def test_any_text_for_a_threshold_is_said_and_decides_only_what_it_declares(text: str) -> None:
    assert isinstance(threshold_words(text), str)
    assert meets(text, None, None) is None


@given(st.floats(-1e300, 1e300) | st.sampled_from([float("inf"), float("nan")]))
def test_any_number_is_said_so_that_it_reads_as_the_same(number: float) -> None:
    assert float(number_words(number)) == pytest.approx(number, rel=1e-9, nan_ok=True)
