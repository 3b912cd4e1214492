"""Turns of two calls of the same scenario are paired side by side."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.evidence.turn_alignment import Pair, align, shown_text
from cekura_tui.model.transcript.transcript import Speaker, Turn

WORDS = ["table", "book", "for", "four", "at", "seven", "name", "please", "sorry", "closed", "friday", "yes", "no"]
SPEAKERS: tuple[Speaker, ...] = ("testing", "main", "tool_call", "tool_result", "other")

texts = st.one_of(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), st.text(max_size=12))
values = st.one_of(st.none(), st.text(max_size=8), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2))
tools = st.fixed_dictionaries(
    {}, optional={"name": st.sampled_from(["find", "book", 3, ""]), "arguments": values, "result": values}
)
said = st.tuples(st.sampled_from(SPEAKERS), texts, st.none() | tools)


def call(*turns: tuple[Speaker, str] | tuple[Speaker, str, dict[str, object] | None]) -> list[Turn]:
    """Make turns from speakers and texts, one every two seconds."""
    return [
        Turn(n, turn[0], turn[0], 2.0 * n, None, turn[1], turn[2] if len(turn) > 2 else None)
        for n, turn in enumerate(turns, 1)
    ]


calls = st.lists(said, max_size=14).map(lambda turns: call(*turns))


def drawn(pairs: Sequence[Pair]) -> list[tuple[int | None, str, int | None]]:
    return [(pair.left and pair.left.n, pair.sign, pair.right and pair.right.n) for pair in pairs]


@given(calls, calls)
def test_every_turn_is_in_one_pair_and_swapping_the_calls_keeps_the_score(left: list[Turn], right: list[Turn]) -> None:
    pairs = align(left, right)
    assert [pair.left for pair in pairs if pair.left] == left
    assert [pair.right for pair in pairs if pair.right] == right
    for pair in pairs:
        if pair.left and pair.right:
            assert pair.left.speaker == pair.right.speaker
            assert 0.25 <= pair.similarity <= 1.0
        else:
            assert pair.similarity == 0.0
            assert pair.left or pair.right
    there, back = ([pair.similarity for pair in some] for some in (pairs, align(right, left)))
    assert sum(share**2 for share in there) == pytest.approx(sum(share**2 for share in back))


@given(calls.filter(len), st.data())
def test_a_missing_turn_is_the_only_difference(turns: list[Turn], data: st.DataObject) -> None:
    assert drawn(align(turns, turns)) == [(turn.n, "=", turn.n) for turn in turns]
    missing = data.draw(st.integers(0, len(turns) - 1))
    signs = [pair.sign for pair in align(turns, turns[:missing] + turns[missing + 1 :])]
    assert sorted(signs) == ["<"] + ["="] * (len(turns) - 1)


def test_a_wrong_answer_is_paired_with_the_right_answer_of_the_other_call() -> None:
    here = call(
        ("main", "Hello, Luigi's, how can I help?"),
        ("testing", "A table for four at seven, please."),
        ("main", "I have booked a table for four at eight."),
        ("testing", "Thank you, bye."),
    )
    there = call(
        ("main", "Hello, Luigi's - how can I help?"),
        ("testing", "a table for FOUR at seven please"),
        ("main", "On which name?"),
        ("testing", "Rossi."),
        ("main", "I have booked a table for four at seven."),
        ("testing", "Thank you. Bye!"),
    )
    expected = [(1, "=", 1), (2, "=", 2), (None, ">", 3), (None, ">", 4), (3, "~", 5), (4, "=", 6)]
    assert drawn(align(here, there)) == expected


def test_tool_calls_are_paired_by_name_and_are_equal_only_if_their_values_are_equal() -> None:
    here = call(
        ("tool_call", "", {"id": "a", "name": "find", "arguments": '{"at": 19, "for": 4}'}),
        ("tool_result", "", {"id": "a", "name": "find", "result": '{"free": true}'}),
        ("tool_call", "", {"id": "b", "name": "book", "arguments": '{"for": 4}'}),
    )
    there = call(
        ("tool_call", "", {"id": "x", "name": "find", "arguments": '{"for":4,"at":19}'}),
        ("tool_result", "", {"id": "x", "name": "find", "result": '{"free": false}'}),
        ("tool_call", "", {"id": "y", "name": "cancel", "arguments": '{"for": 4}'}),
    )
    assert drawn(align(here, there)) == [(1, "=", 1), (2, "~", 2), (3, "<", None), (None, ">", 3)]


def test_similar_turns_with_different_words_are_not_equal() -> None:
    for one, other in (("It is 1.5 pounds", "It is 15 pounds"), ("👍", "👎"), ("...", "?!"), ("I can do", "do I can")):
        (pair, *rest) = align(call(("main", one)), call(("main", other)))
        assert "=" not in {pair.sign, *(more.sign for more in rest)}, (one, other)


def test_a_tool_turn_is_shown_with_its_arguments_or_result() -> None:
    name = {"name": "find", "arguments": {"b": 1, "a": "é"}, "result": "none"}
    given_, gave, bare = call(("tool_call", "", name), ("tool_result", "x", name), ("tool_call", "x", {"name": "find"}))
    assert [shown_text(turn) for turn in (given_, gave, bare)] == ['find {"a": "é", "b": 1}', "find none", "find x"]
    sent = {"name": "find", "arguments": '{"b":1, "a":"é"}'}
    assert shown_text(call(("tool_call", "", sent))[0]) == shown_text(given_)
    assert shown_text(call(("main", "Hello."))[0]) == "Hello."


@pytest.mark.parametrize("kind", ["edited", "same words", "strangers"])
@pytest.mark.long
def test_thousands_of_turns_are_aligned_quickly(kind: str) -> None:
    choose = random.Random(7)

    def sentence(turn: int) -> tuple[Speaker, str]:
        return SPEAKERS[turn % 2], " ".join(choose.choices(WORDS, k=12))

    turns = [sentence(n) for n in range(3_000)]
    other = [sentence(n) for n in range(3_000)]
    if kind == "edited":
        other = [sentence(n) if n % 9 == 0 else turn for n, turn in enumerate(turns) if n % 50]
    elif kind == "same words":
        turns, other = ([(who, choose.choice(WORDS[:3])) for who, _ in some] for some in (turns, other))
    left, right = call(*turns), call(*other)
    began = time.thread_time()
    pairs = align(left, right)
    assert time.thread_time() - began < 2  # comparing all pairs would take minutes
    assert [pair.left for pair in pairs if pair.left] == left
    assert [pair.right for pair in pairs if pair.right] == right
    if kind == "edited":
        assert sum(pair.sign == "=" for pair in pairs) > 2_580
    assert align(left, right) == pairs
