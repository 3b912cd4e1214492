"""Compare who speaks when, as found in a recording, with the truth. Every true and every found time is used once.

- Borders, the starts and ends of intervals: right within 60 ms of a true one of the same person and kind.
- Overlaps, in which both speak for at least 0.1 s: right if start and end are within 100 ms.
- Answers, from the end of the caller's speech to the start of the agent's: a silence in which neither speaks, before
  which the agent was silent and after which the caller is. Right if the agent starts within 0.5 s of the true start and
  the silence is at most 100 ms longer or shorter.

An overlap or answer that fits its definition only in the truth or only in the found times is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from telephone_calls import JOIN, PEOPLE, Call

from cekura_tui.audio.speech import FRAMES, Frames, listen, read_frames

_BORDER, _OVERLAP, _ANSWER, _ANSWER_PLACE = 0.06, 0.1, 0.1, 0.5
_TINY = 1e-6
"""Rounding must not put a time outside that is exactly at a limit."""
_BELOW = (10, 15, 20, 25, 30, 35, 40, 45, 50)

Times = tuple[float, float]


class Score(NamedTuple):
    """Numbers of true, found and right borders, overlaps or answers."""

    true: int = 0
    found: int = 0
    right: int = 0

    @property
    def share(self) -> float:
        return self.right / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0


Scores = Mapping[str, Score]
"""The score of `borders`, `overlaps` and `answers`."""


def total(every: Iterable[Scores]) -> dict[str, Score]:
    found: dict[str, Score] = {}
    for scores in every:
        for name, one in scores.items():
            found[name] = Score(*map(sum, zip(found.get(name, Score()), one, strict=True)))
    return found


def by_method(calls: Sequence[Call]) -> dict[str, dict[str, Score]]:
    """The scores of the program and of energy alone, with a fixed threshold and with the best of several."""
    with ThreadPoolExecutor() as pool:
        heard = pool.map(listen, [call.path for call in calls])
        frames = [read_frames(call.path) for call in calls]
        ours = [_score(call, sound.channels) for call, sound in zip(calls, heard, strict=True)]
    energy = {
        below: [
            _score(call, [_by_energy(channel, below) for channel in channels])
            for call, channels in zip(calls, frames, strict=True)
        ]
        for below in _BELOW
    }
    totals = {below: total(scores) for below, scores in energy.items()}
    best = max(totals, key=lambda below: totals[below]["borders"].right)
    return {"ours": total(ours), "energy, −30 dB": totals[30], f"energy, best, −{best} dB": totals[best]}


def _score(call: Call, found: Sequence[Sequence[Times]]) -> Scores:
    return score(call.speech, dict(zip(PEOPLE, found, strict=True)))


def _by_energy(channel: Frames, below: float) -> list[Times]:
    """Frames louder than a fixed threshold, without pauses shorter than `JOIN`."""
    least, joined = max(channel.level) - below, list[Times]()
    for n, level in enumerate(channel.level):
        if level > least:
            start = joined.pop()[0] if joined and n / FRAMES - joined[-1][1] < JOIN - _TINY else n / FRAMES
            joined.append((start, (n + 1) / FRAMES))
    return joined


def score(truth: Mapping[str, Sequence[Times]], found: Mapping[str, Sequence[Times]]) -> dict[str, Score]:
    """The scores of one call."""
    borders = []
    for who in PEOPLE:
        for side in (0, 1):
            true, ours = (sorted(one[side] for one in call[who]) for call in (truth, found))
            borders.append({"borders": Score(len(true), len(ours), _paired(true, ours))})
    both = [overlaps(call) for call in (truth, found)]
    shared = _nearest(*both, lambda one, other: max(abs(one[n] - other[n]) for n in (0, 1)), _OVERLAP)
    replies = [answers(call) for call in (truth, found)]
    pairs = _nearest(*replies, lambda one, other: abs(one[1] - other[1]), _ANSWER_PLACE)
    right = sum(abs(_length(one) - _length(other)) <= _ANSWER + _TINY for one, other in pairs)
    return {
        **total(borders),
        "overlaps": Score(*map(len, both), len(shared)),
        "answers": Score(*map(len, replies), right),
    }


def overlaps(call: Mapping[str, Sequence[Times]]) -> list[Times]:
    """Where both speak for at least 0.1 s."""
    caller, agent = (call[who] for who in PEOPLE)
    shared = [(max(start, first), min(end, last)) for start, end in caller for first, last in agent]
    return sorted(one for one in shared if _length(one) >= _OVERLAP - _TINY)


def answers(call: Mapping[str, Sequence[Times]]) -> list[Times]:
    """The caller's end and the agent's start of each answer."""
    caller, agent = (call[who] for who in PEOPLE)
    found = []
    for start, _ in sorted(agent):
        ended = max((end for _, end in caller if end <= start), default=None)
        if ended is None or any(first < start < last for first, last in caller):
            continue
        # An earlier interval of the agent that ends after the caller: the agent was not silent.
        if not any(first < start and last > ended for first, last in agent):
            found.append((ended, start))
    return found


def _length(one: Times) -> float:
    return one[1] - one[0]


def _paired(true: Sequence[float], found: Sequence[float]) -> int:
    """How many of two sorted lists of borders can be paired at most."""
    right = n = k = 0
    while n < len(true) and k < len(found):
        difference = found[k] - true[n]
        if abs(difference) <= _BORDER + _TINY:
            right, n, k = right + 1, n + 1, k + 1
        elif difference < 0:
            k += 1
        else:
            n += 1
    return right


def _nearest(
    true: Sequence[Times], found: Sequence[Times], distance: Callable[[Times, Times], float], within: float
) -> list[tuple[Times, Times]]:
    """Pairs of a true and a found one, the nearest first."""
    near = sorted((distance(one, other), n, k) for n, one in enumerate(true) for k, other in enumerate(found))
    pairs: dict[int, int] = {}
    for apart, n, k in near:
        if apart <= within + _TINY and n not in pairs and k not in pairs.values():
            pairs[n] = k
    return [(true[n], found[k]) for n, k in pairs.items()]
