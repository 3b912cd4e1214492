"""Damage each page of a database: we recover at least as many jobs, ids and results as SQLite's own recovery."""

from __future__ import annotations

from pathlib import Path

import pytest
from damaged_files import CLI, DAMAGES, PAGE, found_by_sqlite, found_by_us, job_in_every_state
from examples import nightly

pytestmark = pytest.mark.skipif(CLI is None, reason="sqlite3, the command to compare with, is not installed")


@pytest.mark.parametrize("kinds", [pytest.param([*DAMAGES], id="one of each"), *(nightly([kind]) for kind in DAMAGES)])
def test_we_recover_at_least_as_much_as_sqlites_own_recovery(home: Path, tmp_path: Path, kinds: list[str]) -> None:
    """The kinds of damage take turns from page to page."""
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
