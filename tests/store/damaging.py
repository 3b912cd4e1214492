"""A database of which a page was written over, as a failing disk does it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cekura_tui.model.run.run import Run
from cekura_tui.store.store import Store


def close_and_damage(store: Store, home: Path) -> None:
    """Close a store with many opened runs in it, and spoil where these begin."""
    for run in range(400):
        store.runs.keep_opened(Run.read({"id": run, "transcript": "x" * 3000}), float(run))
    store.close()
    path = home / "cekura.db"
    sql = sqlite3.connect(path)
    (root,) = sql.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'opened_runs'").fetchone()
    sql.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
