"""Damage the database of a test by overwriting a page, as a failing disk does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from cekura_tui.model.run.run import Run
from cekura_tui.store.store import Store

PAGE = 4096


def root_of(path: Path, table: str) -> int:
    """The number of a table's first page, counted from 1."""
    with closing(sqlite3.connect(path)) as sql:
        return int(sql.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0])


def break_page(path: Path, number: int) -> None:
    with path.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def close_and_damage(store: Store, home: Path) -> None:
    """Save 40 opened runs, close the store, and overwrite the first page of the table of opened runs."""
    for run in range(40):
        store.runs.save_opened(Run.read({"id": run, "transcript": "x" * 3000}), float(run))
    store.close()
    path = home / "cekura.db"
    break_page(path, root_of(path, "opened_runs"))


def damage_notice(store: Store) -> str:
    """Read from the damaged table, and return the database's notice about the damage."""
    store.database.read("SELECT max(got_at) FROM opened_runs")
    return store.database.notice
