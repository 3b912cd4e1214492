"""Transcripts of opened runs are searched, with an index and without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from searched_runs import AGENT, CALL, CALLER, RESULT, by_index, places, save_opened, search, watched_store

from cekura_tui.model.transcript.search import MOST_HITS, TranscriptHits, folded, read_query
from cekura_tui.store.store import Store


@pytest.fixture(params=[True, False], ids=["index", "no index"])
def store(home: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store with a search index, then a store without an index; each test runs with both stores."""
    with watched_store(home, index=request.param) as store:
        yield store


def test_a_hit_has_its_run_and_turn_and_speaker_and_the_offsets_of_the_matches(store: Store) -> None:
    save_opened(store, 5, "Hello", (AGENT, "Your refund is on its way."), timestamp="2026-11-02T10:00:00Z")
    found = search(store, "REFUND way")
    assert (found.runs_covered, found.runs_hit, found.total) == (1, 1, 1)
    assert found.indexed == by_index(store)
    (hit,) = found.hits
    assert (hit.run_id, hit.n, hit.speaker, hit.start, hit.scenario) == (5, 2, "main", 4.0, "Scenario 5")
    assert hit.when == 1_793_613_600.0
    assert [hit.snippet[start:end] for start, end in hit.matches] == ["refund", "way"]


def test_words_match_in_any_order_in_a_turn_but_phrases_only_in_their_order(store: Store) -> None:
    save_opened(store, 1, "the blue card is lost", "the card", "blue", "a card of blue  \n paper")
    assert places(store, "card blue") == [(1, 1), (1, 4)]
    assert places(store, '"blue card"') == [(1, 1)]
    assert places(store, '"blue paper"') == [(1, 4)]
    assert places(store, '"card blue"') == []
    assert places(store, 'lost "blue card"') == [(1, 1)]
    assert places(store, "lost blue green") == []


def test_a_speaker_prefix_searches_only_that_speaker(store: Store) -> None:
    tool = {"role": CALL, "data": {"name": "get_balance", "arguments": {"card": "balance-9"}}}
    answer = {"role": RESULT, "content": "done", "data": {"name": "get_balance", "result": {"amount": 77.5}}}
    said = [{"role": CALLER, "content": "my balance"}, {"role": AGENT, "content": "the balance"}, tool, answer]
    save_opened(store, 1, transcript_object=[*said, {"role": "Narrator", "content": "balance of terror"}])
    assert places(store, "balance") == [(1, n) for n in range(1, 6)]
    assert places(store, "caller:balance") == [(1, 1)]
    assert places(store, "Agent: balance") == [(1, 2)]
    assert places(store, "tool:balance") == [(1, 3), (1, 4)]
    assert places(store, "tool: 77.5") == [(1, 4)]
    assert places(store, "caller: tool: balance") == [(1, 1), (1, 3), (1, 4)]
    assert places(store, "other:balance") == [(1, 5)]
    assert places(store, "caller:") == []


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("Café Zürich, señor", "cafe ZURICH senor"),
        ("Cafe\u0301 au lait", "café"),
        ("Straße 5", "STRASSE"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("我想预订明天的座位", "明天"),
        ("我想预订明天的座位", "预订明天"),
        ("ฉันต้องการจองโต๊ะพรุ่งนี้", "จองโต๊ะ"),
        ("예약을 하고 싶어요", "예약을"),
        ("मुझे टेबल बुक करनी है", "टेबल"),
        ("أريد حجز طاولة", "طاولة"),
        ("I’d like “that”", "i'd"),
        ("ok 👍🏽 thanks", "👍🏽"),
        ("a", "a"),
        ("no, it is", "it"),
    ],
)
def test_words_are_found_regardless_of_case_and_accents_and_script(store: Store, said: str, typed: str) -> None:
    save_opened(store, 1, "nothing of the kind — 无", said)
    save_opened(store, 2, "zzz")
    found = search(store, typed)
    assert (1, 2) in [(hit.run_id, hit.n) for hit in found.hits]
    assert 2 not in [hit.run_id for hit in found.hits]
    hit = next(hit for hit in found.hits if hit.n == 2)
    marked = [folded(hit.snippet[start:end]) for start, end in hit.matches]
    assert all(any(word in piece for piece in marked) for word in read_query(typed).words)


def test_one_or_two_letters_are_searched_without_the_index(store: Store) -> None:
    save_opened(store, 1, "no 5 to 7", "seven")
    assert places(store, "to") == [(1, 1)]
    assert search(store, "to").indexed is False
    assert search(store, "seven").indexed == by_index(store)


WILD = [
    '"',
    '""',
    "'",
    "*",
    "%",
    "_",
    "a*",
    "se%n",
    "AND OR NOT",
    "NEAR(a b)",
    "col:x",
    "-x",
    "^a",
    "(",
    "+",
    "\\",
    "{a b}: c",
]


@pytest.mark.parametrize("typed", WILD)
def test_query_operators_are_matched_literally(store: Store, typed: str) -> None:
    save_opened(store, 1, f"first {typed} last", "seven and or not near a b x c")
    wanted = read_query(typed).words
    assert ((1, 1) in places(store, typed)) == bool(wanted)
    for sign in ("%", "_", "se%n", "a*", "NEAR(a b)", "col:x", "-x", "^a"):
        if typed == sign:
            assert places(store, typed) == [(1, 1)]


def test_an_unreadable_run_hides_no_other_run(store: Store) -> None:
    text = "[00:01] Testing Agent: I lost my card\n[00:05] Main Agent: Which card?"
    save_opened(store, 1, transcript_object=None, transcript=text)
    save_opened(store, 2, transcript_object={"__encrypted__": "x"})
    with store.database.write() as sql:
        sql.execute("INSERT INTO opened_runs VALUES (?, ?, 3, '[broken', 7, 1, 1, NULL)", store.transcript_search._pair)
    found = search(store, "card")
    assert [(hit.run_id, hit.n, hit.start) for hit in found.hits] == [(1, 1, 1.0), (1, 2, 5.0)]
    assert found.runs_covered == 3


def test_hits_start_with_the_newest_run_and_hits_over_the_limit_are_counted(store: Store) -> None:
    for number in (7, 9, 8):
        save_opened(store, number, *["again and again"] * 150)
    found = search(store, "again")
    assert (found.total, found.runs_hit, len(found.hits)) == (450, 3, MOST_HITS)
    assert [(hit.run_id, hit.n) for hit in found.hits] == [(9, n) for n in range(1, 151)] + [
        (8, n) for n in range(1, 51)
    ]


def test_an_empty_query_finds_nothing_but_counts_the_runs(store: Store) -> None:
    assert search(store, "x") == TranscriptHits(0, (), 0, False)
    save_opened(store, 1, "x")
    assert search(store, "  ") == TranscriptHits(1, (), 0, by_index(store))
