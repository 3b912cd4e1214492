"""The one file: made once, shared by windows, left alone when it is newer, replaced when it is damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from database_of_a_test import PAGE, break_page, close_and_damage

from cekura_tui.model.errors import Exit
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.database import Database, examine, key_id, open_read_only, replace_damaged
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


SIDE_FILES = ("", "-wal", "-shm", "-journal", ".lock")


@pytest.mark.parametrize("suffix", SIDE_FILES)
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_nothing_but_a_file_of_the_directory_is_opened_or_changed(
    home: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    store_at(home / "cekura.db").close()
    (path := home / f"cekura.db{suffix}").unlink(missing_ok=True)
    (outside := tmp_path / "outside").write_text("theirs")
    outside.chmod(0o644)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(outside)
    for open_it in (store_at, examine):
        with pytest.raises(StoreError, match=f"cekura.db{suffix} is a {'named pipe' if kind == 'pipe' else 'link to'}"):
            open_it(home / "cekura.db")
    assert open_read_only(home / "cekura.db") is None
    assert (outside.read_text(), outside.stat().st_mode & 0o777) == ("theirs", 0o644)


def test_side_files_that_others_could_read_are_closed_to_them_too(home: Path) -> None:
    store = store_at(home / "cekura.db")
    (home / "cekura.db-wal").chmod(0o644)
    store_at(home / "cekura.db").close()
    assert (home / "cekura.db-wal").stat().st_mode & 0o777 == 0o600
    store.close()


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


def opened_at_once(home: Path) -> None:
    """Three windows that are opened at the same moment write into one file."""
    windows = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN_AND_WRITE, str(home / "cekura.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for window in windows:
        assert window.stdin is not None
        window.stdin.write("go\n")
        window.stdin.flush()
    told = [window.communicate() for window in windows]
    assert [err for _, err in told if err] == []
    assert len({out for out, _ in told}) == 1
    store = Store(home / "cekura.db", "o", "k", "p")
    assert len(store.jobs.all(drafts=True)) == 15
    assert len(store.database.read("SELECT * FROM prompts")) == 5
    store.close()


def tables_of(path: Path) -> list[tuple[object, ...]]:
    sql = sqlite3.connect(path)
    columns = "SELECT t.name, c.* FROM sqlite_schema t, pragma_table_info(t.name) c ORDER BY t.name, c.name"
    found = sql.execute(columns).fetchall()
    sql.close()
    return [(table, name, kind, *rest) for table, _, name, kind, *rest in found]


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_file_of_any_earlier_version_becomes_one_of_this(home: Path, version: int) -> None:
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


def test_a_file_that_is_no_database_is_moved_and_reported_once(home: Path) -> None:
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


def test_jobs_and_prompts_are_recovered_from_a_damaged_file(home: Path) -> None:
    store = store_at(home / "cekura.db")
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    store.jobs.record_progress_id(number, "p-1", '{"progress_id": "p-1"}', 2.0)
    key_id = store.account.key_id
    close_and_damage(store, home)
    saved = store_at(home / "cekura.db")
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
    for page in range(2, (home / "cekura.db").stat().st_size // PAGE + 1):
        break_page(home / "cekura.db", page)
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


@pytest.mark.parametrize("damaged", [False, True])
def test_windows_opened_at_once_share_one_file_and_replace_a_damaged_one(home: Path, damaged: bool) -> None:
    home.mkdir()
    if damaged:
        (home / "cekura.db").write_bytes(b"garbage" * 1000)
    opened_at_once(home)
    assert len(list(home.glob("cekura.db.damaged-*"))) == damaged


@pytest.mark.parametrize("what", ["directory", "parent is a file"])
def test_a_place_where_no_file_can_be_is_a_sentence(home: Path, what: str) -> None:
    if what == "directory":
        (home / "cekura.db").mkdir(parents=True)
    else:
        home.write_text("a file")
    with pytest.raises(StoreError, match="Can't open the database") as caught:
        store_at(home / "cekura.db")
    assert "--config-dir" in caught.value.hint


def test_no_key_is_in_the_file_and_its_name_differs_per_file(home: Path) -> None:
    store = store_at(home / "cekura.db", "ck_live_secret_key")
    store.jobs.save_draft(DRAFT, 1.0)
    other = store_at(home / "other" / "cekura.db", "ck_live_secret_key")
    assert store.account.key_id != other.account.key_id
    assert len(store.account.key_id) == 16
    store.close()
    other.close()
    assert b"ck_live_secret_key" not in (home / "cekura.db").read_bytes()


def test_a_file_that_another_window_replaced_stays_where_it_is(home: Path) -> None:
    store = store_at(home / "cekura.db")
    store.jobs.save_draft(DRAFT, 1.0)
    store.close()
    for _ in range(2):
        assert replace_damaged(home / "cekura.db") == ""
    assert [path.name for path in home.glob("*.damaged-*")] == []
    store = store_at(home / "cekura.db")
    assert len(store.jobs.all(drafts=True)) == 1
    store.close()
