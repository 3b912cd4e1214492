"""A damaged database: moved aside whole, and what can still be read of what a person made is copied over."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from cekura_tui.model.text import count

_JOBS = ("meta", "prompts", "jobs", "job_changes", "job_answers", "staged")
_TYPED = ("notes", "views", "filters_used", "filters_left", "stagings", "typed", "prompt_uses")
"""Each is found by a key that begins with its first three columns."""
_TOLD = ("job", "prompt", "note", "view")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path | None]:
    """Under an exclusive lock, move a damaged file aside with its -wal and -shm and give its new place.

    Gives None where another process replaced the file meanwhile.
    """
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _damaged(path):
            yield None
            return
        named = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
        free = (f"{named}{'' if n == 0 else f'-{n}'}" for n in itertools.count())
        aside = next(place for name in free if not (place := path.with_name(name)).exists())
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
        yield aside


def _damaged(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5)) as sql:
            return str(sql.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok"
    except sqlite3.OperationalError:
        return False
    except sqlite3.DatabaseError:
        return True


def rescue(damaged: Path, into: sqlite3.Connection) -> str:
    """Copy every row that can still be read; returns how many jobs, prompts, notes and views were, as words."""
    into.execute("PRAGMA foreign_keys = OFF")
    into.execute("BEGIN IMMEDIATE")
    try:
        source = sqlite3.connect(damaged, timeout=1)
        try:
            for table in (*_JOBS, *_TYPED):
                _copy(source, into, table)
            for table in _TYPED:
                # From the other end also, for reading stops at the first page that cannot be read.
                _copy(source, into, table, "ORDER BY 1 DESC, 2 DESC, 3 DESC")
        finally:
            source.close()
    except sqlite3.Error:
        pass
    # A job whose prompt could not be read cannot be shown or launched again.
    into.execute("DELETE FROM jobs WHERE prompt_sha256 NOT IN (SELECT sha256 FROM prompts)")
    into.execute("UPDATE jobs SET improved_sha256 = NULL WHERE improved_sha256 NOT IN (SELECT sha256 FROM prompts)")
    for table in ("job_changes", "job_answers", "stagings", "typed", "staged"):
        into.execute(f"DELETE FROM {table} WHERE job NOT IN (SELECT number FROM jobs)")
    for table in ("staged", "prompt_uses"):
        into.execute(f"DELETE FROM {table} WHERE sha256 NOT IN (SELECT sha256 FROM prompts)")
    into.execute("UPDATE prompt_uses SET job = NULL WHERE job NOT IN (SELECT number FROM jobs)")
    kept = {noun: into.execute(f"SELECT count(*) FROM {noun}s").fetchone()[0] for noun in _TOLD}
    into.execute("COMMIT")
    into.execute("PRAGMA foreign_keys = ON")
    told = [count(number, noun) for noun, number in kept.items() if number or noun in ("job", "prompt")]
    return f"{', '.join(told[:-1])} and {told[-1]}"


def _copy(source: sqlite3.Connection, into: sqlite3.Connection, table: str, order: str = "") -> None:
    """Row by row, so that one unreadable page does not cost those that were read before it."""
    # What was read already stays in its place, for the order of some tables tells what is newest.
    known = "IGNORE" if order else "REPLACE"
    try:
        rows = source.execute(f"SELECT * FROM {table} {order}")
        # By name: a file of an earlier version has fewer columns.
        names = ", ".join(column[0] for column in rows.description)
        marks = ", ".join("?" * len(rows.description))
        while (row := rows.fetchone()) is not None:
            into.execute(f"INSERT OR {known} INTO {table} ({names}) VALUES ({marks})", row)
    except sqlite3.Error:
        pass
