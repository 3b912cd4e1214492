"""Input is saved in order and retried while the database is locked; a file keeps the input for the next start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from newer_database import NOTHING, migrate

from cekura_tui.store import database, unsaved
from cekura_tui.store.database import Database
from cekura_tui.store.errors import StoreError, Unavailable
from cekura_tui.store.unsaved import UnsavedInput

ACCOUNT = ("https://api.cekura.ai", "key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cekura.db"


@pytest.fixture
def store(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(database, "BUSY_MS", 20)
    monkeypatch.setattr(database, "STILL_BUSY_MS", 1)
    monkeypatch.setattr(unsaved, "RETRY", 0.01)
    with closing(Database(path)) as opened:
        yield opened


class Inputs:
    """Unsaved inputs whose writes append to a table of a database."""

    def __init__(self, store: Database) -> None:
        self._store, self.sentences = store, [""]
        self.unsaved = UnsavedInput(self._changed)
        self.unsaved.open(store.path, ACCOUNT, "me")

    def _changed(self) -> None:
        self.sentences.append(self.unsaved.sentence)

    def put(self, kind: str, place: int, text: str) -> None:
        self.unsaved.put((kind, place), text, partial(self._write, text))

    async def _write(self, text: str) -> None:
        with self._store.write() as sql:
            sql.execute("CREATE TABLE IF NOT EXISTS saved (text)")
            sql.execute("INSERT INTO saved VALUES (?)", (text,))

    @property
    def saved(self) -> list[str]:
        with closing(sqlite3.connect(self._store.path)) as sql:
            return [text for (text,) in sql.execute("SELECT text FROM saved")]


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield other


async def test_latest_input_of_each_slot_is_saved_in_order_after_a_lock(store: Database, path: Path) -> None:
    inputs = Inputs(store)
    with locked(path):
        for kind, place, text in (("note", 1, "a"), ("draft", 1, "b"), ("note", 1, "c")):
            inputs.put(kind, place, text)
        assert not await inputs.unsaved._try()
        assert inputs.unsaved.sentence == "Not saved yet: 1 draft, 1 note (database is locked)."
        assert inputs.unsaved.latest(("note", 1), "of the database") == "c"
    await inputs.unsaved.save()
    assert (inputs.saved, inputs.sentences[-1]) == (["b", "c"], "")
    assert inputs.unsaved.latest(("note", 1), "of the database") == "of the database"
    assert list(path.parent.glob("*-unsaved-*")) == []


async def test_input_of_an_ended_process_is_found_by_the_same_account_alone(store: Database, path: Path) -> None:
    inputs = Inputs(store)
    with locked(path):
        inputs.put("note", 1, "\ud800 é")
        await inputs.unsaved._try()
    (file,) = path.parent.glob("*-unsaved-*")
    assert file.stat().st_mode & 0o777 == 0o600
    for key, owner, is_alive, found in (
        ("another key", "another process", False, []),
        ("key", "another process", True, []),
        ("key", "another process", False, [(("note", 1), "\ud800 é")]),
        ("key", "me", True, [(("note", 1), "\ud800 é")]),  # this process, back from another account
    ):
        after = UnsavedInput(lambda: None)
        after.open(path, ("https://api.cekura.ai", key), owner)
        assert list(after.left_behind(lambda owner, age, alive=is_alive: alive and owner == "me")) == found


async def test_input_after_a_newer_version_migrated_the_database_waits_in_the_file(store: Database, path: Path) -> None:
    inputs = Inputs(store)
    migrate(path, NOTHING)
    inputs.put("text", 1, "text")
    assert not await inputs.unsaved._try()
    assert (inputs.unsaved.sentence, inputs.unsaved.keep()) == ("Not saved yet: 1 text (restart needed).", True)
    after = UnsavedInput(lambda: None)
    after.open(path, ACCOUNT, "the newer version")
    assert [value for _, value in after.left_behind(lambda owner, age: False)] == ["text"]


async def test_input_after_the_database_was_closed_waits_in_the_file(store: Database) -> None:
    inputs = Inputs(store)
    store.close()
    inputs.put("text", 1, "text")
    assert not await inputs.unsaved._try()
    assert inputs.unsaved.file.is_file()


async def test_input_that_no_statement_takes_ends_alone(store: Database) -> None:
    inputs = Inputs(store)

    async def write_wrong() -> None:
        with store.write() as sql:
            sql.execute("SELECT ?", ())  # sqlite3.ProgrammingError, as for a value of a damaged file

    refused = inputs.unsaved.put(("text", 1), {}, write_wrong)
    inputs.put("text", 2, "text")
    assert await inputs.unsaved._try()
    assert isinstance(refused.exception(0), StoreError)
    assert inputs.saved == ["text"]


async def test_an_error_that_no_retry_can_mend_ends_only_its_own_input(store: Database) -> None:
    inputs = Inputs(store)

    async def refuse() -> None:
        raise StoreError("Job 1 was forgotten.")

    refused = inputs.unsaved.put(("draft", 1), "x", refuse)
    inputs.put("note", 1, "saved")
    assert await inputs.unsaved._try()
    assert (str(refused.exception()), inputs.saved) == ("Job 1 was forgotten.", ["saved"])


def test_only_the_first_write_waits_long_for_a_lock(store: Database, path: Path) -> None:
    def timeout() -> int:
        return int(store.read("PRAGMA busy_timeout")[0][0])

    with locked(path), pytest.raises(Unavailable, match="is locked"), store.write():
        pass
    assert timeout() == 1
    with store.write():
        assert timeout() == 20
