"""Make two-channel telephone calls whose speech times are known exactly. Needs the programs espeak-ng and sox.

The same versions of these programs make the same bytes from the same case. The caller is in the first channel, the
agent in the second.

The true times are measured on the clean voice, at the sampling rate and in the telephone band of the call, before
anything is added to it:

1. Each utterance is synthesised alone and cut into steps of 10 ms. A step has sound if its level is at most 40 dB below
   the loudest step of the utterance.
2. Silence before the first and after the last step with sound is removed, and the utterance is placed with its first
   sample at `start`.
3. Sounds of the same person with a pause shorter than 0.3 s between them are one interval, also across utterances.

Pauses near 0.3 s would be unclear: a pause of 0.22 to 0.38 s made by the synthesiser is shortened to 0.20 s. `<0.6>` in
a text is a pause of exactly 0.6 s. Echo, noise, hum, beeps, clicks and music are never speech.

A case is a line of JSON in `tests/audio/calls`. Times are in seconds; levels `below` are in dB below the speech of the
channel's own person, except for `echo`.

- `id`, `hard`: the name of the case, and what is hard in it
- `seconds`, `codec`, `band`: length; a key of `CODECS`; [low, high] of the voices in Hz, or null
- `levels`: level of each person's speech, in dB below full scale
- `utterances`: `who`, `start`, `text`, `voice` (`name`, `pitch`, `speed`); optional `gain` (dB) and `cut` (seconds
  after which the voice breaks off)
- `noise` by channel: `kind` (white, pink, babble), `below`, `seed`
- `hum` by channel: `hz`, `below`
- `echo` by channel: `delay`, and `below` the other person's level in the other channel
- `gate` by channel: while this person is silent, from `hang` after an interval to 20 ms before the next, noise, hum and
  echo are lowered by `below` dB (null: removed)
- `extras`: `kind` (click, beep, music), `channel`, `at`, `seconds`, `below`, and for beeps `freqs`; not gated
"""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from itertools import pairwise
from operator import mul
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

PEOPLE = ("caller", "agent")
HERE = Path(__file__).parents[1] / "audio" / "calls"
FROZEN = {
    "fit": "3f9fd8fa13146d5b0fb1f12dd0eb90ac52dd8b252c60601db0f3682507764e64",
    "held": "d446a9feb28492adbf938f92f13799fca5511fd2ddfe6122115293f842e55fe4",
}
"""SHA-256 of the cases of each half. Rules are tuned on `fit`; `held` is a held-out set, only measured."""
JOIN = 0.3
_STEP, _SOUND_DB = 0.01, -40.0
_UNCLEAR, _CLEAR = (0.22, 0.38), 0.20
CODECS = {
    "pcm8": (8_000, "wav", ["-e", "signed", "-b", "16"]),
    "ulaw8": (8_000, "wav", ["-e", "mu-law", "-b", "8"]),
    "alaw8": (8_000, "wav", ["-e", "a-law", "-b", "8"]),
    "pcm16k": (16_000, "wav", ["-e", "signed", "-b", "16"]),
    "pcm44k": (44_100, "wav", ["-e", "signed", "-b", "16"]),
    "flac8": (8_000, "flac", ["-b", "16"]),
    "flac16k": (16_000, "flac", ["-b", "16"]),
    "ogg16k": (16_000, "ogg", ["-C", "4"]),
    "mp3_16k": (16_000, "wav", ["-e", "signed", "-b", "16"]),
}
"""Rate, suffix and options of sox. The sound of `mp3_16k` was an MP3 before, whose delay is measured and removed."""

Case = Mapping[str, Any]
Samples = Sequence[float]
Speech = dict[str, list[tuple[float, float]]]
"""Intervals of each person's speech as (start, end) in seconds."""


class Call(NamedTuple):
    path: Path
    speech: Speech


def can_make_calls() -> bool:
    """Whether espeak-ng and a sox that knows MP3 are installed."""
    if not (shutil.which("espeak-ng") and shutil.which("sox")):
        return False
    return b" mp3 " in subprocess.run(["sox", "--help"], capture_output=True).stdout


