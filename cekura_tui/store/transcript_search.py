"""Search the transcripts of runs read in full. Triggers flag outdated transcripts, which the next search replaces."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.view import RunRow, row_of
from cekura_tui.model.text import clean
from cekura_tui.model.transcript.search import Hit, TranscriptQuery, folded, snippet_of, stem_of
from cekura_tui.model.transcript.transcript import Turn, read_transcript
from cekura_tui.store.database import AccountStore
from cekura_tui.store.runs import read_row

SLICE = 2**19
"""Number of characters of run JSON after which a step of adding opened runs ends."""
MAX_RUNS = 20_000
MAX_CHARACTERS = 64 * 2**20
"""Maximum number of transcripts, and of characters in them, besides the transcripts of opened runs."""
_AT_ONCE = 500
"""Number of runs searched in one step."""


class TranscriptSearchStore(AccountStore):
    """Searches the turns of one account's runs that were read in full."""

    def catch_up(self) -> bool:
        """Remove the transcripts of dropped runs and add some opened runs; return whether more are pending."""
        read = self._database.read
        if not (read(_DROPPED) or read(f"{_PENDING} LIMIT 1", *self._pair)):
            return False
        with self._database.write() as sql:
            with contextlib.suppress(sqlite3.Error):  # SQLite may lack FTS5
                sql.execute("DROP TABLE IF EXISTS said_index")  # made by earlier versions
            taken = 0
            for pending in sql.execute(_PENDING, self._pair).fetchall():
                taken += self._add_opened(sql, pending["id"])
                if taken >= SLICE:
                    break
            sql.execute(_FORGET_TURNS)
            sql.execute(_FORGET_RUNS)
        return bool(read(f"{_PENDING} LIMIT 1", *self._pair))

    def save(self, runs: Sequence[tuple[RunRow, tuple[Turn, ...]]]) -> None:
        """Add the transcripts of runs that were read in full, and drop the oldest transcripts beyond the limits."""
        with self._database.write() as sql:
            for row, turns in runs:
                sql.execute(_REPLACED, (*self._pair, row.id))
                self._add(sql, row.id, row, turns)
            sql.execute(_PRUNE, (MAX_RUNS, MAX_CHARACTERS))
            sql.execute(_FORGET_TURNS)
            sql.execute(_FORGET_RUNS)

    def rows(self) -> dict[int, RunRow]:
        """The list row of each run with a searchable transcript, by run id."""
        kept = self._database.read(f"SELECT run_id, row {_KEPT}", *self._pair)
        return {run["run_id"]: read_row(run["row"]) for run in kept}

    def searchable(self, run_ids: Collection[int], *, with_text: bool = False) -> set[int]:
        """The runs among `run_ids` whose transcripts can be searched; with `with_text`, without empty transcripts."""
        kept_runs = f"SELECT run_id {_KEPT} {_THESE} {'AND size' * with_text}"
        kept = self._database.read(kept_runs, *self._pair, json.dumps([*run_ids]))
        return {run["run_id"] for run in kept}

    def search(self, query: TranscriptQuery, run_ids: Collection[int]) -> Iterator[list[sqlite3.Row]]:
        """Find the turns with all words of a query (none without words), newest run first, in steps."""
        numbers = sorted(run_ids if query.words else (), reverse=True)
        where = _TURNS + " AND instr(t.folded, ?)" * len(query.words)  # not LIKE, where "%" and "_" are wildcards
        if query.speakers:
            where += f" AND t.speaker IN ({', '.join('?' * len(query.speakers))})"
        for first in range(0, len(numbers), _AT_ONCE):
            runs = json.dumps(numbers[first : first + _AT_ONCE])
            stems = map(stem_of, query.words)
            found = self._database.read(f"{where} {_NEWEST}", *self._pair, runs, *stems, *query.speakers)
            yield [turn for turn in found if query.matches(turn["folded"])]

    def _add_opened(self, sql: sqlite3.Connection, run_id: int) -> int:
        """Add an opened run's turns, none if the run is unreadable; return the length of the run's JSON."""
        from cekura_tui.model.run.run import Run  # keeps pydantic out of the first frame

        source = sql.execute(_SOURCE, (*self._pair, run_id)).fetchone()["source"]
        row: RunRow | None = None
        turns: tuple[Turn, ...] = ()
        with contextlib.suppress(ValueError, RecursionError, CekuraTuiError):
            run = Run.read(json.loads(source))
            row, turns = row_of(run), read_transcript(run).turns
        self._add(sql, run_id, row, turns)
        return len(source)

    def _add(self, sql: sqlite3.Connection, run_id: int, row: RunRow | None, turns: tuple[Turn, ...]) -> None:
        texts = [clean(_searched_text(turn)) for turn in turns]
        run = (*self._pair, run_id, json.dumps(row) if row else "", sum(map(len, texts)))
        number = sql.execute(_NEW_RUN, run).lastrowid
        said = [
            (number, turn.n, turn.speaker, turn.start, text, folded(text))
            for turn, text in zip(turns, texts, strict=True)
        ]
        sql.executemany(_NEW_TURN, said)


