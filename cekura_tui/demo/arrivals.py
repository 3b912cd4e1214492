"""Runs that come and go by the clock: when new ones start, and how far each one is. Nothing runs in between."""

from __future__ import annotations

from collections.abc import Callable

from cekura_tui.demo.facts import NEWEST, Fate, Kind

BACKLOG = 1_000_000
"""At most so many runs have arrived when a server starts, however old its workspace is."""
SLOWEST = 640.0
"""Seconds after which a run that arrived has ended, whatever became of it."""

_QUEUED = (("in_queue", 2.0), ("pending", 4.0), ("scaling_up", 6.0))
_JUDGING = 10.0
_WAITED = {Kind.NO_ANSWER: 45.0, Kind.CANCELLED: 0.0}
_UNJUDGED = (Kind.NO_ANSWER, Kind.DROPPED, Kind.TIMEOUT, Kind.CANCELLED)


class Arrivals:
    """A run of the first project every `every` seconds after `epoch`; `clock` gives unix seconds."""

    def __init__(self, epoch: float, every: float, clock: Callable[[], float]) -> None:
        self._epoch = float(int(epoch))
        self._every = every
        self._clock = clock
        self._begin = max(self._epoch, clock() - BACKLOG * every)

    def number(self, ago: float = 0.0) -> int:
        """How many had arrived `ago` seconds before now."""
        now = self._clock() - ago
        number = max(0, int((now - self._begin) / self._every))
        while number and self.at(number) > now:
            number -= 1
        while self.at(number + 1) <= now:
            number += 1
        return number

    def at(self, number: int) -> float:
        """When the first, second, … one arrives, in unix seconds."""
        return round(self._begin + number * self._every, 3)

    def fate(self, at: float, end: Fate, seconds: int | None) -> Fate:
        """How a run that arrived at a time is now; it ends so, after a call of so many seconds."""
        age = self._clock() - at
        for word, until in _QUEUED:
            if age < until:
                return _going_on(end, word)
        age -= _QUEUED[-1][1]
        call = _WAITED.get(end.kind, float(seconds or 0))
        if age < call:
            return _going_on(end, "running" if age < call / 2 else "in_progress")
        return _going_on(end, "evaluating") if end.kind not in _UNJUDGED and age < call + _JUDGING else end

    def fate_of_first(self, rank: int, begun: Fate, end: Fate) -> Fate:
        """How a run that was going on at the epoch is now; those that start the latest end the last."""
        left = _first_ends(rank) - (self._clock() - self._epoch)
        if left <= 0:
            return end
        return _going_on(end, begun.status if left > _JUDGING else "evaluating")

    @property
    def first_are_over(self) -> bool:
        """Whether all runs that were going on at the epoch have ended."""
        return self._clock() - self._epoch >= _first_ends(len(NEWEST))


def _first_ends(rank: int) -> float:
    """So many seconds after the epoch."""
    return 20.0 + 10.0 * rank


def _going_on(end: Fate, status: str) -> Fate:
    return end._replace(kind=Kind.LIVE, status=status)
