from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from open_store import OpenStore

from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.text import sha256
from cekura_tui.store import runs as runs_module
from cekura_tui.store.database import key_id
from cekura_tui.store.runs import CachedRuns, CachedStart, read_cached_start
from cekura_tui.store.schema import MIGRATIONS, VERSION
from cekura_tui.store.store import Store

ORIGIN = "https://api.cekura.ai"


def rows(*numbers: int) -> list[RunRow]:
    return [row_of(Run.read({"id": number, "agent": 7, "duration": 61, "status": "failed"})) for number in numbers]


def seen_in(store: Store, scope: str) -> CachedRuns:
    seen = store.runs.cached_list(scope)
    assert seen is not None
    return seen


def test_the_pages_of_a_list_are_cached_until_its_first_page_is_saved_again(store: Store) -> None:
    store.runs.save_rows("project_id=1", 240, rows(3, 2), 10.0, first=True)
    store.runs.save_rows("project_id=1", 240, rows(1), 11.0, first=False)
    seen = seen_in(store, "project_id=1")
    assert (seen.count, seen.got_at, list(seen.rows)) == (240, 11.0, rows(3, 2, 1))
    assert store.runs.cached_list("project_id=2") is None
    store.runs.save_rows("project_id=1", 1, rows(9), 11.0, first=True)
    assert [row.id for row in seen_in(store, "project_id=1").rows] == [9], "a first page replaces the list"


def test_a_list_keeps_its_newest_thousand_rows(store: Store) -> None:
    for page in range(12):
        numbers = range(5000 - page * 100, 4900 - page * 100, -1)
        store.runs.save_rows("s", 5000, rows(*numbers), float(page), first=page == 0)
    seen = seen_in(store, "s")
    assert (len(seen.rows), seen.rows[0].id) == (1_000, 5000)


@pytest.mark.parametrize("scope", ["agent_id={}", "project_id=1 id:{}"])
def test_filtered_and_unfiltered_lists_are_each_limited_to_the_latest_thirty(store: Store, scope: str) -> None:
    store.runs.save_rows("project_id=1", 9, rows(1), 0.0, first=True)
    for number in range(1, 36):
        store.runs.save_rows(scope.format(number), 1, rows(number), float(number), first=True)
    kept = [store.runs.cached_list(scope.format(number)) is not None for number in range(1, 36)]
    filters = scope.startswith("project")
    assert (store.runs.cached_list("project_id=1") is not None) == filters
    assert kept == [False] * 5 + [True] * 30


def ids_and_words(store: Store, scope: str) -> list[tuple[int, str]]:
    return [(row.id, row.outcome.text) for row in seen_in(store, scope).rows]


def test_a_changed_row_is_updated_in_every_cached_list_of_the_same_key(store: Store, open_store: OpenStore) -> None:
    other = open_store("other")
    for account in (store, other):
        account.runs.save_rows("project_id=1", 240, rows(3, 2, 1), 10.0, first=True)
    store.runs.save_rows("agent_id=7 status:failed", 5, rows(2), 11.0, first=True)
    store.runs.save_rows("agent_id=8", 5, rows(9), 12.0, first=True)
    changed = [row._replace(outcome=Outcome("error", "timeout")) for row in rows(2, 77)]
    before = ids_and_words(other, "project_id=1")

    store.runs.save_whole([*changed, *rows(3)], 20.0)
    was = before[0][1]
    assert ids_and_words(store, "project_id=1") == [(3, was), (2, "timeout"), (1, was)]
    assert ids_and_words(store, "agent_id=7 status:failed") == [(2, "timeout")]
    assert ids_and_words(store, "agent_id=8") == [(9, was)]
    store.runs.save_opened(Run.read({"id": 9, "status": "queued"}), 20.0)
    assert ids_and_words(store, "agent_id=8") == [(9, "queued")]
    assert ids_and_words(other, "project_id=1") == before
    seen = seen_in(store, "project_id=1")
    assert (seen.count, seen.got_at, seen.rows[1]) == (240, 10.0, changed[0])
    times = store.database.read("SELECT got_at FROM run_rows WHERE id = 3 AND scope <> 'whole'")
    assert [row["got_at"] for row in times] == [10.0, 10.0], "an unchanged row is not written again"


