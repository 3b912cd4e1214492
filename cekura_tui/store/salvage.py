"""Salvage a damaged database: copy every readable row that the server could not send again.

Rows are read page by page (`sqlite_pages`), since a query stops at the first damaged page; outside all B-trees, a row's
columns identify its table. A lost job is rebuilt from its state changes, prompt history and answers.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import NamedTuple

from cekura_tui.model.job import DEFAULT_KIND, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import count, sha256
from cekura_tui.store.job_reading import EMPTY_COLUMNS, STATES, parsed_answers, prompt_in_answers
from cekura_tui.store.prompts import save_prompt
from cekura_tui.store.sqlite_pages import Pages, Record, page_owners

COPIED_TABLES = (
    *("prompts", "jobs", "job_changes", "job_answers", "staged", "stagings", "typed", "prompt_uses"),
    *("notes", "note_drafts", "views", "filters_used", "filters_left", "run_columns"),
)
_JOB_TABLES = ("job_changes", "job_answers", "stagings", "typed", "staged")
_REPORTED = ("job", "prompt", "note", "view")
_MIN_COLUMNS = {"jobs": 12, "stagings": 6}
"""Minimum number of columns in a row, for tables that had fewer columns in earlier versions."""
_CLASSES = {"INTEGER": (int,), "REAL": (float, int), "TEXT": (str,), "BLOB": (bytes,)}
_NUMBERS = (("jobs", "number"), *((table, "job") for table in _JOB_TABLES))
_RESTORED = "The job's record was damaged and restored in part."
_NO_PROMPT = "lost"
"""Placeholder for the hash of a lost prompt."""
_INDEX_OWNERS = (None, "jobs_by_pair")
"""Owners of pages that may hold the index of jobs; None is an unknown owner. On pages of other owners, a record that
looks like an index entry may belong to a saved filter."""


class _TableForm(NamedTuple):
    """A table's columns in order, the types accepted in each column, and whether the rows have a rowid."""

    columns: tuple[str, ...]
    classes: tuple[tuple[type, ...], ...]
    has_rowid: bool

    def fits(self, record: Record, least: int) -> bool:
        """Whether a record may be a row of this table; `least` is the minimum number of columns in a row."""
        values = record.values
        if not least <= len(values) <= len(self.columns) or (record.rowid is None) == self.has_rowid:
            return False
        return all(isinstance(value, classes) for value, classes in zip(values, self.classes, strict=False))


class _IndexEntry(NamedTuple):
    """A job's entry in the index of jobs."""

    origin: str
    key_id: str
    state: str


def salvage(damaged: Path, into: sqlite3.Connection) -> str:
    """Copy readable rows into a new database, rebuild lost jobs, and say how many. Raises OSError and sqlite3.Error."""
    into.execute("PRAGMA foreign_keys = OFF")
    into.execute("BEGIN IMMEDIATE")
    indexed, cut = _copy_rows(damaged, into)
    there = {number for (number,) in into.execute("SELECT number FROM jobs")}
    used = {number for (number,) in into.execute("SELECT job FROM prompt_uses WHERE job IS NOT NULL")}
    for number in sorted((indexed.keys() | used) - there):
        _restore_job(into, number, indexed.get(number))
        cut.add(number)
    _restore_drafts(into)
    for number in cut:
        _restore_outcome(into, number)
    for table in _JOB_TABLES:
        into.execute(f"DELETE FROM {table} WHERE job NOT IN (SELECT number FROM jobs)")
    into.execute("UPDATE prompt_uses SET job = NULL WHERE job NOT IN (SELECT number FROM jobs)")
    _restore_results(into)
    kept = {noun: into.execute(f"SELECT count(*) FROM {noun}s").fetchone()[0] for noun in _REPORTED}
    missing = into.execute(_MISSING).rowcount
    into.execute("COMMIT")
    into.execute("PRAGMA foreign_keys = ON")
    counts = [count(number, noun) for noun, number in kept.items() if number or noun in ("job", "prompt")]
    words = f"{', '.join(counts[:-1])} and {counts[-1]}"
    return f"{words} ({count(missing, 'prompt')} could not be read)" if missing else words


