"""Run one command of the user in the background: `supervisor.py FOLDER/ready-TOKEN`. This process needs the standard
library alone, has no API key, and continues after the program that started it has ended."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

STATUS_BYTES = 4_096
"""Size of the status file, which is reserved before the start and rewritten in place, also on a full disk."""
MOST_OUTPUT, MOST_ERRORS = 1_000_000, 256_000
"""Bytes of standard output over which a command is killed, and bytes kept of the end of standard error."""
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL when a command is stopped."""
_SAVE_EVERY, _RETRIED_FOR = 0.2, 600.0
"""Seconds between two writes of the output while a command runs, and for which writing to a full disk is retried."""


def start_of(pid: int) -> str:
    """Start time of a process in the system's format, empty if the process does not run; distinguishes reused pids."""
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


def write_status(file: int, status: Mapping[str, object]) -> None:
    """Replace the content of an open status file. Raises OSError."""
    os.pwrite(file, json.dumps(status).encode().ljust(STATUS_BYTES), 0)
    os.fsync(file)


def send_to_group(group: int, number: int) -> None:
    with contextlib.suppress(OSError):  # all its processes have ended
        os.killpg(group, number)


class _Stream:
    """What a command writes to standard output or standard error; a file keeps the last `most` bytes."""

    def __init__(self, path: Path, most: int) -> None:
        self._data, self._most = bytearray(), most
        self.is_saved = True
        self._file = os.open(path, os.O_RDWR)

    @property
    def is_long(self) -> bool:
        return len(self._data) > self._most

    def add(self, piece: bytes) -> None:
        self._data += piece
        self.is_saved = False
        if len(self._data) > 2 * self._most:
            del self._data[: -self._most - 1]

    def save(self, *, sync: bool = False) -> None:
        """Write to the file. Raises OSError, for example if the disk is full."""
        kept = self._data[-self._most :]
        if not self.is_saved and os.pwrite(self._file, kept, 0) < len(kept):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.ftruncate(self._file, len(kept))
        if sync:
            os.fsync(self._file)
        self.is_saved = True


def supervise(ready: Path) -> None:
    """Run the command of a folder, unless it was started before or `ready` was deleted, which withdraws the start."""
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    stops = list[int]()
    signal.signal(signal.SIGTERM, lambda number, _: stops.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)  # the end of the command wakes up `select`
    folder, me = ready.parent, os.getpid()
    command = json.loads((folder / "command").read_bytes())
    minutes = float(command["minutes"])
    status = {"host": socket.gethostname(), "supervisor": (me, start_of(me)), "began": time.time(), "minutes": minutes}
    output, errors = _Stream(folder / "output", MOST_OUTPUT), _Stream(folder / "errors", MOST_ERRORS)
    file = os.open(ready, os.O_RDWR)
    write_status(file, status)
    try:
        os.link(ready, folder / "status")  # fails if another supervisor was first
    except (FileExistsError, FileNotFoundError):
        return
    except OSError:  # a file system without hard links
        os.rename(ready, folder / "status")
    ready.unlink(missing_ok=True)

    def record() -> None:
        """Record the new process before it becomes the command, so that it can be found if this process is killed."""
        own = os.getpid()
        write_status(file, {**status, "command": (own, start_of(own))})
        if os.getppid() != me:  # killed already, and perhaps reported as lost
            os._exit(1)

    try:
        with open(folder / "input", "rb") as text:
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                command["words"], stdin=text, stdout=pipe, stderr=pipe, start_new_session=True, preexec_fn=record
            )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        code, failure = None, f"could not be started: {getattr(error, 'strerror', None) or 'its name is not valid'}"
    else:
        code, failure = _wait(process, output, errors, woken, stops, minutes)
    give_up_at = time.monotonic() + _RETRIED_FOR
    while True:
        ended = {**status, "exit": code, "failure": failure, "ended": time.time()}
        try:
            output.save(sync=True)
            errors.save(sync=True)
            return write_status(file, ended)
        except OSError as error:
            why = f"can't be saved ({error.strerror})"
            if stops or time.monotonic() > give_up_at:
                return write_status(file, {**ended, "failure": failure or f"wrote an answer that {why}"})
            with contextlib.suppress(OSError):
                write_status(file, {**status, "trouble": f"The command has ended, but its answer {why}. Retrying."})
        time.sleep(0.5)


def _wait(
    process: subprocess.Popen[bytes], output: _Stream, errors: _Stream, woken: int, stops: list[int], minutes: float
) -> tuple[int, str]:
    """Save what the command writes until it ends or must be stopped; then end its whole group. Returns the exit status
    (negative after a signal) and why it was stopped, empty if it was not. A signal makes `woken` readable."""
    assert process.stdout
    assert process.stderr
    pipes = {process.stdout.fileno(): output, process.stderr.fileno(): errors}

    def read(within: float) -> bool:
        """Read what was written, after at most `within` seconds; returns whether there may be more to read."""
        found = select.select([woken, *pipes], [], [], within)[0]
        for pipe in found:
            piece = os.read(pipe, 1 << 16)
            if pipe in pipes and piece:
                pipes[pipe].add(piece)
            else:
                pipes.pop(pipe, None)
        return bool(found)

    ends_at, kill_at, save_at, failure = time.monotonic() + 60 * minutes, math.inf, 0.0, ""
    while process.poll() is None:
        now = time.monotonic()
        if not failure:
            late = f"did not end within {minutes:g} minutes" if now >= ends_at else ""
            failure = "was stopped" if stops else "wrote over 1 MB" if output.is_long else late
            if failure:
                send_to_group(process.pid, signal.SIGTERM)
                ends_at, kill_at = math.inf, now + GRACE
        if now >= kill_at:
            send_to_group(process.pid, signal.SIGKILL)
            kill_at = now + GRACE
        is_saved = output.is_saved and errors.is_saved
        if not is_saved and now >= save_at:
            save_at = now + _SAVE_EVERY
            with contextlib.suppress(OSError):  # retried after the end
                output.save()
                errors.save()
        read(min(60.0, max(0.0, min(ends_at, kill_at, math.inf if is_saved else save_at) - now)))
    send_to_group(process.pid, signal.SIGKILL)  # its children may keep the pipes open
    for _ in range(64):  # more than two pipes hold
        if not read(0.0):
            break
    return process.returncode, failure or ("wrote over 1 MB" if output.is_long else "")


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
