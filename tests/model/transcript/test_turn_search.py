"""Search in a transcript: every match in order, and the index of each match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.transcript.search import MAX_MATCHES, TurnMatch, TurnMatches, read_turn_query
from cekura_tui.model.transcript.transcript import Turn

SPEAKERS = ("testing", "main", "tool_call", "tool_result", "other")


def turns(*texts: str) -> list[Turn]:
    return [Turn(n, SPEAKERS[n % 5], "", None, None, text) for n, text in enumerate(texts)]  # type: ignore[arg-type]


def all_of(found: TurnMatches) -> list[TurnMatch]:
    return [found[place] for place in range(len(found))]


@pytest.mark.parametrize(
    ("texts", "asked", "found"),
    [
        (
            ["Call Me", "I said: call\n\n me back", "recall menu", "ÄRGER", "call  me"],
            "call me",
            [(0, 0, 7), (1, 8, 17), (2, 2, 9), (4, 0, 8)],
        ),
        (["ÄRGER", "ÄRGER ÄRGER"], "ärger", [(0, 0, 5), (1, 0, 5), (1, 6, 11)]),
        (["ΟΔΟΣ, οδός ΟΔΟΣΑ"], "οδοσ", [(0, 0, 4), (0, 11, 15)]),
        (["İİİ Book İ book"], "book", [(0, 4, 8), (0, 11, 15)]),
        (["$5.00? (yes) [x]", "a5b00"], "5.00? (yes) [x]", [(0, 1, 16)]),
    ],
)
def test_a_search_ignores_case_and_line_breaks_and_takes_signs_literally(
    texts: list[str], asked: str, found: list[TurnMatch]
) -> None:
    assert all_of(TurnMatches(turns(*texts), asked)) == found


def test_a_named_speaker_limits_the_search() -> None:
    spoken = turns(*["book it"] * 5)
    for asked, found in (("caller: book", [0]), ("AGENT:book", [1]), ("tool: book", [2, 3]), ("other:book", [4])):
        assert [match.n for match in all_of(TurnMatches(spoken, asked))] == found
    assert read_turn_query("at 10:30") == ((), "at 10:30")


@pytest.mark.parametrize("asked", ["", "  ", "caller:", "agent:  "])
def test_an_empty_search_finds_nothing(asked: str) -> None:
    found = TurnMatches(turns("a b", ""), asked)
    assert (len(found), bool(found), found.first_from(0), found.spans(0)) == (0, False, 0, ())


def test_matches_are_counted_up_to_a_limit_in_each_turn() -> None:
    found = TurnMatches(turns("e" * 1_000_000, "e"), "e")
    assert len(found) == MAX_MATCHES + 1
    assert found[MAX_MATCHES] == (1, 0, 1)


@given(st.lists(st.text(alphabet="abA \n", max_size=12), max_size=12), st.text(alphabet="ab ", max_size=3))
def test_matches_are_in_order_and_place_of_returns_the_index_of_each_match(texts: list[str], asked: str) -> None:
    found = TurnMatches(turns(*texts), asked)
    matches = all_of(found)
    assert matches == sorted(set(matches))
    assert [found.place_of(match) for match in matches] == list(range(len(matches)))
    words = " ".join(asked.split()).lower()
    for n, text in enumerate(texts):
        for start, end in found.spans(n):
            assert re.sub(r"\s+", " ", text[start:end]).lower() == words
        if words and " " not in words:
            assert len(found.spans(n)) == text.lower().count(words)
        assert found.first_from(n) == sum(match.n < n for match in matches)
    assert found.place_of(TurnMatch(0, 99, 100)) is None
    with pytest.raises(IndexError):
        found[len(found)]
