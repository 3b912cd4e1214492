"""Which process does what: who launches a job, and which one of them polls the jobs of an account.

A process is known by host, pid and start, so that another window can tell whether it still lives. One at a time polls;
the others read what it found in the store.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cekura_tui.store.leases import LeaseHolder, LeaseStore


ELSEWHERE_DEAD_AFTER = 600.0
"""Seconds after which a launch on another host counts as dead: a launch itself ends within about 70."""


def this_process() -> str:
    """The owner text of this process; each call makes another token."""
    pid = os.getpid()
    owner = {"host": socket.gethostname(), "pid": pid, "start": _start_of(pid), "token": secrets.token_hex(8)}
    return json.dumps(owner)


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: its host, pid and start; `here` tells whether that is this host."""

    host: str
    pid: int
    start: str

    @property
    def here(self) -> bool:
        """Whether it is, or was, a process of this host."""
        return self.host == socket.gethostname()

    @property
    def runs(self) -> bool:
        """Whether it is a process of this host that has not ended."""
        return self.here and bool(self.start) and _start_of(self.pid) == self.start


def read_owner(text: str) -> Owner | None:
    """The process of an owner text, or None where it names none."""
    try:
        fields = json.loads(text)
        return Owner(str(fields["host"]), int(fields["pid"]), str(fields["start"]))
    except (ValueError, TypeError, KeyError):
        return None


def is_alive(text: str, launched_for: float) -> bool:
    """Whether the process that launched, `launched_for` seconds ago, may still get its answer."""
    owner = read_owner(text)
    if owner is None or owner.here:
        return owner is not None and owner.runs
    # A launch that lies in the future was told by a clock that has been put right since.
    return abs(launched_for) < ELSEWHERE_DEAD_AFTER


def is_gone(text: str) -> bool:
    """Whether a process has certainly ended; of other hosts nobody can say."""
    owner = read_owner(text)
    return owner is None or (owner.here and bool(owner.start) and not owner.runs)


def _start_of(pid: int) -> str:
    """When a process began, in the system's own words, or empty where it is gone; pids alone are used again."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (OSError, IndexError):
            return ""
        return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    try:
        asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return asked.stdout.strip()


RENEW_EVERY = 4.0
"""Seconds between two signs of life."""
EXPIRES_AFTER = 10.0
"""Seconds without one after which the lease passes on, whatever became of its holder."""


class Lease:
    """This process's view of the lease. `now` is monotonic, in seconds: of other processes only the signs of life that
    came meanwhile count, never their clocks."""

    def __init__(self, store: LeaseStore, *, is_gone: Callable[[str], bool] = is_gone) -> None:
        self._store, self._is_gone = store, is_gone
        self._me = this_process()
        self._renewed: float | None = None
        self._other: LeaseHolder | None = None
        self._other_since = 0.0
        self._repeated_answers: dict[int, float] = {}

    def record_repeated_answer(self, number: int, at: float) -> None:
        """A job's last answer came again at `at` (Unix time); this is written down with the next sign of life."""
        self._repeated_answers[number] = at

    def take_repeated_answer(self, number: int) -> float | None:
        """When a job's last answer came again, if that is still to be written down: before another answer of it."""
        return self._repeated_answers.pop(number, None)

    def keep(self, now: float) -> bool:
        """Whether this process may ask; renews or takes the lease as is due. Raises StoreError."""
        if self._renewed is not None and 0 <= now - self._renewed < RENEW_EVERY:
            return True
        repeated, self._repeated_answers = self._repeated_answers, {}
        if self._renewed is not None:
            renewed = self._store.renew(self._me, repeated)
        else:
            other = self._store.read()
            renewed = self._may_take(other, now) and self._store.take(self._me, other)
        self._renewed = now if renewed else None
        return renewed

    def _may_take(self, other: LeaseHolder | None, now: float) -> bool:
        if other is None or other.holder == self._me:
            return True
        known = self._other is not None and self._other.holder == other.holder
        if other != self._other or now < self._other_since:
            self._other, self._other_since = other, now
        still = now - self._other_since
        # Asking the system about a process may cost a process: at first sight, and when no sign of life came.
        return still >= EXPIRES_AFTER or ((not known or still > RENEW_EVERY) and self._is_gone(other.holder))

    @property
    def held(self) -> bool:
        """Whether this process was the one to ask when it last looked."""
        return self._renewed is not None

    def give_up(self) -> None:
        """Pass it on at once. Raises StoreError."""
        if self._renewed is not None:
            self._renewed = None
            repeated, self._repeated_answers = self._repeated_answers, {}
            self._store.give_up(self._me, repeated)
