"""The one file: made once, shared by windows, left alone when it is newer, replaced when it is damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cekura_tui.model.errors import Exit
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.database import Database, key_id, replace_damaged
from cekura_tui.store.errors import NewerDatabase, StoreError
from cekura_tui.store.schema import MIGRATIONS, VERSION
from cekura_tui.store.store import Store

DRAFT = Draft((5,), Prompt("Be kind.\r\n\t\x1b"), 7, "Agent 7")


def store_at(path: Path, key: str = "key") -> Store:
    return Store(path, "https://api.cekura.ai", key, "default")


def test_the_file_and_its_directory_are_for_this_user_alone(home: Path) -> None:
    before = os.umask(0o000)
    try:
        store = store_at(home / "cekura.db")
        store.jobs.save_draft(DRAFT, 1.0)
        modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    finally:
        os.umask(before)
    assert home.stat().st_mode & 0o777 == 0o700
    assert "cekura.db" in modes
    assert set(modes.values()) == {0o600}
    store.close()


def test_a_file_that_others_could_read_is_closed_to_them(home: Path) -> None:
    store_at(home / "cekura.db").close()
    (home / "cekura.db").chmod(0o644)
    store_at(home / "cekura.db").close()
    assert (home / "cekura.db").stat().st_mode & 0o777 == 0o600


def test_a_new_file_is_brought_to_the_newest_version_and_stays_there(home: Path) -> None:
    for _ in range(2):
        database = Database(home / "cekura.db")
        assert database.read("PRAGMA user_version")[0][0] == VERSION
        assert database.read("PRAGMA synchronous")[0][0] == 2
        assert database.notice == ""
        database.close()


_OPEN_AND_WRITE = """
import sys
from pathlib import Path
from cekura_tui.model.job import Draft
from cekura_tui.store.store import Store
sys.stdin.readline()
store = Store(Path(sys.argv[1]), "o", "k", "p")
for n in range(5):
    store.jobs.save_draft(Draft((n,), f"prompt {n}", 7), float(n))
print(store.account.key_id)
"""


def test_windows_that_are_opened_at_the_same_moment_share_one_file(home: Path) -> None:
    windows = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN_AND_WRITE, str(home / "cekura.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for window in windows:
        assert window.stdin is not None
        window.stdin.write("go\n")
        window.stdin.flush()
    told = [window.communicate() for window in windows]
    assert [err for _, err in told if err] == []
    assert len({out for out, _ in told}) == 1
    store = Store(home / "cekura.db", "o", "k", "p")
    assert len(store.jobs.all(drafts=True)) == 20
    assert len(store.database.read("SELECT * FROM prompts")) == 5
    store.close()


def tables_of(path: Path) -> list[tuple[object, ...]]:
    sql = sqlite3.connect(path)
    columns = "SELECT t.name, c.* FROM sqlite_schema t, pragma_table_info(t.name) c ORDER BY t.name, c.name"
    found = sql.execute(columns).fetchall()
    sql.close()
    return [(table, name, kind, *rest) for table, _, name, kind, *rest in found]


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_file_of_any_earlier_program_becomes_one_of_this(home: Path, version: int) -> None:
    home.mkdir()
    sql = sqlite3.connect(home / "cekura.db")
    for script in MIGRATIONS[:version]:
        sql.executescript(script)
    sql.execute("INSERT INTO meta VALUES ('salt', ?)", (b"s" * 32,))
    sql.execute(f"PRAGMA user_version = {version}")
    sql.commit()
    sql.close()
    store = store_at(home / "cekura.db")
    assert (store.database.notice, store.account.key_id) == ("", key_id("key", b"s" * 32))
    store.notes.put(5, "look", 1.0)
    store.jobs.save_draft(DRAFT, 1.0)
    store.close()
    store_at(home / "new" / "cekura.db").close()
    assert tables_of(home / "cekura.db") == tables_of(home / "new" / "cekura.db")


def test_a_file_of_a_newer_program_is_left_alone(home: Path) -> None:
    store_at(home / "cekura.db").close()
    sql = sqlite3.connect(home / "cekura.db")
    sql.execute(f"PRAGMA user_version = {VERSION + 3}")
    sql.commit()
    sql.close()
    before = (home / "cekura.db").read_bytes()
    with pytest.raises(NewerDatabase) as caught:
        store_at(home / "cekura.db")
    assert f"version {VERSION + 3}" in caught.value.message
    assert f"up to {VERSION}" in caught.value.message
    assert caught.value.exit_status == Exit.WRONG_USE
    assert (home / "cekura.db").read_bytes() == before
    assert sorted(path.name for path in home.iterdir()) == ["cekura.db"]


def damage(path: Path, keep: int) -> None:
    """Overwrite all pages from `keep` on."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(keep * 4096)
        file.write(b"\xa5" * (size - keep * 4096))


