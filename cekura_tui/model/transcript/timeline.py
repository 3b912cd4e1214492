"""The timeline of a call: who spoke when, silences, overlaps, tool calls and response times."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import ClassVar, Literal

from cekura_tui.model.as_json import shape
from cekura_tui.model.text import count
from cekura_tui.model.transcript.tool_call import ToolCalls, is_tool
from cekura_tui.model.transcript.transcript import TOOLS, Speaker, Turn

LaneName = Literal["caller", "agent", "tools", "other", "sound"]

AN_HOUR = 3_600
"""Number of seconds; the times of a call of at least this length are shown with hours."""
LONG_SILENCE = 2.0
"""A silence longer than this many seconds is a gap."""
LONGEST_CALL = 7 * 86_400.0
"""Latest valid time of a call, in seconds; a later time would squeeze the whole call into one cell."""
_SHORTEST_OVERLAP = 0.1
_LANES: dict[Speaker, LaneName] = {"testing": "caller", "main": "agent", "tool_call": "tools", "tool_result": "tools"}


@dataclass(frozen=True, slots=True)
class TimedTurn:
    """The time of a turn, in seconds from the start of the call."""

    __pydantic_config__: ClassVar = shape("TimedTurnJson")
    n: int = field(metadata={"json_schema_extra": {"minimum": 1}})
    speaker: Speaker
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Lane:
    name: LaneName
    spans: tuple[TimedTurn, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of over 2 seconds, which turn `turn` ends."""

    __pydantic_config__: ClassVar = shape("SilenceJson")
    start: float
    end: float
    turn: int

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two people speak at once: turn `turn` interrupts turn `into`."""

    __pydantic_config__: ClassVar = shape("OverlapJson")
    start: float
    end: float
    turn: int
    into: int

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """How long the agent took to answer: the agent's turn `turn` answers the caller's turn `to`."""

    __pydantic_config__: ClassVar = shape("AnswerJson")
    turn: int
    to: int
    at: float
    seconds: float
    """Seconds from the end of the caller's turn to the start of the agent's turn."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A call of `length` seconds. Gaps, overlaps and answers are known only if `ends_known`. `untimed` has the numbers
    of turns without a valid start. `note` says which times are unknown; empty if all are known."""

    length: float
    turns: int
    lanes: tuple[Lane, ...]
    gaps: tuple[Silence, ...]
    overlaps: tuple[Overlap, ...]
    answers: tuple[ResponseTime, ...]
    untimed: tuple[int, ...]
    ends_known: bool
    note: str

    @property
    def has_times(self) -> bool:
        return len(self.untimed) < self.turns

    @property
    def median(self) -> float | None:
        """The agent's median response time in seconds; None if there are no answers."""
        # Importing `statistics` would slow down the start.
        ordered = sorted(answer.seconds for answer in self.answers)
        half = len(ordered) // 2
        return (ordered[half] + ordered[~half]) / 2 if ordered else None

    @property
    def slowest_first(self) -> list[ResponseTime]:
        return sorted(self.answers, key=lambda answer: -answer.seconds)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of silence before a turn, and of overlap with another turn; 0 if there is none. `heard` says how the turn
    differs in the recording ("begins 1.2 s later by sound"); empty if it does not, or if the recording was not read."""

    silence: float = 0.0
    overlap: float = 0.0
    heard: str = ""

    @property
    def line(self) -> str:
        """The text above the turn; empty if there is none."""
        return " · ".join(filter(None, (f"{self.silence:.1f} s silence" if self.silence else "", self.heard)))


def timeline_of(turns: Sequence[Turn], length: float | None = None) -> Timeline:
    """Build the timeline of a call of `length` seconds (None if unknown). A time that is negative or over LONGEST_CALL
    counts as missing, and so does an end before its start. But a negative start becomes 0 if the end is valid."""
    spans: list[TimedTurn] = []
    untimed: list[Turn] = []
    wrong = 0
    latest = max(_plausible(length) or 0.0, 0.0)
    for turn in turns:
        start, end = _plausible(turn.start), _plausible(turn.end)
        if start is None and end is not None and turn.start is not None and turn.start < 0:
            start = 0.0
        if end is not None and end > latest:
            latest = end
        if start is None:
            untimed.append(turn)
            wrong += turn.start is not None
            continue
        if start > latest:
            latest = start
        spans.append(TimedTurn(turn.n, turn.speaker, start, end if end is not None and end >= start else None))
    spans.sort(key=attrgetter("start", "n"))
    speech = [span for span in spans if span.speaker not in TOOLS]
    # These may have been spoken during an apparent silence or response time.
    unplaced = [turn for turn in untimed if turn.speaker not in TOOLS and turn.text.strip()]
    return Timeline(
        length=latest,
        turns=len(turns),
        lanes=_lanes(spans),
        gaps=tuple(_gaps(speech, sorted(turn.n for turn in unplaced))),
        overlaps=tuple(_overlaps(speech)),
        answers=tuple(_answers(speech, sorted(turn.n for turn in unplaced if turn.speaker != "other"))),
        untimed=tuple(turn.n for turn in untimed),
        ends_known=any(span.end is not None for span in speech),
        note=_note(len(turns), len(untimed), wrong, speech),
    )


def timings(line: Timeline) -> dict[int, Timing]:
    """The longest overlap of each turn, or else the silence before it; turns with neither are left out."""
    found = {gap.turn: Timing(silence=gap.seconds) for gap in line.gaps}
    for overlap in line.overlaps:
        if overlap.seconds > found.get(overlap.turn, Timing()).overlap:
            found[overlap.turn] = Timing(overlap=overlap.seconds)
    return found


def clock(seconds: float | None, *, hours: bool = False) -> str:
    """Format seconds of a call as "01:07", or with `hours` as "0:01:07"; empty if None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def needs_hours(latest: float) -> bool:
    """Whether the times of a call are shown with hours; `latest` is the call's latest time in seconds."""
    return latest >= AN_HOUR


