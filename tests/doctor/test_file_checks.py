"""The doctor checks the permissions, the database, the log and the disk space of the config directory."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

import pytest
from read_only_place import read_only_place

from cekura_tui.config.paths import Paths
from cekura_tui.doctor.check import Check, run_check
from cekura_tui.doctor.files import MB, check_database, check_files, check_log, check_settings
from cekura_tui.store.schema import VERSION
from cekura_tui.store.store import Store


@pytest.fixture
def paths(home: Path) -> Paths:
    home.mkdir(mode=0o700)
    return Paths(home)


@pytest.fixture
def stored(paths: Paths) -> Paths:
    """A config directory that contains a database."""
    Store(paths.database, "origin", "key", "default").close()
    return paths


def by_name(checks: Iterable[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def files(paths: Paths) -> dict[str, Check]:
    return by_name(check_files(paths))


def database(paths: Paths) -> dict[str, Check]:
    return by_name(check_database(paths.database))


def test_a_missing_config_directory_is_ok_but_a_file_in_its_place_is_a_failure(home: Path) -> None:
    paths = Paths(home)
    checks = [*check_files(paths), *check_database(paths.database), *check_log(paths)]
    assert {check.status for check in checks} == {"ok"}
    assert not home.exists()
    home.write_text("")
    assert files(paths)["directory"].status == "failure"


def test_too_wide_permissions_are_reported_with_a_chmod_command(paths: Paths) -> None:
    paths.credentials.touch(0o640)
    paths.home.chmod(0o755)
    wrong = {name: (check.status, check.advice) for name, check in files(paths).items() if check.status != "ok"}
    assert wrong == {
        "directory": ("warning", f"chmod 700 {quote(str(paths.home))}"),
        "credentials.json": ("failure", f"chmod 600 {quote(str(paths.credentials))}"),
    }
    paths.credentials.chmod(0o600)
    paths.home.chmod(0o700)
    assert {check.status for check in files(paths).values()} == {"ok"}
    paths.settings.touch()
    for mode, given in ((0o644, []), (0o664, [f"chmod go-w {quote(str(paths.settings))}"])):
        paths.settings.chmod(mode)
        assert [check.advice for check in check_settings(paths) if check.name == "config.toml"] == given


def test_recordings_are_counted_and_a_directory_open_to_others_is_a_warning(paths: Paths) -> None:
    paths.audio.mkdir(mode=0o700)
    (paths.audio / "1.wav").write_bytes(bytes(2 * MB))
    assert files(paths)["recordings"].found == f"1 recording, 2 MB in {paths.audio} (0700)"
    paths.audio.chmod(0o755)
    found = files(paths)["recordings"]
    assert (found.status, found.advice) == ("warning", f"chmod 700 {quote(str(paths.audio))}")


def test_a_pipe_in_place_of_a_file_is_reported_without_being_opened(stored: Paths) -> None:
    for pipe in (stored.credentials, stored.log, stored.database.with_name("cekura.db-wal")):
        pipe.parent.mkdir(exist_ok=True)
        os.mkfifo(pipe)
    (stored.home / "cekura.db.lock").symlink_to("/dev/null")
    of_database = run_check("files", "database", lambda: check_database(stored.database))
    found = by_name([*check_files(stored), *check_log(stored), *of_database])
    for name in ("credentials.json", "cekura-tui.log", "database"):
        assert (name, "named pipe" in found[name].found, found[name].status) == (name, True, "failure")


def test_an_unwritable_directory_is_a_failure_and_its_intact_database_is_ok(stored: Paths) -> None:
    before, check = stored.database.read_bytes(), database(stored)["database"]
    assert (check.status, f"version {VERSION}, journal wal on " in check.found) == ("ok", True)
    assert stored.database.read_bytes() == before
    with read_only_place(stored.home):
        directory = files(stored)["directory"]
        assert (directory.status, "--config-dir" in directory.advice) == ("failure", True)
        assert database(stored)["database"].status == "ok"


def test_a_nearly_full_disk_is_a_warning_and_a_full_disk_is_a_failure(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    statuses = {9 * MB: "failure", 11 * MB: "warning", 99 * MB: "warning", 101 * MB: "ok"}
    for free, status in statuses.items():
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: usage(0, 0, free))
        assert (free, files(paths)["disk"].status) == (free, status)


def test_a_damaged_or_newer_database_is_a_failure(stored: Paths) -> None:
    with sqlite3.connect(stored.database) as sql:
        sql.execute(f"PRAGMA user_version = {VERSION + 1}")
    sql.close()
    check = database(stored)["database"]
    assert (check.status, "newer cekura-tui" in check.found, "Update" in check.advice) == ("failure", True, True)
    data = stored.database.read_bytes()
    stored.database.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    check = database(stored)["database"]
    assert (check.status, check.found[:7]) == ("failure", "damaged")
    stored.database.write_bytes(b"This is no database at all, but a long text." * 100)
    assert database(stored)["database"].found == "damaged (file is not a database)"


def test_unrecorded_answers_and_damaged_databases_are_listed(stored: Paths) -> None:
    (stored.home / "cekura.db-taken-3.json").write_text("{}")
    (stored.home / "cekura.db-taken-4.json").write_text(" " * 100)  # reserved for an answer that has not arrived
    for suffix in ("", "-wal"):
        (stored.home / f"cekura.db.damaged-20260101-000000{suffix}").touch()
    (stored.home / "cekura.db-unsaved-7.json").touch()
    found = database(stored)
    assert found["unrecorded answers"].found.endswith("cekura.db-taken-3.json")
    assert found["unsaved input"].found.endswith("cekura.db-unsaved-7.json")
    assert found["damaged databases"].found == "1 damaged database moved aside: cekura.db.damaged-20260101-000000"


def test_the_log_is_reported_with_its_size(paths: Paths) -> None:
    paths.log.parent.mkdir()
    paths.log.write_bytes(b"x" * 2000)
    (paths.log.parent / "cekura-tui.log.1").write_bytes(b"x" * 3000)
    (check,) = check_log(paths)
    assert check.found == f"{paths.log} (2 files, 5 kB)"
