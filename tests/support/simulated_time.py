"""Time that passes only when a test says so: days go by in moments, and nothing is waited for but real answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

NOON = 1_787_054_400.0
"""Tuesday 18 August 2026, 12:00 UTC."""
AT_REST = 1_000
"""So often may somebody wake without time going on; more is somebody who never sleeps."""


class SleepClock:
    """A clock that moves only while its `sleep` is awaited; `slept` are the seconds of each sleep."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now, self.slept = now, list[float]()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


class SimulatedTime:
    """The `clock`, the `monotonic` and the `pause` of engines that share one event loop.

    `busy` tells whether requests are on their way: as long as they are, time stands still.
    """

    def __init__(self, busy: Callable[[], bool] = lambda: False) -> None:
        self.wall, self.elapsed = NOON, 1_000.0
        self.busy = busy
        self._asleep: dict[asyncio.Event, float] = {}
        self._stirred = asyncio.Event()

    def clock(self) -> float:
        """Unix seconds; no two readings are the same, as on a real machine."""
        self.wall += 1e-6
        return self.wall

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self.elapsed

    async def pause(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for an event, so long at the most; to an engine it is all one which of the two it was."""
        self._asleep[event] = self.elapsed + seconds
        self.wake()
        try:
            await event.wait()
        finally:
            del self._asleep[event]

    def wake(self) -> None:
        """Something moved: an engine went to sleep, or a request is no longer on its way."""
        self._stirred.set()

    def jump(self, seconds: float) -> None:
        """So much time has passed in which nothing ran: the machine was suspended."""
        self.wall += seconds
        self.elapsed += seconds

    async def passes(self, seconds: float) -> None:
        """Let so much time go by; whoever sleeps wakes when it is due, and comes to rest before time goes on."""
        end, woken = self.elapsed + seconds, 0
        while True:
            await self.settle()
            due = min(self._asleep.values(), default=end)
            woken = 0 if due > self.elapsed else woken + 1
            assert woken < AT_REST, "somebody wakes again and again, though no time goes on"
            self.jump(max(0.0, min(due, end) - self.elapsed))
            if due > end:
                return
            for event, until in self._asleep.items():
                if until <= self.elapsed:
                    event.set()
            if not self._asleep:
                return

    async def settle(self) -> None:
        """Wait until every engine sleeps and no request is on its way."""
        for _ in range(AT_REST):
            self._stirred.clear()
            # A task that was just begun or woken needs a turn to get as far as its next wait.
            for _ in range(3):
                await asyncio.sleep(0)
            if self.busy():
                await self._stirred.wait()
            elif not self._stirred.is_set() and not any(event.is_set() for event in self._asleep):
                return
        raise AssertionError("somebody never comes to rest")
