"""Times that an explanation names: which turns of the call they mean."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from cekura_tui.model.evidence_match import SaidWords
from cekura_tui.model.evidence_mentions import AGENT, CALLER, Sentence, Time
from cekura_tui.model.turn import TOOLS, Turn

_BESIDE = 15.0
"""Seconds before and after the speech of a turn within which a time may still mean it."""
_NEXT = 3.0
"""Likewise, where it certainly does."""
_EARLY = 2.0
"""Seconds before the first turn within which a time may mean it."""
_FEW_OF_RANGE, _MOST_OF_RANGE = 3, 8
"""Turns of a range of time: so few need no other sign of who is meant; more than so many are not all pointed at."""
_HALF = 0.55
"""Seconds after the end of a range, as it is written, in which a turn may start that is still in it."""
_SILENCE = re.compile(r"\b(?:silence|silent|pause|gap|dead air|nobody speaks|latency|delay|Stille|silencio)\b", re.I)


class TurnTimes:
    """The times of the turns of one call; `said` knows which times of the day somebody says."""

    def __init__(self, turns: Sequence[Turn], said: SaidWords) -> None:
        self._turns, self._said = turns, said
        timed = sorted((turn.start, index) for index, turn in enumerate(turns) if turn.start is not None)
        self._starts = [start for start, _ in timed]
        self._at = [index for _, index in timed]
        self._end = max((turn.end or turn.start or 0.0 for turn in turns), default=0.0)

    def meant(self, time: Time, sentence: Sentence) -> list[int]:
        """The turns of a time. One that is later than the call, or that somebody says, is a time of the day."""
        if not self._starts or time.last > self._end + 1:
            return []
        if not time.sure and self._said.spread(time.text.lstrip("0")):
            return []
        if time.first < time.last:
            inside = sorted(self._starting(int(time.first), time.last + _HALF))
            if len(inside) > _FEW_OF_RANGE and AGENT.search(sentence.rest) and not CALLER.search(sentence.rest):
                inside = [index for index in inside if self._turns[index].speaker == "main"] or inside
            return inside if len(inside) <= _MOST_OF_RANGE else inside[:1]
        if here := self._starting(int(time.first), int(time.first) + 1):
            return here if len(here) < 2 else self._of_several(here, sentence)
        if _SILENCE.search(sentence.rest) and not time.vague and (edges := self._around(time.first)):
            return edges
        return self._nearest(time.first)

    def _starting(self, first: float, before: float) -> list[int]:
        """The turns that start within a stretch of time."""
        return self._at[bisect_left(self._starts, first) : bisect_left(self._starts, before)]

    def _around(self, at: float) -> list[int]:
        """The turns on both sides of a silence, where there is one at that time."""
        place = bisect_right(self._starts, at) - 1
        if not 0 <= place < len(self._at) - 1:
            return []
        end = self._turns[self._at[place]].end
        return [self._at[place], self._at[place + 1]] if end is not None and end < at else []

    def _of_several(self, here: list[int], sentence: Sentence) -> list[int]:
        tools = [index for index in here if self._turns[index].speaker in TOOLS]
        if tools and any(word in sentence.rest.lower() for word in ("tool", "call", "result", "function")):
            return tools[-1:]
        spoken = [index for index in here if self._turns[index].speaker not in TOOLS]
        return (spoken or here)[:1]

    def _nearest(self, at: float) -> list[int]:
        """The turn that is being spoken at a time, else the one whose end or start is nearest."""
        place = bisect_right(self._starts, at) - 1
        best: tuple[float, int] | None = None
        for k in range(max(place - 3, 0), min(place + 2, len(self._at))):
            turn = self._turns[self._at[k]]
            start = turn.start or 0.0
            following = self._starts[k + 1] if k + 1 < len(self._starts) else self._end
            end = max(start, turn.end if turn.end is not None else following)
            away = start - at if at < start else max(at - end, 0.0)
            if k == 0 and away > _EARLY and at < start:
                continue  # nobody has said anything yet
            if away <= _BESIDE and (best is None or away < best[0] or (away == best[0] and turn.speaker not in TOOLS)):
                best = away, self._at[k]
        return [] if best is None else [best[1]]

    def certain(self, time: Time, index: int) -> bool:
        """Whether a time is within the speech of a turn, or next to it, and not only nearer to it than to another."""
        turn = self._turns[index]
        start = turn.start or 0.0
        return start - _NEXT <= time.last and time.first <= max(turn.end or start, start) + _NEXT

    def tells_again(self, time: Time, indexes: list[int], quoted: set[int]) -> bool:
        """Whether a time only says once more which turn a quote is of: it is near that turn's, and no other's."""
        if not quoted or set(indexes) & quoted or time.first < time.last:
            return False
        exact = any(abs((self._turns[i].start or 0.0) - time.first) < 1.5 for i in indexes)
        near = any(abs((self._turns[i].start or -99.0) - time.first) <= (10 if time.vague else 3) for i in quoted)
        return near and not exact
