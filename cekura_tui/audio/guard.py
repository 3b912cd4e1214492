"""Run the user's player until it ends, or until the program ends that started this process: `guard.py WORD...`.

Standard input is a pipe that only the program holds open. Standard output is a socket that the player inherits; the
program reads there what the player writes. This process needs no library."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

GRACE = 0.3
"""Seconds between SIGTERM and SIGKILL."""


def run(words: Sequence[str]) -> int:
    """Run a player; return its exit status, or 128 + the number of the signal that ended it."""
    player = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True)
    while player.poll() is None and not select.select([0], [], [], 0.02)[0]:
        pass
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # OSError: the process group has ended
        os.killpg(player.pid, signal.SIGTERM)
        os.killpg(player.pid, signal.SIGCONT)  # a stopped process does not handle SIGTERM
        player.wait(GRACE)
    with contextlib.suppress(OSError):
        os.killpg(player.pid, signal.SIGKILL)
    status = player.wait()
    with contextlib.suppress(OSError):  # raised once the processes that the player started have ended, too
        for _ in range(30):
            os.killpg(player.pid, 0)
            time.sleep(0.01)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)  # this process must not end before the player
    os._exit(run(sys.argv[1:]))