def have_hours(turns: Iterable[Turn]) -> bool:
    return needs_hours(max((turn.start or 0.0 for turn in turns), default=0.0))


def time_of(turn: Turn, *, hours: bool) -> str:
    """The start time of a turn as text; the number of the turn, such as "#3", if its start is unknown."""
    return clock(turn.start, hours=hours) or f"#{turn.n}"


def key_figures(timeline: Timeline, cited: Container[int]) -> list[list[str]]:
    """Key figures of a call as lists of phrases, in three wordings, longest first; `cited` has turn numbers."""
    hours = needs_hours(timeline.length)
    longest = max(timeline.gaps, key=lambda gap: gap.seconds, default=None)
    gaps, long = count(len(timeline.gaps), "gap"), _seconds(longest.seconds if longest else 0)
    middle, slow, slowest = _seconds(timeline.median or 0), next(iter(timeline.slowest_first), None), ""
    if slow is not None:
        slowest = f"slowest {_seconds(slow.seconds)}"
    overlaps = count(len(timeline.overlaps), "overlap") if timeline.overlaps else ""
    lost = sum(n in cited for n in timeline.untimed)
    unplaced = f"{count(lost, 'cited turn')} without a time" if lost else ""
    none = "no gap over 2 s" if timeline.ends_known else ""
    starts = "" if timeline.ends_known else "only start times"
    untimed = f"{len(timeline.untimed):,} untimed" if timeline.untimed else timeline.note
    missing = f"{starts}: no gaps, overlaps or answer times" if starts else untimed
    wordings = (
        (
            f"{gaps}, longest {long} at {clock(longest.start, hours=hours)}" if longest else none,
            f"answers: median {middle}, {slowest} at {clock(slow.at, hours=hours)}" if slow else "",
            overlaps,
            timeline.note.rstrip("."),
            unplaced,
        ),
        (
            f"{gaps}, longest {long}" if longest else none,
            f"answers: median {middle}, {slowest}" if slow else "",
            overlaps,
            missing,
            unplaced,
        ),
        (
            f"{gaps} up to {long}" if longest else none,
            f"answers {middle}, {slowest}" if slow else "",
            overlaps,
            starts or untimed,
        ),
    )
    return [[part for part in parts if part] for parts in wordings]


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s"


def _plausible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 <= seconds <= LONGEST_CALL else None


def _lanes(spans: Iterable[TimedTurn]) -> tuple[Lane, ...]:
    by_name: dict[LaneName, list[TimedTurn]] = {"caller": [], "agent": [], "tools": []}
    for span in spans:
        by_name.setdefault(_LANES.get(span.speaker, "other"), []).append(span)
    return tuple(Lane(name, tuple(found)) for name, found in by_name.items())


