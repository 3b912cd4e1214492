"""How long jobs usually take, and how long a running job has left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cekura_tui.model.text import count, span_text

MIN_JOBS = 3
"""Minimum number of finished jobs for an estimate."""
_SLACK = 1.25


class UsualDuration(NamedTuple):
    """The usual duration of jobs in seconds. `low` and `high` are the lower and upper quartiles of `jobs` jobs."""

    low: float
    median: float
    high: float
    jobs: int

    def time_left(self, elapsed: float) -> str:
        """The estimated time left after `elapsed` seconds, in words, such as "about 2 min left". `elapsed` is rounded
        down to 5 seconds, or to a minute from the first minute on: so the words change only when `span_text(elapsed)`
        does, and a list needs no extra redraw. From the median on, the words are "any moment", and after the upper
        quartile and 1.25 times the median "longer than usual"."""
        whole = max(0, int(elapsed))
        step = 5 if whole < 60 else 60
        rounded = whole // step * step
        if rounded >= self.median:
            return "any moment" if rounded < max(self.high, _SLACK * self.median) else "longer than usual"
        # From the middle of the current step.
        left = self.median - rounded - step / 2
        if left >= 57.5:
            return f"about {span_text(60 * max(1, round(left / 60)))} left"
        return f"about {5 * max(1, round(left / 5))} s left" if step == 5 else "less than a minute left"

    def fraction(self, elapsed: float) -> float:
        """`elapsed` seconds as a fraction of the median, from 0 to 1; 1 if the median is 0."""
        return min(max(elapsed, 0.0) / self.median, 1.0) if self.median > 0 else 1.0

    @property
    def words(self) -> str:
        """The quartiles and the median in words: "30 to 55 s, median 42 s of 17 jobs"."""
        low, median, high = (span_text(max(1, round(seconds))) for seconds in (self.low, self.median, self.high))
        amount, _, unit = low.partition(" ")
        spread = low if low == high else f"{amount if high.split(' ')[1:] == [unit] else low} to {high}"
        return f"{spread}, median {median} of {count(self.jobs, 'job')}"


def usual_duration(durations: Sequence[float]) -> UsualDuration | None:
    """Compute the usual duration from jobs' seconds in any order; None for fewer than MIN_JOBS jobs."""
    ordered = sorted(durations)
    if len(ordered) < MIN_JOBS:
        return None
    return UsualDuration(_quantile(ordered, 0.25), _quantile(ordered, 0.5), _quantile(ordered, 0.75), len(ordered))


def _quantile(ordered: Sequence[float], part: float) -> float:
    """The quantile `part` (0 to 1) of sorted values, interpolated between two values."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
