"""Search the transcripts of opened runs with an FTS5 index or, if SQLite lacks FTS5, turn by turn. Triggers flag the
transcripts of reloaded and dropped runs; the next search removes them and adds new transcripts."""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
from collections.abc import Iterator

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.view import row_of
from cekura_tui.model.text import clean, clean_line
from cekura_tui.model.transcript.search import MOST_HITS, Hit, TranscriptHits, TranscriptQuery, folded, snippet_of
from cekura_tui.model.transcript.transcript import Turn, read_transcript
from cekura_tui.store.database import Database
from cekura_tui.store.jobs import Account

SLICE = 2**19
"""Number of characters of run JSON after which a step of indexing ends."""
_GRAM = 3


@functools.cache
def can_index() -> bool:
    """Whether SQLite has FTS5 with the trigram tokenizer (since SQLite 3.34). Trigrams also find words in languages
    that are written without spaces."""
    with contextlib.closing(sqlite3.connect(":memory:")) as sql:
        try:
            sql.execute(_INDEX)
        except sqlite3.Error:
            return False
    return True


class TranscriptSearchStore:
    """Searches the turns of one account's opened runs, with FTS5 if `index`; by default, if SQLite has FTS5."""

    def __init__(self, database: Database, account: Account, *, index: bool | None = None) -> None:
        self._database = database
        self._pair = (account.origin, account.key_id)
        self._index = can_index() if index is None else index

    def catch_up(self) -> bool:
        """Do one step of indexing: add some opened runs, or remove one dropped run; return whether more are pending."""
        if not self._has_pending():
            return False
        with self._database.write() as sql:
            if self._index:
                sql.execute(_INDEX)
            if dropped := sql.execute(_DROPPED, (self._index,)).fetchone():
                _remove_run(sql, *dropped)
            elif self._index and (unindexed := sql.execute(_UNINDEXED, self._pair).fetchone()):
                _index_run(sql, unindexed["id"])
            else:
                taken = 0
                for pending in sql.execute(_PENDING, self._pair).fetchall():
                    taken += self._add_run(sql, pending["id"])
                    if taken >= SLICE:
                        break
        return self._has_pending()

    def search(self, query: TranscriptQuery) -> TranscriptHits:
        """Find the turns that contain all words of a query, newest run first. Turns beyond MOST_HITS are only counted.
        A query without words finds no turns."""
        covered = int(self._database.read(_COVERED, *self._pair)[0][0])
        where, values, by_index = self._where(query)
        if not query.words:
            return TranscriptHits(covered, (), 0, self._index)
        runs = self._database.read(f"SELECT r.id, r.run_id, count(*) AS hits {where} {_BY_RUN}", *values)
        shown, hits = 0, []
        for run in runs:
            if shown >= MOST_HITS:
                break
            of_run = f"SELECT {_HIT_COLUMNS} {where} AND r.id = ? ORDER BY t.n LIMIT ?"
            found = self._database.read(of_run, *values, run["id"], MOST_HITS - shown)
            shown += len(found)
            for turn in found:
                snippet, matches = snippet_of(turn["text"], query.words)
                place = run["run_id"], turn["n"], turn["speaker"], turn["start"]
                hits.append(Hit(*place, snippet, matches, turn["scenario"], turn["at"]))
        return TranscriptHits(covered, tuple(hits), sum(run["hits"] for run in runs), by_index, len(runs))

    def _has_pending(self) -> bool:
        read = self._database.read
        return bool(
            read(_PENDING + " LIMIT 1", *self._pair)
            or read(_DROPPED, self._index)
            or (self._index and read(_UNINDEXED, *self._pair))
        )

    def _add_run(self, sql: sqlite3.Connection, run_id: int) -> int:
        """Add and index a run's turns, none if the run is unreadable; return the length of the run's JSON."""
        from cekura_tui.model.run.run import Run  # keeps pydantic out of the first frame

        source = sql.execute(_SOURCE, (*self._pair, run_id)).fetchone()["source"]
        scenario, at = "", None
        turns: tuple[Turn, ...] = ()
        with contextlib.suppress(ValueError, RecursionError, CekuraTuiError):
            run = Run.read(json.loads(source))
            row, turns = row_of(run), read_transcript(run).turns
            scenario, at = clean_line(row.scenario), row.at
        number = sql.execute(_NEW_RUN, (*self._pair, run_id, scenario, at)).lastrowid
        sql.executemany(_NEW_TURN, _rows(number, turns))
        if self._index and number is not None:
            _index_run(sql, number)
        return len(source)

    def _where(self, query: TranscriptQuery) -> tuple[str, list[object], bool]:
        """The SQL clause that selects a query's turns, the clause's values, and whether the clause uses the index."""
        where, values = _TURNS, list[object](self._pair)
        if query.speakers:
            where += f" AND t.speaker IN ({', '.join('?' * len(query.speakers))})"
            values += query.speakers
        grams = _grams(query) if self._index else []
        # The table is created when the first run is indexed.
        by_index = bool(grams) and bool(self._database.read("SELECT 1 FROM sqlite_schema WHERE name = 'said_index'"))
        if by_index:
            where += " AND r.id IN (SELECT rowid FROM said_index WHERE said_index MATCH ?)"
            values.append(" AND ".join(grams))
        for word in query.words:
            # Not LIKE, where "%" and "_" are wildcards.
            where += " AND instr(t.folded, ?)"
            values.append(word)
        return where, values, by_index


