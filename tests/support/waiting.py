"""Wait for a condition instead of a fixed time; a timeout names the condition."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 20.0
_STEP = 0.01


def until(condition: Callable[[], object], what: str) -> None:
    """Block until the condition holds; fail with the message `what` after `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(_STEP)


async def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait on the event loop until the condition holds; fail with the message `what` after `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        await asyncio.sleep(_STEP)


async def answered(ask: Callable[[], Awaitable[T]], holds: Callable[[T], object], what: str) -> T:
    """Call `ask` until `holds` is true for its answer, and return this answer. Fail with the message `what` after
    `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while not holds(answer := await ask()):
        assert time.monotonic() < end, f"never happened: {what}"
        await asyncio.sleep(_STEP)
    return answer
