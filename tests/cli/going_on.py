"""A command that goes on by itself, and what it has printed so far."""

from __future__ import annotations

import signal
import subprocess
import threading
from typing import IO

from calling import SHOULD_NOT, process
from waiting import until


class RunningCommand:
    """`cekura-tui …` in a process of its own; `out` and `err` are the lines it has printed so far."""

    def __init__(self, *words: object) -> None:
        self.process: subprocess.Popen[bytes] = process(*words)
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [self._read(self.process.stdout, self.out), self._read(self.process.stderr, self.err)]

    def _read(self, stream: IO[bytes] | None, lines: list[str]) -> threading.Thread:
        assert stream is not None

        def read() -> None:
            for line in stream:
                lines.append(line.decode().rstrip("\n"))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        return reader

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def states(self) -> list[str]:
        """What was printed, without the times."""
        return [line.partition(" job ")[2] for line in self.out]

    def prints(self, text: str) -> None:
        """Wait until it has printed this."""
        until(lambda: any(text in line for line in self.out), f"{text!r} was printed, after {self.out} {self.err}")

    def reports(self, text: str) -> None:
        """Wait until it has said this on standard error."""
        until(lambda: any(text in line for line in self.err), f"{text!r} was said, after {self.out} {self.err}")

    def ended(self, number: signal.Signals | None = None) -> int:
        """Its exit status, once it has ended, of this signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(20)
        for reader in self._readers:
            reader.join(20)
        for line in self.out + self.err:
            assert not any(words in line for words in SHOULD_NOT), line
        return status

    def kill(self) -> None:
        """kill -9, and no trace left of it."""
        self.process.kill()
        self.process.wait(20)
