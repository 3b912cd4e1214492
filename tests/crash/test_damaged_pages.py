"""Every page of a database damaged in every way: no fewer jobs, ids and results are found than SQLite itself finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from damaged_files import CLI, DAMAGES, PAGE, found_by_sqlite, found_by_us, job_in_every_state

pytestmark = pytest.mark.skipif(CLI is None, reason="sqlite3, the command to compare with, is not installed")


@pytest.mark.parametrize("kind", DAMAGES)
def test_no_fewer_are_found_than_by_the_recovery_of_sqlite(home: Path, tmp_path: Path, kind: str) -> None:
    home.mkdir()
    path = home / "cekura.db"
    job_in_every_state(path)
    data = path.read_bytes()
    fewer = {}
    for page in range(1, len(data) // PAGE + 1):
        path.write_bytes(DAMAGES[kind](data, page))
        theirs = found_by_sqlite(path, tmp_path / "recovered.db")
        if lacking := found_by_us(path).lacks(theirs):
            fewer[page] = lacking
    assert fewer == {}
