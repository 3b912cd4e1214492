"""The local database opened for one account: jobs, prompts, runs, notes, filters and the last chosen scope."""

from __future__ import annotations

from pathlib import Path

from cekura_tui.store.database import Account, Database, key_id
from cekura_tui.store.jobs import JobStore
from cekura_tui.store.prompt_uses import PromptUseStore
from cekura_tui.store.runs import FindingStore, NoteStore, RunStore
from cekura_tui.store.stagings import StagingStore
from cekura_tui.store.transcript_search import TranscriptSearchStore
from cekura_tui.store.views import ViewStore


class Store:
    """All local data of one account; if `key` is None, of the key used last, but with the jobs of every key."""

    def __init__(self, path: Path, origin: str, key: str | None, profile: str) -> None:
        self.database = Database(path)
        if key is None:
            rows = self.database.read(_USED_LAST, origin)
            self.account = Account(origin, str(rows[0]["key_id"]) if rows else "", profile, any_key=True)
        else:
            (salt,) = self.database.read("SELECT value FROM meta WHERE name = 'salt'")[0]
            self.account = Account(origin, key_id(key, salt), profile)
        self._pair = (self.account.origin, self.account.key_id)
        self.jobs = JobStore(self.database, self.account)
        self.stagings = StagingStore(self.database, self.account)
        self.prompt_uses = PromptUseStore(self.database, self.account)
        self.runs = RunStore(self.database, self.account)
        self.transcript_search = TranscriptSearchStore(self.database, self.account)
        self.findings = FindingStore(self.database, self.account)
        self.notes = NoteStore(self.database, self.account)
        self.views = ViewStore(self.database, self.account)

    def close(self) -> None:
        self.database.close()

    def chosen(self) -> tuple[str, int, str] | None:
        """The scope chosen last: kind ("project" or "agent"), id and name; None if no scope was ever chosen."""
        rows = self.database.read("SELECT kind, id, name FROM chosen WHERE origin = ? AND key_id = ?", *self._pair)
        return (rows[0]["kind"], rows[0]["id"], rows[0]["name"]) if rows else None

    def choose(self, kind: str, number: int, name: str) -> None:
        with self.database.write() as sql:
            sql.execute("INSERT OR REPLACE INTO chosen VALUES (?, ?, ?, ?, ?)", (*self._pair, kind, number, name))

    def last_visit(self) -> float | None:
        """The Unix time when the user last had the jobs on screen; None if never."""
        rows = self.database.read("SELECT at FROM looked WHERE origin = ? AND key_id = ?", *self._pair)
        return float(rows[0]["at"]) if rows else None

    def note_visit(self, at: float) -> None:
        with self.database.write() as sql:
            sql.execute("INSERT OR REPLACE INTO looked VALUES (?, ?, ?)", (*self._pair, at))


_USED_LAST = """
SELECT key_id FROM (
    SELECT key_id, got_at AS at FROM scopes_seen WHERE origin = ?1
    UNION ALL SELECT key_id, got_at FROM opened_runs WHERE origin = ?1
    UNION ALL SELECT key_id, coalesce(launched_at, created_at) FROM jobs WHERE origin = ?1
) ORDER BY at DESC LIMIT 1"""
