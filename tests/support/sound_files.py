"""WAV files made with the standard library, also with wrong headers, and broken sound files. As a command, read every
file of a directory, and print how many."""

from __future__ import annotations

import contextlib
import random
import struct
import sys
from pathlib import Path

from cekura_tui.audio import RecordingError, speech

PCM, FLOAT, A_LAW, MU_LAW = 1, 3, 6, 7


def wav(
    data: bytes, *, form: int = PCM, channels: int = 2, rate: int = 8_000, bits: int = 16, says: int | None = None
) -> bytes:
    """A WAV file; its header says that it has `says` bytes of sound, if they are given."""
    size = len(data) if says is None else says
    block = channels * bits // 8 % 2**16
    sound = struct.pack("<HHIIHH", form, channels, rate, rate * block % 2**32, block, bits)
    return b"RIFF%bWAVEfmt \x10\0\0\0%bdata%b%b" % (_length(size + 36), sound, _length(size), data)


def _length(size: int) -> bytes:
    return struct.pack("<I", min(size, 2**32 - 1))


def square_wave(seconds: float, *, rate: int = 8_000, channels: int = 2) -> bytes:
    """16-bit sound whose first channel is loud and whose others are silent."""
    silent = b"\0\0" * (channels - 1)
    return (b"\0\x40" + silent + b"\0\xc0" + silent) * round(seconds * rate / 2)


def sound_of(path: Path) -> bytes:
    """The sound of a WAV file, without its header."""
    content = path.read_bytes()
    return content[content.index(b"data") + 8 :]


def broken(content: bytes, rng: random.Random) -> bytes:
    """A sound file with some bytes changed, removed or added, mostly near its start."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 3, 10, 100))):
        at = rng.randrange(min(rng.choice((64, 256, len(content))), len(changed)))
        some = rng.choice((b"\xff" * 4, bytes(4), b"\1\0\0\0", rng.randbytes(1), rng.randbytes(rng.randrange(40))))
        changed[at : at + rng.choice((0, len(some), len(some), 30))] = some
    return bytes(changed[: rng.choice((len(changed), len(changed), rng.randrange(1, len(changed))))])


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def main(folder: Path) -> None:
    speech.LONGEST = 60  # a header with a low rate makes a file long
    files = sorted(folder.iterdir())
    for file in files:
        with contextlib.suppress(RecordingError):
            speech.read_frames(file)
    sys.stdout.write(f"{len(files)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
