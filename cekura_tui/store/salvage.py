"""What is saved of a damaged database: each row of jobs, prompts and what was typed that is on a readable page.

Rows are read page by page (`sqlite_pages`), since a query ends at the first damaged page. Of a page that no tree leads
to any more, the form of its rows tells of which table they are. A job whose own row is lost is put together again from
its history, the history of its agent, and the server's answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from pathlib import Path
from typing import NamedTuple

from cekura_tui.model.job import DEFAULT_KIND, JobState
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.text import count
from cekura_tui.store.job_reading import EMPTY_COLUMNS, STATES, parsed_answers, prompt_in_answers
from cekura_tui.store.prompts import keep_prompt
from cekura_tui.store.sqlite_pages import Pages, Record, owners

SAVED = (
    *("prompts", "jobs", "job_changes", "job_answers", "staged", "stagings", "typed", "prompt_uses"),
    *("notes", "note_drafts", "views", "filters_used", "filters_left", "run_columns"),
)
"""The tables that no server could fill again."""
_OF_JOBS = ("job_changes", "job_answers", "stagings", "typed", "staged")
_COUNTED = ("job", "prompt", "note", "view")
_LEAST = {"jobs": 12, "stagings": 6}
"""So many columns has a row at least that is known by its form, where an earlier version had fewer."""
_CLASSES: dict[str, tuple[type, ...]] = {
    "INTEGER": (int,),
    "REAL": (float, int),
    "TEXT": (str,),
    "BLOB": (bytes,),
}
_SALT = 32
"""Bytes of the salt of the keys' ids."""
_WHOLE_JOB = 24
"""Columns that the row of a job has in each version."""
_NUMBERS = (("jobs", "number"), *((table, "job") for table in _OF_JOBS))
_RESTORED = "The job's record was damaged and restored in part."
_PROFILE = "default"


class _TableForm(NamedTuple):
    """A table as this version makes it: its columns in their order, and whether its rows have a rowid."""

    columns: tuple[str, ...]
    classes: tuple[tuple[type, ...], ...]
    has_rowid: bool

    def fits(self, record: Record, least: int) -> bool:
        """Whether a record may be a row of this table, by at least so many of its columns."""
        values = record.values
        if not least <= len(values) <= len(self.columns) or (record.rowid is None) == self.has_rowid:
            return False
        return all(isinstance(value, classes) for value, classes in zip(values, self.classes, strict=False))


class _Lost(NamedTuple):
    """What the index of jobs says of one."""

    origin: str
    key_id: str
    state: str


def salvage(damaged: Path, into: sqlite3.Connection) -> str:
    """Copy what can be read into a new database; returns what it was, as words.

    Raises OSError where the damaged file cannot be opened, sqlite3.Error where the new one cannot be written.
    """
    into.execute("PRAGMA foreign_keys = OFF")
    into.execute("BEGIN IMMEDIATE")
    indexed, cut = _copy_rows(damaged, into)
    for number in _jobs_without_row(into, indexed):
        _restore_job(into, number, indexed.get(number))
        cut.add(number)
    _restore_drafts(into)
    for number in cut:
        _set_times(into, number)
    for table in _OF_JOBS:
        into.execute(f"DELETE FROM {table} WHERE job NOT IN (SELECT number FROM jobs)")
    into.execute("UPDATE prompt_uses SET job = NULL WHERE job NOT IN (SELECT number FROM jobs)")
    _restore_results(into)
    kept = {noun: into.execute(f"SELECT count(*) FROM {noun}s").fetchone()[0] for noun in _COUNTED}
    missing = _mark_missing_prompts(into)
    into.execute("COMMIT")
    into.execute("PRAGMA foreign_keys = ON")
    counts = [count(number, noun) for noun, number in kept.items() if number or noun in ("job", "prompt")]
    words = f"{', '.join(counts[:-1])} and {counts[-1]}"
    return f"{words} ({count(missing, 'prompt')} could not be read)" if missing else words


