"""`on_job_done`: the user's command that runs once per finished job. A command that fails affects nothing else."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable

from cekura_tui.config.programs import command_words, in_thread, run_program
from cekura_tui.model.job import Suggestion
from cekura_tui.model.secrets import shown_words
from cekura_tui.model.text import clean_line, count

LIMIT = 30.0
"""Maximum seconds that one call of the command may take."""
_log = logging.getLogger("cekura_tui.workspace")


class JobHook:
    """Runs the command per finished job, at most four at a time; `report` gets a message about a failed call."""

    def __init__(self, command: str, report: Callable[[str], None], *, limit: float = LIMIT) -> None:
        self._words = command_words(command)
        self._report, self._limit = report, limit
        self._slots = asyncio.Semaphore(4)
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
        if sentence != self._last_message or time.monotonic() - self._last_reported_at > 60:
            self._last_message, self._last_reported_at = sentence, time.monotonic()
            self._report(sentence)

    async def _run(self, job: str) -> str:
        """Run the command with `job` (JSON) on standard input; returns how the call failed, empty on success."""
        stop, job_line = threading.Event(), f"{job}\n".encode()
        running = in_thread(
            lambda: run_program(self._words, os.environ, data=job_line, kept="stderr", limit=self._limit, stop=stop)
        )
        ending = asyncio.wrap_future(running)
        try:
            ended = await asyncio.shield(ending)
        except asyncio.CancelledError:
            stop.set()
            await ending
            raise
        lines = ended.output.decode("utf-8", "replace").strip().splitlines() if ended.status else []
        words = shown_words(clean_line(lines[-1], 200)).rstrip(".") if lines else ""
        return f"{ended.failure}{f': {words}' if words else ''}." if ended.failure else ""
