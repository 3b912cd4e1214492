from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cekura_tui.model.job import Draft
from cekura_tui.model.run import Run
from cekura_tui.model.text import Prompt
from cekura_tui.model.view import RunRow, row_of
from cekura_tui.store import runs as runs_module
from cekura_tui.store.database import open_read_only
from cekura_tui.store.runs import MAX_LISTS, MAX_OPENED, MAX_ROWS, first_sight
from cekura_tui.store.store import Store

ORIGIN = "https://api.cekura.ai"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = Store(home / "cekura.db", ORIGIN, "key", "default")
    yield store
    store.close()


def rows(*numbers: int) -> list[RunRow]:
    return [row_of(Run.read({"id": number, "agent": 7, "duration": 61, "status": "failed"})) for number in numbers]


def test_a_list_is_shown_again_as_it_was_last_seen(store: Store) -> None:
    store.runs.keep_rows("project_id=1", 240, rows(3, 2), 10.0, first=True)
    store.runs.keep_rows("project_id=1", 240, rows(1), 11.0, first=False)
    seen = store.runs.seen("project_id=1")
    assert seen is not None
    assert (seen.count, seen.got_at, list(seen.rows)) == (240, 11.0, rows(3, 2, 1))
    assert store.runs.seen("project_id=2") is None


def test_the_first_page_starts_the_list_anew(store: Store) -> None:
    store.runs.keep_rows("s", 3, rows(3, 2), 10.0, first=True)
    store.runs.keep_rows("s", 1, rows(9), 11.0, first=True)
    seen = store.runs.seen("s")
    assert seen is not None
    assert [row.id for row in seen.rows] == [9]


def test_a_list_keeps_its_newest_thousand_rows(store: Store) -> None:
    for page in range(12):
        numbers = range(5000 - page * 100, 4900 - page * 100, -1)
        store.runs.keep_rows("s", 5000, rows(*numbers), float(page), first=page == 0)
    seen = store.runs.seen("s")
    assert seen is not None
    assert len(seen.rows) == MAX_ROWS
    assert seen.rows[0].id == 5000


def test_only_the_lists_seen_last_are_kept(store: Store) -> None:
    for number in range(MAX_LISTS + 5):
        store.runs.keep_rows(f"agent_id={number}", 1, rows(number + 1), float(number), first=True)
    assert store.runs.seen("agent_id=4") is None
    assert store.runs.seen("agent_id=5") is not None
    assert len(store.database.read("SELECT * FROM run_rows")) == MAX_LISTS


def test_an_opened_run_is_read_again_whole(store: Store) -> None:
    source = {"id": 5, "transcript": "é 🙂\n" * 50, "unknown": {"a": [1, None]}}
    store.runs.keep_opened(Run.read(source), 12.0)
    found = store.runs.opened(5)
    assert found is not None
    assert (found[0].source, found[1]) == (source, 12.0)
    assert store.runs.opened(6) is None


def test_the_runs_opened_longest_ago_make_room(store: Store) -> None:
    for number in range(1, MAX_OPENED + 11):
        store.runs.keep_opened(Run.read({"id": number}), float(number))
    assert store.runs.opened(10) is None
    assert store.runs.opened(11) is not None
    assert len(store.database.read("SELECT * FROM opened_runs")) == MAX_OPENED


def test_huge_runs_make_room_but_the_last_one_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "MAX_OPENED_BYTES", 10_000)
    for number in (1, 2):
        store.runs.keep_opened(Run.read({"id": number, "transcript": "x" * 4000}), float(number))
    assert store.runs.opened(1) is not None
    store.runs.keep_opened(Run.read({"id": 3, "transcript": "x" * 20_000}), 3.0)
    assert [store.runs.opened(number) is not None for number in (1, 2, 3)] == [False, False, True]


def test_another_key_does_not_see_what_this_one_saw(store: Store, home: Path) -> None:
    store.runs.keep_rows("s", 1, rows(1), 1.0, first=True)
    store.runs.keep_opened(Run.read({"id": 1}), 1.0)
    store.choose("project", 9, "Nine")
    other = Store(home / "cekura.db", ORIGIN, "other", "default")
    assert (other.runs.seen("s"), other.runs.opened(1), other.chosen()) == (None, None, None)
    other.close()


def test_the_first_frame_shows_what_was_chosen_seen_and_launched(store: Store, home: Path) -> None:
    store.choose("project", 9, "Nine")
    store.runs.keep_rows("project_id=9", 240, rows(2, 1), 1.0, first=True)
    job = store.jobs.begin_launch(Draft((5,), Prompt("x"), 7), 1.0, "me")
    store.jobs.save_draft(Draft((5,), Prompt("x"), 7), 1.0)
    sight = first_sight(home / "cekura.db", ORIGIN, "key", "default", None)
    assert sight.chosen == ("project", 9, "Nine")
    assert sight.seen is not None
    assert [row.id for row in sight.seen.rows] == [2, 1]
    assert sight.jobs == (job,)
    assert first_sight(home / "cekura.db", ORIGIN, "key", "default", "agent_id=3").seen is None
    assert first_sight(home / "cekura.db", ORIGIN, "other", "else", None).jobs == ()


def test_the_first_frame_reads_and_never_writes(store: Store, home: Path) -> None:
    sql = open_read_only(home / "cekura.db")
    assert sql is not None
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        sql.execute("DELETE FROM jobs")
    sql.close()


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1000])
def test_the_first_frame_is_empty_where_there_is_nothing_to_read(home: Path, content: bytes | None) -> None:
    home.mkdir()
    if content is not None:
        (home / "cekura.db").write_bytes(content)
    sight = first_sight(home / "cekura.db", ORIGIN, "key", "default", None)
    assert (sight.chosen, sight.seen, sight.jobs) == (None, None, ())
    assert [path.name for path in home.iterdir()] == ([] if content is None else ["cekura.db"])


def test_the_first_frame_survives_rows_of_a_damaged_file(store: Store, home: Path) -> None:
    store.runs.keep_rows("s", 1, rows(1), 1.0, first=True)
    with store.database.write() as sql:
        sql.execute("UPDATE run_rows SET row = '[1, 2'")
    assert first_sight(home / "cekura.db", ORIGIN, "key", "default", "s").seen is None
