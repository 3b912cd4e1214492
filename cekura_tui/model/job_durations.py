"""How long jobs take: what is usual, and what to expect of one that runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cekura_tui.model.text import count, span_text

LEAST = 3
"""Fewest jobs that an estimate is made from: one or two say little about the next."""
_SLACK = 1.25


class Usual(NamedTuple):
    """How long jobs took, in seconds: the middle half of them `low` to `high`."""

    low: float
    median: float
    high: float
    jobs: int

    def left(self, elapsed: float) -> str:
        """The expected time left after `elapsed` seconds, in steps of 5 seconds in the first minute, then of a minute.

        It changes only where `span_text(elapsed)` does, so a list is not drawn more often for it.
        """
        whole = max(0, int(elapsed))
        step = 5 if whole < 60 else 60
        rounded = whole // step * step
        if rounded >= self.median:
            return "any moment" if rounded < max(self.high, _SLACK * self.median) else "longer than usual"
        # Halfway through the step that the elapsed time is in.
        left = self.median - rounded - step / 2
        if left >= 57.5:
            return f"about {span_text(60 * max(1, round(left / 60)))} left"
        return f"about {5 * max(1, round(left / 5))} s left" if step == 5 else "less than a minute left"

    def part(self, elapsed: float) -> float:
        """How much of the usual time a job has had: 0.5 at half of it, 1 from the median on."""
        return min(max(elapsed, 0.0) / self.median, 1.0) if self.median > 0 else 1.0

    @property
    def words(self) -> str:
        """Spread and median: "30 to 55 s, median 42 s of 17 jobs"."""
        low, median, high = (span_text(max(1, round(seconds))) for seconds in (self.low, self.median, self.high))
        amount, _, unit = low.partition(" ")
        spread = low if low == high else f"{amount if high.split(' ')[1:] == [unit] else low} to {high}"
        return f"{spread}, median {median} of {count(self.jobs, 'job')}"


def usual(durations: Sequence[float]) -> Usual | None:
    """What is usual, of how many seconds jobs took in any order; nothing where there are too few."""
    ordered = sorted(durations)
    if len(ordered) < LEAST:
        return None
    return Usual(_quantile(ordered, 0.25), _quantile(ordered, 0.5), _quantile(ordered, 0.75), len(ordered))


def _quantile(ordered: Sequence[float], part: float) -> float:
    """The value below which this part of them lies, between two of them if need be."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