def _copy_rows(damaged: Path, into: sqlite3.Connection) -> tuple[dict[int, _IndexEntry], set[int]]:
    """Copy all readable rows; return the index entries by job number, and the numbers of jobs with a truncated row."""
    tables = _tables(into)
    indexed, cut, last = dict[int, _IndexEntry](), set[int](), 0
    with contextlib.closing(Pages(damaged)) as pages:
        names = page_owners(pages)
        for number in range(1, pages.count + 1):
            owner = names.get(number)
            for record in pages.records(number):
                match record.values:
                    case ("salt", bytes(salt)) if len(salt) == 32:
                        for table in ("meta", "salt_copy"):
                            into.execute(f"UPDATE {table} SET value = ? WHERE name = 'salt'", (salt,))
                    case ("jobs", int(seq)):
                        last = max(last, seq)
                    case (str(origin), str(key_id), str(state), int(job)) if state in STATES and owner in _INDEX_OWNERS:
                        indexed[job] = _IndexEntry(origin, key_id, state)
                    case _:
                        name = _table_of(record, owner, tables)
                        if name == "jobs":
                            record, whole = _intact_part(record, tables[name].columns)
                            cut |= set() if whole else {record.rowid or 0}
                        if name in COPIED_TABLES:
                            _insert(into, name, tables[name].columns, record)
    used = (into.execute(f"SELECT max({column}) FROM {table}").fetchone()[0] or 0 for table, column in _NUMBERS)
    into.execute("DELETE FROM sqlite_sequence WHERE name = 'jobs'")
    into.execute("INSERT INTO sqlite_sequence VALUES ('jobs', ?)", (max(last, *indexed, *used),))
    return indexed, cut


def _tables(sql: sqlite3.Connection) -> dict[str, _TableForm]:
    found = sql.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name: _table(sql, name, has_rowid="WITHOUT ROWID" not in text) for name, text in found.fetchall()}


def _table(sql: sqlite3.Connection, name: str, *, has_rowid: bool) -> _TableForm:
    columns = sql.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (name,)).fetchall()
    # A record has NULL for the column that is the rowid.
    nulls = [not required and (has_rowid or not key) for _, _, required, key in columns]
    # A job's text may be stored as bytes, see `text_column`.
    kinds = {**_CLASSES, "TEXT": (str, bytes)} if name == "jobs" else _CLASSES
    classes = [(*kinds[kind], *[type(None)] * null) for (_, kind, _, _), null in zip(columns, nulls, strict=True)]
    return _TableForm(tuple(column[0] for column in columns), tuple(classes), has_rowid)


def _table_of(record: Record, owner: str | None, tables: dict[str, _TableForm]) -> str:
    """The name of a record's table: the owner of the record's page, if the record fits that table. Otherwise, the only
    table that the record fits; empty if no table or several tables fit."""
    if owner in tables and tables[owner].fits(record, 1):
        return owner
    fitting = [name for name, table in tables.items() if table.fits(record, _MIN_COLUMNS.get(name, len(table.columns)))]
    if set(fitting) == {"notes", "findings"}:
        return "findings" if str(record.values[3]).startswith("[") else "notes"  # findings are a JSON list
    if fitting == ["filters_used"] and isinstance(record.values[3], int):
        return ""  # a rowid, not a time: from the index of filters_left, or an earlier version's table
    return fitting[0] if len(fitting) == 1 else ""


def _intact_part(record: Record, columns: tuple[str, ...]) -> tuple[Record, bool]:
    """A job's row, without the last columns if it is not whole, as they may be damaged; and whether it is whole."""
    values = dict(zip(columns, record.values, strict=False))
    parameters = str(values.get("parameters", "{}"))
    # Every version wrote the first 24 columns.
    if len(values) >= 24 and parameters.startswith("{") and parameters.endswith("}"):
        return record, True
    return record._replace(values=record.values[: columns.index("summary_of_changes")]), False


def _insert(into: sqlite3.Connection, name: str, columns: tuple[str, ...], record: Record) -> None:
    """Copy a record into a table, unless it exists, lacks a required column, or is a prompt of another hash."""
    row: dict[str, object] = dict(zip(columns, record.values, strict=False))
    if name == "prompts" and not (isinstance(text := row.get("text"), bytes) and sha256(text) == row["sha256"]):
        return
    if name == "jobs":
        row = {**EMPTY_COLUMNS, **row, "number": record.rowid}
    elif record.rowid is not None:
        # Some tables are read in rowid order.
        row["job" if name == "staged" else "rowid"] = record.rowid
    _put(into, name, row)


def _put(into: sqlite3.Connection, name: str, row: dict[str, object]) -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    into.execute(f"INSERT OR IGNORE INTO {name} ({names}) VALUES ({marks})", tuple(row.values()))


