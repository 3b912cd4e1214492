"""Saved views, used filters, the last filter of each list, and the columns of each filter."""

from __future__ import annotations

from cekura_tui.model.filter.filter import SavedView
from cekura_tui.store.database import AccountStore

MAX_USED = 200
MAX_LAST_FILTERS = 200


class ViewStore(AccountStore):
    """One account's saved views, filters and columns; each method is one transaction and may raise StoreError."""

    def views(self) -> list[SavedView]:
        rows = self._database.read(f"SELECT name, filter FROM views {_OURS}", *self._pair)
        return sorted((SavedView(row["name"], row["filter"]) for row in rows), key=lambda view: view.name.casefold())

    def save(self, name: str, text: str, at: float) -> None:
        with self._database.write() as sql:
            sql.execute("INSERT OR REPLACE INTO views VALUES (?, ?, ?, ?, ?)", (*self._pair, name, text, at))

    def forget(self, name: str) -> None:
        with self._database.write() as sql:
            sql.execute(f"DELETE FROM views {_OURS} AND name = ?", (*self._pair, name))

    def used(self, limit: int = MAX_USED) -> list[str]:
        """Used filters without duplicates, last used first, at most `limit`."""
        newest = f"SELECT filter FROM filters_used {_OURS} ORDER BY at DESC LIMIT ?"
        return [row["filter"] for row in self._database.read(newest, *self._pair, limit)]

    def use(self, text: str, at: float) -> None:
        """Record a filter as used at `at` (Unix time). The least recently used filters are pruned."""
        with self._database.write() as sql:
            sql.execute("INSERT OR REPLACE INTO filters_used VALUES (?, ?, ?, ?)", (*self._pair, text, at))
            sql.execute(_PRUNE_USED, (*self._pair, *self._pair, MAX_USED))

    def last_filter(self, scope: str) -> str:
        rows = self._database.read(LAST_FILTER, *self._pair, scope)
        return str(rows[0]["filter"]) if rows else ""

    def save_last_filter(self, scope: str, text: str) -> None:
        with self._database.write() as sql:
            # Insert instead of update: rows are pruned in the order of use.
            sql.execute(f"DELETE FROM filters_left {_OURS} AND scope = ?", (*self._pair, scope))
            if text:
                sql.execute("INSERT INTO filters_left VALUES (?, ?, ?, ?)", (*self._pair, scope, text))
                sql.execute(_PRUNE_LAST_FILTERS, (*self._pair, MAX_LAST_FILTERS))

    def columns(self) -> dict[str, str]:
        """The saved columns of the run list by filter. The entry '' applies to filters without an entry."""
        return {row["filter"]: row["columns"] for row in self._database.read(RUN_COLUMNS, *self._pair)}

    def save_columns(self, text: str, columns: str) -> None:
        """Save the columns for the filter `text`; if `columns` is empty, delete the saved columns."""
        with self._database.write() as sql:
            if columns:
                sql.execute("INSERT OR REPLACE INTO run_columns VALUES (?, ?, ?, ?)", (*self._pair, text, columns))
            else:
                sql.execute(f"DELETE FROM run_columns {_OURS} AND filter = ?", (*self._pair, text))


_OURS = "WHERE origin = ? AND key_id = ?"
RUN_COLUMNS = f"SELECT filter, columns FROM run_columns {_OURS}"
LAST_FILTER = f"SELECT filter FROM filters_left {_OURS} AND scope = ?"
_PRUNE_USED = f"""
DELETE FROM filters_used {_OURS}
AND filter IN (SELECT filter FROM filters_used {_OURS} ORDER BY at DESC LIMIT -1 OFFSET ?)"""
_PRUNE_LAST_FILTERS = f"""
DELETE FROM filters_left
WHERE rowid IN (SELECT rowid FROM filters_left {_OURS} ORDER BY rowid DESC LIMIT -1 OFFSET ?)"""
