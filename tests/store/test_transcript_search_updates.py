"""A search finds only cached runs of the store's key, even after a migration."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from searched_runs import ORIGIN, opened_store, places, save_opened, search

from cekura_tui.store import runs as runs_module
from cekura_tui.store import transcript_search
from cekura_tui.store.database import key_id
from cekura_tui.store.errors import StoreError
from cekura_tui.store.schema import MIGRATIONS, VERSION
from cekura_tui.store.store import Store


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = opened_store(home)
    yield store
    store.close()


# Reopened and pruned runs


def test_a_reopened_run_is_found_only_by_its_new_words(store: Store) -> None:
    save_opened(store, 1, "the old words")
    assert places(store, "words") == [(1, 1)]
    save_opened(store, 1, "Hello", "the new words", at=2.0)
    assert 1 not in store.transcript_search.rows(), "not even before the next search adds the new words"
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
    assert len(store.transcript_search.rows()) == 3
    assert len(store.database.read("SELECT * FROM said_turns")) == 3


# Accounts


def test_runs_of_another_key_or_server_are_never_found(store: Store, home: Path) -> None:
    save_opened(store, 1, "mine alone")
    assert places(store, "alone") == [(1, 1)]
    for key, origin in (("other", ORIGIN), ("key", "https://elsewhere.example")):
        other = opened_store(home, key, origin=origin)
        assert search(other, "alone") == []
        save_opened(other, 1, "theirs alone too")
        assert [hit.snippet for hit in search(other, "alone")] == ["theirs alone too"]
        other.close()
    assert [hit.snippet for hit in search(store, "alone")] == ["mine alone"]


# Earlier versions, steps


def test_runs_cached_by_an_earlier_version_are_found(home: Path) -> None:
    home.mkdir()
    sql = sqlite3.connect(home / "cekura.db")
    for script in MIGRATIONS[:3]:
        sql.executescript(script)
    sql.execute("INSERT INTO meta VALUES ('salt', ?)", (b"s" * 32,))
    sql.execute("PRAGMA user_version = 3")
    sql.execute("CREATE VIRTUAL TABLE said_index USING fts5(folded)")
    source = '{"id": 5, "scenario_name": "Old", "transcript": "[00:01] Main Agent: kept before"}'
    pair = (ORIGIN, key_id("key", b"s" * 32))
    sql.execute("INSERT INTO opened_runs VALUES (?, ?, 5, ?, ?, 1, 1, NULL)", (*pair, source, len(source)))
    sql.commit()
    sql.close()
    store = opened_store(home)
    assert store.database.read("PRAGMA user_version")[0][0] == VERSION
    assert store.database.read("SELECT count(*) FROM said_runs")[0][0] == 0, "opening the file indexes nothing"
    assert [(hit.run_id, hit.row.scenario) for hit in search(store, "kept before")] == [(5, "Old")]
    assert not store.database.read("SELECT 1 FROM sqlite_schema WHERE name LIKE 'said_index%'")
    store.close()


def test_many_runs_are_indexed_in_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert transcript_search.SLICE == 524_288
    monkeypatch.setattr(transcript_search, "SLICE", 20_000)
    for number in range(1, 13):
        save_opened(store, number, "long " * 1_000, "the end")
    pieces = 1
    while store.transcript_search.catch_up():
        pieces += 1
        assert len(store.transcript_search.rows()) < 12
    assert pieces > 2
    assert [run for run, _ in places(store, "end")] == list(range(12, 0, -1))


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