def hit_of(turn: sqlite3.Row, query: TranscriptQuery) -> Hit:
    """The hit that a turn found by a search is."""
    snippet, matches = snippet_of(turn["text"], query.words)
    return Hit(read_row(turn["row"]), turn["n"], turn["speaker"], turn["start"], turn["text"], snippet, matches)


def _searched_text(turn: Turn) -> str:
    """A turn's text, then name, arguments and result of its tool call, except what the text contains already."""
    tool = turn.tool or {}
    texts = [turn.text]
    for name in ("name", "arguments", "result"):
        value = tool.get(name)
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
        if text and text not in turn.text:
            texts.append(text)
    return " ".join(filter(None, texts))


_KEPT = "FROM said_runs WHERE origin = ? AND key_id = ? AND kept AND row <> ''"
_THESE = "AND run_id IN (SELECT value FROM json_each(?))"
_PENDING = """
SELECT o.id FROM opened_runs o WHERE o.origin = ? AND o.key_id = ? AND NOT EXISTS (
    SELECT 1 FROM said_runs r WHERE r.origin = o.origin AND r.key_id = o.key_id AND r.run_id = o.id AND r.kept
)"""
_DROPPED = "SELECT 1 FROM said_runs WHERE NOT kept LIMIT 1"
_FORGET_TURNS = "DELETE FROM said_turns WHERE run IN (SELECT id FROM said_runs WHERE NOT kept)"
_FORGET_RUNS = "DELETE FROM said_runs WHERE NOT kept"
_REPLACED = "UPDATE said_runs SET kept = 0 WHERE origin = ? AND key_id = ? AND run_id = ? AND kept"
_PRUNE = """
UPDATE said_runs SET kept = 0 WHERE id IN (
    SELECT id FROM (
        SELECT r.id, row_number() OVER newest AS n, sum(r.size) OVER newest AS total
        FROM said_runs r LEFT JOIN opened_runs o ON o.origin = r.origin AND o.key_id = r.key_id AND o.id = r.run_id
        WHERE r.kept AND o.id IS NULL WINDOW newest AS (ORDER BY r.run_id DESC)
    ) WHERE n > ? OR total > ?
)"""
_SOURCE = "SELECT source FROM opened_runs WHERE origin = ? AND key_id = ? AND id = ?"
_NEW_RUN = "INSERT INTO said_runs (origin, key_id, run_id, row, size) VALUES (?, ?, ?, ?, ?)"
_NEW_TURN = "INSERT INTO said_turns (run, n, speaker, start, text, folded) VALUES (?, ?, ?, ?, ?, ?)"
_TURNS = """
SELECT r.run_id, r.row, t.n, t.speaker, t.start, t.text, t.folded FROM said_runs r JOIN said_turns t ON t.run = r.id
WHERE r.origin = ? AND r.key_id = ? AND r.run_id IN (SELECT value FROM json_each(?)) AND r.kept"""
_NEWEST = "ORDER BY r.run_id DESC, t.n"
