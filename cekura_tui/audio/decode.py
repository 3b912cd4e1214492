"""Read a sound file in frames of 20 ms. The packages miniaudio and webrtcvad are the extra `cekura-tui[audio]`."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from math import log10
from operator import mul, sub
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.audio import RecordingError
from cekura_tui.model.text import count
from cekura_tui.model.transcript.timeline import clock

FRAMES = 50
"""Frames per second."""
LONGEST = 3 * 3_600
"""Seconds of the longest recording that is read."""
_READERS = {b"fLaC": "flac", b"OggS": "vorbis", b"ID3": "mp3", b"\xff": "mp3"}
_PLAY = "It can be played, but not read."


class Frames(NamedTuple):
    """One channel in frames of 20 ms: the level of the sound and of its changes from sample to sample, which hardly
    contain hum, in decibels, and whether the frame is like speech."""

    level: list[float]
    change: list[float]
    voiced: list[int]


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
    except (miniaudio.MiniaudioError, OSError, ZeroDivisionError):  # of a FLAC file with a rate of 0
        raise RecordingError("The recording is no WAV, MP3, FLAC or Ogg file, or a broken one.", _PLAY) from None


def _frames(chunks: Iterator[array[int]], channels: int, rate: int, detector: Any) -> list[Frames]:
    found = [Frames([], [], []) for _ in range(channels)]
    detectors = [detector(3) for _ in found]
    size = rate // FRAMES
    for n, chunk in enumerate(chunks):
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
