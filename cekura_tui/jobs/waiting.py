"""How many seconds to wait before the server is asked again."""

from __future__ import annotations

import asyncio
import contextlib

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
MAX_INTERVAL = 60.0
"""Seconds between two polls of an old job, before the spread."""
FAILURES_OF_ONE_JOB = 2
"""More failures in a row are the server's, not one job's."""


def interval(age: float, spread: float) -> float:
    """Seconds between two polls of a job of this age; `spread` is a random number from 0 to 1."""
    base = 2.0 if age < MINUTE else 5.0 if age < 10 * MINUTE else 15.0 if age < HOUR else MAX_INTERVAL
    return base * _around_one(spread)


def retry_delay(failures: int, retry_after: float | None, spread: float) -> float:
    """Seconds until the next try after some failures in a row, or the server's `retry_after` (1 second to 1 hour)."""
    if retry_after is not None:
        return min(max(retry_after, 1.0), HOUR)
    return min(2.0 ** min(failures, 10), MAX_INTERVAL / 1.2) * _around_one(spread)


def server_pause(failures: int, spread: float) -> float:
    """Seconds without any request after some failures in a row, of all jobs."""
    return retry_delay(failures - FAILURES_OF_ONE_JOB, None, spread) if failures > FAILURES_OF_ONE_JOB else 0.0


def _around_one(spread: float) -> float:
    return 0.8 + 0.4 * min(max(spread, 0.0), 1.0)


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
