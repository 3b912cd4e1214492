"""Waiting for a turn among the background requests of one session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from cekura_tui.jobs.schedule import Budget


async def take_turn(
    budget: Budget,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Wait until a background request may be made, and take it; the budget is shared, also with who waits here."""
    while wait := budget.wait(monotonic()):
        await sleep(wait)
    # Nothing is awaited between the last look and this, so no two waiters take the same turn.
    budget.take(monotonic())
