"""Run lists, opened runs, failure reasons, notes, and the cached contents of the first frame."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cekura_tui.model.job import Job
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow, review_of, row_of
from cekura_tui.store.database import AccountStore, key_id, open_read_only
from cekura_tui.store.job_reading import MAX_LISTED, SELECT_LISTED, read_jobs, with_updates
from cekura_tui.store.views import LAST_FILTER, RUN_COLUMNS

if TYPE_CHECKING:
    from cekura_tui.model.run.groups import Finding
    from cekura_tui.model.run.run import Run

MAX_FINDINGS, MAX_WHOLE_ROWS = 20_000, 20_000
"""Maximum numbers of runs with saved findings, over all accounts, and of saved rows of whole runs, per account."""


class FindingStore(AccountStore):
    """Findings: why the runs of one account failed. Each method is one transaction and raises StoreError."""

    def cached(self, ids: Sequence[int]) -> dict[int, tuple[Finding, ...]]:
        """The saved findings by run id: empty for a run without findings; a run that was never read is missing."""
        from cekura_tui.model.run.groups import Finding  # compiles patterns, too slow for the first frame

        rows = self._database.read(_KNOWN, *self._pair, json.dumps([*ids]))
        return {row["run_id"]: tuple(Finding(*finding) for finding in json.loads(row["told"])) for row in rows}

    def save(self, found: Mapping[int, tuple[Finding, ...]], at: float) -> None:
        """Save findings by run id, read at `at` (Unix time); the oldest findings are pruned."""
        with self._database.write() as sql:
            save_findings(sql, self._pair, found, at)


def save_findings(
    sql: sqlite3.Connection, pair: tuple[str, str], found: Mapping[int, tuple[Finding, ...]], at: float
) -> None:
    """Save findings by run id in the caller's transaction; `pair` is origin and key id."""
    findings = {number: [(finding.verdict, finding.explanation) for finding in some] for number, some in found.items()}
    rows = [(*pair, number, json.dumps(some), at) for number, some in findings.items()]
    sql.executemany("INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?)", rows)
    sql.execute(_PRUNE, (MAX_FINDINGS,))


_KNOWN = """
SELECT run_id, told FROM findings WHERE origin = ? AND key_id = ? AND run_id IN (SELECT value FROM json_each(?))"""
_PRUNE = """
DELETE FROM findings WHERE (origin, key_id, run_id) IN (
    SELECT origin, key_id, run_id FROM findings ORDER BY got_at DESC, run_id DESC LIMIT -1 OFFSET ?
)"""


class NoteStore(AccountStore):
    """The notes of one account. Each method is one transaction and raises StoreError."""

    def all(self) -> dict[int, str]:
        return {row["run_id"]: row["text"] for row in self._database.read(SELECT_NOTES, *self._pair)}

    def put(self, run_id: int, text: str, at: float) -> None:
        """Save a run's note and delete the note's draft; an empty text deletes the note."""
        with self._database.write() as sql:
            self._drop_draft(sql, run_id)
            if text:
                sql.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?)", (*self._pair, run_id, text, at))
            else:
                sql.execute("DELETE FROM notes WHERE origin = ? AND key_id = ? AND run_id = ?", (*self._pair, run_id))

    def draft(self, run_id: int) -> str:
        of = "SELECT text FROM note_drafts WHERE origin = ? AND key_id = ? AND run_id = ?"
        rows = self._database.read(of, *self._pair, run_id)
        return rows[0]["text"] if rows else ""

    def put_draft(self, run_id: int, text: str) -> None:
        with self._database.write() as sql:
            self._drop_draft(sql, run_id)
            if text:  # only earlier versions read the last column
                sql.execute("INSERT INTO note_drafts VALUES (?, ?, ?, ?, '')", (*self._pair, run_id, text))

    def _drop_draft(self, sql: sqlite3.Connection, run_id: int) -> None:
        sql.execute("DELETE FROM note_drafts WHERE origin = ? AND key_id = ? AND run_id = ?", (*self._pair, run_id))


SELECT_NOTES = "SELECT run_id, text FROM notes WHERE origin = ? AND key_id = ?"

MAX_ROWS, MAX_LISTS = 1_000, 30
"""Maximum numbers of rows cached per list, and of cached lists, counted separately with and without a filter."""
MAX_OPENED = 300
MAX_OPENED_BYTES = 64 * 2**20
MAX_OPENED_RUN = 8 * 2**20
"""Maximum size in bytes of a cached run; a larger run is not cached."""


