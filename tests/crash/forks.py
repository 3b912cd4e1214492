"""Processes of the program that begin within milliseconds: forked from one that has imported everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from waiting import until

_PARENT = """
import json, os, sys
import cekura_tui.workspace.session
from cekura_tui.cli.main import main
for line in sys.stdin:
    if pid := os.fork():
        # It stays as a zombie, so that its number is not given to another process before it is killed.
        print(pid, flush=True)
        continue
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    sys.argv = ["cekura-tui", *json.loads(line)]
    try:
        main()
    finally:
        os._exit(0)
"""


class Forks:
    """Starts `cekura-tui …` again and again; nothing that it prints is kept."""

    def __enter__(self) -> Self:
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._parent = subprocess.Popen([sys.executable, "-c", _PARENT], text=True, env=env, **pipes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parent.kill()
        self._parent.communicate()

    def start(self, *words: object) -> int:
        """Start one; returns its process id."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(list(map(str, words))) + "\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())


def kill(pid: int) -> None:
    """kill -9, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "Z", "the process is dead")
