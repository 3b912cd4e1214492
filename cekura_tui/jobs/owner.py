"""Identify the process that launches a job, so that other processes can see whether that process is still alive."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass

from cekura_tui.jobs.supervisor import start_of

REMOTE_DEAD_AFTER = 600.0
"""Seconds after which a launch from another host counts as dead; a launch takes at most about 70 seconds."""


def this_process() -> str:
    """This process as JSON, for a job's `owner`; every call adds a new random token."""
    pid = os.getpid()
    owner = {"host": socket.gethostname(), "pid": pid, "start": start_of(pid), "token": secrets.token_hex(8)}
    return json.dumps(owner)


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that launches a job. `start` is its start time in the system's format, empty if unknown."""

    host: str
    pid: int
    start: str

    @property
    def is_local(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def is_running(self) -> bool:
        """Whether the process runs on this host. The start time is compared too, as pids are reused."""
        return self.is_local and bool(self.start) and start_of(self.pid) == self.start


def read_owner(text: str) -> Owner | None:
    """Parse a job's `owner`; None if it is not valid."""
    try:
        fields = json.loads(text)
        return Owner(str(fields["host"]), int(fields["pid"]), str(fields["start"]))
    except (ValueError, TypeError, KeyError):
        return None


def is_alive(text: str, launched_for: float) -> bool:
    """Whether the process that launched a job `launched_for` seconds ago may still receive the answer. `text` is the
    job's `owner`. A process on another host counts as alive for `REMOTE_DEAD_AFTER` seconds."""
    owner = read_owner(text)
    if owner is None or owner.is_local:
        return owner is not None and owner.is_running
    # Negative if a clock was corrected after the launch.
    return abs(launched_for) < REMOTE_DEAD_AFTER
