"""Runs that come and go by the clock: when new ones start, and how far each one is. Nothing runs in between."""

from __future__ import annotations

from collections.abc import Callable

from cekura_tui.demo.facts import UNJUDGED, Fate, Kind

BACKLOG = 1_000_000
"""At most so many runs have arrived when a server starts, however old its workspace is."""
SLOWEST = 640.0
"""Seconds after which a run that arrived, or was going on at the epoch, has ended, whatever became of it."""

_QUEUED = (("in_queue", 2.0), ("pending", 4.0), ("scaling_up", 6.0))
_JUDGING = 10.0
_WAITED = {Kind.NO_ANSWER: 45.0, Kind.CANCELLED: 0.0}
_AGES = {"in_queue": 0.0, "pending": 2.0, "scaling_up": 4.0}
_SPOKEN = {"running": 0.3, "in_progress": 0.6, "evaluating": 1.0}
"""How much of its call is over when a run that goes on is first seen, as a share of the call."""


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

    def progress(self, at: float, end: Fate, seconds: int | None) -> tuple[Fate, float | None]:
        """How a run that arrived at a time is now, and how many seconds of its call have passed while somebody speaks;
        it ends so, after a call of so many seconds."""
        age = self._clock() - at
        for word, until in _QUEUED:
            if age < until:
                return _going_on(end, word), None
        age -= _QUEUED[-1][1]
        call = _WAITED.get(end.kind, float(seconds or 0))
        if age < call:
            spoken = None if end.kind is Kind.NO_ANSWER else age
            return _going_on(end, "running" if age < call / 2 else "in_progress"), spoken
        return _going_on(end, "evaluating") if end.kind not in UNJUDGED and age < call + _JUDGING else end, None

    def arrived(self, begun: str, seconds: int | None) -> float:
        """When a run arrived that has this status at the epoch, in unix seconds."""
        if begun in _AGES:
            return self._epoch - _AGES[begun]
        return self._epoch - _QUEUED[-1][1] - _SPOKEN[begun] * (seconds or 0)

    @property
    def first_are_over(self) -> bool:
        """Whether all runs that were going on at the epoch have ended."""
        return self._clock() - self._epoch >= SLOWEST


def spoken_at_first(begun: str, seconds: float) -> float | None:
    """How many seconds of a call of so many have passed in a run that stays as it is for ever."""
    return _SPOKEN[begun] * seconds if begun in ("running", "in_progress") else None


def _going_on(end: Fate, status: str) -> Fate:
    return end._replace(kind=Kind.LIVE, status=status)
