"""Migrate a database as a newer version of the program would, while this version has the database open."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from cekura_tui.store.schema import VERSION

ADDED = """
    ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 3;
    ALTER TABLE job_answers ADD COLUMN kind TEXT;
    ALTER TABLE stagings ADD COLUMN who TEXT;
    ALTER TABLE prompt_uses ADD COLUMN size INTEGER;
    ALTER TABLE scopes_seen ADD COLUMN etag TEXT;
    CREATE TABLE labels (run_id INTEGER PRIMARY KEY, label TEXT NOT NULL);
"""
"""A migration after which the tables and columns of this version still exist."""
REPLACED = """
    ALTER TABLE jobs DROP COLUMN took;
    ALTER TABLE job_answers RENAME TO answers;
"""
"""A migration after which a column and a table of this version are missing."""
NOTHING = ""
"""A migration after which this version's code, with a higher `VERSION`, can act as the newer version."""


def migrate(path: Path, script: str = ADDED) -> None:
    """Run a migration in one transaction, and raise the version of the database by one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as sql:
        sql.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {VERSION + 1}; COMMIT;")


def contents(path: Path) -> list[str]:
    """All rows and the schema of a database, as SQL."""
    with closing(sqlite3.connect(path)) as sql:
        return [*sql.iterdump()]
