"""Waiting so long and no longer, by the time in which this process ran."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_STEP = 1.0


async def while_awake(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Do it within so many seconds, else TimeoutError.

    Time in which the process was stopped or the machine slept counts a second at the most: what came meanwhile is
    read before anybody says that nothing came.
    """
    task = asyncio.create_task(work)
    try:
        left = seconds
        while left > 0:
            done, _ = await asyncio.wait({task}, timeout=min(_STEP, left))
            if done:
                return task.result()
            left -= _STEP
        raise TimeoutError
    finally:
        task.cancel()
        await asyncio.wait({task})
