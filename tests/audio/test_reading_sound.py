from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import sound_files
from sound_files import A_LAW, FLOAT, MU_LAW, square_wave, wav, write

from cekura_tui.audio import RecordingError, speech
from cekura_tui.audio.speech import FRAMES, listen, read_frames

CRASHING_OGG = bytes.fromhex(
    "4f676753000200000000000000005ff36e3c00000000b7ebc644011e01766f726269730000000001401f000000000000401f"
    "00000000000099014f676753000000000000000000005ff36e3c01000000feb7fa870a60ffffffffffffffff9003766f7262"
    "697334000000586970682e4f7267206c6962566f72626973204920323032303037303420285265647563696e6720456e7669"
    "726f6e6d656e742901000063"
)
"""Makes the Ogg decoder of miniaudio read at a wrong address, since its header is cut off."""


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as error:
        read_frames(path)
    return error.value.message


@pytest.mark.parametrize(
    ("form", "bits", "loud_and_quiet", "rate"),
    [
        pytest.param(1, 8, b"\xc0\x80\x40\x80", 8_000, id="8 bits"),
        pytest.param(1, 16, b"\0\x40\0\0" * 10 + b"\0\xc0\0\0" * 10, 44_100, id="16 bits, 44.1 kHz"),
        pytest.param(1, 24, b"\0\0\x40\0\0\0\0\0\xc0\0\0\0", 8_000, id="24 bits"),
        pytest.param(1, 32, struct.pack("<4i", 1 << 30, 0, -1 << 30, 0), 8_000, id="32 bits"),
        pytest.param(FLOAT, 32, struct.pack("<4f", 0.5, 0, -0.5, 0), 16_000, id="float"),
        pytest.param(FLOAT, 64, struct.pack("<4d", 0.5, 0, -0.5, 0), 16_000, id="double"),
        pytest.param(A_LAW, 8, b"\x2a\xd5\xaa\xd5", 8_000, id="A-law"),
        pytest.param(MU_LAW, 8, b"\x00\xff\x80\xff", 8_000, id="µ-law"),
        pytest.param(1, 16, b"\0\x40\0\0" * 40 + b"\0\xc0\0\0" * 40, 192_000, id="192 kHz"),
    ],
)
def test_each_kind_of_wav_is_read(tmp_path: Path, form: int, bits: int, loud_and_quiet: bytes, rate: int) -> None:
    two_seconds = loud_and_quiet * (2 * rate * (bits // 8) * 2 // len(loud_and_quiet))
    left, right = read_frames(write(tmp_path / "call.wav", wav(two_seconds, form=form, bits=bits, rate=rate)))
    assert len(left.level) == len(right.voiced) == 2 * FRAMES
    assert min(left.level[1:-1]) > 70
    assert max(right.level[1:-1]) < 30


def test_one_channel_is_read(tmp_path: Path) -> None:
    assert len(read_frames(write(tmp_path / "call", wav(square_wave(1, channels=1), channels=1)))) == 1


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        pytest.param(wav(square_wave(2))[:-16_000], 1.5, id="cut off"),
        pytest.param(wav(square_wave(2), says=36_000 * 32_000), 2.0, id="says ten hours"),
        pytest.param(wav(square_wave(2), says=2**32 - 1), 2.0, id="says the most"),
        pytest.param(wav(square_wave(12), says=2 * 32_000), 2.0, id="says less"),
    ],
)
def test_a_header_with_a_wrong_length_is_not_believed(tmp_path: Path, content: bytes, seconds: float) -> None:
    assert len(read_frames(write(tmp_path / "call.wav", content))[0].level) == seconds * FRAMES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "no WAV, MP3, FLAC or Ogg file", id="empty"),
        pytest.param(b"<!DOCTYPE html><p>Link expired", "no WAV, MP3, FLAC or Ogg file", id="HTML"),
        pytest.param(wav(square_wave(1))[:30], "a broken one", id="half a header"),
        pytest.param(wav(b""), "has no sound", id="no sound"),
        pytest.param(wav(square_wave(1), rate=0), "a broken one", id="0 Hz"),
        pytest.param(wav(square_wave(1, channels=3), channels=3), "has 3 channels", id="three channels"),
        pytest.param(wav(square_wave(1), form=0x55), "has no sound", id="unknown format"),
        pytest.param(b"fLaC\x80\0\0\x22\x10\0\x10\0" + bytes(30), "a broken one", id="FLAC, 0 Hz"),
    ],
)
def test_other_files_are_refused_with_the_reason(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in refusal(write(tmp_path / "call.wav", content))


def test_a_recording_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert speech.LONGEST == 3 * 3_600
    monkeypatch.setattr(speech, "LONGEST", 4)
    assert len(read_frames(write(tmp_path / "4", wav(square_wave(4))))[0].level) == 4 * FRAMES
    assert refusal(write(tmp_path / "5", wav(square_wave(5)))) == "The recording is longer than 0:00:04."


@pytest.mark.parametrize("package", ["miniaudio", "webrtcvad"])
def test_without_the_extra_its_name_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert "cekura-tui[audio]" in refusal(write(tmp_path / "call.wav", wav(square_wave(1))))


def test_broken_files_are_read_or_refused(tmp_path: Path) -> None:
    rng = random.Random(1)
    kinds = [wav(square_wave(0.5)), wav(square_wave(0.5), form=MU_LAW, bits=8)]
    kinds += [wav(square_wave(0.5), form=FLOAT, bits=32), wav(square_wave(0.5), bits=24, rate=44_100)]
    for n in range(240):
        write(tmp_path / f"{n}.wav", sound_files.broken(kinds[n % len(kinds)], rng))
    for n in range(60):
        magic = (b"RIFF\0\0\0\0WAVE", b"RF64", b"fLaC", b"OggS", b"ID3", b"\xff\xfb")[n % 6]
        write(tmp_path / f"{n}.random", magic + rng.randbytes(8_000))
    command = [sys.executable, sound_files.__file__, str(tmp_path)]  # a process, as a decoder may crash
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr[-2_000:], done.returncode) == ("300\n", "", 0)


def test_a_file_that_crashes_the_decoder_is_only_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "call.ogg", CRASHING_OGG)
    with pytest.raises(RecordingError, match="can't be read"):
        listen(path)
    with pytest.raises(RecordingError, match="no WAV, MP3, FLAC or Ogg file"):
        listen(write(path, b"<p>"))
