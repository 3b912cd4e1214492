"""The database file is private, shared by windows and migrated; a newer file is refused and a damaged file replaced."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from damage_database import PAGE, break_page, close_and_damage, damage_notice
from open_store import OpenStore

from cekura_tui.model.errors import Exit
from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.text import Prompt
from cekura_tui.store.database import examine, key_id, open_read_only, replace_damaged
from cekura_tui.store.errors import NewerDatabase, StoreError
from cekura_tui.store.schema import MIGRATIONS, VERSION
from cekura_tui.store.store import Store

DRAFT = Draft((5,), Prompt("Be kind.\r\n\t\x1b"), 7, "Agent 7")


@pytest.fixture
def path(home: Path) -> Path:
    """The path of a database that does not exist yet, in an existing directory."""
    home.mkdir()
    return home / "cekura.db"


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def set_aside(home: Path) -> list[Path]:
    """The damaged database files that were moved aside, without their -wal and -shm files."""
    return [path for path in home.glob("cekura.db.damaged-*") if path.suffix not in (".wal", ".shm")]


def test_the_database_and_its_directory_are_private_to_the_user(open_store: OpenStore, home: Path) -> None:
    before = os.umask(0o000)
    try:
        store = open_store()
        store.jobs.save_draft(DRAFT, 1.0)
    finally:
        os.umask(before)
    with pytest.raises(StoreError, match="Can't read the database: no such table"):
        store.database.read("SELECT * FROM nowhere")
    modes = {path.name: mode_of(path) for path in home.iterdir()}
    assert (mode_of(home), "cekura.db" in modes, set(modes.values())) == (0o700, True, {0o600})
    for name in ("cekura.db", "cekura.db-wal"):  # made readable to others by another program
        (home / name).chmod(0o644)
        open_store().close()
        assert mode_of(home / name) == 0o600


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal", ".lock"])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_pipe_or_link_in_place_of_a_database_file_is_refused(
    open_store: OpenStore, home: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    open_store().close()
    (path := home / f"cekura.db{suffix}").unlink(missing_ok=True)
    (outside := tmp_path / "outside").write_text("theirs")
    outside.chmod(0o644)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(outside)
    said = f"cekura.db{suffix} is a {'named pipe' if kind == 'pipe' else 'link to'}"
    with pytest.raises(StoreError, match=said):
        open_store()
    with pytest.raises(StoreError, match=said):
        examine(home / "cekura.db")
    assert open_read_only(home / "cekura.db") is None
    assert (outside.read_text(), mode_of(outside)) == ("theirs", 0o644)


_OPEN_AND_WRITE = """
import sys
from pathlib import Path
from cekura_tui.model.job import Draft
from cekura_tui.store.store import Store
sys.stdin.readline()
store = Store(Path(sys.argv[1]), "https://api.cekura.ai", "key", "default")
for n in range(5):
    store.jobs.save_draft(Draft((n,), f"prompt {n}", 7), float(n))
