"""The process that launches a job, by host, pid and start, so that another window can tell whether it is alive."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ELSEWHERE_DEAD_AFTER = 600.0
"""Seconds after which a launch on another host counts as dead: a launch itself ends within about 70."""


def this_process() -> str:
    """The owner text of this process; each call makes another token."""
    pid = os.getpid()
    owner = {"host": socket.gethostname(), "pid": pid, "start": _start_of(pid), "token": secrets.token_hex(8)}
    return json.dumps(owner)


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: its host, pid and start; `here`: on this host."""

    host: str
    pid: int
    start: str

    @property
    def here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def runs(self) -> bool:
        """Whether it is a running process of this host."""
        return self.here and bool(self.start) and _start_of(self.pid) == self.start


def read_owner(text: str) -> Owner | None:
    """The process of an owner text, or None where it names none."""
    try:
        fields = json.loads(text)
        return Owner(str(fields["host"]), int(fields["pid"]), str(fields["start"]))
    except (ValueError, TypeError, KeyError):
        return None


def is_alive(text: str, launched_for: float) -> bool:
    """Whether the process that launched a job `launched_for` seconds ago may still receive its answer."""
    owner = read_owner(text)
    if owner is None or owner.here:
        return owner is not None and owner.runs
    # A launch in the future was recorded before its clock was corrected.
    return abs(launched_for) < ELSEWHERE_DEAD_AFTER


def _start_of(pid: int) -> str:
    """When a process began, in the system's format, or empty if it is gone; pids alone are reused."""
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
