"""Notes, views and filters survive restarts, other windows, full disks and damage."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from damage_database import break_page, close_and_damage, damage_notice, root_of
from open_store import OpenStore

from cekura_tui.model.filter.filter import SavedView
from cekura_tui.store import views as views_module
from cekura_tui.store.errors import StoreError
from cekura_tui.store.store import Store

ORIGIN = "https://api.cekura.ai"


NOTE, VIEW = "Asked twice\nfor the name. é🙂", SavedView("refunds", 'scenario:~refund "a b"')


def fill(store: Store) -> None:
    store.notes.put(5, NOTE, 1.0)
    store.views.save(VIEW.name, VIEW.filter, 1.0)
    store.views.use("status:failed", 1.0)
    store.views.save_last_filter("project_id=1", "outcome:failed")
    store.views.save_columns("", '[["run", true, 9]]')


def saved_in(store: Store) -> tuple[object, ...]:
    """Everything that `fill` saves, as read from the store."""
    views = store.views
    return store.notes.all(), views.views(), views.used(10), views.last_filter("project_id=1"), views.columns()


FILLED = ({5: NOTE}, [VIEW], ["status:failed"], "outcome:failed", {"": '[["run", true, 9]]'})


def test_notes_and_views_and_filters_survive_a_restart(store: Store, open_store: OpenStore) -> None:
    fill(store)
    store.close()
    again = open_store()
    assert saved_in(again) == FILLED
    assert again.views.last_filter("project_id=2") == ""


def test_the_draft_of_a_note_is_kept_until_saved_or_discarded(store: Store, open_store: OpenStore) -> None:
    store.notes.put_draft(5, "Asked twi")
    store.notes.put_draft(6, "x" * 8_000)
    other = open_store("other")
    assert (other.notes.draft(5), store.notes.draft(5)) == ("", "Asked twi")
    assert store.notes.draft(6) == "x" * 8_000
    assert store.notes.all() == {}
    store.notes.put(5, "Asked twice", 1.0)
    store.notes.put_draft(6, "")
    assert (store.notes.draft(5), store.notes.draft(6)) == ("", "")


@pytest.mark.parametrize(("key", "origin"), [("other", ORIGIN), ("key", "https://elsewhere.example")])
def test_notes_and_views_are_hidden_from_another_key_or_server(
    store: Store, open_store: OpenStore, key: str, origin: str
) -> None:
    fill(store)
    other = open_store(key, origin)
    assert saved_in(other) == ({}, [], [], "", {})
    other.views.save_columns("", "")
    other.notes.put(5, "", 2.0)
    other.views.forget("refunds")
    other.views.save_last_filter("project_id=1", "")
    assert saved_in(store) == FILLED


def test_views_are_sorted_and_a_view_replaces_the_view_of_the_same_name(store: Store) -> None:
    for name, text in [("Zebra", "a"), ("apple", "b"), ("Mango", "c"), ("apple", "d")]:
        store.views.save(name, text, 1.0)
    assert store.views.views() == [SavedView("apple", "d"), SavedView("Mango", "c"), SavedView("Zebra", "a")]
    store.views.forget("Mango")
    store.views.forget("never there")
    assert [view.name for view in store.views.views()] == ["apple", "Zebra"]


def test_used_filters_are_listed_once_and_newest_first_up_to_a_limit(store: Store, open_store: OpenStore) -> None:
    other = open_store("other")
    other.views.use("of the other", 0.0)
    for number in range(205):
        store.views.use(f"id:{number}", float(number))
    store.views.use("id:9", 1_000.0)
    used = store.views.used()
    assert (len(used), used[:2], used[-1]) == (200, ["id:9", "id:204"], "id:5")
    assert store.views.used(2) == used[:2]
    assert len(store.database.read("SELECT * FROM filters_used")) == 201
    assert other.views.used() == ["of the other"]


def test_columns_and_last_filters_are_replaced_or_removed_if_empty(store: Store) -> None:
    for columns in ("[1]", "[2]"):
        store.views.save_columns("outcome:error", columns)
    store.views.save_columns("", "[3]")
    assert store.views.columns() == {"outcome:error": "[2]", "": "[3]"}
    store.views.save_columns("outcome:error", "")
    assert store.views.columns() == {"": "[3]"}
    for text in ("status:failed", "status:timeout", ""):
        store.views.save_last_filter("s", text)
        assert store.views.last_filter("s") == text
    assert store.database.read("SELECT * FROM filters_left") == []


def test_the_last_filters_of_the_least_recently_used_scopes_are_pruned(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert views_module.MAX_LAST_FILTERS == 200
    monkeypatch.setattr(views_module, "MAX_LAST_FILTERS", 3)
    for scope in ("a", "b", "c", "a", "d"):
        store.views.save_last_filter(scope, "status:failed")
    assert [scope for scope in "abcd" if store.views.last_filter(scope)] == ["a", "c", "d"]


def test_a_write_to_a_locked_database_is_reported_and_loses_nothing(store: Store, home: Path) -> None:
    fill(store)
    store.database._sql.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(home / "cekura.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Can't write the database"):
            store.notes.put(5, "x", 2.0)
        with pytest.raises(StoreError, match="Can't write the database"):
            store.views.save_last_filter("project_id=1", "x")
    assert saved_in(store) == FILLED


def test_a_write_to_a_full_disk_is_reported_and_loses_nothing(store: Store, open_store: OpenStore) -> None:
    fill(store)
    sql = store.database._sql
    sql.execute(f"PRAGMA max_page_count = {sql.execute('PRAGMA page_count').fetchone()[0]}")
    for write in (
        lambda: store.notes.put(5, "n" * 100_000, 2.0),
        lambda: store.views.save("refunds", "f" * 100_000, 2.0),
        lambda: store.views.use("f" * 100_000, 2.0),
        lambda: store.views.save_last_filter("project_id=1", "f" * 100_000),
    ):
        with pytest.raises(StoreError, match=": the disk is full") as caught:
            write()
        assert "Free some disk space" in caught.value.hint
    assert saved_in(store) == FILLED

    sql.execute("PRAGMA max_page_count = 1000000")
    store.notes.put(6, "n" * 100_000, 3.0)
    store.close()
    again = open_store()
    assert (again.database.notice, saved_in(again)) == ("", ({5: NOTE, 6: "n" * 100_000}, *FILLED[1:]))


def test_no_write_is_lost_if_two_windows_write_at_the_same_time(store: Store, home: Path) -> None:
    together = threading.Barrier(2)

    def window(first: int) -> dict[int, str]:
        own = Store(home / "cekura.db", ORIGIN, "key", "default")  # closed by its own thread
        together.wait()
        for number in range(first, 60, 2):
            own.notes.put(number, f"note {number}", 1.0)
            own.views.save(f"view {number}", f"id:{number}", 1.0)
            own.views.use("status:failed" if number < 30 else f"id:{number}", float(number))
            own.views.save_last_filter("project_id=1", f"id:{number}")
        together.wait()
        seen = own.notes.all()
        own.close()
        return seen

    with ThreadPoolExecutor(2) as windows:
        seen = list(windows.map(window, (0, 1)))
    notes = {number: f"note {number}" for number in range(60)}
    assert seen == [notes, notes]
    assert {view.filter for view in store.views.views()} == {f"id:{number}" for number in range(60)}
    assert store.views.used() == [*(f"id:{number}" for number in range(59, 29, -1)), "status:failed"]
    assert store.views.last_filter("project_id=1") in ("id:58", "id:59")


def test_a_note_is_replaced_from_any_window_and_removed_if_empty(store: Store, open_store: OpenStore) -> None:
    other = open_store()
    store.notes.put(5, "mine", 1.0)
    store.notes.put(6, "two", 2.0)
    assert other.notes.all() == {5: "mine", 6: "two"}
    other.notes.put(5, "theirs", 3.0)
    assert store.notes.all() == {5: "theirs", 6: "two"}
    store.notes.put(5, "", 4.0)
    assert other.notes.all() == {6: "two"}


def test_notes_and_views_and_last_filters_are_recovered_from_a_damaged_file(
    store: Store, home: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    store.notes.put(6, "another", 2.0)
    store.runs.save_rows("s", 1, [], 1.0, first=True)
    for scope in "abc":
        store.views.save_last_filter(scope, "status:failed")
    close_and_damage(store, home)
    saved = open_store()
    assert ". Recovered 0 jobs, 0 prompts, 2 notes and 1 view;" in damage_notice(saved)
    assert saved_in(saved) == ({5: NOTE, 6: "another"}, *FILLED[1:])
    monkeypatch.setattr(views_module, "MAX_LAST_FILTERS", 3)
    saved.views.save_last_filter("d", "status:failed")
    assert [scope for scope in "abcd" if saved.views.last_filter(scope)] == ["b", "c", "d"]


def test_a_damaged_page_loses_only_the_notes_on_that_page(store: Store, home: Path, open_store: OpenStore) -> None:
    for run in range(300):
        store.notes.put(run, f"{run} " + "n" * 60, 1.0)
    path = home / "cekura.db"
    store.close()
    root = path.read_bytes()[(root_of(path, "notes") - 1) * 4096 :][:4096]
    place_of_third_child = int.from_bytes(root[12 + 2 * 2 :][:2])
    break_page(path, int.from_bytes(root[place_of_third_child:][:4]))
    saved = open_store()
    notes = saved.notes.all()
    assert 250 <= len(notes) < 300
    assert {0, 299} <= set(notes)
    assert f"{len(notes)} notes; " in damage_notice(saved)
