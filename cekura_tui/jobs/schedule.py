"""When to ask about a job next: pure, all times in seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
LONGEST = 60.0
"""No running job waits longer than this, less its spread, unless the server asked for it."""
BUDGET, WINDOW = 5, 1.05
"""Background requests in so many seconds: a little over one, for the way to the server shifts them."""
OFTEN = 3
"""So often, over a minute, must the server say what ends the following of a job."""
PATIENT = 2
"""So many failures in a row may be those of one job; more are the server's."""


def interval(age: float, spread: float) -> float:
    """Seconds until a job of this age is asked about again; `spread` is a random number from 0 to 1."""
    base = 2.0 if age < MINUTE else 5.0 if age < 10 * MINUTE else 15.0 if age < HOUR else LONGEST
    return base * _around_one(spread)


def after_failure(failures: int, retry_after: float | None, spread: float) -> float:
    """Seconds until the next try after so many failures in a row; what the server asked for wins.

    At least a second, so that nothing is asked in a row, and an hour at the most, so that no job is forgotten.
    """
    if retry_after is not None:
        return min(max(retry_after, 1.0), HOUR)
    return min(2.0 ** min(failures, 10), LONGEST / 1.2) * _around_one(spread)


def server_pause(failures: int, retry_after: float | None, spread: float) -> float:
    """Seconds in which the server is asked nothing at all after so many failures in a row, of whichever jobs."""
    if retry_after is None and failures <= PATIENT:
        return 0.0
    return after_failure(max(1, failures - PATIENT), retry_after, spread)


def _around_one(spread: float) -> float:
    """0.8 to 1.2."""
    return 0.8 + 0.4 * min(max(spread, 0.0), 1.0)


@dataclass
class Streak:
    """How often in a row, and since when, the server said something."""

    times: int = 0
    since: float = 0.0

    def add(self, now: float) -> bool:
        """Once more; returns whether this was often enough, over a minute, to be believed."""
        self.since = self.since if self.times else now
        self.times += 1
        return self.times >= OFTEN and now - self.since >= MINUTE

    def end(self) -> None:
        """It said something else."""
        self.times = 0


class Budget:
    """At most `rate` requests in any `window` of seconds."""

    def __init__(self, rate: int = BUDGET, window: float = WINDOW) -> None:
        self._taken: deque[float] = deque(maxlen=rate)
        self._window = window

    def wait(self, now: float) -> float:
        """Seconds until a request may be made."""
        if len(self._taken) < (self._taken.maxlen or 1):
            return 0.0
        return max(0.0, self._taken[0] + self._window - now)

    def take(self, now: float) -> None:
        """A request is made now."""
        self._taken.append(now)
