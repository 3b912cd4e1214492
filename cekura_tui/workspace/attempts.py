"""What a screen is asking the server for: each thing once at a time, and when what failed may be asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any

from cekura_tui.api.errors import ApiError, BadAnswer, Busy, KeyRefused, NotFound, Rejected, ServerFault
from cekura_tui.jobs.schedule import after_failure
from cekura_tui.model.errors import CekuraTuiError

FOR_EVER = 3_600.0
"""Seconds to wait where nothing is to be done by itself."""


@dataclass(frozen=True, slots=True)
class _Failing:
    """Something that failed so many times in a row, and is tried again at a time (monotonic)."""

    times: int
    again_at: float


class Attempts:
    """Tasks by what they ask for. `ended` is called after each that ended by itself, well or not."""

    def __init__(
        self,
        ended: Callable[[], None],
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        spread: Callable[[], float],
    ) -> None:
        self._ended = ended
        self._clock, self._monotonic, self._spread = clock, monotonic, spread
        self.error: CekuraTuiError | None = None
        """Why nothing is told at the moment."""
        self.silent_since: float | None = None
        """Since when (Unix)."""
        self.busy_until: float | None = None
        """Until when (Unix) the server asked to be left alone."""
        self.broken: Exception | None = None
        """A fault of the program's own."""
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}
        self._failing: dict[Hashable, _Failing] = {}
        self._quiet_until = float("-inf")

    # Wishes

    def begin(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, None]], now: float, *, apart: bool = False
    ) -> None:
        """Do it, unless that goes on already or has to wait; `now` is monotonic.

        With `apart` it is one thing among many: that the server fails at it says nothing of the others.
        """
        if self.wait(key, now) <= 0:
            self._tasks[key] = asyncio.get_running_loop().create_task(self._do(key, work, apart))

    def cancel(self, *keys: Hashable) -> None:
        """Give up what is being asked for, if it is; whoever calls this from within goes on."""
        for key in keys:
            if (task := self._tasks.get(key)) is not None and task is not _current():
                task.cancel()
                del self._tasks[key]

    def cancel_all(self) -> None:
        """Give up everything; whoever calls this from within goes on."""
        self.cancel(*self._tasks)

    def forgive(self) -> None:
        """Whatever failed may be tried at once, also with a key that was refused."""
        self._failing.clear()
        if self.stopped:
            self.error = self.silent_since = None

    def forget(self) -> None:
        """Other things are asked for from now on; a server that is to be left alone still is."""
        self.cancel_all()
        self._failing.clear()
        if not self.quiet(self._monotonic()):
            self.error = self.silent_since = self.busy_until = None

    # What goes on

    @property
    def going(self) -> list[Hashable]:
        """What is being asked for, in the order in which it was begun."""
        return list(self._tasks)

    @property
    def stopped(self) -> bool:
        """Whether the key was refused, so that asking again is a person's wish."""
        return isinstance(self.error, KeyRefused)

    def quiet(self, now: float) -> float:
        """Seconds in which nothing at all may be asked, by the server's wish."""
        return max(0.0, self._quiet_until - now)

    def wait(self, key: Hashable, now: float) -> float:
        """Seconds until something may be begun."""
        if key in self._tasks:
            return FOR_EVER
        failing = self._failing.get(key)
        return max(self.quiet(now), failing.again_at - now if failing else 0.0)

    async def _do(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, None]], apart: bool) -> None:
        try:
            await work()
        except CekuraTuiError as error:
            if self._tasks.get(key) is _current():
                self.failed(key, error, apart=apart)
        except Exception as error:  # told by whoever serves the list, whose task somebody watches
            self.broken = error
        else:
            if self._tasks.get(key) is _current():
                self._succeeded(key, apart)
        finally:
            if self._tasks.get(key) is _current():
                del self._tasks[key]
        self._ended()

    def _succeeded(self, key: Hashable, apart: bool) -> None:
        failed = self._failing.pop(key, None)
        if failed and not apart:
            self._failing.clear()  # the server is back, also for all else that waits for it
        if not self.quiet(self._monotonic()):
            self.error = self.silent_since = self.busy_until = None

    def failed(self, key: Hashable, error: CekuraTuiError, *, apart: bool = False) -> None:
        """Asking for something failed: note when it may be tried again, and what that tells of the server."""
        now, before = self._monotonic(), self._failing.get(key)
        times = before.times + 1 if before else 1
        wait = after_failure(times, error.retry_after if isinstance(error, ApiError) else None, self._spread())
        self._failing[key] = _Failing(times, now + wait)
        if isinstance(error, Busy) and wait > self.quiet(now):
            # It speaks for the whole server: nothing is asked before that time.
            self._quiet_until, self.busy_until = now + wait, self._clock() + wait
        if isinstance(error, Busy | KeyRefused):
            self.cancel_all()
        elif apart and isinstance(error, ServerFault | Rejected | BadAnswer | NotFound):
            return
        if not self.stopped:
            self.error = error
        if self.silent_since is None:
            self.silent_since = self._clock()


def _current() -> asyncio.Task[Any] | None:
    return asyncio.current_task()
