"""How many seconds to wait before the next request."""

from __future__ import annotations

import asyncio
import contextlib

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
MAX_INTERVAL = 60.0
"""Seconds between two polls of a job over an hour old, before jitter."""
FAILURES_OF_ONE_JOB = 2
"""Number of failures in a row for which one job may be the cause; more failures are blamed on the server."""


def interval(age: float, jitter: float) -> float:
    """Seconds between two polls of a job `age` seconds old; `jitter` is a random number from 0 to 1."""
    base = 2.0 if age < MINUTE else 5.0 if age < 10 * MINUTE else 15.0 if age < HOUR else MAX_INTERVAL
    return base * _jitter_factor(jitter)


def retry_delay(failures: int, retry_after: float | None, jitter: float) -> float:
    """Seconds until the next try after `failures` failures in a row. If the server sent a `retry_after`, that time is
    used, at least 1 second and at most 1 hour. `jitter` is a random number from 0 to 1."""
    if retry_after is not None:
        return min(max(retry_after, 1.0), HOUR)
    return min(2.0 ** min(failures, 10), MAX_INTERVAL / 1.2) * _jitter_factor(jitter)


def server_pause(failures: int, jitter: float) -> float:
    """Seconds to pause the polling of all jobs after `failures` failures in a row; 0 while one job may be the cause."""
    return retry_delay(failures - FAILURES_OF_ONE_JOB, None, jitter) if failures > FAILURES_OF_ONE_JOB else 0.0


def _jitter_factor(jitter: float) -> float:
    return 0.8 + 0.4 * min(max(jitter, 0.0), 1.0)


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
