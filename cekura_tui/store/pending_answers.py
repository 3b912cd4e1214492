"""Outcomes of launches that the database cannot record yet, each in a file that was reserved before the launch."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cekura_tui.config.own_file import open_own, read_own
from cekura_tui.config.paths import make_private
from cekura_tui.model.job import JobState
from cekura_tui.model.text import sha256

RESERVED = 8_192
"""Bytes reserved for a file before the launch is sent. A longer outcome is saved without the server's raw answer."""


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """The outcome of the launch of job `number`: a progress id or, if that is None, a state and its reason.
    `launched_at` is when the launch was sent, and `at` is when the outcome was known (both Unix time)."""

    number: int
    launched_at: float
    progress_id: str | None
    raw: str
    at: float
    state: JobState = JobState.RUNNING
    reason: str = ""


class PendingAnswers:
    """A database's pending answers, in files beside it or, if nothing can be written there, in another private
    directory. `reserve` writes a file before the launch, which `save` overwrites even on a full disk."""

    def __init__(self, database: Path, env: Mapping[str, str] = os.environ) -> None:
        self._beside, self._env = database, env
        self._elsewhere = sha256(str(database.absolute()))[:16]

    def _places(self) -> Iterator[tuple[Path, str]]:
        """The directories in the order in which `save` tries them, each with this database's prefix of file names."""
        yield self._beside.parent, f"{self._beside.name}-taken-"
        # The first survives a reboot; the second is often on another file system.
        state = self._env.get("XDG_STATE_HOME") or f"{self._env.get('HOME', '')}/.local/state"
        temporary = self._env.get("TMPDIR") or "/tmp"
        for name in (f"{state}/cekura-tui", f"{temporary}/cekura-tui-{os.getuid()}"):
            if os.path.isabs(name):
                yield Path(name), f"{self._elsewhere}-taken-"

    def _paths(self, number: int) -> Iterator[Path]:
        return (directory / f"{prefix}{number}.json" for directory, prefix in self._places())

    def reserve(self, number: int) -> None:
        """Reserve disk space beside the database for the outcome of a launch. Raises OSError."""
        path = next(self._paths(number))
        try:
            _write(path, b"")
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    def save(self, answer: PendingAnswer) -> Path | None:
        """Save an answer to a file that only this user can read; return its path, or None if no file can be written."""
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
        """Delete a job's files, once the launch's outcome is recorded or no longer expected."""
        for path in self._paths(number):
            with contextlib.suppress(OSError):
                path.unlink()

    def reserved(self) -> Iterator[int]:
        """The numbers of the jobs that have reserved space but no answer yet."""
        for path, text in self._files():
            number = path.stem.rpartition("-")[2]
            if not text.strip() and number.isdecimal():
                yield int(number)

    def all(self) -> Iterator[PendingAnswer]:
        """All saved answers; unreadable and unrelated files are skipped."""
        for path, text in self._files():
            with contextlib.suppress(ValueError, TypeError, RecursionError):
                answer = PendingAnswer(**json.loads(text))
                if path in self._paths(answer.number):
                    yield replace(answer, state=JobState(answer.state))

    def files(self) -> list[Path]:
        """The files that contain an answer, even an unreadable one."""
        return [path for path, text in self._files() if text.strip()]

    def _files(self) -> Iterator[tuple[Path, bytes]]:
        for place, (directory, prefix) in enumerate(self._places()):
            if place and not _is_private(directory):
                continue
            for path in sorted(directory.glob(f"{prefix}*.json")):
                with contextlib.suppress(OSError):
                    yield path, read_own(path)


def _write(path: Path, text: bytes) -> None:
    """Overwrite a file in place and sync the file; even on a full disk, its reserved blocks can be written."""
    handle = open_own(path, os.O_WRONLY | os.O_CREAT)
    with open(handle, "wb", buffering=0) as file:
        rest = memoryview(text.ljust(RESERVED))
        while rest:
            rest = rest[file.write(rest) :]
        file.truncate()
        os.fsync(handle)


def _is_private(directory: Path) -> bool:
    """Whether a path is a directory, not a link, that this user owns and no other user can access."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