def _copy_rows(damaged: Path, into: sqlite3.Connection) -> tuple[dict[int, _Lost], set[int]]:
    """Copy each row; returns what the index of jobs says of them by number, and the jobs whose row is cut off."""
    tables = _tables(into)
    indexed, cut, last = dict[int, _Lost](), set[int](), 0
    with contextlib.closing(Pages(damaged)) as pages:
        names = owners(pages)
        for number in range(1, pages.count + 1):
            for record in pages.records(number):
                match record.values:
                    case ("salt", bytes(salt)) if len(salt) == _SALT:
                        for table in ("meta", "salt_copy"):
                            into.execute(f"UPDATE {table} SET value = ? WHERE name = 'salt'", (salt,))
                    case ("jobs", int(seq)):
                        last = max(last, seq)
                    case (str(origin), str(key_id), str(state), int(job)) if state in STATES:
                        indexed[job] = _Lost(origin, key_id, state)
                    case _:
                        name = _table_of(record, names.get(number), tables)
                        if name == "jobs":
                            record, whole = _whole_part(record, tables[name].columns)
                            cut |= set() if whole else {record.rowid or 0}
                        if name in SAVED:
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
    # NULL is also what stands in the place of a rowid.
    nulls = [not required and (has_rowid or not key) for _, _, required, key in columns]
    # A text of a job may be bytes, see `text_column`.
    kinds = {**_CLASSES, "TEXT": (str, bytes)} if name == "jobs" else _CLASSES
    classes = [(*kinds[kind], *[type(None)] * null) for (_, kind, _, _), null in zip(columns, nulls, strict=True)]
    return _TableForm(tuple(column[0] for column in columns), tuple(classes), has_rowid)


def _table_of(record: Record, owner: str | None, tables: dict[str, _TableForm]) -> str:
    """The table of a record: the one whose tree its page is in, else the only one that it can be a row of; or none."""
    if owner in tables and tables[owner].fits(record, 1):
        return owner
    fitting = [name for name, table in tables.items() if table.fits(record, _LEAST.get(name, len(table.columns)))]
    if set(fitting) == {"notes", "findings"}:
        # What a run failed by is a list, as JSON.
        return "findings" if str(record.values[3]).startswith("[") else "notes"
    return fitting[0] if len(fitting) == 1 else ""


def _whole_part(record: Record, columns: tuple[str, ...]) -> tuple[Record, bool]:
    """What is certain of a job's row, which may go on in a damaged page, and whether that is all of it."""
    values = dict(zip(columns, record.values, strict=False))
    if len(values) >= _WHOLE_JOB and str(values.get("parameters", "{}")).startswith("{"):
        return record, True
    return record._replace(values=record.values[: columns.index("summary_of_changes")]), False


def _insert(into: sqlite3.Connection, name: str, columns: tuple[str, ...], record: Record) -> None:
    """Copy a row, unless it is there, or lacks what its table needs, or is a prompt that is another text by now."""
    row: dict[str, object] = dict(zip(columns, record.values, strict=False))
    if name == "prompts" and not (isinstance(text := row.get("text"), bytes) and _hash(text) == row["sha256"]):
        return
    if name == "jobs":
        row = {**EMPTY_COLUMNS, **row, "number": record.rowid}
    elif record.rowid is not None:
        # The order of some tables tells what is newest.
        row["job" if name == "staged" else "rowid"] = record.rowid
    _put(into, name, row)


def _put(into: sqlite3.Connection, name: str, row: dict[str, object]) -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    into.execute(f"INSERT OR IGNORE INTO {name} ({names}) VALUES ({marks})", tuple(row.values()))


# Jobs


def _jobs_without_row(sql: sqlite3.Connection, indexed: dict[int, _Lost]) -> list[int]:
    there = {number for (number,) in sql.execute("SELECT number FROM jobs")}
    used = {number for (number,) in sql.execute("SELECT job FROM prompt_uses WHERE job IS NOT NULL")}
    return sorted((indexed.keys() | used) - there)


