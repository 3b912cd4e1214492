"""Transcripts of runs read in full are searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from searched_runs import AGENT, CALL, CALLER, RESULT, opened_store, places, save_opened, search

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of
from cekura_tui.model.transcript.search import folded, read_query, stem_of
from cekura_tui.model.transcript.transcript import read_transcript
from cekura_tui.store.store import Store


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = opened_store(home)
    yield store
    store.close()


def test_a_hit_has_its_run_and_turn_and_speaker_and_the_offsets_of_the_matches(store: Store) -> None:
    fields = {"timestamp": "2026-11-02T10:00:00Z", "status": "completed", "evaluation_status": "success"}
    save_opened(store, 5, "Hello", (AGENT, "Your refund is on its way."), **fields)
    (hit,) = search(store, "REFUND way")
    assert (hit.run_id, hit.n, hit.speaker, hit.start, hit.row.scenario) == (5, 2, "main", 4.0, "Scenario 5")
    assert (hit.row.at, hit.row.outcome.kind, hit.text) == (1_793_613_600.0, "passed", "Your refund is on its way.")
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
    assert (1, 2) in [(hit.run_id, hit.n) for hit in found]
    assert 2 not in [hit.run_id for hit in found]
    hit = next(hit for hit in found if hit.n == 2)
    marked = [folded(hit.snippet[start:end]) for start, end in hit.matches]
    assert all(any(stem_of(word) in piece for piece in marked) for word in read_query(typed).words)


WILD = [
    '"',
    '""',
    "'",
    "*",
    "%",
    "_",
    "*a",
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
    for sign in ("%", "_", "se%n", "*a", "NEAR(a b)", "col:x", "-x", "^a"):
        if typed == sign:
            assert places(store, typed) == [(1, 1)]


def test_an_unreadable_run_hides_no_other_run(store: Store) -> None:
    text = "[00:01] Testing Agent: I lost my card\n[00:05] Main Agent: Which card?"
    save_opened(store, 1, transcript_object=None, transcript=text)
    save_opened(store, 2, transcript_object={"__encrypted__": "x"})
    with store.database.write() as sql:
        sql.execute("INSERT INTO opened_runs VALUES (?, ?, 3, '[broken', 7, 1, 1, NULL)", store.transcript_search._pair)
    assert [(hit.run_id, hit.n, hit.start) for hit in search(store, "card")] == [(1, 1, 1.0), (1, 2, 5.0)]
    assert sorted(store.transcript_search.rows()) == [1, 2], "an unreadable run does not count as searched"


def test_hits_are_newest_first_also_in_several_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cekura_tui.store.transcript_search._AT_ONCE", 2)
    for number in (7, 9, 8):
        save_opened(store, number, "again", "and again")
    assert places(store, "again") == [(9, 1), (9, 2), (8, 1), (8, 2), (7, 1), (7, 2)]
    assert places(store, "  ") == []


def test_loaded_transcripts_are_bounded_and_opened_runs_stay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    save_opened(store, 1, "one word")
    assert places(store, "word") == [(1, 1)]
    loaded = Run.read({"id": 0, "transcript": "Caller: another word"})
    turns, row = read_transcript(loaded).turns, row_of(loaded)
    runs = [(row._replace(id=number), turns) for number in (2, 3, 4, 5)]
    monkeypatch.setattr("cekura_tui.store.transcript_search.MAX_RUNS", 3)
    store.transcript_search.save(runs)
    store.transcript_search.save(runs[-1:])
    assert [run for run, _ in places(store, "word")] == [5, 4, 3, 1]
    monkeypatch.setattr("cekura_tui.store.transcript_search.MAX_CHARACTERS", 30)
    store.transcript_search.save(runs[-1:])
    assert [run for run, _ in places(store, "word")] == [5, 4, 1]
    assert len(store.database.read("SELECT * FROM said_turns")) == 3
