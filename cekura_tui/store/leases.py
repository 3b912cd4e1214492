"""Which process asks the server about the jobs of an account, so that two windows do not both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cekura_tui.store.database import Database
from cekura_tui.store.jobs import Account, JobRows


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who holds the lease, and a number that grows while it lives."""

    holder: str
    beat: int


class LeaseStore:
    """The lease of one account. Each method is one transaction; `holder` is the text of `lease.this_process`."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database, self._account = database, account
        self._pair = (account.origin, account.key_id)

    def read(self) -> LeaseHolder | None:
        """Who holds it now."""
        rows = self._database.read("SELECT * FROM leases WHERE origin = ? AND key_id = ?", *self._pair)
        return LeaseHolder(rows[0]["holder"], rows[0]["beat"]) if rows else None

    def take(self, holder: str, instead_of: LeaseHolder | None) -> bool:
        """Take it, if it is still as it was read; returns whether it is ours."""
        with self._database.write() as sql:
            if instead_of is None:
                # Any number: who saw an earlier lease of this holder must not take this one for it, standing still.
                taken = sql.execute(f"INSERT OR IGNORE INTO leases VALUES (?, ?, ?, {_ANY})", (*self._pair, holder))
            else:
                mine = "UPDATE leases SET holder = ?, beat = beat + 1"
                was = (instead_of.holder, instead_of.beat)
                taken = sql.execute(f"{mine} {_ITS} AND holder = ? AND beat = ?", (holder, *self._pair, *was))
            return taken.rowcount == 1

    def renew(self, holder: str, repeated_answers: Mapping[int, float]) -> bool:
        """Show that the holder lives; returns whether it is ours still.

        `repeated_answers` tells which jobs' last answers came again meanwhile, and when: it is written down with it.
        """
        with self._database.write() as sql:
            rows = JobRows(sql, self._account.key_id)
            for number, at in repeated_answers.items():
                rows.record_repeated_answer(number, at)
            beaten = sql.execute(f"UPDATE leases SET beat = beat + 1 {_ITS} AND holder = ?", (*self._pair, holder))
            return beaten.rowcount == 1

    def give_up(self, holder: str, repeated_answers: Mapping[int, float]) -> None:
        """Let others take it at once."""
        if self.renew(holder, repeated_answers):
            with self._database.write() as sql:
                sql.execute(f"DELETE FROM leases {_ITS} AND holder = ?", (*self._pair, holder))


_ITS = "WHERE origin = ? AND key_id = ?"
_ANY = "abs(random() % 1000000000)"
