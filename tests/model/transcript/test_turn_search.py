"""Search in a transcript: every match in order, and the index of each match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.transcript.search import MAX_MATCHES, TurnMatch, TurnMatches, folded, read_query
from cekura_tui.model.transcript.transcript import Turn

SPEAKERS = ("testing", "main", "tool_call", "tool_result", "other")


def turns(*texts: str) -> list[Turn]:
    return [Turn(n, SPEAKERS[n % 5], "", None, None, text) for n, text in enumerate(texts)]  # type: ignore[arg-type]


def all_of(found: TurnMatches) -> list[TurnMatch]:
    return [found[place] for place in range(len(found))]


def test_a_search_finds_all_words_in_turns_that_have_every_word() -> None:
    spoken = turns("Call Me", "I said: me\n\n call\n me back", "recall menu", "call her", "me")
    assert all_of(TurnMatches(spoken, "call me")) == [(0, 0, 4), (0, 5, 7), (1, 8, 10), (1, 13, 17), (1, 19, 21)]
    assert all_of(TurnMatches(spoken, '"call me"')) == [(0, 0, 7), (1, 13, 21)]
    assert all_of(TurnMatches(turns("İİİ Book İ book"), "book")) == [(0, 4, 8), (0, 11, 15)]


def test_a_named_speaker_limits_the_search() -> None:
    spoken = turns(*["book it"] * 5)
    for asked, found in (("caller: book", [0]), ("AGENT:book", [1]), ("tool: book", [2, 3]), ("other:book", [4])):
        assert [match.n for match in all_of(TurnMatches(spoken, asked))] == found
    assert all_of(TurnMatches(turns("at 10:30"), "at 10:30")) == [(0, 0, 2), (0, 3, 8)]


@pytest.mark.parametrize("asked", ["", "  ", "caller:", "agent:  "])
def test_an_empty_search_finds_nothing(asked: str) -> None:
    found = TurnMatches(turns("a b", ""), asked)
    assert (len(found), bool(found), found.first_from(0), found.spans(0)) == (0, False, 0, ())


def test_matches_are_counted_up_to_a_limit_in_each_turn() -> None:
    found = TurnMatches(turns("e " * 500_000, "e"), "e")
    assert len(found) == MAX_MATCHES + 1
    assert found[MAX_MATCHES] == (1, 0, 1)


@given(st.lists(st.text(alphabet="abA \n", max_size=12), max_size=12), st.text(alphabet="ab* ", max_size=3))
def test_matches_are_in_order_and_place_of_returns_the_index_of_each_match(texts: list[str], asked: str) -> None:
    found = TurnMatches(turns(*texts), asked)
    matches = all_of(found)
    assert matches == sorted(set(matches))
    assert [found.place_of(match) for match in matches] == list(range(len(matches)))
    query = read_query(asked)
    for n, text in enumerate(texts):
        assert bool(found.spans(n)) == (bool(query.words) and query.matches(folded(text)))
        assert found.first_from(n) == sum(match.n < n for match in matches)
    assert found.place_of(TurnMatch(0, 99, 100)) is None
    with pytest.raises(IndexError):
        found[len(found)]