def _gaps(speech: Iterable[TimedTurn], unplaced: Sequence[int]) -> Iterable[Silence]:
    """Yield the certain silences: not after a turn without an end, or where a turn of `unplaced` may be."""
    last_end, last, sure = 0.0, 0, False
    for span in speech:
        if sure and span.start - last_end > LONG_SILENCE and not _between(unplaced, last, span.n):
            yield Silence(last_end, span.start, span.n)
        sure = span.end is not None
        until = span.start if span.end is None else span.end
        if until >= last_end:
            last_end, last = until, span.n


def _overlaps(speech: Iterable[TimedTurn]) -> Iterable[Overlap]:
    ends: dict[Speaker, tuple[float, int]] = {}  # latest end of each speaker, and its turn
    for span in speech:
        if span.end is None:
            continue
        for speaker, (until, n) in ends.items():
            end = min(until, span.end)
            if speaker != span.speaker and end - span.start >= _SHORTEST_OVERLAP:
                yield Overlap(span.start, end, span.n, n)
        if span.speaker not in ends or span.end >= ends[span.speaker][0]:
            ends[span.speaker] = span.end, span.n


def _answers(speech: Iterable[TimedTurn], unplaced: Sequence[int]) -> Iterable[ResponseTime]:
    """Yield the agent's answers that are certain; a turn that began before the caller stopped speaking is no answer. An
    answer is not certain if a turn of `unplaced` (without a time) is between the caller's turn and the answer."""
    silent_from: float | None = None
    to = 0
    agent_until = 0.0
    for span in speech:
        if span.speaker == "testing":
            if span.end is None:
                silent_from = None
            elif silent_from is None or span.end >= silent_from:
                silent_from, to = span.end, span.n
        elif span.speaker == "main":
            if silent_from is not None and span.start >= silent_from:
                if agent_until <= silent_from and not _between(unplaced, to, span.n):
                    yield ResponseTime(span.n, to, span.start, span.start - silent_from)
                silent_from = None
            elif span.end is None:
                silent_from = None
            agent_until = max(agent_until, span.end or span.start)


def _between(numbers: Sequence[int], one: int, other: int) -> bool:
    """Whether any of the sorted numbers lies strictly between `one` and `other`."""
    low, high = min(one, other), max(one, other)
    return bisect_right(numbers, low) < bisect_left(numbers, high)


def _note(turns: int, untimed: int, wrong: int, speech: Sequence[TimedTurn]) -> str:
    if not turns:
        return "No turns."
    time = "valid time" if wrong else "time"
    if untimed == turns:
        return f"The only turn has no {time}." if turns == 1 else f"None of the {turns:,} turns has a {time}."
    notes = [f"{_of(untimed, turns)} no {time}."] if untimed else []
    points = sum(span.end is None for span in speech)
    if points and points == len(speech):
        whole = ", to the second" if all(float(span.start).is_integer() for span in speech) else ""
        notes.append(f"Only start times were sent{whole}: no gaps, overlaps or answer times.")
    elif points:
        notes.append(f"{_of(points, turns)} no end.")
    return " ".join(notes)


def _of(some: int, turns: int) -> str:
    return f"{some:,} of {turns:,} {'turn' if turns == 1 else 'turns'} {'has' if some == 1 else 'have'}"


@dataclass(frozen=True)
class Call:
    """The turns of one call, with the data that a transcript view needs. `timings` is by turn number. `sizes` has the
    numbers of characters and line ends of each turn's text; (0, 0) for a tool turn, which is folded. `latest` is the
    latest start in seconds."""

    turns: Sequence[Turn] = ()
    timings: Mapping[int, Timing] = field(default_factory=dict)
    tools: ToolCalls = field(default_factory=lambda: ToolCalls(()))
    sizes: Sequence[tuple[int, int]] = ()
    latest: float = 0.0


def call_of(turns: Sequence[Turn], timeline: Timeline | None = None) -> Call:
    """Make a Call of these turns; pass `timeline` if it is already computed."""
    return Call(
        turns,
        timings(timeline_of(turns) if timeline is None else timeline),
        ToolCalls(turns),
        sizes_of(turns),
        max((turn.start or 0.0 for turn in turns), default=0.0),
    )


def sizes_of(turns: Sequence[Turn]) -> list[tuple[int, int]]:
    return [(0, 0) if is_tool(turn) else (len(turn.text), turn.text.count("\n")) for turn in turns]
