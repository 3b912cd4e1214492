"""A second window without a screen, run as a subprocess. It chooses and edits hunks on command and reports its choices.

Each command is a line of JSON: {"choose": 2, "what": "rejected"}, {"edit": 1, "text": "…"}, {"all": true} or
{"undo": true}. Each report is a line of JSON, too.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waiting import PATIENCE

from cekura_tui.jobs import engine
from cekura_tui.model.text import sha256
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.suggestion.staging_controller import StagingController, Step
from cekura_tui.workspace.setup import make_setup
from cekura_tui.workspace.workspace import Workspace

TICK = 0.02
"""Seconds between two checks for changes by other processes. Replaces `engine.TICK`, so that tests are fast."""


class _Window:
    def __init__(self, url: str, number: int) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._workspace = Workspace(make_setup(api_url=url, env=os.environ))
        self._staging = StagingController(self._workspace, number)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Execute commands from standard input until it is closed."""
        self._workspace.start(lambda: self._loop.call_soon_threadsafe(self._changed.set))
        await self._staging.load()
        _print(window=self._workspace._window)
        self._spawn(self._follow())
        lines = asyncio.StreamReader()
        await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            self._spawn(self._finish(self._begin(json.loads(line))))
        await asyncio.to_thread(self._workspace.close)

    def _begin(self, command: dict[str, Any]) -> Step:
        staging = self._staging
        assert staging.opened is not None
        hunks = staging.opened.diff.hunks
        match command:
            case {"choose": number, "what": what}:
                return staging.choose(hunks[number - 1], HunkChoice(what))
            case {"edit": number, "text": text}:
                return staging.edit(staging.opened.diff, hunks[number - 1], text)
            case {"all": _}:
                return staging.accept_all()
        return staging.undo()

    async def _finish(self, step: Step) -> None:
        self._show(await step, done=True)

    async def _follow(self) -> None:
        while await self._changed.wait():
            self._changed.clear()
            self._show(await self._staging.reload_choices())

    def _show(self, message: str, *, done: bool = False) -> None:
        opened = self._staging.opened
        assert opened is not None
        choices = {number: [choice.what, choice.text] for number, choice in opened.choices.items()}
        _print(done=done, message=message, choices=choices, staged=sha256(opened.staged))


async def _main(url: str, number: int) -> None:
    await _Window(url, number).run()


def _print(**report: object) -> None:
    print(json.dumps(report), flush=True)  # noqa: T201


@dataclass
class ChoosingWindow:
    """The test's side of the subprocess; `shown` is the last report that the test has read."""

    process: subprocess.Popen[str]
    name: str = ""
    shown: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reports: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._reports.put(line)
        self._reports.put("null")  # end of output

    def send(self, command: object) -> None:
        """Send a command without waiting for its result."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """Wait for the next report and return it."""
        self.shown = json.loads(self._reports.get(timeout=PATIENCE))
        return self.shown

    def finish(self, commands: int) -> None:
        """Read reports until this many commands are done."""
        while commands:
            commands -= self.read()["done"]


@contextmanager
def choosing_window(url: str, number: int) -> Iterator[ChoosingWindow]:
    """Start a second window that shows the suggestion of job `number`, and kill its process afterwards."""
    command = [sys.executable, __file__, url, str(number)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env) as process:
        window = ChoosingWindow(process)
        try:
            window.name = window.read()["window"]
            yield window
        finally:
            process.kill()


if __name__ == "__main__":
    engine.TICK = TICK
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
