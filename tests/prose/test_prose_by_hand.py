"""The prose diff compared with pairs of prompts whose changes were marked by hand."""

from __future__ import annotations

from functools import cache

import pytest
from prose_cases import faults, pairs
from prose_scores import Score, kinds, prose_diff, score, total
from recorded_answers import changed

_HALVES = ("cases", "held")
_RATIO = {"surgical": 1.1, "heavy": 1.3}
_MISSED = {
    **{("cases", "surgical"): 0.009, ("cases", "heavy"): 0.022},
    **{("held", "surgical"): 0.001, ("held", "heavy"): 0.039},
}
"""Largest share of the hand-marked words that the diff may miss: the current result, rounded up."""


@cache
def _scores(half: str) -> list[tuple[set[str], Score]]:
    return [(kinds(pair), score(pair, prose_diff)) for pair in pairs(half)]


def _total(half: str, kind: str) -> Score:
    return total(one for its, one in _scores(half) if kind in its)


def test_there_are_enough_marked_pairs_of_each_kind_and_all_marks_are_valid() -> None:
    every = [pair for half in _HALVES for pair in pairs(half)]
    assert not [fault for pair in every for fault in faults(pair)]
    counted = {
        kind: sum(kind in kinds(pair) for pair in every) for kind in ("surgical", "heavy", "wrapped", "restyled")
    }
    least = {"surgical": 24, "heavy": 30, "wrapped": 10, "restyled": 10}
    assert all(counted[kind] >= number for kind, number in least.items()), counted


@pytest.mark.parametrize("kind", _RATIO)
@pytest.mark.parametrize("half", _HALVES)
def test_the_diff_marks_the_words_that_a_reader_marks_and_few_other_words(half: str, kind: str) -> None:
    found = _total(half, kind)
    assert found.marked <= _RATIO[kind] * found.by_hand
    assert len(found.missed) <= _MISSED[half, kind] * found.by_hand


@pytest.mark.parametrize("half", _HALVES)
def test_a_heavy_rewrite_has_only_a_few_more_hunks_than_a_reader_counts(half: str) -> None:
    found = _total(half, "heavy")
    assert found.edits
    assert found.hunks <= 1.5 * found.edits


@pytest.mark.parametrize("half", _HALVES)
def test_a_wrapper_causes_almost_no_marks_inside_the_answer(half: str) -> None:
    found = _total(half, "wrapped")
    assert found.bare
    assert found.outside <= 1.05 * found.bare


@pytest.mark.parametrize("half", _HALVES)
def test_no_word_is_marked_only_in_part(half: str) -> None:
    assert not sum(one.cut for _, one in _scores(half))


def test_the_hunks_of_every_hand_marked_pair_are_as_recorded() -> None:
    assert changed("prose/answers.txt") == ""


def test_every_result_of_each_short_case_is_as_recorded() -> None:
    assert changed("prose/short_answers.txt") == ""
