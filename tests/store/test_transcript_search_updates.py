"""A search finds only cached runs of the store's key, even after a migration or damage to the search index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from examples import COSTLY
from hypothesis import given
from hypothesis import strategies as st
from searched_runs import ORIGIN, by_index, opened_store, places, save_opened, search, watched_store

from cekura_tui.model.transcript.search import TranscriptHits, folded, read_query
from cekura_tui.store import runs as runs_module
from cekura_tui.store import transcript_search
from cekura_tui.store.database import key_id
from cekura_tui.store.errors import StoreError
from cekura_tui.store.schema import MIGRATIONS, VERSION
from cekura_tui.store.store import Store


@pytest.fixture(params=[True, False], ids=["index", "no index"])
def store(home: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store with a search index, then a store without an index; each test runs with both stores."""
    with watched_store(home, index=request.param) as store:
        yield store


# Reopened and pruned runs


def test_a_reopened_run_is_found_only_by_its_new_words(store: Store) -> None:
    save_opened(store, 1, "the old words")
    assert places(store, "words") == [(1, 1)]
    save_opened(store, 1, "Hello", "the new words", at=2.0)
    assert store.transcript_search.search(read_query("old")).total == 0, "not even before the index is updated"
    assert places(store, "words") == [(1, 2)]
    assert places(store, "old") == []
    assert [row["text"] for row in store.database.read("SELECT text FROM said_turns")] == ["Hello", "the new words"]


def test_pruned_runs_are_no_longer_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "MAX_OPENED", 3)
    for number in range(1, 4):
        save_opened(store, number, f"number {number}x", at=float(number))
    assert len(places(store, "number")) == 3
    for number in range(4, 6):
        save_opened(store, number, f"number {number}x", at=float(number))
    assert [run for run, _ in places(store, "number")] == [5, 4, 3]
    assert places(store, "number 1x") == []
    assert search(store, "number").runs_covered == 3
    assert len(store.database.read("SELECT * FROM said_turns")) == 3


def test_the_index_keeps_no_words_of_a_replaced_run(home: Path) -> None:
    store = opened_store(home)
    save_opened(store, 1, "xylophone")
    assert places(store, "xylophone") == [(1, 1)]
    save_opened(store, 1, "trumpet")
    assert places(store, "trumpet") == [(1, 1)]
    store.database._sql.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, said_index, row)")
    terms = {row["term"] for row in store.database.read("SELECT term FROM terms")}
    assert "tru" in terms
    assert "xyl" not in terms
    with store.database.write() as sql:
        sql.execute("INSERT INTO said_index (said_index) VALUES ('integrity-check')")
    store.close()


@COSTLY
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.lists(st.text("abé %*\"'你好\n", max_size=8), max_size=3), st.booleans()),
        max_size=8,
    ),
    st.text("abé %*\"'你好", min_size=1, max_size=6),
)
def test_a_search_finds_the_same_turns_with_and_without_an_index(
    tmp_path_factory: pytest.TempPathFactory, opened: Sequence[tuple[int, list[str], bool]], typed: str
) -> None:
    home = tmp_path_factory.mktemp("said")
    stores = opened_store(home / "with"), opened_store(home / "without", index=False)
    last: dict[int, list[str]] = {}
    try:
        for at, (number, turns, looks) in enumerate(opened):
            last[number] = turns
            for store in stores:
                save_opened(store, number, *turns, at=float(at))
                if looks:
                    search(store, "ab")
        one, other = (search(store, typed) for store in stores)
        assert (one.hits, one.total, one.runs_covered) == (other.hits, other.total, other.runs_covered)
        words = read_query(typed).words
        expected = [
            (number, n)
            for number in sorted(last, reverse=True)
            for n, text in enumerate(last[number], 1)
            if words and all(word in folded(text) for word in words)
        ]
        assert [(hit.run_id, hit.n) for hit in one.hits] == expected
    finally:
        for store in stores:
            store.close()


# Accounts


def test_runs_of_another_key_or_server_are_never_found(store: Store, home: Path) -> None:
    save_opened(store, 1, "mine alone")
    assert places(store, "alone") == [(1, 1)]
    for key, origin in (("other", ORIGIN), ("key", "https://elsewhere.example")):
        other = opened_store(home, key, origin=origin, index=by_index(store))
        assert search(other, "alone") == TranscriptHits(0, (), 0, search(other, "alone").indexed)
        save_opened(other, 1, "theirs alone too")
        assert [hit.snippet for hit in search(other, "alone").hits] == ["theirs alone too"]
        other.close()
    assert [hit.snippet for hit in search(store, "alone").hits] == ["mine alone"]


