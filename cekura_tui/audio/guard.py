"""Run the user's player until it ends, or until the program ends that started this process: `guard.py IPC_FD WORD...`.

Standard input is a pipe that only the program holds open; a byte in it skips SIGTERM. Standard output is a file for the
last bytes of the player's standard error. This process needs no library."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence

GRACE = 0.3
"""Seconds between SIGTERM and SIGKILL."""
MOST_ERRORS = 2_000


def run(ipc: int, words: Sequence[str]) -> int:
    """Run a player; return its exit status, or 128 + the number of the signal that ended it."""
    null, pipe, at_once, tail, has_ended = subprocess.DEVNULL, subprocess.PIPE, b"", b"", False
    try:
        player = subprocess.Popen(words, stdin=null, stdout=null, stderr=pipe, pass_fds=[ipc], start_new_session=True)
    except OSError as error:
        os.pwrite(1, str(error.strerror).encode(), 0)
        return 126
    errors = player.stderr.fileno() if player.stderr else 0
    while not has_ended:
        has_ended = player.poll() is not None
        ready = select.select([0, errors], [], [], 0 if has_ended else 0.02)[0]
        if 0 in ready:
            at_once = os.read(0, 1)
            break
        if ready:
            piece = os.read(errors, 65_536)
            tail, errors = (tail + piece)[-MOST_ERRORS:], errors if piece else 0
            os.pwrite(1, tail.ljust(MOST_ERRORS, b"\0"), 0)
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # OSError: the process group has ended
        if not at_once:
            os.killpg(player.pid, signal.SIGTERM)
            os.killpg(player.pid, signal.SIGCONT)  # a stopped process does not handle SIGTERM
            player.wait(GRACE)
    with contextlib.suppress(OSError):
        os.killpg(player.pid, signal.SIGKILL)
    return status if (status := player.wait()) >= 0 else 128 - status


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)  # this process must not end before the player
    os._exit(run(int(sys.argv[1]), sys.argv[2:]))
