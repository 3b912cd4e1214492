"""Compare the speech in a recording with the turns of the transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from cekura_tui.audio.speech import Interval, Sound, listen
from cekura_tui.model.transcript.timeline import (
    Call,
    TimedTurn,
    Timeline,
    Timing,
    call_of,
    timeline_by_sound,
)
from cekura_tui.model.transcript.transcript import NAMES, Speaker, Turn

DIFFERENT = 0.5
"""Seconds; a turn is marked if it is heard at another time than its own by more than this."""
_NEAR = 3.0
"""Most seconds between a turn and the speech that is taken to be the turn although their times do not meet."""
_ONE_CHANNEL = "one channel: only sound and silence"


@dataclass(frozen=True, slots=True)
class BySound:
    """A call by its sound. `call` also has a turn for speech without a turn in the transcript; its number is a
    fraction, between the numbers of the turns before and after. `note` says what is not certain about the channels."""

    timeline: Timeline
    call: Call
    note: str = ""

    def answers(self, transcript: Timeline, *, short: bool = False) -> str:
        """The median answer times, as a phrase; empty if one of them is not known."""
        here, there = self.timeline.median, transcript.median
        if here is None or there is None:
            return ""
        words = (
            "answers {:.1f} s, by sound {:.1f} s"
            if short
            else "answers: median {:.1f} s by transcript, {:.1f} s by sound"
        )
        return words.format(there, here)

    def findings(self) -> list[tuple[float, str]]:
        """What the ear notices, as (seconds, words) in the order of time."""
        line, speakers = self.timeline, {turn.n: NAMES.get(turn.speaker, "someone") for turn in self.call.turns}
        found = [(one.start, f"silence of {one.seconds:.1f} s") for one in line.gaps]
        found += [(one.at, f"the agent answers after {one.seconds:.1f} s") for one in line.answers]
        found += [
            (one.start, f"{speakers[one.turn]} interrupts {speakers[one.into]}, both speak for {one.seconds:.1f} s")
            for one in line.overlaps
        ]
        for turn in self.call.turns:
            at = turn.start or 0.0
            if turn.n % 1:
                found.append((at, f"{speakers[turn.n]} speaks for {(turn.end or at) - at:.1f} s, no turn"))
            elif heard := self.call.timings.get(turn.n, Timing()).heard:
                found.append((at, f"{speakers[turn.n]}’s turn: {heard}"))
        return sorted(found)

    def json(self, transcript: Timeline) -> dict[str, object]:
        """The entries of `SpeechJson` but `run`."""
        line, speakers = self.timeline, {"testing": "caller", "main": "agent"}
        spans = sorted((span.start, span) for lane in line.lanes if lane.name != "tools" for span in lane.spans)
        timings = self.call.timings.items()
        return {
            "length": line.length,
            "note": self.note,
            "median_answer": line.median,
            "median_answer_by_transcript": transcript.median,
            "speech": [
                {
                    "start": at,
                    "end": span.end,
                    "speaker": speakers.get(span.speaker, "other"),
                    "turn": None if span.n % 1 or not span.n else span.n,
                }
                for at, span in spans
            ],
            "gaps": [{"start": one.start, "end": one.end} for one in line.gaps],
            "overlaps": [{"start": one.start, "end": one.end} for one in line.overlaps],
            "answers": [{"start": one.at - one.seconds, "end": one.at} for one in line.answers],
            "turns": [{"turn": n, "heard": one.heard} for n, one in timings if one.heard],
        }


def by_sound_of(path: Path, source: Mapping[str, Any], turns: Sequence[Turn], transcript: Timeline) -> BySound:
    """Read a recording, and compare it with a run whose JSON is `source`. Takes seconds for a long call. Raises
    RecordingError."""
    caller = source.get("testing_channel_index")
    return compare(listen(path), turns, transcript, caller if type(caller) is int else None)


def compare(sound: Sound, turns: Sequence[Turn], transcript: Timeline, caller: int | None) -> BySound:
    """Match speech with turns. `caller` is the index of the caller's channel; without a valid one, the channels are
    assigned as they fit the times of the turns better."""
    spans = {lane.name: lane.spans for lane in transcript.lanes}
    people: list[tuple[Speaker, Sequence[TimedTurn]]] = [("testing", spans["caller"]), ("main", spans["agent"])]
    channels, note = sound.channels, ""
    if len(channels) == 1:
        people, note = [("other", sorted(spans["caller"] + spans["agent"], key=lambda one: one.start))], _ONE_CHANNEL
    elif caller not in (0, 1):
        fits = [
            _common(one, spans["caller"]) + _common(other, spans["agent"]) for one, other in (channels, channels[::-1])
        ]
        caller = int(fits[1] > fits[0])
        note = f"caller in channel {caller + 1}: it fits the turns better"
    if caller == 1 and len(channels) == 2:
        channels = channels[::-1]
    heard, extra, notes = [*spans["tools"]], list[Turn](), dict[int, str]()
    for (speaker, own), speech in zip(people, channels, strict=True):
        by_turn, others = _by_turn(speech, own)
        heard += [TimedTurn(n, speaker, *one) for n, parts in by_turn.items() for one in parts]
        if len(channels) == 1:
            heard += [TimedTurn(0, speaker, *one) for one in others]
            continue
        extra += [Turn(0, speaker, NAMES[speaker], *one, "") for one in others]
        notes |= {span.n: words for span in own if (words := _difference(span, by_turn.get(span.n, ())))}
    extra = _numbered(extra, turns)
    heard += [TimedTurn(turn.n, turn.speaker, turn.start or 0.0, turn.end) for turn in extra]
    line = timeline_by_sound(heard, len(turns), sound.seconds)
    call = call_of(sorted([*turns, *extra], key=lambda turn: turn.n), line)
    known = dict(call.timings)
    known |= {n: replace(known.get(n, Timing()), heard=words) for n, words in notes.items()}
    return BySound(line, replace(call, timings=known), note)


def _common(speech: Sequence[Interval], spans: Sequence[TimedTurn]) -> float:
    """Seconds that speech and turns have in common."""
    return sum(max(_shared(one, span), 0.0) for one in speech for span in spans)


def _shared(one: Interval, span: TimedTurn) -> float:
    """Seconds that speech and a turn have in common; negative is the time between them."""
    return min(one.end, span.end or span.start + DIFFERENT) - max(one.start, span.start)


def _by_turn(
    speech: Sequence[Interval], spans: Sequence[TimedTurn]
) -> tuple[dict[int, list[Interval]], list[Interval]]:
    """The speech of one person by turn, and the speech without a turn. Speech during several turns is cut between
    them. Speech near a turn that is not heard otherwise is taken to be that turn."""
    found: dict[int, list[Interval]] = {}
    others: list[Interval] = []
    for one in speech:
        met = [span for span in spans if _shared(one, span) > 0]
        if not met:
            others.append(one)
            continue
        middles = (((before.end or before.start) + after.start) / 2 for before, after in pairwise(met))
        cuts = sorted(min(max(middle, one.start), one.end) for middle in middles)
        for span, start, end in zip(met, [one.start, *cuts], [*cuts, one.end], strict=True):
            found.setdefault(span.n, []).append(Interval(start, end))
    for one in list(others):
        missing = [span for span in spans if span.n not in found or min(_shared(one, span), 0) > -DIFFERENT]
        near = max(missing, key=lambda span: _shared(one, span), default=None)
        if near is not None and _shared(one, near) > -_NEAR:
            found[near.n] = sorted([*found.get(near.n, ()), one])
            others.remove(one)
    return found, others


def _difference(span: TimedTurn, parts: Sequence[Interval]) -> str:
    if not parts:
        return "not heard"
    later = parts[0].start - span.start
    longer = 0.0 if span.end is None else parts[-1].end - span.end
    verb, by = ("begins", later) if abs(later) > DIFFERENT else ("ends", longer)
    words = f"{verb} {abs(by):.1f} s {'later' if by > 0 else 'earlier'} by sound"
    return words if abs(by) > DIFFERENT else ""


def _numbered(extra: Sequence[Turn], turns: Sequence[Turn]) -> list[Turn]:
    """Give additional turns numbers between the last turn that begins before them and the next turn."""
    places: dict[int, list[Turn]] = {}
    for turn in sorted(extra, key=lambda turn: turn.start or 0.0):
        before = max((one.n for one in turns if one.start is not None and one.start <= (turn.start or 0.0)), default=0)
        places.setdefault(before, []).append(turn)
    # Fractions, though turns have whole numbers: lists and timelines only compare the numbers.
    return [
        replace(turn, n=cast(int, before + (k + 1) / (len(some) + 1)))
        for before, some in places.items()
        for k, turn in enumerate(some)
    ]
