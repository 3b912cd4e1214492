"""Why runs failed, as far as this machine was told; far smaller than the runs, so it is kept of many more."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import islice

from cekura_tui.model.findings import Finding
from cekura_tui.store.database import Database
from cekura_tui.store.jobs import Account

MAX_FINDINGS = 20_000
"""Runs whose findings are kept, of all accounts together."""
_AT_ONCE = 500
"""Ids in one query: some builds of SQLite take no more than 999 values."""


class FindingStore:
    """What was found of the runs of one account. Each method is one transaction and raises StoreError."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database = database
        self._pair = (account.origin, account.key_id)

    def known(self, ids: Sequence[int]) -> dict[int, tuple[Finding, ...]]:
        """What was found of those of these runs that are known; none is an empty tuple."""
        known: dict[int, tuple[Finding, ...]] = {}
        left = iter(dict.fromkeys(ids))
        while some := list(islice(left, _AT_ONCE)):
            among = f"{_KNOWN} AND run_id IN ({', '.join('?' * len(some))})"
            for row in self._database.read(among, *self._pair, *some):
                known[row["run_id"]] = tuple(Finding(*told) for told in json.loads(row["told"]))
        return known

    def keep(self, found: Mapping[int, tuple[Finding, ...]], at: float) -> None:
        """Keep what was found, in place of what was known before; what was got longest ago makes room."""
        with self._database.write() as sql:
            keep_findings(sql, self._pair, found, at)


def keep_findings(
    sql: sqlite3.Connection, pair: tuple[str, str], found: Mapping[int, tuple[Finding, ...]], at: float
) -> None:
    """The same within a transaction; `pair` is origin and key id."""
    told = {number: [(finding.verdict, finding.explanation) for finding in some] for number, some in found.items()}
    sql.executemany(
        "INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?)",
        [(*pair, number, json.dumps(some), at) for number, some in told.items()],
    )
    sql.execute(_PRUNE, (MAX_FINDINGS,))


_KNOWN = "SELECT run_id, told FROM findings WHERE origin = ? AND key_id = ?"
_PRUNE = """
DELETE FROM findings WHERE (origin, key_id, run_id) IN (
    SELECT origin, key_id, run_id FROM findings ORDER BY got_at DESC, run_id DESC LIMIT -1 OFFSET ?
)"""
