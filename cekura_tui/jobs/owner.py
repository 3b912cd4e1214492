"""Who is launching a job: this host, process and start, so that another window can tell whether it still lives."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

ELSEWHERE_DEAD_AFTER = 600.0
"""Seconds after which a launch on another host counts as dead: a launch itself ends within about 70."""


def this_process() -> str:
    """The owner text of this process; each call makes another token."""
    pid = os.getpid()
    owner = {"host": socket.gethostname(), "pid": pid, "start": _start_of(pid), "token": secrets.token_hex(8)}
    return json.dumps(owner)


def is_alive(owner: str, launched_for: float) -> bool:
    """Whether the process that launched, `launched_for` seconds ago, may still get its answer."""
    try:
        told = json.loads(owner)
        host, pid, start = told["host"], int(told["pid"]), told["start"]
    except (ValueError, TypeError, KeyError):
        return False
    if host != socket.gethostname():
        return launched_for < ELSEWHERE_DEAD_AFTER
    return bool(start) and _start_of(pid) == start


def _start_of(pid: int) -> str:
    """When a process began, in the system's own words, or empty where it is gone; pids alone are used again."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (OSError, IndexError):
            return ""
        return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    try:
        asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return asked.stdout.strip()