def _index_run(sql: sqlite3.Connection, number: int) -> None:
    sql.execute("INSERT INTO said_index (rowid, folded) VALUES (?, ?)", (number, _folded_text(sql, number)))
    sql.execute("UPDATE said_runs SET indexed = 1 WHERE id = ?", (number,))


def _remove_run(sql: sqlite3.Connection, number: int, indexed: bool) -> None:
    if indexed:
        # A contentless index needs the original text for a deletion.
        forget = "INSERT INTO said_index (said_index, rowid, folded) VALUES ('delete', ?, ?)"
        sql.execute(forget, (number, _folded_text(sql, number)))
    sql.execute("DELETE FROM said_turns WHERE run = ?", (number,))
    sql.execute("DELETE FROM said_runs WHERE id = ?", (number,))


def _folded_text(sql: sqlite3.Connection, number: int) -> str:
    turns = sql.execute("SELECT folded FROM said_turns WHERE run = ? ORDER BY n", (number,))
    return "\n".join(turn["folded"] for turn in turns)


def _grams(query: TranscriptQuery) -> list[str]:
    """The first 40 trigrams of a query's words, quoted because FTS5 would parse operators in the trigrams."""
    grams = {word[n : n + _GRAM]: None for word in query.words for n in range(len(word) - _GRAM + 1)}
    return ['"' + gram.replace('"', '""') + '"' for gram in list(grams)[:40]]  # enough, as turns are compared as well


def _rows(number: int | None, turns: tuple[Turn, ...]) -> Iterator[tuple[object, ...]]:
    for turn in turns:
        text = clean(_searched_text(turn))
        yield number, turn.n, turn.speaker, turn.start, text, folded(text)


def _searched_text(turn: Turn) -> str:
    """A turn's text, followed by the name, the arguments and the result of the turn's tool call. A part that the turn's
    text contains already is left out."""
    tool = turn.tool or {}
    texts = [turn.text]
    for name in ("name", "arguments", "result"):
        value = tool.get(name)
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
        if text and text not in turn.text:
            texts.append(text)
    return " ".join(filter(None, texts))


# Finds runs that may contain the words; their turns are then compared. An index by turn would be many times larger.
_INDEX = """
CREATE VIRTUAL TABLE IF NOT EXISTS said_index USING fts5(
    folded, content = '', tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
)"""
_PENDING = """
SELECT o.id FROM opened_runs o WHERE o.origin = ? AND o.key_id = ? AND NOT EXISTS (
    SELECT 1 FROM said_runs r WHERE r.origin = o.origin AND r.key_id = o.key_id AND r.run_id = o.id AND r.kept
)"""
# A process without FTS5 leaves indexed runs to one that has it.
_DROPPED = "SELECT id, indexed FROM said_runs WHERE NOT kept AND indexed <= ? LIMIT 1"
_UNINDEXED = "SELECT id FROM said_runs WHERE origin = ? AND key_id = ? AND kept AND NOT indexed LIMIT 1"
_SOURCE = "SELECT source FROM opened_runs WHERE origin = ? AND key_id = ? AND id = ?"
_NEW_RUN = "INSERT INTO said_runs (origin, key_id, run_id, scenario, at) VALUES (?, ?, ?, ?, ?)"
_NEW_TURN = "INSERT INTO said_turns (run, n, speaker, start, text, folded) VALUES (?, ?, ?, ?, ?, ?)"
_COVERED = "SELECT count(*) FROM said_runs WHERE origin = ? AND key_id = ? AND kept"
_TURNS = "FROM said_runs r JOIN said_turns t ON t.run = r.id WHERE r.origin = ? AND r.key_id = ? AND r.kept"
_HIT_COLUMNS = "t.n, t.speaker, t.start, t.text, r.scenario, r.at"
_BY_RUN = "GROUP BY r.id ORDER BY r.run_id DESC"