@dataclass(frozen=True, slots=True)
class CachedRuns:
    """A cached list: the server's count of runs, the cached rows, and the Unix time when the list was fetched."""

    count: int
    rows: tuple[RunRow, ...]
    got_at: float


class RunStore(AccountStore):
    """The cached runs of one account; `scope` is `RunQuery.key`: agent or project, and server-side filters, as text."""

    def cached_list(self, scope: str) -> CachedRuns | None:
        """The cached list of a scope, newest run first; None if the list is not cached."""
        return _cached_list(self._database.read, self._pair, scope)

    def cached_rows(self, scope: str) -> list[tuple[RunRow, float]]:
        """The latest cached row of each run in a scope's lists, filtered or not, and when the row was read."""
        rows = self._database.read(_CACHED_ROWS, *self._pair, scope, scope)
        return [(read_row(row["row"]), row["got_at"]) for row in rows]

    def save_rows(self, scope: str, count: int, rows: Sequence[RunRow], at: float, *, first: bool) -> None:
        """Cache a page of a list of `count` runs; if `first`, replace the list. Prune old rows and lists."""
        with self._database.write() as sql:
            if first:
                sql.execute("DELETE FROM run_rows WHERE origin = ? AND key_id = ? AND scope = ?", (*self._pair, scope))
            sql.execute("INSERT OR REPLACE INTO scopes_seen VALUES (?, ?, ?, ?, ?)", (*self._pair, scope, count, at))
            sql.executemany(_SAVE_ROW, [(*self._pair, scope, row.id, json.dumps(row), at) for row in rows])
            sql.execute(_PRUNE_ROWS, (*self._pair, scope, *self._pair, scope, MAX_ROWS))
            for filtered in (False, True):
                for old in sql.execute(_OLD_LISTS, (filtered, MAX_LISTS)).fetchall():
                    sql.execute(f"DELETE FROM run_rows {_LIST}", tuple(old))
                    sql.execute(f"DELETE FROM scopes_seen {_LIST}", tuple(old))

    def save_whole(self, rows: Sequence[RunRow], at: float) -> None:
        """Save the rows of runs read in full, and prune the oldest runs. Rows in cached lists are replaced, too."""
        written = [(json.dumps(row), row.id, row.outcome.settled) for row in rows]
        with self._database.write() as sql:
            sql.executemany(_CHANGE, [(row, at, *self._pair, *self._pair, number, row) for row, number, _ in written])
            ended = [(*self._pair, _WHOLE, number, row, at) for row, number, settled in written if settled]
            sql.executemany(_SAVE_ROW, ended)
            sql.execute(_PRUNE_WHOLE, (*self._pair, _WHOLE, *self._pair, _WHOLE, MAX_WHOLE_ROWS))

    def whole_rows(self, ids: Sequence[int]) -> dict[int, RunRow]:
        """The saved rows of runs read in full, by run id; runs that were not saved are missing."""
        rows = self._database.read(_WHOLE_ROWS, *self._pair, _WHOLE, json.dumps([*ids]))
        return {row.id: row for row in (read_row(saved["row"]) for saved in rows)}

    def opened(self, run_id: int) -> tuple[Run, float] | None:
        """A cached run and its fetch time (Unix); None if not cached. Without an API key, any key's latest copy."""
        rows = self._database.read(f"SELECT source, got_at {_OPENED}", *self._pair, run_id, self._account.any_key)
        if not rows:
            return None
        from cekura_tui.model.run.run import Run  # keeps pydantic out of the first frame

        return Run.read(json.loads(rows[0]["source"])), rows[0]["got_at"]

    def opened_at(self, run_id: int) -> float | None:
        """The Unix time when an opened run was last read from the server; None if the run is not cached."""
        rows = self._database.read(f"SELECT got_at {_OPENED}", *self._pair, run_id, self._account.any_key)
        return rows[0]["got_at"] if rows else None

    def save_opened(self, run: Run, at: float) -> int:
        """Cache a full run, unless it is too large, and prune the oldest ones; returns the run's size in bytes. Updates
        the run's rows in cached lists, and saves its findings if its outcome is settled."""
        from cekura_tui.model.run.groups import findings_of  # compiles patterns, too slow for the first frame
        from cekura_tui.model.run.verdict import read_verdicts  # compiles patterns, too

        source = json.dumps(run.sent or run.source, ensure_ascii=True)
        verdicts = read_verdicts(run)
        row = row_of(run, verdicts)
        findings = findings_of(verdicts, review_of(run, row)) if row.outcome.settled else None
        with self._database.write() as sql:
            written = json.dumps(row)
            if len(source) <= MAX_OPENED_RUN:
                values = (*self._pair, run.id, source, len(source), at, at, written)
                sql.execute("INSERT OR REPLACE INTO opened_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
                sql.execute(_PRUNE_OPENED, (MAX_OPENED, MAX_OPENED_BYTES))
            sql.execute(_CHANGE, (written, at, *self._pair, *self._pair, run.id, written))
            if findings is not None:
                save_findings(sql, self._pair, {run.id: findings}, at)
        return len(source)

    def opened_rows(self) -> list[tuple[RunRow, float]]:
        """The list row of each opened run, newest run first, with the Unix time when the run was read."""
        return [(_opened_row(kept), kept["got_at"]) for kept in self._database.read(_OPENED_ROWS, *self._pair)]


_LIST = "WHERE origin = ? AND key_id = ? AND scope = ?"
_HEAD = f"SELECT count, got_at FROM scopes_seen {_LIST}"
_ROWS = f"SELECT row FROM run_rows {_LIST} ORDER BY id DESC"
# The key of a filtered list continues with a space, which sorts before "!"; max() selects the newest row.
_CACHED_ROWS = """
SELECT row, max(got_at) AS got_at FROM run_rows
WHERE origin = ? AND key_id = ? AND scope >= ? AND scope < ? || '!' GROUP BY id ORDER BY id DESC"""
_SAVE_ROW = "INSERT OR REPLACE INTO run_rows VALUES (?, ?, ?, ?, ?, ?)"
_PRUNE_ROWS = f"DELETE FROM run_rows {_LIST} AND id NOT IN (SELECT id FROM run_rows {_LIST} ORDER BY id DESC LIMIT ?)"
_WHOLE = "whole"
"""The `scope` of rows of runs read in full. These rows belong to no list, so they are not in `scopes_seen`."""
_WHOLE_ROWS = f"SELECT row FROM run_rows {_LIST} AND id IN (SELECT value FROM json_each(?))"
_PRUNE_WHOLE = f"""
DELETE FROM run_rows {_LIST} AND id <= (SELECT id FROM run_rows {_LIST} ORDER BY id DESC LIMIT 1 OFFSET ?)"""
_CHANGE = """
UPDATE run_rows SET row = ?, got_at = ? WHERE origin = ? AND key_id = ?
AND scope IN (SELECT scope FROM scopes_seen WHERE origin = ? AND key_id = ?) AND id = ? AND row <> ?"""
_OLD_LISTS = """
SELECT origin, key_id, scope FROM scopes_seen WHERE (instr(scope, ' ') > 0) = ?
ORDER BY got_at DESC LIMIT -1 OFFSET ?"""
_OPENED = "FROM opened_runs WHERE origin = ?1 AND (key_id = ?2 OR ?4) AND id = ?3 ORDER BY got_at DESC LIMIT 1"
_OPENED_ROWS = """
SELECT row, CASE WHEN row IS NULL THEN source END AS source, got_at
FROM opened_runs WHERE origin = ? AND key_id = ? ORDER BY id DESC"""
_PRUNE_OPENED = """
DELETE FROM opened_runs WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, row_number() OVER newest AS n, sum(bytes) OVER newest AS total
        FROM opened_runs WINDOW newest AS (ORDER BY opened_at DESC, rowid DESC)
    ) WHERE n > 1 AND (n > ? OR total > ?)
)"""


class CachedStart(NamedTuple):
    """The cached contents of the first frame. `filter` is the scope's last filter. `seen` is the list with that filter
    if it is cached (`filtered`), else the scope's whole list, or None if neither is cached."""

    chosen: tuple[str, int, str] | None = None
    seen: CachedRuns | None = None
    jobs: tuple[Job, ...] = ()
    filter: str = ""
    filtered: bool = False
    notes: Mapping[int, str] = MappingProxyType({})
    columns: Mapping[str, str] = MappingProxyType({})


def read_cached_start(path: Path, origin: str, key: str, profile: str, scope: str | None) -> CachedStart:
    """Read the cached first frame of a scope, by default of the last one; empty if the database is unreadable."""
    nothing = CachedStart()
    sql = open_read_only(path)
    if sql is None:
        return nothing
    try:
        salt = sql.execute("SELECT value FROM meta WHERE name = 'salt'").fetchone()["value"]
        pair = (origin, key_id(key, salt))
        found = sql.execute("SELECT kind, id, name FROM chosen WHERE origin = ? AND key_id = ?", pair).fetchone()
        chosen = (found["kind"], found["id"], found["name"]) if found else None
        scope = scope or (f"{chosen[0]}_id={chosen[1]}" if chosen else "")
        left = sql.execute(LAST_FILTER, (*pair, scope)).fetchone()
        last_filter = left["filter"] if left else ""
        filtered = _cached_filtered_list(sql, pair, scope, last_filter.partition("\t")[0])
        jobs = sql.execute(SELECT_LISTED, (*pair, profile, False, MAX_LISTED, False)).fetchall()
        return CachedStart(
            chosen,
            filtered or _cached_list(_reader(sql), pair, scope),
            tuple(with_updates(_reader(sql), read_jobs(jobs, pair[1])[0])),
            last_filter,
            filtered is not None,
            {note["run_id"]: note["text"] for note in sql.execute(SELECT_NOTES, pair)},
            {row["filter"]: row["columns"] for row in sql.execute(RUN_COLUMNS, pair)},
        )
    except (sqlite3.Error, ValueError, TypeError, KeyError):
        return nothing  # a damaged file is salvaged when opened for writing a moment later
    finally:
        sql.close()


MAX_COMPLETED_RUNS = 2000
"""Maximum number of cached runs offered by shell completion: as many as can be read between two keystrokes."""


def read_completions(path: Path) -> tuple[list[tuple[int, str, str]], list[RunRow]]:
    """Candidates for shell completion, newest first: jobs (number, state, agent name) and cached runs; none if
    unreadable. All accounts are included, because finding the current account's API key may run a command."""
    sql = open_read_only(path)
    if sql is None:
        return [], []
    with contextlib.closing(sql):
        try:
            listed = "SELECT number, state, agent_name FROM jobs WHERE state != 'forgotten' ORDER BY number DESC"
            rows = sql.execute("SELECT row FROM run_rows GROUP BY id ORDER BY id DESC LIMIT ?", (MAX_COMPLETED_RUNS,))
            return [tuple(job) for job in sql.execute(listed)], [read_row(row["row"]) for row in rows]
        except (sqlite3.Error, ValueError, TypeError):
            return [], []


def _cached_filtered_list(sql: sqlite3.Connection, pair: tuple[str, str], scope: str, text: str) -> CachedRuns | None:
    """The cached list for a filter; None if the filter is empty or invalid, or the list is not cached."""
    if not text:
        return None
    from cekura_tui.model.filter.parse import parse  # most lists have no last filter
    from cekura_tui.model.run.query import list_key

    parsed = parse(text)
    return None if parsed.problems else _cached_list(_reader(sql), pair, list_key(scope, parsed.filter))


def _reader(sql: sqlite3.Connection) -> Callable[..., list[sqlite3.Row]]:
    return lambda text, *values: sql.execute(text, values).fetchall()


def _cached_list(read: Callable[..., list[sqlite3.Row]], pair: tuple[str, str], scope: str) -> CachedRuns | None:
    for head in read(_HEAD, *pair, scope):
        texts = [row["row"] for row in read(_ROWS, *pair, scope)]
        # Parse all at once, twice as fast. Damaged texts may still form a valid list, but of another length.
        rows = [_row(fields) for _, fields in zip(texts, json.loads(f"[{','.join(texts)}]"), strict=True)]
        return CachedRuns(head["count"], tuple(rows), head["got_at"])
    return None


def _opened_row(kept: sqlite3.Row) -> RunRow:
    if kept["row"] is not None:
        return read_row(kept["row"])
    from cekura_tui.model.run.run import Run  # keeps pydantic out of the first frame

    return row_of(Run.read(json.loads(kept["source"])))


_OUTCOME, _FAILING = RunRow._fields.index("outcome"), RunRow._fields.index("failing")
"""Indexes of two fields in a stored row, which is a `RunRow` as a JSON list."""


def read_row(text: str) -> RunRow:
    return _row(json.loads(text))


def _row(fields: list[Any]) -> RunRow:
    if len(fields) <= _OUTCOME:
        raise ValueError("a damaged row")
    kind, words = fields[_OUTCOME]
    # Earlier versions wrote the number of failed checks, or "reviewed", as the text.
    fields[_OUTCOME] = Outcome(kind, kind if kind in ("passed", "failed") else words)
    if len(fields) > _FAILING:  # early versions did not write this field
        fields[_FAILING] = tuple(fields[_FAILING])
    return RunRow(*fields)
