"""A call as it is read: its turns, and what a list of them needs to know of all, gathered off the screen's loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cekura_tui.model.timeline import Timeline, Timing, timeline_of, timings
from cekura_tui.model.tool_call import ToolCalls, is_tool
from cekura_tui.model.turn import Speaker, Turn


@dataclass(frozen=True)
class Call:
    """The turns of one call. `latest` is the start of the last of them, in seconds; silences and overlaps are by turn
    number; `sizes` are the characters and the line ends of each turn's text, none for a tool's, which is folded."""

    turns: Sequence[Turn] = ()
    timings: Mapping[int, Timing] = field(default_factory=dict)
    tools: ToolCalls = field(default_factory=lambda: ToolCalls(()))
    sizes: Sequence[tuple[int, int]] = ()
    speakers: Mapping[Speaker, int] = field(default_factory=dict)
    latest: float = 0.0


def call_of(turns: Sequence[Turn], timeline: Timeline | None = None) -> Call:
    """The call of these turns; `timeline` is theirs, where it was worked out already."""
    return Call(
        turns,
        timings(timeline_of(turns) if timeline is None else timeline),
        ToolCalls(turns),
        sizes_of(turns),
        Counter(turn.speaker for turn in turns),
        max((turn.start or 0.0 for turn in turns), default=0.0),
    )


def sizes_of(turns: Sequence[Turn]) -> list[tuple[int, int]]:
    """The characters and the line ends of each turn's text."""
    return [(0, 0) if is_tool(turn) else (len(turn.text), turn.text.count("\n")) for turn in turns]
