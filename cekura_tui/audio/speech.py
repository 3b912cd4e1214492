"""Read a recording, and find who speaks when, despite noise, hum, tones and the echo of the other person. The packages
miniaudio and webrtcvad are the extra `cekura-tui[audio]`."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import compress, groupby
from math import log10
from operator import itemgetter, mul, sub
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.audio import RecordingError
from cekura_tui.config.programs import run_program
from cekura_tui.model.text import count
from cekura_tui.model.transcript.timeline import clock

FRAMES = 50
"""Frames per second."""
LONGEST = 3 * 3_600
"""Seconds of the longest recording that is read."""
_READERS = {b"fLaC": "flac", b"OggS": "vorbis", b"ID3": "mp3", b"\xff": "mp3"}
_PLAY = "It can be played, but not read."
PAUSE = 0.3
"""Seconds; a shorter pause does not end an interval."""
_OVER_NOISE, _BELOW_SPEECH, _OVER_ECHO = 2.0, 38.0, 5.0
"""Decibels: speech is louder than noise and echo, and not much quieter than most speech of its channel."""
_STEADY, _STEADY_FRAMES = 3.5, 8
"""Decibels and frames: sound whose level varies by less within this many frames is noise or a tone, not speech."""
_SHORTEST, _LEAST_VOICED = 2, 5
"""Frames of the shortest sound that counts, and the frames like speech that an interval has at least."""
_LATEST_ECHO = 14
"""Frames by which an echo may be late."""
_AROUND, _BLOCK = 5 * FRAMES, FRAMES // 2
_NEAR = 15
"""Frames before and after noise that comes and goes, in which the noise may be, too."""
_MOST_COMPARED = 5_000
_SILENT = -20.0
_SCRIPT = "import sys; from cekura_tui.audio.speech import print_speech; print_speech(sys.argv[1])"
_MOST_SECONDS, _MOST_OUTPUT, _MOST_MEMORY = 600.0, 10_000_000, 2 << 30


class Frames(NamedTuple):
    """One channel in frames of 20 ms: the level of the sound and of its changes from sample to sample, which hardly
    contain hum, in decibels, and whether the frame is like speech."""

    level: list[float]
    change: list[float]
    voiced: list[int]


class Interval(NamedTuple):
    """Speech of one person, in seconds from the start of the recording."""

    start: float
    end: float


class Sound(NamedTuple):
    """A recording of `seconds`, and the speech in each of its channels."""

    seconds: float
    channels: tuple[tuple[Interval, ...], ...]


def listen(path: Path, stop: threading.Event | None = None) -> Sound:
    """Read a recording and find the speech in it; takes seconds for a long call. Raises RecordingError, also
    when `stop` is set."""
    # In another process: a few broken files crash the decoder, and a busy thread would slow the screen down.
    words = [sys.executable, "-P", "-c", _SCRIPT, str(path)]
    ended = run_program(words, os.environ, kept="stdout", most=_MOST_OUTPUT, limit=_MOST_SECONDS, stop=stop)
    if ended.failure:
        raise RecordingError(f"The recording can't be read: the process {ended.failure}.")
    first, second = json.loads(ended.output)
    if isinstance(first, str):
        raise RecordingError(first, second)
    return Sound(first, tuple(tuple(Interval(*one) for one in channel) for channel in second))


def print_speech(path: str) -> None:
    """Print what `listen` finds as JSON: a sound, or the message and the hint of a RecordingError."""
    with suppress(ValueError):  # of macOS
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))  # a damaged file may ask for any amount
    try:
        frames = read_frames(Path(path))
        speech = [[*find_speech(n, frames)] for n in range(len(frames))]
        json.dump([len(frames[0].voiced) / FRAMES, speech], sys.stdout)
    except RecordingError as error:
        json.dump([error.message, error.hint], sys.stdout)


def read_frames(path: Path) -> list[Frames]:
    """The frames of each channel of a recording with one or two channels. Raises RecordingError."""
    try:
        import miniaudio
        import webrtcvad
    except ImportError:
        hint = "Install it: pip install 'cekura-tui[audio]'."
        raise RecordingError("Reading the sound needs the extra cekura-tui[audio].", hint) from None
    try:
        with path.open("rb") as file:
            start = file.read(4)
        kind = next((kind for magic, kind in _READERS.items() if start.startswith(magic)), "wav")
        info = getattr(miniaudio, f"{kind}_get_file_info")(str(path))
        if info.nchannels not in (1, 2):
            raise RecordingError(f"The recording has {count(info.nchannels, 'channel')}, not one or two.", _PLAY)
        rate = 16_000 if info.sample_rate >= 16_000 else 8_000
        chunks = miniaudio.stream_file(str(path), nchannels=info.nchannels, sample_rate=rate, frames_to_read=rate)
        return _frames(chunks, info.nchannels, rate, webrtcvad.Vad)
    except (miniaudio.MiniaudioError, OSError, ArithmeticError, ValueError):  # of a rate of 0, of an odd path
        raise RecordingError("The recording is no WAV, MP3, FLAC or Ogg file, or a broken one.", _PLAY) from None


def _frames(chunks: Iterator[array[int]], channels: int, rate: int, detector: Any) -> list[Frames]:
    found = [Frames([], [], []) for _ in range(channels)]
    detectors = [detector(3) for _ in found]
    size, program = rate // FRAMES, os.getppid()
    for n, chunk in enumerate(chunks):
        if os.getppid() != program:  # the program has ended
            os._exit(1)
        if n >= LONGEST:
            raise RecordingError(f"The recording is longer than {clock(LONGEST, hours=True)}.", _PLAY)
        for channel, (frames, voice) in enumerate(zip(found, detectors, strict=True)):
            samples = chunk[channel::channels]
            for at in range(0, len(samples) - size + 1, size):
                frame = samples[at : at + size]
                frames.level.append(_decibels(frame))
                frames.change.append(_decibels([*map(sub, frame[1:], frame)]))
                frames.voiced.append(voice.is_speech(frame.tobytes(), rate))
    if not found[0].level:
        raise RecordingError("The recording has no sound.")
    return found


def _decibels(samples: Sequence[int]) -> float:
    return 10 * log10(sum(map(mul, samples, samples)) / len(samples) + 0.01)


def find_speech(n: int, channels: Sequence[Frames]) -> Iterator[Interval]:
    """The speech in channel `n`. A frame is part of speech if its power or the power of its changes is high enough."""
    power, change, voiced = channels[n]
    quiet = [not voice and level > 10 for voice, level in zip(voiced, change, strict=True)]
    even = _even(change, _quantile(compress(change, voiced), 0.8) - 6)
    sounding, hidden = [False] * len(voiced), [9.0] * len(voiced)
    for band, level in enumerate((power, change)):
        loud = _quantile(compress(level, voiced), 0.8)
        least = _over_noise(level, quiet, even)
        for other in (*channels[:n], *channels[n + 1 :]):
            least = [*map(max, least, _over_echo(level, other[band]))]
        least = [max(one, loud - _BELOW_SPEECH) for one in least]
        sounding = [was or one > low for was, one, low in zip(sounding, level, least, strict=True)]
        hidden = [min(was, (33 - loud + low) / 4.5) for was, low in zip(hidden, least, strict=True)]
    # White noise hides more of the ends of words: their consonants.
    most = 5 if _quantile(compress(map(sub, change, power), quiet), 0.5) > 1.5 else 2
    yield from _intervals(sounding, voiced, [min(max(round(one), 0), 6) for one in hidden], most)


def _quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[int(share * len(ordered))] if ordered else _SILENT


def _even(level: Sequence[float], loud: float) -> list[tuple[int, int]]:
    """Ranges of frames with noise or a tone, but not of loud ones."""
    even = [False] * len(level)
    for n in range(len(level) - _STEADY_FRAMES + 1):
        some = level[n : n + _STEADY_FRAMES]
        if max(some) - min(some) < _STEADY:
            even[n : n + _STEADY_FRAMES] = [True] * _STEADY_FRAMES
    return _ranges(one and power < loud for one, power in zip(even, level, strict=True))


def _ranges(chosen: Iterable[bool]) -> list[tuple[int, int]]:
    groups = [[n for n, _ in group] for one, group in groupby(enumerate(chosen), key=itemgetter(1)) if one]
    return [(frames[0], frames[-1] + 1) for frames in groups]


def _over_noise(level: Sequence[float], quiet: Sequence[bool], even: Sequence[tuple[int, int]]) -> list[float]:
    """The least level of speech in each frame: over the noise in the seconds around it, and over noise or tones that
    come and go in the frame or near it."""
    least: list[float] = []
    for at in range(0, len(level), _BLOCK):
        around = slice(max(at - _AROUND, 0), at + _BLOCK + _AROUND)
        noise = [*compress(level[around], quiet[around])]
        if len(noise) < 10:
            noise = sorted(one for one in level[around] if one > 10)[: max(len(level[around]) // 8, 5)]
        middle = _quantile(noise, 0.5)
        least += [middle + max(_OVER_NOISE, 2.0 * (middle - _quantile(noise, 0.16)))] * _BLOCK
    least = least[: len(level)]
    for first, last in even:
        inside = level[first:last]
        near, highest = _quantile(inside, 0.5) + _OVER_NOISE, max(inside) + 0.5
        for n in range(max(first - _NEAR, 0), min(last + 3, len(level))):
            least[n] = max(least[n], highest if first <= n < last else near)
    return least


def _over_echo(level: Sequence[float], other: Sequence[float]) -> list[float]:
    """The least level that is no echo of the other channel. Delay and loss of the echo are found where the difference
    of the two channels varies least while the other person speaks."""
    loudest = max(other)
    loud = _quantile((one for one in other if one > loudest - 30), 0.7) - 8
    speaking = [n for n, one in enumerate(other) if one > loud and n + _LATEST_ECHO <= len(other)]
    speaking = speaking[:: len(speaking) // _MOST_COMPARED + 1]
    found = []
    for delay in range(_LATEST_ECHO):
        losses = sorted(level[n + delay] - other[n] for n in speaking)[: int(0.8 * len(speaking))]
        found.append((_quantile(losses, 0.84) - _quantile(losses, 0.16), delay, _quantile(losses, 0.5)))
    _, delay, loss = min(found)
    late = [*[_SILENT] * (delay + 1), *other, *[_SILENT] * 2]
    return [max(late[n : n + 3]) + min(loss, -6) + _OVER_ECHO for n in range(len(level))]


def _intervals(sounding: Sequence[bool], voiced: Sequence[int], hidden: Sequence[int], most: int) -> Iterator[Interval]:
    """Join sounds to intervals. `hidden` has the frames at the end of a word that the noise may hide."""
    joined: list[tuple[int, int]] = []
    for first, last in _ranges(sounding):
        if last - first < _SHORTEST:
            continue
        if joined and first - (end := joined[-1][1]) < PAUSE * FRAMES + hidden[end]:
            first, _ = joined.pop()
        joined.append((first, last))
    for first, last in joined:
        if sum(voiced[first:last]) >= _LEAST_VOICED:
            end = last + min(hidden[min(last, len(hidden) - 1)], most)
            yield Interval(first / FRAMES, min(end, len(hidden)) / FRAMES)
