"""Decisions that a reader marked in rewrites of prompts can be taken one by one."""

from __future__ import annotations

import pytest
from decisions import decided, total
from rewrites import rewrites


def test_all_marks_of_a_reader_are_valid() -> None:
    every = [*rewrites("rewrites"), *rewrites("rewrites_held")]
    assert len(every) >= 20
    assert not [f"{pair.name}: {fault}" for pair in every for fault in pair.faults()]


def test_a_reader_takes_his_decisions_alone_and_is_shown_few_other_changes() -> None:
    found = total([decided(pair, "ours") for pair in rewrites("rewrites")])
    assert found.alone >= 210
    assert found.with_one >= 191
    assert found.shown <= 365
    assert found.marked <= 2_389
    assert found.missed <= 23


@pytest.mark.long
def test_a_reader_takes_more_decisions_alone_after_splitting_the_hunks() -> None:
    assert total([decided(pair, "ours, split") for pair in rewrites("rewrites")]).alone >= 234


@pytest.mark.long
def test_as_many_decisions_are_taken_alone_in_the_rewrites_that_no_rule_was_made_for() -> None:
    held = rewrites("rewrites_held")
    found, split = (total([decided(pair, differ) for pair in held]) for differ in ("ours", "ours, split"))
    assert found.alone >= 200
    assert split.alone >= 228
    assert found.shown <= 1.2 * found.asked
