"""One question for all who ask the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Read(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class SharedReads(Generic[T]):
    """On one loop. What is being read is given up only when nobody waits for it any more."""

    def __init__(self) -> None:
        self._reads: dict[Hashable, _Read[T]] = {}

    def reading(self, key: Hashable) -> bool:
        """Whether somebody is reading this."""
        return key in self._reads

    async def get(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `read` returns or raises, which is called unless somebody is reading this already."""
        shared = self._reads.get(key)
        if shared is None:
            shared = self._reads[key] = _Read(asyncio.create_task(read()))
            # It may go wrong when nobody waits for it any more.
            shared.task.add_done_callback(lambda task: None if task.cancelled() else task.exception())
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                shared.task.cancel()
                del self._reads[key]
