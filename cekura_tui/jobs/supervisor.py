"""Run one command of the user in the background: `supervisor.py FOLDER/ready-TOKEN`. This process needs the standard
library alone, has no API key, and continues after the program that started it has ended."""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

STATUS_BYTES = 4_096
"""Size of the status file, which is reserved before the start and rewritten in place, also on a full disk."""
MOST_OUTPUT, MOST_ERRORS = 1_000_000, 256_000
"""Bytes of standard output over which a command is killed, and bytes kept of the end of standard error."""
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL when a command is stopped."""
_SAVE_EVERY, _TRIES = 0.2, 1_200
"""Seconds between two writes of the output while a command runs, and tries to write to a full disk, two a second."""


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


def supervise(ready: Path) -> None:
    """Run the command of a folder, unless it was started before or `ready` was deleted, which withdraws the start."""
    folder, me, pipe = ready.parent, os.getpid(), subprocess.PIPE
    command = json.loads((folder / "command").read_bytes())
    minutes = float(command["minutes"])
    status = {"host": socket.gethostname(), "supervisor": (me, start_of(me)), "began": time.time(), "minutes": minutes}
    output, errors = bytearray(), bytearray()
    file = os.open(ready, os.O_RDWR)
    write_status(file, status)
    try:
        os.link(ready, folder / "status")  # fails if another supervisor was first
    except (FileExistsError, FileNotFoundError):
        return
    except OSError:  # a file system without hard links
        os.rename(ready, folder / "status")

    def record() -> None:
        """Record the new process before it becomes the command, so that it can be found if this process is killed."""
        own = os.getpid()
        write_status(file, {**status, "command": (own, start_of(own))})
        if os.getppid() != me:  # killed already, and perhaps reported as lost
            os._exit(1)

    def save() -> None:
        """Write the output to its files. Raises OSError, for example if the disk is full."""
        for name, data, most in (("output", output, MOST_OUTPUT), ("errors", errors, MOST_ERRORS)):
            with open(folder / name, "r+b") as kept:
                kept.write(data[-most:])
                kept.truncate()
                os.fsync(kept.fileno())

    try:
        with open(folder / "input", "rb") as text:
            process = subprocess.Popen(
                command["words"], stdin=text, stdout=pipe, stderr=pipe, start_new_session=True, preexec_fn=record
            )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        code, failure = None, f"could not be started: {getattr(error, 'strerror', None) or 'its name is not valid'}"
    else:
        code, failure = _wait(process, output, errors, save, minutes)
    for _ in range(_TRIES):
        try:
            save()
            break
        except OSError as error:
            with contextlib.suppress(OSError):
                write_status(file, {**status, "trouble": f"The answer can't be saved ({error.strerror}). Retrying."})
        time.sleep(0.5)
    else:
        failure = failure or "wrote an answer that could not be saved"
    write_status(file, {**status, "exit": code, "failure": failure, "ended": time.time()})


def _wait(
    process: subprocess.Popen[bytes], output: bytearray, errors: bytearray, save: Callable[[], None], minutes: float
) -> tuple[int, str]:
    """Read and save what the command writes until it ends or must be stopped; then end its whole group. Returns the
    exit status (negative after a signal) and why it was stopped, empty if it was not."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    stops = list[int]()
    signal.signal(signal.SIGTERM, lambda number, _: stops.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    assert process.stdout
    assert process.stderr
    pipes = {process.stdout.fileno(): output, process.stderr.fileno(): errors}
    ends_at, kill_at, save_at, failure = time.monotonic() + 60 * minutes, math.inf, math.inf, ""
    reads_after_end = 64  # more than two pipes hold
    while reads_after_end:
        now, is_long = time.monotonic(), len(output) > MOST_OUTPUT
        has_ended = process.poll() is not None
        if has_ended or now >= kill_at:
            send_to_group(process.pid, signal.SIGKILL)  # its children may keep the pipes open
            kill_at = math.inf
        elif not failure and (stops or is_long or now >= ends_at):
            late = f"did not end within {minutes:g} min"
            failure = "was stopped" if stops else "wrote over 1 MB" if is_long else late
            send_to_group(process.pid, signal.SIGTERM)
            ends_at, kill_at = math.inf, now + GRACE
        if now >= save_at:
            save_at = math.inf
            with contextlib.suppress(OSError):  # retried after the end
                save()
        next_at = now if has_ended else min(ends_at, kill_at, save_at, now + 60)
        found = select.select([woken, *pipes], [], [], max(0.0, next_at - now))[0]
        for ready in found:
            piece = os.read(ready, 1 << 16)
            if ready != woken and not piece:
                del pipes[ready]
            elif ready != woken:
                data = pipes[ready]
                data += piece
                save_at = min(save_at, now + _SAVE_EVERY)
                if len(data) > 2 * MOST_OUTPUT:
                    del data[: -MOST_OUTPUT - 1]
        reads_after_end = (reads_after_end - 1 if found else 0) if has_ended else reads_after_end
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return process.returncode, failure or ("wrote over 1 MB" if len(output) > MOST_OUTPUT else "")


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