def test_rows_of_whole_runs_are_saved_for_their_key_and_pruned(
    store: Store, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "MAX_WHOLE_ROWS", 2)
    running = rows(4)[0]._replace(outcome=Outcome("running", "queued"))
    store.runs.save_whole([*rows(1, 2, 3), running], 1.0)
    assert store.runs.whole_rows(range(9)) == {row.id: row for row in rows(2, 3)}
    assert open_store("other").runs.whole_rows(range(9)) == {}


def test_opened_runs_are_cached_in_full_and_only_for_their_own_key(store: Store, open_store: OpenStore) -> None:
    sources = [
        {"id": 4, "scenario_name": "S4", "status": "failed", "transcript": "é 🙂\n" * 50, "unknown": {"a": [1, None]}},
        {"id": 9, "scenario_name": "S9", "status": "failed"},
    ]
    opened = [Run.read(source) for source in sources]
    for at, run in enumerate(opened):
        store.runs.save_opened(run, float(at))
    found = store.runs.opened(4)
    assert found is not None
    assert (found[0].source, found[1]) == (sources[0], 0.0)
    assert store.runs.opened_rows() == [(row_of(opened[1]), 1.0), (row_of(opened[0]), 0.0)]
    store.runs.save_rows("s", 1, rows(1), 1.0, first=True)
    store.choose("project", 9, "Nine")
    other = open_store("other")
    assert (other.runs.opened_rows(), other.runs.opened(4)) == ([], None)
    assert (other.runs.cached_list("s"), other.chosen(), store.runs.opened(6)) == (None, None, None)


def test_the_oldest_opened_runs_are_pruned_beyond_a_number_of_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (runs_module.MAX_OPENED, runs_module.MAX_OPENED_BYTES) == (300, 67_108_864)
    monkeypatch.setattr(runs_module, "MAX_OPENED", 15)
    for number in range(1, 26):
        store.runs.save_opened(Run.read({"id": number}), float(number))
    assert store.runs.opened(10) is None
    assert store.runs.opened(11) is not None
    assert len(store.database.read("SELECT * FROM opened_runs")) == 15


def test_the_findings_of_a_run_that_is_too_large_to_cache_are_saved(store: Store) -> None:
    metric = {"id": 1, "name": "Polite", "score": 0, "type": "binary_workflow_adherence", "explanation": ["Rude."]}
    text = "x" * (8 * 2**20)
    run = {"id": 5, "status": "completed", "evaluation": {"metrics": [metric]}, "transcript": text}
    assert store.runs.save_opened(Run.read(run), 1.0) > 8 * 2**20
    assert store.runs.opened(5) is None
    assert store.findings.cached([5])[5][0].verdict == "Polite"


def test_the_latest_opened_run_is_kept_even_if_it_is_larger_than_the_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "MAX_OPENED_BYTES", 10_000)
    for number in (1, 2):
        store.runs.save_opened(Run.read({"id": number, "transcript": "x" * 4000}), float(number))
    assert store.runs.opened(1) is not None
    store.runs.save_opened(Run.read({"id": 3, "transcript": "x" * 20_000}), 3.0)
    assert [store.runs.opened(number) is not None for number in (1, 2, 3)] == [False, False, True]


def test_the_cached_rows_of_a_scope_have_the_latest_version_of_each_run(store: Store, open_store: OpenStore) -> None:
    old, new = rows(3)[0], rows(3)[0]._replace(outcome=Outcome("error", "timeout"))
    store.runs.save_rows("project_id=1", 240, [old, *rows(2)], 10.0, first=True)
    store.runs.save_rows("project_id=1 status:failed", 5, [new, *rows(1)], 11.0, first=True)
    store.runs.save_rows("project_id=1 dur>9", 5, [old], 9.0, first=True)
    for elsewhere in ("project_id=11", "project_id=1!", "project_id=0", "agent_id=1"):
        store.runs.save_rows(elsewhere, 1, rows(77), 12.0, first=True)
    other = open_store("other")
    other.runs.save_rows("project_id=1", 1, rows(88), 12.0, first=True)
    assert store.runs.cached_rows("project_id=1") == [(new, 11.0), (rows(2)[0], 10.0), (rows(1)[0], 11.0)]
    assert other.runs.cached_rows("project_id=1") == [(rows(88)[0], 12.0)]
    assert store.runs.cached_rows("project_id=2") == []


