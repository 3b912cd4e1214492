"""Commands that run while a test reads their output, until the test ends the commands."""

from __future__ import annotations

import io
import signal
import subprocess
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import IO
from unittest.mock import patch

from calling import CRASH_OUTPUT, process
from waiting import until

from cekura_tui.cli import main
from cekura_tui.cli.script import SignalReceived


class Printing:
    """The lines that a command has printed to standard output (`out`) and to standard error (`err`)."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.err: list[str] = []

    @property
    def states(self) -> list[str]:
        """The lines of standard output without their times, such as "1: running"."""
        return [line.partition(" job ")[2] for line in self.out]

    def prints(self, text: str) -> None:
        """Wait until standard output contains `text`."""
        until(lambda: text in "\n".join(self.out), f"{text!r} was printed, after {self.out} {self.err}")

    def reports(self, text: str) -> None:
        """Wait until standard error contains `text`."""
        until(lambda: text in "\n".join(self.err), f"{text!r} was said, after {self.out} {self.err}")


class RunningCommand(Printing):
    """A `cekura-tui …` command that runs in another process."""

    def __init__(self, *words: object) -> None:
        super().__init__()
        self.process: subprocess.Popen[bytes] = process(*words)
        streams = ((self.process.stdout, self.out), (self.process.stderr, self.err))
        self._readers = [threading.Thread(target=_read, args=one, daemon=True) for one in streams]
        for reader in self._readers:
            reader.start()

    def ended(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if given, wait until the process ends, and return the exit status. Fail if a crash
        was printed."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(20)
        for reader in self._readers:
            reader.join(20)
        for line in self.out + self.err:
            assert not any(words in line for words in CRASH_OUTPUT), line
        return status

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)


def _read(stream: IO[bytes], lines: list[str]) -> None:
    for line in stream:
        lines.append(line.decode().rstrip("\n"))


class _Lines(io.TextIOBase):
    """A stream that appends complete lines to a list."""

    encoding = "utf-8"  # type: ignore[assignment]

    def __init__(self, lines: list[str]) -> None:
        self._lines, self._begun = lines, ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        self._lines.extend(lines)
        return len(text)

    def isatty(self) -> bool:
        return False


@contextmanager
def watching(*words: object) -> Iterator[Printing]:
    """Run `cekura-tui jobs watch …` in a thread until the block ends, with polls every 20 ms; yield the printed lines.
    Nothing else may print in the block."""
    printed, over, ended = Printing(), threading.Event(), threading.Event()

    def is_output_closed() -> bool:
        if over.is_set():
            raise SignalReceived(signal.SIGTERM)
        return False

    def watch() -> None:
        command = ["jobs", "watch", *map(str, words)]
        try:
            main.cli.main(command, prog_name="cekura-tui", standalone_mode=False)
        except SignalReceived:
            ended.set()

    async def without_signals(work: Coroutine[object, object, object]) -> object:
        return await work

    with (
        patch("sys.stdout", _Lines(printed.out)),
        patch("sys.stderr", _Lines(printed.err)),
        patch("cekura_tui.cli.script._until_signal", without_signals),
        patch("cekura_tui.cli.jobs.is_output_closed", is_output_closed),
        patch("cekura_tui.cli.jobs.TICK", 0.05),
        patch("cekura_tui.jobs.engine.TICK", 0.02),
        patch("cekura_tui.jobs.polling.interval", lambda age, jitter: 0.02),
        patch("cekura_tui.jobs.polling.retry_delay", lambda *_: 0.02),
    ):
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield printed
        finally:
            over.set()
            thread.join(20)
    assert ended.is_set(), printed.err