def test_a_file_that_is_no_database_is_moved_aside_and_this_is_said_once(home: Path) -> None:
    home.mkdir()
    (home / "cekura.db").write_bytes(b"not a database, but something somebody wrote\n" * 200)
    store = store_at(home / "cekura.db")
    assert "; the damaged file is now cekura.db.damaged-" in store.database.notice
    assert "0 jobs and 0 prompts" in store.database.notice
    assert store.jobs.save_draft(DRAFT, 1.0).number == 1
    store.close()
    (aside,) = home.glob("cekura.db.damaged-*")
    assert aside.read_bytes().startswith(b"not a database, but")
    again = store_at(home / "cekura.db")
    assert again.database.notice == ""
    again.close()


def test_jobs_and_prompts_that_can_be_read_are_saved_from_a_damaged_file(home: Path) -> None:
    store = store_at(home / "cekura.db")
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    store.jobs.record_progress_id(number, "p-1", '{"progress_id": "p-1"}', 2.0)
    key_id = store.account.key_id
    from cekura_tui.model.run.run import Run

    for run in range(400):
        store.runs.keep_opened(Run.read({"id": run, "transcript": "x" * 3000}), float(run))
    store.close()
    path = home / "cekura.db"
    root = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'opened_runs'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    saved = store_at(path)
    assert "Recovered 1 job and 1 prompt;" in saved.database.notice
    job = saved.jobs.get(number)
    assert job is not None
    assert (job.state, job.progress_id, saved.account.key_id) == (JobState.RUNNING, "p-1", key_id)
    assert saved.jobs.draft_of(job).prompt == DRAFT.prompt
    assert [change.state for change in saved.jobs.changes(number)] == ["launching", "running"]
    assert saved.jobs.begin_launch(DRAFT, 3.0, "me").number > number
    saved.close()


def test_a_file_whose_every_page_but_the_first_is_damaged_still_opens(home: Path) -> None:
    store = store_at(home / "cekura.db")
    store.jobs.save_draft(DRAFT, 1.0)
    store.close()
    damage(home / "cekura.db", 1)
    again = store_at(home / "cekura.db")
    assert "damaged" in again.database.notice
    assert again.jobs.save_draft(DRAFT, 2.0)
    again.close()


def test_two_files_damaged_in_the_same_second_are_both_kept(home: Path) -> None:
    home.mkdir()
    for n in range(3):
        (home / "cekura.db").write_bytes(b"garbage %d" % n * 200)
        store_at(home / "cekura.db").close()
    assert len([path for path in home.glob("cekura.db.damaged-*") if path.suffix not in (".wal", ".shm")]) == 3


def test_windows_that_find_a_damaged_file_at_once_replace_it_once(home: Path) -> None:
    home.mkdir()
    (home / "cekura.db").write_bytes(b"garbage" * 1000)
    test_windows_that_are_opened_at_the_same_moment_share_one_file(home)
    assert len(list(home.glob("cekura.db.damaged-*"))) == 1


@pytest.mark.parametrize("what", ["directory", "parent is a file"])
def test_a_place_where_no_file_can_be_is_a_sentence(home: Path, what: str) -> None:
    if what == "directory":
        (home / "cekura.db").mkdir(parents=True)
    else:
        home.write_text("a file")
    with pytest.raises(StoreError, match="Can't open the database") as caught:
        store_at(home / "cekura.db")
    assert "--config-dir" in caught.value.hint


def test_a_key_is_not_in_the_file_and_its_name_differs_from_file_to_file(home: Path) -> None:
    store = store_at(home / "cekura.db", "ck_live_secret_key")
    store.jobs.save_draft(DRAFT, 1.0)
    other = store_at(home / "other" / "cekura.db", "ck_live_secret_key")
    assert store.account.key_id != other.account.key_id
    assert len(store.account.key_id) == 16
    store.close()
    other.close()
    assert b"ck_live_secret_key" not in (home / "cekura.db").read_bytes()


def test_a_file_that_another_window_has_replaced_meanwhile_stays_where_it_is(home: Path) -> None:
    store = store_at(home / "cekura.db")
    store.jobs.save_draft(DRAFT, 1.0)
    store.close()
    for _ in range(2):
        assert replace_damaged(home / "cekura.db") == ""
    assert [path.name for path in home.glob("*.damaged-*")] == []
    store = store_at(home / "cekura.db")
    assert len(store.jobs.all(drafts=True)) == 1
    store.close()
