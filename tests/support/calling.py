"""Run `cekura-tui …` in this process or in a subprocess; the outcome is a `Result`."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from unittest.mock import patch

import pytest

from cekura_tui.cli import main

_REPO = str(Path(__file__).parents[2])
CRASH_OUTPUT = ("Traceback", "Internal error", "Error:\n")
LIMIT = 60.0
"""Seconds after which a call that has not returned fails its test."""


@dataclass(frozen=True)
class Result:
    """Exit status, standard output (bytes) and standard error of a command."""

    status: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()


def call(*words: object, stdin: bytes = b"", encoding: str = "utf-8") -> Result:
    """Run `cekura-tui …` in this process, without a terminal. Fails the test after `LIMIT` seconds, or if the output
    looks like a crash."""
    streams = [io.TextIOWrapper(io.BytesIO(data), encoding=encoding) for data in (stdin, b"", b"")]
    status = _status(words, *streams)
    return _checked(status, *(_written(stream) for stream in streams[1:]))


def call_into(stdout: TextIO | None, *words: object) -> Result:
    """Run `cekura-tui …` in this process as `call` does, with this standard output, or with a closed one."""
    stdin, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    status = _status(words, stdin, stdout, stderr)
    return _checked(status, b"", _written(stderr))


def _status(words: Sequence[object], stdin: TextIO, stdout: TextIO | None, stderr: TextIO) -> int:
    """Run `cekura-tui …` with these standard streams, and return its exit status."""
    command = ["cekura-tui", *map(str, words)]
    with (
        patch.object(sys, "argv", command),
        patch.object(sys, "stdin", stdin),
        patch.object(sys, "stdout", stdout),
        patch.object(sys, "stderr", stderr),
        _time_limit(" ".join(command)),
    ):
        try:
            main.main()
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def called(*words: object, stdin: bytes = b"") -> Result:
    """Run a command that must succeed; returns its result."""
    result = call(*words, stdin=stdin)
    assert result.status == 0, result.err
    return result


def refused(said: str, *words: object, status: int = 2, stdin: bytes = b"") -> Result:
    """Run a command that must exit with this status, print `said` to standard error, and print no output."""
    result = call(*words, stdin=stdin)
    assert (result.status, result.out) == (status, "")
    assert said in result.err
    return result


def objects(*words: object) -> list[dict[str, Any]]:
    """Objects that `cekura-tui … --json` prints, one per line."""
    return [json.loads(line) for line in called(*words, "--json").out.splitlines()]


@contextmanager
def _time_limit(command: str) -> Iterator[None]:
    """Fail the test if the block runs longer than `LIMIT`; no effect outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def fail(*_: object) -> None:
        pytest.fail(f"{command} did not end within {LIMIT:.0f} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, LIMIT, 1)  # repeats, because the event loop may swallow the first failure
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def _checked(status: int, out: bytes, err: bytes) -> Result:
    text = err.decode()
    for words in CRASH_OUTPUT:
        assert words not in text + out.decode("utf-8", "replace")
    assert "\x1b" not in text
    return Result(status, out, text)


def process(*words: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start `cekura-tui …` as a subprocess."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    env = {**os.environ, "PYTHONPATH": _REPO, **options.pop("env", {})}
    return subprocess.Popen([sys.executable, "-m", "cekura_tui", *map(str, words)], env=env, **{**pipes, **options})


def ended(started: subprocess.Popen[bytes]) -> Result:
    """Wait up to 60 seconds for a subprocess to end. Fails the test if the output looks like a crash."""
    out, err = started.communicate(timeout=60)
    return _checked(started.returncode, out or b"", err or b"")
