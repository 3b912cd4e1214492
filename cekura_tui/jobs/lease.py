"""One process at a time asks the server about an account's jobs; the others read what it found in the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cekura_tui.jobs import owner

if TYPE_CHECKING:
    from cekura_tui.store.leases import Held, LeaseStore

RENEWED = 4.0
"""Seconds between two signs of life."""
STILL = 10.0
"""Seconds without one after which the lease passes on, whatever became of its holder."""


class Lease:
    """This process's view of the lease. `now` is monotonic, in seconds: of other processes only the signs of life that
    came meanwhile count, never their clocks."""

    def __init__(self, store: LeaseStore, *, is_gone: Callable[[str], bool] = owner.is_gone) -> None:
        self._store, self._is_gone = store, is_gone
        self._me = owner.this_process()
        self._renewed: float | None = None
        self._other: Held | None = None
        self._other_since = 0.0
        self._heard: dict[int, float] = {}

    @property
    def held(self) -> bool:
        """Whether it was ours when we last looked."""
        return self._renewed is not None

    def heard(self, number: int, at: float) -> None:
        """A job's last answer came again at `at` (Unix time); this is written down with the next sign of life."""
        self._heard[number] = at

    def heard_last(self, number: int) -> float | None:
        """When a job's last answer came again, if that is still to be written down: before another answer of it."""
        return self._heard.pop(number, None)

    def keep(self, now: float) -> bool:
        """Whether this process may ask; renews or takes the lease as is due. Raises StoreError."""
        if self._renewed is not None and 0 <= now - self._renewed < RENEWED:
            return True
        heard, self._heard = self._heard, {}
        if self._renewed is not None:
            kept = self._store.renew(self._me, heard)
        else:
            other = self._store.read()
            kept = self._may_take(other, now) and self._store.take(self._me, other)
        self._renewed = now if kept else None
        return kept

    def _may_take(self, other: Held | None, now: float) -> bool:
        if other is None or other.holder == self._me:
            return True
        known = self._other is not None and self._other.holder == other.holder
        if other != self._other or now < self._other_since:
            self._other, self._other_since = other, now
        still = now - self._other_since
        # Asking the system about a process may cost a process: at first sight, and when no sign of life came.
        return still >= STILL or ((not known or still > RENEWED) and self._is_gone(other.holder))

    def give_up(self) -> None:
        """Pass it on at once. Raises StoreError."""
        if self._renewed is not None:
            self._renewed = None
            heard, self._heard = self._heard, {}
            self._store.give_up(self._me, heard)
