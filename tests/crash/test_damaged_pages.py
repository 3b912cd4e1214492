"""Each page of a database damaged: no fewer jobs, ids and results are found than SQLite's own recovery finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from damaged_files import CLI, DAMAGES, PAGE, found_by_sqlite, found_by_us, job_in_every_state
from examples import nightly

pytestmark = pytest.mark.skipif(CLI is None, reason="sqlite3, the command to compare with, is not installed")


@pytest.mark.parametrize("kinds", [pytest.param([*DAMAGES], id="one of each"), *(nightly([kind]) for kind in DAMAGES)])
def test_no_fewer_are_found_than_by_the_recovery_of_sqlite(home: Path, tmp_path: Path, kinds: list[str]) -> None:
    """Each page has the next of these kinds of damage."""
    home.mkdir()
    path = home / "cekura.db"
    job_in_every_state(path)
    data = path.read_bytes()
    fewer = {}
    for page in range(1, len(data) // PAGE + 1):
        path.write_bytes(DAMAGES[kinds[page % len(kinds)]](data, page))
        theirs = found_by_sqlite(path, tmp_path / "recovered.db")
        if lacking := found_by_us(path).lacks(theirs):
            fewer[page] = lacking
    assert fewer == {}
