"""In a read-only directory, cached data can be read, and only commands that write are refused."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import call, called, refused
from read_only_place import read_only_place
from saved_jobs import DONE
from scripted_server import ScriptedServer, run_of

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.model.run.run import Run
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store

DUMP = Path(__file__).parents[1] / "store" / "earlier_version.sql"
LEFT = {"closed": (), "as after a kill": ("-wal", "-shm"), "copied without its index": ("-wal",)}
"""Suffixes of the SQLite files that remain beside the database, for each way in which the database was left."""


def fill(path: Path, origin: str, left: tuple[str, ...] = ()) -> None:
    """Save two jobs (job 1 has ended), a run and a note in a new database. `left` are the suffixes of the SQLite files
    that remain beside the database."""
    store = Store(path, origin, "key", "default")
    for at in (1.0, 2.0):
        job = store.jobs.begin_launch(Draft((5,), Prompt("Be kind."), 7, "Front desk"), at, "me")
        store.jobs.record_progress_id(job.number, f"p-{job.number}", "{}", at)
    store.jobs.record_answer(1, read_progress(DONE), json.dumps(DONE), 3.0)
    said = {"role": "user", "content": "Hello there", "start_time": 0, "end_time": 1}
    store.runs.save_opened(Run.read(run_of(5, transcript_object=[said])), 4.0)
    store.choose("project", 1, "Calls")
    store.notes.put(5, "look here", 5.0)
    store.transcript_search.catch_up()
    taken = {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in left}
    whole = path.read_bytes()
    store.close()
    if taken:
        path.write_bytes(whole)
    for suffix, content in taken.items():
        path.with_name(path.name + suffix).write_bytes(content)


def contents(directory: Path) -> dict[str, bytes]:
    """The contents of the files in a directory by name. SQLite's shared memory, which readers also write,
    counts as empty."""
    return {file.name: b"" if file.match("*-shm") else file.read_bytes() for file in directory.iterdir()}


@pytest.fixture
def path(home: Path, api: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The path of the database. After the test, checks that no copy of the database is left and nothing was
    launched."""
    (copies := tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    home.mkdir(mode=0o700)
    yield home / "cekura.db"
    assert list(copies.iterdir()) == []
    assert {got.method for got in api.seen} <= {"GET"}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_cached_data_is_read_without_creating_files(
    path: Path, api: ScriptedServer, monkeypatch: pytest.MonkeyPatch, left: tuple[str, ...]
) -> None:
    fill(path, api.url, left)
    before = contents(path.parent)
    with read_only_place(path.parent):
        listed = called("jobs", "list")
        assert (listed.err, "running" in listed.out, "succeeded" in listed.out) == ("", True, True)
        assert call("jobs", "show", 1, "--prompt").out == DONE["output"]["improved_prompt"]
        called("jobs", "wait", 1)
        assert call("notes", "list").out == "5  look here\n"
        assert "Run 5" in call("search", "hello").out
        monkeypatch.delenv("CEKURA_API_KEY")
        assert "Hello there" in called("runs", "show", 5, "--transcript").out
    assert contents(path.parent) == before


def test_only_commands_that_write_are_refused_in_a_read_only_directory(
    path: Path, api: ScriptedServer, improve: tuple[object, ...]
) -> None:
    fill(path, api.url)
    by_reason: dict[str, list[tuple[object, ...]]] = {
        "nothing was saved": [("notes", "set", 5, "other"), ("jobs", "forget", 1), ("views", "save", "mine", "id:5")],
        "nothing was launched": [improve],
        "jobs are not polled": [("jobs", "wait", 2), ("jobs", "watch"), ("jobs", "resume", 2)],
    }
    with read_only_place(path.parent):
        for what, commands in by_reason.items():
            for words in commands:
                refused(f"Read-only session: {what}. {path.parent} is ", *words)


def test_a_database_of_an_earlier_version_is_read_as_if_migrated(path: Path, api: ScriptedServer) -> None:
    sql = sqlite3.connect(path)
    sql.executescript(DUMP.read_text().replace("https://api.example", api.url))
    sql.close()
    before = path.read_bytes()
    with read_only_place(path.parent):
        listed = call("jobs", "list")
        assert [line.split()[0] for line in listed.out.splitlines()[1:]] == ["11", *"98765432"]
        assert "nothing was saved" in call("jobs", "forget", 2).err
    assert path.read_bytes() == before


def test_readable_parts_of_a_damaged_database_are_shown(path: Path, api: ScriptedServer) -> None:
    fill(path, api.url)
    sql = sqlite3.connect(path)
    (page,) = sql.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs'").fetchone()
    sql.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    before = path.read_bytes()
    with read_only_place(path.parent):
        listed = call("jobs", "list")
    assert ("the file is unchanged" in listed.err, "succeeded" in listed.out) == (True, True)
    assert path.read_bytes() == before


def test_a_missing_database_lists_no_jobs_and_an_unopenable_database_is_reported(
    path: Path, improve: tuple[object, ...]
) -> None:
    with read_only_place(path.parent):
        listed = called("jobs", "list")
    assert (listed.out, "No jobs of this profile" in listed.err) == ("", True)
    path.mkdir()
    refused("Nothing was launched. Can't open the database", *improve)
    assert "launched" not in refused("Can't open the database", "jobs", "list").err
