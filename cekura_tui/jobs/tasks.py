"""Tasks that nobody waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

_log = logging.getLogger("cekura_tui.jobs")


def spawn(tasks: set[asyncio.Task[object]], work: Awaitable[object]) -> None:
    """Do it among `tasks`, in which it is as long as it goes on; an error that it ends with is logged."""

    def done(task: asyncio.Task[object]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("asking about jobs broke", exc_info=error)

    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(done)
