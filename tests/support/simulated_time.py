"""Time that advances only when a test says so: days pass within moments, and only real answers take time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

NOON = 1_787_054_400.0
"""Unix time of Tuesday 18 August 2026, 12:00 UTC."""
MAX_WAKES = 1_000
"""A test fails after this many wake-ups without an advance of time, because a task must be in an endless loop."""


class SleepClock:
    """A clock that advances only during `sleep`; `slept` records the seconds of each sleep."""

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
    """The `clock`, `monotonic` and `pause` of job engines that share one event loop. While `busy` returns True,
    requests are in flight and time does not advance."""

    def __init__(self, busy: Callable[[], bool] = lambda: False) -> None:
        self.wall, self.elapsed = NOON, 1_000.0
        self.busy = busy
        self._asleep: dict[asyncio.Event, float] = {}
        self._changed = asyncio.Event()

    def clock(self) -> float:
        """Unix seconds; every reading differs, as on a real machine."""
        self.wall += 1e-6
        return self.wall

    def monotonic(self) -> float:
        return self.elapsed

    async def pause(self, event: asyncio.Event, seconds: float) -> None:
        """Wait until the event is set; `advance` sets the event after this many simulated seconds."""
        self._asleep[event] = self.elapsed + seconds
        self.wake()
        try:
            await event.wait()
        finally:
            del self._asleep[event]

    def wake(self) -> None:
        """Signal that an engine went to sleep or that a request has ended."""
        self._changed.set()

    def jump(self, seconds: float) -> None:
        """Advance the clocks without running anything, as if the machine had been suspended."""
        self.wall += seconds
        self.elapsed += seconds

    async def advance(self, seconds: float) -> None:
        """Advance time step by step: wake the sleepers that are due, and let them settle before the next step."""
        end, woken = self.elapsed + seconds, 0
        while True:
            await self.settle()
            due = min(self._asleep.values(), default=end)
            woken = 0 if due > self.elapsed else woken + 1
            assert woken < MAX_WAKES, "a task wakes again and again, although time does not advance"
            self.jump(max(0.0, min(due, end) - self.elapsed))
            if due > end:
                return
            for event, until in self._asleep.items():
                if until <= self.elapsed:
                    event.set()
            if not self._asleep:
                return

    async def settle(self) -> None:
        """Wait until every engine sleeps and no request is in flight."""
        for _ in range(MAX_WAKES):
            self._changed.clear()
            # A new or woken task needs a few turns of the loop to reach its next wait.
            for _ in range(3):
                await asyncio.sleep(0)
            if self.busy():
                await self._changed.wait()
            elif not self._changed.is_set() and not any(event.is_set() for event in self._asleep):
                return
        raise AssertionError("a task never comes to rest")
