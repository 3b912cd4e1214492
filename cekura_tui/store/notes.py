"""What somebody wrote about runs: kept on this machine alone, never sent, never dropped."""

from __future__ import annotations

from cekura_tui.store.database import Database
from cekura_tui.store.jobs import Account


class NoteStore:
    """The notes of one account. Each method is one transaction and raises StoreError."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database = database
        self._pair = (account.origin, account.key_id)

    def all(self) -> dict[int, str]:
        """Every note, by the id of its run."""
        return {row["run_id"]: row["text"] for row in self._database.read(NOTES, *self._pair)}

    def put(self, run_id: int, text: str, at: float) -> None:
        """Write the note of a run; an empty one removes it."""
        with self._database.write() as sql:
            if text:
                sql.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?)", (*self._pair, run_id, text, at))
            else:
                sql.execute("DELETE FROM notes WHERE origin = ? AND key_id = ? AND run_id = ?", (*self._pair, run_id))


NOTES = "SELECT run_id, text FROM notes WHERE origin = ? AND key_id = ?"
