"""`on_job_done`: the user's command that runs once per finished job. A command that fails affects nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shlex
import signal
import tempfile
import time
from collections.abc import Callable
from typing import Self

from cekura_tui.config.programs import without_key
from cekura_tui.model.job import Suggestion
from cekura_tui.model.text import clean_line, count

LIMIT = 30.0
"""Maximum seconds that one call of the command may take."""
AT_ONCE = 4
REPEAT_AFTER = 60.0
"""Seconds during which a repeated failure is not reported again."""
_log = logging.getLogger("cekura_tui.workspace")


class JobHook:
    """Runs the command once per finished job on the session's loop, with at most AT_ONCE calls at a time. `report` is
    called with a message about a failed call."""

    def __init__(self, command: str, report: Callable[[str], None], *, limit: float = LIMIT) -> None:
        self._words = shlex.split(command)
        self._words[0] = os.path.expanduser(self._words[0])
        self._report, self._limit = report, limit
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._calls: set[asyncio.Task[None]] = set()
        self._last_message, self._last_reported_at = "", 0.0

    def ended(self, done: Suggestion) -> None:
        """Call the command for a finished job in the background."""
        call = asyncio.ensure_future(self._call(json.dumps(done.to_json())))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def close(self, within: float | None = None) -> None:
        """Wait up to `within` seconds (None: no limit) for running calls to end, then kill the remaining calls."""
        if not self._calls:
            return
        _, late = await asyncio.wait(self._calls, timeout=within)
        for call in late:
            call.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            self._report(f"{count(len(late), 'call')} of the on_job_done command did not end in time.")

    async def _call(self, job: str) -> None:
        async with self._slots:
            failed = await self._run(job)
        if not failed:
            self._last_message = ""
            return
        sentence = f"The on_job_done command {failed}"
        _log.warning("%s", sentence)
        if sentence != self._last_message or time.monotonic() - self._last_reported_at > REPEAT_AFTER:
            self._last_message, self._last_reported_at = sentence, time.monotonic()
            self._report(sentence)

    async def _run(self, job: str) -> str:
        """Run the command with `job` (JSON) on standard input; returns how the call failed, empty on success."""
        try:
            # A file, not a pipe: the command may not read its input, and its children may keep it open.
            with tempfile.TemporaryFile() as job_file, _StandardError() as stderr:
                job_file.write(f"{job}\n".encode())
                job_file.seek(0)
                process = await asyncio.create_subprocess_exec(
                    *self._words,
                    env=without_key(os.environ),
                    stdin=job_file,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=stderr.writer,
                    start_new_session=True,
                )
                try:
                    async with asyncio.timeout(self._limit):
                        status = await process.wait()
                except TimeoutError:
                    return f"did not end within {self._limit:g} seconds and was stopped."
                finally:
                    if process.returncode is None:
                        await _kill(process)
                words = stderr.last_line()
        except OSError as error:
            return f"could not be started: {error.strerror}."
        return f"ended with status {status}{f': {words}' if words else ''}." if status else ""


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill the process of a call and all processes that it started."""
    with contextlib.suppress(ProcessLookupError, TimeoutError):
        os.killpg(process.pid, signal.SIGKILL)
        async with asyncio.timeout(1.0):
            await process.wait()


class _StandardError:
    """Reads a call's standard error from a pipe, and keeps the last 2,000 bytes. Never waits for the end of the pipe,
    because child processes may keep the pipe open."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._last = b""

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._reader, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._reader)
        os.close(self._reader)
        os.close(self.writer)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._last = (self._last + os.read(self._reader, 65_536))[-2_000:]

    def last_line(self) -> str:
        self._read()
        lines = self._last.decode("utf-8", "replace").strip().splitlines()
        return clean_line(lines[-1], 200).rstrip(".") if lines else ""
