"""When to ask about a job next: pure, all times in seconds."""

from __future__ import annotations

from collections import deque

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
LONGEST = 60.0
"""No running job waits longer than this, less its spread, unless the server asked for it."""
BUDGET = 5
"""Background requests a second."""
UNKNOWN_TIMES, UNKNOWN_FOR = 3, MINUTE
"""A job is lost once the server has not known its id this often over this long."""


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


def is_lost(unknown: int, unknown_for: float, age: float) -> bool:
    """Whether a job is lost that the server did not know so often over so many seconds, or that is this old."""
    return (unknown >= UNKNOWN_TIMES and unknown_for >= UNKNOWN_FOR) or age >= DAY


def _around_one(spread: float) -> float:
    """0.8 to 1.2."""
    return 0.8 + 0.4 * min(max(spread, 0.0), 1.0)


class Budget:
    """At most `rate` requests in any second."""

    def __init__(self, rate: int = BUDGET) -> None:
        self._taken: deque[float] = deque(maxlen=rate)

    def wait(self, now: float) -> float:
        """Seconds until a request may be made."""
        if len(self._taken) < (self._taken.maxlen or 1):
            return 0.0
        return max(0.0, self._taken[0] + 1.0 - now)

    def take(self, now: float) -> None:
        """A request is made now."""
        self._taken.append(now)
