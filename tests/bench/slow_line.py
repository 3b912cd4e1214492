"""Run a program behind a slow line: `python slow_line.py MILLISECONDS BITS COMMAND…`.

MILLISECONDS is the round trip: one half delays the input, the other half the output. BITS is the limit of output per
second. As with an SSH server, buffers hold a limited amount of output; when the buffers are full, the program's writes
block.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time
import tty
from collections import deque

PIECE = 600
"""Number of bytes that arrive together; a packet would have more, but small pieces flow evenly."""
BUFFERED = 64 * 1024
"""Number of bytes in flight above which no more output is read."""
PR_SET_PDEATHSIG = 1
"""Linux option of prctl(2): the signal that a process gets when its parent dies."""


class Direction:
    """One direction of the line, which delays data by `delay` seconds and carries at most `rate` bytes per second."""

    def __init__(self, delay: float, rate: float = float("inf")) -> None:
        self._delay, self._rate = delay, rate
        self._free = 0.0
        self._due: deque[tuple[float, bytes]] = deque()
        self.waiting = 0

    def put(self, data: bytes, now: float) -> None:
        self.waiting += len(data)
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            self._free = max(now, self._free) + len(piece) / self._rate
            self._due.append((self._free + self._delay, piece))

    def take(self, now: float) -> bytes:
        """Remove and return the data that has arrived."""
        arrived = b""
        while self._due and self._due[0][0] <= now:
            arrived += self._due.popleft()[1]
        self.waiting -= len(arrived)
        return arrived

    def next_in(self, now: float) -> float:
        """Seconds until data arrives; 1 if none is in flight."""
        return max(0.0, self._due[0][0] - now) if self._due else 1.0


def main() -> int:
    """Run the command behind the line; returns the command's exit status."""
    delay, rate, command = float(sys.argv[1]) / 2_000, float(sys.argv[2]) / 8, sys.argv[3:]
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
    pid, program = pty.fork()
    if not pid:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # otherwise it would outlive the bench
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(command[0], command)
    tty.setraw(0)
    typed, written, ended = Direction(delay), Direction(delay, rate), False
    while not ended or written.waiting:
        now = time.monotonic()
        readable = [0, *([] if ended or written.waiting > BUFFERED else [program])]
        ready = select.select(readable, [], [], min(typed.next_in(now), written.next_in(now)))[0]
        now = time.monotonic()
        if 0 in ready:
            typed.put(os.read(0, 4096), now)
        if program in ready:
            try:
                written.put(os.read(program, 4096), now)
            except OSError:
                ended = True
        if arrived := written.take(now):
            os.write(1, arrived)
        if not ended and (arrived := typed.take(now)):
            os.write(program, arrived)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