def _restore_job(sql: sqlite3.Connection, number: int, indexed: _Lost | None) -> None:
    """Put a job together again from its history, from that of its agent, and from what the server answered."""
    uses = sql.execute("SELECT * FROM prompt_uses WHERE job = ? ORDER BY rowid", (number,)).fetchall()
    changes = [
        state for (state,) in sql.execute("SELECT state FROM job_changes WHERE job = ? ORDER BY rowid", (number,))
    ]
    state = indexed.state if indexed else next((state for state in reversed(changes) if state in STATES), "")
    whose = (indexed.origin, indexed.key_id) if indexed else (uses[0]["origin"], uses[0]["key_id"])
    prompts = {use["how"]: use["sha256"] for use in uses}
    same = sql.execute("SELECT profile FROM jobs WHERE origin = ? AND key_id = ? LIMIT 1", whose).fetchone()
    kind = KINDS[DEFAULT_KIND]
    progress_id, end = None, None
    for answer in parsed_answers(_answers(sql, number)):
        progress_id = progress_id or answer.get(kind.id_field)
        progress = kind.read_progress(answer)
        end = progress if progress.end else end
    progress_id = progress_id if isinstance(progress_id, str) else None
    if state in ("", JobState.LAUNCHING) or (state == JobState.RUNNING and progress_id is None):
        state = JobState.UNCONFIRMED
    row = {
        **EMPTY_COLUMNS,
        "number": number,
        "origin": whose[0],
        "key_id": whose[1],
        "profile": same[0] if same else _PROFILE,
        "state": state,
        "reason": "" if state == JobState.FORGOTTEN else _RESTORED,
        "agent_id": uses[0]["agent_id"] if uses else None,
        "prompt_sha256": prompts.get("sent", _hash(b"")),
        "progress_id": progress_id,
    }
    if end is not None and JobState(state).final:
        row |= {"summary_of_changes": end.summary_of_changes, "error": end.error}
        if end.improved_prompt is not None:
            prompts["proposed"] = keep_prompt(sql, end.improved_prompt, 0.0)
    _put(sql, "jobs", {**row, "improved_sha256": prompts.get("proposed")})


def _restore_drafts(sql: sqlite3.Connection) -> None:
    """Give the prompts that belong to nothing to the drafts that were put together again, oldest first."""
    drafts = sql.execute("SELECT number FROM jobs WHERE state = 'draft' AND reason = ? ORDER BY number", (_RESTORED,))
    free = sql.execute(_UNUSED_PROMPTS).fetchall()
    for (number,), (name,) in zip(drafts.fetchall(), free, strict=False):
        sql.execute("UPDATE jobs SET prompt_sha256 = ? WHERE number = ?", (name, number))


_UNUSED_PROMPTS = """
SELECT sha256 FROM prompts WHERE length(text) > 0 AND sha256 NOT IN (
    SELECT prompt_sha256 FROM jobs UNION SELECT improved_sha256 FROM jobs WHERE improved_sha256 IS NOT NULL
    UNION SELECT sha256 FROM staged UNION SELECT sha256 FROM prompt_uses
) ORDER BY kept_at"""


def _set_times(sql: sqlite3.Connection, number: int) -> None:
    """When a job was made, launched and ended, by its history."""
    changes = sql.execute("SELECT at, state FROM job_changes WHERE job = ? ORDER BY rowid", (number,)).fetchall()
    if not changes:
        return
    launched = [at for at, state in changes if state == JobState.LAUNCHING]
    since, state = changes[-1]
    sql.execute(
        "UPDATE jobs SET created_at = ?, launched_at = ?, since = ?, finished_at = ? WHERE number = ?",
        (changes[0][0], launched[-1] if launched else None, since, since if _is_final(state) else None, number),
    )


def _is_final(state: str) -> bool:
    return state in STATES and JobState(state).final


# Prompts


def _restore_results(sql: sqlite3.Connection) -> None:
    """Take proposed prompts that are missing from the answers that brought them."""
    missing = sql.execute(
        "SELECT number, kind, improved_sha256 FROM jobs WHERE improved_sha256 NOT IN (SELECT sha256 FROM prompts)"
    ).fetchall()
    for number, kind, name in missing:
        improved = prompt_in_answers(_answers(sql, number), kind, name) if kind in KINDS else None
        if improved is not None:
            keep_prompt(sql, improved, 0.0)


def _answers(sql: sqlite3.Connection, number: int) -> list[object]:
    """What the server answered about a job, oldest first."""
    return [raw for (raw,) in sql.execute("SELECT raw FROM job_answers WHERE job = ? ORDER BY rowid", (number,))]


def _mark_missing_prompts(sql: sqlite3.Connection) -> int:
    """Have an entry for each prompt that something names, empty where its text is lost; returns how many are."""
    return sql.execute(_MISSING).rowcount


_MISSING = """
INSERT OR IGNORE INTO prompts SELECT sha256, x'', 0.0 FROM (
    SELECT prompt_sha256 AS sha256 FROM jobs UNION SELECT improved_sha256 FROM jobs WHERE improved_sha256 IS NOT NULL
    UNION SELECT sha256 FROM staged UNION SELECT sha256 FROM prompt_uses
)"""
"""An empty text is not the one of its hash, so that it is known as damaged."""


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
