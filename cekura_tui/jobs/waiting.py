"""How many seconds to wait before the server is asked again (pure), and waiting so long."""

from __future__ import annotations

import asyncio
import contextlib

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
MAX_INTERVAL = 60.0
"""No running job waits longer than this, less its spread, unless the server asked for it."""
FAILURES_OF_ONE_JOB = 2
"""So many failures in a row may be those of one job; more are the server's."""


def interval(age: float, spread: float) -> float:
    """Seconds until a job of this age is asked about again; `spread` is a random number from 0 to 1."""
    base = 2.0 if age < MINUTE else 5.0 if age < 10 * MINUTE else 15.0 if age < HOUR else MAX_INTERVAL
    return base * _around_one(spread)


def retry_delay(failures: int, retry_after: float | None, spread: float) -> float:
    """Seconds until the next try after so many failures in a row; what the server asked for wins.

    At least a second, so that nothing is asked in a row, and an hour at the most, so that no job is forgotten.
    """
    if retry_after is not None:
        return min(max(retry_after, 1.0), HOUR)
    return min(2.0 ** min(failures, 10), MAX_INTERVAL / 1.2) * _around_one(spread)


def server_pause(failures: int, spread: float) -> float:
    """Seconds in which the server is asked nothing at all after so many failures in a row, of whichever jobs."""
    return retry_delay(failures - FAILURES_OF_ONE_JOB, None, spread) if failures > FAILURES_OF_ONE_JOB else 0.0


def _around_one(spread: float) -> float:
    return 0.8 + 0.4 * min(max(spread, 0.0), 1.0)


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
