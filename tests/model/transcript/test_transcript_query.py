"""A search in transcripts: parsing the query, matching whole words, and making the line that a hit shows."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.transcript.search import (
    LONGEST_QUERY,
    TranscriptQuery,
    folded,
    matches_in,
    read_query,
    snippet_of,
    stem_of,
)

TEXTS = st.text(st.sampled_from("aAbé́ıİßﬁΣς’ \n\t你한\u0345\u200d👍🏽"), max_size=60)


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", TranscriptQuery(())),
        ("  Two  words two ", TranscriptQuery(("two", "words"))),
        ('a "Blue  card" b', TranscriptQuery(("a", "blue card", "b"))),
        ('"not closed', TranscriptQuery(("not closed",))),
        ("“curly quotes” don’t", TranscriptQuery(("curly quotes", "don't"))),
        ("caller:refund", TranscriptQuery(("refund",), ("testing",))),
        ("AGENT: one two", TranscriptQuery(("one", "two"), ("main",))),
        ('tool:"a b" c', TranscriptQuery(("a b", "c"), ("tool_call", "tool_result"))),
        ('"caller:x" my:y http://z', TranscriptQuery(("caller:x", "my:y", "http://z"))),
        ("hypercaller:x", TranscriptQuery(("hypercaller:x",))),
        ('""', TranscriptQuery(())),
        ("a\x1b[2J\x00b", TranscriptQuery(("a[2jb",))),
    ],
)
def test_a_query_is_parsed_into_words_and_phrases_and_speakers(typed: str, query: TranscriptQuery) -> None:
    assert read_query(typed) == query


def found(typed: str, text: str) -> list[str]:
    """What a search marks in a turn."""
    query = read_query(typed)
    places = matches_in(text, query.words)
    assert query.matches(folded(text)) <= bool(places)
    return [text[start:end] for start, end in places] if query.matches(folded(text)) else []


@pytest.mark.parametrize(
    ("typed", "text", "marked"),
    [
        ("fee", "I feel the fee, Fee! coffee fee-free fee_2", ["fee", "Fee", "fee", "fee"]),
        ("fee*", "I feel no coffee; a FEE", ["fee", "FEE"]),
        ('"the fee"', "the feel of the  fee", ["the  fee"]),
        ('"the fee*"', "the feel of the fee", ["the fee", "the fee"]),
        ("a a", "b a aa", ["a"]),
        ("don't", "I don’t. donut", ["don’t"]),
        ("don", "I don't", ["don"]),
        ("follow-up follow", "follow-up, follower", ["follow-up"]),
        ("12", "12, 120, 312, 12.50, 12th", ["12", "12"]),
        ("$5", "$5 $50 $5.00", ["$5", "$5"]),
        ("$5*", "$5 $50", ["$5", "$5"]),
        ("cafe", "Cafés, Cafe\u0301!", ["Cafe\u0301"]),
        ("straße", "STRASSE strassen", ["STRASSE"]),
        ("мир", "мир мира", ["мир"]),
        ("टेबल", "टेबल टेबला", ["टेबल"]),
        ("明天", "我想预订明天的座位", ["明天"]),
        ("iphone", "我的iPhone很好, iPhones", ["iPhone"]),
        ("예약", "예약을", ["예약"]),
        ("จอง", "ต้องการจองโต๊ะ", ["จอง"]),
        ("* a*", "a * b ab", ["a", "*", "a"]),
        ("no yes", "no", []),
    ],
)
def test_only_whole_words_are_found_unless_a_star_ends_the_word(typed: str, text: str, marked: list[str]) -> None:
    assert found(typed, text) == marked


@given(st.text("aAb1é'-_ .*"), st.text("aab1é'-_ .", max_size=40))
def test_a_word_is_found_exactly_if_a_turn_has_it_as_a_word(typed: str, text: str) -> None:
    words = re.findall(r"[^\W_]+", folded(text))
    for word in read_query(typed).words:
        stem = word.removesuffix("*")
        if stem.isalnum():
            assert read_query(word).matches(folded(text)) == (
                any(one.startswith(stem) for one in words) if stem != word else word in words
            )


@given(TEXTS, TEXTS | st.text())
def test_exactly_the_words_found_in_a_turn_are_marked(text: str, typed: str) -> None:
    asked = read_query(typed).words
    assert all(word and word == word.strip() and len(word) <= 18 * LONGEST_QUERY for word in asked)
    words = [word for word in asked if TranscriptQuery((word,)).matches(folded(text))]
    places = matches_in(text, words)
    assert bool(places) == bool(words)
    assert all(start < end for start, end in places)
    assert all(before[1] <= after[0] for before, after in pairwise(places))
    marked = [folded(text[start:end]) for start, end in places]
    assert all(any(stem_of(word) in piece for piece in marked) for word in words)


@given(st.text(max_size=900), st.text("abcdefgh ", min_size=1, max_size=5), st.text(max_size=900))
def test_a_snippet_is_one_line_that_shows_the_longest_word(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    words = read_query(word).words
    snippet, places = snippet_of(text, words)
    assert "\n" not in snippet
    assert len(snippet) <= 310
    assert bool(places) == bool(words)
    assert all(0 <= start < end <= len(snippet) for start, end in places)
    if words:
        longest = max(words, key=len)
        assert any(longest in folded(snippet[start:end]) for start, end in places)


def test_a_snippet_of_a_late_match_starts_shortly_before_the_match() -> None:
    snippet, ((start, end),) = snippet_of("so " * 300 + "the refund is late " + "and " * 300, ("refund",))
    assert snippet.startswith("…so so")
    assert snippet.endswith("…")
    assert (snippet[start:end], start < 40) == ("refund", True)
    snippet, places = snippet_of("a " * 300 + "late refund", ("a", "refund"))
    assert "late refund" in snippet
    assert [snippet[start:end] for start, end in places][-1] == "refund", "a short word does not hide it"


@pytest.mark.parametrize("before", [9_790, 9_799, 9_805, 9_995, 10_000, 25_000])
def test_a_match_anywhere_in_a_very_long_turn_is_in_the_snippet(before: int) -> None:
    snippet, places = snippet_of("x" * before + " late refund " + "y" * 500, ("late", "refund"))
    assert [snippet[start:end] for start, end in places] == ["late", "refund"]