print(store.account.key_id)
"""


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.long
def test_windows_opened_at_the_same_time_share_one_new_or_replaced_file(
    open_store: OpenStore, path: Path, damaged: bool
) -> None:
    if damaged:
        path.write_bytes(b"garbage" * 1000)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", _OPEN_AND_WRITE, path]
    windows = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    for window in windows:
        assert window.stdin is not None
        window.stdin.write("go\n")
        window.stdin.flush()
    ended = [window.communicate() for window in windows]
    assert [err for _, err in ended if err] == []
    assert len({out for out, _ in ended}) == 1
    store = open_store()
    assert len(store.jobs.all(drafts=True)) == 15
    assert len(store.database.read("SELECT * FROM prompts")) == 5
    assert len(list(path.parent.glob("cekura.db.damaged-*"))) == damaged


def columns_of(path: Path) -> list[tuple[object, ...]]:
    """The columns of all tables, sorted by the names of table and column."""
    with closing(sqlite3.connect(path)) as sql:
        columns = "SELECT t.name, c.* FROM sqlite_schema t, pragma_table_info(t.name) c ORDER BY t.name, c.name"
        return [(table, name, kind, *rest) for table, _, name, kind, *rest in sql.execute(columns)]


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_a_file_of_any_earlier_version_is_migrated(
    open_store: OpenStore, path: Path, tmp_path: Path, version: int
) -> None:
    with closing(sqlite3.connect(path)) as sql:
        for script in MIGRATIONS[:version]:
            sql.executescript(script)
        sql.execute("INSERT INTO meta VALUES ('salt', ?)", (b"s" * 32,))
        sql.execute(f"PRAGMA user_version = {version}")
        sql.commit()
    store = open_store()
    assert (store.database.notice, store.account.key_id) == ("", key_id("key", b"s" * 32))
    assert store.database.read("PRAGMA user_version")[0][0] == VERSION
    assert store.database.read("PRAGMA synchronous")[0][0] == 2
    store.notes.put(5, "look", 1.0)
    store.jobs.save_draft(DRAFT, 1.0)
    store.close()
    Store(tmp_path / "new.db", "https://api.cekura.ai", "key", "default").close()
    assert columns_of(path) == columns_of(tmp_path / "new.db")


def test_a_file_of_a_newer_version_is_refused_and_unchanged(open_store: OpenStore, home: Path) -> None:
    open_store().close()
    with closing(sqlite3.connect(home / "cekura.db")) as sql:
        sql.execute(f"PRAGMA user_version = {VERSION + 3}")
        sql.commit()
    before = (home / "cekura.db").read_bytes()
    with pytest.raises(NewerDatabase, match=rf"version {VERSION + 3}.* up to {VERSION}") as caught:
        open_store()
    assert caught.value.exit_status == Exit.WRONG_USE
    assert (home / "cekura.db").read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["cekura.db"]


def test_a_file_that_is_no_database_is_moved_aside_and_reported_once(open_store: OpenStore, path: Path) -> None:
    for n in range(3):  # several times in the same second
        path.write_bytes(b"not a database, but %d" % n * 200)
        store = open_store()
        assert "; the damaged file is now cekura.db.damaged-" in store.database.notice
        assert "0 jobs and 0 prompts" in store.database.notice
        assert store.jobs.save_draft(DRAFT, 1.0).number == 1
        store.close()
    assert open_store().database.notice == ""
    kept = set_aside(path.parent)
    assert (len(kept), {file.read_bytes()[:19] for file in kept}) == (3, {b"not a database, but"})


def test_jobs_and_prompts_are_recovered_from_a_damaged_file(open_store: OpenStore, home: Path) -> None:
    store = open_store()
    number = store.jobs.begin_launch(DRAFT, 1.0, "me").number
    store.jobs.record_progress_id(number, "p-1", '{"progress_id": "p-1"}', 2.0)
    key = store.account.key_id
    close_and_damage(store, home)
    saved = open_store()
    assert saved.database.notice == "", "unread pages are not checked"
    assert "Recovered 1 job and 1 prompt;" in damage_notice(saved)
    job = saved.jobs.get(number)
    assert job is not None
    assert (job.state, job.progress_id, saved.account.key_id) == (JobState.RUNNING, "p-1", key)
    assert saved.jobs.draft_of(job).prompt == DRAFT.prompt
    assert [change.state for change in saved.jobs.changes(number)] == ["launching", "running"]
    assert saved.jobs.begin_launch(DRAFT, 3.0, "me").number > number


def test_a_file_with_only_its_first_page_intact_still_opens(open_store: OpenStore, home: Path) -> None:
    with closing(open_store()) as store:
        store.jobs.save_draft(DRAFT, 1.0)
    for page in range(2, (home / "cekura.db").stat().st_size // PAGE + 1):
        break_page(home / "cekura.db", page)
    again = open_store()
    assert "damaged" in again.database.notice
    assert again.jobs.save_draft(DRAFT, 2.0)


@pytest.mark.parametrize("what", ["directory", "parent is a file"])
def test_a_database_path_that_cannot_be_opened_is_reported(open_store: OpenStore, home: Path, what: str) -> None:
    if what == "directory":
        (home / "cekura.db").mkdir(parents=True)
    else:
        home.write_text("a file")
    with pytest.raises(StoreError, match="Can't open the database") as caught:
        open_store()
    assert "--config-dir" in caught.value.hint


def test_a_database_has_its_own_id_of_the_api_key_and_not_the_key(
    open_store: OpenStore, home: Path, tmp_path: Path
) -> None:
    with closing(open_store("ck_live_secret_key")) as store:
        store.jobs.save_draft(DRAFT, 1.0)
        key = store.account.key_id
    with closing(Store(tmp_path / "other.db", "https://api.cekura.ai", "ck_live_secret_key", "default")) as other:
        assert (len(key), key != other.account.key_id) == (16, True)
    assert b"ck_live_secret_key" not in (home / "cekura.db").read_bytes()


def test_an_intact_file_is_not_replaced(open_store: OpenStore, home: Path) -> None:
    with closing(open_store()) as store:
        store.jobs.save_draft(DRAFT, 1.0)
    for _ in range(2):
        assert replace_damaged(home / "cekura.db") == ""
    assert set_aside(home) == []
    assert len(open_store().jobs.all(drafts=True)) == 1


def test_a_damaged_file_is_recovered_when_there_is_disk_space_again(open_store: OpenStore, home: Path) -> None:
    with closing(open_store()) as store:
        store.jobs.save_draft(DRAFT, 1.0)
        store.database.read("PRAGMA wal_checkpoint(TRUNCATE)")
        store.database.read("PRAGMA cache_size = 0")
        (home / "cekura.db").write_bytes(b"X" * 100 + (home / "cekura.db").read_bytes()[100:])
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, limits[1]))
        try:
            for _ in range(2):
                with pytest.raises(StoreError, match="Can't read the database"):
                    store.jobs.all(drafts=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert len(store.jobs.all(drafts=True)) == 1
        assert "Recovered 1 job and 1 prompt;" in store.database.notice


def test_a_column_added_by_a_newer_version_hides_no_job(open_store: OpenStore, home: Path) -> None:
    with closing(open_store()) as store:
        store.jobs.save_draft(DRAFT, 1.0)
        with closing(sqlite3.connect(home / "cekura.db")) as newer:
            newer.execute("ALTER TABLE jobs ADD COLUMN later REAL")
        assert [job.state for job in store.jobs.all(drafts=True)] == [JobState.DRAFT]
