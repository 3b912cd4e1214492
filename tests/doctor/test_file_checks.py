"""The config directory as the doctor finds it: rights, settings, database, room on the disk."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple
from pathlib import Path

import pytest

from cekura_tui.config.paths import Paths
from cekura_tui.doctor.check import Check
from cekura_tui.doctor.files import MB, check_database, check_files, check_log
from cekura_tui.store.schema import VERSION
from cekura_tui.store.store import Store


@pytest.fixture
def paths(home: Path) -> Paths:
    home.mkdir(mode=0o700)
    return Paths(home)


def files(paths: Paths) -> dict[str, Check]:
    return {check.name: check for check in check_files(paths)}


def database(paths: Paths) -> dict[str, Check]:
    return {check.name: check for check in check_database(paths.database)}


def test_what_is_not_there_yet_is_no_failure_and_is_not_made(home: Path) -> None:
    paths = Paths(home)
    checks = [*check_files(paths), *check_database(paths.database), *check_log(paths)]
    assert {check.status for check in checks} == {"ok"}
    assert not home.exists()


def test_rights_that_are_too_wide_come_with_the_command_that_mends_them(paths: Paths) -> None:
    paths.credentials.write_text("{}")
    paths.credentials.chmod(0o640)
    paths.home.chmod(0o755)
    found = files(paths)
    assert (found["directory"].status, found["directory"].advice) == ("warning", f"chmod 700 {paths.home}")
    assert (found["credentials.json"].status, found["credentials.json"].advice) == (
        "failure",
        f"chmod 600 {paths.credentials}",
    )
    paths.credentials.chmod(0o600)
    paths.home.chmod(0o700)
    assert {check.status for check in files(paths).values()} == {"ok"}


def test_a_directory_that_is_a_file_is_a_failure(home: Path) -> None:
    home.write_text("")
    assert files(Paths(home))["directory"].status == "failure"


@pytest.mark.parametrize(
    ("free", "status"), [(9 * MB, "failure"), (11 * MB, "warning"), (99 * MB, "warning"), (101 * MB, "ok")]
)
def test_a_disk_that_is_nearly_full_is_a_warning_and_a_full_one_a_failure(
    paths: Paths, free: int, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, free))
    assert files(paths)["disk"].status == status


def test_a_whole_database_is_ok_and_looking_at_it_changes_nothing(paths: Paths) -> None:
    Store(paths.database, "origin", "key", "default").close()
    before = paths.database.read_bytes()
    check = database(paths)["database"]
    assert (check.status, f"version {VERSION}, journal wal on " in check.found) == ("ok", True)
    assert paths.database.read_bytes() == before


def test_a_damaged_database_is_a_failure_that_the_next_start_mends(paths: Paths) -> None:
    Store(paths.database, "origin", "key", "default").close()
    data = bytearray(paths.database.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    paths.database.write_bytes(data)
    check = database(paths)["database"]
    assert (check.status, check.found.startswith("damaged")) == ("failure", True)
    paths.database.write_bytes(b"This is no database at all, but a long text." * 100)
    assert database(paths)["database"].found == "damaged (file is not a database)"


def test_a_database_of_a_newer_version_is_a_failure(paths: Paths) -> None:
    with sqlite3.connect(paths.database) as sql:
        sql.execute(f"PRAGMA user_version = {VERSION + 1}")
    sql.close()
    check = database(paths)["database"]
    assert (check.status, "newer cekura-tui" in check.found, "Update" in check.advice) == ("failure", True, True)


def test_what_lies_beside_the_database_is_named(paths: Paths) -> None:
    Store(paths.database, "origin", "key", "default").close()
    for name, text in (("-taken-3.json", "{}"), ("-taken-4.json", " " * 100)):  # the latter waits for its answer
        (paths.home / f"cekura.db{name}").write_text(text)
    for name in ("damaged-20260101-000000", "damaged-20260101-000000-wal"):
        (paths.home / f"cekura.db.{name}").write_text("")
    found = database(paths)
    assert found["unrecorded answers"].found.endswith("cekura.db-taken-3.json")
    assert found["damaged databases"].found == "1 damaged database moved aside: cekura.db.damaged-20260101-000000"


def test_the_log_is_named_with_its_size(paths: Paths) -> None:
    paths.log.parent.mkdir()
    paths.log.write_bytes(b"x" * 2000)
    (paths.log.parent / "cekura-tui.log.1").write_bytes(b"x" * 3000)
    (check,) = check_log(paths)
    assert check.found == f"{paths.log} (2 files, 5 kB)"