def halves() -> list[str]:
    """The sets of cases whose files exist."""
    return [half for half in ("fit", "held") if (HERE / f"{half}.jsonl").exists()]


def cases(half: str) -> list[Case]:
    """The cases of a half, which nothing may have changed since they were frozen."""
    content = (HERE / f"{half}.jsonl").read_bytes()
    assert sha256(content).hexdigest() == FROZEN.get(half), f"{half}.jsonl is not the frozen file"
    return [json.loads(line) for line in content.splitlines()]


def make_calls(half: str, folder: Path) -> list[Call]:
    """Make all calls of a half, which takes about 20 seconds."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda case: make_call(case, folder), cases(half)))


def make_call(case: Case, folder: Path) -> Call:
    rate, suffix, options = CODECS[case["codec"]]
    total = round(case["seconds"] * rate)
    made = {who: _person(case, who, rate, total) for who in PEOPLE}
    clean, spoken = ({who: one[n] for who, one in made.items()} for n in (0, 1))
    channels = [_channel(case, who, clean, spoken, rate, total) for who in PEOPLE]
    if case["codec"] == "mp3_16k":
        channels = _through_mp3(channels, rate)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{case['id']}.{suffix}"
    _sox([*_raw(rate, 2), "-", *options, str(path)], _interleave(channels))
    return Call(path, {who: [(start / rate, end / rate) for start, end in spoken[who]] for who in PEOPLE})


def _person(case: Case, who: str, rate: int, total: int) -> tuple[array[float], list[tuple[int, int]]]:
    """One person's clean channel, and the intervals of speech in samples."""
    channel, found = array("d", bytes(8 * total)), list[tuple[int, int]]()
    for spoken in case["utterances"]:
        if spoken["who"] != who:
            continue
        voice = _utterance(spoken, rate, case.get("band"))
        sounds = _sounds(voice, round(_STEP * rate))
        power = sum(_power(voice[first:last]) * (last - first) for first, last in sounds)
        power /= sum(last - first for first, last in sounds)
        gain = _ratio(case["levels"][who] + spoken.get("gain", 0)) / math.sqrt(power)
        start = round(spoken["start"] * rate)
        assert start + len(voice) <= total, f"{case['id']}: speech after the end"
        for at, sample in enumerate(voice, start):
            channel[at] += gain * sample
        found += [(start + first, start + last) for first, last in sounds]
    return channel, _joined(found, JOIN * rate)


def _utterance(spoken: Case, rate: int, band: Sequence[int] | None) -> array[float]:
    """The samples of an utterance without silence around them, as loud as the synthesiser makes them."""
    step = round(_STEP * rate)
    texts = re.split(r"<([\d.]+)>", spoken["text"])
    parts = [_speak(text, spoken["voice"], rate, band) for text in texts[::2]]
    loudest = max(max(_steps(part, step)) for part in parts)
    whole = array("d")
    for n, part in enumerate(parts):
        if n:
            pause = float(texts[2 * n - 1])
            assert not 0.25 < pause < 0.35, "a pause in a text must be clear"
            whole.extend([0.0] * round(pause * rate))
        sounds = _sounds(part, step, loudest)
        for (_, end), (first, last) in pairwise([(0, sounds[0][0] if sounds else 0), *sounds]):
            gap = part[end:first]
            if _UNCLEAR[0] <= len(gap) / rate <= _UNCLEAR[1]:
                half = round(_CLEAR * rate / 2)
                gap = gap[:half] + gap[-half:]
            whole.extend(gap + part[first:last])
    if spoken.get("cut"):
        whole = whole[: round(spoken["cut"] * rate)]
        fade = round(0.015 * rate)
        for back in range(1, fade + 1):
            whole[-back] *= back / fade
    return whole


def _speak(text: str, voice: Case, rate: int, band: Sequence[int] | None) -> array[float]:
    with TemporaryDirectory() as folder:
        path = f"{folder}/voice.wav"
        sound = ["-v", voice["name"], "-p", str(voice["pitch"]), "-s", str(voice["speed"]), "-w", path]
        subprocess.run(["espeak-ng", "-D", *sound, text.strip()], check=True, capture_output=True)
        limits = ["sinc", f"{band[0]}-{band[1]}"] if band else []
        return _floats(_sox([path, "-t", "f32", "-", "gain", "-6", "rate", "-h", str(rate), *limits]))


