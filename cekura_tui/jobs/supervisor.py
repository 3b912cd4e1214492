"""Run one command of the user in the background: `supervisor.py STATUS_FD RUN_FILE MINUTES WORD...`. This process needs
no library, has no API key, and continues after the program that started it has ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STATUS_BYTES = 4_096
"""Size of the status file, which is reserved before the start and rewritten in place, also on a full disk."""
MOST_OUTPUT, MOST_ERRORS = 1_000_000, 10_000_000
"""Bytes of standard output and of standard error over which a command is stopped."""
STOPPED = "was stopped"
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL when a command is stopped."""


def start_of(pid: int) -> str:
    """Start time of a process in the system's format, empty if the process does not run; distinguishes reused pids."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except (OSError, IndexError):
            return ""
        return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def write_status(file: int, status: Mapping[str, object]) -> None:
    """Replace the content of an open status file. Raises OSError."""
    os.pwrite(file, json.dumps(status).encode().ljust(STATUS_BYTES), 0)
    os.fsync(file)


def supervise(file: int, run: Path, minutes: float, words: Sequence[str]) -> None:
    """Run a command with the standard streams of this process, until the command ends or the file `run` is deleted. The
    inherited status `file` is locked as long as this process is alive."""
    began = time.monotonic()
    try:
        process = subprocess.Popen(words, start_new_session=True)
    except OSError as error:
        end: dict[str, object] = {"failure": f"could not be started: {error.strerror}"}
    else:
        write_status(file, {"command": (process.pid, start_of(process.pid))})
        end = {"failure": _wait(process, run, minutes), "exit": process.returncode}
    write_status(file, {**end, "ended": time.time(), "seconds": time.monotonic() - began})


def _wait(process: subprocess.Popen[bytes], run: Path, minutes: float) -> str:
    """Wait until a command ends or must be stopped, then end its whole process group. Return why the command failed."""
    failure, has_ended, ends_at = "", False, time.monotonic() + 60 * minutes
    while not (failure or has_ended):
        time.sleep(0.05)
        has_ended = process.poll() is not None
        if not run.exists():
            failure = STOPPED
        elif time.monotonic() >= ends_at:
            failure = f"did not end within {minutes:g} min"
        elif os.fstat(1).st_size > MOST_OUTPUT:
            failure = "wrote over 1 MB"
        elif os.fstat(2).st_size > MOST_ERRORS:
            failure = "wrote over 10 MB to standard error"
    if failure:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(GRACE)
    with contextlib.suppress(OSError):  # the group has ended
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    os.ftruncate(1, min(os.fstat(1).st_size, MOST_OUTPUT))
    try:
        os.fsync(1)
        run.write_bytes(bytes(8_192))  # fails on a full disk
    except OSError as error:
        failure = failure or f"ended, but its answer may be incomplete: {error.strerror}"
    if code and not failure:
        failure = f"ended with exit status {code}" if code > 0 else f"was ended by signal {-code}"
    return failure


if __name__ == "__main__":
    supervise(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
