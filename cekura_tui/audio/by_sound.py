"""Compare the speech in a recording with the turns of the transcript."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cekura_tui.audio.speech import Interval, Sound, listen
from cekura_tui.model.text import count
from cekura_tui.model.transcript.timeline import LONG_SILENCE, Call, TimedTurn, Timeline, Timing, call_of, timeline_of
from cekura_tui.model.transcript.transcript import NAMES, TOOLS, Speaker, Turn

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import HeardJson, HeardKind
    from cekura_tui.model.run.view import RunView

DIFFERENT = 0.5
"""Seconds; a turn is marked if it is heard at another time than its own by more than this."""
_NEAR = 3.0
"""Maximum seconds between a turn and speech at another time that is still taken to be this turn."""


@dataclass(frozen=True, slots=True)
class BySound:
    """A call by its sound. `call` also has a turn for speech without a turn in the transcript; its number is a
    fraction, between the numbers of the turns before and after. `answers` compares the median answer times; empty if
    one is unknown. `note` says what is not certain about the channels, and how long the end is silent."""

    timeline: Timeline
    call: Call
    answers: str
    note: str

    @property
    def overlaps(self) -> str:
        """The number and the longest of the overlaps, as a phrase."""
        lengths = [one.seconds for one in self.timeline.overlaps]
        return f"{count(len(lengths), 'overlap')} up to {max(lengths):.1f} s" if lengths else ""

    def heard(self) -> list[HeardJson]:
        """What the ear notices, in the order of time."""
        line = self.timeline
        found: list[tuple[float, float | None, HeardKind, int, str]] = []
        who = {span.n: NAMES.get(span.speaker, "someone") for lane in line.lanes for span in lane.spans}
        for lane in line.lanes:
            if lane.name != "tools":
                for span in lane.spans:
                    extra = f" for {(span.end or 0.0) - span.start:.1f} s, no turn" if span.n % 1 else ""
                    words = "sound" if lane.name == "sound" else f"{who[span.n]} speaks{extra}"
                    found.append((span.start, span.end, lane.name, span.n, words))
        for gap in line.gaps:
            found.append((gap.start, gap.end, "silence", gap.turn, f"silence of {gap.seconds:.1f} s"))
        for one in line.answers:
            words = f"the agent answers after {one.seconds:.1f} s"
            found.append((one.at - one.seconds, one.at, "answer", one.turn, words))
        for both in line.overlaps:
            words = f"{who[both.turn]} interrupts {who[both.into]}, both speak for {both.seconds:.1f} s"
            found.append((both.start, both.end, "overlap", both.turn, words))
        for turn in self.call.turns:
            if words := self.call.timings.get(turn.n, Timing()).heard:
                words = f"{NAMES[turn.speaker]}’s turn: {words}"
                found.append((turn.start or 0.0, turn.end, "difference", turn.n, words))
        return [
            {
                "start": round(start, 2),
                "end": end and round(end, 2),
                "kind": kind,
                "turn": None if n % 1 else n or None,
                "words": words,
            }
            for start, end, kind, n, words in sorted(found, key=itemgetter(0))
        ]


def by_sound_of(path: Path, view: RunView, stop: threading.Event | None = None) -> BySound:
    """Compare the recording of a run with its transcript. Takes seconds for a long call. Raises RecordingError, also
    when `stop` is set."""
    return compare(listen(path, stop), view.call.turns, view.timeline, view.source.get("testing_channel_index"))


def compare(sound: Sound, turns: Sequence[Turn], transcript: Timeline, caller: object) -> BySound:
    """Match speech with turns. `caller` is the index of the caller's channel; without a valid one, the channels are
    assigned as they fit the times of the turns better."""
    channels, note = sound.channels, ""
    spans = {lane.name: lane.spans for lane in transcript.lanes}
    people: dict[Speaker, Sequence[TimedTurn]] = {"testing": spans["caller"], "main": spans["agent"]}
    if len(channels) == 1:
        people = {"other": sorted(spans["caller"] + spans["agent"], key=attrgetter("start"))}
        note = "one channel: only sound and silence"
    elif caller not in (0, 1):
        fits = [_common(speech, spans["caller"]) - _common(speech, spans["agent"]) for speech in channels]
        caller = fits.index(max(fits))
        why = "it fits the turns better" if fits[0] != fits[1] else "both fit the turns equally"
        note = f"caller in channel {caller}: {why}"
    heard, differences = [turn for turn in turns if turn.speaker in TOOLS], dict[int, str]()
    for (speaker, own), speech in zip(people.items(), reversed(channels) if caller == 1 else channels, strict=True):
        parts = _by_turn(speech, own)
        heard += [Turn(n, speaker, NAMES.get(speaker, ""), *one, "") for n, one in parts]
        if len(channels) == 2:
            differences |= {span.n: _difference(span, [one for n, one in parts if n == span.n]) for span in own}
    heard.sort(key=lambda turn: turn.start or 0.0)
    for k, one in enumerate(heard if len(channels) == 2 else ()):
        if not one.n:
            earlier = (turn.n for turn in turns if turn.start is not None and turn.start <= (one.start or 0.0))
            # A fraction, though turns have whole numbers: lists and timelines only compare the numbers.
            heard[k] = replace(one, n=cast(int, max(earlier, default=0) + (k + 1) / (len(heard) + 1)))
    line = timeline_of(heard, sound.seconds)
    caller_lane, agent_lane, tools, *others = line.lanes
    lanes = (*(replace(lane, name="sound") for lane in others), tools) if others else (caller_lane, agent_lane, tools)
    line = replace(line, turns=len(turns), lanes=lanes, ends_known=True, note="")
    call = call_of(sorted([*turns, *(turn for turn in heard if turn.n % 1)], key=attrgetter("n")), line)
    timings = {n: replace(call.timings.get(n, Timing()), heard=words) for n, words in differences.items()}
    answers = ""
    if line.median is not None and transcript.median is not None:
        answers = f"answers: median {transcript.median:.1f} s by transcript, {line.median:.1f} s by sound"
    last = max((one.end for speech in channels for one in speech), default=0.0)
    if (silent := sound.seconds - last) > LONG_SILENCE:
        note = " · ".join(filter(None, (note, f"the last {silent:.1f} s are silent")))
    return BySound(line, replace(call, timings={**call.timings, **timings}), answers, note)


def _common(speech: Sequence[Interval], spans: Sequence[TimedTurn]) -> float:
    """Seconds that speech and turns have in common."""
    return sum(max(_shared(one, span), 0.0) for one in speech for span in spans)


def _shared(one: Interval, span: TimedTurn) -> float:
    """Seconds that speech and a turn have in common; negative is the time between them."""
    return min(one.end, span.end or span.start + DIFFERENT) - max(one.start, span.start)


def _by_turn(speech: Sequence[Interval], spans: Sequence[TimedTurn]) -> list[tuple[int, Interval]]:
    """The speech of one person with the number of its turn; 0 if it has none. Speech during several turns is cut where
    the turns begin. Speech near a turn that is not heard otherwise is taken to be that turn."""
    parts: list[tuple[int, Interval]] = []
    for one in speech:
        met = [span for span in spans if _shared(one, span) > 0]
        cuts = [one.start, *(max(span.start, one.start) for span in met[1:]), one.end]
        numbers = [span.n for span in met] or [0]
        parts += [(n, Interval(*times)) for n, times in zip(numbers, pairwise(cuts), strict=True)]
    heard = {n for n, _ in parts}
    for place, one in ((place, one) for place, (n, one) in enumerate(parts) if n == 0):
        free = [span for span in spans if span.n not in heard or _shared(one, span) > -DIFFERENT]
        near = max(free, key=lambda span: _shared(one, span), default=None)
        if near is not None and _shared(one, near) > -_NEAR:
            parts[place] = near.n, one
            heard.add(near.n)
    return parts


def _difference(span: TimedTurn, parts: Sequence[Interval]) -> str:
    if not parts:
        return "not heard"
    later = parts[0].start - span.start
    longer = 0.0 if span.end is None else parts[-1].end - span.end
    verb, by = ("begins", later) if abs(later) > DIFFERENT else ("ends", longer)
    return f"{verb} {abs(by):.1f} s {'later' if by > 0 else 'earlier'} by sound" if abs(by) > DIFFERENT else ""
