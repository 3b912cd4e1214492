"""The app and the command line, each one step before a launch, as processes that can be killed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from calling import process
from examples import nightly
from one_job import PROMPT, RUN
from scripted_server import Hold, Reply, ScriptedServer, run_of, serve_runs
from terminal import Start, Terminal
from waiting import until

IN_THE_APP, BY_COMMAND = (
    pytest.mark.parametrize("front", [first, nightly(other)], indirect=True)
    for first, other in (("the app", "the command line"), ("the command line", "the app"))
)
"""Decorators for tests that launch from the app or from the command line; the nightly run does both."""


class App:
    """A user who launches a job from run 5 in a terminal."""

    def __init__(self, start: Start) -> None:
        self._start = start

    def get_ready(self) -> None:
        """Open the dialog that launches."""
        self.terminal = improve_dialog(self._start())

    @property
    def pid(self) -> int:
        return self.terminal.process.pid

    def launch(self) -> None:
        """Launch without waiting for the result."""
        self.terminal.press("ctrl+g")

    def wait_for_refusal(self) -> None:
        self.terminal.wait("Nothing was launched")

    def wait_until_running(self) -> None:
        self.terminal.wait("Job 1 launched")

    def wait_until_succeeded(self) -> None:
        self.terminal.press("2")
        self.terminal.wait("Job 1", "1 succeeded")

    def leave_unrecorded(self) -> str:
        """Quit while an answer cannot be recorded; return the last output."""
        self.terminal.wait("keeps retrying")
        self.terminal.quit()
        return self.terminal.raw.decode().rpartition("\x1b[")[2]

    def stop_reading(self) -> None:
        """Stop reading the program's output, so that it can show nothing more."""
        self.terminal.stop_output()

    def kill(self) -> str:
        """Kill with -9 if still running; return everything that was shown."""
        self.terminal.kill()
        self.terminal.read_rest()
        return self.terminal.raw.decode(errors="replace")

    def close(self) -> None:
        self.terminal.kill()


class CommandLine:
    """The command `improve --wait`, which writes to a pipe; it has the methods of `App`."""

    def __init__(self, server: ScriptedServer, directory: Path) -> None:
        self._server, self._file = server, directory / "prompt.md"
        self._file.write_bytes(PROMPT.encode())
        self._run = Hold(Reply(run_of(5)))
        self._read = b""

    def get_ready(self) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._server.on("GET", RUN, self._run)
        command = ("improve", 5, "--prompt-file", self._file, "--wait")
        self._process: subprocess.Popen[bytes] = process(*command, stdout=writer, stderr=writer)
        os.close(writer)
        until(self._run.arrived.is_set, "the run is read")

    @property
    def pid(self) -> int:
        return self._process.pid

    def launch(self) -> None:
        serve_runs(self._server, run_of(5))
        self._run.released.set()

    def wait_for_refusal(self) -> None:
        until(lambda: b"Nothing was launched" in self._output(), "it says that nothing was launched")

    def wait_until_running(self) -> None:
        until(lambda: b"job 1: running" in self._output(), "it says that the job runs")

    def wait_until_succeeded(self) -> None:
        until(lambda: b"job 1: succeeded" in self._output(), "it says that the job succeeded")

    def leave_unrecorded(self) -> str:
        until(lambda: self._process.poll() is not None, "it ends")
        printed = self._output().decode()
        assert (self._process.returncode, "keeps retrying" in printed) == (1, False)
        return printed

    def stop_reading(self) -> None:
        # A reopened pipe has a non-blocking mode of its own, which the program does not share.
        filler = os.open(f"/proc/{self._process.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(filler, b"." * 4096)
        except BlockingIOError:
            pass
        finally:
            os.close(filler)

    def kill(self) -> str:
        self._process.kill()
        self._process.wait()
        return self._output().decode()

    def close(self) -> None:
        self.kill()
        os.close(self._reader)

    def _output(self) -> bytes:
        try:
            while data := os.read(self._reader, 1 << 16):
                self._read += data
        except BlockingIOError:
            pass
        return self._read


Front = App | CommandLine


def improve_dialog(terminal: Terminal, prompt: str = PROMPT) -> Terminal:
    """Go from the run list to the dialog that launches, with the agent's prompt loaded."""
    terminal.wait("1 run", "Books a table")
    terminal.press("i")
    return terminal.wait("Improve the prompt", f"{len(prompt.split()):,} words", gone="Loading")