def _sounds(samples: array[float], step: int, loudest: float = 0.0) -> list[tuple[int, int]]:
    """The ranges of steps with sound, in samples."""
    powers = _steps(samples, step)
    least = (loudest or max(powers)) * 10 ** (_SOUND_DB / 10)
    found = ((n * step, min((n + 1) * step, len(samples))) for n, power in enumerate(powers) if power >= least)
    return _joined(found, 1)


def _joined(ranges: Iterable[tuple[int, int]], least: float) -> list[tuple[int, int]]:
    """Join ranges with fewer than `least` samples between them."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start - joined[-1][1] < least:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _channel(
    case: Case,
    who: str,
    clean: Mapping[str, array[float]],
    spoken: Mapping[str, Sequence[tuple[int, int]]],
    rate: int,
    total: int,
) -> array[float]:
    """One channel as it is heard: the clean voice and all that is added."""
    other = PEOPLE[1 - PEOPLE.index(who)]
    level = _ratio(case["levels"][who])

    def gain_of(one: Case, samples: Samples) -> float:
        return level * _ratio(-one["below"]) / math.sqrt(_power(samples))

    line = array("d", bytes(8 * total))
    if noise := case["noise"].get(who):
        samples = _noise(noise, rate, total)
        gain = gain_of(noise, samples)
        line = array("d", [gain * one for one in samples])
    if hum := case["hum"].get(who):
        wave = [*_hum(hum["hz"], rate)]
        gain = gain_of(hum, wave)
        wave = [gain * one for one in wave]
        line = array("d", [one + wave[at % len(wave)] for at, one in enumerate(line)])
    if echo := case["echo"].get(who):
        delay, gain = round(echo["delay"] * rate), _ratio(-echo["below"])
        for at, sample in enumerate(clean[other][: total - delay], delay):
            if sample:
                line[at] += gain * sample
    if gate := case["gate"].get(who):
        line = array("d", map(mul, line, _gate(gate, spoken[who], rate, total)))
    for extra in case["extras"]:
        if extra["channel"] == who:
            added = _extra(extra, rate)
            gain, start = gain_of(extra, added), round(extra["at"] * rate)
            for at, sample in enumerate(added[: total - start], start):
                line[at] += gain * sample
    return array("d", [max(-0.999, min(0.999, one + voice)) for one, voice in zip(line, clean[who], strict=True)])


def _noise(noise: Case, rate: int, total: int) -> Samples:
    """The noise of sox, which is always the same: the seed chooses a place in it."""
    skip, seconds = 0.37 * (1 + noise["seed"] % 997), total / rate + 1

    def coloured(kind: str, skip: float, *effects: str) -> array[float]:
        made = ["-n", "-r", str(rate), "-c", "1", "-t", "f32", "-", "synth", str(skip + seconds), kind]
        return _floats(_sox([*made, "trim", str(skip), *effects]))[:total]

    if noise["kind"] != "babble":
        return coloured(noise["kind"] + "noise", skip)
    # Three bands that get louder and quieter about as fast as syllables do.
    bands = ("450 350 0 3.1 65", "1200 700 -2 4.3 70", "2300 900 -3 2.3 60")
    some = []
    for n, (hz, width, loss, speed, depth) in enumerate(map(str.split, bands)):
        effects = ("band", "-n", hz, width, "gain", loss, "tremolo", speed, depth)
        some.append(coloured("pinknoise", skip + 3.1 * n, *effects))
    return array("d", map(sum, zip(*some, strict=True)))


def _hum(hz: int, rate: int) -> Iterator[float]:
    """One period of hum."""
    for at in range(rate // math.gcd(rate, hz)):
        parts = ((1, 1), (2, 0.5), (3, 0.6), (5, 0.3), (7, 0.15))
        yield sum(size * math.sin(2 * math.pi * n * hz * at / rate + n) for n, size in parts)


def _gate(gate: Case, spoken: Sequence[tuple[int, int]], rate: int, total: int) -> Samples:
    """The gain of the line at each sample, with slopes of 10 ms."""
    closed = 0.0 if gate["below"] is None else _ratio(-gate["below"])
    slope, before, hang = round(0.01 * rate), round(0.02 * rate), round(gate["hang"] * rate)
    gains = array("d", [closed]) * total
    for start, end in _joined([(start - before, end + hang) for start, end in spoken], 2 * slope):
        for at in range(max(0, start - slope), min(total, end + slope)):
            inside = min(1.0, (at - start + slope) / slope, (end + slope - at) / slope)
            gains[at] = closed + (1 - closed) * inside
    return gains


def _extra(extra: Case, rate: int) -> Samples:
    size = round(extra["seconds"] * rate)
    if extra["kind"] == "click":
        chance = random.Random(size)
        return [chance.uniform(-1, 1) * math.exp(-5 * at / size) for at in range(size)]
    if extra["kind"] == "beep":
        tones = [2 * math.pi * hz / rate for hz in extra["freqs"]]
        slope = 0.005 * rate
        return [
            min(1, at / slope, (size - at) / slope) * sum(math.sin(tone * at) for tone in tones) for at in range(size)
        ]
    assert extra["kind"] == "music", extra
    # A slow tune over chords, each note fading, without silence between notes.
    tune, bases = (0, 4, 7, 12, 9, 7, 5, 9, 2, 7, 11, 7, 4, 7, 12, 11), (0, 5, 7, 0)
    beat, out = round(0.3 * rate), []
    root = 2 * math.pi * 262 / rate
    for at in range(size):
        place = at // beat
        low = root * 2 ** ((bases[place // 4 % 4] - 12) / 12)
        high = root * 2 ** (tune[place % 16] / 12)
        fade = math.exp(-2.5 * (at % beat) / beat)
        chord = 0.5 * math.sin(low * at) + 0.4 * math.sin(1.5 * low * at)
        out.append(chord + fade * (math.sin(high * at) + 0.4 * math.sin(2 * high * at)))
    return out


def _through_mp3(channels: Sequence[array[float]], rate: int) -> list[array[float]]:
    """Encode to MP3 and decode; the delay of the codec is measured on the agent's loudest 0.25 s, and removed."""
    with TemporaryDirectory() as folder:
        path = f"{folder}/call.mp3"
        _sox([*_raw(rate, 2), "-", "-C", "48", path], _interleave(channels))
        back = _floats(_sox([path, "-t", "f32", "-"]))
    size, part, wanted, heard = len(channels[0]), rate // 4, channels[1], back[1::2]
    start = max(range(0, size - part - 4_000, part), key=lambda at: _power(wanted[at : at + part]))
    piece = wanted[start : start + part]
    delay = max(range(3_000), key=lambda lag: sum(map(mul, piece, heard[start + lag : start + lag + part])))
    found = [back[n::2][delay : delay + size] for n in (0, 1)]
    for samples in found:
        samples.extend([0.0] * (size - len(samples)))
    return found


def _sox(arguments: Sequence[str], data: bytes | None = None) -> bytes:
    """Run sox without chance (-R) and without dither (-D)."""
    command = ["sox", "-R", "-D", "-V1", *arguments]
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def _raw(rate: int, channels: int) -> list[str]:
    return ["-t", "f32", "-r", str(rate), "-c", str(channels)]


def _floats(data: bytes) -> array[float]:
    return array("d", array("f", data))


def _interleave(channels: Sequence[array[float]]) -> bytes:
    both = array("f", bytes(8 * len(channels[0])))
    both[0::2], both[1::2] = (array("f", samples) for samples in channels)
    return both.tobytes()


def _steps(samples: array[float], step: int) -> list[float]:
    return [_power(samples[at : at + step]) for at in range(0, len(samples), step)]


def _power(samples: Samples) -> float:
    return sum(map(mul, samples, samples)) / len(samples)


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))
