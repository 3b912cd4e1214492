"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_NAME_BYTES = 100
"""So much of a file's name is in that of its temporary: names have up to 255 bytes."""


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file for this user alone (0600), which takes the place of `path` when the block ends without an error.

    It is written beside `path`, and is gone if anything fails; what a killed process left there of the same file is
    removed. Raises OSError.
    """
    # Whether a process lives is known of this host's alone, and the directory may be shared with others.
    host = f"{zlib.crc32(os.fsencode(os.uname().nodename)):08x}"
    stem = os.fsencode(path.name)[:_NAME_BYTES].decode("utf-8", "ignore")
    _remove_leftovers(path.parent, re.compile(rf"\.{re.escape(stem)}-(\d{{1,9}})-{host}-[^-]+"))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{stem}-{os.getpid()}-{host}-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


@contextmanager
def output_file(path: Path, *, force: bool = True) -> Iterator[IO[bytes]]:
    """The same for a file that a person named: with the rights of an ordinary file, or of the one that it replaces.

    Where `path` is a link, what it leads to is written. Without `force`, FileExistsError where a file has come to be
    there. Raises OSError.
    """
    try:
        target = path.resolve()
    except RuntimeError:  # which is how some versions of Python tell of a link that leads to itself
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    with atomic_file(target) as file:
        yield file
        os.fchmod(file.fileno(), target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        if not force and target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Alone among the processes that lock this directory, where its file system has locks."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove_leftovers(directory: Path, pattern: re.Pattern[str]) -> None:
    """Remove the files whose names fit, and whose process, which they tell, has ended."""
    with contextlib.suppress(OSError):
        names = os.listdir(directory)
        for found in filter(None, map(pattern.fullmatch, names)):
            if not _lives(int(found[1])):
                (directory / found[0]).unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
