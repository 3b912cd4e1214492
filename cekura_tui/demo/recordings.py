"""Recordings of the demo's calls: signed links, and WAV files made on request from the times of the turns."""

from __future__ import annotations

import asyncio
import hmac
from array import array
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import exp, pi, sin
from operator import add
from struct import pack

from starlette.requests import Request
from starlette.responses import Response

from cekura_tui.demo.answers import call_id_of, caller_channel, turns_of
from cekura_tui.demo.dialogue import DialogueTurn
from cekura_tui.demo.evaluation import Json
from cekura_tui.demo.facts import Dice, Facts, Shape, roll
from cekura_tui.demo.workspace import DemoWorkspace

FEATURED_RUNS = (900_238, 900_224)  # 900238 is the newest failed run of a new demo
MU_LAW_RUN, EXPIRED_RUN = 900_206, 900_203
RENEWED_RUN = 900_201  # the link has expired only at the first read
RATE = 8000
_DENIED = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


class RecordingEndpoints:
    def __init__(self, workspace: DemoWorkspace, key: str) -> None:
        self._workspace, self._key = workspace, key.encode()
        self._expired = {EXPIRED_RUN, RENEWED_RUN}

    def with_link(self, request: Request, run: Json) -> Json:
        """The run with a signed link instead of the path of its recording. Within an hour, the link stays the same."""
        path = run["voice_recording_url"]
        if not str(path).startswith("/recordings/"):
            return run
        expires = f"{(self._workspace.now() // 3600 + 2 * (run['id'] not in self._expired)) * 3600:.0f}"
        self._expired -= {run["id"]} - {EXPIRED_RUN}
        query = f"expires={expires}&signature={self._signature(path, expires)}"
        return run | {"voice_recording_url": str(request.url.replace(path=path, query=query))}

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._key, f"{path} {expires}".encode(), "sha256").hexdigest()

    async def recording(self, request: Request) -> Response:
        expires, given = (request.query_params.get(name, "") for name in ("expires", "signature"))
        signature = self._signature(request.url.path, expires)
        if not hmac.compare_digest(given.encode(), signature.encode()) or int(expires) <= self._workspace.now():
            return Response(_DENIED, 403, media_type="application/xml")
        corpus, (result_id, call) = self._workspace.corpus, request.path_params.values()
        facts = corpus.facts(next(one for one in corpus.runs_of_result(result_id) if call_id_of(one) == call))
        assert facts is not None
        return Response(await asyncio.to_thread(recording_of, facts, turns_of(corpus, facts)), media_type="audio/wav")


def recording_of(facts: Facts, turns: list[DialogueTurn]) -> bytes:
    """A call as a WAV file of 8 kHz: a channel each for caller and agent, or one if no channel is the caller's."""
    length = int(max(facts.seconds or 0, turns[-1].end + 0.5) * RATE)
    noise = array("h", (roll(n) % 25 - 12 for n in range(RATE))) * (length // RATE + 1)
    sides = {"A": noise[:length], "C": noise[-length:]}
    for turn in _heard(facts, turns):
        begin, size = int(turn.start * RATE), int((turn.end - turn.start) * RATE)
        sides[turn.who][begin : begin + size] = (_syllable(turn.who) * (size // 2000 + 1))[:size]
    if (channel := caller_channel(facts.id)) is None:
        samples, channels = array("h", map(add, *sides.values())), 1
    else:
        samples, channels = array("h", bytes(4 * length)), 2
        samples[channel::2], samples[1 - channel :: 2] = sides["C"], sides["A"]
    data, coding, width = samples.tobytes(), 1, 2
    if facts.id == MU_LAW_RUN:  # G.711
        coded = {}
        for sample in set(samples):
            magnitude = min(abs(sample), 32_635) + 132
            exponent = magnitude.bit_length() - 8
            coded[sample] = ~((sample < 0) << 7 | exponent << 4 | (magnitude >> (exponent + 3)) & 15) & 255
        data, coding, width = bytes(map(coded.__getitem__, samples)), 7, 1
    form = (coding, channels, RATE, RATE * channels * width, channels * width, 8 * width, 0, b"data", len(data))
    return pack("<4sI8sIHHIIHHH4sI", b"RIFF", 38 + len(data), b"WAVEfmt ", 18, *form) + data


def _heard(facts: Facts, turns: list[DialogueTurn]) -> list[DialogueTurn]:
    """The spoken turns as they sound. Each in about every third run, an answer is late, the agent does not stop when
    the caller starts, and the caller says a word that is in no turn."""
    spoken, dice = [turn for turn in turns if turn.who in "AC"], Dice(facts.id + 900_000_000)
    differs = facts.shape in (Shape.TURNS, Shape.STAMPED) and len(spoken) > 4
    late, over, word = (differs and (facts.id in FEATURED_RUNS or roll(facts.id, n) % 3 == 0) for n in (13, 14, 15))
    for n, (before, turn) in enumerate(pairwise(spoken), 1):
        order = before.who + turn.who if turn.start >= before.end and turn.end - turn.start > 2.5 else ""
        if late and order == "CA":
            late, spoken[n] = False, replace(turn, start=turn.start + dice.between(0.6, 1.5))
        elif over and order == "AC":
            over, spoken[n - 1] = False, replace(spoken[n - 1], end=turn.start + dice.between(0.5, 1))
    if word:
        callers = pairwise(turn for turn in spoken if turn.who == "C")
        before, after = max(callers, key=lambda pair: pair[1].start - pair[0].end)
        middle = (before.end + after.start) / 2
        spoken.append(replace(before, start=middle, end=middle + dice.between(0.4, 0.8)))
    return spoken


@cache
def _syllable(who: str) -> array[int]:
    """A quarter of a second of a voice: a vowel with three formants."""
    pitch = {"A": 116, "C": 208}[who]
    loud = {hz: sum(exp(-(((hz - peak) / 200) ** 2)) for peak in (600, 1500, 2500)) for hz in range(pitch, 3400, pitch)}
    wave = [sum(part * sin(2 * pi * hz * n / RATE) for hz, part in loud.items()) for n in range(2000)]
    return array("h", (int(1200 * sin(pi * n / 2000) * value) for n, value in enumerate(wave)))
