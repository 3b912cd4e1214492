"""Every combination of standard streams: a screen that can be seen, or a sentence and a status; no process is left."""

from __future__ import annotations

import itertools
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from examples import nightly
from terminal import PROGRAM, Start, environment
from waiting import PATIENCE

KINDS = ("terminal", "read-only", "file", "pipe", "null", "closed")
"""What a standard stream can be; "read-only" is the terminal, opened for reading only."""
PRINTS = {"": "", "--version": "cekura-tui, version", "config show": "api_url", "doctor --offline": "python"}
"""What each command prints; without a command, the app starts."""
END_OF_APP = b"\x1b[?1049l\x1b[?25h\x1b[?1004l"
CLOSE = ("<&-", ">&-", "2>&-")
Streams = tuple[str, str, str]


class Started:
    """A run of the program with these standard streams, until its end: its status, whether it drew the app, and the
    texts that reached each stream. `screen` has all that reached the terminal."""

    def __init__(self, kinds: Streams, words: str, env: dict[str, str], directory: Path) -> None:
        with ExitStack() as self._stack:
            self._master, slave = map(self._closing, pty.openpty())
            self._files: dict[int, Callable[[], bytes]] = {}
            termios.tcsetwinsize(slave, (36, 120))
            tty = os.ttyname(slave)
            given = [self._open(kind, number, tty, directory) for number, kind in enumerate(kinds)]
            closed = [CLOSE[number] for number, kind in enumerate(kinds) if kind == "closed"]
            # The first terminal that a session opens controls the session.
            script = f': <>{tty}; exec "$@" {" ".join(closed)}'
            process = subprocess.Popen(
                ["sh", "-c", script, "sh", *PROGRAM, *words.split()],
                **{"stdin": given[0], "stdout": given[1], "stderr": given[2], "env": env},
                start_new_session=True,
            )
            try:
                self._attend(process)
                self.status = process.wait()
                self.leaves_a_process = _is_group(process.pid)
            finally:
                if _is_group(process.pid):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.texts = [self._read(number, kind) for number, kind in enumerate(kinds)]

    def _closing(self, handle: int) -> int:
        self._stack.callback(os.close, handle)
        return handle

    def _open(self, kind: str, number: int, tty: str, directory: Path) -> int:
        if kind == "pipe":
            ends = [self._closing(handle) for handle in os.pipe()]
            if number:
                os.set_blocking(ends[0], False)
                self._files[number] = lambda: _read_some(ends[0])
            return ends[number > 0]
        if kind == "file":
            path = directory / f"{number}"
            path.write_bytes(b"")
            self._files[number] = path.read_bytes
            return self._closing(os.open(path, os.O_RDWR))
        access = os.O_RDONLY if kind == "read-only" else os.O_RDWR
        return self._closing(os.open(tty if kind in KINDS[:2] else os.devnull, access | os.O_NOCTTY))

    def _attend(self, process: subprocess.Popen[bytes]) -> None:
        """Answer the terminal's query of `doctor`, and quit the app once it is drawn, until the program ends."""
        self.screen, self.drew, answered = b"", False, False
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            self._pump(0.02)
            if not answered and b"\x1b[c" in self.screen:
                answered = os.write(self._master, b"\x1b[?62c") > 0
            if not self.drew and b"Keys" in self.screen:
                self.drew = os.write(self._master, b"q") > 0
        assert process.poll() is not None, (process.args, self.screen)
        while self._pump(0):
            pass

    def _pump(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        self.screen += os.read(self._master, 1 << 16)
        return True

    def _read(self, number: int, kind: str) -> str | None:
        """The text that reached a stream, or the whole screen if the stream is the terminal; None if unreadable."""
        if kind == "terminal":
            return self.screen.decode()
        return self._files[number]().decode() if number in self._files else None


def _is_group(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _read_some(handle: int) -> bytes:
    try:
        return os.read(handle, 1 << 16)
    except BlockingIOError:
        return b""


def check(kinds: Streams, words: str, env: dict[str, str], directory: Path) -> None:
    """Run the program with these standard streams, and check all that can be seen of the run."""
    directory.mkdir()
    run = Started(kinds, words, {**env, "CEKURA_TUI_HOME": str(directory / "home")}, directory)
    _, output, errors = run.texts
    if words:
        draws, works = False, kinds[1] not in ("closed", "read-only")
    else:
        draws = works = {kinds[0], kinds[1]} <= {"terminal", "read-only"} and "terminal" in kinds[1:]
    assert (run.drew, run.status, run.leaves_a_process) == (draws, 0 if works else 2, False), run.texts
    assert run.screen.endswith(END_OF_APP) or not draws, run.screen
    seen = output if works else errors
    assert seen is None or (PRINTS[words] if works else "cekura-tui: ") in seen, run.texts
    for kind, text in zip(kinds, run.texts, strict=True):
        assert not text or "Traceback" not in text, run.texts
        assert not text or "\x1b" not in text or kind == "terminal", run.texts


@pytest.mark.parametrize("stdin", KINDS)
@pytest.mark.parametrize("words", ["", "--version", *map(nightly, ("config show", "doctor --offline"))])
def test_all_standard_streams_give_a_screen_or_a_sentence(words: str, stdin: str, home: Path, tmp_path: Path) -> None:
    env = {**environment(home, tmp_path), "CEKURA_API_URL": "http://127.0.0.1:9", "CEKURA_API_KEY": "not-a-real-key"}
    with ThreadPoolExecutor(3) as pool:
        runs = {
            pool.submit(check, (stdin, *others), words, env, tmp_path / "-".join(others)): others
            for others in itertools.product(KINDS, repeat=2)
        }
    failed = {others: error for run, others in runs.items() if (error := run.exception())}
    assert (len(runs), failed) == (36, {})


def test_the_terminals_size_and_its_changes_count_before_columns_and_lines(start: Start) -> None:
    terminal = start("--demo", env={"COLUMNS": "70", "LINES": "20"}).wait("240 runs", "q Quit")
    assert (len(terminal.text.split("\n")), max(map(len, terminal.text.split("\n")))) == (36, 120)
    terminal.resize(100, 30)
    terminal.until(lambda: "? Keys" in terminal.text.split("\n")[-1], "the footer is in the last line").quit()


def test_a_terminal_that_reports_its_size_late_is_used_whole(start: Start) -> None:
    terminal = start("--demo", columns=0, lines=0, env={"COLUMNS": "70", "LINES": "20"})
    terminal.until(lambda: b"240 runs" in terminal.raw, "the app is drawn")
    terminal.resize(100, 30)
    terminal.until(lambda: "? Keys" in terminal.text.split("\n")[-1], "the footer is in the last line").quit()
