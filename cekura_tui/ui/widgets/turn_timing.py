"""What the clock says between turns: silences and overlaps, from the times the server sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cekura_tui.model.transcript import Turn

LONG_SILENCE = 2.0
_TOUCH = 0.1
_TOOLS = ("tool_call", "tool_result")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of silence before a turn, and of speaking over the turn before; 0 where there is nothing to say."""

    silence: float = 0.0
    overlap: float = 0.0


def timings(turns: Iterable[Turn]) -> dict[int, Timing]:
    """By turn number, only the turns that have something to say. Tool calls make no sound and are passed over."""
    found: dict[int, Timing] = {}
    heard_until: float | None = None
    last: Turn | None = None
    for turn in turns:
        if turn.speaker in _TOOLS or turn.start is None:
            continue
        if heard_until is not None and turn.start - heard_until > LONG_SILENCE:
            found[turn.n] = Timing(silence=turn.start - heard_until)
        elif last is not None and last.end is not None and turn.speaker != last.speaker:
            overlap = min(last.end, turn.end if turn.end is not None else last.end) - turn.start
            if overlap >= _TOUCH:
                found[turn.n] = Timing(overlap=overlap)
        if turn.end is not None:
            heard_until = max(turn.end, heard_until or 0.0)
        last = turn
    return found


def clock(seconds: float | None, *, hours: bool = False) -> str:
    """A time of the call as "01:07", with hours as "0:01:07"; empty where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