# Earlier versions, steps, damage


def test_runs_cached_by_an_earlier_version_are_found(home: Path) -> None:
    home.mkdir()
    sql = sqlite3.connect(home / "cekura.db")
    for script in MIGRATIONS[:3]:
        sql.executescript(script)
    sql.execute("INSERT INTO meta VALUES ('salt', ?)", (b"s" * 32,))
    sql.execute("PRAGMA user_version = 3")
    source = '{"id": 5, "scenario_name": "Old", "transcript": "[00:01] Main Agent: kept before"}'
    pair = (ORIGIN, key_id("key", b"s" * 32))
    sql.execute("INSERT INTO opened_runs VALUES (?, ?, 5, ?, ?, 1, 1, NULL)", (*pair, source, len(source)))
    sql.commit()
    sql.close()
    store = opened_store(home)
    assert store.database.read("PRAGMA user_version")[0][0] == VERSION
    assert store.database.read("SELECT count(*) FROM said_runs")[0][0] == 0, "opening the file indexes nothing"
    assert [(hit.run_id, hit.scenario) for hit in search(store, "kept before").hits] == [(5, "Old")]
    store.close()


def test_many_runs_are_indexed_in_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert transcript_search.SLICE == 524_288
    monkeypatch.setattr(transcript_search, "SLICE", 20_000)
    for number in range(1, 13):
        save_opened(store, number, "long " * 1_000, "the end")
    pieces = 1
    while store.transcript_search.catch_up():
        pieces += 1
        assert store.transcript_search.search(read_query("end")).runs_covered < 12
    assert pieces > 2
    assert [run for run, _ in places(store, "end")] == list(range(12, 0, -1))


def test_a_file_can_be_searched_alternately_with_and_without_an_index(home: Path) -> None:
    with_index, without = opened_store(home), opened_store(home, index=False)
    statements: list[str] = []
    without.database._sql.set_trace_callback(statements.append)
    save_opened(with_index, 1, "first words")
    assert places(with_index, "words") == [(1, 1)]
    save_opened(without, 1, "second words")
    save_opened(without, 2, "third words")
    assert places(without, "words") == [(2, 1), (1, 1)]
    assert places(without, "first") == []
    assert not any("said_index" in statement for statement in statements), "the index is not used without FTS5"
    found = search(with_index, "words")
    assert ([hit.snippet for hit in found.hits], found.indexed) == (["third words", "second words"], True)
    assert places(with_index, "first") == []
    assert len(with_index.database.read("SELECT * FROM said_turns")) == 2
    with_index.close()
    without.close()


def test_runs_opened_after_damage_to_the_index_are_found(home: Path) -> None:
    store = opened_store(home)
    save_opened(store, 1, "before")
    assert places(store, "before") == [(1, 1)]
    store.close()
    path = home / "cekura.db"
    with sqlite3.connect(path) as sql:
        root = sql.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'said_index_data'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    again = opened_store(home)
    with pytest.raises(StoreError, match="no such table"):  # the next search creates the index again
        places(again, "before")
    assert "damaged" in again.database.notice
    save_opened(again, 2, "after, not before")
    assert places(again, "before") == [(2, 1)]
    again.close()


def test_a_search_fails_with_an_error_if_the_index_cannot_be_written(home: Path) -> None:
    store = opened_store(home)
    save_opened(store, 1, "words")
    store.database._sql.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="Can't write the database"):
        search(store, "words")
    store.database._sql.execute("PRAGMA query_only = OFF")
    assert places(store, "words") == [(1, 1)]
    store.close()


def test_opening_a_run_does_not_wait_for_indexing(store: Store) -> None:
    save_opened(store, 1, *["so it goes"] * 50)
    search(store, "goes")
    before = store.database.read("SELECT count(*) FROM said_turns")[0][0]
    save_opened(store, 1, *["so it went"] * 60, at=2.0)
    assert store.database.read("SELECT count(*) FROM said_turns")[0][0] == before