def test_rows_cached_by_an_earlier_version_are_still_shown(store: Store) -> None:
    store.runs.save_rows("s", 1, rows(1), 1.0, first=True)
    with store.database.write() as sql:
        sql.execute("UPDATE run_rows SET row = ?", (json.dumps(OLD_ROW),))
    row = RunRow(1, "Books", "Calm", 7, "Agent", Outcome("failed", "failed"), "01:02", 12.5)
    assert seen_in(store, "s").rows == (row,)


OLD_ROW = [1, "Books", "Calm", 7, "Agent", ["failed", "2 checks"], "01:02", 12.5]
"""A row as version 2 of the database wrote it."""
SALT = b"s" * 32
TABLES = ("prompts", "jobs", "job_changes", "job_answers", "run_rows", "scopes_seen", "chosen", "looked")


def old_file(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Create a database of version 2 with a row in every table, and return the rows by table."""
    path.parent.mkdir()
    sql = sqlite3.connect(path)
    for script in MIGRATIONS[:2]:
        sql.executescript(script)
    pair = (ORIGIN, key_id("key", SALT))
    source = json.dumps({"id": 5, "scenario_name": "Books", "status": "failed"})
    sql.execute("INSERT INTO meta VALUES ('salt', ?)", (SALT,))
    sql.execute("INSERT INTO prompts VALUES (?, ?, 1.0)", (sha256("Be kind."), b"Be kind."))
    job = "INSERT INTO jobs (state, origin, key_id, profile, run_ids, agent_id, prompt_sha256, created_at)"
    sql.execute(f"{job} VALUES ('draft', ?, ?, 'default', '[5]', 7, ?, 2.0)", (*pair, sha256("Be kind.")))
    sql.execute("INSERT INTO job_changes VALUES (1, 2.0, 'draft', '')")
    sql.execute("INSERT INTO job_answers VALUES (1, '{}', 2.0, 3.0, 2)")
    sql.execute("INSERT INTO run_rows VALUES (?, ?, 'project_id=9', 1, ?, 4.0)", (*pair, json.dumps(OLD_ROW)))
    sql.execute("INSERT INTO scopes_seen VALUES (?, ?, 'project_id=9', 240, 4.0)", pair)
    sql.execute("INSERT INTO opened_runs VALUES (?, ?, 5, ?, ?, 5.0, 6.0)", (*pair, source, len(source)))
    sql.execute("INSERT INTO chosen VALUES (?, ?, 'project', 9, 'Nine')", pair)
    sql.execute("INSERT INTO looked VALUES (?, ?, 7.0)", pair)
    sql.execute("PRAGMA user_version = 2")
    sql.commit()
    held = {table: sql.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    sql.close()
    return held


def test_a_migrated_version_2_database_keeps_its_data_and_accepts_notes(home: Path, open_store: OpenStore) -> None:
    held = old_file(home / "cekura.db")
    assert read_cached_start(home / "cekura.db", ORIGIN, "key", "default", None) == CachedStart()
    store = open_store()
    assert store.database.notice == ""
    assert store.database.read("PRAGMA user_version")[0][0] == VERSION
    assert all(held.values())
    # Later versions may have added columns at the end.
    now = {table: store.database.read(f"SELECT * FROM {table}") for table in TABLES}
    assert {table: [tuple(row)[: len(held[table][0])] for row in rows] for table, rows in now.items()} == held

    (job,) = store.jobs.all(drafts=True)
    assert store.jobs.draft_of(job).prompt == "Be kind."
    assert (store.chosen(), store.last_visit()) == (("project", 9, "Nine"), 7.0)
    opened = store.runs.opened(5)
    assert opened is not None
    assert store.runs.opened_rows() == [(row_of(opened[0]), 5.0)]
    store.runs.save_opened(opened[0], 8.0)
    assert store.runs.opened_rows() == [(row_of(opened[0]), 8.0)]
    store.notes.put(5, "look", 8.0)
    store.views.save_last_filter("project_id=9", "status:failed")
    store.close()

    start = read_cached_start(home / "cekura.db", ORIGIN, "key", "default", None)
    assert start.seen is not None
    assert (start.seen.count, start.seen.rows[0].scenario, start.filter) == (240, "Books", "status:failed")
    assert start.notes == {5: "look"}
