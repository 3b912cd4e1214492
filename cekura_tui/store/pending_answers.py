"""What came of launches while the database cannot be written: a file each, whose room is taken before the launch."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cekura_tui.config.paths import make_private
from cekura_tui.model.job import JobState
from cekura_tui.model.text import sha256

RESERVED = 8_192
"""Bytes that a file takes before its launch is sent; an answer that needs more is kept without its raw text."""


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """What came of the launch of job `number`, launched at `launched_at`: its id, or a state and why; times are Unix
    time."""

    number: int
    launched_at: float
    progress_id: str | None
    raw: str
    at: float
    state: JobState = JobState.RUNNING
    reason: str = ""


class PendingAnswers:
    """The files of one database: beside it, and where that is full, in a directory of this user elsewhere.

    A disk may be full by the time a launch is answered, so `reserve` takes the room before: what is written in the
    place of it needs no more.
    """

    def __init__(self, database: Path, env: Mapping[str, str] = os.environ) -> None:
        self._beside, self._env = database, env
        self._elsewhere = sha256(str(database.absolute()))[:16]

    def _places(self) -> Iterator[tuple[Path, str]]:
        """The directories in the order in which they are tried, and how the files of this database begin there."""
        yield self._beside.parent, f"{self._beside.name}-taken-"
        # The first is still there when the machine has been restarted, the second often on another file system.
        state = self._env.get("XDG_STATE_HOME") or f"{self._env.get('HOME', '')}/.local/state"
        temporary = self._env.get("TMPDIR") or "/tmp"
        for name in (f"{state}/cekura-tui", f"{temporary}/cekura-tui-{os.getuid()}"):
            if os.path.isabs(name):
                yield Path(name), f"{self._elsewhere}-taken-"

    def _paths(self, number: int) -> Iterator[Path]:
        return (directory / f"{prefix}{number}.json" for directory, prefix in self._places())

    def reserve(self, number: int) -> None:
        """Take the room for what comes of a launch, beside the database. Raises OSError."""
        path = next(self._paths(number))
        try:
            _write(path, b"")
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    def keep(self, answer: PendingAnswer) -> Path | None:
        """Keep it, readable by this user alone; returns where, or None where nothing can be written."""
        text = json.dumps(asdict(answer)).encode()
        if len(text) > RESERVED:
            text = json.dumps(asdict(replace(answer, raw=""))).encode()
        for place, path in enumerate(self._paths(answer.number)):
            with contextlib.suppress(OSError):
                if place:
                    make_private(path.parent)
                    if not _is_private(path.parent):
                        continue
                _write(path, text)
                return path
        return None

    def drop(self, number: int) -> None:
        """It is in the database now, or will never be."""
        for path in self._paths(number):
            with contextlib.suppress(OSError):
                path.unlink()

    def reserved(self) -> Iterator[int]:
        """The jobs for which there is room, and no answer yet."""
        for path, text in self._files():
            number = path.stem.rpartition("-")[2]
            if not text.strip() and number.isdecimal():
                yield int(number)

    def all(self) -> Iterator[PendingAnswer]:
        """All that are kept; files that hold something else are left alone."""
        for path, text in self._files():
            with contextlib.suppress(ValueError, TypeError, RecursionError):
                answer = PendingAnswer(**json.loads(text))
                if path in self._paths(answer.number):
                    yield replace(answer, state=JobState(answer.state))

    def files(self) -> list[Path]:
        """The files in which there is an answer, be it readable or not."""
        return [path for path, text in self._files() if text.strip()]

    def _files(self) -> Iterator[tuple[Path, bytes]]:
        for place, (directory, prefix) in enumerate(self._places()):
            if place and not _is_private(directory):
                continue
            for path in sorted(directory.glob(f"{prefix}*.json")):
                with contextlib.suppress(OSError):
                    if path.is_file():
                        yield path, path.read_bytes()


def _write(path: Path, text: bytes) -> None:
    """Write in place, and to the disk: blocks that a file has already are there also on a disk that is full."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    with open(handle, "wb", buffering=0) as file:
        rest = memoryview(text.ljust(RESERVED))
        while rest:
            rest = rest[file.write(rest) :]
        file.truncate()
        os.fsync(handle)


def _is_private(directory: Path) -> bool:
    """Whether a directory is this user's and no link, and nobody else may enter it."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