def _restore_job(sql: sqlite3.Connection, number: int, indexed: _IndexEntry | None) -> None:
    """Rebuild a job's row from its index entry, state changes, prompt history and the server's answers."""
    uses = sql.execute("SELECT * FROM prompt_uses WHERE job = ? ORDER BY rowid", (number,)).fetchall()
    changes = sql.execute("SELECT state FROM job_changes WHERE job = ? ORDER BY rowid DESC", (number,)).fetchall()
    state = indexed.state if indexed else next((state for (state,) in changes if state in STATES), "")
    whose = (indexed.origin, indexed.key_id) if indexed else (uses[0]["origin"], uses[0]["key_id"])
    prompts = {use["how"]: use["sha256"] for use in uses}
    same = sql.execute("SELECT profile FROM jobs WHERE origin = ? AND key_id = ? LIMIT 1", whose).fetchone()
    ids = (answer.get("progress_id") for answer in parsed_answers(_answers(sql, number)))
    progress_id = next((found for found in ids if isinstance(found, str)), None)
    if state in ("", JobState.LAUNCHING) or (state == JobState.RUNNING and progress_id is None):
        state = JobState.UNCONFIRMED
    row = {
        **EMPTY_COLUMNS,
        "number": number,
        "origin": whose[0],
        "key_id": whose[1],
        "profile": same[0] if same else "default",
        "state": state,
        "agent_id": uses[0]["agent_id"] if uses else None,
        "prompt_sha256": sha256(b"") if state == JobState.FORGOTTEN else prompts.get("sent", _NO_PROMPT),
        "improved_sha256": prompts.get("proposed"),
        "progress_id": progress_id,
    }
    _put(sql, "jobs", row)


def _restore_drafts(sql: sqlite3.Connection) -> None:
    """Assign unused prompts to the drafts that lost their prompt; which draft had which prompt is unknown."""
    lost = "SELECT number FROM jobs WHERE state = 'draft' AND prompt_sha256 = ? ORDER BY number"
    drafts = sql.execute(lost, (_NO_PROMPT,)).fetchall()
    free = sql.execute(_UNUSED_PROMPTS).fetchall()
    reason = "" if len(drafts) == len(free) == 1 else f"{_RESTORED} The prompt may be another draft's."
    for (number,), (name,) in zip(drafts, free, strict=False):
        sql.execute("UPDATE jobs SET prompt_sha256 = ?, reason = ? WHERE number = ?", (name, reason, number))


_USED = """
SELECT prompt_sha256 AS sha256 FROM jobs UNION SELECT improved_sha256 FROM jobs WHERE improved_sha256 IS NOT NULL
UNION SELECT sha256 FROM staged UNION SELECT sha256 FROM prompt_uses"""
_UNUSED_PROMPTS = f"SELECT sha256 FROM prompts WHERE length(text) > 0 AND sha256 NOT IN ({_USED}) ORDER BY kept_at"
_MISSING = f"INSERT OR IGNORE INTO prompts SELECT sha256, x'', 0.0 FROM ({_USED})"
"""Adds an empty text for each lost prompt; since it does not match the hash, the prompt is reported as damaged."""


def _restore_outcome(sql: sqlite3.Connection, number: int) -> None:
    """Restore a job's times from its state changes, and a finished job's result from the server's answers."""
    row = sql.execute("SELECT state, reason, improved_sha256 FROM jobs WHERE number = ?", (number,)).fetchone()
    if row is None or row["state"] == JobState.FORGOTTEN:
        return
    columns: dict[str, object] = {"reason": row["reason"] or _RESTORED}
    read = map(KINDS[DEFAULT_KIND].read_progress, parsed_answers(_answers(sql, number)))
    ends = [progress for progress in read if progress.end or progress.suspected_end]
    if _is_final(row["state"]) and ends:
        columns |= {"summary_of_changes": ends[-1].summary_of_changes, "error": ends[-1].error}
        if row["improved_sha256"] is None and (improved := ends[-1].improved_prompt) is not None:
            columns["improved_sha256"] = save_prompt(sql, improved, 0.0)
    changes = sql.execute("SELECT at, state FROM job_changes WHERE job = ? ORDER BY rowid", (number,)).fetchall()
    if changes:
        since, state = changes[-1]
        launched = [at for at, state in changes if state == JobState.LAUNCHING]
        columns |= {"created_at": changes[0][0], "launched_at": launched[-1] if launched else None}
        columns |= {"since": since, "finished_at": since if _is_final(state) else None}
    names = ", ".join(f"{name} = ?" for name in columns)
    sql.execute(f"UPDATE jobs SET {names} WHERE number = ?", (*columns.values(), number))


def _is_final(state: str) -> bool:
    return state in STATES and JobState(state).final


def _restore_results(sql: sqlite3.Connection) -> None:
    """Restore each missing improved prompt that one of the server's answers contains."""
    lost = "SELECT number, kind, improved_sha256 FROM jobs WHERE improved_sha256 NOT IN (SELECT sha256 FROM prompts)"
    for number, kind, name in sql.execute(lost).fetchall():
        improved = prompt_in_answers(_answers(sql, number), kind, name) if kind in KINDS else None
        if improved is not None:
            save_prompt(sql, improved, 0.0)


def _answers(sql: sqlite3.Connection, number: int) -> list[object]:
    return [raw for (raw,) in sql.execute("SELECT raw FROM job_answers WHERE job = ? ORDER BY rowid", (number,))]
